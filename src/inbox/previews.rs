//! Previews: what a row of the inbox quotes, in the words of the person who wrote them.

use std::collections::HashMap;

use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

use super::{InboxRow, Reason};
use crate::error::Result;
use crate::infra::{db, markdown};
use crate::receipts::readback_needs_verdict;
use crate::text::truncate;
use crate::updates::question_is_open;

/// Maximum number of characters of a preview, unless its full text matters.
const MAX_PREVIEW: usize = 160;

/// Text that a row quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// Name of the person or guest who wrote the text, if known.
    pub by: Option<String>,
    /// The text without formatting, on one line.
    pub text: String,
}

/// What the row of an update quotes. Each variant names the SQL for the newest such text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quote {
    /// The unread comment that is the strongest reason.
    Comment,
    /// The author's correction of the readback of the inbox's owner.
    Correction,
    /// The newest open question.
    Question,
    /// The newest readback without a verdict.
    Readback,
    /// The notes of the update.
    Notes,
    /// What changed in the current revision or, if the author did not say, the notes.
    Change,
}

impl Quote {
    const ALL: [Self; 6] = [
        Self::Comment,
        Self::Correction,
        Self::Question,
        Self::Readback,
        Self::Notes,
        Self::Change,
    ];

    /// Returns what a row quotes, if anything. An objection is not a preview: the row has its own field for it.
    fn of(row: &InboxRow) -> Option<Self> {
        match row.why {
            Reason::Acknowledge | Reason::Readback | Reason::Sent => Some(Self::Notes),
            Reason::Changed => Some(Self::Change),
            Reason::Corrected => Some(Self::Correction),
            Reason::Readbacks => Some(Self::Readback),
            Reason::Questions => Some(Self::Question),
            Reason::Comments
            | Reason::Mention
            | Reason::Answer
            | Reason::Joined
            | Reason::Confirmed
            | Reason::AllHeard => (row.new_comments > 0).then_some(Self::Comment),
            Reason::Waiting | Reason::Declined | Reason::Overdue => None,
        }
    }

    /// Returns SQL that selects the update's id, the writer's name and the text, at most one row per update. `$1` is
    /// the inbox's owner. The SQL ends where the list of the updates' ids begins.
    fn sql(self) -> &'static str {
        match self {
            Self::Comment => {
                "SELECT n.update_id, coalesce(p.name, g.name) AS writer, c.body AS text,
                     row_number() OVER (PARTITION BY n.update_id ORDER BY CASE n.kind WHEN 'mention' THEN 0
                         WHEN 'answer' THEN 1 ELSE 2 END, n.at DESC, c.id DESC) AS nth
                 FROM notices n JOIN comments c ON c.id = n.subject_id LEFT JOIN people p ON p.id = c.person_id
                 LEFT JOIN guests g ON g.id = c.guest_id
                 WHERE n.person_id = $1 AND n.read_at IS NULL AND n.kind IN ('mention', 'answer', 'comment')
                 AND c.removed_at IS NULL AND n.update_id"
            }
            Self::Correction => {
                "SELECT e.update_id, p.name AS writer, e.body AS text,
                     row_number() OVER (PARTITION BY e.update_id ORDER BY e.id DESC) AS nth
                 FROM exchanges e JOIN updates u ON u.id = e.update_id JOIN people p ON p.id = u.author_id
                 WHERE e.person_id = $1 AND e.kind = 'corrected' AND e.update_id"
            }
            Self::Question => {
                concat!(
                    "SELECT c.update_id, coalesce(p.name, g.name) AS writer, c.body AS text,
                         row_number() OVER (PARTITION BY c.update_id ORDER BY c.id DESC) AS nth
                     FROM comments c LEFT JOIN people p ON p.id = c.person_id LEFT JOIN guests g ON g.id = c.guest_id
                     WHERE c.kind = 'question' AND ",
                    question_is_open!(),
                    " AND (c.person_id IS NULL OR c.person_id <> $1) AND c.update_id"
                )
            }
            Self::Readback => {
                concat!(
                    "SELECT r.update_id, p.name AS writer, r.words AS text,
                         row_number() OVER (PARTITION BY r.update_id ORDER BY r.answered_at DESC, p.id) AS nth
                     FROM receipts r JOIN updates u ON u.id = r.update_id JOIN people p ON p.id = r.person_id
                     WHERE u.author_id = $1 AND ",
                    readback_needs_verdict!(),
                    " AND r.update_id"
                )
            }
            Self::Notes => {
                "SELECT u.id AS update_id, CASE WHEN u.author_id <> $1 THEN p.name END AS writer,
                     substr(u.notes, 1, 1000) AS text, 1 AS nth
                 FROM updates u JOIN people p ON p.id = u.author_id WHERE u.id"
            }
            Self::Change => {
                "SELECT u.id AS update_id, CASE WHEN u.author_id <> $1 THEN p.name END AS writer,
                     coalesce(v.what_changed, substr(u.notes, 1, 1000)) AS text, 1 AS nth
                 FROM updates u JOIN people p ON p.id = u.author_id
                 LEFT JOIN revisions v ON v.update_id = u.id AND v.revision = u.revision WHERE u.id"
            }
        }
    }
}

#[derive(FromRow)]
struct QuoteRow {
    update_id: String,
    writer: Option<String>,
    text: Option<String>,
}

/// Adds the previews to the rows of a section. Executes at most one SQL statement per kind of quote.
pub(super) async fn add_previews(
    connection: &mut AnyConnection,
    person_id: &str,
    rows: &mut [InboxRow],
) -> Result<()> {
    for quote in Quote::ALL {
        let mut wanted: Vec<&mut InboxRow> = rows
            .iter_mut()
            .filter(|row| Quote::of(row) == Some(quote))
            .collect();
        let ids: Vec<String> = wanted.iter().map(|row| row.update_id.clone()).collect();
        let mut found = quotes(connection, quote, person_id, &ids).await?;
        for row in &mut wanted {
            row.preview = found.remove(&row.update_id);
        }
    }
    Ok(())
}

async fn quotes(
    connection: &mut AnyConnection,
    quote: Quote,
    person_id: &str,
    update_ids: &[String],
) -> Result<HashMap<String, Preview>> {
    if update_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let text = format!(
        "SELECT w.update_id, w.writer, w.text FROM ({} IN ({})) AS w WHERE w.nth = 1",
        quote.sql(),
        db::placeholders(2, update_ids.len())
    );
    let mut statement = sqlx::query_as(AssertSqlSafe(text)).bind(person_id);
    for id in update_ids {
        statement = statement.bind(id);
    }
    let rows: Vec<QuoteRow> = statement.fetch_all(connection).await?;
    let previews = rows.into_iter().filter_map(|row| {
        let text = markdown::plain_text(&row.text.unwrap_or_default());
        let preview = Preview {
            by: row.writer,
            // A correction says what the person must do, so it is never cut.
            text: match quote {
                Quote::Correction => text,
                _ => truncate(&text, MAX_PREVIEW).into_owned(),
            },
        };
        (!preview.text.is_empty()).then_some((row.update_id, preview))
    });
    Ok(previews.collect())
}
