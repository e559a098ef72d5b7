//! The list of updates: filters, search and pagination.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::app::{Client, TestApp, email, fixture, text, texts};

/// Returns the titles of the updates in a list, in order.
pub async fn titles(client: &Client, address: &str) -> Vec<String> {
    let list = client.get(address).await.expect(200).json();
    texts(&list["items"], "title")
        .into_iter()
        .map(str::to_owned)
        .collect()
}

#[actix_web::test]
async fn updates_can_be_filtered_by_author_audience_kind_and_state() {
    let app = TestApp::start().await;
    let [ada, bob, eve] = app.people(["Ada", "Bob", "Eve"]).await;
    publish_one_of_each(&ada, &bob).await;
    assert_eq!(
        titles(&bob, "/updates").await,
        ["draft", "open", "clip", "shot"]
    );
    assert_eq!(titles(&eve, "/updates").await, ["open", "clip"]);
    assert_eq!(titles(&ada, "/updates?author=me").await, ["clip", "shot"]);
    assert_eq!(
        titles(&bob, &format!("/updates?author={}", ada.id)).await,
        ["clip", "shot"]
    );
    assert_eq!(titles(&bob, "/updates?audience=me").await, ["clip", "shot"]);
    assert_eq!(titles(&eve, "/updates?audience=me").await, ["clip"]);
    assert_eq!(titles(&ada, "/updates?audience=me").await, [""; 0]);
    assert_eq!(titles(&bob, "/updates?kind=image").await, ["shot"]);
    assert_eq!(titles(&bob, "/updates?kind=video").await, ["clip"]);
    assert_eq!(titles(&bob, "/updates?state=draft").await, ["draft"]);
    assert_eq!(
        titles(&bob, "/updates?state=published").await,
        ["open", "clip", "shot"]
    );
    app.browser("Bob")
        .await
        .get("/updates?state=draft&q=x")
        .await
        .expect(200);
}

/// Ada publishes a picture for Bob and a video for everyone. Bob publishes an update that has no
/// recipients but is visible to the whole workspace, and creates a draft.
async fn publish_one_of_each(ada: &Client, bob: &Client) {
    ada.upload(
        "/updates",
        &[("title", "shot"), ("audience", &email("Bob"))],
        &[("media", "a.png", fixture("alpha.png"))],
    )
    .await
    .expect(201);
    ada.upload(
        "/updates",
        &[("title", "clip"), ("audience", "everyone")],
        &[("media", "a.webm", fixture("rec-vp8-opus-3s.webm"))],
    )
    .await
    .expect(201);
    bob.update(json!({ "title": "open", "visibility": "workspace" }))
        .await;
    bob.update(json!({ "title": "draft", "audience": ["everyone"], "publish": false }))
        .await;
}

#[actix_web::test]
async fn invalid_update_filters_are_rejected() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    for invalid in [
        "state=gone",
        "kind=sound",
        "audience=you",
        "limit=0",
        "limit=101",
        "limit=x",
        "after=rubbish",
        "limit=2&limit=3",
        "colour=red",
    ] {
        ada.get(&format!("/updates?{invalid}")).await.problem(422);
    }
}

#[actix_web::test]
async fn list_pages_neither_skip_nor_repeat_updates_while_updates_are_added() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    for n in 0..7 {
        ada.update(json!({ "title": format!("u{n}") })).await;
    }
    let (mut seen, mut address) = (Vec::new(), "/updates?limit=3".to_owned());
    loop {
        let list = ada.get(&address).await.expect(200).json();
        let page = texts(&list["items"], "title");
        seen.extend(page.into_iter().map(str::to_owned));
        // Add an update while the pages are being read. It must not shift the later pages.
        ada.update(json!({ "title": "new" })).await;
        let Some(next) = list["next"].as_str() else {
            break;
        };
        address = format!("/updates?limit=3&after={next}");
    }
    assert_eq!(seen, ["u6", "u5", "u4", "u3", "u2", "u1", "u0"]);
    assert_eq!(
        ada.get("/updates?limit=10").await.json()["next"],
        Value::Null
    );
}

