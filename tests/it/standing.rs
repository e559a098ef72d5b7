//! Where recipients stand: who has heard an update, who objects, and whether the counts agree with the receipts.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::app::{Client, TestApp, array, email, texts, update_path};
use crate::readbacks::{publish_for_two, read_back, receipt};
use crate::verdicts::put_verdict;

/// Publishes an update with this expectation for these people. Returns its path.
async fn publish(author: &Client, expectation: &str, names: &[&str]) -> String {
    let audience: Vec<String> = names.iter().map(|name| email(name)).collect();
    author
        .update(json!({ "title": "Move", "audience": audience, "expectation": expectation }))
        .await
}

async fn counts(client: &Client, path: &str) -> Value {
    client.get(path).await.expect(200).json()["counts"].clone()
}

async fn page(app: &TestApp, name: &str, path: &str) -> String {
    let browser = app.browser(name).await;
    browser.get(path).await.expect(200).text()
}

/// Submits the "Got it" form: the form of the update page if `opened` is true, and the form of the inbox otherwise.
async fn press_got_it(app: &TestApp, name: &str, path: &str, opened: bool) {
    let mut fields = vec![("_method", "PUT")];
    if opened {
        fields.extend([("revision", "1"), ("opened", "true")]);
    }
    let browser = app.browser(name).await;
    let answer = format!("{path}/acknowledgement");
    browser.form("POST", &answer, &fields).await.expect(303);
}

#[actix_web::test]
async fn answer_without_an_opening_does_not_count_as_heard() {
    let app = TestApp::start().await;
    let [ada, bob, cyd] = app.people(["Ada", "Bob", "Cyd"]).await;
    let path = publish(&ada, "acknowledge", &["Bob", "Cyd"]).await;
    press_got_it(&app, "Bob", &path, false).await;
    let seen = counts(&ada, &path).await;
    assert_eq!(
        [
            &seen["heard"],
            &seen["acknowledged"],
            &seen["answered_unopened"],
            &seen["owing"]
        ],
        [0, 1, 1, 1]
    );
    let row = receipt(&ada, &path, &bob.id).await;
    assert_eq!(
        (&row["state"], &row["standing"]),
        (&json!("acknowledged"), &json!("answered_unopened"))
    );
    let receipts = page(&app, "Ada", &format!("{path}/receipts")).await;
    for shown in [
        "0 of 2 heard. 1 answered without opening it. 1 has not opened it.",
        "Got it without opening",
        "id=\"answered-unopened\"",
    ] {
        assert!(receipts.contains(shown), "{shown}: {receipts}");
    }
    assert!(!receipts.contains("id=\"heard\""), "{receipts}");
    assert_others_do_not_learn_who_opened(&app, &cyd, &path, &bob).await;
    bob.put(&format!("{path}/opening")).await.expect(204);
    let seen = counts(&ada, &path).await;
    assert_eq!([&seen["heard"], &seen["answered_unopened"]], [1, 0]);
    assert_others_do_not_learn_who_opened(&app, &cyd, &path, &bob).await;
}

#[actix_web::test]
async fn answer_to_a_new_revision_counts_as_heard_only_after_that_revision_was_opened() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let path = publish(&ada, "acknowledge", &["Bob"]).await;
    let standing = async || receipt(&ada, &path, &bob.id).await["standing"].clone();
    let answer = format!("{path}/acknowledgement");
    bob.put(&format!("{path}/opening")).await.expect(204);
    bob.put(&answer).await.expect(200);
    assert_eq!(standing().await, "heard");
    app.state.clock.advance(1000);
    let change = json!({ "notes": "On Tuesday", "change": "material" });
    ada.patch(&path, change).await.expect(200);
    assert_eq!(standing().await, "answered_earlier");
    bob.put(&answer).await.expect(200);
    assert_eq!(standing().await, "answered_unopened");
    assert_eq!(counts(&ada, &path).await["heard"], 0);
    let receipts = page(&app, "Ada", &format!("{path}/receipts")).await;
    assert!(
        receipts.contains("Got it without opening this version"),
        "{receipts}"
    );
    bob.put(&format!("{path}/opening")).await.expect(204);
    assert_eq!(standing().await, "heard");
}

