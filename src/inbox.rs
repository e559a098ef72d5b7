//! The inbox has three sections: answers that a person owes, answers that others owe this person,
//! and unread notifications. Owed answers come from receipts and questions. A person can snooze any
//! row.

mod details;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, FromRow, Row as _};

use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::infra::db;
use crate::infra::db::{FetchKnown, Tx, text_enum};
use crate::people::{Person, Viewer};
use crate::receipts::OverdueAnswers;
use crate::updates::{self, visible};

text_enum! {
    /// Why an update is in a section of the inbox. The owner is the person whose inbox it is.
    pub enum Reason {
        /// Section "To answer": the inbox's owner has not acknowledged the update.
        Acknowledge = "acknowledge",
        /// Section "To answer": the inbox's owner has not read the update back.
        Readback = "readback",
        /// Section "To answer": the update has changed since the inbox's owner answered.
        Changed = "changed",
        /// Section "To answer" or "To hear": the author corrected the readback of the inbox's
        /// owner.
        Corrected = "corrected",
        /// Section "To answer": the inbox's owner wrote the update, and some readbacks of it have
        /// no verdict.
        Readbacks = "readbacks",
        /// Section "To answer": the inbox's owner wrote the update, and some questions about it
        /// have no reply.
        Questions = "questions",
        /// Section "Waiting on others": the inbox's owner wrote the update, and some recipients
        /// have not answered.
        Waiting = "waiting",
        /// Section "To hear": the inbox's owner received an update that expects no answer.
        Sent = "sent",
        /// Section "To hear": the update has new comments.
        Comments = "comments",
        /// Section "To hear": someone mentioned the inbox's owner in a comment.
        Mention = "mention",
        /// Section "To hear": someone answered a question that the inbox's owner asked.
        Answer = "answer",
        /// Section "To hear": the inbox's owner wrote the update, and someone objected to it.
        Declined = "declined",
        /// Section "To hear": the author confirmed the readback of the inbox's owner.
        Confirmed = "confirmed",
        /// Section "To hear": the inbox's owner wrote the update, and every recipient has answered.
        AllHeard = "all_heard",
        /// Section "To hear": the inbox's owner wrote the update, and the due time of an answer has
        /// passed.
        Overdue = "overdue",
        /// Section "To hear": the inbox's owner wrote the update, and someone joined a group in its
        /// audience.
        Joined = "joined",
    }
}

/// One row of the inbox.
#[derive(Clone, Debug)]
pub struct InboxRow {
    /// Id of the update.
    pub update_id: String,
    /// Why the update is in this section.
    pub why: Reason,
    /// In "To answer": when the answer of the inbox's owner is due. In "Waiting on others": the
    /// earliest due time among the recipients who still owe an answer. In "To hear": the earliest
    /// due time that has passed, if [`Reason::Overdue`] is among the reasons.
    pub due_at: Option<Millis>,
    /// When the inbox's owner opened the update; `None` if not opened. The time is exact only if
    /// the owner owes an answer as a recipient. In all other rows it is an estimate.
    pub opened_at: Option<Millis>,
    /// When the author last sent a reminder.
    pub reminded_at: Option<Millis>,
    /// Number of unread comments, mentions and answers.
    pub new_comments: i64,
    /// Number of people who can now open the update because they joined a group in its audience.
    pub joined: i64,
    /// For the section "To hear": name of the person or guest who caused the notification.
    pub by: Option<String>,
    /// For the section "To hear": the reasons besides `why`, strongest first. Never contains
    /// [`Reason::Comments`]; see `new_comments`.
    pub also: Vec<Reason>,
    /// Text of the objection, if `why` is [`Reason::Declined`].
    pub objection: Option<String>,
    /// The overdue answers, if [`Reason::Overdue`] is in `why` or `also`.
    pub overdue: Option<OverdueAnswers>,
    /// When the row appeared in the inbox.
    pub at: Millis,
}

