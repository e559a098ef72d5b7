//! The jobs that make a recording seekable at once, give it a poster, and convert what browsers do not play.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::OnceCell;

use super::{Media, Object, original, put_rendition};
use crate::clock::{self, Clock, Millis};
use crate::error::{Error, Result};
use crate::infra::db::{Db, Tx};
use crate::infra::images;
use crate::infra::images::{Font, Rendered};
use crate::infra::jobs;
use crate::infra::storage::{About, Storage};
use crate::infra::video::{Metadata, Need, Output, Tools};
use crate::{events, updates};

/// Shown while a stretch is cut, and while the whole comes back.
pub(super) const TRIMMING: &str = "Being trimmed";
pub(super) const RESTORING: &str = "Being put back whole";
/// Said where nothing that plays could be cut.
const NOT_THERE: &str =
    "It could not be trimmed there. Its author can choose other ends, or bring the whole back.";
/// So long who plays a raw file may go on after a copy has taken its place, besides its length.
const RAW: Millis = 3_600_000;

/// All that the work needs.
#[derive(Clone, Debug)]
pub struct Workshop {
    /// The database.
    pub db: Db,
    /// The domain's time.
    pub clock: Clock,
    /// Where bytes are kept.
    pub storage: Storage,
    /// Where ffmpeg is, if the settings say so.
    pub ffmpeg: Option<PathBuf>,
    /// What was found of it; see [`Workshop::tools`].
    pub found: Arc<OnceCell<Tools>>,
    /// Where files in the making lie.
    pub tmp: PathBuf,
    /// When this process began.
    pub since: SystemTime,
    /// What texts are drawn with.
    pub font: Font,
}

impl Workshop {
    /// ffmpeg, looked for and tried at first use: that takes most of a second, and starting to serve must not.
    pub async fn tools(&self) -> &Tools {
        self.found
            .get_or_init(|| Tools::find(self.ffmpeg.as_deref()))
            .await
    }

    /// Deletes objects, and what processes that were killed left half-made, of whatever it was: all that was there before this one began.
    pub async fn destroy(&self, keys: &[String]) -> Result<()> {
        self.storage.destroy(keys, self.since).await?;
        sweep_folder(self.tmp.clone(), self.since).await
    }
}

/// Deletes what has not been touched since then.
pub async fn sweep_folder(folder: PathBuf, since: SystemTime) -> Result<()> {
    let sweep = move || {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if entry.metadata()?.modified()? < since {
                let path = entry.path();
                if path.is_dir() {
                    std::fs::remove_dir_all(path)?
                } else {
                    std::fs::remove_file(path)?
                }
            }
        }
        Ok::<(), std::io::Error>(())
    };
    Ok(tokio::task::spawn_blocking(sweep)
        .await
        .map_err(Error::internal)??)
}

/// The payload of both jobs.
#[derive(Debug, Deserialize)]
struct Task {
    media: String,
    generation: i64,
    /// What its author has to know once it is ready.
    #[serde(default)]
    note: Option<String>,
}

impl Task {
    /// Reads a job's payload.
    fn parse(payload: &str) -> Result<Self> {
        serde_json::from_str(payload).map_err(Error::internal)
    }
}