async fn assert_others_do_not_learn_who_opened(
    app: &TestApp,
    other: &Client,
    path: &str,
    person: &Client,
) {
    let seen = counts(other, path).await;
    assert_eq!(
        (&seen["answered_unopened"], &seen["opened"]),
        (&Value::Null, &Value::Null)
    );
    let row = receipt(other, path, &person.id).await;
    assert_eq!(row["standing"], Value::Null);
    for address in [path.to_owned(), format!("{path}/receipts")] {
        let html = page(app, "Cyd", &address).await;
        assert!(!html.contains("without opening"), "{html}");
    }
    let table = other.get(&format!("{path}/receipts?format=csv")).await;
    assert!(!table.text().contains("answered_unopened"));
}

#[actix_web::test]
async fn submitting_a_form_of_the_update_page_counts_as_an_opening() {
    let app = TestApp::start().await;
    let [ada, bob, cyd, dan, eve] = app.people(["Ada", "Bob", "Cyd", "Dan", "Eve"]).await;
    let path = publish(&ada, "acknowledge", &["Bob", "Cyd", "Dan", "Eve"]).await;
    let standing =
        async |person: &Client| receipt(&ada, &path, &person.id).await["standing"].clone();
    press_got_it(&app, "Bob", &path, true).await;
    assert_eq!(standing(&bob).await, "heard");

    let comments = format!("{path}/comments");
    let fields = [("body", "When?"), ("opened", "true")];
    let browser = app.browser("Cyd").await;
    browser.form("POST", &comments, &fields).await.expect(303);
    assert_eq!(standing(&cyd).await, "opened");

    let fields = [("_method", "PUT"), ("opened", "true")];
    let browser = app.browser("Eve").await;
    let reaction = format!("{path}/reactions/👍");
    browser.form("POST", &reaction, &fields).await.expect(303);
    assert_eq!(standing(&eve).await, "opened");

    // A program cannot send `opened` with a comment. It reports an opening with a separate request.
    dan.comment(&path, "From a script").await;
    let fields = json!({ "body": "Again", "opened": true });
    dan.post(&comments, fields).await.problem(422);
    assert_eq!(standing(&dan).await, "not_opened");
    let html = page(&app, "Dan", &path).await;
    assert_eq!(
        standing(&dan).await,
        "not_opened",
        "rendering is not opening"
    );
    assert!(html.matches("name=\"opened\" value=\"true\"").count() >= 3);
    let inbox = page(&app, "Dan", "/inbox").await;
    assert!(!inbox.contains("name=\"opened\""), "{inbox}");
}

/// Creates an update that asks this person for an acknowledgement and has a comment and a question by the person, with
/// an answer. Returns the ids of the update, the comment, the question and the answer.
async fn discussed_update(author: &Client, person: &Client, name: &str) -> [String; 4] {
    let path = publish(author, "acknowledge", &[name]).await;
    let comment = person.comment(&path, "A remark").await;
    let question = person.question(&path, "When?").await;
    let answer = author.reply(&path, &question, "On Monday").await;
    let update = path.trim_start_matches("/updates/").to_owned();
    [update, comment, question, answer]
}

#[actix_web::test]
async fn every_form_of_the_update_page_counts_as_an_opening() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let browser = app.browser("Bob").await;
    for (method, path, more) in [
        ("PUT", "/comments/{comment}/resolution", None),
        ("DELETE", "/comments/{comment}/resolution", None),
        ("PATCH", "/comments/{comment}", Some(("body", "Better"))),
        ("DELETE", "/comments/{comment}", None),
        ("PUT", "/comments/{answer}/acceptance", None),
        ("DELETE", "/comments/{question}/acceptance", None),
        ("PUT", "/comments/{answer}/reactions/👍", None),
        ("DELETE", "/updates/{update}/reactions/👍", None),
        ("DELETE", "/updates/{update}/acknowledgement", None),
        ("PUT", "/updates/{update}/mute", None),
        ("DELETE", "/updates/{update}/mute", None),
    ] {
        let [update, comment, question, answer] = discussed_update(&ada, &bob, "Bob").await;
        let standing = async || {
            let row = receipt(&ada, &format!("/updates/{update}"), &bob.id).await;
            row["standing"].clone()
        };
        let address = path
            .replace("{update}", &update)
            .replace("{comment}", &comment)
            .replace("{question}", &question)
            .replace("{answer}", &answer);
        let mut fields = vec![("_method", method)];
        fields.extend(more);
        browser.form("POST", &address, &fields).await.expect(303);
        assert_eq!(standing().await, "not_opened", "{method} {path}");
        fields.push(("opened", "true"));
        browser.form("POST", &address, &fields).await.expect(303);
        assert_eq!(standing().await, "opened", "{method} {path}");
    }
}

