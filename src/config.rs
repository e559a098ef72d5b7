//! Settings, read once at startup from the environment and from the file named by
//! `HEARBACK_CONFIG`. The environment takes precedence.

mod secure_context;
mod trusted_proxies;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub use self::secure_context::is_secure_context;
pub use self::trusted_proxies::TrustedProxies;
use crate::infra::smtp;
use crate::infra::smtp::{Mailer, Server};

/// How media bytes reach the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Hearback streams the bytes itself; the bucket can be private and unreachable from outside.
    Proxy,
    /// Hearback redirects to a presigned URL of the bucket.
    Redirect,
}

/// Where objects are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorageLocation {
    /// In a folder under the data folder.
    Disk,
    /// In an S3-compatible bucket, under a prefix that may be empty.
    S3 {
        /// The name of the bucket.
        bucket: String,
        /// The prefix of all keys, without leading or trailing slashes.
        prefix: String,
    },
}

/// All settings. The documentation of a field starts with the environment variable and its default
/// in parentheses.
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
    /// `HEARBACK_FFMPEG` (found in `PATH`): the path of ffmpeg. ffprobe must be in the same folder.
    pub ffmpeg: Option<PathBuf>,
    /// `HEARBACK_SMTP_URL` and `HEARBACK_MAIL_FROM`: the mail server and the sender address. If
    /// unset, no email is sent.
    pub mail: Option<Mailer>,
    /// `HEARBACK_LOG` (info): the log filter, in the syntax of `tracing`'s `EnvFilter`.
    pub log: String,
    /// `HEARBACK_TEST_CLOCK`: the file that sets the domain's clock. Only for browser tests; see
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
            Ok(path) if !path.is_empty() => read_file(&path)?,
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
    pub fn parse(mut values: BTreeMap<String, String>) -> Result<Self, String> {
        values.retain(|_, value| !value.trim().is_empty());
        let mut read = SettingsReader {
            values,
            errors: String::new(),
        };
        let data = read.or_default("HEARBACK_DATA", "./data".into(), |text| {
            Ok(PathBuf::from(text))
        });
        let database = format!("sqlite://{}?mode=rwc", data.join("hearback.db").display());
        let config = Self {
            listen: read.or_default("HEARBACK_LISTEN", SocketAddr::from(([127, 0, 0, 1], 8080)), |text| {
                text.parse().map_err(|_| "is not an IP address with a port. Use, for example, 127.0.0.1:8080 or 0.0.0.0:8080.".into())
            }),
            url: read.optional("HEARBACK_URL", parse_url),
            database_url: read.or_default("DATABASE_URL", database, parse_database),
            storage: read.or_default("HEARBACK_STORAGE", StorageLocation::Disk, parse_storage_location),
            s3_endpoint: read.optional("HEARBACK_S3_ENDPOINT", parse_url),
            s3_public_endpoint: read.optional("HEARBACK_S3_PUBLIC_ENDPOINT", parse_url),
            s3_path_style: read.or_default("HEARBACK_S3_PATH_STYLE", false, |text| match text {
                "true" | "1" => Ok(true),
                "false" | "0" => Ok(false),
                _ => Err("must be true or false.".into()),
            }),
            delivery: read.or_default("HEARBACK_DELIVERY", Delivery::Proxy, |text| match text {
                "proxy" => Ok(Delivery::Proxy),
                "redirect" => Ok(Delivery::Redirect),
                _ => Err("must be proxy or redirect.".into()),
            }),
            metrics_token: read.optional("HEARBACK_METRICS_TOKEN", |text| Ok(text.to_owned())),
            trusted_proxies: read.or_default("HEARBACK_TRUSTED_PROXIES", TrustedProxies::default(), TrustedProxies::parse),
            max_upload: read.or_default("HEARBACK_MAX_UPLOAD", 4 << 30, parse_size),
            max_recording: read.or_default("HEARBACK_MAX_RECORDING", 120, |text| match text.parse() {
                Ok(minutes @ 1..=1440) => Ok(minutes),
                _ => Err("is not a valid number of minutes. Use a whole number from 1 to 1440, for example 120.".into()),
            }),
            ffmpeg: read.optional("HEARBACK_FFMPEG", |text| Ok(PathBuf::from(text))),
            mail: read.mail(),
            log: read.or_default("HEARBACK_LOG", "info".into(), |text| {
                tracing_subscriber::EnvFilter::try_new(text)
                    .map(|_| text.to_owned())
                    .map_err(|_| "is not a valid log filter. Use, for example, info or warn,hearback=debug.".into())
            }),
            test_clock: read.optional("HEARBACK_TEST_CLOCK", |text| Ok(PathBuf::from(text))),
            min_free_bytes: 1 << 30,
            upload_idle_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(15),
            data_dir: data,
        };
        if config.delivery == Delivery::Redirect && config.storage == StorageLocation::Disk {
            read.add_error(
                "HEARBACK_DELIVERY",
                "can be redirect only if HEARBACK_STORAGE is s3://…. If files are stored in a folder, use proxy.",
            );
        }
        if read.errors.is_empty() {
            Ok(config)
        } else {
            Err(read.errors.trim_end().to_owned())
        }
    }

    /// Whether the public URL uses https.
    pub fn is_https(&self) -> bool {
        self.url
            .as_deref()
            .is_some_and(|url| url.starts_with("https://"))
    }
}

