//! The parts put together: what is shared by all requests, the workers, and a stop that loses nothing.

mod node;
mod post;
mod work;

use std::io::Write as _;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::num::NonZeroU32;
use std::os::unix::fs::DirBuilderExt as _;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::{HttpRequest, HttpServer, web};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use serde::Deserialize;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use self::node::Node;
use crate::clock::{self, Clock};
use crate::config::{Config, Delivery, Place};
use crate::error::{Error, Result};
use crate::infra::db;
use crate::infra::db::Db;
use crate::infra::images::Font;
use crate::infra::jobs::Job;
use crate::infra::storage::{S3Settings, Storage};
use crate::media::{self, Workshop};
use crate::people::Viewer;
use crate::uploads::{self, Busy, Intake};
use crate::web::assets;
use crate::web::handlers::live::Live;
use crate::{events, markup, notifications, people, receipts, search, updates};

/// Parts of uploads put together at once: each is in memory twice, 16 MiB.
const JOINING: usize = 4;
/// So long a connection is kept for a next request: longer than proxies keep theirs (Caddy two minutes, nginx and Amazon's one), for whoever closes
/// first closes on a request now and then.
const KEPT: Duration = Duration::from_secs(150);
/// So long a new connection may take to its first request: browsers open some before they need them.
const HEAD: Duration = Duration::from_secs(30);
/// How long jobs that cannot be broken off are waited for at the end.
const LAST_WORDS: Duration = Duration::from_secs(10);
/// How often it is looked at what became due.
const DUE: Duration = Duration::from_secs(15);
/// What lies in the folder of files in the making for so long was left by a process that was killed.
const LEFT: Duration = Duration::from_secs(24 * 3600);
/// How often uploads are looked for that are whole and not finished.
const FINISH: Duration = Duration::from_secs(15);
/// How often what is over is thrown away.
const SWEEP: Duration = Duration::from_secs(600);

/// What all requests share.
pub struct State {
    /// The settings.
    pub config: Config,
    /// The database.
    pub db: Db,
    /// The domain's time.
    pub clock: Clock,
    /// How files come in, with storage and tools.
    pub intake: Intake,
    /// Keeps guessing and flooding slow.
    pub guard: Guard,
    /// What signs addresses and cookies; a row of the database, so that all nodes have it.
    pub(crate) key: String,
    /// What the set-up page asks for.
    pub(crate) setup_code: String,
    /// Open pages.
    pub(crate) live: Live,
    /// This process, among all that claim jobs.
    pub(crate) node: Node,
    /// Where media comes from besides the page's own address, for the Content-Security-Policy: the public address and, in
    /// `redirect`, the bucket's.
    pub(crate) media_sources: String,
}

impl State {
    /// The address a request came from: that of the connection, or what a trusted proxy says.
    pub(crate) fn address(&self, req: &HttpRequest) -> String {
        let Some(peer) = req.peer_addr().map(|peer| peer.ip()) else {
            return "unknown".into();
        };
        let trusted = |address: &IpAddr| self.config.trusted_proxies.contains(address);
        if !trusted(&peer) {
            return peer.to_string();
        }
        let forwarded = req
            .headers()
            .get_all("x-forwarded-for")
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','));
        let hops: Vec<IpAddr> = forwarded
            .filter_map(|hop| hop.trim().parse().ok())
            .collect();
        hops.into_iter()
            .rev()
            .find(|hop| !trusted(hop))
            .unwrap_or(peer)
            .to_string()
    }

    /// Tells authors of what became due.
    pub async fn tell_due(&self) -> Result<usize> {
        let mut tx = self.db.begin().await?;
        let told = receipts::tell_due(&mut tx, &self.clock).await?;
        tx.commit().await?;
        Ok(told)
    }

    /// Throws away what is over: the trash after 30 days, uploads that broke off, old events, files in the making, counts of who tried what.
    /// Each step is tried, because later ones may make the room that an earlier one lacks; answers with the first error.
    pub async fn sweep(&self) -> Result<()> {
        let rows = self.sweep_rows().await;
        let uploads = uploads::sweep(&self.intake).await;
        let log = self.db.scrub().await;
        self.guard.forget();
        let folder =
            media::sweep_folder(self.intake.shop.tmp.clone(), clock::real_time() - LEFT).await;
        let storage = self.sweep_storage().await;
        let mut swept = Ok(());
        for step in [rows, uploads, log, folder, storage] {
            match (&swept, step) {
                (Ok(()), step) => swept = step,
                (Err(_), Err(error)) => tracing::warn!(%error, "another step of the sweep failed"),
                (Err(_), Ok(())) => {}
            }
        }
        swept
    }

    async fn sweep_rows(&self) -> Result<()> {
        let mut tx = self.db.begin().await?;
        updates::sweep_trash(&mut tx, &self.clock).await?;
        events::sweep(&mut tx, &self.clock).await?;
        notifications::sweep(&mut tx, &self.clock).await?;
        people::sweep(&mut tx, &self.clock).await?;
        tx.commit().await
    }

    async fn sweep_storage(&self) -> Result<()> {
        let wanted = uploads::unfinished(&mut *self.db.read().await?).await?;
        self.intake.shop.storage.sweep(&wanted).await
    }
}

