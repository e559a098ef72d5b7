//! `hearback doctor`: checks the settings and tests each component (database, storage, ffmpeg,
//! email) by using it. For each failed check, says how to fix the problem.

use crate::config::{Config, is_secure_context};
use crate::error::{Error, Result};
use crate::infra::db::{self, Dialect};
use crate::infra::video::Tools;
use crate::state;
use crate::web::assets;

/// One line of the report.
#[derive(Debug)]
pub struct CheckResult {
    /// Whether the check passed.
    pub passed: bool,
    /// What works or, if the check failed, what is wrong and how to fix it.
    pub text: String,
}

/// Runs all checks and returns the lines of the report.
pub async fn run_checks(config: &Config) -> Vec<CheckResult> {
    let mut lines = Vec::new();
    lines.push(CheckResult {
        passed: true,
        text: "settings: all valid".into(),
    });
    lines.push(passed(describe_address(config)));
    // The database and the storage need the data folder. If it cannot be used, report that instead
    // of checking them.
    match state::create_data_dir(&config.data_dir) {
        Ok(()) => check_data(config, &mut lines).await,
        Err(error) => lines.push(failed(format!("data folder: {}", error.detail()))),
    }
    let tools = Tools::detect(config.ffmpeg.as_deref()).await;
    lines.push(match tools.describe() {
        Ok(works) => passed(format!("video: {works}")),
        Err(problem) if config.ffmpeg.is_some() => failed(format!(
            "video: {problem} Fix: set HEARBACK_FFMPEG to the path of ffmpeg, or unset it to use the one in PATH."
        )),
        Err(problem) => failed(format!(
            "video: {problem} Fix: apt-get install ffmpeg, or set HEARBACK_FFMPEG."
        )),
    });
    lines.push(match &config.mail {
                None => passed("email: not configured, so recipients see requests only in their Hearback inbox or through a link from the author"),
        Some(mailer) => match mailer.check().await {
            Ok(proved) => passed(format!("email: {proved}")),
            Err(error) => failed(format!("email: {}", error.detail())),
        },
    });
    lines.push(if assets::is_built() {
        passed("browser files: included in this build")
    } else {
        failed("browser files: missing from this build. Fix: build with bin/serve, or run bin/build-browser \
                before cargo build.")
    });
    lines
}

/// Checks the database, the storage and the free space.
async fn check_data(config: &Config, lines: &mut Vec<CheckResult>) {
    lines.push(match check_database(config).await {
        Ok(text) => passed(text),
        Err(error) => failed(format!(
            "database: {} Fix: {}",
            describe_error(&error),
            database_fix(config)
        )),
    });
    match check_storage(config).await {
        Ok(proved) => lines.extend(
            proved
                .into_iter()
                .map(|text| passed(format!("storage: {text}"))),
        ),
        Err(error) => lines.push(failed(format!("storage: {}", describe_error(&error)))),
    }
    lines.push(check_free_space(config));
}

fn passed(text: impl Into<String>) -> CheckResult {
    CheckResult {
        passed: true,
        text: text.into(),
    }
}

fn failed(text: impl Into<String>) -> CheckResult {
    CheckResult {
        passed: false,
        text: text.into(),
    }
}

fn describe_address(config: &Config) -> String {
    match &config.url {
        Some(url) if is_secure_context(url) => format!("address: {url}"),
        Some(url) => format!(
            "address: {url} — browsers allow recording and copying to the clipboard only over https. Fix: put \
             an https proxy in front of Hearback."
        ),
        None => "address: HEARBACK_URL is not set, so links use the Host header of each request. Browsers allow \
                 recording on this machine; on other machines, they require https. Fix: set HEARBACK_URL if an \
                 https proxy is in front of Hearback.".into(),
    }
}

/// Says how to fix a database that cannot be used.
fn database_fix(config: &Config) -> &'static str {
    match Dialect::of_url(&config.database_url) {
        Dialect::Sqlite => {
            "check that Hearback can read and write this database file and its folder. If the file is damaged, \
             restore a backup."
        }
        Dialect::Postgres => "check DATABASE_URL, and check that the database server is running.",
    }
}

/// Formats an error. Appends its cause in parentheses if the message does not contain the cause. The message of an
/// internal error is meant for people who use a page, so only its cause is shown.
fn describe_error(error: &Error) -> String {
    if let Error::Internal(cause) = error {
        return format!("{cause}.");
    }
    let detail = error.detail();
    match error.cause().map(ToString::to_string) {
        Some(cause) if !detail.contains(&cause) => format!("{detail} ({cause})"),
        _ => detail,
    }
}

async fn check_database(config: &Config) -> Result<String> {
    let db = state::open_db(config).await?;
    db::ping(&mut *db.read().await?).await?;
    db.begin().await?.commit().await?;
    Ok(format!(
        "database: {:?} responds, accepts writes and has the current schema",
        db.dialect()
    ))
}

async fn check_storage(config: &Config) -> Result<Vec<String>> {
    state::open_storage(config).await?.self_test().await
}

fn check_free_space(config: &Config) -> CheckResult {
    match rustix::fs::statvfs(&config.data_dir) {
        Ok(here) => {
            let free = here.f_bavail.saturating_mul(here.f_frsize);
            if free >= config.min_free_bytes {
                passed(format!(
                    "disk: {} MiB free in {}",
                    free >> 20,
                    config.data_dir.display()
                ))
            } else {
                failed(format!(
                    "disk: only {} MiB free in {}; uploads are rejected below {} MiB. Fix: free some space.",
                    free >> 20,
                    config.data_dir.display(),
                    config.min_free_bytes >> 20
                ))
            }
        }
        Err(error) => failed(format!(
            "disk: cannot determine the free space in {}: {error}. Fix: set HEARBACK_DATA to a folder that \
             Hearback can write to.",
            config.data_dir.display()
        )),
    }
}