#[actix_web::test]
async fn refused_form_of_the_update_page_does_not_count_as_an_opening() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let path = publish(&ada, "acknowledge", &["Bob"]).await;
    let change = json!({ "notes": "On Tuesday", "change": "material" });
    ada.patch(&path, change).await.expect(200);
    let fields = [("_method", "PUT"), ("revision", "1"), ("opened", "true")];
    let answer = format!("{path}/acknowledgement");
    let browser = app.browser("Bob").await;
    browser.form("POST", &answer, &fields).await.expect(409);
    let row = receipt(&ada, &path, &bob.id).await;
    assert_eq!(row["standing"], "not_opened");
}

#[actix_web::test]
async fn objection_has_its_own_section_and_does_not_count_as_heard() {
    let app = TestApp::start().await;
    let [ada, bob, cyd] = app.people(["Ada", "Bob", "Cyd"]).await;
    let path = publish(&ada, "acknowledge", &["Bob", "Cyd"]).await;
    bob.put(&format!("{path}/opening")).await.expect(204);
    let objection = json!({ "reason": "we have spent it already" });
    let decline = format!("{path}/decline");
    bob.json("PUT", &decline, &objection).await.expect(200);
    let seen = counts(&ada, &path).await;
    assert_eq!(
        [
            &seen["heard"],
            &seen["objections"],
            &seen["acknowledged"],
            &seen["owing"]
        ],
        [0, 1, 0, 1]
    );
    let html = page(&app, "Ada", &format!("{path}/receipts")).await;
    let from = html
        .find("id=\"objections\"")
        .expect("no section of objections");
    let section = &html[from..from + html[from..].find("</section>").unwrap()];
    for shown in ["we have spent it already", "@Bob", "action=\"/updates/"] {
        assert!(section.contains(shown), "{shown}: {section}");
    }
    let before = &html[..from];
    assert_eq!(
        before.matches("<details").count(),
        before.matches("</details>").count(),
        "the section is folded: {html}"
    );
    assert!(!html.contains("id=\"heard\""), "{html}");
    assert!(html.contains("0 of 2 heard. 1 objects."), "{html}");
    let others = receipt(&cyd, &path, &bob.id).await;
    assert_eq!(others["reason"], "we have spent it already");
}

#[actix_web::test]
async fn objection_outranks_a_mention_in_the_inbox_but_both_are_shown() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let path = publish(&ada, "acknowledge", &["Bob"]).await;
    let objection = json!({ "reason": "we have spent it already" });
    let decline = format!("{path}/decline");
    bob.json("PUT", &decline, &objection).await.expect(200);
    app.state.clock.advance(1000);
    bob.comment(&path, "@Ada, please look").await;
    let entry = ada.get("/inbox").await.json()["said_to_me"][0].clone();
    assert_eq!(
        (&entry["why"], &entry["by"], &entry["objection"]),
        (
            &json!("declined"),
            &json!("Bob"),
            &json!("we have spent it already")
        )
    );
    assert!(array(&entry["also"]).contains(&json!("mention")), "{entry}");
    let html = page(&app, "Ada", "/inbox").await;
    for shown in [
        "<bdi>Bob</bdi> objects",
        "we have spent it already",
        "you were named",
    ] {
        assert!(html.contains(shown), "{shown}: {html}");
    }
}

