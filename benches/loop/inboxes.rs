//! Compares the load times of inboxes with a long history and inboxes with a short one.

use hearback::people::Viewer;
use hearback::receipts::{self, Answer as Answered};
use hearback::updates::{self, Content, Expectation, ResolvedAudience};

use crate::app::{Client, TestApp};
use crate::database::analyze;
use crate::measure::{Measured, interleaved, median, spread};
use crate::viewer;

/// The number of receipts in a long history. `SHORT` is the number in a short history.
const LONG: usize = 10_000;
const SHORT: usize = 100;
/// Number of unanswered receipts in a history whose other receipts are answered.
const OPEN: usize = 20;

/// A person with one client for JSON and another for pages.
struct Reader {
    name: &'static str,
    program: Client,
    browser: Client,
}

impl Reader {
    async fn new(app: &TestApp, name: &'static str) -> Self {
        Self {
            name,
            program: app.person(name).await,
            browser: app.browser(name).await,
        }
    }

    fn viewer(&self) -> Viewer {
        viewer(&self.program.id, self.name)
    }
}

/// Publishes `count` updates, many per transaction, and returns their ids. Deletes the jobs that
/// publishing adds, so that the updates are not indexed for search.
async fn send(
    app: &TestApp,
    author: &Reader,
    to: &[&Reader],
    expectation: Expectation,
    count: usize,
) -> Vec<String> {
    let viewer = author.viewer();
    let addressed = ResolvedAudience {
        people: to.iter().map(|reader| reader.program.id.clone()).collect(),
        ..ResolvedAudience::default()
    };
    let mut sent = Vec::new();
    while sent.len() < count {
        let mut tx = app.state.db.begin().await.unwrap();
        for _ in 0..500.min(count - sent.len()) {
            let title = Some(format!("Figures of week {}", sent.len()));
            let content = Content {
                title,
                expectation: Some(expectation),
                audience: Some(addressed.clone()),
                ..Content::default()
            };
            let draft = updates::create(
                &mut tx,
                &app.state.clock,
                viewer.person().unwrap(),
                &content,
            )
            .await
            .unwrap();
            updates::publish(&mut tx, &app.state.clock, &viewer, &draft.id)
                .await
                .unwrap();
            sent.push(draft.id);
        }
        sqlx::query("DELETE FROM jobs")
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }
    sent
}

async fn answer(app: &TestApp, by: &Reader, updates: &[String]) {
    for some in updates.chunks(500) {
        let mut tx = app.state.db.begin().await.unwrap();
        for id in some {
            let viewer = by.viewer();
            let update = updates::find_locked(&mut tx, &viewer, id).await.unwrap();
            receipts::answer(
                &mut tx,
                &app.state.clock,
                &viewer,
                &update,
                &Answered::Acknowledged,
                None,
                None,
            )
            .await
            .unwrap();
        }
        tx.commit().await.unwrap();
    }
}

/// A person with a long history, a person with a short history, and the update that each of them opens.
struct Comparison {
    what: &'static str,
    many: Reader,
    few: Reader,
    updates: [String; 2],
}

/// Compares people with 10,000 receipts to people with 100 receipts: how long their inboxes and the
/// page of an update take to load. Requests for both alternate, so that other load affects both
/// equally.
pub(crate) async fn inboxes(app: &TestApp) {
    let comparisons = create_histories(app).await;
    analyze(app).await;
    let mut asks = Vec::new();
    for comparison in &comparisons {
        let what = comparison.what;
        for (who, update) in [&comparison.many, &comparison.few]
            .into_iter()
            .zip(&comparison.updates)
        {
            asks.push((what, &who.browser, "/inbox".to_owned()));
            asks.push((what, &who.program, "/inbox".to_owned()));
            asks.push((what, &who.browser, format!("/updates/{update}")));
        }
    }
    print_table(&interleaved(&asks).await);
}

async fn create_histories(app: &TestApp) -> Vec<Comparison> {
    let old = Reader::new(app, "Old hand").await;
    let new = Reader::new(app, "Newcomer").await;
    let owes = Reader::new(app, "Ten thousand to answer").await;
    let owes_little = Reader::new(app, "Hundred to answer").await;
    let hears = Reader::new(app, "Ten thousand to hear").await;
    let hears_little = Reader::new(app, "Hundred to hear").await;
    let author = Reader::new(app, "Asks much").await;
    let other = Reader::new(app, "Asks little").await;
    // Send the last hundred updates to the people with short histories as well, so that the
    // compared inboxes show the same rows.
    let (few, many) = ([&old, &owes], [&old, &owes, &new, &owes_little]);
    let mut asked = send(app, &author, &few, Expectation::Acknowledge, LONG - SHORT).await;
    asked.extend(send(app, &author, &many, Expectation::Acknowledge, SHORT).await);
    answer(app, &old, &asked[..LONG - OPEN]).await;
    answer(app, &new, &asked[LONG - SHORT..LONG - OPEN]).await;
    send(app, &author, &[&hears], Expectation::Fyi, LONG - SHORT).await;
    let both = [&hears, &hears_little];
    let told = send(app, &author, &both, Expectation::Fyi, SHORT).await;
    let sitter = Reader::new(app, "Sits on it").await;
    let others = send(app, &other, &[&sitter], Expectation::Acknowledge, SHORT).await;

    let [last, last_told, last_of_other] =
        [asked, told, others].map(|updates| updates.last().unwrap().clone());
    let compare = |what, many, few, updates| Comparison {
        what,
        many,
        few,
        updates,
    };
    vec![
        compare(
            "receipts, answered but for 20",
            old,
            new,
            [last.clone(), last.clone()],
        ),
        compare("to answer", owes, owes_little, [last.clone(), last.clone()]),
        compare(
            "to hear",
            hears,
            hears_little,
            [last_told.clone(), last_told],
        ),
        compare("waiting on others", author, other, [last, last_of_other]),
    ]
}

fn print_table(measured: &[Measured]) {
    println!(
        "\n| someone with 10,000, and with 100 | inbox | | times | as JSON | | times \
         | page of an update | | times |\n|{}",
        " --- |".repeat(10)
    );
    for of in measured.chunks(6) {
        let mut cells = of[0].what.to_owned();
        for n in 0..3 {
            let (many, few) = (&of[n].times, &of[n + 3].times);
            cells += &format!(
                " | {} | {} | {:.2}",
                spread(many),
                spread(few),
                median(many) / median(few)
            );
        }
        println!("| {cells} |");
    }
}
