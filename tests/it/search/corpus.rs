//! Compares 200 searches with a simple implementation of the rule. Both engines must pass the test, so both find the
//! same results.

use std::collections::BTreeSet;

use serde_json::json;

use crate::app::{Client, TestApp, email, texts};

const WORDS: [&str; 24] = [
    "plan",
    "plane",
    "planet",
    "budget",
    "budgets",
    "über",
    "uber",
    "fluß",
    "release",
    "released",
    "re",
    "a",
    "an",
    "and",
    "v2",
    "v20",
    "naïve",
    "日本",
    "日本語",
    "o'brien",
    "x",
    "xy",
    "café",
    "cafe",
];

/// A place that can be found: the number of its update, its text, and whether Bob may see it.
struct Place {
    update: usize,
    text: String,
    for_bob: bool,
}

/// Returns the words of a text, as the documentation defines them.
fn words(text: &str) -> Vec<String> {
    hearback::text::fold(text)
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Whether the text contains all words of the query. The last one may be the beginning of a word.
fn matches(text: &str, query: &str) -> bool {
    let (text, mut query) = (words(text), words(query));
    let Some(last) = query.pop() else {
        return false;
    };
    query.iter().all(|word| text.contains(word)) && text.iter().any(|word| word.starts_with(&last))
}

/// Returns `count` words. The same seed always gives the same words.
fn some(seed: usize, count: usize) -> String {
    let chosen = (0..count).map(|n| WORDS[(seed * 7 + n * n * 5 + n * seed) % WORDS.len()]);
    chosen.collect::<Vec<_>>().join(" ")
}

async fn corpus(ada: &Client) -> (Vec<String>, Vec<Place>) {
    let (mut ids, mut places) = (Vec::new(), Vec::new());
    for n in 0..40 {
        let (title, notes, for_bob) = (some(n, 2), some(n + 3, 1 + n % 6), n % 3 != 0);
        let audience: &[String] = if for_bob { &[email("Bob")] } else { &[] };
        let path = ada
            .update(json!({ "title": title, "notes": notes, "audience": audience }))
            .await;
        places.push(Place {
            update: n,
            text: format!("{title} {notes}"),
            for_bob,
        });
        for more in 0..n % 3 {
            let text = some(n + more * 11 + 1, 1 + more);
            ada.comment(&path, &text).await;
            places.push(Place {
                update: n,
                text,
                for_bob,
            });
        }
        ids.push(path.trim_start_matches("/updates/").to_owned());
    }
    (ids, places)
}

#[actix_web::test]
async fn searches_find_what_the_simple_rule_finds() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let (ids, places) = corpus(&ada).await;
    app.wait_for_jobs().await;
    let mut found_any = 0;
    for n in 0..200 {
        let mut query = some(n * 13 + 5, 1 + n % 3);
        if n % 2 == 1 {
            query.pop();
        }
        if words(&query).is_empty() {
            continue;
        }
        for (client, bob) in [(&ada, false), (&bob, true)] {
            let expected: BTreeSet<&str> = places
                .iter()
                .filter(|place| (place.for_bob || !bob) && matches(&place.text, &query))
                .map(|place| ids[place.update].as_str())
                .collect();
            let path = format!(
                "/updates?limit=100&q={}",
                crate::library::percent_encoded(&query)
            );
            let list = client.get(&path).await.expect(200).json();
            let found: BTreeSet<&str> = texts(&list["items"], "id").into_iter().collect();
            assert_eq!(found, expected, "{query}");
            found_any += usize::from(!found.is_empty());
        }
    }
    assert!(found_any > 100, "{found_any}");
}
