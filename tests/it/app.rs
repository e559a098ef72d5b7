//! A Hearback of a test's own: a free port, a fresh database, fresh storage, a clock that the test moves.
//!
//! `HEARBACK_TEST=sqlite` (default) is SQLite and a folder; `HEARBACK_TEST=postgres` is PostgreSQL and S3, at the addresses that
//! `bin/test-servers` prints.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hearback::app::App;
use hearback::clock::{Clock, secret};
use hearback::config::Config;
use hearback::infra::db::Db;
use hearback::people::{self, Hashed, NewAccount, Role};
use hearback::state::State;
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use sqlx::{Connection, Executor};
use tempfile::TempDir;
use tokio::sync::OnceCell;

pub const PASSWORD: &str = "correct horse battery";

/// A running Hearback.
pub struct TestApp {
    pub base: String,
    pub state: Arc<State>,
    pub dir: TempDir,
    /// The code of the set-up link, while there is no account.
    pub setup_code: Option<String>,
    settings: BTreeMap<String, String>,
    database: Option<String>,
}

impl TestApp {
    /// With the default settings.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// With settings changed by the test.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_after(change, async |_| {}).await
    }

    /// With settings changed by the test, and a folder and a database that it prepares before the start.
    pub async fn start_after(
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
        let (_, setup) = app.invitation().await.unwrap();
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

    /// Another node of the same installation: the same database and storage, a folder of its own. On PostgreSQL and S3 only.
    pub async fn beside(other: &Self) -> Self {
        Self::beside_with(other, |_| {}).await
    }

    /// The same with settings changed by the test.
    pub async fn beside_with(other: &Self, change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = other.settings.clone();
        settings.insert("HEARBACK_DATA".into(), dir.path().display().to_string());
        Self::launch(dir, settings, other.database.clone(), change, async |_| {}).await
    }

    /// What its keys begin with in the bucket of all tests, without the slash.
    pub fn prefix(&self) -> &str {
        self.database.as_deref().unwrap()
    }

    /// The settings it was started with, by name: for the command line beside it.
    pub fn settings(&self) -> &BTreeMap<String, String> {
        &self.settings
    }

    /// Adds an account and answers a client with a token of it.
    pub async fn person(&self, name: &str) -> Client {
        self.account(name, Role::Member).await
    }

    /// The same for an admin.
    pub async fn admin(&self, name: &str) -> Client {
        self.account(name, Role::Admin).await
    }

    async fn account(&self, name: &str, role: Role) -> Client {
        let email = email(name);
        let password = Some(Hashed::new(PASSWORD, &[]).await.unwrap());
        let mut tx = self.state.db.begin().await.unwrap();
        let new = NewAccount {
            email,
            name: name.into(),
            role,
            password,
            time_zone: "Europe/Berlin".into(),
        };
        let id = people::add(&mut tx, &self.state.clock, &new).await.unwrap();
        let (_, token) = people::add_token(&mut tx, &self.state.clock, &id, "test")
            .await
            .unwrap();
        tx.commit().await.unwrap();
        Client {
            id,
            ..self.client().bearer(&token)
        }
    }

    /// A client that nobody knows; it keeps cookies and follows no redirect.
    pub fn client(&self) -> Client {
        Client::at(&self.base)
    }

    /// A browser that is signed in as the person of that name.
    pub async fn browser(&self, name: &str) -> Client {
        let client = self.client().accept("text/html");
        let answer = client
            .form(
                "POST",
                "/session",
                &[("email", &email(name)), ("password", PASSWORD)],
            )
            .await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        client
    }

    /// Waits until `get` answers a body that `fits`, at most 60 s; panics with the last body.
    pub async fn wait_for(
        &self,
        client: &Client,
        path: &str,
        fits: impl Fn(&Value) -> bool,
    ) -> Value {
        let (until, mut changes) = (
            std::time::Instant::now() + Duration::from_secs(60),
            self.changes(),
        );
        loop {
            let answer = client.get(path).await;
            if answer.status == StatusCode::OK && fits(&answer.json()) {
                return answer.json();
            }
            assert!(
                std::time::Instant::now() < until,
                "{path} never fitted: {}",
                answer.text()
            );
            changes.next().await;
        }
    }

    /// Waits until no job waits or runs, but for what is to be looked after once more at a later time.
    pub async fn jobs_done(&self) {
        let until = std::time::Instant::now() + Duration::from_secs(60);
        let counts =
            "SELECT count(*) FILTER (WHERE dead_at IS NULL AND (kind <> 'clear' OR run_at <= $1)),
             count(*) FILTER (WHERE dead_at IS NOT NULL) FROM jobs";
        let mut changes = self.changes();
        loop {
            let asked = sqlx::query_as(counts).bind(self.state.clock.now());
            let (waiting, dead): (i64, i64) = asked
                .fetch_one(&mut *self.state.db.read().await.unwrap())
                .await
                .unwrap();
            assert_eq!(dead, 0, "a job died");
            if waiting == 0 {
                return;
            }
            assert!(std::time::Instant::now() < until, "{waiting} jobs wait");
            changes.next().await;
        }
    }

    /// Wakes a test that waits for something, so that it does not take the processor from what it waits for.
    fn changes(&self) -> Changes {
        Changes {
            commits: self.state.db.commits(),
        }
    }
}

