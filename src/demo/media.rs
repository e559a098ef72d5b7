//! The recordings and pictures of the demo, made by `bin/make-media`. The binary contains them. A
//! server that is not a demo never reads these parts of the binary, so they cost it no memory.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::clock::Millis;
use crate::error::{Error, Result};

macro_rules! embed {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../sample/demo/", $name)).as_slice())),*]
    };
}

const FILES: &[(&str, &[u8])] = embed![
    "checkout.mp4",
    "errors.png",
    "first-day.mp4",
    "outage.mp4",
    "payments.mp4",
    "phone-price.png",
    "prices.mp4",
    "receipt.png",
    "report-a.png",
    "report-b.png",
    "shop.mp4",
    "stock.mp4",
    "till.png",
];

/// What is said in each recording, and when.
const NARRATION: &str = include_str!("../../sample/demo/narration.json");

#[derive(Deserialize)]
struct Narration {
    lines: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    at_ms: Millis,
    text: String,
}

/// Returns the content of a file.
pub(super) fn content(file_name: &str) -> Result<&'static [u8]> {
    let found = FILES.iter().find(|(name, _)| *name == file_name);
    found
        .map(|(_, bytes)| *bytes)
        .ok_or_else(|| Error::internal(format!("the demo has no file called {file_name}")))
}

/// Returns the position in a recording at which the line that contains `words` begins.
pub(super) fn moment(recording: &str, words: &str) -> Result<Millis> {
    let all: BTreeMap<String, Narration> =
        serde_json::from_str(NARRATION).map_err(Error::internal)?;
    let line = all.get(recording).and_then(|narration| {
        narration
            .lines
            .iter()
            .find(|line| line.text.contains(words))
    });
    line.map(|line| line.at_ms)
        .ok_or_else(|| Error::internal(format!("nobody says {words:?} in {recording}")))
}
