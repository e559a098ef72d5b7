//! Presenter for the places where a search text was found.

use sqlx::AnyConnection;

use super::super::extract::context::RequestContext;
use super::super::schema::{FoundView, HitKind, RowView};
use super::{comment_url, row_views};
use crate::error::Result;
use crate::search::{self, Place, SearchHit};
use crate::state::State;
use crate::updates::Row;

/// Maximum number of places to show for one update.
const MAX_HITS: usize = 3;

/// Returns the rows of a list with the places where the search text was found.
pub(crate) async fn found_row_views(
    connection: &mut AnyConnection,
    state: &State,
    ctx: &RequestContext,
    typed: &str,
    found: Vec<Row>,
) -> Result<Vec<RowView>> {
    let shown = |row: &Row| {
        row.places
            .iter()
            .take(MAX_HITS)
            .cloned()
            .collect::<Vec<_>>()
    };
    let places: Vec<Place> = found.iter().flat_map(shown).collect();
    let mut rows = row_views(connection, state, ctx, found).await?;
    for hit in search::load_hits(connection, &places).await? {
        if let Some(row) = rows.iter_mut().find(|row| row.id == hit.update_id) {
            row.found.push(found_view(ctx, typed, row, &hit));
        }
    }
    Ok(rows)
}

fn found_view(ctx: &RequestContext, typed: &str, row: &RowView, hit: &SearchHit) -> FoundView {
    let page = format!("{}/updates/{}", ctx.base_url, row.id);
    let (kind, text, url) = match (&hit.comment_id, &hit.media_id) {
        (Some(comment), _) => (
            HitKind::Comment,
            &hit.body,
            comment_url(ctx, &row.id, comment),
        ),
        (None, Some(media)) => (HitKind::Markup, &hit.body, format!("{page}#m-{media}")),
        (None, None) if search::matches(&hit.title, typed) => {
            (HitKind::Title, &hit.title, row.url.clone())
        }
        (None, None) => (HitKind::Notes, &hit.body, row.url.clone()),
    };
    FoundView {
        kind,
        text: search::excerpt(text, typed),
        at_ms: hit.at_ms,
        url,
    }
}
