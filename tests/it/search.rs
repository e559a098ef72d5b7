//! Searches: which places match, in which order, and what happens when access or texts change. Both engines must
//! pass these tests, so both find the same results.

mod corpus;

use hearback::infra::db::Db;
use serde_json::{Value, json};

use crate::app::{Client, TestApp, array, email, text};
use crate::library::titles;

/// Returns the titles of the updates that a search finds, best match first.
async fn best(client: &Client, words: &str) -> Vec<String> {
    titles(client, &format!("/search?q={words}")).await
}

#[actix_web::test]
async fn best_match_is_the_shorter_text_or_the_one_that_repeats_the_words() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let long = "and many other things that have nothing to do with it ".repeat(5);
    for (title, notes) in [
        ("Twice", "budget budget".to_owned()),
        ("Short", "budget".to_owned()),
        ("Older", format!("budget {long}")),
        ("Newer", format!("budget {long}")),
    ] {
        ada.update(json!({ "title": title, "notes": notes })).await;
    }
    app.wait_for_jobs().await;
    assert_eq!(
        best(&ada, "budget").await,
        ["Twice", "Short", "Newer", "Older"]
    );
    assert_eq!(
        titles(&ada, "/updates?q=budget").await,
        ["Newer", "Older", "Short", "Twice"]
    );
}

#[actix_web::test]
async fn search_follows_changes_of_the_audience() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let update = ada
        .update(json!({ "title": "Plan", "notes": "quokka" }))
        .await;
    ada.comment(&update, "wombat").await;
    let finds = async |expected: bool| {
        app.wait_for_jobs().await;
        let expected: &[&str] = if expected { &["Plan"] } else { &[] };
        for words in ["quokka", "wombat"] {
            assert_eq!(titles(&bob, &format!("/updates?q={words}")).await, expected);
            assert_eq!(best(&bob, words).await, expected);
        }
    };
    finds(false).await;
    for (change, expected) in [
        (json!({ "audience": [email("Bob")] }), true),
        (json!({ "audience": [] }), false),
        (json!({ "visibility": "workspace" }), true),
        (json!({ "visibility": "audience" }), false),
        (json!({ "audience": ["everyone"] }), true),
    ] {
        ada.patch(&update, change).await.expect(200);
        finds(expected).await;
    }
    ada.delete(&update).await.expect(204);
    finds(false).await;
    assert_eq!(
        titles(&ada, "/updates?state=trashed&q=quokka").await,
        ["Plan"]
    );
    assert_eq!(titles(&ada, "/updates?q=quokka").await, [""; 0]);
}

#[actix_web::test]
async fn published_draft_is_listed_by_its_time_of_publication() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let fields = |title: &str, publish: bool| {
        json!({
            "title": title, "notes": "quokka", "audience": [email("Bob")], "publish": publish,
        })
    };
    let draft = ada.update(fields("Begun first", false)).await;
    app.state.clock.advance(90 * 24 * 3_600_000);
    ada.update(fields("Published first", true)).await;
    app.wait_for_jobs().await;
    for list in ["/updates", "/updates?q=quokka", "/updates?author=me"] {
        assert_eq!(titles(&ada, list).await, ["Published first", "Begun first"]);
    }
    ada.put(&format!("{draft}/publication")).await.expect(200);
    app.wait_for_jobs().await;
    for list in ["/updates", "/updates?q=quokka", "/updates?audience=me"] {
        assert_eq!(titles(&bob, list).await, ["Begun first", "Published first"]);
    }
}

