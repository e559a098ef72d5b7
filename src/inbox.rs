//! What waits for whom: debts follow from receipts, readbacks and questions; what was said comes from notices. Each row can be put off.

use std::collections::HashMap;

use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::infra::db;
use crate::infra::db::Tx;
use crate::people::{Person, Viewer};
use crate::updates::{self, visible};

/// Something that waits.
#[derive(Clone, Debug, FromRow)]
pub struct InboxRow {
    /// The update.
    pub update_id: String,
    /// Owed by me: `acknowledge`, `readback`, `changed`, `corrected`; as an author `readbacks`, `questions`. Said to me: `mention`, `answer`,
    /// `declined`, `comments`, `confirmed`, `corrected`, `all_heard`, `joined`, `sent`. Owed to me: `waiting`.
    pub why: String,
    /// By when, for me; of what others owe me the next of theirs.
    pub due_at: Option<Millis>,
    /// When I opened it.
    pub opened_at: Option<Millis>,
    /// When its author last reminded me.
    pub reminded_at: Option<Millis>,
    /// How many comments are new.
    pub new_comments: i64,
    /// How many people joined a group it was sent to, and may open it since then.
    #[sqlx(default)]
    pub joined: i64,
    /// Who did what is said to me.
    #[sqlx(default)]
    pub by: Option<String>,
    /// When it came to be.
    pub at: Millis,
}

/// How many rows a section shows; the counts tell how many there are.
const MAX_SHOWN: i64 = 100;

/// The sections of the inbox; their letters begin the ids of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// To answer.
    OwedByMe,
    /// Waiting on others.
    OwedToMe,
    /// To hear.
    SaidToMe,
}

