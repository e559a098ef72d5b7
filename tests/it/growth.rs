//! Lists and searches must not become slower as a workspace grows.

pub(crate) mod measure;
mod postgres_plans;
pub(crate) mod seed;

use crate::app::{TestApp, postgres};
use crate::counting;
use measure::{Measured, interleaved};
use seed::Workspace;

/// How much slower a list may be in the large workspace than in the small one. Reading every update would make it 100
/// times slower.
const MAX_RATIO: f64 = 3.0;

/// Number of rows of a page. More would not fit into the small workspace, in which the member sees ten updates, so that
/// the pages of the large one would take longer for another reason than its size.
const ROWS: usize = 3;

#[actix_web::test]
async fn lists_and_searches_take_as_long_with_100_000_updates_as_with_1_000() {
    counting::start();
    let small = Workspace::create(TestApp::start().await, 1_000).await;
    let large = Workspace::create(TestApp::start().await, 100_000).await;
    let workspaces = [small, large];
    // Other tests run at the same time and make some rounds slower, so try again with more rounds. A list that reads
    // too much fails anyway.
    let mut measured = interleaved(&workspaces, ROWS, 10).await;
    for _ in 0..5 {
        if measured.iter().all(|list| list.least_ratio() <= MAX_RATIO) {
            break;
        }
        for (list, more) in measured
            .iter_mut()
            .zip(interleaved(&workspaces, ROWS, 20).await)
        {
            list.add(more);
        }
    }
    let summaries = |lists: &[&Measured]| {
        lists
            .iter()
            .map(|list| list.summary())
            .collect::<Vec<_>>()
            .join("\n")
    };
    println!("{}", summaries(&measured.iter().collect::<Vec<_>>()));
    let slower: Vec<&Measured> = measured
        .iter()
        .filter(|list| list.least_ratio() > MAX_RATIO)
        .collect();
    assert!(slower.is_empty(), "grew too much:\n{}", summaries(&slower));
    if postgres() {
        postgres_plans::check(&workspaces[1]).await;
    }
    for workspace in workspaces {
        workspace.close().await;
    }
}
