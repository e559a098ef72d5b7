//! Large workspaces: people are searched on the server, and pages do not grow with the number of accounts.

use serde_json::json;

use crate::app::{Client, TestApp, email, text, texts};
use crate::library::titles;

/// Returns the names of the people that a search finds, in order.
async fn found(client: &Client, query: &str) -> Vec<String> {
    titles_of(client, &format!("/people?{query}"), "name").await
}

async fn titles_of(client: &Client, path: &str, field: &str) -> Vec<String> {
    let list = client.get(path).await.expect(200).json();
    texts(&list["items"], field)
        .into_iter()
        .map(str::to_owned)
        .collect()
}

#[actix_web::test]
async fn people_are_found_by_the_beginnings_of_words_in_names_and_addresses() {
    let app = TestApp::start().await;
    let ada = app.person("Ada Lovelace").await;
    for name in ["Zoé Martin", "Anne-Marie Ada", "Per_Cent", "李小龙"] {
        app.person(name).await;
    }
    for (query, expected) in [
        ("q=ada", &["Ada Lovelace", "Anne-Marie Ada"][..]),
        ("q=love%20ada", &["Ada Lovelace"]),
        ("q=MARIE", &["Anne-Marie Ada"]),
        ("q=zoe", &["Zoé Martin"]),
        ("q=小", &["李小龙"]),
        ("q=ovelace", &[]),
        ("q=%25", &[]),
        ("q=per_", &["Per_Cent"]),
        ("q=an_e", &[]),
        ("q=%5C", &[]),
    ] {
        assert_eq!(found(&ada, query).await, expected, "{query}");
    }
    let by_address = format!("q={}", email("Ada Lovelace").to_uppercase());
    assert_eq!(found(&ada, &by_address).await, ["Ada Lovelace"]);
    assert_eq!(found(&ada, "q=").await.len(), 5);
}

#[actix_web::test]
async fn people_search_is_paged_and_can_leave_out_deactivated_people() {
    let app = TestApp::start().await;
    let root = app.admin("Root").await;
    let [one, _, _] = app.people(["Kim One", "Kim Three", "Kim Two"]).await;
    root.patch(&format!("/people/{}", one.id), json!({ "active": false }))
        .await
        .expect(200);
    let first = root.get("/people?q=kim&limit=2").await.expect(200).json();
    assert_eq!(texts(&first["items"], "name"), ["Kim One", "Kim Three"]);
    let next = format!("q=kim&limit=2&after={}", text(&first["next"]));
    assert_eq!(found(&root, &next).await, ["Kim Two"]);
    assert_eq!(
        found(&root, "q=kim&active=true").await,
        ["Kim Three", "Kim Two"]
    );
    assert_eq!(found(&root, "q=kim&active=false").await, ["Kim One"]);
    root.get("/people?active=maybe").await.problem(422);

    let browser = app.browser("Root").await;
    let page = browser
        .get("/people?q=kim&limit=2")
        .await
        .expect(200)
        .text();
    assert!(page.contains("href=\"/people?q=kim&#38;after="), "{page}");
    assert!(page.contains("value=\"kim\""), "{page}");
    let nobody = browser.get("/people?q=nobody").await.expect(200).text();
    assert!(nobody.contains("No one matches"), "{nobody}");
}

