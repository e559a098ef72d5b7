//! `hearback doctor`: every setting and every part, tried against the real thing, with the mend where one fails.

use crate::config::Config;
use crate::error::Result;
use crate::infra::db;
use crate::infra::video::Tools;
use crate::state;
use crate::web::assets;

/// One line of the report.
#[derive(Debug)]
pub struct Line {
    /// Whether that part works.
    pub good: bool,
    /// What was proved, or what is wrong and how to mend it.
    pub text: String,
}

/// Tries everything; the report is bad if any line is.
pub async fn examine(config: &Config) -> Vec<Line> {
    let mut lines = Vec::new();
    lines.push(Line {
        good: true,
        text: "settings: all understood".into(),
    });
    match &config.url {
        Some(url) if config.secure() => lines.push(good(format!("address: {url}"))),
        Some(url) => lines.push(good(format!(
            "address: {url} — over plain http browsers neither record nor copy; put https in front"
        ))),
        None => lines.push(good(
            "address: HEARBACK_URL is not set, so links carry the host each request came to",
        )),
    }
    lines.push(match examine_database(config).await {
        Ok(text) => good(text),
        Err(error) => bad(format!(
            "database: {error} Mend: check DATABASE_URL and that the server runs."
        )),
    });
    match examine_storage(config).await {
        Ok(proved) => lines.extend(
            proved
                .into_iter()
                .map(|text| good(format!("storage: {text}"))),
        ),
        Err(error) => lines.push(bad(format!("storage: {error}"))),
    }
    lines.push(examine_room(config));
    let tools = Tools::find(config.ffmpeg.as_deref()).await;
    lines.push(match tools.missing() {
        None => good(format!("video: {}", tools.describe())),
        Some(missing) => bad(format!(
            "video: {missing} Mend: apt-get install ffmpeg, or set HEARBACK_FFMPEG."
        )),
    });
    lines.push(match &config.mail {
        None => good("mail: none is set up, so people learn of what is asked in their inbox, or from whoever asks"),
        Some(mailer) => match mailer.prove().await {
            Ok(proved) => good(format!("mail: {proved}")),
            Err(error) => bad(format!("mail: {}", error.detail())),
        },
    });
    lines.push(if assets::built() {
        good("browser part: built in")
    } else {
        bad("browser part: not built in. Mend: build with bin/serve, or run bin/build-browser before cargo build.")
    });
    lines
}

fn good(text: impl Into<String>) -> Line {
    Line {
        good: true,
        text: text.into(),
    }
}

fn bad(text: impl Into<String>) -> Line {
    Line {
        good: false,
        text: text.into(),
    }
}

async fn examine_database(config: &Config) -> Result<String> {
    let db = state::open_db(config).await?;
    db::ping(&mut *db.read().await?).await?;
    db.begin().await?.commit().await?;
    Ok(format!(
        "database: {:?} answers, takes writes, and has the schema of this program",
        db.dialect()
    ))
}

async fn examine_storage(config: &Config) -> Result<Vec<String>> {
    state::open_storage(config).await?.prove().await
}

fn examine_room(config: &Config) -> Line {
    match rustix::fs::statvfs(&config.data) {
        Ok(here) => {
            let free = here.f_bavail.saturating_mul(here.f_frsize);
            if free >= config.min_free {
                good(format!(
                    "disk: {} MiB free in {}",
                    free >> 20,
                    config.data.display()
                ))
            } else {
                bad(format!(
                    "disk: only {} MiB free in {}; below {} MiB uploads are refused. Mend: make room.",
                    free >> 20,
                    config.data.display(),
                    config.min_free >> 20
                ))
            }
        }
        Err(error) => bad(format!(
            "disk: {} cannot be looked at: {error}. Mend: set HEARBACK_DATA to a folder that can be written.",
            config.data.display()
        )),
    }
}
