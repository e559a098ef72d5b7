//! Handler for the summary of the viewer's published updates.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};

use super::csv_export::overview_csv;
use crate::receipts;
use crate::state::State;
use crate::updates::{self, Filter, PageRequest, Row, UpdateState};
use crate::web::extract::accept::wants_csv;
use crate::web::extract::context::RequestContext;
use crate::web::extract::list_query::ListQuery;
use crate::web::pages::OverviewPage;
use crate::web::presenters;
use crate::web::responses::{HandlerResult, html_page, json};
use crate::web::schema::ListView;
/// Lists all of the viewer's published updates and shows how many recipients have answered each.
pub(crate) async fn overview(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
) -> HandlerResult {
    let person = ctx.person()?.clone();
    let query = ListQuery::read(&req, &["format"])?;
    let filter = Filter {
        author: person.id.clone(),
        state: Some(UpdateState::Published),
        ..Filter::default()
    };
    let mut connection = state.db.read().await?;
    if wants_csv(&req) {
        return overview_csv(&mut connection, &state, &ctx, &person.id, &filter).await;
    }
    let page = PageRequest {
        person_id: &person.id,
        filter: &filter,
        after: query.after.as_ref(),
        limit: query.query_limit(),
    };
    let mut found = updates::list(&mut connection, state.db.dialect(), page).await?;
    let next = query.split_page(&mut found, Row::cursor);
    let mut items = presenters::row_views(&mut connection, &state, &ctx, found).await?;
    let ids: Vec<String> = items.iter().map(|item| item.id.clone()).collect();
    let mut zones = receipts::next_due_zones(&mut connection, &ids).await?;
    drop(connection);
    for item in &mut items {
        item.next_due_zone = zones.remove(&item.id);
    }
    if !ctx.wants_html {
        return json(StatusCode::OK, &ListView { items, next });
    }
    let next = next
        .map(|next| format!("/receipts?after={next}"))
        .unwrap_or_default();
    html_page(
        StatusCode::OK,
        &OverviewPage {
            page: ctx.page(&state, "Sent by me", None).await?,
            items,
            next,
        },
    )
}
