//! Puts the parts together: listens, starts the workers, and stops without losing anything.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::{HttpServer, web};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::infra::images::Font;
use crate::people;
use crate::state::State;
use crate::web::assets;
use crate::worker;

/// So long a connection is kept for a next request: longer than proxies keep theirs (Caddy two minutes, nginx and Amazon's one), for whoever closes
/// first closes on a request now and then.
const KEEP_ALIVE: Duration = Duration::from_secs(150);
/// So long a new connection may take to its first request: browsers open some before they need them.
const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// How long jobs that cannot be broken off are waited for at the end.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);
/// A Hearback that is ready to run.
pub struct App {
    server: Server,
    address: SocketAddr,
    state: web::Data<State>,
    stop: watch::Sender<bool>,
    signals: [Signal; 2],
    jobs: JoinHandle<()>,
}

impl App {
    /// Opens database and storage, listens, and starts the workers. Nothing is answered before [`App::run`].
    pub async fn build(config: Config, clock: Clock) -> Result<Self> {
        let listener = TcpListener::bind(config.listen).map_err(|error| {
            Error::Conflict(format!(
                "HEARBACK_LISTEN: {} cannot be listened on: {error}. Choose another port, or end what uses it.",
                config.listen
            ))
        })?;
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let font = assets::by_name("DejaVuSans.ttf")
            .map(|file| Font::new(&file))
            .unwrap_or_default();
        let state = web::Data::new(State::open(config, clock, font, stopped.clone()).await?);
        let jobs = worker::start(&state.clone().into_inner(), &stopped);
        let shared = state.clone();
        let server = HttpServer::new(move || {
            actix_web::App::new()
                .app_data(shared.clone())
                .wrap(from_fn(crate::web::handle_request))
                .configure(crate::web::routes)
        })
        .listen(listener)?
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(FIRST_REQUEST_TIMEOUT)
        .disable_signals()
        .shutdown_timeout(10)
        .run();
        // Heard from here on: who has read the address may end the process at once.
        let signals = [
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        ];
        Ok(Self {
            server,
            address,
            state,
            stop,
            signals,
            jobs,
        })
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What requests share, for tests.
    pub fn state(&self) -> Arc<State> {
        self.state.clone().into_inner()
    }

    /// The address to open, and while nobody has an account the link that makes the first one.
    pub async fn start_links(&self) -> Result<(String, Option<String>)> {
        let base = self.state.config.url.clone().unwrap_or_else(|| {
            let host = if self.address.ip().is_unspecified() {
                "localhost".into()
            } else {
                self.address.ip().to_string()
            };
            format!("http://{host}:{}", self.address.port())
        });
        let first = people::no_accounts_yet(&mut *self.state.db.read().await?).await?;
        let link = first.then(|| format!("{base}/setup?code={}", self.state.setup_code));
        Ok((base, link))
    }

    /// Answers until the process is told to end, then lets what is under way finish.
    pub async fn run(self) -> Result<()> {
        let handle = self.server.handle();
        let stop = self.stop.clone();
        let [mut interrupt, mut terminate] = self.signals;
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            tracing::info!("ending");
            // Live pages are let go first, or they would hold the server open.
            stop.send_replace(true);
            handle.stop(true).await;
        });
        self.server.await?;
        self.stop.send_replace(true);
        match tokio::time::timeout(SHUTDOWN_TIMEOUT, self.jobs).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the dispatcher of jobs failed"),
            Err(_) => tracing::warn!("a job that cannot be broken off was, at the end"),
        }
        self.state.db.close().await;
        Ok(())
    }
}

/// Prints a line for whoever started this. They may have stopped reading, which is no reason to end.
pub fn print(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