#[actix_web::test]
async fn prefix_finds_a_word_but_a_short_prefix_only_if_few_words_begin_with_it() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    ada.update(json!({ "title": "Quokka" })).await;
    ada.update(json!({ "title": "Qu" })).await;
    app.wait_for_jobs().await;
    for beginning in ["q", "qu", "quo", "quokka"] {
        let found = titles(&ada, &format!("/updates?q={beginning}")).await;
        assert!(
            found.contains(&"Quokka".to_owned()),
            "{beginning}: {found:?}"
        );
    }
    let many: Vec<String> = ('a'..='z')
        .flat_map(|one| ('a'..='c').map(move |two| format!("qu{one}{two}")))
        .collect();
    ada.update(json!({ "title": "Many", "notes": many.join(" ") }))
        .await;
    app.wait_for_jobs().await;
    assert_eq!(titles(&ada, "/updates?q=qu").await, ["Qu"]);
    assert_eq!(titles(&ada, "/updates?q=quo").await, ["Many", "Quokka"]);
    assert_eq!(titles(&ada, "/updates?q=quok").await, ["Quokka"]);
}

#[actix_web::test]
async fn search_pages_contain_every_update_once_however_many_places_match() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let mut created = Vec::new();
    for n in 0..5 {
        created.push(ada.update(json!({ "title": format!("Quokka {n}") })).await);
    }
    app.wait_for_jobs().await;
    // The second update has more matching places than are read at once. The third and the fourth were published in the
    // same millisecond.
    insert_comments(&app, &ada, &created[1], 150).await;
    app.execute(
        "UPDATE updates SET listed_at = (SELECT listed_at FROM updates WHERE title = 'Quokka 3')
         WHERE title = 'Quokka 2'",
    )
    .await;
    let mut tx = app.state.db.begin().await.unwrap();
    let dialect = tx.dialect();
    app.state.clock.advance(1);
    sqlx::query("UPDATE said SET n = (SELECT u.listed_at * 65536 + 7 FROM updates u WHERE u.id = said.update_id)
         WHERE words = 'quokka 2'")
        .execute(&mut *tx)
        .await
        .unwrap();
    hearback::search::rebuild(&mut tx, dialect).await.unwrap();
    tx.commit().await.unwrap();
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let page = ada
            .get(&format!("/updates?q=quokka&limit=1&after={after}"))
            .await
            .expect(200)
            .json();
        found.extend(
            array(&page["items"])
                .iter()
                .map(|row| text(&row["title"]).to_owned()),
        );
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => break,
        }
    }
    found[1..3].sort_unstable();
    assert_eq!(
        found,
        ["Quokka 4", "Quokka 2", "Quokka 3", "Quokka 1", "Quokka 0"]
    );
}

