//! Handlers for the receipts of one update.

mod answers;
mod csv_export;
mod overview;
mod reminders;
mod single_receipt;
mod verdicts;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};

pub(crate) use answers::{acknowledge, decline, take_back};
use csv_export::{csv_response, receipts_csv};
pub(crate) use overview::overview;
pub(crate) use reminders::remind;
pub(crate) use single_receipt::show;
pub(crate) use verdicts::{confirm, disclose, withdraw, withhold};

use crate::error::Error;
use crate::events;
use crate::people::Viewer;
use crate::receipts;
use crate::state::State;
use crate::updates;
use crate::web::extract::accept::wants_csv;
use crate::web::extract::context::RequestContext;
use crate::web::pages::ReceiptsPage;
use crate::web::presenters::{self, ThreadRange};
use crate::web::responses::{HandlerResult, html_page, json};
use crate::web::schema::ListView;

/// Lists the recipients and their answers, as a page, JSON or CSV. Guests cannot see this list.
pub(crate) async fn list(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    let mut connection = state.db.read().await?;
    let update = updates::find(&mut connection, &ctx.viewer, &id).await?;
    if matches!(ctx.viewer, Viewer::Guest(_)) {
        return Err(Error::NotFound);
    }
    let author = updates::must_be_author(&ctx.viewer, &update).is_ok();
    let event = events::newest_number(&mut connection).await?;
    let exchanges = receipts::verdict_thread(&mut connection, &ctx.viewer, &update).await?;
    let all = receipts::of_update(&mut connection, &id).await?;
    let items = presenters::receipt_views(&state, &ctx, &update, &all, &exchanges);
    if wants_csv(&req) {
        return csv_response(&update.title, &receipts_csv(&items)?);
    }
    let guests: Vec<_> = receipts::guest_answers(&mut connection, &id)
        .await?
        .iter()
        .map(|answer| presenters::guest_view(answer, author))
        .collect();
    if !ctx.wants_html {
        let mut body =
            serde_json::to_value(ListView { items, next: None }).map_err(Error::internal)?;
        body["guests"] = serde_json::to_value(guests).map_err(Error::internal)?;
        return json(StatusCode::OK, &body);
    }
    let view = presenters::update_view(&mut connection, &state, &ctx, &update).await?;
    let questions = ThreadRange::OpenQuestions;
    let questions = presenters::thread_page(&mut connection, &state, &ctx, &update, &questions)
        .await?
        .threads;
    drop(connection);
    let title = format!("Who heard “{}”", view.heading());
    let page_of = ctx.page(&state, title, None).await?;
    html_page(
        StatusCode::OK,
        &ReceiptsPage {
            page: page_of,
            update: view,
            receipts: items,
            guests,
            questions,
            author,
            event,
        },
    )
}
