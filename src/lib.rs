//! Hearback: record it once, hear back from everyone.
//!
//! Imports go one way: `main → app → web, worker → domain → infra`. The modules of the domain are
//! directly in `src`; `web`, `worker` and `infra` are folders. The rules are:
//!
//! - [`infra`] does not import the domain.
//! - The domain does not import actix, askama, [`config`] or [`web`].
//! - Handlers contain no SQL.
//! - Templates use only structs of [`web`].
//!
//! `tests/it/layers.rs` reads the imports of every file and fails if an import points the wrong
//! way.

pub mod app;
pub mod clock;
pub mod comments;
pub mod config;
pub mod demo;
pub mod doctor;
pub mod drafts;
pub mod error;
pub mod events;
pub mod ids;
pub mod inbox;
pub mod infra;
pub mod links;
pub mod markup;
pub mod media;
pub mod notification_emails;
pub mod notifications;
pub mod object_deletion;
pub mod people;
pub mod rate_limits;
pub mod receipts;
pub mod sample;
pub mod search;
pub mod share_message;
pub mod signing;
pub mod state;
pub mod text;
pub mod updates;
pub mod uploads;
pub mod web;
pub mod worker;
pub mod working_hours;
pub mod workspace;