/// Inserts comments and the rows from which the search index is built.
async fn insert_comments(app: &TestApp, ada: &Client, update: &str, count: i64) {
    let id = update.trim_start_matches("/updates/");
    let mut tx = app.state.db.begin().await.unwrap();
    for n in 1..=count {
        let comment = app.state.clock.id();
        sqlx::query("INSERT INTO comments (id, update_id, person_id, body, revision, created_at) VALUES ($1, $2,
             $3, 'quokka', 1, 1)")
            .bind(&comment)
            .bind(id)
            .bind(&ada.id)
            .execute(&mut *tx)
            .await
            .unwrap();
        sqlx::query("INSERT INTO said (n, update_id, subject_id, words)
                     SELECT min(n) / 65536 * 65536 + $1, update_id, $2, 'quokka' FROM said WHERE update_id = $3
                     GROUP BY update_id
                     ON CONFLICT (n) DO NOTHING")
            .bind(n)
            .bind(&comment)
            .bind(id)
            .execute(&mut *tx)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
}

#[actix_web::test]
async fn at_most_three_places_of_an_update_are_shown() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let update = ada.update(json!({ "title": "Quokka" })).await;
    for n in 0..5 {
        ada.comment(&update, &format!("quokka {n}")).await;
    }
    app.wait_for_jobs().await;
    let found = ada.get("/updates?q=quokka").await.expect(200).json();
    let places: Vec<&Value> = array(&found["items"][0]["found"]).iter().collect();
    let texts: Vec<&str> = places.iter().map(|place| text(&place["text"])).collect();
    assert_eq!(texts, ["quokka 4", "quokka 3", "quokka 2"]);
}

#[actix_web::test]
async fn person_in_a_thousand_groups_gets_complete_lists() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    for n in 0..3 {
        let name = format!("team{n}");
        ada.post(
            "/groups",
            json!({ "name": name, "members": [email("Bob")] }),
        )
        .await
        .expect(201);
        let fields = json!({ "title": format!("Quokka {n}"), "audience": [format!("@{name}")], "later_members": true });
        ada.update(fields).await;
    }
    app.execute(
        "INSERT INTO groups (id, name, made_by, created_at)
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
         SELECT 'g' || n.i, 'g' || n.i, p.id, 1 FROM n CROSS JOIN people p WHERE p.name = 'Ada'",
    )
    .await;
    app.execute("INSERT INTO group_members (group_id, person_id)
         SELECT g.id, p.id FROM groups g CROSS JOIN people p WHERE g.id LIKE 'g%' AND p.name IN ('Bob', 'Cyd')
         ON CONFLICT DO NOTHING").await;
    app.wait_for_jobs().await;
    for list in [
        "/updates",
        "/updates?q=quokka",
        "/updates?q=quo",
        "/search?q=quokka",
    ] {
        let mut found = titles(&bob, list).await;
        found.sort_unstable();
        assert_eq!(found, ["Quokka 0", "Quokka 1", "Quokka 2"], "{list}");
    }
}

#[actix_web::test]
async fn interrupted_rebuild_of_the_search_index_changes_nothing() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    ada.update(json!({ "title": "Quokka" })).await;
    app.wait_for_jobs().await;
    let mut tx = app.state.db.begin().await.unwrap();
    let dialect = tx.dialect();
    hearback::search::rebuild(&mut tx, dialect).await.unwrap();
    drop(tx);
    assert_eq!(titles(&ada, "/updates?q=quokka").await, ["Quokka"]);
    let again = Db::open(&app.state.config.database_url).await.unwrap();
    let mut tx = again.begin().await.unwrap();
    hearback::search::rebuild(&mut tx, dialect).await.unwrap();
    tx.commit().await.unwrap();
    again.close().await;
    assert_eq!(titles(&ada, "/updates?q=quok").await, ["Quokka"]);
}

#[actix_web::test]
async fn letters_and_words_beyond_the_limits_are_ignored() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let long = "x".repeat(64);
    ada.update(json!({ "title": "Long", "notes": format!("{long}yyy") }))
        .await;
    let words: Vec<String> = (0..200).map(|n| format!("word{n}")).collect();
    ada.update(json!({ "title": "Many", "notes": words.join(" ") }))
        .await;
    app.wait_for_jobs().await;
    // Letters after the 64th do not count.
    for query in [
        &long,
        &format!("{long}yyy"),
        &format!("{long}zzz"),
        &long[..40].to_owned(),
    ] {
        assert_eq!(
            titles(&ada, &format!("/updates?q={query}")).await,
            ["Long"],
            "{query}"
        );
    }
    assert_eq!(
        titles(&ada, &format!("/updates?q={}", words.join("+"))).await,
        ["Many"]
    );
}

#[actix_web::test]
async fn list_continues_after_an_update_that_was_deleted() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let mut created = Vec::new();
    for n in 0..4 {
        created.push(ada.update(json!({ "title": format!("Quokka {n}") })).await);
    }
    app.wait_for_jobs().await;
    for list in ["/updates?limit=2", "/updates?q=quokka&limit=2"] {
        let next = ada.get(list).await.expect(200).json()["next"].clone();
        let last = created.remove(2);
        ada.delete(&last).await.expect(204);
        ada.delete(&format!("/trash{}", last.trim_start_matches("/updates")))
            .await;
        let rest = titles(&ada, &format!("{list}&after={}", text(&next))).await;
        assert_eq!(
            rest.last().map(String::as_str),
            Some("Quokka 0"),
            "{list}: {rest:?}"
        );
    }
}
