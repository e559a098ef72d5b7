//! Reduces responses to the parts that are the same in every run, and compares these parts to the recorded ones.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::app::Response;
use crate::shape::{Shape, differences};

/// Headers whose values change in each run. Only their presence is recorded.
const VOLATILE: [&str; 5] = [
    "content-length",
    "date",
    "etag",
    "upload-expires",
    "x-request-id",
];

/// Recorded responses. The key contains the request and the reader.
pub type Transcript = BTreeMap<String, Value>;

/// Returns the status, the stable headers and the shape of the JSON body of a response.
pub async fn record(response: reqwest::Response) -> Value {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let mut recorded = Map::new();
    // Leave out `connection`, because its value depends on how much of a rejected body the server had received.
    for name in headers.keys().filter(|name| *name != "connection") {
        let values: Vec<String> = headers
            .get_all(name)
            .iter()
            .map(|value| stable(name.as_str(), value.to_str().unwrap()))
            .collect();
        recorded.insert(name.to_string(), values.join("; ").into());
    }
    let media_type = headers
        .get("content-type")
        .map_or("", |value| value.to_str().unwrap());
    // Do not record the OpenAPI document, because `openapi.rs` checks it.
    let described = response.url().path() == "/openapi.json";
    let body = if media_type.contains("json") && !described {
        Response::read(response).await.body
    } else {
        Vec::new()
    };
    // The response to a HEAD request has no body, although its content type is JSON.
    let body = if body.is_empty() {
        Value::Null
    } else {
        Shape::of(&serde_json::from_slice(&body).unwrap()).json()
    };
    json!({ "status": status, "headers": recorded, "body": body })
}

/// Returns a header's value without the parts that change in each run.
fn stable(name: &str, value: &str) -> String {
    match name {
        _ if VOLATILE.contains(&name) => "*".into(),
        "set-cookie" => {
            let (cookie, attributes) = value.split_once(';').unwrap();
            let attributes: Vec<&str> = attributes
                .split(';')
                .filter(|attribute| !attribute.starts_with(" Expires="))
                .collect();
            format!(
                "{}=*;{}",
                without_tokens(cookie.split_once('=').unwrap().0),
                attributes.join(";")
            )
        }
        _ => without_tokens(value),
    }
}

/// Replaces ids, tokens, hashes in asset names and the server's port with `*`.
fn without_tokens(text: &str) -> String {
    let mut out = String::new();
    for part in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        // A random token can consist of letters only, so do not require a digit.
        let token = word.len() >= 16;
        let hash = word.len() == 8
            && word
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
        let port = out.ends_with("127.0.0.1:");
        out.push_str(if token || hash || port { "*" } else { word });
        out.push_str(&part[word.len()..]);
    }
    out
}

/// Compares responses to the recorded ones, and panics with a list of all differences. If
/// `HEARBACK_RECORD` is set, records the responses first.
pub fn compare(name: &str, mut transcript: Transcript) {
    let usual = usual_headers(&transcript);
    transcript
        .values_mut()
        .for_each(|answer| leave_out(&usual, answer));
    transcript.insert("usual headers".into(), usual.into());
    let path = format!(
        "{}/tests/fixtures/transcript/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    if std::env::var_os("HEARBACK_RECORD").is_some() {
        let lines: Vec<String> = transcript
            .iter()
            .map(|(request, answer)| format!("{}: {answer}", json!(request)))
            .collect();
        std::fs::write(&path, format!("{{\n{}\n}}\n", lines.join(",\n"))).unwrap();
    }
    let recorded: Transcript = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let changed = differences("", &json!(recorded), &json!(transcript));
    assert!(
        changed.is_empty(),
        "{} differences:\n{}",
        changed.len(),
        changed.join("\n")
    );
}

/// Returns the header values that occur in more than half of the responses. The transcript file lists them only once,
/// so that diffs stay short.
fn usual_headers(transcript: &Transcript) -> Map<String, Value> {
    let mut counts: BTreeMap<(&String, &str), usize> = BTreeMap::new();
    for answer in transcript.values() {
        for (name, value) in answer["headers"].as_object().unwrap() {
            *counts.entry((name, value.as_str().unwrap())).or_default() += 1;
        }
    }
    let most = counts
        .into_iter()
        .filter(|(_, count)| *count * 2 > transcript.len());
    most.map(|((name, value), _)| (name.clone(), value.into()))
        .collect()
}

/// Removes the headers that have their usual value. Sets a usual header to `null` if the response does not have it.
fn leave_out(usual: &Map<String, Value>, answer: &mut Value) {
    let headers = answer["headers"].as_object_mut().unwrap();
    for (name, value) in usual {
        if headers.get(name) == Some(value) {
            headers.remove(name);
        } else {
            headers.entry(name.clone()).or_insert(Value::Null);
        }
    }
}