struct SettingsReader {
    values: BTreeMap<String, String>,
    errors: String,
}

impl SettingsReader {
    fn optional<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.values.get(name)?.trim().to_owned();
        match parse(&value) {
            Ok(parsed) => Some(parsed),
            Err(message) => {
                // Leave the value out of the message, because a database URL can contain a
                // password.
                self.add_error(name, &message);
                None
            }
        }
    }

    fn or_default<T>(
        &mut self,
        name: &str,
        default: T,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> T {
        self.optional(name, parse).unwrap_or(default)
    }

    /// Returns the email settings. If a mail server is set, a sender and the public URL are
    /// required: emails contain links, and a link needs the public URL.
    fn mail(&mut self) -> Option<Mailer> {
        let server = self.optional("HEARBACK_SMTP_URL", Server::parse);
        let from = self.optional("HEARBACK_MAIL_FROM", smtp::parse_sender);
        if self.values.contains_key("HEARBACK_SMTP_URL") {
            for (name, example) in [
                ("HEARBACK_MAIL_FROM", "Hearback <hearback@example.org>"),
                ("HEARBACK_URL", "https://hearback.example.org"),
            ] {
                if !self.values.contains_key(name) {
                    self.add_error(
                        name,
                        &format!(
                            "is required if HEARBACK_SMTP_URL is set. Use, for example, {example}."
                        ),
                    );
                }
            }
        }
        Some(Mailer::new(server?, from?))
    }

    fn add_error(&mut self, name: &str, message: &str) {
        let _ = writeln!(self.errors, "{name}: {message}");
    }
}

fn read_file(path: &str) -> Result<BTreeMap<String, String>, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("HEARBACK_CONFIG: {path} cannot be read: {error}."))?;
    let table: toml::Table = text
        .parse()
        .map_err(|error| format!("HEARBACK_CONFIG: {path} is not valid TOML: {error}"))?;
    table
        .into_iter()
        .map(|(name, value)| {
            if !SETTING_NAMES.contains(&name.as_str()) {
                return Err(format!(
                    "HEARBACK_CONFIG: {path} contains {name}, which is not a setting. The settings are {}.",
                    SETTING_NAMES.join(", ")
                ));
            }
            Ok((
                name,
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned),
            ))
        })
        .collect()
}

fn parse_url(text: &str) -> Result<String, String> {
    let text = text.trim_end_matches('/');
    match text.parse::<actix_web::http::Uri>() {
        Ok(uri)
            if matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.host().is_some()
                && uri.path() == "/" =>
        {
            Ok(text.to_owned())
        }
        _ => Err("must be a URL without a path, such as https://hearback.example.org.".into()),
    }
}

fn parse_database(text: &str) -> Result<String, String> {
    if ["postgres://", "postgresql://"]
        .iter()
        .any(|scheme| text.starts_with(scheme))
        || text.starts_with("sqlite:")
    {
        Ok(text.to_owned())
    } else {
        Err("must be postgres://USER:PASSWORD@HOST/NAME or sqlite:///PATH?mode=rwc.".into())
    }
}

