//! The PostgreSQL and S3 servers that tests use with `HEARBACK_TEST=postgres`.

use hearback::ids::secret;
use hearback::infra::db::Db;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};
use tokio::sync::OnceCell;

/// Whether this run uses PostgreSQL and S3.
pub fn postgres() -> bool {
    match std::env::var("HEARBACK_TEST").as_deref() {
        Ok("postgres") => true,
        Ok("sqlite") | Err(_) => false,
        Ok(other) => panic!("HEARBACK_TEST is {other:?}; it is sqlite or postgres"),
    }
}

pub(super) fn env(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set; eval \"$(bin/test-servers start DIR)\" first")
    })
}

/// Returns the host and port of a URL.
pub fn authority(url: &str) -> String {
    let rest = url.split_once("://").unwrap().1;
    let host = rest.split('/').next().unwrap();
    host.rsplit('@').next().unwrap().to_owned()
}

pub(super) fn database_url(name: &str) -> String {
    let server = env("HEARBACK_TEST_POSTGRES");
    let (server, _) = server.rsplit_once('/').unwrap();
    format!("{server}/{name}")
}

/// Creates an empty PostgreSQL database and returns its URL.
pub async fn empty_database() -> String {
    let name = format!("empty_{}", secret());
    create_database(&name, "").await;
    database_url(&name)
}

/// Creates a copy of a migrated template database and returns the name of the copy. The first call creates the
/// template.
pub(super) async fn fresh_database() -> String {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    let template = TEMPLATE
        .get_or_init(|| async {
            let name = format!("template_{}", secret());
            create_database(&name, "").await;
            Db::open(&database_url(&name)).await.unwrap().close().await;
            name
        })
        .await;
    let name = format!("test_{}", secret());
    create_database(&name, &format!("TEMPLATE {template}")).await;
    name
}

async fn create_database(name: &str, options: &str) {
    sqlx::any::install_default_drivers();
    let mut server = AnyConnection::connect(&env("HEARBACK_TEST_POSTGRES"))
        .await
        .unwrap();
    let statement = format!("CREATE DATABASE {name} {options}");
    server.execute(AssertSqlSafe(statement)).await.unwrap();
}

/// Returns a client for the bucket that all tests share.
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
