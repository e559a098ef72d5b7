//! Starts a Hearback server for one test. Each server has its own port, database and storage, and a clock that the
//! test can move.
//!
//! `HEARBACK_TEST=sqlite` (the default) uses SQLite and a folder. `HEARBACK_TEST=postgres` uses PostgreSQL and S3 at
//! the addresses that `bin/test-servers` prints.

mod client;
mod inspect;
mod json;
mod response;
mod servers;
mod shared;

use std::collections::BTreeMap;
use std::sync::Arc;

use hearback::app::App;
use hearback::clock::Clock;
use hearback::config::Config;
use hearback::people::{self, NewAccount, Role};
use hearback::state::State;
use reqwest::StatusCode;
use tempfile::TempDir;

pub use self::client::Client;
pub use self::inspect::files;
pub use self::json::{array, comment_path, media_path, text, texts, update_path};
pub use self::response::Response;
pub use self::servers::{authority, empty_database, postgres, s3};
use self::servers::{database_url, env, fresh_database};

pub const PASSWORD: &str = "correct horse battery";

/// A running server.
pub struct TestApp {
    pub base: String,
    pub state: Arc<State>,
    pub dir: TempDir,
    /// The code in the setup link. `None` if an account existed when the server started.
    pub setup_code: Option<String>,
    settings: BTreeMap<String, String>,
    database: Option<String>,
}

impl TestApp {
    /// Starts a server with the default settings.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts a server with settings that `change` adjusts.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_prepared(change, async |_| {}).await
    }

    /// Like [`Self::start_with`], but first runs `prepare`, which can create files and database rows.
    pub async fn start_prepared(
        change: impl FnOnce(&mut Config),
        prepare: impl AsyncFnOnce(&Config),
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = BTreeMap::from([
            ("HEARBACK_LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
            ("HEARBACK_DATA".to_owned(), dir.path().display().to_string()),
        ]);
        let mut database = None;
        if postgres() {
            let name = fresh_database().await;
            settings.insert("DATABASE_URL".into(), database_url(&name));
            settings.insert(
                "HEARBACK_STORAGE".into(),
                format!("s3://hearback-test/{name}"),
            );
            settings.insert(
                "HEARBACK_S3_ENDPOINT".into(),
                env("HEARBACK_TEST_S3_ENDPOINT"),
            );
            settings.insert("HEARBACK_S3_PATH_STYLE".into(), "true".into());
            database = Some(name);
        }
        Self::launch(dir, settings, database, change, prepare).await
    }

    async fn launch(
        dir: TempDir,
        settings: BTreeMap<String, String>,
        database: Option<String>,
        change: impl FnOnce(&mut Config),
        prepare: impl AsyncFnOnce(&Config),
    ) -> Self {
        let mut config = Config::parse(settings.clone()).unwrap();
        change(&mut config);
        prepare(&config).await;
        let app = App::build(config, Clock::default()).await.unwrap();
        let (base, state) = (format!("http://127.0.0.1:{}", app.port()), app.state());
        shared::use_tools(&state).await;
        let (_, setup) = app.start_links().await.unwrap();
        let setup_code =
            setup.and_then(|link| link.split_once("code=").map(|(_, code)| code.to_owned()));
        actix_web::rt::spawn(async move { app.run().await.unwrap() });
        Self {
            base,
            state,
            dir,
            setup_code,
            settings,
            database,
        }
    }

    /// Starts another node of the same installation. Both nodes use the same database and storage,
    /// but different data folders. Requires PostgreSQL and S3.
    pub async fn second_node(first: &Self) -> Self {
        Self::second_node_with(first, |_| {}).await
    }

    /// Like [`Self::second_node`], with settings that `change` adjusts.
    pub async fn second_node_with(first: &Self, change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = first.settings.clone();
        settings.insert("HEARBACK_DATA".into(), dir.path().display().to_string());
        Self::launch(dir, settings, first.database.clone(), change, async |_| {}).await
    }

    /// Returns the prefix of this server's keys in the bucket, without the slash. All tests share one bucket.
    pub fn storage_prefix(&self) -> &str {
        self.database.as_deref().unwrap()
    }

    /// Returns the settings of this server as environment variables and their values.
    pub fn settings(&self) -> &BTreeMap<String, String> {
        &self.settings
    }

    /// Sets the server's clock to this time.
    pub fn set_clock(&self, moment: &str) {
        let moment = hearback::clock::parse_rfc3339(moment).unwrap();
        let clock = &self.state.clock;
        clock.advance(moment - clock.now());
    }

    /// Adds a member and returns a client that uses the member's API token.
    pub async fn person(&self, name: &str) -> Client {
        self.account(name, Role::Member).await
    }

    /// Adds members and returns a client for each, like [`Self::person`].
    pub async fn people<const N: usize>(&self, names: [&str; N]) -> [Client; N] {
        let mut clients = Vec::new();
        for name in names {
            clients.push(self.person(name).await);
        }
        clients.try_into().unwrap_or_else(|_| unreachable!())
    }

    /// Adds an admin and returns a client that uses the admin's API token.
    pub async fn admin(&self, name: &str) -> Client {
        self.account(name, Role::Admin).await
    }

    async fn account(&self, name: &str, role: Role) -> Client {
        let email = email(name);
        let password = Some(shared::password_hash().await);
        let mut tx = self.state.db.begin().await.unwrap();
        let new = NewAccount {
            email,
            name: name.into(),
            role,
            password,
            time_zone: "Europe/Berlin".into(),
        };
        let id = people::add(&mut tx, &self.state.clock, &new).await.unwrap();
        let (_, token) = people::create_token(&mut tx, &self.state.clock, &id, "test")
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let mut client = self.client().bearer(&token);
        client.id = id;
        client
    }

    /// Returns a client without an account. It keeps cookies and does not follow redirects.
    pub fn client(&self) -> Client {
        Client::at(&self.base)
    }

    /// Returns a browser in which the person with this name is signed in.
    pub async fn browser(&self, name: &str) -> Client {
        let client = self.client().accept("text/html");
        let response = client
            .form(
                "POST",
                "/session",
                &[("email", &email(name)), ("password", PASSWORD)],
            )
            .await;
        assert_eq!(
            response.status,
            StatusCode::SEE_OTHER,
            "{}",
            response.text()
        );
        client
    }
}

/// Returns the email address that [`TestApp::person`] gives to the person with this name.
pub fn email(name: &str) -> String {
    format!("{}@example.org", name.to_lowercase().replace(' ', "."))
}

/// Reads a file from `tests/fixtures`.
pub fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!(
        "{}/tests/fixtures/{name}",
        env!("CARGO_MANIFEST_DIR")
    ))
    .unwrap_or_else(|error| panic!("{name}: {error}"))
}
