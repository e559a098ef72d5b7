//! Measures how long lists and searches take in workspaces of several sizes.

use std::time::Instant;

use serde_json::Value;

use super::seed::Workspace;
use crate::app::Client;

/// The time that a request took in each workspace.
pub(crate) struct Measured {
    pub(crate) what: &'static str,
    /// For each workspace, the times of all rounds in milliseconds, sorted.
    pub(crate) times: Vec<Vec<f64>>,
}

impl Measured {
    /// Returns how many times longer the request took in the last workspace than in the first. Compares the
    /// fastest rounds, which other load on the machine hardly affects.
    pub(crate) fn least_ratio(&self) -> f64 {
        self.times[self.times.len() - 1][0] / self.times[0][0]
    }

    /// Adds the times of more rounds.
    pub(crate) fn add(&mut self, more: Self) {
        for (times, more) in self.times.iter_mut().zip(more.times) {
            times.extend(more);
            times.sort_by(f64::total_cmp);
        }
    }

    /// Returns the shortest times and their ratio as one line.
    pub(crate) fn summary(&self) -> String {
        let least: Vec<String> = self
            .times
            .iter()
            .map(|times| format!("{:.1} ms", times[0]))
            .collect();
        format!(
            "{}: {} ({:.2} ×)",
            self.what,
            least.join(", "),
            self.least_ratio()
        )
    }
}

/// Requests every list of each workspace in turn: one round to warm up the caches, and then `rounds` measured rounds. Each
/// page of a list has at most `rows` rows.
pub(crate) async fn interleaved(
    workspaces: &[Workspace],
    rows: usize,
    rounds: usize,
) -> Vec<Measured> {
    let mut requests = Vec::new();
    for workspace in workspaces {
        requests.push(lists(workspace, rows).await);
    }
    let mut measured: Vec<Measured> = requests[0]
        .iter()
        .map(|(what, ..)| Measured {
            what,
            times: vec![Vec::new(); workspaces.len()],
        })
        .collect();
    for round in 0..=rounds {
        for (at, list) in measured.iter_mut().enumerate() {
            for (lists, times) in requests.iter().zip(&mut list.times) {
                let (_, client, path) = &lists[at];
                let began = Instant::now();
                client.get(path).await.expect(200);
                if round > 0 {
                    times.push(began.elapsed().as_secs_f64() * 1e3);
                }
            }
        }
    }
    for times in measured.iter_mut().flat_map(|list| &mut list.times) {
        times.sort_by(f64::total_cmp);
    }
    measured
}

/// Returns the name, the client and the path of each request. Each page of a list has at most `rows` rows.
pub(crate) async fn lists(
    workspace: &Workspace,
    rows: usize,
) -> Vec<(&'static str, &Client, String)> {
    let (member, newcomer) = (&workspace.member, &workspace.newcomer);
    let page = member.get("/updates?limit=5").await.expect(200).json();
    let update = page["items"][0]["id"].as_str().unwrap().to_owned();
    let deep = cursor_in_the_middle(&page);
    let author = &workspace.author;
    let library = |client, filter: &str| (client, format!("/updates?limit={rows}{filter}"));
    let search = |client, words: &str| (client, format!("/search?limit={rows}&q={words}"));
    let requests = [
        ("library", library(member, "")),
        (
            "library, deep page",
            library(member, &format!("&after={deep}")),
        ),
        ("library, mine", library(member, "&author=me")),
        (
            "library, one author",
            library(member, &format!("&author={author}")),
        ),
        ("library, sent to me", library(member, "&audience=me")),
        ("library, with a picture", library(member, "&kind=image")),
        ("library, rare word", library(member, "&q=quokka")),
        ("library, common word", library(member, "&q=budget")),
        ("library, one letter", library(member, "&q=b")),
        ("search, common word", search(member, "budget")),
        ("search, two letters", search(member, "bu")),
        ("search, three letters", search(member, "bud")),
        ("inbox", (member, "/inbox".into())),
        (
            "overview of mine",
            (member, format!("/receipts?limit={rows}")),
        ),
        ("trash", library(member, "&state=trashed")),
        ("drafts", library(member, "&state=draft")),
        ("one update", (member, format!("/updates/{update}"))),
        ("newcomer's library", library(newcomer, "")),
        ("newcomer's search", search(newcomer, "budget")),
    ];
    requests
        .into_iter()
        .map(|(what, (client, path))| (what, client, path))
        .collect()
}

/// Returns a cursor in the middle of the period that the updates cover.
fn cursor_in_the_middle(page: &Value) -> String {
    assert!(
        page["items"]
            .as_array()
            .is_some_and(|items| items.len() == 5)
    );
    hearback::updates::Cursor {
        listed_at: 1_745_000_000_000,
        id: "z".to_owned(),
    }
    .encode()
}
