//! Handlers for receipts: listing, answering, verdicts, reminders and the author's overview.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;
use sqlx::AnyConnection;

use crate::clock::{parse_rfc3339, rfc3339};
use crate::error::{Error, Result};
use crate::infra::db::TextEnum;
use crate::people::Viewer;
use crate::receipts::VerdictKind;
use crate::receipts::{self, Answer, MAX_READBACK, Receipt, Verdict};
use crate::state::State;
use crate::updates::UpdateState;
use crate::updates::{self, Filter, Row, Update};
use crate::web::extract::accept::wants_csv;
use crate::web::extract::client_address::client_address;
use crate::web::extract::context::RequestContext;
use crate::web::extract::fields::Fields;
use crate::web::extract::flash::Flash;
use crate::web::extract::list_query::ListQuery;
use crate::web::handlers::check_input;
use crate::web::handlers::updates::update_page;
use crate::web::pages::{OverviewPage, ReceiptsPage};
use crate::web::presenters;
use crate::web::responses::{
    HandlerResult, html_page, json, no_content_or_redirect, return_path, see_other,
    see_other_with_flash,
};
use crate::web::schema::{ListView, ReceiptView};
use crate::{events, sample, share_message, text};

/// Lists recipients and their answers for members, as a page, JSON or CSV. Guests cannot see them.
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
    let questions = presenters::thread_views(&mut connection, &state, &ctx, &update).await?;
    let questions = questions
        .into_iter()
        .filter(|thread| thread.is_open_question())
        .collect();
    drop(connection);
    let title = format!("Who has heard “{}”", view.heading());
    let page_of = ctx.page(&state, title, "receipts").await?;
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

/// Shows one recipient's receipt with its verdict thread.
pub(crate) async fn show(
    ctx: RequestContext,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
) -> HandlerResult {
    let (id, person) = at.into_inner();
    let mut connection = state.db.read().await?;
    let update = updates::find(&mut connection, &ctx.viewer, &id).await?;
    if matches!(ctx.viewer, Viewer::Guest(_)) {
        return Err(Error::NotFound);
    }
    let exchanges = receipts::verdict_thread(&mut connection, &ctx.viewer, &update).await?;
    let receipt = receipts::of_person(&mut connection, &id, &person)
        .await?
        .ok_or(Error::NotFound)?;
    if ctx.wants_html {
        return Ok(see_other(&format!(
            "/updates/{}/receipts#receipt-{}",
            update.id, receipt.person_id
        )));
    }
    let view = presenters::receipt_views(
        &state,
        &ctx,
        &update,
        std::slice::from_ref(&receipt),
        &exchanges,
    )
    .remove(0);
    let mut body = serde_json::to_value(&view).map_err(Error::internal)?;
    body["exchange"] = serde_json::to_value(&view.exchange).map_err(Error::internal)?;
    json(StatusCode::OK, &body)
}

/// Escapes a cell, so that no spreadsheet interprets it as a formula.
fn csv_cell(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

fn receipts_csv(receipts: &[ReceiptView]) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let heads = [
        "person",
        "person_id",
        "state",
        "owes",
        "due",
        "overdue",
        "sent_at",
        "opened_at",
        "coverage",
        "answered_at",
        "acknowledged_at",
        "revision",
        "readback",
        "correction",
        "reason",
        "reminded_at",
        "away_until",
    ];
    writer.write_record(heads).map_err(Error::internal)?;
    for receipt in receipts {
        let text = |field: &Option<String>| csv_cell(field.as_deref().unwrap_or_default());
        let row = [
            csv_cell(&receipt.person.name),
            receipt.person.id.clone(),
            receipt.state.to_string(),
            receipt.owes.to_string(),
            text(&receipt.due),
            receipt.overdue.to_string(),
            text(&receipt.sent_at),
            text(&receipt.opened_at),
            receipt
                .coverage
                .map(|coverage| coverage.to_string())
                .unwrap_or_default(),
            text(&receipt.answered_at),
            text(&receipt.acknowledged_at),
            receipt
                .revision
                .map(|revision| revision.to_string())
                .unwrap_or_default(),
            text(&receipt.readback),
            text(&receipt.correction),
            text(&receipt.reason),
            text(&receipt.reminded_at),
            text(&receipt.away_until),
        ];
        writer.write_record(row).map_err(Error::internal)?;
    }
    writer.into_inner().map_err(Error::internal)
}

