//! Presenter for the places where a search text was found.

use sqlx::AnyConnection;

use super::super::extract::context::RequestContext;
use super::super::schema::{FoundView, HitKind, RowView};
use super::comment_url;
use crate::error::Result;
use crate::search::{self, SearchHit, SearchQuery};
use crate::state::State;

/// Maximum number of places to show for one update.
const MAX_HITS: i64 = 3;

/// Adds to each row the places where the search text was found.
pub(crate) async fn attach_hits(
    connection: &mut AnyConnection,
    state: &State,
    ctx: &RequestContext,
    typed: &str,
    rows: &mut [RowView],
) -> Result<()> {
    let Some(query) = SearchQuery::parse(connection, typed).await? else {
        return Ok(());
    };
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    for hit in search::find_hits(connection, state.db.dialect(), &query, &ids, MAX_HITS).await? {
        if let Some(row) = rows.iter_mut().find(|row| row.id == hit.update_id) {
            row.found.push(found_view(ctx, typed, row, &hit));
        }
    }
    Ok(())
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