/// See [`TestApp::changes`].
struct Changes {
    commits: tokio::sync::watch::Receiver<()>,
}

impl Changes {
    /// Returns after this node's next commit, or soon: what changes need not be in the database, and another node may have changed it.
    async fn next(&mut self) {
        let _ = tokio::time::timeout(Duration::from_millis(50), self.commits.changed()).await;
    }
}

/// What lies in storage and where files are in the making; for tests that look behind the house.
impl TestApp {
    /// Every object and every unfinished one: empty when nothing is stored.
    pub async fn objects(&self) -> Vec<String> {
        let mut found = files(&self.dir.path().join("tmp"));
        let Some(prefix) = &self.database else {
            found.extend(files(&self.dir.path().join("media")));
            return found;
        };
        let s3 = s3();
        let listed = s3
            .list_objects_v2()
            .bucket("hearback-test")
            .prefix(prefix)
            .send()
            .await
            .unwrap();
        found.extend(
            listed
                .contents()
                .iter()
                .filter_map(|object| object.key().map(str::to_owned)),
        );
        found.extend(self.unfinished_objects().await);
        found
    }

    /// The multipart uploads that were begun and are neither completed nor aborted, by key. None on a disk.
    pub async fn unfinished_objects(&self) -> Vec<String> {
        let Some(prefix) = &self.database else {
            return Vec::new();
        };
        let begun = s3()
            .list_multipart_uploads()
            .bucket("hearback-test")
            .prefix(prefix)
            .send()
            .await
            .unwrap();
        begun
            .uploads()
            .iter()
            .filter_map(|upload| upload.key().map(str::to_owned))
            .collect()
    }

    /// A number that the database answers.
    pub async fn count(&self, statement: &'static str) -> i64 {
        sqlx::query_scalar(statement)
            .fetch_one(&mut *self.state.db.read().await.unwrap())
            .await
            .unwrap()
    }

    /// What the person of that name was told, as `kind subject`, in no order that means anything; read or not.
    pub async fn told(&self, name: &str) -> Vec<(String, String)> {
        let rows = sqlx::query_as(
            "SELECT n.kind, n.subject_id FROM notices n JOIN people p ON p.id = n.person_id WHERE p.name = $1 ORDER BY n.subject_id, n.kind",
        );
        rows.bind(name)
            .fetch_all(&mut *self.state.db.read().await.unwrap())
            .await
            .unwrap()
    }

    /// Changes the database behind the program's back.
    pub async fn execute(&self, statement: &'static str) -> u64 {
        let mut tx = self.state.db.begin().await.unwrap();
        let done = sqlx::query(statement).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        done.rows_affected()
    }

    /// Waits until `fits`, at most 60 s.
    pub async fn until(&self, what: &str, mut fits: impl AsyncFnMut() -> bool) {
        let (until, mut changes) = (
            std::time::Instant::now() + Duration::from_secs(60),
            self.changes(),
        );
        while !fits().await {
            assert!(std::time::Instant::now() < until, "waited in vain: {what}");
            changes.next().await;
        }
    }
}

/// Every file in a folder and its folders.
pub fn files(folder: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path))
        } else {
            found.push(path.display().to_string())
        }
    }
    found
}

