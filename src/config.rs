//! Settings, read once at startup from the environment and from the file named by
//! `HEARBACK_CONFIG`. The environment takes precedence.

mod addresses;
mod byte_size;
mod config_file;
mod delivery;
mod demo_sign_in;
mod mail_settings;
mod secure_context;
mod settings_reader;
mod storage_location;
mod trusted_proxies;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use self::addresses::{parse_database, parse_listen, parse_url};
use self::byte_size::parse_size;
pub use self::delivery::Delivery;
pub use self::demo_sign_in::{DemoPerson, DemoSignIn};
pub use self::secure_context::is_secure_context;
use self::settings_reader::SettingsReader;
pub use self::storage_location::StorageLocation;
pub use self::trusted_proxies::TrustedProxies;
use crate::infra::smtp::Mailer;

/// All settings. The documentation of each field that has an environment variable starts with the
/// name of the variable, followed by the default, if there is one, in parentheses.
#[derive(Clone, Debug)]
pub struct Config {
    /// `HEARBACK_LISTEN` (127.0.0.1:8080): the address to listen on; port 0 picks a free port.
    pub listen: SocketAddr,
    /// `HEARBACK_URL`: the public URL, without a path. If unset, links use the `Host` header of the
    /// request.
    pub url: Option<String>,
    /// `HEARBACK_DATA` (./data): the folder for the SQLite file, media and temporary files.
    pub data_dir: PathBuf,
    /// `DATABASE_URL` (a SQLite file in the data folder): `postgres://…` or `sqlite://…`.
    pub database_url: String,
    /// `HEARBACK_STORAGE` (disk): `disk` or `s3://BUCKET[/PREFIX]`.
    pub storage: StorageLocation,
    /// `HEARBACK_S3_ENDPOINT`: the URL of an S3-compatible server other than AWS.
    pub s3_endpoint: Option<String>,
    /// `HEARBACK_S3_PUBLIC_ENDPOINT`: the URL that browsers use for the S3-compatible server. Used
    /// only if `HEARBACK_DELIVERY` is `redirect`.
    pub s3_public_endpoint: Option<String>,
    /// `HEARBACK_S3_PATH_STYLE` (false): whether the bucket name is in the path of URLs (`true`) or
    /// in the host name (`false`).
    pub s3_path_style: bool,
    /// `HEARBACK_DELIVERY` (proxy): how media reach the browser, `proxy` or `redirect`; see
    /// [`Delivery`].
    pub delivery: Delivery,
    /// `HEARBACK_METRICS_TOKEN`: the bearer token for `GET /metrics`. If unset, metrics are not
    /// served.
    pub metrics_token: Option<String>,
    /// `HEARBACK_TRUSTED_PROXIES`: comma-separated IP addresses and networks (CIDR) of proxies whose
    /// `X-Forwarded-For` header is trusted.
    pub trusted_proxies: TrustedProxies,
    /// `HEARBACK_MAX_UPLOAD` (4GiB): the maximum size of a file, in bytes.
    pub max_upload: u64,
    /// `HEARBACK_MAX_RECORDING` (120): the maximum length of a recording, in minutes.
    pub max_recording: u32,
    /// `HEARBACK_FFMPEG` (found in `PATH`): the path of ffmpeg. Hearback looks for ffprobe in the
    /// same folder first, and then in `PATH`.
    pub ffmpeg: Option<PathBuf>,
    /// `HEARBACK_SMTP_URL` and `HEARBACK_MAIL_FROM`: the mail server and the sender address. If
    /// unset, no email is sent.
    pub mail: Option<Mailer>,
    /// `HEARBACK_LOG` (info): the log filter, in the syntax of `tracing`'s `EnvFilter`.
    pub log: String,
    /// `HEARBACK_TEST_CLOCK`: a file that contains the time for the domain's clock. Only for browser tests; see
    /// [`crate::clock::Clock::from_file`].
    pub test_clock: Option<PathBuf>,
    /// Minimum free disk space in bytes. Uploads are rejected while less is free. The value is 1
    /// GiB; only tests change it.
    pub min_free_bytes: u64,
    /// How long a client may send nothing during one request of a resumable upload. The value is 30
    /// s; only tests change it.
    pub upload_idle_timeout: Duration,
    /// How long an event stream may be idle. After this time, the server sends a line that browsers
    /// ignore, so that proxies keep the connection open. The value is 15 s; only tests change it.
    pub keep_alive: Duration,
    /// The accounts that the sign-in page offers. `None` unless this is `hearback demo`: no setting changes it.
    pub demo: Option<DemoSignIn>,
}