#[actix_web::test]
async fn objections_of_one_person_to_two_updates_are_announced_separately() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let paths = [
        publish(&ada, "acknowledge", &["Bob"]).await,
        publish(&ada, "acknowledge", &["Bob"]).await,
    ];
    for (path, reason) in paths.iter().zip(["too early", "too dear"]) {
        let decline = format!("{path}/decline");
        bob.json("PUT", &decline, &json!({ "reason": reason }))
            .await
            .expect(200);
        let said = ada.get("/inbox").await.json()["said_to_me"].clone();
        assert_eq!(array(&said).len(), 1, "{said}");
        assert_eq!(
            (&said[0]["why"], &said[0]["objection"]),
            (&json!("declined"), &json!(reason))
        );
        assert_eq!(update_path(&said[0]["update"]), *path);
        ada.put(&format!("{path}/opening")).await.expect(204);
    }
}

#[actix_web::test]
async fn objection_that_no_longer_stands_is_not_in_the_inbox() {
    let app = TestApp::start().await;
    let [ada, bob, _cyd] = app.people(["Ada", "Bob", "Cyd"]).await;
    for change in [
        json!({ "audience": [email("Cyd")] }),
        json!({ "notes": "Later", "change": "material" }),
    ] {
        let path = publish(&ada, "acknowledge", &["Bob", "Cyd"]).await;
        let decline = format!("{path}/decline");
        bob.json("PUT", &decline, &json!({ "reason": "too early" }))
            .await
            .expect(200);
        let said = async || ada.get("/inbox").await.json()["said_to_me"].clone();
        assert_eq!(said().await[0]["why"], "declined");
        ada.patch(&path, change.clone()).await.expect(200);
        assert_eq!(said().await, json!([]), "{change}");
    }
}

#[actix_web::test]
async fn verdict_is_hidden_from_other_recipients_until_the_author_shares_it() {
    let (app, ada, bob, cyd, path) = publish_for_two().await;
    read_back(&bob, &path, "I do nothing.").await;
    let verdict = json!({ "verdict": "corrected", "body": "You review it." });
    put_verdict(&ada, &path, &bob, verdict).await.expect(200);
    let seen = receipt(&cyd, &path, &bob.id).await;
    assert_eq!(
        [
            &seen["state"],
            &seen["owes"],
            &seen["correction"],
            &seen["due"]
        ],
        [
            &json!("read_back"),
            &json!(false),
            &Value::Null,
            &Value::Null
        ]
    );
    let (others, own) = (counts(&cyd, &path).await, counts(&bob, &path).await);
    assert_eq!([&others["owing"], &others["acknowledged"]], [1, 1]);
    assert_eq!([&own["owing"], &own["acknowledged"]], [2, 0]);
    for address in ["", "/receipts", "/receipts?format=csv"] {
        let html = page(&app, "Cyd", &format!("{path}{address}")).await;
        for hidden in [
            "Not quite",
            "not quite",
            "needs_correction",
            "You review it",
        ] {
            assert!(!html.contains(hidden), "{address}: {hidden}: {html}");
        }
    }
    assert_eq!(
        receipt(&bob, &path, &bob.id).await["state"],
        "needs_correction"
    );
    let disclosure = format!("{path}/receipts/{}/disclosure", bob.id);
    ada.put(&disclosure).await.expect(200);
    let seen = receipt(&cyd, &path, &bob.id).await;
    assert_eq!(
        (&seen["state"], &seen["owes"]),
        (&json!("needs_correction"), &json!(true))
    );
}

#[actix_web::test]
async fn guest_readback_is_listed_as_a_readback() {
    let app = TestApp::start().await;
    let [ada, _bob] = app.people(["Ada", "Bob"]).await;
    let path = publish(&ada, "readback", &["Bob"]).await;
    let (_, token) = ada.share(&path, true).await;
    let fields = json!({ "name": "Gus", "readback": "We pay on Monday" });
    let guest = app.client().bearer(&token);
    let answer = format!("{path}/acknowledgement");
    guest.json("PUT", &answer, &fields).await.expect(204);
    let html = page(&app, "Ada", &format!("{path}/receipts")).await;
    let guests = &html[html.find("id=\"heard-guests\"").unwrap()..];
    assert!(guests.contains("Guests who answered"), "{guests}");
    assert!(guests.contains("Said it back"), "{guests}");
    assert!(!guests.contains("Got it"), "{guests}");
}