/// Makes a recording seekable, or cuts the stretch that is to play, measures it and takes a poster. What cannot be played at all is `failed`,
/// with the reason.
pub async fn process(shop: &Workshop, payload: &str) -> Result<()> {
    let task = Task::parse(payload)?;
    let Some((media, key)) = load(shop, &task, "original").await? else {
        return Ok(());
    };
    let metadata = match media.metadata() {
        Some(metadata) => metadata,
        None => scan_original(shop, &task, &key).await?,
    };
    let tools = shop.tools().await;
    if let Some(missing) = tools.missing() {
        return match media.stretch() {
            None => {
                settle(
                    shop,
                    &task,
                    "ready",
                    Some(&original::stored_as_it_came(metadata, &missing)),
                )
                .await
            }
            // The whole is not for others.
            Some(_) => {
                settle(
                    shop,
                    &task,
                    "failed",
                    Some(&format!("It cannot be trimmed. {missing}")),
                )
                .await
            }
        };
    }
    let dir = tempfile::tempdir_in(&shop.tmp)?;
    let input = shop.storage.fetch(&key, dir.path()).await?;
    step(
        shop,
        &task,
        if media.stretch().is_some() {
            TRIMMING
        } else {
            "Making it seekable"
        },
    )
    .await?;
    let out = tempfile::tempdir_in(&shop.tmp)?;
    let made = match make(tools, &input, media.stretch(), out.path()).await {
        Ok(made) => made,
        // The file itself played before: what is at fault is where it was to be cut.
        Err(Error::Unsupported(_)) if media.stretch().is_some() => {
            return refuse(shop, &task, Error::Unsupported(NOT_THERE.into())).await;
        }
        Err(error) => return refuse(shop, &task, error).await,
    };
    let frame = tempfile::tempdir_in(&shop.tmp)?;
    // Of the copy: the original may begin with what nobody is to see.
    let poster = match tools.poster(&made.path, &made.probe, frame.path()).await {
        Ok(path) => Some(images::make(&path).await?),
        Err(error) => {
            // A recording without a poster still plays; the cause matters to whoever runs this.
            tracing::warn!(%error, media = media.id, "no poster could be taken");
            None
        }
    };
    let need = Tools::needs_h264(&made.probe);
    let mut objects = vec![store(shop, "playable", &made).await?];
    if let Some(poster) = poster {
        let (frame, thumbnail) = poster.parts();
        objects.push(store_picture(shop, "poster", frame).await?);
        objects.push(store_picture(shop, "thumbnail", thumbnail).await?);
    }
    let task = Task {
        note: made.note.clone(),
        ..task
    };
    let state = if need == Need::ForAll {
        ("processing", Some("Converting it for browsers"))
    } else {
        ("ready", task.note.as_deref())
    };
    let follow = (need != Need::None).then_some("convert");
    commit(shop, &task, objects, Some(&made), state, follow).await
}

/// What is to play: what players present of the original, or the stretch of that.
async fn make(
    tools: &Tools,
    input: &Path,
    stretch: Option<(Millis, Millis)>,
    dir: &Path,
) -> Result<Output> {
    let probe = tools.probe(input).await?;
    match stretch {
        None => tools.seekable(input, &probe, dir).await,
        Some(stretch) => tools.cut(input, &probe, stretch, dir).await,
    }
}

/// Makes the H.264 copy of what some or all browsers do not play: of the playable copy, so that both show the same at any moment.
pub async fn convert(shop: &Workshop, payload: &str) -> Result<()> {
    let task = Task::parse(payload)?;
    let Some((media, key)) = load(shop, &task, "playable").await? else {
        return Ok(());
    };
    let dir = tempfile::tempdir_in(&shop.tmp)?;
    let input = shop.storage.fetch(&key, dir.path()).await?;
    let probe = shop.tools().await.probe(&input).await?;
    let out = tempfile::tempdir_in(&shop.tmp)?;
    let made = match shop.tools().await.h264(&input, &probe, out.path()).await {
        Ok(made) => made,
        // Where others play it already, a copy that cannot be made is no failure of the recording.
        Err(error) if media.state == "ready" => {
            tracing::warn!(%error, media = media.id, "no H.264 copy could be made");
            return Ok(());
        }
        Err(error) => return refuse(shop, &task, error).await,
    };
    let copy = store(shop, "h264", &made).await?;
    let mut objects = vec![copy.clone()];
    if Tools::needs_h264(&probe) == Need::ForAll {
        objects.push(Object {
            name: "playable",
            ..copy
        });
    }
    commit(
        shop,
        &task,
        objects,
        None,
        ("ready", task.note.as_deref()),
        None,
    )
    .await
}

/// After the last try: the recording is `failed`, unless it plays already.
pub async fn give_up(shop: &Workshop, payload: &str) -> Result<()> {
    let task = Task::parse(payload)?;
    match load(shop, &task, "original").await? {
        Some((media, _)) if media.state == "processing" => {
            settle(
                shop,
                &task,
                "failed",
                Some("It could not be prepared, though we tried several times. Its author still has the file; tell your admin."),
            )
            .await
        }
        _ => Ok(()),
    }
}

/// The media, if it is still the same, and the key of that rendition of it.
async fn load(shop: &Workshop, task: &Task, rendition: &str) -> Result<Option<(Media, String)>> {
    let mut connection = shop.db.read().await?;
    let media: Option<Media> = sqlx::query_as(concat!(
        "SELECT ",
        super::columns!(),
        " FROM media m WHERE m.id = $1 AND m.generation = $2"
    ))
    .bind(&task.media)
    .bind(task.generation)
    .fetch_optional(&mut *connection)
    .await?;
    let Some(media) = media else { return Ok(None) };
    let key: Option<String> =
        sqlx::query_scalar("SELECT key FROM renditions WHERE media_id = $1 AND name = $2")
            .bind(&task.media)
            .bind(rendition)
            .fetch_optional(&mut *connection)
            .await?;
    Ok(key.map(|key| (media, key)))
}

