//! Measures how long Hearback takes to publish an update to 3,000 people, to record their answers, to load the
//! author's pages, and to load an inbox with a long history. The README states the results. All requests use HTTP.
//! `bin/bench` runs this benchmark on both database engines.
//!
//! `DATABASE_URL` names a PostgreSQL server, on which the benchmark creates and drops a database. Without
//! `DATABASE_URL`, the benchmark uses SQLite. Files are stored in a folder.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    unused_imports,
    unreachable_pub,
    missing_docs
)]

#[path = "../tests/it/app/mod.rs"]
mod app;
#[path = "../tests/it/counting.rs"]
mod counting;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use hearback::clock::secret;
use hearback::people::{self, Grant, NewAccount, Person, Role, Viewer};
use hearback::receipts::{self, Answer as Answered};
use hearback::updates::{self, Content, Expectation, ResolvedAudience};
use serde_json::{Value, json};
use sqlx::{Connection, Executor};

use app::{Client, Response, TestApp, email};

/// Number of recipients of the large update.
const CROWD: usize = 3_000;
/// How many times each publication is measured.
const PUBLICATIONS: usize = 5;
/// How many times each request is measured.
const ROUNDS: usize = 40;
/// Number of receipts in a long and in a short inbox history.
const LONG: usize = 10_000;
const SHORT: usize = 100;
/// Number of receipts in each history that still need an answer.
const OPEN: usize = 20;

