//! SQLite's query plans for the common pages. No page may scan a whole large table.
//!
//! Hearback never runs `ANALYZE` or `PRAGMA optimize`, because statistics made the plans worse.
//! Without statistics, plans depend only on the schema. An empty database therefore has the same
//! plans as a large one.

use std::collections::BTreeMap;

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};

use crate::app::{Client, TestApp, email, fixture, postgres};
use crate::counting;

/// Tables that grow with the amount of content.
const LARGE: [&str; 12] = [
    "updates",
    "media",
    "renditions",
    "comments",
    "reactions",
    "receipts",
    "audience",
    "notices",
    "events",
    "revisions",
    "exchanges",
    "said",
];

/// The part of the list that the person wrote, and the parts that others opened to the person.
const OWN: &str = "updates_own (author_id=?";
const ACCESS: &str = "sqlite_autoindex_update_access_1 (principal=?";

/// One step in the query plan of an SQL statement.
struct Step {
    page: String,
    statement: String,
    /// SQLite's description, such as `SEARCH u USING INDEX updates_author (author_id=?)`.
    detail: String,
}

impl Step {
    /// Returns the tables that the step may read. The result can have several tables, because a statement can use the
    /// same alias more than once.
    fn tables(&self) -> Vec<&str> {
        let alias = self.detail.split(' ').nth(1).unwrap_or_default();
        let words: Vec<&str> = self
            .statement
            .split([' ', '\n', '(', ')', ','])
            .filter(|word| !word.is_empty())
            .collect();
        let named = |at: usize| {
            let name = if words.get(at + 2) == Some(&"AS") {
                words.get(at + 3)
            } else {
                words.get(at + 2)
            };
            words[at + 1] == alias || name == Some(&alias)
        };
        let sources =
            (0..words.len().saturating_sub(1)).filter(|at| matches!(words[*at], "FROM" | "JOIN"));
        sources
            .filter(|at| named(*at))
            .map(|at| words[at + 1])
            .collect()
    }

    /// Returns whether the step scans a whole large table, or a whole index of a large table.
    fn reads_whole_table(&self) -> bool {
        // An existence check stops at the first row.
        let bounded = self
            .statement
            .starts_with("SELECT count(*) FROM (SELECT 1 ")
            && self.statement.contains(" LIMIT 1)");
        self.detail.starts_with("SCAN ")
            && !bounded
            && self.tables().iter().any(|table| LARGE.contains(table))
    }
}

/// Returns the steps in the query plan of an SQL statement.
async fn explain(connection: &mut SqliteConnection, page: &str, statement: &str) -> Vec<Step> {
    let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")))
        .fetch_all(connection)
        .await
        .unwrap();
    let details: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
    // Leave out steps that scan the result of a subquery, because it is not a table.
    let derived = |detail: &str| {
        let alias = detail.split(' ').nth(1).unwrap_or_default();
        details.iter().any(|other| {
            *other == format!("CO-ROUTINE {alias}") || *other == format!("MATERIALIZE {alias}")
        })
    };
    let steps = details.iter().filter(|detail| !derived(detail));
    steps
        .map(|detail| Step {
            page: page.into(),
            statement: statement.into(),
            detail: detail.clone(),
        })
        .collect()
}

/// Adds updates, comments and media, so that every page has content. Returns the path of an update by Ada for Bob.
async fn fill(app: &TestApp, ada: &Client, bob: &Client) -> String {
    let files = [("media", "a.png", fixture("alpha.png"))];
    let fields = [
        ("title", "T"),
        ("notes", "words"),
        ("audience", &email("Bob")),
        ("expectation", "readback"),
        ("publish", "true"),
    ];
    let update = ada.upload("/updates", &fields, &files).await;
    let update = update.expect(201).json();
    let update = format!("/updates/{}", update["id"].as_str().unwrap());
    let pictures = [("pictures", "a.png", fixture("alpha.png"))];
    bob.upload(
        &format!("{update}/comments"),
        &[("body", "Look")],
        &pictures,
    )
    .await
    .expect(201);
    let trashed = ada
        .update(json!({ "title": "Away", "publish": false }))
        .await;
    ada.delete(&trashed).await.expect(204);
    app.wait_for_jobs().await;
    update
}

