//! Who heard an update: the standing of each recipient (heard, objects, answered an earlier
//! revision and so on), and the number of recipients with each standing. All lists, sentences and
//! counts about recipients come from here, so that they agree.

use std::collections::HashMap;

use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

use crate::error::Result;
use crate::infra::db::{self, FetchKnown, text_enum};
use crate::people::Viewer;

text_enum! {
    /// How a recipient has responded to the current revision of an update. Every recipient has
    /// exactly one standing: the first in this list that applies. An answer stands if it answers
    /// the current revision and the author has not corrected it. If the update expects a readback,
    /// an acknowledgement does not stand.
    pub enum Standing {
        /// The recipient opened the current revision, and gave an answer that stands and is not an objection.
        Heard = "heard",
        /// The recipient objected to the current revision.
        Objects = "objects",
        /// The recipient gave an answer that stands and is not an objection, but has not opened the current revision.
        AnsweredUnopened = "answered_unopened",
        /// The recipient answered an earlier revision.
        AnsweredEarlier = "answered_earlier",
        /// The recipient has opened at least one revision of the update, but has no current answer.
        Opened = "opened",
        /// The recipient has not opened the update and has no current answer.
        NotOpened = "not_opened",
    }
}

/// SQL condition: the recipient `r` of the update `u` objects to the current revision.
macro_rules! objection_stands {
    () => {
        "(r.answer = 'declined' AND r.removed_at IS NULL AND r.answered_revision >= u.revision)"
    };
}
pub(crate) use objection_stands;

/// SQL condition: the recipient `r` has read back the current revision of the update `u`, and the author has not given a
/// verdict.
macro_rules! readback_needs_verdict {
    () => {
        "(r.answer = 'read_back' AND r.verdict IS NULL AND r.removed_at IS NULL AND r.answered_revision >= u.revision)"
    };
}
pub(crate) use readback_needs_verdict;

/// SQL condition: the recipient `r` has opened the update `u` since its current revision began.
macro_rules! opened_current_revision {
    () => {
        "EXISTS (SELECT 1 FROM visits v JOIN revisions c ON c.update_id = v.update_id AND c.revision = u.revision
         WHERE v.update_id = r.update_id AND v.person_id = r.person_id AND v.seen_at >= c.begun_at)"
    };
}

/// SQL expression: the [`Standing`] of the recipient `r` of the update `u`. The argument is the SQL
/// condition under which the readback counts as corrected.
macro_rules! standing {
    ($is_corrected:expr) => {
        concat!(
            "CASE WHEN ",
            objection_stands!(),
            " THEN 'objects'
             WHEN r.answered_revision < u.revision THEN 'answered_earlier'
             WHEN r.answered_revision IS NULL OR ",
            $is_corrected,
            " OR (u.expectation = 'readback' AND r.answer = 'acknowledged')
             THEN CASE WHEN r.opened_at IS NULL THEN 'not_opened' ELSE 'opened' END
             WHEN ",
            opened_current_revision!(),
            " THEN 'heard' ELSE 'answered_unopened' END"
        )
    };
}
pub(super) use {opened_current_revision, standing};

/// SQL condition: the person `p` with the receipt `r` counts as a recipient. Removed recipients, and people who were
/// deactivated before they answered, do not count.
macro_rules! was_asked {
    () => {
        "r.removed_at IS NULL AND (p.deactivated_at IS NULL OR r.answered_at IS NOT NULL)"
    };
}
pub(super) use was_asked;

/// SQL condition: the author corrected the readback that the recipient `r` gave to the update `u`,
/// and the person `$1` may know about the correction. See
/// [`ReceiptAccess::sees_exchange`](super::ReceiptAccess::sees_exchange).
macro_rules! is_visibly_corrected {
    () => {
        "(coalesce(r.verdict, '') = 'corrected'
          AND (u.author_id = $1 OR r.person_id = $1 OR coalesce(r.disclosed_at, -1) >= coalesce(r.answered_at, 0)))"
    };
}

/// Counts of an update's recipients by [`Standing`]. If the viewer may not see that a readback was corrected, the
/// readback counts as not corrected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromRow)]
pub struct StandingCounts {
    /// Number of recipients.
    pub recipients: i64,
    /// Number of recipients with [`Standing::Heard`].
    pub heard: i64,
    /// Number of recipients with [`Standing::Objects`].
    pub objections: i64,
    /// Number of recipients with [`Standing::AnsweredUnopened`]. Only the author may see this
    /// number.
    pub answered_unopened: i64,
    /// Number of recipients who opened the update, whether or not they answered. Only the author
    /// may see this number.
    pub opened: i64,
    /// Number of recipients who owe an answer.
    pub owing: i64,
}

#[derive(FromRow)]
struct CountedUpdate {
    update_id: String,
    #[sqlx(flatten)]
    counts: StandingCounts,
}

/// Counts the recipients of these updates by standing. Leaves out updates without recipients.
pub async fn standing_counts(
    connection: &mut AnyConnection,
    viewer: &Viewer,
    update_ids: &[String],
) -> Result<HashMap<String, StandingCounts>> {
    let Viewer::Person(person) = viewer else {
        return Ok(HashMap::new());
    };
    if update_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let text = format!(
        concat!(
            "SELECT c.update_id, count(*) AS recipients,
             count(*) FILTER (WHERE c.standing = 'heard') AS heard,
             count(*) FILTER (WHERE c.standing = 'objects') AS objections,
             count(*) FILTER (WHERE c.standing = 'answered_unopened') AS answered_unopened,
             count(*) FILTER (WHERE c.opened_at IS NOT NULL) AS opened,
             count(*) FILTER (WHERE c.owes_since IS NOT NULL
                 AND c.standing IN ('answered_earlier', 'opened', 'not_opened')) AS owing
             FROM (SELECT r.update_id, r.opened_at, r.owes_since, ",
            standing!(is_visibly_corrected!()),
            " AS standing FROM receipts r JOIN updates u ON u.id = r.update_id JOIN people p ON p.id = r.person_id
              WHERE r.update_id IN ({}) AND ",
            was_asked!(),
            ") AS c GROUP BY c.update_id"
        ),
        db::placeholders(2, update_ids.len())
    );
    let mut query = sqlx::query_as(AssertSqlSafe(text)).bind(&person.id);
    for id in update_ids {
        query = query.bind(id);
    }
    let counted: Vec<CountedUpdate> = query.fetch_known(connection).await?;
    Ok(counted
        .into_iter()
        .map(|one| (one.update_id, one.counts))
        .collect())
}