const ZONES: [&str; 14] = [
    "Pacific/Auckland",
    "Australia/Sydney",
    "Asia/Tokyo",
    "Asia/Shanghai",
    "Asia/Kolkata",
    "Asia/Dubai",
    "Africa/Nairobi",
    "Europe/Warsaw",
    "Europe/London",
    "Atlantic/Azores",
    "America/Sao_Paulo",
    "America/New_York",
    "America/Denver",
    "America/Los_Angeles",
];
const HOURS: [Option<&str>; 4] = [
    None,
    Some(r#"{"days":[1,2,3,4,5],"from":"07:30","to":"15:30"}"#),
    Some(r#"{"days":[1,2,3,4],"from":"10:00","to":"19:00"}"#),
    Some(r#"{"days":[7,1,2,3,4],"from":"09:00","to":"18:00"}"#),
];

#[actix_web::main]
async fn main() {
    let made = database().await;
    let (engine, url) = made.as_ref().map_or(("SQLite", None), |(_, url)| {
        ("PostgreSQL", Some(url.clone()))
    });
    let app = TestApp::start_with(|config| {
        if let Some(url) = url {
            config.database_url = url;
        }
    })
    .await;
    println!("\n{engine}, median (least–most)\n");
    let crowd = Crowd::gather(&app).await;
    let (large, small) = publishing(&app, &crowd).await;
    answering(&crowd, &large, &small).await;
    looking(&crowd, &large, &small[0]).await;
    hearing(&app, &crowd).await;
    inboxes(&app).await;
    counted(&crowd).await;
    app.state.db.close().await;
    if let Some((name, _)) = made {
        execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
    }
}

/// Creates a database on the PostgreSQL server that `DATABASE_URL` names. Returns the name and the
/// URL of the database.
async fn database() -> Option<(String, String)> {
    let server = std::env::var("DATABASE_URL").ok()?;
    let name = format!("bench_{}", secret());
    sqlx::any::install_default_drivers();
    execute(&format!("CREATE DATABASE {name}")).await;
    let (address, _) = server.rsplit_once('/').unwrap();
    Some((name.clone(), format!("{address}/{name}")))
}

async fn execute(statement: &str) {
    let mut server = sqlx::AnyConnection::connect(&std::env::var("DATABASE_URL").unwrap())
        .await
        .unwrap();
    server
        .execute(sqlx::AssertSqlSafe(statement.to_owned()))
        .await
        .unwrap();
}

/// The author of the updates and 3,000 recipients. The recipients have different time zones and working hours, and
/// some of them are away.
struct Crowd {
    author: Client,
    browser: Client,
    people: Vec<Client>,
    reader: Client,
}

impl Crowd {
    async fn gather(app: &TestApp) -> Self {
        let (clock, nobody) = (&app.state.clock, app.client());
        let mut people = Vec::new();
        let mut tx = app.state.db.begin().await.unwrap();
        for n in 0..CROWD - 1 {
            let name = format!("Person {n}");
            let time_zone = ZONES[n % ZONES.len()].to_owned();
            let new = NewAccount {
                email: email(&name),
                name,
                role: Role::Member,
                password: None,
                time_zone,
            };
            let id = people::add(&mut tx, clock, &new).await.unwrap();
            sqlx::query("UPDATE people SET working_hours = $1, away_until = $2 WHERE id = $3")
                .bind(HOURS[n / ZONES.len() % HOURS.len()])
                .bind((n % 20 == 7).then(|| clock.now() + 5 * 24 * 3_600_000))
                .bind(&id)
                .execute(&mut *tx)
                .await
                .unwrap();
            let (_, token) = people::create_token(&mut tx, clock, &id, "bench")
                .await
                .unwrap();
            let mut person = nobody.clone().bearer(&token);
            person.id = id;
            people.push(person);
        }
        tx.commit().await.unwrap();
        let author = app.person("Author").await;
        // One of the recipients also requests pages in a browser.
        people.push(app.person("Reader").await);
        let crowd = Self {
            author,
            browser: app.browser("Author").await,
            people,
            reader: app.browser("Reader").await,
        };
        for (name, count) in [("crowd", CROWD), ("ten", 10)] {
            let members: Vec<String> = crowd.addresses(count);
            crowd
                .author
                .post("/groups", json!({ "name": name, "members": members }))
                .await
                .expect(201);
        }
        analyze(app).await;
        crowd
    }

    /// Returns the email addresses of the `count` people who were added last.
    fn addresses(&self, count: usize) -> Vec<String> {
        let named = (0..CROWD - 1).rev().map(|n| format!("Person {n}"));
        std::iter::once("Reader".to_owned())
            .chain(named)
            .take(count)
            .map(|name| email(&name))
            .collect()
    }

    /// Publishes an update. Returns its path, the response to the publication, the time until the draft was saved,
    /// and the time until the update was published.
    async fn publish(&self, fields: &Value) -> (String, Response, [Duration; 2]) {
        let began = Instant::now();
        let draft = self
            .author
            .post("/updates", fields.clone())
            .await
            .expect(201);
        let drafted = began.elapsed();
        let path = format!("/updates/{}", draft.json()["id"].as_str().unwrap());
        let began = Instant::now();
        let published = self
            .author
            .put(&format!("{path}/publication"))
            .await
            .expect(200);
        (path, published, [drafted, began.elapsed()])
    }

    /// Requests the inboxes of the `count` people who were added last, eight at a time. Returns how many different
    /// due times the inboxes show. Panics if the update is missing from an inbox.
    async fn all_have(&self, path: &str, section: &str, count: usize) -> usize {
        let id = path.rsplit('/').next().unwrap();
        let asked = stream::iter(self.people.iter().rev().take(count)).map(async |person| {
            let inbox = person.get("/inbox").await.expect(200).json();
            let entry = inbox[section]
                .as_array()
                .unwrap()
                .iter()
                .find(|entry| entry["update"]["id"] == id)
                .cloned();
            entry.expect("an inbox lacks what was published")["due"].to_string()
        });
        asked
            .buffer_unordered(8)
            .collect::<BTreeSet<String>>()
            .await
            .len()
    }
}

/// Updates the planner statistics of PostgreSQL now, so that autovacuum does not do it during the measurements.
async fn analyze(app: &TestApp) {
    if std::env::var_os("DATABASE_URL").is_some() {
        app.state
            .db
            .read()
            .await
            .unwrap()
            .execute("ANALYZE")
            .await
            .unwrap();
    }
}

/// The publications to measure. Each has a label, the fields of the update, the inbox section that shows the update,
/// and the number of recipients.
fn publications(crowd: &Crowd) -> [(&'static str, Value, &'static str, usize); 4] {
    let asks = |to: Value| json!({ "title": "T", "notes": "N", "expectation": "acknowledge", "due": { "working_days": 1 }, "audience": to });
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

/// Measures the time from publishing an update until all inboxes show it. Returns the path of an
/// update to all people, and the paths of four updates to ten people.
async fn publishing(app: &TestApp, crowd: &Crowd) -> (String, Vec<String>) {
    println!(
        "| publish to | draft | publish | and all inboxes were asked and had it | due times |\n| --- | --- | --- | --- | --- |"
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
        let asks = json!({ "title": "T", "notes": "N", "expectation": "acknowledge", "due": { "working_days": 1 }, "audience": ["@ten"] });
        small.push(crowd.publish(&asks).await.0);
    }
    app.wait_for_jobs().await;
    analyze(app).await;
    (large, small)
}

/// Measures how long it takes to answer an update with 3,000 recipients and an update with ten recipients.
async fn answering(crowd: &Crowd, large: &str, small: &[String]) {
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

/// Measures how long the pages of an update to 3,000 people take to load for its author and for a recipient.
async fn looking(crowd: &Crowd, large: &str, small: &str) {
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

/// Measures how long pages take to load for an author who has received readbacks from 3,000 people.
async fn hearing(app: &TestApp, crowd: &Crowd) {
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

/// A recipient who has one client for JSON and another for pages.
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

/// Publishes `count` updates, many per transaction, without indexing them for search.
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

/// Compares the inboxes of people with 10,000 receipts to the inboxes of people with 100 receipts. Requests for both
/// kinds of inbox alternate, so that other load affects both equally.
async fn inboxes(app: &TestApp) {
    let names = [
        "Old hand",
        "Newcomer",
        "Ten thousand to answer",
        "Hundred to answer",
        "Ten thousand to hear",
        "Hundred to hear",
        "Asks much",
        "Asks little",
    ];
    let mut readers = Vec::new();
    for name in names {
        readers.push(Reader::new(app, name).await);
    }
    let [
        old,
        new,
        owes,
        owes_little,
        hears,
        hears_little,
        author,
        other,
    ] = <[Reader; 8]>::try_from(readers).ok().unwrap();
    // Send the last hundred updates to the people with short histories as well, so that all inboxes show the same rows.
    let mut asked = send(
        app,
        &author,
        &[&old, &owes],
        Expectation::Acknowledge,
        LONG - SHORT,
    )
    .await;
    asked.extend(
        send(
            app,
            &author,
            &[&old, &owes, &new, &owes_little],
            Expectation::Acknowledge,
            SHORT,
        )
        .await,
    );
    answer(app, &old, &asked[..LONG - OPEN]).await;
    answer(app, &new, &asked[LONG - SHORT..LONG - OPEN]).await;
    send(app, &author, &[&hears], Expectation::Fyi, LONG - SHORT).await;
    let told = send(
        app,
        &author,
        &[&hears, &hears_little],
        Expectation::Fyi,
        SHORT,
    )
    .await;
    let sitter = Reader::new(app, "Sits on it").await;
    let others = send(app, &other, &[&sitter], Expectation::Acknowledge, SHORT).await;
    analyze(app).await;

    let (last, last_told) = (asked.last().unwrap(), told.last().unwrap());
    let mut asks = Vec::new();
    for (what, many, few, [of_many, of_few]) in [
        ("receipts, answered but for 20", &old, &new, [last, last]),
        ("to answer", &owes, &owes_little, [last, last]),
        ("to hear", &hears, &hears_little, [last_told, last_told]),
        (
            "waiting on others",
            &author,
            &other,
            [last, others.last().unwrap()],
        ),
    ] {
        for (who, update) in [(many, of_many), (few, of_few)] {
            asks.push((what, &who.browser, "/inbox".to_owned()));
            asks.push((what, &who.program, "/inbox".to_owned()));
            asks.push((what, &who.browser, format!("/updates/{update}")));
        }
    }
    println!(
        "\n| someone with 10,000, and with 100 | inbox | | times | as JSON | | times | page of an update | | times |\n|{}",
        " --- |".repeat(10)
    );
    for of in interleaved(&asks).await.chunks(6) {
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

/// Counts the SQL statements of a publication. Runs last, because counting slows down every statement.
async fn counted(crowd: &Crowd) {
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

struct Measured {
    what: &'static str,
    times: Vec<f64>,
    bytes: usize,
}

/// Requests each of these pages once per round, in `ROUNDS` rounds, and measures the times.
async fn interleaved(asks: &[(&'static str, &Client, String)]) -> Vec<Measured> {
    let mut measured: Vec<Measured> = asks
        .iter()
        .map(|(what, ..)| Measured {
            what,
            times: Vec::new(),
            bytes: 0,
        })
        .collect();
    for round in 0..=ROUNDS {
        for ((_, client, path), measured) in asks.iter().zip(&mut measured) {
            let (answer, time) = timed(client.get(path)).await;
            measured.bytes = answer.body.len();
            // Do not measure the first round, which warms up caches.
            if round > 0 {
                measured.times.push(ms(time));
            }
        }
    }
    measured
}

async fn timed(request: impl Future<Output = Response>) -> (Response, Duration) {
    let began = Instant::now();
    let answer = request.await.expect(200);
    (answer, began.elapsed())
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn median(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn spread(times: &[f64]) -> String {
    let (least, most) = times
        .iter()
        .fold((f64::MAX, f64::MIN), |(least, most), time| {
            (least.min(*time), most.max(*time))
        });
    let median = median(times);
    let digits = usize::from(median < 100.0);
    format!("{median:.digits$} ms ({least:.digits$}–{most:.digits$})")
}
