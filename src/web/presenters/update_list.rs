//! Presenter for the rows of a list of updates.

use sqlx::AnyConnection;

use super::super::extract::context::RequestContext;
use super::super::media_urls::sign;
use super::super::schema::{CountsView, PersonView, RowView};
use super::answer_counts::answer_counts;
use super::due::due_view;
use super::{format_time, is_author};
use crate::clock::rfc3339;
use crate::error::Result;
use crate::media::{self, Media, MediaWithRenditions, Rendition, RenditionName};
use crate::receipts::{StandingCounts, standing_counts};
use crate::state::State;
use crate::updates::{Row, UpdateState};

/// Presents rows of a list with thumbnails, in the given order.
pub(crate) async fn row_views(
    connection: &mut AnyConnection,
    state: &State,
    ctx: &RequestContext,
    rows: Vec<Row>,
) -> Result<Vec<RowView>> {
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let album = media::of_updates(connection, &ids).await?;
    let mut standings = standing_counts(connection, &ctx.viewer, &ids).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let counts = standings.remove(&row.id).unwrap_or_default();
            row_view(state, ctx, row, counts, &album)
        })
        .collect())
}

fn row_view(
    state: &State,
    ctx: &RequestContext,
    row: Row,
    counts: StandingCounts,
    album: &MediaWithRenditions,
) -> RowView {
    let author = is_author(&ctx.viewer, &row.author_id);
    let mine: Vec<&(Media, Vec<Rendition>)> = album
        .iter()
        .filter(|(media, _)| media.update_id == row.id)
        .collect();
    let thumbnail = mine
        .iter()
        .flat_map(|(_, renditions)| renditions)
        .find(|rendition| rendition.name == RenditionName::Thumbnail);
    RowView {
        url: format!("{}/updates/{}", ctx.base_url, row.id),
        state: UpdateState::at(row.published_at, row.trashed_at),
        author: PersonView {
            id: row.author_id.clone(),
            name: row.author_name.clone(),
        },
        due: due_view(row.due_at, row.due_days),
        next_due: format_time(row.next_due_at),
        next_due_zone: None,
        overdue: row.next_due_at.is_some_and(|due| due < state.clock.now()),
        created_at: rfc3339(row.created_at),
        published_at: format_time(row.published_at),
        trashed_at: format_time(row.trashed_at),
        kind: mine.first().map(|(media, _)| media.kind),
        thumbnail: thumbnail.map(|rendition| {
            format!(
                "{}{}",
                ctx.base_url,
                sign(state, &ctx.viewer, &row.id, &rendition.key)
            )
        }),
        duration_ms: mine.iter().find_map(|(media, _)| media.duration_ms),
        counts: CountsView {
            unheard: author.then_some(row.unheard),
            comments: row.comments,
            open_questions: row.open_questions,
            ..answer_counts(counts, author)
        },
        expectation: row.expectation,
        title: row.title,
        id: row.id,
        found: Vec::new(),
    }
}
