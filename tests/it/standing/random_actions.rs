//! The counts agree with the receipts after every action of a random sequence.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::publish;
use crate::app::{Client, TestApp, array, texts};

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

/// Returns the standing that a receipt must have. It follows from the other fields of the receipt, as the author sees
/// them, and from the revision that the recipient opened last.
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

/// Returns how many receipts a section of the receipts page lists. Asserts that the heading of the
/// section states the same number.
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
