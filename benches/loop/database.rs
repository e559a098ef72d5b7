//! The app of a benchmark, and its database.

use hearback::ids::secret;
use hearback::infra::db::Dialect;
use sqlx::{Connection as _, Executor as _};

use crate::app::TestApp;

/// Starts an app with a new database on the PostgreSQL server that `DATABASE_URL` names, or on
/// SQLite if it is not set.
pub(crate) async fn start_app() -> TestApp {
    let server = std::env::var("DATABASE_URL").ok();
    let mut url = None;
    if let Some(server) = server {
        let name = format!("bench_{}", secret());
        sqlx::any::install_default_drivers();
        execute(&format!("CREATE DATABASE {name}")).await;
        let (address, _) = server.rsplit_once('/').unwrap();
        url = Some(format!("{address}/{name}"));
    }
    TestApp::start_with(|config| {
        if let Some(url) = url {
            config.database_url = url;
        }
    })
    .await
}

/// The name of the app's database engine.
pub(crate) fn engine(app: &TestApp) -> &'static str {
    match app.state.db.dialect() {
        Dialect::Sqlite => "SQLite",
        Dialect::Postgres => "PostgreSQL",
    }
}

/// Closes the database of an app, and drops it from the PostgreSQL server.
pub(crate) async fn drop_database(app: &TestApp) {
    app.state.db.close().await;
    if app.state.db.dialect() == Dialect::Postgres {
        let (_, name) = app.state.config.database_url.rsplit_once('/').unwrap();
        execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
    }
}

async fn execute(statement: &str) {
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
