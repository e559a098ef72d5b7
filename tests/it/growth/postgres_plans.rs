//! PostgreSQL's plans for lists and searches in a large workspace, as it executed them. No list reads a whole table that
//! grows with the workspace, or sorts more than a few pages.

use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor};

use super::measure::lists;
use super::seed::Workspace;
use crate::app::TestApp;
use crate::counting;

/// Tables that grow with the number of updates.
const LARGE: [&str; 6] = [
    "updates",
    "update_access",
    "said",
    "receipts",
    "comments",
    "notices",
];

/// Maximum number of rows of a sort: the searched places, of which there are at most 1,000.
const MAX_SORTED: f64 = 1_000.0;

/// Makes new connections to the database report the plan of every statement that they execute.
const REPORT_PLANS: [&str; 6] = [
    "session_preload_libraries = 'auto_explain'",
    "auto_explain.log_min_duration = 0",
    "auto_explain.log_analyze = on",
    "auto_explain.log_timing = off",
    "auto_explain.log_format = json",
    "client_min_messages = log",
];

/// Panics if a statement of a list reads a whole large table or sorts too many rows.
pub(super) async fn check(workspace: &Workspace) {
    let mut connection = workspace.connection().await;
    for setting in REPORT_PLANS {
        let alter = format!(
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET {}', current_database()); END $$",
            setting.replace('\'', "''")
        );
        connection.execute(AssertSqlSafe(alter)).await.unwrap();
    }
    let node = TestApp::second_node(&workspace.app).await;
    let (mut checked, mut sorts) = (0, 0);
    for (what, client, path) in lists(workspace, 30).await {
        let response = client.with_base(&node.base).get(&path).await.expect(200);
        for plan in counting::notices(&response)
            .iter()
            .filter_map(|text| plan(text))
        {
            sorts += check_step(&plan["Plan"], what, &plan);
            checked += 1;
        }
    }
    assert!(checked > 50 && sorts > 0, "{checked} plans, {sorts} sorts");
    node.state.db.close().await;
}

/// Parses a message of `auto_explain`: the duration, followed by the statement and its plan as JSON. Returns `None` for
/// any other message.
fn plan(message: &str) -> Option<Value> {
    let json = message.split_once("plan:")?.1;
    Some(serde_json::from_str(json).expect("a plan as JSON"))
}

/// Checks a step of a plan and all steps below it. Returns how many of them sort.
fn check_step(step: &Value, what: &str, plan: &Value) -> usize {
    let kind = step["Node Type"].as_str().unwrap();
    let table = step["Relation Name"].as_str().unwrap_or_default();
    assert!(
        kind != "Seq Scan" || !LARGE.contains(&table),
        "{what} reads all of {table}: {plan:#}"
    );
    let mut sorts = 0;
    for child in step["Plans"].as_array().into_iter().flatten() {
        if kind.ends_with("Sort") {
            let rows = child["Actual Rows"].as_f64().unwrap();
            assert!(rows <= MAX_SORTED, "{what} sorts {rows} rows: {plan:#}");
            sorts += 1;
        }
        sorts += check_step(child, what, plan);
    }
    sorts
}