/// A pseudo-random number generator (an LCG with the constants of MMIX). Every run makes the same choices.
struct Choices(u64);

impl Choices {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % limit as u64).unwrap()
    }
}

/// The revision that each person opened last, by the person's id.
type Openings = HashMap<String, Value>;

/// Performs a random action that may change where people stand. Some actions are rejected, for example a verdict
/// without a readback.
async fn act(
    choices: &mut Choices,
    author: &Client,
    people: &[Client],
    path: &str,
    openings: &mut Openings,
) {
    let person = &people[choices.below(people.len())];
    let answer = format!("{path}/acknowledgement");
    let receipt = format!("{path}/receipts/{}", person.id);
    let expectation = ["fyi", "acknowledge", "readback"][choices.below(3)];
    let text = format!("Words {}", choices.below(1000));
    match choices.below(12) {
        0..=2 => {
            let revision = author.get(path).await.json()["revision"].clone();
            openings.insert(person.id.clone(), revision);
            person.put(&format!("{path}/opening")).await
        }
        3 => person.put(&answer).await,
        4 | 5 => {
            person
                .json("PUT", &answer, &json!({ "readback": text }))
                .await
        }
        6 | 7 => {
            let decline = format!("{path}/decline");
            person
                .json("PUT", &decline, &json!({ "reason": text }))
                .await
        }
        8 => person.delete(&answer).await,
        9 => {
            let verdict = ["confirmed", "corrected"][choices.below(2)];
            let body = (verdict == "corrected").then_some(text);
            let mut fields = json!({ "verdict": verdict });
            if let Some(body) = body {
                fields["body"] = json!(body);
            }
            author
                .json("PUT", &format!("{receipt}/confirmation"), &fields)
                .await
        }
        10 => author.put(&format!("{receipt}/disclosure")).await,
        _ if choices.below(3) == 0 => {
            author
                .patch(path, json!({ "notes": text, "change": "material" }))
                .await
        }
        _ => {
            author
                .patch(path, json!({ "expectation": expectation }))
                .await
        }
    };
}

/// Returns the standing that follows from the other fields of the receipt, as the author sees them, and from the
/// revision that the recipient opened last.
fn expected_standing(update: &Value, row: &Value, opened: Option<&Value>) -> &'static str {
    let is_open = row["opened_at"].is_string();
    let is_current_open = opened == Some(&update["revision"]);
    let is_answered = row["answered_at"].is_string();
    if is_answered && row["revision"] != update["revision"] {
        return "answered_earlier";
    }
    let stands = is_answered
        && row["state"] != "needs_correction"
        && !(row["state"] == "acknowledged" && update["expectation"] == "readback");
    match (stands, row["state"] == "declined") {
        (true, true) => "objects",
        (true, false) if is_current_open => "heard",
        (true, false) => "answered_unopened",
        (false, _) if is_open => "opened",
        (false, _) => "not_opened",
    }
}

async fn assert_adds_up_for_the_author(
    browser: &Client,
    author: &Client,
    path: &str,
    openings: &Openings,
) {
    let update = author.get(path).await.json();
    let receipts = author.get(&format!("{path}/receipts")).await.json();
    let rows = array(&receipts["items"]);
    for row in rows {
        let opened = openings.get(row["person"]["id"].as_str().unwrap());
        let expected = expected_standing(&update, row, opened);
        assert_eq!(row["standing"], expected, "{row}");
    }
    let number = |standing: &str| {
        rows.iter()
            .filter(|row| row["standing"] == standing)
            .count()
    };
    let with = |field: &str| rows.iter().filter(|row| row[field].is_string()).count();
    let counts = &update["counts"];
    for (name, expected) in [
        ("recipients", rows.len()),
        ("heard", number("heard")),
        ("objections", number("objects")),
        ("answered_unopened", number("answered_unopened")),
        (
            "acknowledged",
            number("heard") + number("answered_unopened"),
        ),
        ("opened", with("opened_at")),
        (
            "owing",
            rows.iter().filter(|row| row["owes"] == true).count(),
        ),
    ] {
        assert_eq!(counts[name], expected, "{name}: {counts} {rows:?}");
    }
    let row = author.get("/updates").await.json()["items"][0].clone();
    assert_eq!(&row["counts"], counts, "the library");
    let html = browser.get(&format!("{path}/receipts")).await;
    let html = html.expect(200).text();
    assert_eq!(html.matches("id=\"receipt-").count(), rows.len(), "{html}");
    for (id, standing) in [
        ("heard", "heard"),
        ("answered-unopened", "answered_unopened"),
    ] {
        assert_eq!(listed(&html, id), number(standing), "{id}: {html}");
    }
    assert_eq!(listed(&html, "objections"), number("objects"), "{html}");
}

