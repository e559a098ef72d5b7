//! Receipts: who was asked, answering, hearing what was said back, reminding, and the author's overview of it all.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;
use sqlx::AnyConnection;

use crate::clock::{parse_rfc3339, rfc3339};
use crate::error::{Error, Result};
use crate::people::Viewer;
use crate::receipts::{self, Answer, READBACK, Receipt, Verdict};
use crate::state::State;
use crate::updates::{self, Filter, Row, Update};
use crate::web::extract::accept::wants_csv;
use crate::web::extract::client_address::client_address;
use crate::web::extract::context::{Ask, Said};
use crate::web::extract::fields::Fields;
use crate::web::extract::list_query::ListQuery;
use crate::web::handlers::updates::update_page;
use crate::web::pages::{OverviewPage, ReceiptsPage};
use crate::web::presenters;
use crate::web::responses::{
    Answer as Answered, back, data, nothing, page, see_other, see_other_saying,
};
use crate::web::schema::{ListShape, ReceiptShape};
use crate::{events, sample, share_message, text};

/// Who was asked and who answered: for members, as a page, JSON or CSV. Guests see none.
pub(crate) async fn list(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    id: web::Path<String>,
) -> Answered {
    let mut connection = state.db.read().await?;
    let update = updates::find(&mut connection, &ask.viewer, &id).await?;
    if matches!(ask.viewer, Viewer::Guest(_)) {
        return Err(Error::NotFound);
    }
    let author = updates::must_be_author(&ask.viewer, &update).is_ok();
    let event = events::newest(&mut connection).await?;
    let exchanges = receipts::exchanges(&mut connection, &ask.viewer, &update).await?;
    let all = receipts::of(&mut connection, &id).await?;
    let items = presenters::receipt_shapes(&state, &ask, &update, &all, &exchanges);
    if wants_csv(&req) {
        return csv(&update.title, &table(&items)?);
    }
    let guests: Vec<_> = receipts::of_guests(&mut connection, &id)
        .await?
        .iter()
        .map(|answer| presenters::guest_shape(answer, author))
        .collect();
    if !ask.html {
        let mut body =
            serde_json::to_value(ListShape { items, next: None }).map_err(Error::internal)?;
        body["guests"] = serde_json::to_value(guests).map_err(Error::internal)?;
        return data(StatusCode::OK, &body);
    }
    let shape = presenters::update(&mut connection, &state, &ask, &update).await?;
    let questions = presenters::threads(&mut connection, &state, &ask, &update).await?;
    let questions = questions
        .into_iter()
        .filter(|thread| thread.kind == "question" && thread.state.as_deref() == Some("open"))
        .collect();
    drop(connection);
    let title = format!("Who has heard “{}”", shape.heading());
    let page_of = ask.page(&state, title, "receipts").await?;
    page(
        StatusCode::OK,
        &ReceiptsPage {
            page: page_of,
            update: shape,
            receipts: items,
            guests,
            questions,
            author,
            event,
        },
    )
}

/// One recipient's standing, with what the two said.
pub(crate) async fn one(
    ask: Ask,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
) -> Answered {
    let (id, person) = at.into_inner();
    let mut connection = state.db.read().await?;
    let update = updates::find(&mut connection, &ask.viewer, &id).await?;
    if matches!(ask.viewer, Viewer::Guest(_)) {
        return Err(Error::NotFound);
    }
    let exchanges = receipts::exchanges(&mut connection, &ask.viewer, &update).await?;
    let receipt = receipts::of_person(&mut connection, &id, &person)
        .await?
        .ok_or(Error::NotFound)?;
    if ask.html {
        return Ok(see_other(&format!(
            "/updates/{}/receipts#receipt-{}",
            update.id, receipt.person_id
        )));
    }
    let shape = presenters::receipt_shapes(
        &state,
        &ask,
        &update,
        std::slice::from_ref(&receipt),
        &exchanges,
    )
    .remove(0);
    let mut body = serde_json::to_value(&shape).map_err(Error::internal)?;
    body["exchange"] = serde_json::to_value(&shape.exchange).map_err(Error::internal)?;
    data(StatusCode::OK, &body)
}

