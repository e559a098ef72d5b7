//! Presenters for the viewer's inbox.

use std::collections::HashMap;

use sqlx::AnyConnection;

use super::super::extract::context::RequestContext;
use super::super::schema::{
    EntryView, InboxCountsView, InboxView, PreviewView, RowView, SnoozedView,
};
use super::format_time;
use super::update_list::row_views;
use crate::clock::rfc3339;
use crate::error::Result;
use crate::inbox::{self, InboxRow, Section};
use crate::state::State;
use crate::updates;

/// Presents the viewer's inbox.
pub(crate) async fn inbox_view(
    connection: &mut AnyConnection,
    state: &State,
    ctx: &RequestContext,
    person_id: &str,
) -> Result<InboxView> {
    let waiting = inbox::of_person(connection, &state.clock, person_id).await?;
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
    let known: HashMap<String, RowView> = row_views(connection, state, ctx, known)
        .await?
        .into_iter()
        .map(|row| (row.id.clone(), row))
        .collect();
    let [owed_by_me, owed_to_me, said_to_me] = sections.map(|(section, rows)| {
        let entries = rows.into_iter().filter_map(|waiting| {
            Some(entry_view(
                state,
                section,
                known.get(&waiting.update_id)?.clone(),
                waiting,
            ))
        });
        entries.collect::<Vec<EntryView>>()
    });
    let away = |one: inbox::Snoozed| {
        Some(SnoozedView {
            update: known.get(&one.update_id)?.clone(),
            id: one.entry_id,
            until: format_time(one.until_at),
        })
    };
    Ok(InboxView {
        owed_by_me,
        owed_to_me,
        said_to_me,
        snoozed: snoozed.into_iter().filter_map(away).collect(),
        counts: counts_view(counts),
    })
}

/// Presents the counts of the inbox sections.
pub(crate) fn counts_view(counts: inbox::Counts) -> InboxCountsView {
    InboxCountsView {
        owed_by_me: counts.owed_by_me,
        owed_to_me: counts.owed_to_me,
        said_to_me: counts.said_to_me,
    }
}

fn entry_view(state: &State, section: Section, update: RowView, waiting: InboxRow) -> EntryView {
    let (missing, missing_count, otherwise) = match waiting.overdue {
        Some(answers) => (answers.names, answers.count, answers.otherwise),
        None => (Vec::new(), 0, None),
    };
    EntryView {
        id: section.entry_id(&waiting.update_id),
        why: waiting.why,
        due: format_time(waiting.due_at),
        overdue: waiting.due_at.is_some_and(|due| due < state.clock.now()),
        opened: waiting.opened_at.is_some(),
        reminded_at: format_time(waiting.reminded_at),
        new_comments: waiting.new_comments,
        joined: waiting.joined,
        by: waiting.by,
        also: waiting.also,
        objection: waiting.objection,
        preview: waiting.preview.map(|preview| PreviewView {
            by: preview.by,
            text: preview.text,
        }),
        missing,
        missing_count,
        otherwise,
        at: rfc3339(waiting.at),
        update,
    }
}
