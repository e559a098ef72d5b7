//! Measures how long lists and searches take in workspaces of several sizes, over HTTP. The README states the results.
//!
//!     cargo bench --bench lists -- --sizes 1e3,1e6 [--json]
//!
//! `DATABASE_URL` names a PostgreSQL server, on which the benchmark creates and drops databases. Without `DATABASE_URL`,
//! the benchmark uses SQLite. With `--json`, the last line is an object with the ratio of the largest to the smallest
//! workspace for each list.
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
#[path = "../loop/database.rs"]
mod database;
#[path = "../../tests/it/growth/measure.rs"]
mod measure;
#[path = "../../tests/it/growth/seed.rs"]
mod seed;

use std::time::Instant;

use database::{drop_database, engine, start_app};
use measure::{Measured, interleaved};
use seed::Workspace;

/// How many times each request is measured.
const ROUNDS: usize = 41;

/// Number of rows of a page; the default of the server.
const ROWS: usize = 30;

/// Number of updates in each workspace, unless the command line says otherwise.
const SIZES: &str = "1e3,1e5";

#[actix_web::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let after = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    let sizes = after("--sizes").unwrap_or_else(|| SIZES.to_owned());
    let sizes: Vec<u64> = sizes.split(',').map(size).collect();
    let mut workspaces = Vec::new();
    for size in &sizes {
        let app = start_app().await;
        let began = Instant::now();
        workspaces.push(Workspace::create(app, *size).await);
        println!(
            "created {size} updates in {:.0} s",
            began.elapsed().as_secs_f64()
        );
    }
    let measured = interleaved(&workspaces, ROWS, ROUNDS).await;
    print_table(&sizes, engine(&workspaces[0].app), &measured);
    if arguments.iter().any(|argument| argument == "--json") {
        let ratios: serde_json::Map<String, serde_json::Value> = measured
            .iter()
            .map(|list| {
                (
                    list.what.to_owned(),
                    ((ratio(list) * 100.0).round() / 100.0).into(),
                )
            })
            .collect();
        println!("{}", serde_json::Value::Object(ratios));
    }
    for workspace in workspaces {
        drop_database(&workspace.app).await;
    }
}

/// Returns the median time in a workspace.
fn median(list: &Measured, workspace: usize) -> f64 {
    let times = &list.times[workspace];
    times[times.len() / 2]
}

/// Returns the ratio of the medians in the last and in the first workspace.
fn ratio(list: &Measured) -> f64 {
    median(list, list.times.len() - 1) / median(list, 0)
}

/// Parses a size such as `1e6` or `1000000`.
fn size(text: &str) -> u64 {
    let size: f64 = text
        .parse()
        .expect("a size should be a number, such as 1e6");
    assert!(
        (1e3..=1e7).contains(&size),
        "a size should be from 1e3 to 1e7"
    );
    size as u64
}

fn print_table(sizes: &[u64], engine: &str, measured: &[Measured]) {
    let columns: Vec<String> = sizes
        .iter()
        .map(|size| format!("{size} updates, ms"))
        .collect();
    println!(
        "\n| {engine}: median (minimum–maximum) | {} | ratio |",
        columns.join(" | ")
    );
    println!("| --- |{}", " --- |".repeat(sizes.len() + 1));
    for list in measured {
        let times: Vec<String> = (0..sizes.len())
            .map(|at| {
                let (min, max) = (list.times[at][0], list.times[at][list.times[at].len() - 1]);
                format!("{:.1} ({min:.1}–{max:.1})", median(list, at))
            })
            .collect();
        println!(
            "| {} | {} | {:.2} |",
            list.what,
            times.join(" | "),
            ratio(list)
        );
    }
}