impl FromRow<'_, AnyRow> for InboxRow {
    /// Reads a row of any section. Sets `by` to the actor's id, which `of_person` later replaces
    /// with the actor's name.
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        // A row of the section "To hear" has a `why` such as `7mention 0abc`: a rank, the reason
        // and the actor's id. The SQL takes the `max` of these texts, so that the reason with the
        // highest rank wins.
        let why: String = row.try_get("why")?;
        let (reason, actor) = why
            .split_once(' ')
            .map_or((why.as_str(), None), |(reason, actor)| {
                (reason, Some(actor))
            });
        let reason = reason.trim_start_matches(|rank: char| rank.is_ascii_digit());
        let why: Reason = reason
            .parse()
            .map_err(|unknown| db::unknown_in_column("why", unknown))?;
        let kinds: String = row.try_get("kinds")?;
        Ok(Self {
            update_id: row.try_get("update_id")?,
            why,
            due_at: row.try_get("due_at")?,
            opened_at: row.try_get("opened_at")?,
            reminded_at: row.try_get("reminded_at")?,
            new_comments: row.try_get("new_comments")?,
            joined: row.try_get("joined")?,
            by: actor.map(str::to_owned),
            also: kinds
                .split_whitespace()
                .filter_map(|kind| kind.parse().ok())
                .filter(|kind| *kind != why)
                .collect(),
            objection: None,
            overdue: None,
            at: row.try_get("at")?,
        })
    }
}

/// Maximum number of rows that each section shows. [`Counts`] has the totals.
const MAX_SHOWN: i64 = 100;

/// A section of the inbox. An entry id is the letter of its section followed by the id of the
/// update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Answers that the person owes; the page calls this section "To answer".
    OwedByMe,
    /// Answers that others owe the person; the page calls this section "Waiting on others".
    OwedToMe,
    /// Unread notifications; the page calls this section "To hear".
    SaidToMe,
}

impl Section {
    /// Returns the id of the inbox entry for an update in this section.
    pub fn entry_id(self, update_id: &str) -> String {
        format!("{}{update_id}", self.prefix())
    }

    fn prefix(self) -> char {
        match self {
            Self::OwedByMe => 'b',
            Self::OwedToMe => 't',
            Self::SaidToMe => 's',
        }
    }

    fn from_entry_id(entry_id: &str) -> Option<(Self, &str)> {
        let section = [Self::OwedByMe, Self::OwedToMe, Self::SaidToMe]
            .into_iter()
            .find(|section| entry_id.starts_with(section.prefix()))?;
        Some((section, &entry_id[1..]))
    }
}

/// SQL condition: at the time `$2`, the person `$1` has not snoozed the entry of the update `u` in
/// the given section.
macro_rules! not_snoozed {
    ($letter:literal) => {
        concat!(
            "'",
            $letter,
            "' || u.id NOT IN (SELECT z.entry_id FROM snoozes z WHERE z.person_id = $1 AND (z.until_at IS NULL OR z.until_at > $2))"
        )
    };
}

/// Maximum number of rows that SQL reads for one section, so that the cost does not grow with the
/// inbox. Each subquery with this limit sorts in the order of an index (`receipts_owing`,
/// `notices_to_hear` or `updates_waiting`), so that the database reads only the first rows of the
/// index.
macro_rules! row_limit {
    () => {
        "1001"
    };
}
/// Counts are exact up to this number.
pub const COUNT_LIMIT: i64 = 1000;

