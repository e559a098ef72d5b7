//! Measures how long the pages of an update take to load.

use hearback::receipts::{self, Answer as Answered};
use hearback::updates;
use serde_json::json;

use crate::CROWD;
use crate::app::TestApp;
use crate::crowd::Crowd;
use crate::measure::{interleaved, spread};
use crate::viewer;

/// Measures how long the pages of an update take to load, for its author and for a recipient. Compares an update to
/// 3,000 people with an update to ten people.
pub(crate) async fn looking(crowd: &Crowd, large: &str, small: &str) {
    let mut asks = Vec::new();
    for (what, client, path) in [
        ("its page, for its author", &crowd.browser, ""),
        ("its page, for a recipient", &crowd.reader, ""),
        ("its JSON, for its author", &crowd.author, ""),
        ("its receipts, for its author", &crowd.browser, "/receipts"),
        ("its receipts as JSON", &crowd.author, "/receipts"),
        ("its receipts as CSV", &crowd.author, "/receipts?format=csv"),
    ] {
        asks.push((what, client, format!("{large}{path}")));
        asks.push((what, client, format!("{small}{path}")));
    }
    println!(
        "\n| an update | of 3,000 recipients | bytes | of 10 recipients | bytes |\n| --- | --- | --- | --- | --- |"
    );
    for pair in interleaved(&asks).await.chunks(2) {
        println!(
            "| {} | {} | {} | {} | {} |",
            pair[0].what,
            spread(&pair[0].times),
            pair[0].bytes,
            spread(&pair[1].times),
            pair[1].bytes
        );
    }
}

/// Measures how long the receipts page and the page of an update take to load for its author once
/// all recipients have sent readbacks. Compares an update to 3,000 people with an update to ten
/// people.
pub(crate) async fn hearing(app: &TestApp, crowd: &Crowd) {
    let mut asks = Vec::new();
    for (group, people) in [
        ("@crowd", &crowd.people[..]),
        ("@ten", &crowd.people[CROWD - 10..]),
    ] {
        let fields =
            json!({ "title": "T", "notes": "N", "expectation": "readback", "audience": [group] });
        let (path, ..) = crowd.publish(&fields).await;
        for some in people.chunks(500) {
            let mut tx = app.state.db.begin().await.unwrap();
            for person in some {
                let said = Answered::ReadBack(
                    "We ship on Tuesday; I tell the others and check the list before.".into(),
                );
                let id = path.rsplit('/').next().unwrap();
                let viewer = viewer(&person.id, "Person");
                let update = updates::find_locked(&mut tx, &viewer, id).await.unwrap();
                receipts::answer(
                    &mut tx,
                    &app.state.clock,
                    &viewer,
                    &update,
                    &said,
                    None,
                    None,
                )
                .await
                .unwrap();
            }
            tx.commit().await.unwrap();
        }
        asks.push((
            "its receipts, all said back, for its author",
            &crowd.browser,
            format!("{path}/receipts"),
        ));
        asks.push(("its page", &crowd.browser, path));
    }
    let measured = interleaved(&asks).await;
    for n in 0..2 {
        let [large, small] = [&measured[n], &measured[n + 2]];
        println!(
            "| {} | {} | {} | {} | {} |",
            large.what,
            spread(&large.times),
            large.bytes,
            spread(&small.times),
            small.bytes
        );
    }
}
