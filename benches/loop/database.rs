//! The database of the benchmark.

use hearback::ids::secret;
use sqlx::{Connection as _, Executor as _};

use crate::app::TestApp;

/// Creates a database on the PostgreSQL server that `DATABASE_URL` names. Returns the name and the
/// URL of the database, or `None` if `DATABASE_URL` is not set.
pub(crate) async fn database() -> Option<(String, String)> {
    let server = std::env::var("DATABASE_URL").ok()?;
    let name = format!("bench_{}", secret());
    sqlx::any::install_default_drivers();
    execute(&format!("CREATE DATABASE {name}")).await;
    let (address, _) = server.rsplit_once('/').unwrap();
    Some((name.clone(), format!("{address}/{name}")))
}

pub(crate) async fn execute(statement: &str) {
    let mut server = sqlx::AnyConnection::connect(&std::env::var("DATABASE_URL").unwrap())
        .await
        .unwrap();
    server
        .execute(sqlx::AssertSqlSafe(statement.to_owned()))
        .await
        .unwrap();
}

/// Updates the planner statistics of PostgreSQL now, so that autovacuum does not update them during
/// the measurements. Does nothing on SQLite.
pub(crate) async fn analyze(app: &TestApp) {
    if std::env::var_os("DATABASE_URL").is_some() {
        app.state
            .db
            .read()
            .await
            .unwrap()
            .execute("ANALYZE")
            .await
            .unwrap();
    }
}