/// SQL for everything that the person `$1` owes, one row per update:
///
/// - as a recipient, an answer;
/// - as an author, verdicts on readbacks and replies to questions.
macro_rules! owed_by_me {
    () => {
        concat!(
            "SELECT u.id AS update_id, CASE WHEN r.verdict = 'corrected' AND r.answered_revision >= u.revision THEN 'corrected'
               WHEN r.answered_revision < u.revision THEN 'changed' WHEN u.expectation = 'readback' THEN 'readback' ELSE 'acknowledge' END AS why,
             r.due_at, r.opened_at, CASE WHEN r.reminded_at >= r.owes_since THEN r.reminded_at END AS reminded_at, 0 AS new_comments, 0 AS joined, '' AS kinds, r.owes_since AS at
             FROM (SELECT update_id, answered_revision, verdict, due_at, opened_at, reminded_at, owes_since FROM receipts WHERE person_id = $1 AND owes_since IS NOT NULL
                   ORDER BY (CASE WHEN reminded_at >= owes_since THEN 0 ELSE 1 END), coalesce(due_at, 9223372036854775807), owes_since LIMIT ",
            row_limit!(),
            ") AS r JOIN updates u ON u.id = r.update_id WHERE u.trashed_at IS NULL AND ",
            not_snoozed!("b"),
            " UNION ALL
             SELECT u.id AS update_id, CASE WHEN u.unheard > 0 THEN 'readbacks' ELSE 'questions' END AS why, CAST(NULL AS BIGINT) AS due_at,
             u.published_at AS opened_at, CAST(NULL AS BIGINT) AS reminded_at, 0 AS new_comments, 0 AS joined, '' AS kinds, u.published_at AS at
             FROM updates u WHERE u.author_id = $1 AND (u.unheard > 0 OR u.open_questions > 0)
             AND u.published_at IS NOT NULL AND u.trashed_at IS NULL AND ",
            not_snoozed!("b")
        )
    };
}

/// SQL expression for the column `kinds`, from which [`InboxRow::also`] is read: the kinds of the
/// grouped notifications `n` as texts of [`Reason`]s, each followed by a space. Leaves out `sent`,
/// and also comments, which are counted in `new_comments`.
macro_rules! kinds {
    () => {
        "max(CASE WHEN n.kind = 'declined' THEN 'declined ' ELSE '' END) || max(CASE WHEN n.kind = 'overdue' THEN 'overdue ' ELSE '' END)
             || max(CASE WHEN n.kind = 'mention' THEN 'mention ' ELSE '' END)
             || max(CASE WHEN n.kind = 'answer' THEN 'answer ' ELSE '' END) || max(CASE WHEN n.kind = 'corrected' THEN 'corrected ' ELSE '' END)
             || max(CASE WHEN n.kind = 'joined' THEN 'joined ' ELSE '' END) || max(CASE WHEN n.kind = 'confirmed' THEN 'confirmed ' ELSE '' END)
             || max(CASE WHEN n.kind = 'all_heard' THEN 'all_heard ' ELSE '' END)"
    };
}

/// SQL for the unread notifications of the person `$1`, one row per update. Leaves out
/// notifications that are outdated:
///
/// - `declined`, if the objection no longer stands.
/// - `corrected`, while `$1` still owes the new answer. "To answer" already shows the correction.
/// - `all_heard`, if a recipient owes an answer again.
/// - `overdue`, if no answer is overdue any more.
/// - `joined`, if the person who joined can no longer open the update.
macro_rules! said_to_me {
    () => {
        concat!(
            "SELECT u.id AS update_id, max(CASE n.kind WHEN 'declined' THEN '9declined' WHEN 'overdue' THEN '8overdue' WHEN 'mention' THEN '7mention' WHEN 'answer' THEN '6answer'
               WHEN 'corrected' THEN '5corrected' WHEN 'joined' THEN '5joined' WHEN 'comment' THEN '4comments' WHEN 'confirmed' THEN '3confirmed'
               WHEN 'all_heard' THEN '2all_heard' ELSE '1sent' END || ' ' || n.actor_id) AS why,
             CAST(NULL AS BIGINT) AS due_at, min(CASE WHEN n.kind = 'sent' THEN CAST(NULL AS BIGINT) ELSE n.at END) AS opened_at, CAST(NULL AS BIGINT) AS reminded_at,
             count(*) FILTER (WHERE n.kind IN ('comment', 'mention', 'answer')) AS new_comments,
             count(*) FILTER (WHERE n.kind = 'joined') AS joined, ",
            kinds!(),
            " AS kinds, max(n.at) AS at
             FROM (SELECT n.update_id, n.kind, n.actor_id, n.at FROM notices n WHERE n.person_id = $1 AND n.read_at IS NULL
                   AND n.kind IN ('sent', 'comment', 'mention', 'answer', 'declined', 'confirmed', 'corrected', 'all_heard', 'joined', 'overdue')
                   AND (n.kind <> 'joined' OR EXISTS (SELECT 1 FROM updates u JOIN people j ON j.id = n.actor_id
                        WHERE u.id = n.update_id AND j.deactivated_at IS NULL AND ",
            visible!("j.id"),
            ")) ORDER BY n.at DESC LIMIT ",
            row_limit!(),
            ") AS n JOIN updates u ON u.id = n.update_id
             WHERE (n.kind <> 'corrected' OR NOT EXISTS (SELECT 1 FROM receipts o WHERE o.update_id = u.id AND o.person_id = $1 AND o.owes_since IS NOT NULL))
             AND (n.kind <> 'all_heard' OR u.owing = 0)
             AND (n.kind <> 'declined' OR EXISTS (SELECT 1 FROM receipts o WHERE o.update_id = u.id AND o.person_id = n.actor_id
                  AND o.answer = 'declined' AND o.removed_at IS NULL AND o.answered_revision >= u.revision))
             AND (n.kind <> 'overdue' OR EXISTS (SELECT 1 FROM receipts o WHERE o.update_id = u.id AND o.owes_since IS NOT NULL AND o.due_at <= $2))
             AND u.published_at IS NOT NULL AND u.trashed_at IS NULL AND ",
            visible!("$1"),
            " AND ",
            not_snoozed!("s"),
            " GROUP BY u.id"
        )
    };
}

/// SQL for the updates by the author `$1` for which recipients owe answers.
macro_rules! owed_to_me {
    () => {
        concat!(
            "SELECT u.id AS update_id, 'waiting' AS why, u.next_due_at AS due_at, u.published_at AS opened_at, CAST(NULL AS BIGINT) AS reminded_at,
             0 AS new_comments, 0 AS joined, '' AS kinds, u.published_at AS at
             FROM (SELECT id, next_due_at, published_at FROM updates WHERE author_id = $1 AND owing > 0 AND published_at IS NOT NULL AND trashed_at IS NULL
                   ORDER BY coalesce(next_due_at, 9223372036854775807), published_at LIMIT ",
            row_limit!(),
            ") AS u WHERE ",
            not_snoozed!("t")
        )
    };
}

/// The inbox of one person, with at most 100 rows in each section.
#[derive(Clone, Debug, Default)]
pub struct Inbox {
    /// Answers that the person owes.
    pub owed_by_me: Vec<InboxRow>,
    /// Answers that others owe the person.
    pub owed_to_me: Vec<InboxRow>,
    /// Rows with unread notifications.
    pub said_to_me: Vec<InboxRow>,
}

/// Number of rows in each section. A number above [`COUNT_LIMIT`] is not exact: there may be more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromRow)]
pub struct Counts {
    /// Number of rows in the section "To answer".
    pub owed_by_me: i64,
    /// Number of rows in the section "Waiting on others".
    pub owed_to_me: i64,
    /// Number of rows in the section "To hear".
    pub said_to_me: i64,
    /// When the newest unread notification was created. Some notifications, such as
    /// acknowledgements, change no count. This time still changes, so that open pages learn that
    /// something is new.
    pub news_at: Option<Millis>,
}

macro_rules! order_by_due {
    ($section:expr) => {
        concat!(
            "SELECT w.* FROM (",
            $section,
            ") AS w ORDER BY CASE WHEN w.reminded_at IS NULL THEN 1 ELSE 0 END, coalesce(w.due_at, 9223372036854775807), w.at, w.update_id LIMIT $3"
        )
    };
}

/// SQL for the rows of the section "To hear", newest first.
macro_rules! order_by_newest {
    () => {
        concat!(
            "SELECT w.* FROM (",
            said_to_me!(),
            ") AS w ORDER BY w.at DESC, w.update_id LIMIT $3"
        )
    };
}

async fn section_rows(
    connection: &mut AnyConnection,
    statement: &'static str,
    person_id: &str,
    now: Millis,
) -> Result<Vec<InboxRow>> {
    sqlx::query_as(statement)
        .bind(person_id)
        .bind(now)
        .bind(MAX_SHOWN)
        .fetch_known(connection)
        .await
}

/// Returns a person's inbox. The section "To hear" is sorted newest first. The other sections start
/// with the rows that have a reminder, and then sort by due time.
pub async fn of_person(
    connection: &mut AnyConnection,
    clock: &Clock,
    person_id: &str,
) -> Result<Inbox> {
    let now = clock.now();
    let mut inbox = Inbox {
        owed_by_me: section_rows(connection, order_by_due!(owed_by_me!()), person_id, now).await?,
        owed_to_me: section_rows(connection, order_by_due!(owed_to_me!()), person_id, now).await?,
        said_to_me: section_rows(connection, order_by_newest!(), person_id, now).await?,
    };
    details::add_objections(connection, &mut inbox.said_to_me).await?;
    details::add_overdue_answers(connection, clock, &mut inbox.said_to_me).await?;
    details::name_actors(connection, &mut inbox.said_to_me).await?;
    Ok(inbox)
}

/// Counts the rows of each section of a person's inbox.
pub async fn counts(
    connection: &mut AnyConnection,
    clock: &Clock,
    person_id: &str,
) -> Result<Counts> {
    Ok(sqlx::query_as(concat!(
        "SELECT (SELECT count(*) FROM (",
        owed_by_me!(),
        ") AS a) AS owed_by_me, (SELECT count(*) FROM (",
        owed_to_me!(),
        ") AS b) AS owed_to_me, (SELECT count(*) FROM (",
        said_to_me!(),
        ") AS c) AS said_to_me, (SELECT max(at) FROM notices WHERE person_id = $1 AND read_at IS NULL) AS news_at"
    ))
    .bind(person_id)
    .bind(clock.now())
    .fetch_one(connection)
    .await?)
}

/// Counts the rows of the section "To answer". Every page shows this number.
pub async fn owed_count(
    connection: &mut AnyConnection,
    clock: &Clock,
    person_id: &str,
) -> Result<i64> {
    Ok(
        sqlx::query_scalar(concat!("SELECT count(*) FROM (", owed_by_me!(), ") AS a"))
            .bind(person_id)
            .bind(clock.now())
            .fetch_one(connection)
            .await?,
    )
}

/// Returns the next update to read after the update `after`. As in the inbox, the updates in "To
/// answer" come before those in "To hear". After the last update, starts again with the first.
/// Leaves out the updates in `skip`.
pub async fn next_update(
    connection: &mut AnyConnection,
    clock: &Clock,
    person_id: &str,
    after: &str,
    skip: &[String],
) -> Result<Option<String>> {
    let now = clock.now();
    let owed = section_rows(connection, order_by_due!(owed_by_me!()), person_id, now).await?;
    let said = section_rows(connection, order_by_newest!(), person_id, now).await?;
    let mut line: Vec<String> = owed
        .into_iter()
        .chain(said)
        .map(|waiting| waiting.update_id)
        .collect();
    let from = line
        .iter()
        .position(|id| id == after)
        .map_or(0, |at| at + 1);
    let from = from.min(line.len());
    line.rotate_left(from);
    Ok(line
        .into_iter()
        .find(|id| id != after && !skip.contains(id)))
}

/// A snoozed entry.
#[derive(Clone, Debug, FromRow)]
pub struct Snoozed {
    /// Id of the entry; see [`Section::entry_id`].
    pub entry_id: String,
    /// Id of the update.
    pub update_id: String,
    /// When the snooze ends. `None` means that the entry stays snoozed until somebody answers.
    pub until_at: Option<Millis>,
}

/// Lists the entries that the person has snoozed, at most 100. Entries whose snooze ends soonest
/// come first.
pub async fn snoozed(
    connection: &mut AnyConnection,
    clock: &Clock,
    person_id: &str,
) -> Result<Vec<Snoozed>> {
    Ok(sqlx::query_as(concat!(
        "SELECT z.entry_id, z.update_id, z.until_at FROM snoozes z JOIN updates u ON u.id = z.update_id
         WHERE z.person_id = $1 AND (z.until_at IS NULL OR z.until_at > $2) AND u.published_at IS NOT NULL AND u.trashed_at IS NULL AND ",
        visible!("$1"),
        " ORDER BY coalesce(z.until_at, 9223372036854775807), z.entry_id LIMIT 100"
    ))
    .bind(person_id)
    .bind(clock.now())
    .fetch_all(connection)
    .await?)
}

/// Snoozes an entry until the given time or, if there is none, until somebody answers. Returns an
/// error if the time is not in the future.
pub async fn snooze(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    entry_id: &str,
    until: Option<Millis>,
) -> Result<()> {
    let person: &Person = viewer.person()?;
    let (_, update_id) = Section::from_entry_id(entry_id).ok_or(Error::NotFound)?;
    updates::find(tx, viewer, update_id).await?;
    if until.is_some_and(|until| until <= clock.now()) {
        return Err(Error::invalid(
            "until",
            "is in the past. Use a time in the future, or `answered` to wait until someone answers.",
        ));
    }
    sqlx::query(
        "INSERT INTO snoozes (person_id, entry_id, update_id, at, until_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (person_id, entry_id) DO UPDATE SET at = excluded.at, until_at = excluded.until_at",
    )
    .bind(&person.id)
    .bind(entry_id)
    .bind(update_id)
    .bind(clock.now())
    .bind(until)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Ends the snooze of an entry.
pub async fn unsnooze(tx: &mut Tx, person_id: &str, entry_id: &str) -> Result<()> {
    sqlx::query("DELETE FROM snoozes WHERE person_id = $1 AND entry_id = $2")
        .bind(person_id)
        .bind(entry_id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