/// Looks at an original that was stored before originals were looked at as they came.
async fn scan_original(shop: &Workshop, task: &Task, key: &str) -> Result<Metadata> {
    let metadata = original::scan(shop, key).await?;
    let mut tx = shop.db.begin().await?;
    sqlx::query("UPDATE media SET original_metadata = $1 WHERE id = $2 AND generation = $3")
        .bind(metadata.as_str())
        .bind(&task.media)
        .bind(task.generation)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(metadata)
}

/// What the file itself is said to its author and not tried again; the rest is.
async fn refuse(shop: &Workshop, task: &Task, error: Error) -> Result<()> {
    match error {
        Error::Unsupported(reason) | Error::TooLarge(reason) => {
            settle(shop, task, "failed", Some(&reason)).await
        }
        other => Err(other),
    }
}

async fn step(shop: &Workshop, task: &Task, doing: &str) -> Result<()> {
    settle(shop, task, "processing", Some(doing)).await
}

async fn settle(shop: &Workshop, task: &Task, state: &str, reason: Option<&str>) -> Result<()> {
    let mut tx = shop.db.begin().await?;
    if set_state(&mut tx, task, state, reason).await? {
        tell(&mut tx, &shop.clock, task).await?;
    }
    tx.commit().await
}

/// False when the media is gone or was replaced meanwhile. Of what failed nothing plays: the raw file is its author's alone.
async fn set_state(tx: &mut Tx, task: &Task, state: &str, reason: Option<&str>) -> Result<bool> {
    let done =
        sqlx::query("UPDATE media SET state = $1, reason = $2 WHERE id = $3 AND generation = $4")
            .bind(state)
            .bind(reason)
            .bind(&task.media)
            .bind(task.generation)
            .execute(&mut **tx)
            .await?;
    if state == "failed" && done.rows_affected() == 1 {
        sqlx::query("DELETE FROM renditions WHERE media_id = $1 AND name = 'playable'")
            .bind(&task.media)
            .execute(&mut **tx)
            .await?;
    }
    Ok(done.rows_affected() == 1)
}

async fn tell(tx: &mut Tx, clock: &Clock, task: &Task) -> Result<()> {
    let update: String = sqlx::query_scalar("SELECT update_id FROM media WHERE id = $1")
        .bind(&task.media)
        .fetch_one(&mut **tx)
        .await?;
    events::record(tx, clock, "media", &update, &task.media, "").await
}

/// Makes the objects renditions, if the media is still there in the same generation; else they are deleted again.
async fn commit(
    shop: &Workshop,
    task: &Task,
    objects: Vec<Object>,
    measured: Option<&Output>,
    (state, reason): (&str, Option<&str>),
    follow: Option<&'static str>,
) -> Result<()> {
    let mut tx = shop.db.begin().await?;
    if !set_state(&mut tx, task, state, reason).await? {
        let keys: Vec<String> = objects.into_iter().map(|object| object.key).collect();
        updates::purge(&mut tx, &shop.clock, &keys).await?;
        return tx.commit().await;
    }
    let mut replaced: Vec<String> = Vec::new();
    for object in &objects {
        let before: Option<String> = sqlx::query_scalar(
            "SELECT key FROM renditions WHERE media_id = $1 AND name = $2 AND key <> $3",
        )
        .bind(&task.media)
        .bind(object.name)
        .bind(&object.key)
        .fetch_optional(&mut *tx)
        .await?;
        replaced.extend(before);
        put_rendition(&mut tx, &task.media, object).await?;
    }
    // The raw file was playable and stays the original: only what no rendition names any more goes.
    let mut gone = Vec::new();
    for key in replaced {
        let used: i64 = sqlx::query_scalar("SELECT count(*) FROM renditions WHERE key = $1")
            .bind(&key)
            .fetch_one(&mut *tx)
            .await?;
        if used == 0 {
            gone.push(key);
        } else {
            // Who plays it is not interrupted.
            let length = measured
                .and_then(|measured| measured.duration_ms)
                .unwrap_or(0);
            sqlx::query("UPDATE media SET raw_until = $1 WHERE id = $2")
                .bind(shop.clock.now() + length + RAW)
                .bind(&task.media)
                .execute(&mut *tx)
                .await?;
        }
    }
    updates::purge(&mut tx, &shop.clock, &gone).await?;
    if let Some(measured) = measured {
        sqlx::query("UPDATE media SET width = $1, height = $2, duration_ms = $3 WHERE id = $4")
            .bind(i64::from(measured.width))
            .bind(i64::from(measured.height))
            .bind(measured.duration_ms)
            .bind(&task.media)
            .execute(&mut *tx)
            .await?;
    }
    if let Some(kind) = follow {
        jobs::enqueue(
            &mut tx,
            &shop.clock,
            kind,
            &json!({ "media": task.media, "generation": task.generation, "note": task.note }),
        )
        .await?;
    }
    tell(&mut tx, &shop.clock, task).await?;
    tx.commit().await
}