impl Section {
    /// The id of a row of this section.
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

/// Not put off at `$2`, or put off where that is what is asked for.
macro_rules! not_snoozed {
    ($letter:literal) => {
        concat!(
            "'",
            $letter,
            "' || u.id NOT IN (SELECT z.entry_id FROM snoozes z WHERE z.person_id = $1 AND (z.until_at IS NULL OR z.until_at > $2))"
        )
    };
}

/// Of each section only so many are looked at, the first in its order, so that an inbox takes no longer the more it holds. Each order
/// has an index of its own (`receipts_owing`, `notices_to_hear`, `updates_waiting`), written with the same words.
macro_rules! row_limit {
    () => {
        "1001"
    };
}
/// Where there are more than this, nobody counts on.
pub const COUNT_LIMIT: i64 = 1000;

/// What the person owes: answers, and as an author to hear readbacks and to answer questions. One row an update.
macro_rules! owed_by_me {
    () => {
        concat!(
            "SELECT u.id AS update_id, CASE WHEN r.verdict = 'corrected' AND r.answered_revision >= u.revision THEN 'corrected'
               WHEN r.answered_revision < u.revision THEN 'changed' WHEN u.expectation = 'readback' THEN 'readback' ELSE 'acknowledge' END AS why,
             r.due_at, r.opened_at, CASE WHEN r.reminded_at >= r.owes_since THEN r.reminded_at END AS reminded_at, 0 AS new_comments, r.owes_since AS at
             FROM (SELECT update_id, answered_revision, verdict, due_at, opened_at, reminded_at, owes_since FROM receipts WHERE person_id = $1 AND owes_since IS NOT NULL
                   ORDER BY (CASE WHEN reminded_at >= owes_since THEN 0 ELSE 1 END), coalesce(due_at, 9223372036854775807), owes_since LIMIT ",
            row_limit!(),
            ") AS r JOIN updates u ON u.id = r.update_id WHERE u.trashed_at IS NULL AND ",
            not_snoozed!("b"),
            " UNION ALL
             SELECT u.id AS update_id, CASE WHEN u.unheard > 0 THEN 'readbacks' ELSE 'questions' END AS why, CAST(NULL AS BIGINT) AS due_at,
             u.published_at AS opened_at, CAST(NULL AS BIGINT) AS reminded_at, 0 AS new_comments, u.published_at AS at
             FROM updates u WHERE u.author_id = $1 AND (u.unheard > 0 OR u.open_questions > 0)
             AND u.published_at IS NOT NULL AND u.trashed_at IS NULL AND ",
            not_snoozed!("b")
        )
    };
}

/// What was said to the person and not read. That a correction came is said only where it is not owed an answer anyway, and that somebody
/// joined a group only while they can open the update.
macro_rules! said_to_me {
    () => {
        concat!(
            "SELECT u.id AS update_id, max(CASE n.kind WHEN 'mention' THEN '8mention' WHEN 'answer' THEN '7answer' WHEN 'declined' THEN '6declined'
               WHEN 'corrected' THEN '5corrected' WHEN 'joined' THEN '5joined' WHEN 'comment' THEN '4comments' WHEN 'confirmed' THEN '3confirmed'
               WHEN 'all_heard' THEN '2all_heard' ELSE '1sent' END || ' ' || n.actor_id) AS why,
             CAST(NULL AS BIGINT) AS due_at, min(CASE WHEN n.kind = 'sent' THEN CAST(NULL AS BIGINT) ELSE n.at END) AS opened_at, CAST(NULL AS BIGINT) AS reminded_at,
             count(*) FILTER (WHERE n.kind IN ('comment', 'mention', 'answer')) AS new_comments,
             count(*) FILTER (WHERE n.kind = 'joined') AS joined, max(n.at) AS at
             FROM (SELECT n.update_id, n.kind, n.actor_id, n.at FROM notices n WHERE n.person_id = $1 AND n.read_at IS NULL
                   AND n.kind IN ('sent', 'comment', 'mention', 'answer', 'declined', 'confirmed', 'corrected', 'all_heard', 'joined')
                   AND (n.kind <> 'joined' OR EXISTS (SELECT 1 FROM updates u JOIN people j ON j.id = n.actor_id
                        WHERE u.id = n.update_id AND j.deactivated_at IS NULL AND ",
            visible!("j.id"),
            ")) ORDER BY n.at DESC LIMIT ",
            row_limit!(),
            ") AS n JOIN updates u ON u.id = n.update_id
             WHERE (n.kind <> 'corrected' OR NOT EXISTS (SELECT 1 FROM receipts o WHERE o.update_id = u.id AND o.person_id = $1 AND o.owes_since IS NOT NULL))
             AND (n.kind <> 'all_heard' OR u.owing = 0)
             AND u.published_at IS NOT NULL AND u.trashed_at IS NULL AND ",
            visible!("$1"),
            " AND ",
            not_snoozed!("s"),
            " GROUP BY u.id"
        )
    };
}

/// What others owe the person.
macro_rules! owed_to_me {
    () => {
        concat!(
            "SELECT u.id AS update_id, 'waiting' AS why, u.next_due_at AS due_at, u.published_at AS opened_at, CAST(NULL AS BIGINT) AS reminded_at,
             0 AS new_comments, u.published_at AS at
             FROM (SELECT id, next_due_at, published_at FROM updates WHERE author_id = $1 AND owing > 0 AND published_at IS NOT NULL AND trashed_at IS NULL
                   ORDER BY coalesce(next_due_at, 9223372036854775807), published_at LIMIT ",
            row_limit!(),
            ") AS u WHERE ",
            not_snoozed!("t")
        )
    };
}

/// What I owe, what others owe me, what was said to me; at most 100 of each.
#[derive(Clone, Debug, Default)]
pub struct Inbox {
    /// To answer.
    pub owed_by_me: Vec<InboxRow>,
    /// Waiting on others.
    pub owed_to_me: Vec<InboxRow>,
    /// To hear.
    pub said_to_me: Vec<InboxRow>,
}

/// How much waits, as far as [`COUNT_LIMIT`]; one more stands for all that is more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromRow)]
pub struct Counts {
    /// To answer.
    pub owed_by_me: i64,
    /// Waiting on others.
    pub owed_to_me: i64,
    /// To hear.
    pub said_to_me: i64,
    /// When the newest of what is not read came: that somebody answered changes no count, and is news all the same.
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

/// What was said last stands first.
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
    Ok(sqlx::query_as(statement)
        .bind(person_id)
        .bind(now)
        .bind(MAX_SHOWN)
        .fetch_all(connection)
        .await?)
}

/// The person's inbox. Who was reminded of something finds it first, then what is due first.
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
    for waiting in &mut inbox.said_to_me {
        // Its rank stands before the reason, so that of several the one that matters most is the greatest, and who did it behind.
        let (why, actor) = waiting.why.split_once(' ').unwrap_or((&waiting.why, ""));
        (waiting.by, waiting.why) = (
            Some(actor.to_owned()),
            why.trim_start_matches(|rank: char| rank.is_ascii_digit())
                .to_owned(),
        );
    }
    name_actors(connection, &mut inbox.said_to_me).await?;
    Ok(inbox)
}

/// Puts names in the place of the ids of those who did it: people, or guests.
async fn name_actors(connection: &mut AnyConnection, rows: &mut [InboxRow]) -> Result<()> {
    let ids: Vec<String> = rows.iter().filter_map(|row| row.by.clone()).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let places = db::placeholders(1, ids.len());
    let text = format!(
        "SELECT id, name FROM people WHERE id IN ({places}) UNION ALL SELECT id, name FROM guests WHERE id IN ({places})"
    );
    let mut statement = sqlx::query_as(AssertSqlSafe(text));
    for id in &ids {
        statement = statement.bind(id);
    }
    let names: HashMap<String, String> =
        statement.fetch_all(connection).await?.into_iter().collect();
    for row in rows {
        row.by = row.by.take().and_then(|id| names.get(&id).cloned());
    }
    Ok(())
}

/// How much waits for the person.
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

/// How much the person owes: what every page says.
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

/// The update that is to be read after this one, to answer before to hear: the next in line, but for those to be passed over.
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

/// A row that was put off.
#[derive(Clone, Debug, FromRow)]
pub struct Snoozed {
    /// The row.
    pub entry_id: String,
    /// Its update.
    pub update_id: String,
    /// Until when; none for until somebody has answered.
    pub until_at: Option<Millis>,
}

/// What the person has put off and is still away.
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

/// Puts a row off until a time, or until somebody has answered.
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
            "is in the past. Name a time that is still to come, or `answered`.",
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

/// Brings a row back.
pub async fn unsnooze(tx: &mut Tx, person_id: &str, entry_id: &str) -> Result<()> {
    sqlx::query("DELETE FROM snoozes WHERE person_id = $1 AND entry_id = $2")
        .bind(person_id)
        .bind(entry_id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