/// Returns how many receipts a section of the receipts page lists, and checks that its heading says the same.
fn listed(html: &str, id: &str) -> usize {
    let Some(from) = html.find(&format!(" id=\"{id}\"")) else {
        return 0;
    };
    let section = &html[from..];
    let heading = section.split("class=\"number\">").nth(1).unwrap();
    let number = heading.split('<').next().unwrap().trim().parse().unwrap();
    let list = section.split("<ul class=\"receipts\">").nth(1).unwrap();
    let end = list.find("</ul>").unwrap();
    assert_eq!(list[..end].matches("id=\"receipt-").count(), number, "{id}");
    number
}

async fn assert_adds_up_for_a_recipient(person: &Client, path: &str) {
    let update = person.get(path).await.json();
    let receipts = person.get(&format!("{path}/receipts")).await.json();
    let rows = array(&receipts["items"]);
    let counts = &update["counts"];
    let answers = ["acknowledged", "read_back", "confirmed"];
    let answered = rows
        .iter()
        .filter(|row| row["owes"] == false && answers.iter().any(|state| row["state"] == *state));
    for (name, expected) in [
        ("recipients", rows.len()),
        ("acknowledged", answered.count()),
        (
            "objections",
            rows.iter().filter(|row| row["state"] == "declined").count(),
        ),
        (
            "owing",
            rows.iter().filter(|row| row["owes"] == true).count(),
        ),
    ] {
        assert_eq!(counts[name], expected, "{name}: {counts} {rows:?}");
    }
    assert!(
        counts["heard"].as_i64() <= counts["acknowledged"].as_i64(),
        "{counts}"
    );
    for row in rows
        .iter()
        .filter(|row| row["person"]["id"] != json!(person.id))
    {
        let hidden = ["opened_at", "standing", "reminded_at"];
        assert!(hidden.iter().all(|field| row[*field].is_null()), "{row}");
        let verdicts = ["confirmed", "needs_correction"];
        let is_shown = verdicts.iter().any(|state| row["state"] == *state);
        assert!(!is_shown || row["disclosed"] == true, "{row}");
    }
}

#[actix_web::test]
async fn counts_agree_with_the_receipts_after_each_random_action() {
    let app = TestApp::start().await;
    let names = ["Bob", "Cyd", "Dan", "Eve", "Fay"];
    let ada = app.person("Ada").await;
    let people = app.people(names).await;
    let browser = app.browser("Ada").await;
    let mut choices = Choices(7);
    for expectation in ["acknowledge", "readback", "fyi"] {
        let path = publish(&ada, expectation, &names).await;
        let mut openings = Openings::new();
        for _ in 0..25 {
            app.state.clock.advance(1000);
            act(&mut choices, &ada, &people, &path, &mut openings).await;
            assert_adds_up_for_the_author(&browser, &ada, &path, &openings).await;
            assert_adds_up_for_a_recipient(&people[0], &path).await;
        }
    }
    let table = ada.get("/receipts?format=csv").await.expect(200).text();
    let head = table.lines().next().unwrap();
    assert!(
        head.contains("heard,objections,answered_unopened"),
        "{head}"
    );
    assert_eq!(
        texts(&ada.get("/updates").await.json()["items"], "title").len(),
        3
    );
}