/// Builds a CSV download that is named after the update.
fn csv_response(title: &str, body: &[u8]) -> HandlerResult {
    let name: String = text::clean_file_name(title)
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || matches!(letter, ' ' | '-'))
        .collect();
    let name = if name.trim().is_empty() {
        "receipts"
    } else {
        name.trim()
    };
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}.csv\""),
        ))
        .body(body.to_vec()))
}

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
    let mut found = updates::list(
        &mut connection,
        state.db.dialect(),
        &person.id,
        &filter,
        query.after.as_ref(),
        query.query_limit(),
    )
    .await?;
    let next = query.split_page(&mut found, Row::cursor);
    let items = presenters::row_views(&mut connection, &state, &ctx, found).await?;
    drop(connection);
    if !ctx.wants_html {
        return json(StatusCode::OK, &ListView { items, next });
    }
    let next = next
        .map(|next| format!("/receipts?after={next}"))
        .unwrap_or_default();
    html_page(
        StatusCode::OK,
        &OverviewPage {
            page: ctx.page(&state, "Who has heard", "receipts").await?,
            items,
            next,
        },
    )
}

/// Exports all of the viewer's published updates as CSV, without a limit.
async fn overview_csv(
    connection: &mut AnyConnection,
    state: &State,
    ctx: &RequestContext,
    person_id: &str,
    filter: &Filter,
) -> HandlerResult {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let heads = [
        "title",
        "url",
        "published_at",
        "expectation",
        "recipients",
        "answered",
        "owing",
        "next_due",
        "to_hear",
        "open_questions",
    ];
    writer.write_record(heads).map_err(Error::internal)?;
    let mut after = None;
    loop {
        let found = updates::list(
            connection,
            state.db.dialect(),
            person_id,
            filter,
            after.as_ref(),
            100,
        )
        .await?;
        for row in &found {
            let answered = if row.expectation.asks_for_answer() {
                row.recipients - row.owing
            } else {
                row.acknowledged
            };
            let record = [
                csv_cell(&row.title),
                format!("{}/updates/{}", ctx.base_url, row.id),
                row.published_at.map(rfc3339).unwrap_or_default(),
                row.expectation.to_string(),
                row.recipients.to_string(),
                answered.to_string(),
                row.owing.to_string(),
                row.next_due_at.map(rfc3339).unwrap_or_default(),
                row.unheard.to_string(),
                row.open_questions.to_string(),
            ];
            writer.write_record(record).map_err(Error::internal)?;
        }
        match found.last() {
            Some(row) => after = Some(row.cursor()),
            None => {
                return csv_response("My updates", &writer.into_inner().map_err(Error::internal)?);
            }
        }
    }
}

pub(crate) async fn acknowledge(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
    payload: web::Payload,
) -> HandlerResult {
    answer(&req, &ctx, &state, &id, payload, |fields| {
        match fields.text("readback", MAX_READBACK).flatten() {
            Some(words) => Answer::ReadBack(words),
            None => Answer::Acknowledged,
        }
    })
    .await
}

/// Records an objection with its reason.
pub(crate) async fn decline(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
    payload: web::Payload,
) -> HandlerResult {
    answer(&req, &ctx, &state, &id, payload, |fields| {
        match fields.text("reason", MAX_READBACK).flatten() {
            Some(reason) => Answer::Declined(reason),
            None => {
                fields.add_error("reason", "is missing. Say why you decline.");
                Answer::Declined(String::new())
            }
        }
    })
    .await
}