/// Two updates by Ada and a comment, all indexed for search.
struct Searchable {
    app: TestApp,
    ada: Client,
    bob: Client,
    recipe: String,
    second: String,
    comment: String,
}

async fn searchable() -> Searchable {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let fields = json!({
        "title": "Crème brûlée recipe", "notes": "O'Brien said \"go\" AND left",
        "audience": [email("Bob")],
    });
    let recipe = ada.update(fields).await;
    let fields = json!({ "title": "Second", "notes": "Über den Fluß", "visibility": "workspace" });
    let second = ada.update(fields).await;
    let comment = bob
        .comment(&recipe, "The Straße is über-long; see v2.0 at 日本語")
        .await;
    app.wait_for_jobs().await;
    Searchable {
        app,
        ada,
        bob,
        recipe,
        second,
        comment,
    }
}

pub fn percent_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[actix_web::test]
async fn search_finds_words_in_updates_and_comments_and_ignores_case_and_accents() {
    let Searchable {
        ada,
        recipe,
        second,
        ..
    } = &searchable().await;
    let [one, two] = [recipe, second].map(|path| path.trim_start_matches("/updates/"));
    for (query, expected) in [
        ("creme", vec![one]),
        ("CRÈME BRULEE", vec![one]),
        ("recip", vec![one]),
        ("o'brien", vec![one]),
        ("\"go\"", vec![one]),
        ("brien AND left", vec![one]),
        ("uber", vec![two, one]),
        ("über-long", vec![one]),
        ("v2.0", vec![one]),
        ("日本語", vec![one]),
        ("creme OR second", vec![]),
        ("NOT creme", vec![]),
        ("recipe second", vec![]),
        ("* ( ) : ^ ~ & | ! -", vec![]),
        ("creme*", vec![one]),
        ("' OR 1=1 --", vec![]),
        ("fluß", vec![two]),
    ] {
        let encoded = percent_encoded(query);
        let list = ada
            .get(&format!("/updates?q={encoded}"))
            .await
            .expect(200)
            .json();
        let ids = texts(&list["items"], "id");
        assert_eq!(ids, expected, "{query}");
        // The search page finds the same updates, but sorts them by relevance.
        let ranked = ada
            .get(&format!("/search?q={encoded}"))
            .await
            .expect(200)
            .json();
        let ranked: BTreeSet<&str> = texts(&ranked["items"], "id").into_iter().collect();
        assert_eq!(ranked, ids.into_iter().collect(), "{query}");
    }
}

#[actix_web::test]
async fn search_finds_only_updates_that_the_person_can_access() {
    let Searchable { app, .. } = &searchable().await;
    let eve = app.person("Eve").await;
    assert_eq!(titles(&eve, "/updates?q=creme").await, [""; 0]);
    assert_eq!(titles(&eve, "/updates?q=uber").await, ["Second"]);
}

#[actix_web::test]
async fn search_result_links_to_the_matching_comment() {
    let Searchable { bob, comment, .. } = &searchable().await;
    let mut found = bob.get("/updates?q=strasse").await.json();
    if found["items"] == json!([]) {
        let query = percent_encoded("straße");
        found = bob.get(&format!("/updates?q={query}")).await.json();
    }
    let place = &found["items"][0]["found"][0];
    assert_eq!(place["kind"], "comment");
    assert!(text(&place["url"]).ends_with(&format!("#c-{comment}")));
}

#[actix_web::test]
async fn search_finds_the_new_title_after_an_edit_and_not_the_old_one() {
    let Searchable {
        app, ada, recipe, ..
    } = &searchable().await;
    ada.patch(recipe, json!({ "title": "Plain pudding" }))
        .await
        .expect(200);
    app.wait_for_jobs().await;
    assert_eq!(titles(ada, "/updates?q=creme").await, [""; 0]);
    assert_eq!(titles(ada, "/updates?q=pudding").await, ["Plain pudding"]);
}

#[actix_web::test]
async fn very_long_search_query_finds_nothing() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    for long in ["x".repeat(3000), "x ".repeat(1000)] {
        let path = format!("/updates?q={long}");
        assert_eq!(titles(&ada, &path).await, [""; 0]);
    }
}
