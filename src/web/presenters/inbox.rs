//! The inbox, for the eyes of who asks.

use std::collections::HashMap;

use sqlx::AnyConnection;

use super::super::extract::context::Ask;
use super::super::schema::{EntryShape, InboxCountsShape, InboxShape, RowShape, SnoozedShape};
use super::{rows, time};
use crate::clock::rfc3339;
use crate::error::Result;
use crate::inbox::{self, Section, Waiting};
use crate::state::State;
use crate::updates;

/// The inbox of who asks.
pub(crate) async fn inbox(
    connection: &mut AnyConnection,
    state: &State,
    ask: &Ask,
    person_id: &str,
) -> Result<InboxShape> {
    let waiting = inbox::of(connection, &state.clock, person_id).await?;
    let counts = inbox::counts(connection, &state.clock, person_id).await?;
    let snoozed = inbox::snoozed(connection, &state.clock, person_id).await?;
    let sections = [
        (Section::OwedByMe, waiting.owed_by_me),
        (Section::OwedToMe, waiting.owed_to_me),
        (Section::SaidToMe, waiting.said_to_me),
    ];
    let mut ids: Vec<String> = sections
        .iter()
        .flat_map(|(_, rows)| rows)
        .map(|waiting| waiting.update_id.clone())
        .collect();
    ids.extend(snoozed.iter().map(|one| one.update_id.clone()));
    ids.sort();
    ids.dedup();
    let known = updates::by_ids(connection, &ids).await?;
    let known: HashMap<String, RowShape> = rows(connection, state, ask, known)
        .await?
        .into_iter()
        .map(|row| (row.id.clone(), row))
        .collect();
    let [owed_by_me, owed_to_me, said_to_me] = sections.map(|(section, rows)| {
        let entries = rows.into_iter().filter_map(|waiting| {
            Some(entry(
                state,
                section,
                known.get(&waiting.update_id)?.clone(),
                waiting,
            ))
        });
        entries.collect::<Vec<EntryShape>>()
    });
    let away = |one: inbox::Snoozed| {
        Some(SnoozedShape {
            update: known.get(&one.update_id)?.clone(),
            id: one.entry_id,
            until: time(one.until_at),
        })
    };
    Ok(InboxShape {
        owed_by_me,
        owed_to_me,
        said_to_me,
        snoozed: snoozed.into_iter().filter_map(away).collect(),
        counts: counts_shape(counts),
    })
}

/// How much waits.
pub(crate) fn counts_shape(counts: inbox::Counts) -> InboxCountsShape {
    InboxCountsShape {
        owed_by_me: counts.owed_by_me,
        owed_to_me: counts.owed_to_me,
        said_to_me: counts.said_to_me,
    }
}

fn entry(state: &State, section: Section, update: RowShape, waiting: Waiting) -> EntryShape {
    EntryShape {
        id: section.entry(&waiting.update_id),
        why: waiting.why,
        due: time(waiting.due_at),
        overdue: waiting.due_at.is_some_and(|due| due < state.clock.now()),
        opened: waiting.opened_at.is_some(),
        reminded_at: time(waiting.reminded_at),
        new_comments: waiting.new_comments,
        joined: waiting.joined,
        by: waiting.by,
        at: rfc3339(waiting.at),
        update,
    }
}