async fn answer(
    req: &HttpRequest,
    ctx: &RequestContext,
    state: &State,
    id: &str,
    payload: web::Payload,
    read: impl FnOnce(&mut Fields) -> Answer,
) -> HandlerResult {
    let mut fields = Fields::read(req, payload).await?;
    state
        .rate_limits
        .check_comment(&ctx.viewer, &client_address(state, req))?;
    let typed = fields.typed();
    let tried = async {
        let revision = fields.number("revision");
        let name = fields.text("name", text::MAX_NAME).flatten();
        let answer = read(&mut fields);
        let is_valid = fields.finish();
        check_input(is_valid, state, ctx, id).await?;
        let (clock, viewer) = (&state.clock, &ctx.viewer);
        let mut tx = state.db.begin().await?;
        let update = updates::find_locked(&mut tx, viewer, id).await?;
        let name = name.as_deref();
        receipts::answer(&mut tx, clock, viewer, &update, &answer, revision, name).await?;
        sample::after_answer(&mut tx, clock, viewer, &update).await?;
        tx.commit().await?;
        Ok(update)
    };
    match tried.await {
        Ok(update) => answer_response(req, ctx, state, &update).await,
        Err(error @ (Error::Invalid(_) | Error::Conflict(_))) if ctx.wants_html => {
            let update = updates::find(&mut *state.db.read().await?, &ctx.viewer, id).await?;
            let status = StatusCode::from_u16(error.status()).map_err(Error::internal)?;
            update_page(
                state,
                ctx,
                status,
                &update,
                Fields::refilled_form(&typed, &error),
                None,
            )
            .await
        }
        Err(error) => Err(error),
    }
}

pub(crate) async fn take_back(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    state
        .rate_limits
        .check_comment(&ctx.viewer, &client_address(&state, &req))?;
    let mut tx = state.db.begin().await?;
    let update = updates::find_locked(&mut tx, &ctx.viewer, &id).await?;
    receipts::take_back(&mut tx, &state.clock, &ctx.viewer, &update).await?;
    tx.commit().await?;
    answer_response(&req, &ctx, &state, &update).await
}

/// Responds to an answer: redirects a browser to the update's page, and returns the receipt to a program.
async fn answer_response(
    req: &HttpRequest,
    ctx: &RequestContext,
    state: &State,
    update: &Update,
) -> HandlerResult {
    let id = &update.id;
    if ctx.wants_html {
        return Ok(see_other(&return_path(req, &format!("/updates/{id}"))));
    }
    let mut connection = state.db.read().await?;
    let person = ctx
        .viewer
        .person()
        .ok()
        .map(|person| person.id.clone())
        .unwrap_or_default();
    match receipts::of_person(&mut connection, id, &person).await? {
        Some(receipt) => json(
            StatusCode::OK,
            &presenters::receipt_view(state, ctx, update, &receipt),
        ),
        None => no_content_or_redirect(ctx, ""),
    }
}

/// Records the author's verdict on a readback: confirmed or corrected.
pub(crate) async fn confirm(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
    payload: web::Payload,
) -> HandlerResult {
    let (id, person) = at.into_inner();
    let mut fields = Fields::read(&req, payload).await?;
    let verdict = fields.choice("verdict", VerdictKind::ALL);
    let body = fields.text("body", MAX_READBACK).flatten();
    let said_at = fields.optional("said_at", |text| {
        parse_rfc3339(text)
            .ok_or_else(|| "is not a valid time. Use the value of `answered_at`.".to_owned())
    });
    let verdict = match (verdict, body) {
        (Some(VerdictKind::Corrected), Some(body)) => Verdict::Corrected(body),
        (Some(VerdictKind::Corrected), None) => {
            fields.add_error("body", "is missing. Say what is not quite right.");
            Verdict::Confirmed
        }
        (Some(VerdictKind::Confirmed), Some(_)) => {
            fields.add_error(
                "body",
                "is allowed only with the verdict `corrected`. Leave it out, or send `corrected`.",
            );
            Verdict::Confirmed
        }
        (Some(VerdictKind::Confirmed), None) => Verdict::Confirmed,
        (None, _) => {
            fields.add_error("verdict", "is missing. Must be confirmed or corrected.");
            Verdict::Confirmed
        }
    };
    check_input(fields.finish(), &state, &ctx, &id).await?;
    let mut tx = state.db.begin().await?;
    receipts::give_verdict(
        &mut tx,
        &state.clock,
        &ctx.viewer,
        &id,
        &person,
        &verdict,
        said_at,
    )
    .await?;
    state.enqueue_mail(&mut tx, &id).await?;
    tx.commit().await?;
    receipt_response(&req, &ctx, &state, &id, &person).await
}

