//! `hearback demo`: a throwaway workspace with a dozen people in four time zones and ten days of
//! history.
//!
//! To create this history, the demo sets the clock back ten days. It then calls functions of the
//! domain and advances the clock between the calls.

mod dsl;
mod media;
mod story;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use crate::app::{self, App};
use crate::clock::Clock;
use crate::config::{Config, DemoPerson, DemoSignIn};
use crate::error::{Error, Result};
use crate::people;

/// The person with the most to answer, whose address the demo suggests.
const SUGGESTED: &str = "Ada Nowak";
/// The password of every demo account.
const PASSWORD: &str = "hear it back to me";

/// Returns the settings of a demo in `folder`. `ffmpeg` is the value of `HEARBACK_FFMPEG`; all
/// other environment variables are ignored.
fn demo_config(folder: &Path, listen: SocketAddr, ffmpeg: Option<String>) -> Result<Config> {
    let mut settings = BTreeMap::from([
        ("HEARBACK_DATA".to_owned(), folder.display().to_string()),
        ("HEARBACK_LISTEN".to_owned(), listen.to_string()),
        ("HEARBACK_LOG".to_owned(), "warn".to_owned()),
    ]);
    settings.extend(ffmpeg.map(|path| ("HEARBACK_FFMPEG".to_owned(), path)));
    let config = Config::parse(settings).map_err(Error::Conflict)?;
    let people = dsl::PEOPLE.into_iter().map(|(name, time_zone)| DemoPerson {
        name,
        email: dsl::email(name),
        time_zone,
    });
    Ok(Config {
        demo: Some(DemoSignIn {
            people: people.collect(),
            password: PASSWORD,
        }),
        ..config
    })
}

/// Serves a demo until it receives SIGINT or SIGTERM. If `keep` is set, the data stays in that
/// folder, and a later demo with the same folder shows the same workspace. Otherwise, the data is
/// in a temporary folder that is deleted at the end.
pub async fn serve(listen: SocketAddr, keep: Option<&Path>) -> Result<()> {
    if let Some(folder) = keep {
        std::fs::create_dir_all(folder)?;
        let end = format!(
            "Press Ctrl+C to stop the demo. Its data stays in {}.",
            folder.display()
        );
        return serve_in(folder, listen, &end).await;
    }
    let folder = tempfile::Builder::new()
        .prefix("hearback-demo-")
        .tempdir()?;
    let end = "Press Ctrl+C to stop the demo and delete all its data.";
    let ended = serve_in(folder.path(), listen, end).await;
    folder.close()?;
    ended
}

async fn serve_in(folder: &Path, listen: SocketAddr, end: &str) -> Result<()> {
    let config = demo_config(folder, listen, std::env::var("HEARBACK_FFMPEG").ok())?;
    tracing_subscriber::fmt()
        .with_env_filter(&config.log)
        .with_writer(std::io::stderr)
        .init();
    let app = App::build(config, Clock::default()).await?;
    if people::no_accounts_yet(&mut *app.state().db.read().await?).await? {
        eprintln!("Creating ten days of sample activity …");
        story::run(&app.state()).await?;
    }
    let (address, _) = app.start_links().await?;
    app::print(format_args!("The Hearback demo is running at {address}"));
    app::print(format_args!(
        "Open it and press a face to sign in. {SUGGESTED} has the most to answer."
    ));
    app::print(format_args!(
        "To sign in without a browser, use {} and the password: {PASSWORD}",
        dsl::email(SUGGESTED)
    ));
    app::print(end);
    app.run().await
}
