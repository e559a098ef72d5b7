//! `hearback doctor`: every setting and every part, tried against the real thing, with the mend where one fails.

use crate::config::Config;
use crate::error::Result;
use crate::infra::db;
use crate::infra::video::Tools;
use crate::state;
use crate::web::assets;

/// One line of the report.
#[derive(Debug)]
pub struct CheckResult {
    /// Whether that part works.
    pub passed: bool,
    /// What was proved, or what is wrong and how to mend it.
    pub text: String,
}

/// Tries everything; the report is bad if any line is.
pub async fn run_checks(config: &Config) -> Vec<CheckResult> {
    let mut lines = Vec::new();
    lines.push(CheckResult {
        passed: true,
        text: "settings: all understood".into(),
    });
    match &config.url {
        Some(url) if config.is_https() => lines.push(passed(format!("address: {url}"))),
        Some(url) => lines.push(passed(format!(
            "address: {url} — over plain http browsers neither record nor copy; put https in front"
        ))),
        None => lines.push(passed(
            "address: HEARBACK_URL is not set, so links carry the host each request came to",
        )),
    }
    lines.push(match check_database(config).await {
        Ok(text) => passed(text),
        Err(error) => failed(format!(
            "database: {error} Mend: check DATABASE_URL and that the server runs."
        )),
    });
    match check_storage(config).await {
        Ok(proved) => lines.extend(
            proved
                .into_iter()
                .map(|text| passed(format!("storage: {text}"))),
        ),
        Err(error) => lines.push(failed(format!("storage: {error}"))),
    }
    lines.push(check_free_space(config));
    let tools = Tools::detect(config.ffmpeg.as_deref()).await;
    lines.push(match tools.missing() {
        None => passed(format!("video: {}", tools.describe())),
        Some(missing) => failed(format!(
            "video: {missing} Mend: apt-get install ffmpeg, or set HEARBACK_FFMPEG."
        )),
    });
    lines.push(match &config.mail {
        None => passed("mail: none is set up, so people learn of what is asked in their inbox, or from whoever asks"),
        Some(mailer) => match mailer.check().await {
            Ok(proved) => passed(format!("mail: {proved}")),
            Err(error) => failed(format!("mail: {}", error.detail())),
        },
    });
    lines.push(if assets::is_built() {
        passed("browser part: built in")
    } else {
        failed("browser part: not built in. Mend: build with bin/serve, or run bin/build-browser before cargo build.")
    });
    lines
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

async fn check_database(config: &Config) -> Result<String> {
    let db = state::open_db(config).await?;
    db::ping(&mut *db.read().await?).await?;
    db.begin().await?.commit().await?;
    Ok(format!(
        "database: {:?} answers, takes writes, and has the schema of this program",
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
                    "disk: only {} MiB free in {}; below {} MiB uploads are refused. Mend: make room.",
                    free >> 20,
                    config.data_dir.display(),
                    config.min_free_bytes >> 20
                ))
            }
        }
        Err(error) => failed(format!(
            "disk: {} cannot be looked at: {error}. Mend: set HEARBACK_DATA to a folder that can be written.",
            config.data_dir.display()
        )),
    }
}
