//! Starts the server and the workers, and shuts them down gracefully.

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

/// Keep-alive timeout. The idle timeouts of common proxies are shorter (Caddy 120 s, nginx and AWS 60 s), so the proxy
/// closes an idle connection first. Otherwise, the proxy could send a request on a connection that we have just closed.
const KEEP_ALIVE: Duration = Duration::from_secs(150);
/// Timeout for the first request on a new connection. It is long, because browsers often open
/// connections before they have a request to send.
const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// How long shutdown waits for open requests.
const REQUEST_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);
/// How long shutdown waits for jobs that cannot be interrupted.
const JOB_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

/// The server and the workers, ready to [`run`](App::run).
pub struct App {
    server: Server,
    address: SocketAddr,
    state: web::Data<State>,
    stop: watch::Sender<bool>,
    signals: [Signal; 2],
    jobs: JoinHandle<()>,
}

impl App {
    /// Opens the database and the storage, binds the listener and starts the workers. The server
    /// answers requests only after [`App::run`] is called.
    pub async fn build(config: Config, clock: Clock) -> Result<Self> {
        let listener = TcpListener::bind(config.listen).map_err(|error| {
            Error::Conflict(format!(
                "HEARBACK_LISTEN: cannot listen on {}: {error}. Choose another address \
                 or port, or stop the program that is using this one.",
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
        .shutdown_timeout(REQUEST_SHUTDOWN_TIMEOUT.as_secs())
        .run();
        // Register the signal handlers before printing the address. A signal that arrives without a
        // handler ends the process at once, without a graceful shutdown.
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

    /// The port of the listener; useful when the configured port is 0.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The shared state, for tests.
    pub fn state(&self) -> Arc<State> {
        self.state.clone().into_inner()
    }

    /// Returns the URL of this server. If there is no account yet, also returns the link for
    /// creating the first account.
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

    /// Serves requests until it receives SIGINT or SIGTERM, then waits for the current requests and
    /// jobs to finish.
    pub async fn run(self) -> Result<()> {
        let handle = self.server.handle();
        let stop = self.stop.clone();
        let [mut interrupt, mut terminate] = self.signals;
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            tracing::info!("shutting down");
            // End the event streams first. They stay open until they are told to end, and the
            // server waits for every open response.
            stop.send_replace(true);
            handle.stop(true).await;
        });
        self.server.await?;
        self.stop.send_replace(true);
        match tokio::time::timeout(JOB_SHUTDOWN_TIMEOUT, self.jobs).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the job dispatcher failed"),
            Err(_) => tracing::warn!("shutdown interrupted a job that was still running"),
        }
        self.state.db.close().await;
        Ok(())
    }
}

/// Prints a line to standard output. Ignores write errors, because the other end of a pipe may be
/// closed.
pub fn print(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