/// A client of the bucket of this run.
pub fn s3() -> aws_sdk_s3::Client {
    use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
    let keys = aws_sdk_s3::config::Credentials::new(
        env("AWS_ACCESS_KEY_ID"),
        env("AWS_SECRET_ACCESS_KEY"),
        None,
        None,
        "test",
    );
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
        .region(aws_sdk_s3::config::Region::new("us-east-1"))
        .endpoint_url(env("HEARBACK_TEST_S3_ENDPOINT"))
        .force_path_style(true)
        .credentials_provider(keys)
        .http_client(http);
    aws_sdk_s3::Client::from_conf(config.build())
}

impl Drop for TestApp {
    fn drop(&mut self) {
        // The server dies with its database name; thousands of them are thrown away with the test servers.
        self.database.take();
    }
}

/// An HTTP client of one person, guest or nobody.
#[derive(Clone)]
pub struct Client {
    base: String,
    /// The person's id, where the client was made for one.
    pub id: String,
    headers: HeaderMap,
    http: reqwest::Client,
}

fn http() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .cookie_store(true)
        .build()
        .unwrap()
}

impl Client {
    /// A client of a server that a test started by itself.
    pub fn at(base: &str) -> Self {
        Self {
            base: base.into(),
            id: String::new(),
            headers: HeaderMap::new(),
            http: http(),
        }
    }

    pub fn bearer(mut self, token: &str) -> Self {
        self.headers.insert(
            "authorization",
            HeaderValue::from_str(&format!("Bearer {token}")).unwrap(),
        );
        self
    }

    /// What it says of itself, for requests that are written by hand.
    pub fn authorization(&self) -> &str {
        self.headers["authorization"].to_str().unwrap()
    }

    /// The same person at another server.
    pub fn elsewhere(&self, base: &str) -> Self {
        Self {
            base: base.into(),
            ..self.clone()
        }
    }

    pub fn accept(mut self, kinds: &str) -> Self {
        self.headers
            .insert("accept", HeaderValue::from_str(kinds).unwrap());
        // What a browser says of a form on a page of ours; without it a request with a cookie is refused.
        self.headers
            .insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
        self
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers
            .insert(name, HeaderValue::from_str(value).unwrap());
        self
    }

    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.base)
        };
        self.http
            .request(Method::from_bytes(method.as_bytes()).unwrap(), url)
            .headers(self.headers.clone())
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request("GET", path)).await
    }

    pub async fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(method, path).json(body)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.json("POST", path, &body).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.json("PATCH", path, &body).await
    }

    pub async fn put(&self, path: &str) -> Answer {
        Answer::of(self.request("PUT", path)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        Answer::of(self.request("DELETE", path)).await
    }

    pub async fn form(&self, method: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        Answer::of(self.request(method, path).form(fields)).await
    }

    /// A multipart form: text fields, and files by (field, file name, bytes).
    pub async fn upload(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        files: &[(&str, &str, Vec<u8>)],
    ) -> Answer {
        let mut form = reqwest::multipart::Form::new();
        for (name, value) in fields {
            form = form.text((*name).to_owned(), (*value).to_owned());
        }
        for (field, file_name, bytes) in files {
            form = form.part(
                (*field).to_owned(),
                reqwest::multipart::Part::bytes(bytes.clone()).file_name((*file_name).to_owned()),
            );
        }
        Answer::of(self.request("POST", path).multipart(form)).await
    }
}

impl Client {
    /// Makes an update of these fields, published at once unless they say otherwise, and answers its path.
    pub async fn update(&self, mut fields: Value) -> String {
        if fields.get("publish").is_none() {
            fields["publish"] = true.into();
        }
        let made = self.post("/updates", fields).await.expect(201).json();
        format!("/updates/{}", made["id"].as_str().unwrap())
    }

    /// Writes a comment on the update at this path and answers its id.
    pub async fn comment(&self, update: &str, body: &str) -> String {
        let made = self
            .post(
                &format!("{update}/comments"),
                serde_json::json!({ "body": body }),
            )
            .await
            .expect(201)
            .json();
        made["id"].as_str().unwrap().to_owned()
    }