fn parse_storage_location(text: &str) -> Result<StorageLocation, String> {
    if text == "disk" {
        return Ok(StorageLocation::Disk);
    }
    let message = "must be disk, s3://BUCKET or s3://BUCKET/PREFIX.";
    let rest = text.strip_prefix("s3://").ok_or(message)?;
    if rest.contains('?') {
        return Err("must not have a query string. Use s3://BUCKET or s3://BUCKET/PREFIX, and set other options with HEARBACK_S3_… and AWS_….".into());
    }
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        return Err(message.into());
    }
    Ok(StorageLocation::S3 {
        bucket: bucket.into(),
        prefix: prefix.trim_matches('/').into(),
    })
}

/// Parses a size in bytes, with an optional unit: `4GiB`, `500MB`, `1048576`.
fn parse_size(text: &str) -> Result<u64, String> {
    let invalid =
        || "is not a size. Use, for example, 4GiB, 500MiB or a number of bytes.".to_owned();
    let digits =
        text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic() || letter == ' ');
    let unit: u64 = match text[digits.len()..].trim() {
        "" | "B" => 1,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return Err(invalid()),
    };
    digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(unit))
        .filter(|size| *size > 0)
        .ok_or_else(invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(settings: &[(&str, &str)]) -> Result<Config, String> {
        Config::parse(
            settings
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect(),
        )
    }

    #[test]
    fn error_names_every_invalid_setting_without_repeating_its_value() {
        let wrong = with(&[
            ("HEARBACK_LISTEN", "8080"),
            ("DATABASE_URL", "mysql://root:secret@db/x"),
            ("HEARBACK_DELIVERY", "redirect"),
        ])
        .unwrap_err();
        assert!(
            wrong.contains("HEARBACK_LISTEN: ")
                && wrong.contains("DATABASE_URL: ")
                && wrong.contains("HEARBACK_DELIVERY: "),
            "{wrong}"
        );
        assert!(!wrong.contains("secret"));
    }

    #[test]
    fn sending_email_requires_a_sender_address_and_a_public_url() {
        let server = ("HEARBACK_SMTP_URL", "smtps://ada:secret@mail.example.org");
        let wrong = with(&[server]).unwrap_err();
        assert!(
            wrong.contains("HEARBACK_MAIL_FROM: is required")
                && wrong.contains("HEARBACK_URL: is required"),
            "{wrong}"
        );
        let url = ("HEARBACK_URL", "https://hearback.example.org");
        let wrong = with(&[server, url, ("HEARBACK_MAIL_FROM", "Hearback")]).unwrap_err();
        assert!(
            wrong.starts_with("HEARBACK_MAIL_FROM: is not an email address")
                && wrong.lines().count() == 1,
            "{wrong}"
        );
        let config = with(&[
            server,
            url,
            ("HEARBACK_MAIL_FROM", "Hearback <hearback@example.org>"),
        ])
        .unwrap();
        assert!(config.mail.is_some() && !format!("{config:?}").contains("secret"));
        assert!(with(&[]).unwrap().mail.is_none());
    }

    #[test]
    fn maximum_recording_length_is_120_minutes_by_default_and_must_be_in_range() {
        assert_eq!(with(&[]).unwrap().max_recording, 120);
        assert_eq!(
            with(&[("HEARBACK_MAX_RECORDING", "45")])
                .unwrap()
                .max_recording,
            45
        );
        for wrong in ["0", "two hours", "1441"] {
            assert!(
                with(&[("HEARBACK_MAX_RECORDING", wrong)])
                    .unwrap_err()
                    .starts_with("HEARBACK_MAX_RECORDING: is not a valid number of minutes")
            );
        }
    }

    #[test]
    fn upload_size_limit_and_bucket_address_are_parsed() {
        let config = with(&[
            ("HEARBACK_MAX_UPLOAD", "500 MiB"),
            ("HEARBACK_STORAGE", "s3://bucket/some/where/"),
        ])
        .unwrap();
        assert_eq!(config.max_upload, 500 << 20);
        assert_eq!(
            config.storage,
            StorageLocation::S3 {
                bucket: "bucket".into(),
                prefix: "some/where".into()
            }
        );
    }
}
