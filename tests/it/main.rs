//! Black-box tests over HTTP: the names are sentences, the files are the nouns.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub, missing_docs)]

mod app;
mod direction;
mod journey;
mod media;
mod uploads;
