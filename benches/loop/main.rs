//! Measures how long Hearback takes to publish an update to 3,000 people, to record an answer, to
//! load the pages of an update, and to load an inbox with a long history. The README states the
//! results. The measured requests are sent over HTTP. `bin/bench` runs this benchmark on both
//! database engines.
//!
//! `DATABASE_URL` names a PostgreSQL server, on which the benchmark creates and drops a database.
//! Without `DATABASE_URL`, the benchmark uses SQLite. Files are stored in a folder.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    unused_imports,
    unreachable_pub,
    missing_docs
)]

#[path = "../../tests/it/app/mod.rs"]
mod app;
#[path = "../../tests/it/counting.rs"]
mod counting;

mod crowd;
mod database;
mod inboxes;
mod measure;
mod publish_and_answer;
mod update_pages;

use hearback::people::{Grant, Person, Role, Viewer};

use app::email;
use crowd::Crowd;
use database::{drop_database, engine, start_app};
use inboxes::inboxes;
use publish_and_answer::{answering, counted, publishing};
use update_pages::{hearing, looking};

/// Number of recipients of the large update.
const CROWD: usize = 3_000;
/// How many times each publication is measured.
const PUBLICATIONS: usize = 5;
/// How many times each request is measured.
const ROUNDS: usize = 40;

#[actix_web::main]
async fn main() {
    let app = start_app().await;
    println!("\n{}, median (minimum–maximum)\n", engine(&app));
    let crowd = Crowd::gather(&app).await;
    let (large, small) = publishing(&app, &crowd).await;
    answering(&crowd, &large, &small).await;
    looking(&crowd, &large, &small[0]).await;
    hearing(&app, &crowd).await;
    inboxes(&app).await;
    counted(&crowd).await;
    drop_database(&app).await;
}

fn viewer(id: &str, name: &str) -> Viewer {
    let (name, email, grant) = (name.to_owned(), email(name), Grant::Token("bench".into()));
    Viewer::Person(Person {
        id: id.to_owned(),
        name,
        email,
        role: Role::Member,
        time_zone: "Europe/Berlin".into(),
        grant,
    })
}
