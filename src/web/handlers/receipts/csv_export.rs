//! CSV exports of receipts and of the overview.

use actix_web::HttpResponse;
use actix_web::http::header;
use sqlx::AnyConnection;

use crate::clock::rfc3339;
use crate::error::{Error, Result};
use crate::receipts::{self, StandingCounts};
use crate::state::State;
use crate::text;
use crate::updates::{self, Filter, PageRequest, Row};
use crate::web::extract::context::RequestContext;
use crate::web::responses::HandlerResult;
use crate::web::schema::ReceiptView;

/// Escapes a cell, so that no spreadsheet interprets it as a formula.
fn csv_cell(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

pub(super) fn receipts_csv(receipts: &[ReceiptView]) -> Result<Vec<u8>> {
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
        "standing",
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
            receipt
                .standing
                .map(|standing| standing.to_string())
                .unwrap_or_default(),
        ];
        writer.write_record(row).map_err(Error::internal)?;
    }
    writer.into_inner().map_err(Error::internal)
}

const OVERVIEW_HEADS: [&str; 13] = [
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
    "heard",
    "objections",
    "answered_unopened",
];

/// Returns the row of one update, with one cell for each column of [`OVERVIEW_HEADS`].
fn overview_record(ctx: &RequestContext, row: &Row, counts: &StandingCounts) -> [String; 13] {
    let answered = counts.heard + counts.answered_unopened + counts.objections;
    [
        csv_cell(&row.title),
        format!("{}/updates/{}", ctx.base_url, row.id),
        row.published_at.map(rfc3339).unwrap_or_default(),
        row.expectation.to_string(),
        counts.recipients.to_string(),
        answered.to_string(),
        counts.owing.to_string(),
        row.next_due_at.map(rfc3339).unwrap_or_default(),
        row.unheard.to_string(),
        row.open_questions.to_string(),
        counts.heard.to_string(),
        counts.objections.to_string(),
        counts.answered_unopened.to_string(),
    ]
}

/// Exports all of the viewer's published updates as CSV, without a limit on their number.
pub(super) async fn overview_csv(
    connection: &mut AnyConnection,
    state: &State,
    ctx: &RequestContext,
    person_id: &str,
    filter: &Filter,
) -> HandlerResult {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer
        .write_record(OVERVIEW_HEADS)
        .map_err(Error::internal)?;
    let mut after = None;
    loop {
        let page = PageRequest {
            person_id,
            filter,
            after: after.as_ref(),
            limit: 100,
        };
        let found = updates::list(connection, state.db.dialect(), page).await?;
        let ids: Vec<String> = found.iter().map(|row| row.id.clone()).collect();
        let standings = receipts::standing_counts(connection, &ctx.viewer, &ids).await?;
        for row in &found {
            let counts = standings.get(&row.id).copied().unwrap_or_default();
            let record = overview_record(ctx, row, &counts);
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

/// Builds a CSV download. Derives the file name from `title`.
pub(super) fn csv_response(title: &str, body: &[u8]) -> HandlerResult {
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