/// A cell that no spreadsheet takes for a formula.
fn cell(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

fn table(receipts: &[ReceiptShape]) -> Result<Vec<u8>> {
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
        let text = |field: &Option<String>| cell(field.as_deref().unwrap_or_default());
        let row = [
            cell(&receipt.person.name),
            receipt.person.id.clone(),
            receipt.state.clone(),
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

/// A table to keep, named after what it is of.
fn csv(title: &str, body: &[u8]) -> Answered {
    let name: String = text::file_name(title)
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

/// All updates of one's own, with how far the answers have come.
pub(crate) async fn overview(req: HttpRequest, ask: Ask, state: web::Data<State>) -> Answered {
    let person = ask.person()?.clone();
    let query = ListQuery::read(&req, &["format"])?;
    let filter = Filter {
        author: person.id.clone(),
        state: "published".into(),
        ..Filter::default()
    };
    let mut connection = state.db.read().await?;
    if wants_csv(&req) {
        return overview_table(&mut connection, &state, &ask, &person.id, &filter).await;
    }
    let mut found = updates::list(
        &mut connection,
        state.db.dialect(),
        &person.id,
        &filter,
        query.after.as_ref(),
        query.rows_to_read(),
    )
    .await?;
    let next = query.cut(&mut found, Row::cursor);
    let items = presenters::rows(&mut connection, &state, &ask, found).await?;
    drop(connection);
    if !ask.html {
        return data(StatusCode::OK, &ListShape { items, next });
    }
    let next = next
        .map(|next| format!("/receipts?after={next}"))
        .unwrap_or_default();
    page(
        StatusCode::OK,
        &OverviewPage {
            page: ask.page(&state, "Who has heard", "receipts").await?,
            items,
            next,
        },
    )
}

/// All of them as a table, however many.
async fn overview_table(
    connection: &mut AnyConnection,
    state: &State,
    ask: &Ask,
    person_id: &str,
    filter: &Filter,
) -> Answered {
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
            let answered = if row.expectation == "fyi" {
                row.acknowledged
            } else {
                row.recipients - row.owing
            };
            let record = [
                cell(&row.title),
                format!("{}/updates/{}", ask.base, row.id),
                row.published_at.map(rfc3339).unwrap_or_default(),
                row.expectation.clone(),
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
            None => return csv("My updates", &writer.into_inner().map_err(Error::internal)?),
        }
    }
}

pub(crate) async fn acknowledge(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    id: web::Path<String>,
    payload: web::Payload,
) -> Answered {
    answer(&req, &ask, &state, &id, payload, |fields| {
        match fields.text("readback", READBACK).flatten() {
            Some(words) => Answer::ReadBack(words),
            None => Answer::Acknowledged,
        }
    })
    .await
}

/// I heard it, but …
pub(crate) async fn decline(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    id: web::Path<String>,
    payload: web::Payload,
) -> Answered {
    answer(&req, &ask, &state, &id, payload, |fields| {
        match fields.text("reason", READBACK).flatten() {
            Some(reason) => Answer::Declined(reason),
            None => {
                fields.complain("reason", "is missing. Say why.");
                Answer::Declined(String::new())
            }
        }
    })
    .await
}

async fn answer(
    req: &HttpRequest,
    ask: &Ask,
    state: &State,
    id: &str,
    payload: web::Payload,
    read: impl FnOnce(&mut Fields) -> Answer,
) -> Answered {
    let mut fields = Fields::read(req, payload).await?;
    state
        .guard
        .speak(&ask.viewer, &client_address(state, req))?;
    let typed = fields.typed();
    let tried = async {
        let revision = fields.number("revision");
        let name = fields.text("name", text::NAME).flatten();
        let answer = read(&mut fields);
        let fine = fields.finish();
        // Whoever may not see it learns nothing of what is wrong with their words.
        updates::find(&mut *state.db.read().await?, &ask.viewer, id).await?;
        fine?;
        let mut tx = state.db.begin().await?;
        receipts::answer(
            &mut tx,
            &state.clock,
            &ask.viewer,
            id,
            &answer,
            revision,
            name.as_deref(),
        )
        .await?;
        sample::hear(&mut tx, &state.clock, &ask.viewer, id).await?;
        tx.commit().await
    };
    match tried.await {
        Ok(()) => answered(req, ask, state, id).await,
        Err(error @ (Error::Invalid(_) | Error::Conflict(_))) if ask.html => {
            let update = updates::find(&mut *state.db.read().await?, &ask.viewer, id).await?;
            let status = StatusCode::from_u16(error.status()).map_err(Error::internal)?;
            update_page(
                state,
                ask,
                status,
                &update,
                Fields::filled(&typed, &error),
                None,
            )
            .await
        }
        Err(error) => Err(error),
    }
}

pub(crate) async fn take_back(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    id: web::Path<String>,
) -> Answered {
    state
        .guard
        .speak(&ask.viewer, &client_address(&state, &req))?;
    let mut tx = state.db.begin().await?;
    receipts::take_back(&mut tx, &state.clock, &ask.viewer, &id).await?;
    tx.commit().await?;
    answered(&req, &ask, &state, &id).await
}

/// After an answer: back to the page, or to a program its own standing.
async fn answered(req: &HttpRequest, ask: &Ask, state: &State, id: &str) -> Answered {
    if ask.html {
        return Ok(see_other(&back(req, &format!("/updates/{id}"))));
    }
    let mut connection = state.db.read().await?;
    let update = updates::find(&mut connection, &ask.viewer, id).await?;
    let person = ask
        .viewer
        .person()
        .ok()
        .map(|person| person.id.clone())
        .unwrap_or_default();
    match receipts::of_person(&mut connection, id, &person).await? {
        Some(receipt) => data(
            StatusCode::OK,
            &presenters::receipt_shape(state, ask, &update, &receipt),
        ),
        None => nothing(ask, ""),
    }
}

/// The author hears what was read back: confirms or corrects it.
pub(crate) async fn confirm(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
    payload: web::Payload,
) -> Answered {
    let (id, person) = at.into_inner();
    let mut fields = Fields::read(&req, payload).await?;
    let verdict = fields.choice("verdict", &["confirmed", "corrected"]);
    let body = fields.text("body", READBACK).flatten();
    let said_at = fields.optional("said_at", |text| {
        parse_rfc3339(text).ok_or_else(|| "is not a time, as `answered_at` is.".to_owned())
    });
    let verdict = match (verdict, body) {
        (Some("corrected"), Some(body)) => Verdict::Corrected(body),
        (Some("corrected"), None) => {
            fields.complain("body", "is missing. Say what is not quite right.");
            Verdict::Confirmed
        }
        (Some(_), Some(_)) => {
            fields.complain(
                "body",
                "goes with a correction. Leave it out, or send `corrected`.",
            );
            Verdict::Confirmed
        }
        (Some(_), None) => Verdict::Confirmed,
        (None, _) => {
            fields.complain(
                "verdict",
                "is missing. Right would be confirmed or corrected.",
            );
            Verdict::Confirmed
        }
    };
    // Whoever may not see it learns nothing else.
    updates::find(&mut *state.db.read().await?, &ask.viewer, &id).await?;
    fields.finish()?;
    let mut tx = state.db.begin().await?;
    receipts::confirm(
        &mut tx,
        &state.clock,
        &ask.viewer,
        &id,
        &person,
        &verdict,
        said_at,
    )
    .await?;
    state.mail(&mut tx, &id).await?;
    tx.commit().await?;
    standing(&req, &ask, &state, &id, &person).await
}

pub(crate) async fn disclose(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
) -> Answered {
    set_disclosed(&req, &ask, &state, at.into_inner(), true).await
}

pub(crate) async fn withhold(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
) -> Answered {
    set_disclosed(&req, &ask, &state, at.into_inner(), false).await
}

async fn set_disclosed(
    req: &HttpRequest,
    ask: &Ask,
    state: &State,
    (id, person): (String, String),
    open: bool,
) -> Answered {
    let mut tx = state.db.begin().await?;
    receipts::disclose(&mut tx, &state.clock, &ask.viewer, &id, &person, open).await?;
    tx.commit().await?;
    standing(req, ask, state, &id, &person).await
}

/// After the author did something about a recipient: back to the list, or to a program the recipient's standing.
async fn standing(req: &HttpRequest, ask: &Ask, state: &State, id: &str, person: &str) -> Answered {
    if ask.html {
        return Ok(see_other(&back(req, &format!("/updates/{id}/receipts"))));
    }
    let mut connection = state.db.read().await?;
    let update = updates::find(&mut connection, &ask.viewer, id).await?;
    let receipt = receipts::of_person(&mut connection, id, person)
        .await?
        .ok_or(Error::NotFound)?;
    data(
        StatusCode::OK,
        &presenters::receipt_shape(state, ask, &update, &receipt),
    )
}

/// Reminds those who still owe, and answers with words to pass on that name them.
pub(crate) async fn remind(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    id: web::Path<String>,
) -> Answered {
    let mut tx = state.db.begin().await?;
    let (update, reminded) = receipts::remind(&mut tx, &state.clock, &ask.viewer, &id).await?;
    state.mail(&mut tx, &id).await?;
    tx.commit().await?;
    let message = names_who_owe(&state, &ask, &update).await?;
    if ask.html {
        let text = match reminded.as_slice() {
            [one] => format!("{} is reminded.", one.name),
            many => format!("{} people are reminded.", many.len()),
        };
        let said = Said {
            text: Some(format!("{text} Words to pass on:")),
            link: Some(message),
            copy: true,
            ..Said::default()
        };
        return see_other_saying(
            &state,
            &back(&req, &format!("/updates/{id}/receipts")),
            &said,
        );
    }
    let people: Vec<_> = reminded
        .iter()
        .map(|receipt| json!({ "id": receipt.person_id, "name": receipt.name }))
        .collect();
    data(
        StatusCode::OK,
        &json!({ "reminded": people, "message": message }),
    )
}

/// `Still open on “Title” (3:12): Bob (by Fri 17:00), Cyd. https://…`
async fn names_who_owe(state: &State, ask: &Ask, update: &Update) -> Result<String> {
    let mut connection = state.db.read().await?;
    let shape = presenters::update(&mut connection, state, ask, update).await?;
    let owing = receipts::of(&mut connection, &update.id)
        .await?
        .into_iter()
        .filter(|receipt| receipt.owes_since.is_some());
    let name = |receipt: Receipt| match receipt.due_at {
        Some(due) => {
            format!(
                "{} ({}, {} time)",
                receipt.name,
                share_message::by(due, state.clock.now(), &receipt.time_zone),
                city(&receipt.time_zone)
            )
        }
        None => receipt.name,
    };
    let names: Vec<String> = owing.map(name).collect();
    let length = shape
        .media
        .iter()
        .find_map(|media| media.duration_ms)
        .map(|ms| format!(" ({})", share_message::length(ms)))
        .unwrap_or_default();
    Ok(format!(
        "Still open on “{}”{length}: {}. {}",
        shape.heading(),
        names.join(", "),
        shape.url
    ))
}

/// `Auckland` of `Pacific/Auckland`.
fn city(zone: &str) -> String {
    zone.rsplit('/').next().unwrap_or(zone).replace('_', " ")
}
