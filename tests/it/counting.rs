//! Records the SQL statements of each request, and the messages that PostgreSQL sends while it executes them.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, Once};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, filter};

use crate::app::Response;

/// The SQL statements of each request. The key is the request id, which comes from the tracing span of the request.
static RECORDED: LazyLock<Mutex<HashMap<String, Vec<String>>>> = LazyLock::new(Mutex::default);

/// The messages that PostgreSQL sent during each request, such as the plans of `auto_explain`.
static NOTICES: LazyLock<Mutex<HashMap<String, Vec<String>>>> = LazyLock::new(Mutex::default);

/// The target of the log events in which sqlx passes on PostgreSQL's messages.
const NOTICE_TARGET: &str = "sqlx::postgres::notice";

struct Recorder;
struct RequestId(String);

/// The content of a log event of sqlx: an SQL statement or a message of PostgreSQL. `whole` is empty if `summary`
/// contains the complete statement.
#[derive(Default)]
struct Statement {
    summary: String,
    whole: String,
    notice: String,
}

impl Visit for Statement {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => self.summary = value.to_owned(),
            "db.statement" => self.whole = value.trim().to_owned(),
            "message" => self.notice = value.to_owned(),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

impl Visit for RequestId {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "id" {
            self.0 = value.to_owned();
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.record_str(field, format!("{value:?}").trim_matches('"'));
    }
}

impl<S: Subscriber + for<'span> LookupSpan<'span>> Layer<S> for Recorder {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if attributes.metadata().name() == "request" {
            let mut found = RequestId(String::new());
            attributes.record(&mut found);
            context.span(id).unwrap().extensions_mut().insert(found);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let request = context
            .event_span(event)
            .into_iter()
            .flat_map(|span| span.scope())
            .find_map(|span| {
                let extensions = span.extensions();
                extensions
                    .get::<RequestId>()
                    .map(|request| request.0.clone())
            });
        let Some(request) = request else {
            return;
        };
        let mut statement = Statement::default();
        event.record(&mut statement);
        let (recorded, text) = match event.metadata().target() {
            NOTICE_TARGET => (&NOTICES, statement.notice),
            _ if statement.whole.is_empty() => (&RECORDED, statement.summary),
            _ => (&RECORDED, statement.whole),
        };
        let mut recorded = recorded.lock().unwrap();
        recorded.entry(request).or_default().push(text);
    }
}

/// Returns how many SQL statements the server executed to produce this response.
pub fn statement_count(response: &Response) -> usize {
    statements(response).len()
}

/// Returns the SQL statements that the server executed to produce this response, in the order of execution.
pub fn statements(response: &Response) -> Vec<String> {
    statements_of(response.header("x-request-id"))
}

/// Returns the SQL statements that the server has executed so far for the request with this id.
pub fn statements_of(request_id: &str) -> Vec<String> {
    RECORDED
        .lock()
        .unwrap()
        .get(request_id)
        .expect("no statement was recorded")
        .clone()
}

/// Returns the messages that PostgreSQL sent while the server produced this response.
pub fn notices(response: &Response) -> Vec<String> {
    let recorded = NOTICES.lock().unwrap();
    let of_request = recorded.get(response.header("x-request-id"));
    of_request.cloned().unwrap_or_default()
}

/// Starts recording the SQL statements that this process executes.
pub fn start() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let wanted = filter::filter_fn(|metadata| {
            ["sqlx::query", NOTICE_TARGET].contains(&metadata.target())
                || (metadata.is_span() && metadata.name() == "request")
        });
        tracing::subscriber::set_global_default(
            tracing_subscriber::registry().with(Recorder.with_filter(wanted)),
        )
        .unwrap();
    });
}
