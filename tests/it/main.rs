//! Black-box tests over HTTP: the names are sentences, the files are the nouns.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub, missing_docs)]

mod app;
mod audience;
mod command;
mod comments;
mod database;
mod direction;
mod drafts;
mod due;
mod failures;
mod groups;
mod inbox;
mod jobs;
mod journey;
mod library;
mod links;
mod live;
mod mail;
mod media;
mod mentions;
mod openapi;
mod people;
mod permissions;
mod queries;
mod questions;
mod readbacks;
mod receipts;
mod revisions;
mod sessions;
mod setup;
mod sink;
mod uploads;
mod waiting;
mod working_time;
mod workspace;
