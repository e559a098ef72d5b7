//! Integration tests, one file per subject. Most tests send HTTP requests to a running server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    missing_docs
)]

mod access;
mod app;
mod audience;
mod cable;
mod command;
mod comments;
mod compression;
mod counting;
mod database;
mod demo;
mod direction;
mod discussion;
mod drafts;
mod due;
mod earlier_version;
mod faults;
mod file_types;
mod frames;
mod full_disk;
mod gate;
mod groups;
mod growth;
mod http;
mod inbox;
mod inspection;
mod interrupted;
mod invitations;
mod jobs;
mod journey;
mod killed;
mod lanes;
mod layers;
mod library;
mod linked_text;
mod links;
mod live;
mod mail;
mod markup;
mod media;
mod mentions;
mod metadata;
mod openapi;
mod outages;
mod overdue;
mod people;
mod people_search;
mod permissions;
mod plans;
mod previews;
mod queries;
mod questions;
mod raw;
mod readbacks;
mod receipts;
mod recordings;
mod redaction;
mod requests;
mod revisions;
mod sample;
mod search;
mod sessions;
mod setup;
mod shape;
mod sink;
mod standing;
mod strings;
mod timeline;
mod transcript;
mod trash;
mod trim;
mod tus;
mod unknown_values;
mod upgrades;
mod uploads;
mod verdicts;
mod waiting;
mod working_time;
mod workspace;
