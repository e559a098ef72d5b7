//! State that handlers and workers share: settings, database, storage, rate limits, keys and the
//! event hub.

mod contexts;
mod mail;
mod node;

use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use self::node::Node;
use crate::clock::{self, Clock};
use crate::config::{Config, Delivery, StorageLocation};
use crate::error::{Error, Result};
use crate::events::hub::EventHub;
use crate::ids;
use crate::infra::db::{self, Db};
use crate::infra::images::Font;
use crate::infra::storage::{S3Settings, Storage};
use crate::media::MediaContext;
use crate::notification_emails::MailContext;
use crate::object_deletion::ObjectContext;
use crate::rate_limits::RateLimits;
use crate::search::{self, SearchContext};
use crate::signing;
use crate::uploads::{KeyedLimiter, UploadService};

/// Maximum number of uploads that can assemble a part at the same time. Each of them needs memory for two parts.
const MAX_PARALLEL_JOINS: usize = 4;

/// State that all requests and workers share.
pub struct State {
    /// The settings.
    pub config: Config,
    /// The database.
    pub db: Db,
    /// The clock. Tests can change its time.
    pub clock: Clock,
    /// The service that receives files. It owns the storage and the media tools.
    pub uploads: UploadService,
    /// Database and storage for the job that deletes stored objects.
    pub(crate) objects: ObjectContext,
    /// Database and clock for the jobs of the search index.
    pub(crate) search: SearchContext,
    /// The context of the email jobs; `None` if email is not configured.
    pub(crate) mail: Option<MailContext>,
    /// Rate limits that slow down password guessing and floods of comments.
    pub rate_limits: RateLimits,
    /// The key that signs URLs and cookies. See [`signing::stored_key`].
    pub(crate) key: String,
    /// The code that the setup page requires.
    pub(crate) setup_code: String,
    /// Sends events to open pages.
    pub(crate) event_hub: EventHub,
    /// When this node last checked for overdue answers, according to `clock`; 0 before the first check.
    pub(crate) overdue_checked_at: AtomicI64,
    /// Identifies this process as the owner of its leases on jobs and uploads.
    pub(crate) node: Node,
    /// The origins from which pages may load media, in addition to their own origin. Used in the
    /// Content-Security-Policy. Contains the public URL and, if the delivery is `redirect`, the
    /// origin of the bucket.
    pub(crate) media_sources: String,
}

/// Creates the data folder if it does not exist. Fails if Hearback cannot create files in it.
pub fn create_data_dir(folder: &Path) -> Result<()> {
    let fault = |text: String| Error::Conflict(format!("HEARBACK_DATA: {text}"));
    let path = folder.display();
    if let Some(file) = folder
        .ancestors()
        .find(|part| part.exists() && !part.is_dir())
    {
        return Err(fault(format!(
            "{} is not a folder. Set HEARBACK_DATA to a folder, for example `./data`. Hearback creates it if it \
             does not exist.",
            file.display()
        )));
    }
    // The folder contains password hashes and the signing key, so only the current user may read
    // it.
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| {
            fault(format!(
                "cannot create the folder {path}: {error}. Create it and make the user that runs \
                 Hearback its owner, or choose another folder."
            ))
        })?;
    match tempfile::tempfile_in(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::StorageFull => Err(fault(format!(
            "cannot create a file in {path}: {error}. Make the user that runs Hearback the owner \
             of the folder, or choose another folder."
        ))),
        _ => Ok(()),
    }
}

/// Creates the data folder, opens the database, runs the migrations and creates the search index.
pub async fn open_db(config: &Config) -> Result<Db> {
    create_data_dir(&config.data_dir)?;
    let db = Db::open(&config.database_url).await?;
    let mut tx = db.begin().await?;
    search::create_engine_index(&mut tx, db.dialect()).await?;
    tx.commit().await?;
    Ok(db)
}

/// Opens the configured storage.
pub async fn open_storage(config: &Config) -> Result<Storage> {
    match &config.storage {
        StorageLocation::Disk => Storage::disk(&config.data_dir.join("media")),
        StorageLocation::S3 { bucket, prefix } => {
            Storage::s3(S3Settings {
                bucket: bucket.clone(),
                // Keys are appended directly to the prefix, so it must end with a slash.
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

impl State {
    /// Opens the database and the storage. `font` is used to render markup text. When `stop`
    /// becomes true, event streams end.
    pub(crate) async fn open(
        config: Config,
        clock: Clock,
        font: Font,
        stop: watch::Receiver<bool>,
    ) -> Result<Self> {
        let db = open_db(&config).await?;
        let storage = open_storage(&config).await?;
        let tmp = config.data_dir.join("tmp");
        std::fs::create_dir_all(&tmp)?;
        let mut tx = db.begin().await?;
        let key = signing::stored_key(&mut tx).await?;
        let setup_code = db::get_or_create_setting(&mut tx, "setup_code", ids::secret).await?;
        tx.commit().await?;
        let media_sources = media_sources(&config, &storage).await?;
        let live = EventHub::start(db.clone(), stop).await?;
        let node = Node::start(&db, &config.data_dir).await?;
        let objects = ObjectContext {
            db: db.clone(),
            storage: storage.clone(),
        };
        let search = SearchContext {
            db: db.clone(),
            clock: clock.clone(),
        };
        let mail = mail_context(&config, &db, &clock, &key);
        let ctx = MediaContext {
            db: db.clone(),
            clock: clock.clone(),
            storage,
            ffmpeg: config.ffmpeg.clone(),
            tools: Arc::default(),
            temp_dir: tmp,
            started_at: clock::real_time(),
            font,
        };
        let uploads = UploadService {
            media: ctx,
            max_bytes: config.max_upload,
            min_free_bytes: config.min_free_bytes,
            idle_timeout: config.upload_idle_timeout,
            join_permits: Arc::new(Semaphore::new(MAX_PARALLEL_JOINS)),
            writers: KeyedLimiter::default(),
            finishers: KeyedLimiter::default(),
            node: node.id.clone(),
        };
        Ok(Self {
            db,
            clock,
            uploads,
            objects,
            search,
            mail,
            rate_limits: RateLimits::default(),
            key,
            setup_code,
            event_hub: live,
            overdue_checked_at: AtomicI64::default(),
            node,
            media_sources,
            config,
        })
    }
}

/// Returns the origins from which pages may load media, each with a space before it.
async fn media_sources(config: &Config, storage: &Storage) -> Result<String> {
    let redirected = match config.delivery {
        Delivery::Proxy => None,
        Delivery::Redirect => storage
            .presign("media/any", Duration::from_secs(60))
            .await?
            .as_deref()
            .and_then(origin),
    };
    let sources = config
        .url
        .clone()
        .into_iter()
        .chain(redirected)
        .map(|source| format!(" {source}"));
    Ok(sources.collect())
}

/// Returns the context of the email jobs. Returns `None` unless both a mail server and a public URL
/// are configured, because emails contain links.
fn mail_context(config: &Config, db: &Db, clock: &Clock, key: &str) -> Option<MailContext> {
    Some(MailContext {
        db: db.clone(),
        clock: clock.clone(),
        mailer: config.mail.clone()?,
        base: config.url.clone()?,
        key: key.to_owned(),
    })
}

/// Returns the scheme, host and port of a URL.
fn origin(url: &str) -> Option<String> {
    Some(url::Url::parse(url).ok()?.origin().ascii_serialization())
}