    /// Asks a question on the update at this path and answers its id.
    pub async fn question(&self, update: &str, body: &str) -> String {
        let fields = serde_json::json!({ "body": body, "kind": "question" });
        let made = self
            .post(&format!("{update}/comments"), fields)
            .await
            .expect(201)
            .json();
        made["id"].as_str().unwrap().to_owned()
    }

    /// Replies to a comment on the update at this path and answers the reply's id.
    pub async fn reply(&self, update: &str, parent: &str, body: &str) -> String {
        let fields = serde_json::json!({ "body": body, "parent_id": parent });
        let made = self
            .post(&format!("{update}/comments"), fields)
            .await
            .expect(201)
            .json();
        made["id"].as_str().unwrap().to_owned()
    }

    /// Makes a share link to the update at this path and answers its id and its token.
    pub async fn share(&self, update: &str, comments: bool) -> (String, String) {
        let link = self
            .post(
                &format!("{update}/links"),
                serde_json::json!({ "name": "For the board", "comments": comments }),
            )
            .await
            .expect(201)
            .json();
        let (_, token) = link["url"].as_str().unwrap().rsplit_once('/').unwrap();
        (link["id"].as_str().unwrap().to_owned(), token.to_owned())
    }
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub async fn of(request: reqwest::RequestBuilder) -> Self {
        Self::read(request.send().await.unwrap()).await
    }

    pub async fn read(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        Self {
            status,
            headers,
            body: response.bytes().await.unwrap().to_vec(),
        }
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!("{} is not JSON ({error}): {}", self.status, self.text())
        })
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// Panics unless the status is this; answers itself.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }

    /// Panics unless it is a problem document with this status; answers it.
    #[track_caller]
    pub fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert!(
            problem["title"].is_string()
                && problem["detail"].is_string()
                && problem["type"].is_string()
        );
        problem
    }
}

/// The address that [`TestApp::person`] gives a name.
pub fn email(name: &str) -> String {
    format!("{}@example.org", name.to_lowercase().replace(' ', "."))
}

/// A file of `tests/fixtures`.
pub fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!(
        "{}/tests/fixtures/{name}",
        env!("CARGO_MANIFEST_DIR")
    ))
    .unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Whether this run is on PostgreSQL and S3.
pub fn postgres() -> bool {
    match std::env::var("HEARBACK_TEST").as_deref() {
        Ok("postgres") => true,
        Ok("sqlite") | Err(_) => false,
        Ok(other) => panic!("HEARBACK_TEST is {other:?}; it is sqlite or postgres"),
    }
}

fn env(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set; eval \"$(bin/test-servers start DIR)\" first")
    })
}

/// The host and port of an address.
pub fn authority(url: &str) -> String {
    let rest = url.split_once("://").unwrap().1;
    let host = rest.split('/').next().unwrap();
    host.rsplit('@').next().unwrap().to_owned()
}

fn database_url(name: &str) -> String {
    let server = env("HEARBACK_TEST_POSTGRES");
    let (server, _) = server.rsplit_once('/').unwrap();
    format!("{server}/{name}")
}

/// The address of a PostgreSQL database of its own, without any table.
pub async fn empty_database() -> String {
    sqlx::any::install_default_drivers();
    let name = format!("empty_{}", secret());
    let mut server = sqlx::AnyConnection::connect(&env("HEARBACK_TEST_POSTGRES"))
        .await
        .unwrap();
    server
        .execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .await
        .unwrap();
    database_url(&name)
}

/// A database of its own, cloned from one that was migrated once.
async fn fresh_database() -> String {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    sqlx::any::install_default_drivers();
    let mut server = sqlx::AnyConnection::connect(&env("HEARBACK_TEST_POSTGRES"))
        .await
        .unwrap();
    let template = TEMPLATE
        .get_or_init(|| async {
            let name = format!("template_{}", secret());
            let mut server = sqlx::AnyConnection::connect(&env("HEARBACK_TEST_POSTGRES"))
                .await
                .unwrap();
            server
                .execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
                .await
                .unwrap();
            Db::open(&database_url(&name)).await.unwrap().close().await;
            name
        })
        .await;
    let name = format!("test_{}", secret());
    server
        .execute(sqlx::AssertSqlSafe(format!(
            "CREATE DATABASE {name} TEMPLATE {template}"
        )))
        .await
        .unwrap();
    name
}