#[actix_web::test]
async fn library_can_be_filtered_by_the_name_or_address_of_the_author() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada Lovelace", "Bob"]).await;
    for (author, title) in [(&ada, "by Ada"), (&bob, "by Bob")] {
        author
            .update(json!({ "title": title, "visibility": "workspace" }))
            .await;
    }
    let address = email("Ada Lovelace");
    for author in ["ada%20lovelace", address.as_str(), ada.id.as_str()] {
        let path = format!("/updates?author={author}");
        assert_eq!(titles(&bob, &path).await, ["by Ada"], "{author}");
    }
    assert_eq!(titles(&bob, "/updates?author=me").await, ["by Bob"]);
    assert_eq!(titles(&bob, "/updates?author=ada").await, [""; 0]);

    let browser = app.browser("Bob").await;
    let page = async |author: &str| {
        let path = format!("/updates?author={author}");
        browser.get(&path).await.expect(200).text()
    };
    assert!(page(&ada.id).await.contains("value=\"Ada Lovelace\""));
    assert!(
        page("ada")
            .await
            .contains("Nobody here has the name or e-mail address “ada”.")
    );
    // If several people have the same name, the field shows an address, which identifies the author.
    app.execute(
        "UPDATE people SET name = 'Ada Lovelace', name_key = 'ada lovelace' WHERE name = 'Bob'",
    )
    .await;
    let shown = page(&ada.id).await;
    assert!(shown.contains(&format!("value=\"{address}\"")), "{shown}");
    let several = page("Ada%20Lovelace").await;
    assert!(several.contains("2 people are called"), "{several}");
}

#[actix_web::test]
async fn pages_do_not_grow_with_the_number_of_accounts() {
    let app = TestApp::start().await;
    let root = app.admin("Root").await;
    let group = json!({ "name": "ops", "members": [email("Root")] });
    root.post("/groups", group).await.expect(201);
    let path = root
        .update(json!({ "title": "T", "audience": ["everyone"] }))
        .await;
    let browser = app.browser("Root").await;
    let pages = [
        "/inbox".to_owned(),
        "/updates".into(),
        "/updates/new".into(),
        format!("{path}/edit"),
        path,
        "/people".into(),
        "/groups".into(),
        "/workspace?edit".into(),
        "/links".into(),
        "/me".into(),
    ];
    app.execute(
        "WITH RECURSIVE numbers (n) AS (SELECT 1000 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1039)
         INSERT INTO people (id, email, email_key, name, name_key, role, time_zone, created_at)
         SELECT 'p' || n, 'p' || n || '@example.org', 'p' || n || '@example.org', 'P ' || n, 'p ' || n, 'member',
         'UTC', 0
         FROM numbers",
    )
    .await;
    let mut before = Vec::new();
    for page in &pages {
        before.push(browser.get(page).await.expect(200).body.len());
    }
    app.execute(
        "WITH RECURSIVE numbers (n) AS (SELECT 1040 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1339)
         INSERT INTO people (id, email, email_key, name, name_key, role, time_zone, created_at)
         SELECT 'p' || n, 'p' || n || '@example.org', 'p' || n || '@example.org', 'P ' || n, 'p ' || n, 'member',
         'UTC', 0
         FROM numbers",
    )
    .await;
    for (page, before) in pages.iter().zip(before) {
        let after = browser.get(page).await.expect(200).body.len();
        assert!(
            after < before + 200,
            "{page} has {before} bytes with 41 people and {after} bytes with 341"
        );
    }
}

#[actix_web::test]
async fn group_form_has_its_own_page_and_lists_the_members() {
    let app = TestApp::start().await;
    let [ada, _] = app.people(["Ada", "Bob"]).await;
    let group = json!({ "name": "ops", "members": [email("Ada"), email("Bob")] });
    let group = ada.post("/groups", group).await.expect(201).json();
    let browser = app.browser("Ada").await;
    let list = browser.get("/groups").await.expect(200).text();
    assert!(!list.contains(&email("Bob")), "{list}");
    let edit = format!("/groups?edit={}", text(&group["id"]));
    assert!(list.contains(&format!("href=\"{edit}")), "{list}");
    let form = browser.get(&edit).await.expect(200).text();
    let members = format!("value=\"{}, {}\"", email("Ada"), email("Bob"));
    assert!(form.contains(&members), "{form}");
    let option = format!("<option value=\"{}\">Bob</option>", email("Bob"));
    assert!(form.contains(&option), "{form}");
}