const SETTING_NAMES: [&str; 19] = [
    "HEARBACK_LISTEN",
    "HEARBACK_URL",
    "HEARBACK_DATA",
    "DATABASE_URL",
    "HEARBACK_STORAGE",
    "HEARBACK_S3_ENDPOINT",
    "HEARBACK_S3_PUBLIC_ENDPOINT",
    "HEARBACK_S3_PATH_STYLE",
    "HEARBACK_DELIVERY",
    "HEARBACK_METRICS_TOKEN",
    "HEARBACK_TRUSTED_PROXIES",
    "HEARBACK_MAX_UPLOAD",
    "HEARBACK_MAX_RECORDING",
    "HEARBACK_FFMPEG",
    "HEARBACK_SMTP_URL",
    "HEARBACK_MAIL_FROM",
    "HEARBACK_LOG",
    "HEARBACK_TEST_CLOCK",
    "HEARBACK_CONFIG",
];

impl Config {
    /// Reads the environment and the configuration file. The error text has one line for each
    /// invalid setting.
    pub fn load() -> Result<Self, String> {
        let mut values = match std::env::var("HEARBACK_CONFIG") {
            Ok(path) if !path.is_empty() => config_file::read(&path)?,
            _ => BTreeMap::new(),
        };
        for name in SETTING_NAMES {
            match std::env::var(name) {
                Ok(value) => drop(values.insert(name.to_owned(), value)),
                Err(std::env::VarError::NotPresent) => {}
                Err(std::env::VarError::NotUnicode(_)) => {
                    return Err(format!("{name}: is not valid UTF-8."));
                }
            }
        }
        Self::parse(values)
    }

    /// Parses settings from a map of variable names to values. Empty values count as unset.
    pub fn parse(values: BTreeMap<String, String>) -> Result<Self, String> {
        let mut read = SettingsReader::new(values);
        let path = |text: &str| Ok(PathBuf::from(text));
        let data_dir = read.or_default("HEARBACK_DATA", "./data".into(), path);
        let config = Self {
            listen: read.or_default(
                "HEARBACK_LISTEN",
                SocketAddr::from(([127, 0, 0, 1], 8080)),
                parse_listen,
            ),
            url: read.optional("HEARBACK_URL", parse_url),
            database_url: read.or_default("DATABASE_URL", sqlite_url(&data_dir), parse_database),
            storage: read.or_default(
                "HEARBACK_STORAGE",
                StorageLocation::Disk,
                StorageLocation::parse,
            ),
            s3_endpoint: read.optional("HEARBACK_S3_ENDPOINT", parse_url),
            s3_public_endpoint: read.optional("HEARBACK_S3_PUBLIC_ENDPOINT", parse_url),
            s3_path_style: read.or_default("HEARBACK_S3_PATH_STYLE", false, parse_flag),
            delivery: read.or_default("HEARBACK_DELIVERY", Delivery::Proxy, Delivery::parse),
            metrics_token: read.optional("HEARBACK_METRICS_TOKEN", |text| Ok(text.to_owned())),
            trusted_proxies: read.or_default(
                "HEARBACK_TRUSTED_PROXIES",
                TrustedProxies::default(),
                TrustedProxies::parse,
            ),
            max_upload: read.or_default("HEARBACK_MAX_UPLOAD", 4 << 30, parse_size),
            max_recording: read.or_default("HEARBACK_MAX_RECORDING", 120, parse_recording_minutes),
            ffmpeg: read.optional("HEARBACK_FFMPEG", path),
            mail: mail_settings::mail_settings(&mut read),
            log: read.or_default("HEARBACK_LOG", "info".into(), parse_log_filter),
            test_clock: read.optional("HEARBACK_TEST_CLOCK", path),
            min_free_bytes: 1 << 30,
            upload_idle_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(15),
            demo: None,
            data_dir,
        };
        if config.delivery == Delivery::Redirect && config.storage == StorageLocation::Disk {
            read.add_error(
                "HEARBACK_DELIVERY",
                "can be `redirect` only if HEARBACK_STORAGE is `s3://…`. If files are stored in a folder, use `proxy`.",
            );
        }
        read.finish(config)
    }

    /// Whether the public URL uses https.
    pub fn is_https(&self) -> bool {
        self.url
            .as_deref()
            .is_some_and(|url| url.starts_with("https://"))
    }
}

fn sqlite_url(data_dir: &Path) -> String {
    format!(
        "sqlite://{}?mode=rwc",
        data_dir.join("hearback.db").display()
    )
}

fn parse_flag(text: &str) -> Result<bool, String> {
    match text {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err("must be true or false.".into()),
    }
}

fn parse_recording_minutes(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(minutes @ 1..=1440) => Ok(minutes),
        _ => Err(
            "is not a valid number of minutes. Use a whole number from 1 to 1440, for example 120."
                .into(),
        ),
    }
}

fn parse_log_filter(text: &str) -> Result<String, String> {
    tracing_subscriber::EnvFilter::try_new(text)
        .map(|_| text.to_owned())
        .map_err(|_| {
            "is not a valid log filter. For example: `info` or `warn,hearback=debug`.".into()
        })
}

#[cfg(test)]
mod tests;
