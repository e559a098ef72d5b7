//! The statements that a request sends to the database.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, Once};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, filter};

use crate::app::Answer;

/// Statements by the id of the request whose span they ran in.
static ASKED: LazyLock<Mutex<HashMap<String, Vec<String>>>> = LazyLock::new(Mutex::default);

struct Counting;
struct RequestId(String);

/// A statement as sqlx logs it: whole in the second field, unless it is so short that it is whole in the first.
#[derive(Default)]
struct Statement {
    summary: String,
    whole: String,
}

impl Visit for Statement {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => self.summary = value.to_owned(),
            "db.statement" => self.whole = value.trim().to_owned(),
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

impl<S: Subscriber + for<'span> LookupSpan<'span>> Layer<S> for Counting {
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
        if let (Some(request), "sqlx::query") = (request, event.metadata().target()) {
            let mut statement = Statement::default();
            event.record(&mut statement);
            let text = if statement.whole.is_empty() {
                statement.summary
            } else {
                statement.whole
            };
            ASKED.lock().unwrap().entry(request).or_default().push(text);
        }
    }
}

/// How many statements a request took, from its answer.
pub fn statements(answer: &Answer) -> usize {
    texts(answer).len()
}

/// The statements of a request, from its answer, in order.
pub fn texts(answer: &Answer) -> Vec<String> {
    ASKED
        .lock()
        .unwrap()
        .get(answer.header("x-request-id"))
        .expect("no statement was counted")
        .clone()
}

/// From now on they are counted, in the whole process.
pub fn count() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let wanted = filter::filter_fn(|about| {
            about.target() == "sqlx::query" || (about.is_span() && about.name() == "request")
        });
        tracing::subscriber::set_global_default(
            tracing_subscriber::registry().with(Counting.with_filter(wanted)),
        )
        .unwrap();
    });
}
