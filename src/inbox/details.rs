//! Details of the rows in the section "New for you": objections, overdue answers and names of actors.

use sqlx::{AnyConnection, AssertSqlSafe};

use super::{InboxRow, Reason};
use crate::clock::Clock;
use crate::error::Result;
use crate::infra::db;
use crate::{people, receipts};

/// Adds the text of the objection to each row whose `why` is an objection. Must be called before [`name_actors`],
/// because it needs the actor's id in `by`.
pub(super) async fn add_objections(
    connection: &mut AnyConnection,
    rows: &mut [InboxRow],
) -> Result<()> {
    let mut wanted: Vec<&mut InboxRow> = rows
        .iter_mut()
        .filter(|row| row.why == Reason::Declined)
        .collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let text = format!(
        "SELECT update_id, person_id, words FROM receipts
         WHERE answer = 'declined' AND words IS NOT NULL AND update_id IN ({}) AND person_id IN ({})",
        db::placeholders(1, wanted.len()),
        db::placeholders(1 + wanted.len(), wanted.len())
    );
    let mut statement = sqlx::query_as(AssertSqlSafe(text));
    for row in &wanted {
        statement = statement.bind(row.update_id.clone());
    }
    for row in &wanted {
        statement = statement.bind(row.by.clone());
    }
    let found: Vec<(String, String, String)> = statement.fetch_all(connection).await?;
    for row in &mut wanted {
        row.objection = found
            .iter()
            .find(|(update, person, _)| *update == row.update_id && row.by.as_ref() == Some(person))
            .map(|(_, _, words)| words.clone());
    }
    Ok(())
}

/// Replaces the actor's id in each row with the actor's name.
pub(super) async fn name_actors(
    connection: &mut AnyConnection,
    rows: &mut [InboxRow],
) -> Result<()> {
    let ids: Vec<&str> = rows.iter().filter_map(|row| row.by.as_deref()).collect();
    let names = people::names_by_id(connection, &ids).await?;
    for row in rows {
        row.by = row.by.take().and_then(|id| names.get(&id).cloned());
    }
    Ok(())
}

/// Adds the overdue answers, and the earliest of their due times, to each row that has
/// [`Reason::Overdue`] among its reasons.
pub(super) async fn add_overdue_answers(
    connection: &mut AnyConnection,
    clock: &Clock,
    rows: &mut [InboxRow],
) -> Result<()> {
    let mut wanted: Vec<&mut InboxRow> = rows
        .iter_mut()
        .filter(|row| row.why == Reason::Overdue || row.also.contains(&Reason::Overdue))
        .collect();
    let ids: Vec<String> = wanted.iter().map(|row| row.update_id.clone()).collect();
    let mut found = receipts::overdue_answers(connection, clock, &ids).await?;
    for row in &mut wanted {
        row.overdue = found.remove(&row.update_id);
        row.due_at = row.overdue.as_ref().map(|answers| answers.due_at);
    }
    Ok(())
}