/// Limits on how often something is tried, in this node's memory.
#[derive(Debug)]
pub struct Guard {
    accounts: DefaultKeyedRateLimiter<String>,
    addresses: DefaultKeyedRateLimiter<String>,
    speakers: DefaultKeyedRateLimiter<String>,
}

impl Default for Guard {
    fn default() -> Self {
        let quota = |burst: u32, refill: u64| {
            let period = Duration::from_secs(refill);
            Quota::with_period(period)
                .unwrap_or(Quota::per_minute(NonZeroU32::MIN))
                .allow_burst(NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN))
        };
        Self {
            accounts: RateLimiter::keyed(quota(10, 30)),
            addresses: RateLimiter::keyed(quota(60, 2)),
            speakers: RateLimiter::keyed(quota(60, 1)),
        }
    }
}

impl Guard {
    /// From one address an account's password may be tried ten times, then twice a minute, and all passwords sixty times, then every two
    /// seconds. Nobody can lock others out: an account's tries are counted for each address by itself.
    pub fn sign_in(&self, account: &str, address: &str) -> Result<()> {
        check(&self.addresses, address)?;
        check(&self.accounts, &format!("{account} {address}"))
    }

    /// Forgets who has not tried anything for a while.
    fn forget(&self) {
        for limiter in [&self.accounts, &self.addresses, &self.speakers] {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }

    /// Guests say sixty things, then one a second; people are trusted.
    pub fn speak(&self, viewer: &Viewer, address: &str) -> Result<()> {
        match viewer {
            Viewer::Guest(_) => check(&self.speakers, address),
            Viewer::Person(_) | Viewer::Nobody => Ok(()),
        }
    }
}

fn check(limiter: &DefaultKeyedRateLimiter<String>, key: &str) -> Result<()> {
    limiter.check_key(&key.to_owned()).map_err(|until| {
        Error::TooMany(
            until
                .wait_time_from(DefaultClock::default().now())
                .as_secs()
                + 1,
        )
    })
}

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
        let state = web::Data::new(state(config, clock, stopped.clone()).await?);
        let jobs = tokio::spawn(work::dispatch(state.clone().into_inner(), stopped.clone()));
        tokio::spawn(sweep_on(state.clone().into_inner(), stopped.clone()));
        tokio::spawn(finish_on(state.clone().into_inner(), stopped.clone()));
        tokio::spawn(due_on(state.clone().into_inner(), stopped));
        let shared = state.clone();
        let server = HttpServer::new(move || {
            actix_web::App::new()
                .app_data(shared.clone())
                .wrap(from_fn(crate::web::around))
                .configure(crate::web::routes)
        })
        .listen(listener)?
        .keep_alive(KEPT)
        .client_request_timeout(HEAD)
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
    pub async fn invitation(&self) -> Result<(String, Option<String>)> {
        let base = self.state.config.url.clone().unwrap_or_else(|| {
            let host = if self.address.ip().is_unspecified() {
                "localhost".into()
            } else {
                self.address.ip().to_string()
            };
            format!("http://{host}:{}", self.address.port())
        });
        let first = people::none_yet(&mut *self.state.db.read().await?).await?;
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
        match tokio::time::timeout(LAST_WORDS, self.jobs).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the dispatcher of jobs failed"),
            Err(_) => tracing::warn!("a job that cannot be broken off was, at the end"),
        }
        self.state.db.close().await;
        Ok(())
    }
}

/// Opens the database and brings it up to date.
pub async fn open_db(config: &Config) -> Result<Db> {
    // It holds password hashes and the key that signs addresses: for this user alone.
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&config.data)
        .map_err(|error| {
            Error::Conflict(format!(
                "HEARBACK_DATA: {} cannot be made: {error}. Name a folder that can be written.",
                config.data.display()
            ))
        })?;
    let db = Db::open(&config.database_url).await?;
    let mut tx = db.begin().await?;
    search::prepare(&mut tx, db.dialect()).await?;
    tx.commit().await?;
    Ok(db)
}

/// Opens the storage that the settings name.
pub async fn open_storage(config: &Config) -> Result<Storage> {
    match &config.storage {
        Place::Disk => Storage::disk(&config.data.join("media")),
        Place::S3 { bucket, prefix } => {
            Storage::s3(S3Settings {
                bucket: bucket.clone(),
                // Keys begin with it as it is, so the slash belongs to it.
                prefix: if prefix.is_empty() {
                    String::new()
                } else {
                    format!("{prefix}/")
                },
                endpoint: config.s3_endpoint.clone(),
                public_endpoint: config.s3_public_endpoint.clone(),
                path_style: config.s3_path_style,
                ..S3Settings::default()
            })
            .await
        }
    }
}