async fn store(shop: &Workshop, name: &'static str, made: &Output) -> Result<Object> {
    let key = loose_key(&shop.db, &shop.clock, None).await?;
    let bytes = shop
        .storage
        .put_file(&key, &about(made.content_type), &made.path)
        .await?;
    Ok(Object {
        name,
        key,
        content_type: made.content_type.to_string(),
        size: Some((made.width, made.height)),
        bytes,
    })
}

async fn store_picture(shop: &Workshop, name: &'static str, picture: Rendered) -> Result<Object> {
    let key = loose_key(&shop.db, &shop.clock, None).await?;
    put_picture(&shop.storage, name, key, picture).await
}

/// Stores a picture that is in memory already.
pub(crate) async fn put_picture(
    storage: &Storage,
    name: &'static str,
    key: String,
    picture: Rendered,
) -> Result<Object> {
    let (content_type, size) = (
        picture.content_type.to_owned(),
        Some((picture.width, picture.height)),
    );
    let body = futures_util::stream::iter([Ok(bytes::Bytes::from(picture.bytes))]);
    let bytes = storage.put(&key, &about(&content_type), body).await?;
    Ok(Object {
        name,
        key,
        content_type,
        size,
        bytes,
    })
}

/// All bytes of an object, in memory: for pictures.
pub(crate) async fn whole(storage: &Storage, key: &str) -> Result<Vec<u8>> {
    let length = storage.len(key).await?.ok_or(Error::NotFound)?;
    if length > images::MAX_BYTES {
        return Err(Error::TooLarge("This picture has more than 64 MiB.".into()));
    }
    let mut body = storage.get(key, 0..length).await?;
    let mut bytes = Vec::with_capacity(usize::try_from(length).map_err(Error::internal)?);
    while let Some(block) = body.next().await {
        bytes.extend_from_slice(&block?);
    }
    Ok(bytes)
}

/// What is stored with an object, for storage that serves it itself.
pub(crate) fn about(content_type: &str) -> About {
    About {
        content_type: content_type.to_owned(),
        disposition: "inline".into(),
        cache_control: "private, no-cache".into(),
    }
}

/// A new key, written down before the object is, so that what never finds its media is deleted after a day; and where it is known, with whose bytes
/// it is for.
pub(crate) async fn loose_key(db: &Db, clock: &Clock, media_id: Option<&str>) -> Result<String> {
    let key = format!("media/{}", clock::secret());
    let mut tx = db.begin().await?;
    note_loose(&mut tx, clock, &key, media_id).await?;
    tx.commit().await?;
    Ok(key)
}

/// Writes down that what lies under a key belongs to nothing that is shown.
pub(super) async fn note_loose(
    tx: &mut Tx,
    clock: &Clock,
    key: &str,
    media_id: Option<&str>,
) -> Result<()> {
    sqlx::query("INSERT INTO loose_objects (key, since, media_id) VALUES ($1, $2, $3)")
        .bind(key)
        .bind(clock.now())
        .bind(media_id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// A new key for work on media of one generation: none once that has passed. So whoever raises it knows all keys that were given before.
pub(crate) async fn loose_key_of(
    db: &Db,
    clock: &Clock,
    media_id: &str,
    generation: i64,
) -> Result<Option<String>> {
    let key = format!("media/{}", clock::secret());
    let mut tx = db.begin().await?;
    // Locks the media's row, so that nobody raises it between this and the commit.
    let current =
        sqlx::query("UPDATE media SET generation = generation WHERE id = $1 AND generation = $2")
            .bind(media_id)
            .bind(generation)
            .execute(&mut *tx)
            .await?;
    if current.rows_affected() == 0 {
        return Ok(None);
    }
    note_loose(&mut tx, clock, &key, Some(media_id)).await?;
    tx.commit().await?;
    Ok(Some(key))
}