pub(crate) async fn disclose(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
) -> HandlerResult {
    set_disclosed(&req, &ctx, &state, at.into_inner(), true).await
}

pub(crate) async fn withhold(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
) -> HandlerResult {
    set_disclosed(&req, &ctx, &state, at.into_inner(), false).await
}

async fn set_disclosed(
    req: &HttpRequest,
    ctx: &RequestContext,
    state: &State,
    (id, person): (String, String),
    open: bool,
) -> HandlerResult {
    let mut tx = state.db.begin().await?;
    receipts::set_disclosed(&mut tx, &state.clock, &ctx.viewer, &id, &person, open).await?;
    tx.commit().await?;
    receipt_response(req, ctx, state, &id, &person).await
}

/// Responds to an author's action on a receipt: redirects a browser to the list, and returns the receipt to a
/// program.
async fn receipt_response(
    req: &HttpRequest,
    ctx: &RequestContext,
    state: &State,
    id: &str,
    person: &str,
) -> HandlerResult {
    if ctx.wants_html {
        return Ok(see_other(&return_path(
            req,
            &format!("/updates/{id}/receipts"),
        )));
    }
    let mut connection = state.db.read().await?;
    let update = updates::find(&mut connection, &ctx.viewer, id).await?;
    let receipt = receipts::of_person(&mut connection, id, person)
        .await?
        .ok_or(Error::NotFound)?;
    json(
        StatusCode::OK,
        &presenters::receipt_view(state, ctx, &update, &receipt),
    )
}

/// Reminds everyone who still owes an answer. Also returns a message with their names, which the author can send.
pub(crate) async fn remind(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    let mut tx = state.db.begin().await?;
    let (update, reminded) = receipts::remind(&mut tx, &state.clock, &ctx.viewer, &id).await?;
    state.enqueue_mail(&mut tx, &id).await?;
    tx.commit().await?;
    let message = reminder_message(&state, &ctx, &update).await?;
    if ctx.wants_html {
        let text = match reminded.as_slice() {
            [one] => format!("{} has been reminded.", one.name),
            many => format!("{} people have been reminded.", many.len()),
        };
        let said = Flash {
            text: Some(format!("{text} Message to send:")),
            link: Some(message),
            copy: true,
            ..Flash::default()
        };
        return see_other_with_flash(
            &state,
            &return_path(&req, &format!("/updates/{id}/receipts")),
            &said,
        );
    }
    let people: Vec<_> = reminded
        .iter()
        .map(|receipt| json!({ "id": receipt.person_id, "name": receipt.name }))
        .collect();
    json(
        StatusCode::OK,
        &json!({ "reminded": people, "message": message }),
    )
}

/// Builds a message such as `Answers to “Title” (3:12) are still missing from Bob (by Fri 17:00), Cyd. https://…`
async fn reminder_message(state: &State, ctx: &RequestContext, update: &Update) -> Result<String> {
    let mut connection = state.db.read().await?;
    let view = presenters::update_view(&mut connection, state, ctx, update).await?;
    let owing = receipts::of_update(&mut connection, &update.id)
        .await?
        .into_iter()
        .filter(|receipt| receipt.owes_since.is_some());
    let name = |receipt: Receipt| match receipt.due_at {
        Some(due) => {
            format!(
                "{} ({}, {} time)",
                receipt.name,
                share_message::due_text(due, state.clock.now(), &receipt.time_zone),
                city_of_zone(&receipt.time_zone)
            )
        }
        None => receipt.name,
    };
    let names: Vec<String> = owing.map(name).collect();
    let length = view
        .media
        .iter()
        .find_map(|media| media.duration_ms)
        .map(|ms| format!(" ({})", share_message::format_length(ms)))
        .unwrap_or_default();
    Ok(format!(
        "Answers to “{}”{length} are still missing from {}. {}",
        view.heading(),
        names.join(", "),
        view.url
    ))
}

/// Returns the city of a time zone: `Auckland` for `Pacific/Auckland`.
fn city_of_zone(zone: &str) -> String {
    zone.rsplit('/').next().unwrap_or(zone).replace('_', " ")
}
