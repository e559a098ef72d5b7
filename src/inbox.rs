//! The inbox has three sections: answers that a person owes, answers that others owe this person,
//! and unread notifications. Owed answers come from receipts and questions. A person can snooze any
//! row.

mod details;
mod limits;
mod owed_by_me;
mod owed_to_me;
mod previews;
mod reasons;
mod said_to_me;
mod sections;
mod snoozes;

use sqlx::{AnyConnection, FromRow};

use crate::clock::{Clock, Millis};
use crate::error::Result;
use crate::infra::db::FetchKnown;
pub use limits::COUNT_LIMIT;
use limits::MAX_SHOWN;
pub use previews::Preview;
pub use reasons::{InboxRow, Reason};
use sections::{COUNTS, OWED_BY_ME, OWED_COUNT, OWED_TO_ME, SAID_TO_ME};
pub use snoozes::{Snoozed, snooze, snoozed, unsnooze};

/// A section of the inbox. Each section has a letter. The id of an inbox entry is the letter of its section followed by
/// the id of the update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Answers that the person owes; the page calls this section "To answer".
    OwedByMe,
    /// Answers that others owe the person; the page calls this section "Waiting on others".
    OwedToMe,
    /// Unread notifications; the page calls this section "New for you".
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

/// Number of rows in each section. A number above [`COUNT_LIMIT`] is not exact: the section may have more rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromRow)]
pub struct Counts {
    /// Number of rows in the section "To answer".
    pub owed_by_me: i64,
    /// Number of rows in the section "Waiting on others".
    pub owed_to_me: i64,
    /// Number of rows in the section "New for you".
    pub said_to_me: i64,
    /// When the newest unread notification was created. Some notifications, such as acknowledgements, change none of
    /// the counts. Open pages learn about them because `news_at` changes.
    pub news_at: Option<Millis>,
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

/// Returns a person's inbox. The section "New for you" is sorted newest first. In the other sections,
/// rows with a reminder come before the others, and both groups are sorted by due time.
pub async fn of_person(
    connection: &mut AnyConnection,
    clock: &Clock,
    person_id: &str,
) -> Result<Inbox> {
    let now = clock.now();
    let mut inbox = Inbox {
        owed_by_me: section_rows(connection, OWED_BY_ME, person_id, now).await?,
        owed_to_me: section_rows(connection, OWED_TO_ME, person_id, now).await?,
        said_to_me: section_rows(connection, SAID_TO_ME, person_id, now).await?,
    };
    details::add_objections(connection, &mut inbox.said_to_me).await?;
    details::add_overdue_answers(connection, clock, &mut inbox.said_to_me).await?;
    details::name_actors(connection, &mut inbox.said_to_me).await?;
    previews::add_previews(connection, person_id, &mut inbox.owed_by_me).await?;
    previews::add_previews(connection, person_id, &mut inbox.said_to_me).await?;
    Ok(inbox)
}

/// Counts the rows of each section of a person's inbox.
pub async fn counts(
    connection: &mut AnyConnection,
    clock: &Clock,
    person_id: &str,
) -> Result<Counts> {
    Ok(sqlx::query_as(COUNTS)
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
    Ok(sqlx::query_scalar(OWED_COUNT)
        .bind(person_id)
        .bind(clock.now())
        .fetch_one(connection)
        .await?)
}

/// Returns the id of the update that follows `after` in the inbox. The updates in "To answer" come
/// before those in "New for you". After the last update, starts again with the first. Leaves out the
/// updates in `skip`.
pub async fn next_update(
    connection: &mut AnyConnection,
    clock: &Clock,
    person_id: &str,
    after: &str,
    skip: &[String],
) -> Result<Option<String>> {
    let now = clock.now();
    let owed = section_rows(connection, OWED_BY_ME, person_id, now).await?;
    let said = section_rows(connection, SAID_TO_ME, person_id, now).await?;
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
