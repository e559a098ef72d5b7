//! Hearback: record it once, hear back from everyone.
//!
//! The tree is the domain. Imports go one way: `main → app → web → domain → outside world`.
//!
//! The domain, each file importing only what stands above it: [`words`], [`asking`], [`people`], [`workspace`], [`events`], [`notify`], [`search`],
//! [`updates`], [`media`], [`uploads`], [`markup`], [`drafts`], [`receipts`], [`mailing`], [`comments`], [`links`], [`inbox`], [`sample`].
//! It stands on [`db`], [`jobs`], [`storage`], [`pictures`], [`video`], [`mail`], [`markdown`], [`clock`], [`working`] and [`error`], which know nothing of it,
//! and never imports actix, askama, [`config`] or [`web`]. Handlers hold no SQL; templates see only structs from [`web`].
//! `tests/it/direction.rs` reads the imports and keeps this true.

pub mod app;
pub mod asking;
pub mod clock;
pub mod comments;
pub mod config;
pub mod db;
pub mod demo;
pub mod doctor;
pub mod drafts;
pub mod error;
pub mod events;
pub mod inbox;
pub mod jobs;
pub mod links;
pub mod mail;
pub mod mailing;
pub mod markdown;
pub mod markup;
pub mod media;
pub mod notify;
pub mod people;
pub mod pictures;
pub mod receipts;
pub mod sample;
pub mod search;
pub mod storage;
pub mod updates;
pub mod uploads;
pub mod video;
pub mod web;
pub mod words;
pub mod working;
pub mod workspace;