async fn state(config: Config, clock: Clock, stop: watch::Receiver<bool>) -> Result<State> {
    let db = open_db(&config).await?;
    let storage = open_storage(&config).await?;
    let tmp = config.data.join("tmp");
    std::fs::create_dir_all(&tmp)?;
    let mut tx = db.begin().await?;
    let key = db::setting(&mut tx, "key", clock::secret).await?;
    let setup_code = db::setting(&mut tx, "setup_code", clock::secret).await?;
    tx.commit().await?;
    let redirected = match config.delivery {
        Delivery::Proxy => None,
        Delivery::Redirect => storage
            .presign("media/any", Duration::from_secs(60))
            .await?
            .as_deref()
            .and_then(origin),
    };
    let media_sources = config
        .url
        .clone()
        .into_iter()
        .chain(redirected)
        .map(|source| format!(" {source}"))
        .collect();
    let live = Live::start(db.clone(), stop).await?;
    let node = Node::start(&db, &config.data).await?;
    let font = assets::named("DejaVuSans.ttf")
        .map(|file| Font::new(&file.data))
        .unwrap_or_default();
    let shop = Workshop {
        db: db.clone(),
        clock: clock.clone(),
        storage,
        ffmpeg: config.ffmpeg.clone(),
        found: Arc::default(),
        tmp,
        since: clock::real_time(),
        font,
    };
    let intake = Intake {
        shop,
        max: config.max_upload,
        min_free: config.min_free,
        pause: config.upload_pause,
        joining: Arc::new(Semaphore::new(JOINING)),
        writing: Busy::default(),
        finishing: Busy::default(),
    };
    Ok(State {
        db,
        clock,
        intake,
        guard: Guard::default(),
        key,
        setup_code,
        live,
        node,
        media_sources,
        config,
    })
}

/// `https://host:port` of an address.
fn origin(url: &str) -> Option<String> {
    let uri: actix_web::http::Uri = url.parse().ok()?;
    Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?))
}

async fn sweep_on(state: Arc<State>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        if let Err(error) = state.sweep().await {
            tracing::warn!(%error, "what is over could not be thrown away");
        }
        tokio::select! {
            () = tokio::time::sleep(SWEEP) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Finishes uploads that their last request left unfinished. Not part of the sweep, because somebody waits for them.
async fn finish_on(state: Arc<State>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        if let Err(error) = uploads::finish_forgotten(&state.intake).await {
            tracing::warn!(%error, "forgotten uploads could not be finished");
        }
        tokio::select! {
            () = tokio::time::sleep(FINISH) => {}
            _ = stop.changed() => {}
        }
    }
}

async fn due_on(state: Arc<State>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        if let Err(error) = state.tell_due().await {
            tracing::warn!(%error, "what became due could not be told");
        }
        tokio::select! {
            () = tokio::time::sleep(DUE) => {}
            _ = stop.changed() => {}
        }
    }
}

#[derive(Deserialize)]
struct Keys {
    keys: Vec<String>,
}

#[derive(Deserialize)]
struct Subject {
    update: String,
    #[serde(default)]
    subject: String,
}

/// The one list of what jobs there are. Answers false where the end of the process came first.
async fn perform(state: &State, job: &Job, stop: &watch::Receiver<bool>) -> Result<bool> {
    let shop = &state.intake.shop;
    let done = match job.kind.as_str() {
        "process" => media::process(shop, &job.payload).await,
        "convert" => media::convert(shop, &job.payload).await,
        "mark" => markup::mark(shop, &job.payload).await,
        "burn" => markup::burn_job(shop, &job.payload).await,
        "purge" => {
            let keys: Keys = serde_json::from_str(&job.payload).map_err(Error::internal)?;
            uploads::purge(shop, &keys.keys).await
        }
        "clear" => uploads::clear(shop, &job.payload).await,
        "index" => {
            let subject: Subject = serde_json::from_str(&job.payload).map_err(Error::internal)?;
            let mut tx = state.db.begin().await?;
            search::index(
                &mut tx,
                state.db.dialect(),
                &subject.update,
                &subject.subject,
            )
            .await?;
            tx.commit().await
        }
        "forget" => {
            let subject: Subject = serde_json::from_str(&job.payload).map_err(Error::internal)?;
            let mut tx = state.db.begin().await?;
            search::forget_update(&mut tx, state.db.dialect(), &subject.update).await?;
            tx.commit().await
        }
        "mail" => return state.deliver(job, stop).await,
        other => Err(Error::internal(format!("no job is called {other}"))),
    };
    done.map(|()| true)
}

/// Prints a line for whoever started this. They may have stopped reading, which is no reason to end.
pub fn print(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
