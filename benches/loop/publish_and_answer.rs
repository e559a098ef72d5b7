//! Measures how long it takes to publish an update to 3,000 people, and how long it takes to answer
//! one. Counts the SQL statements that are executed to publish an update.

use std::time::Instant;

use serde_json::{Value, json};

use crate::app::TestApp;
use crate::counting;
use crate::crowd::Crowd;
use crate::database::analyze;
use crate::measure::{ms, spread, timed};
use crate::{CROWD, PUBLICATIONS, ROUNDS};

/// Returns the updates to publish. Each has a label, its fields, the inbox section that shows it,
/// and the number of recipients.
fn publications(crowd: &Crowd) -> [(&'static str, Value, &'static str, usize); 4] {
    let asks = |to: Value| {
        json!({
            "title": "T", "notes": "N", "expectation": "acknowledge",
            "due": { "working_days": 1 }, "audience": to,
        })
    };
    [
        (
            "everyone, 3,000 people, to answer",
            asks(json!(["everyone"])),
            "owed_by_me",
            CROWD,
        ),
        (
            "a group of 3,000, to answer",
            asks(json!(["@crowd"])),
            "owed_by_me",
            CROWD,
        ),
        (
            "everyone, 3,000 people, nothing back",
            json!({ "title": "T", "notes": "N", "audience": ["everyone"] }),
            "said_to_me",
            CROWD,
        ),
        (
            "1,000 addresses, to answer",
            asks(json!(crowd.addresses(1_000))),
            "owed_by_me",
            1_000,
        ),
    ]
}

/// Measures how long it takes to save a draft, to publish it, and to show it in all inboxes.
/// Returns the path of an update to all people, and the paths of four updates to ten people.
pub(crate) async fn publishing(app: &TestApp, crowd: &Crowd) -> (String, Vec<String>) {
    println!(
        "| publish to | draft | publish | and all inboxes were asked and had it | due times |\n\
         | --- | --- | --- | --- | --- |"
    );
    let mut large = String::new();
    let kinds = publications(crowd);
    let mut times = vec![[const { Vec::new() }; 3]; kinds.len()];
    let mut dues = vec![0; kinds.len()];
    for _ in 0..PUBLICATIONS {
        for (n, (_, fields, section, count)) in kinds.iter().enumerate() {
            let (path, _, [drafted, published]) = crowd.publish(fields).await;
            let began = Instant::now();
            dues[n] = crowd.all_have(&path, section, *count).await;
            for (times, time) in
                times[n]
                    .iter_mut()
                    .zip([drafted, published, published + began.elapsed()])
            {
                times.push(ms(time));
            }
            if n == 0 {
                large = path;
            }
        }
    }
    for ((what, ..), (times, dues)) in kinds.iter().zip(times.iter().zip(dues)) {
        println!(
            "| {what} | {} | {} | {} | {dues} |",
            spread(&times[0]),
            spread(&times[1]),
            spread(&times[2])
        );
    }
    let mut small = Vec::new();
    for _ in 0..ROUNDS / 10 {
        let asks = json!({
            "title": "T", "notes": "N", "expectation": "acknowledge",
            "due": { "working_days": 1 }, "audience": ["@ten"],
        });
        small.push(crowd.publish(&asks).await.0);
    }
    app.wait_for_jobs().await;
    analyze(app).await;
    (large, small)
}

/// Measures how long it takes to answer an update with 3,000 recipients and an update with ten recipients.
pub(crate) async fn answering(crowd: &Crowd, large: &str, small: &[String]) {
    let [mut of_large, mut of_small] = [const { Vec::new() }; 2];
    for n in 0..ROUNDS {
        let person = &crowd.people[CROWD - 1 - n % 10];
        let path = format!("{}/acknowledgement", small[n / 10]);
        of_small.push(ms(timed(person.put(&path)).await.1));
        let person = &crowd.people[CROWD - 1 - n];
        of_large.push(ms(timed(person.put(&format!("{large}/acknowledgement")))
            .await
            .1));
    }
    println!("\n| an answer to an update | time |\n| --- | --- |");
    println!(
        "| of 3,000 recipients | {} |\n| of 10 recipients | {} |",
        spread(&of_large),
        spread(&of_small)
    );
}

/// Counts the SQL statements that are executed to publish an update. Runs last, because counting slows down every
/// statement.
pub(crate) async fn counted(crowd: &Crowd) {
    counting::start();
    println!(
        "\n| statements to | draft and publish | for each recipient | publish alone |\n| --- | --- | --- | --- |"
    );
    for (what, mut fields, _, count) in publications(crowd) {
        let (_, alone, _) = crowd.publish(&fields).await;
        fields["publish"] = true.into();
        let whole =
            counting::statement_count(&crowd.author.post("/updates", fields).await.expect(201));
        println!(
            "| {what} | {whole} | {:.3} | {} |",
            whole as f64 / count as f64,
            counting::statement_count(&alone)
        );
    }
}