/// Returns the addresses of the pages whose queries are checked.
fn pages(update: &str) -> Vec<String> {
    let lists = [
        "",
        "?state=draft",
        "?state=published",
        "?state=trashed",
        "?author=me",
        "?author=x",
        "?audience=me",
        "?kind=image",
        "?q=words",
    ];
    let mut pages: Vec<String> = lists.iter().map(|list| format!("/updates{list}")).collect();
    pages.extend(["/inbox", "/receipts", update].map(str::to_owned));
    pages.extend(["comments", "receipts", "versions"].map(|part| format!("{update}/{part}")));
    pages
}

/// Returns the query plan steps of all SQL statements that the pages execute, and of the query with which the cleanup
/// finds old updates in the trash. Each page is requested as HTML and as JSON.
async fn explain_pages(app: &TestApp, ada: &Client, pages: &[String]) -> Vec<Step> {
    let database = app.dir.path().join("hearback.db");
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}", database.display()))
        .await
        .unwrap();
    let (mut steps, browser) = (Vec::new(), app.browser("Ada").await);
    for page in pages {
        for client in [ada, &browser] {
            for statement in counting::statements(&client.get(page).await.expect(200)) {
                steps.extend(explain(&mut connection, page, &statement).await);
            }
        }
    }
    let sweep = "SELECT id FROM updates WHERE trashed_at < $1 LIMIT 100";
    steps.extend(explain(&mut connection, "the sweep", sweep).await);
    steps
}

#[actix_web::test]
async fn queries_for_a_page_never_scan_a_whole_table() {
    if postgres() {
        return;
    }
    counting::start();
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let update = fill(&app, &ada, &bob).await;
    let steps = explain_pages(&app, &ada, &pages(&update)).await;

    let mut whole: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for step in steps.iter().filter(|step| step.reads_whole_table()) {
        whole
            .entry(&step.page)
            .or_default()
            .push(format!("{}\n    of {}", step.detail, step.statement));
    }
    assert!(whole.is_empty(), "{whole:#?}");
    for (page, detail) in [
        ("/updates", OWN),
        ("/updates", ACCESS),
        (
            "/updates?state=published",
            "updates_own_published (author_id=?",
        ),
        ("/updates?state=published", ACCESS),
        ("/updates?state=draft", "updates_own_drafts (author_id=?"),
        ("/updates?state=trashed", "updates_own_trashed (author_id=?"),
        ("/updates?kind=image", "updates_own_image (author_id=?"),
        ("/updates?kind=image", "update_access_image (principal=?"),
        ("/updates?audience=me", "updates_to_everyone"),
        ("/updates?author=me", OWN),
        (
            "/updates?author=x",
            "update_access_author (principal=? AND author_id=?",
        ),
        ("/updates?q=words", "SCAN w VIRTUAL TABLE INDEX"),
        ("/receipts", "updates_own_published (author_id=?"),
        ("/inbox", "USING INDEX receipts_owing (person_id=?"),
        ("/inbox", "USING INDEX updates_waiting (author_id=?"),
        ("/inbox", "USING INDEX updates_to_hear (author_id=?"),
        (&update, "USING INDEX media_update (update_id=?)"),
        (&update, "USING INDEX comments_update (update_id=?)"),
        ("the sweep", "updates_trashed (trashed_at<?)"),
    ] {
        assert_planned(&steps, page, detail);
    }
    // The first index contains only updates in the trash, so only the trash page may use it. The second index contains
    // only media in comments, so only the pages with comments may use it.
    let comments = [
        update.as_str(),
        &format!("{update}/comments"),
        &format!("{update}/receipts"),
    ];
    for (index, allowed) in [
        ("updates_trashed", &["/updates?state=trashed"][..]),
        ("media_comment", &comments[..]),
    ] {
        let pages: Vec<&str> = steps
            .iter()
            .filter(|step| step.detail.contains(index) && step.page.starts_with('/'))
            .map(|step| step.page.as_str())
            .collect();
        assert!(
            pages.iter().all(|used| allowed.contains(used)),
            "{index}: {pages:?}"
        );
    }
}

fn assert_planned(steps: &[Step], page: &str, detail: &str) {
    let of_page: Vec<&str> = steps
        .iter()
        .filter(|step| step.page == page)
        .map(|step| step.detail.as_str())
        .collect();
    assert!(
        of_page.iter().any(|step| step.contains(detail)),
        "{page}: {detail} is not among {of_page:#?}"
    );
}
