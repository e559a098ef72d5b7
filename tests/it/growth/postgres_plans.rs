//! PostgreSQL's plans for lists and searches in a large workspace. No list reads a whole table that grows with the
//! workspace.

use sqlx::{AnyConnection, AssertSqlSafe, Executor, Row};

use super::measure::lists;
use super::seed::Workspace;
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

/// Panics if a statement of a list reads a whole large table.
pub(super) async fn check(workspace: &Workspace) {
    let mut connection = workspace.connection().await;
    // Plan without the values of the parameters, because sqlx does not reveal them.
    connection
        .execute("SET plan_cache_mode = force_generic_plan")
        .await
        .unwrap();
    let mut explained = 0;
    for (what, client, path) in lists(workspace, 30).await {
        for statement in counting::statements(&client.get(&path).await.expect(200)) {
            let Some(plan) = explain(&mut connection, &statement).await else {
                continue;
            };
            explained += 1;
            for table in LARGE {
                let scan = format!("Seq Scan on {table} ");
                assert!(
                    !plan.iter().any(|line| line.contains(&scan)),
                    "{what}: {statement}\n{}",
                    plan.join("\n")
                );
            }
        }
    }
    assert!(explained > 50, "{explained}");
}

/// Returns the plan of a statement, or `None` if it is not a query.
async fn explain(connection: &mut AnyConnection, statement: &str) -> Option<Vec<String>> {
    if !statement.starts_with("SELECT") {
        return None;
    }
    let parameters = (1..=999)
        .rev()
        .find(|n| statement.contains(&format!("${n}")))
        .unwrap_or(0);
    let values = vec!["NULL"; parameters].join(", ");
    let execute = if parameters == 0 {
        "EXPLAIN EXECUTE explained".to_owned()
    } else {
        format!("EXPLAIN EXECUTE explained({values})")
    };
    let prepare = format!("PREPARE explained AS {statement}");
    connection.execute(AssertSqlSafe(prepare)).await.unwrap();
    let rows = sqlx::raw_sql(AssertSqlSafe(execute))
        .fetch_all(&mut *connection)
        .await
        .unwrap();
    connection.execute("DEALLOCATE explained").await.unwrap();
    Some(rows.iter().map(|row| row.get(0)).collect())
}
