//! SQLite's query plans for the common pages: no list reads a whole table.
//!
//! The program never runs `ANALYZE` or `PRAGMA optimize`, because statistics made the plans worse. Plans therefore depend on the
//! schema alone, and an empty database has the same plans as a large one.

use std::collections::BTreeMap;

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};

use crate::app::{TestApp, email, fixture, postgres};
use crate::counting;

/// Tables that grow with the workspace.
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

/// One step of the plan of a statement.
struct Step {
    page: String,
    statement: String,
    /// SQLite's description, such as `SEARCH u USING INDEX updates_author (author_id=?)`.
    detail: String,
}

impl Step {
    /// Returns the tables that the step may read. One alias can stand for several tables of a statement.
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

    /// Whether the step reads all rows of a large table, directly or through an index that selects none.
    fn reads_whole_table(&self) -> bool {
        // A scan in list order stops after one page, and an existence check stops at the first row.
        let bounded = (self.detail.contains("USING INDEX updates_listed")
            && self.statement.contains("LIMIT"))
            || (self
                .statement
                .starts_with("SELECT count(*) FROM (SELECT 1 ")
                && self.statement.contains(" LIMIT 1)"));
        self.detail.starts_with("SCAN ")
            && !bounded
            && self.tables().iter().any(|table| LARGE.contains(table))
    }
}

async fn explain(connection: &mut SqliteConnection, page: &str, statement: &str) -> Vec<Step> {
    let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")))
        .fetch_all(connection)
        .await
        .unwrap();
    let details: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
    // A subquery that is computed first is not a table.
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

#[actix_web::test]
async fn pages_read_no_whole_table() {
    if postgres() {
        return;
    }
    counting::start();
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let files = [("media", "a.png", fixture("alpha.png"))];
    let fields = [
        ("title", "T"),
        ("notes", "words"),
        ("audience", &email("Bob")),
        ("expectation", "readback"),
        ("publish", "true"),
    ];
    let update = ada
        .upload("/updates", &fields, &files)
        .await
        .expect(201)
        .json();
    let update = format!("/updates/{}", update["id"].as_str().unwrap());
    bob.upload(
        &format!("{update}/comments"),
        &[("body", "Look")],
        &[("pictures", "a.png", fixture("alpha.png"))],
    )
    .await
    .expect(201);
    let trashed = ada
        .update(json!({ "title": "Away", "publish": false }))
        .await;
    ada.delete(&trashed).await.expect(204);
    app.wait_for_jobs().await;

    let lists = [
        "",
        "?state=draft",
        "?state=published",
        "?state=trashed",
        "?author=me",
        "?audience=me",
        "?kind=image",
        "?q=words",
    ];
    let mut pages: Vec<String> = lists.iter().map(|list| format!("/updates{list}")).collect();
    pages.extend(["/inbox", "/receipts", &update].map(str::to_owned));
    pages.extend(["comments", "receipts", "versions"].map(|part| format!("{update}/{part}")));
    let mut connection = SqliteConnection::connect(&format!(
        "sqlite://{}/hearback.db",
        app.dir.path().display()
    ))
    .await
    .unwrap();
    let (mut steps, browser) = (Vec::new(), app.browser("Ada").await);
    for page in &pages {
        for client in [&ada, &browser] {
            for statement in counting::statements(&client.get(page).await.expect(200)) {
                steps.extend(explain(&mut connection, page, &statement).await);
            }
        }
    }
    let sweep = "SELECT id FROM updates WHERE trashed_at < $1 LIMIT 100";
    steps.extend(explain(&mut connection, "the sweep", sweep).await);

    let mut whole: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for step in steps.iter().filter(|step| step.reads_whole_table()) {
        whole
            .entry(step.page.clone())
            .or_default()
            .push(format!("{}\n    of {}", step.detail, step.statement));
    }
    assert!(whole.is_empty(), "{whole:#?}");
    let planned = |page: &str, detail: &str| {
        let of_page: Vec<&str> = steps
            .iter()
            .filter(|step| step.page == page)
            .map(|step| step.detail.as_str())
            .collect();
        assert!(
            of_page.iter().any(|step| step.contains(detail)),
            "{page}: {detail} is not among {of_page:#?}"
        );
    };
    planned("/updates", "USING INDEX updates_listed");
    planned("/updates?state=published", "USING INDEX updates_listed");
    planned(
        "/updates?author=me",
        "USING INDEX updates_author (author_id=?",
    );
    planned("/receipts", "USING INDEX updates_author (author_id=?");
    planned("/inbox", "USING INDEX receipts_owing (person_id=?");
    planned("/inbox", "USING INDEX updates_waiting (author_id=?");
    planned(&update, "USING INDEX media_update (update_id=?)");
    planned(&update, "USING INDEX comments_update (update_id=?)");
    planned("the sweep", "updates_trashed (trashed_at<?)");
    // These indexes serve only rows in the trash and media in comments.
    for (index, page) in [
        ("updates_trashed", "?state=trashed"),
        ("media_comment", "comments"),
    ] {
        let by: Vec<&Step> = steps
            .iter()
            .filter(|step| step.detail.contains(index) && step.page.starts_with('/'))
            .collect();
        assert!(
            by.iter().all(|step| step.page.ends_with(page)),
            "{index}: {:?}",
            by.iter().map(|step| &step.page).collect::<Vec<_>>()
        );
    }
}
