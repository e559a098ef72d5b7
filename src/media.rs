//! Recordings and pictures of updates and comments: their renditions, their states, and the rules
//! for who may fetch them.

mod context;
mod incoming;
mod objects;
mod original;
mod process;
mod state;
mod trim;

use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

pub use context::{MediaContext, sweep_dir};
pub use incoming::{cancel, clear_broken_off, create_pending, mark_incomplete, receive};
use objects::record_pending;
pub(crate) use objects::{
    new_pending_key, new_pending_key_for, object_metadata, read_all, store_picture,
};
pub use process::{ConvertMedia, ProcessMedia, Target};
pub use state::MediaState;

pub use crate::updates::MediaKind;
pub use trim::{MIN_LENGTH, trim, untrim};

use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::events::{self, EventKind};
use crate::infra::db;
use crate::infra::db::{FetchKnown, Tx};
use crate::infra::jobs;
use crate::infra::video::Metadata;
use crate::people::Viewer;
use crate::updates::{self, visible};

/// Maximum number of files in an update.
pub const MAX_FILES: usize = 50;
/// Maximum lifetime of a rendition's URL, in milliseconds.
const MAX_URL_LIFETIME: Millis = 24 * 3_600_000;

/// A recording or a picture.
#[derive(Clone, Debug, FromRow)]
pub struct Media {
    /// The id of the media.
    pub id: String,
    /// The update that contains the media.
    pub update_id: String,
    /// The comment that contains the picture; `None` if the media belongs directly to the update.
    pub comment_id: Option<String>,
    /// Kind of media.
    pub kind: MediaKind,
    /// Processing state.
    pub state: MediaState,
    /// Current progress, or the reason for a failure. Shown to people.
    pub reason: Option<String>,
    /// The name of the uploaded file.
    pub file_name: String,
    /// Displayed width in pixels.
    pub width: Option<i64>,
    /// Displayed height in pixels.
    pub height: Option<i64>,
    /// Duration of a video, in milliseconds.
    pub duration_ms: Option<Millis>,
    /// Incremented when the bytes are replaced. Jobs that started for an earlier generation do not
    /// commit their result.
    pub generation: i64,
    /// When the media was removed from the update. Earlier revisions still contain removed media.
    pub removed_at: Option<Millis>,
    /// When the server ended the recording because its page had stopped sending data; otherwise
    /// `None`.
    pub broken_off_at: Option<Millis>,
    /// Start of the trimmed range in the original, in milliseconds; `None` if the recording is not
    /// trimmed.
    pub trim_from_ms: Option<Millis>,
    /// End of the trimmed range in the original, in milliseconds.
    pub trim_to_ms: Option<Millis>,
    /// Start of the previous trimmed range when the current trim was requested, in milliseconds of
    /// the original.
    pub trim_base_ms: Option<Millis>,
    /// Duration of the original in milliseconds. Set only if the recording is trimmed.
    pub whole_ms: Option<Millis>,
    /// Incremented each time the markup is saved.
    pub markup_revision: i64,
    /// The number of shapes in the markup.
    pub marks: i64,
    /// Whether the original of a video can contain metadata, in the stored form of [`Metadata`].
    original_metadata: Option<String>,
}

impl Media {
    /// Returns the trimmed range in the original, in milliseconds. Returns `None` if the recording
    /// is not trimmed.
    pub fn trimmed_range(&self) -> Option<(Millis, Millis)> {
        self.trim_from_ms.zip(self.trim_to_ms)
    }
}

macro_rules! columns {
    () => {
        "m.id, m.update_id, m.comment_id, m.kind, m.state, m.reason, m.file_name, m.width, m.height, m.duration_ms, m.generation, m.removed_at, m.broken_off_at,
         m.trim_from_ms, m.trim_to_ms, m.trim_base_ms, m.whole_ms, m.markup_revision, m.marks, m.original_metadata"
    };
}

use columns;

/// A stored rendition of media.
#[derive(Clone, Debug, FromRow)]
pub struct Rendition {
    /// Id of the media.
    pub media_id: String,
    /// Name of the rendition: `original`, `playable`, `h264`, `poster`, `thumbnail` or `marked`.
    pub name: String,
    /// The storage key.
    pub key: String,
    /// The MIME type of the object.
    pub content_type: String,
    /// Width in pixels.
    pub width: Option<i64>,
    /// Height in pixels.
    pub height: Option<i64>,
    /// Size in bytes.
    pub bytes: i64,
}

/// A stored file that is not yet attached to media.
#[derive(Clone, Debug)]
pub struct StoredFile {
    /// Kind of media.
    pub kind: MediaKind,
    /// The name of the uploaded file.
    pub file_name: String,
    /// `Ready` for a picture, `Processing` for a video.
    pub state: MediaState,
    /// Displayed width and height in pixels.
    pub size: Option<(u32, u32)>,
    /// Whether the original of a video can contain metadata. `None` for pictures, because
    /// re-encoding removes their metadata.
    pub metadata: Option<Metadata>,
    /// The stored objects, each with the name of the rendition that it will become.
    pub objects: Vec<Object>,
}

/// A stored object that will become a rendition.
#[derive(Clone, Debug)]
pub struct Object {
    /// The name of the rendition.
    pub name: &'static str,
    /// The storage key.
    pub key: String,
    /// The MIME type of the object.
    pub content_type: String,
    /// Width and height in pixels.
    pub size: Option<(u32, u32)>,
    /// Size in bytes.
    pub bytes: u64,
}

/// Media with their renditions, ordered by id.
pub type MediaWithRenditions = Vec<(Media, Vec<Rendition>)>;

/// Returns the media of several updates, without the pictures in comments.
pub async fn of_updates(
    connection: &mut AnyConnection,
    updates: &[String],
) -> Result<MediaWithRenditions> {
    if updates.is_empty() {
        return Ok(Vec::new());
    }
    let places = db::placeholders(1, updates.len());
    let media = format!(
        concat!(
            "SELECT ",
            columns!(),
            " FROM media m WHERE m.comment_id IS NULL AND m.removed_at IS NULL AND m.update_id IN ({}) ORDER BY m.id"
        ),
        places
    );
    let renditions = format!(
        "SELECT r.media_id, r.name, r.key, r.content_type, r.width, r.height, r.bytes FROM renditions r JOIN media m ON m.id = r.media_id
         WHERE m.comment_id IS NULL AND m.removed_at IS NULL AND m.update_id IN ({places}) ORDER BY r.media_id, r.name"
    );
    load_media(connection, media, renditions, updates).await
}

/// Returns all media that the revisions of an update contain, including removed media.
pub async fn of_versions(
    connection: &mut AnyConnection,
    update_id: &str,
) -> Result<MediaWithRenditions> {
    let media = concat!(
        "SELECT ",
        columns!(),
        " FROM media m WHERE m.comment_id IS NULL AND m.update_id = $1 ORDER BY m.id"
    );
    let renditions =
        "SELECT r.media_id, r.name, r.key, r.content_type, r.width, r.height, r.bytes FROM renditions r JOIN media m ON m.id = r.media_id
         WHERE m.comment_id IS NULL AND m.update_id = $1 ORDER BY r.media_id, r.name";
    load_media(
        connection,
        media.into(),
        renditions.into(),
        &[update_id.to_owned()],
    )
    .await
}

/// Returns the pictures in the comments of an update.
pub async fn of_comments(
    connection: &mut AnyConnection,
    update_id: &str,
) -> Result<MediaWithRenditions> {
    let media = concat!(
        "SELECT ",
        columns!(),
        " FROM media m WHERE m.comment_id IS NOT NULL AND m.update_id = $1 ORDER BY m.id"
    );
    let renditions =
        "SELECT r.media_id, r.name, r.key, r.content_type, r.width, r.height, r.bytes FROM renditions r JOIN media m ON m.id = r.media_id
         WHERE m.comment_id IS NOT NULL AND m.update_id = $1 ORDER BY r.media_id, r.name";
    load_media(
        connection,
        media.into(),
        renditions.into(),
        &[update_id.to_owned()],
    )
    .await
}

async fn load_media(
    connection: &mut AnyConnection,
    media: String,
    renditions: String,
    ids: &[String],
) -> Result<MediaWithRenditions> {
    let (mut first, mut second) = (
        sqlx::query_as(AssertSqlSafe(media)),
        sqlx::query_as(AssertSqlSafe(renditions)),
    );
    for id in ids {
        first = first.bind(id);
        second = second.bind(id);
    }
    let media: Vec<Media> = first.fetch_known(connection).await?;
    let mut all: MediaWithRenditions = media.into_iter().map(|media| (media, Vec::new())).collect();
    let renditions: Vec<Rendition> = second.fetch_all(connection).await?;
    for rendition in renditions {
        if let Ok(at) = all.binary_search_by(|(media, _)| media.id.cmp(&rendition.media_id)) {
            all[at].1.push(rendition);
        }
    }
    Ok(all)
}

/// Finds media that the viewer may see, with its renditions and its update.
pub async fn find(
    connection: &mut AnyConnection,
    viewer: &Viewer,
    id: &str,
) -> Result<(Media, Vec<Rendition>, updates::Update)> {
    let media: Option<Media> = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM media m WHERE m.id = $1"
    ))
    .bind(id)
    .fetch_optional(&mut *connection)
    .await?;
    let media = media.ok_or_else(|| viewer.not_visible_error())?;
    let update = updates::find(connection, viewer, &media.update_id).await?;
    if media.removed_at.is_some() && updates::must_be_author(viewer, &update).is_err() {
        return Err(viewer.not_visible_error());
    }
    if let (Some(comment), Some(guest)) = (&media.comment_id, viewer.guest_of(&update.id)) {
        // Guests see the pictures in comments only in threads of their own share link.
        let visible: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM comments c JOIN comments t ON t.id = coalesce(c.parent_id, c.id) WHERE c.id = $1 AND t.link_id = $2",
        )
        .bind(comment)
        .bind(&guest.link_id)
        .fetch_one(&mut *connection)
        .await?;
        if visible == 0 {
            return Err(viewer.not_visible_error());
        }
    }
    let renditions =
        sqlx::query_as("SELECT media_id, name, key, content_type, width, height, bytes FROM renditions WHERE media_id = $1 ORDER BY name")
            .bind(id)
            .fetch_all(connection)
            .await?;
    Ok((media, renditions, update))
}

/// Finds media of the viewer's own update and locks it until the transaction ends.
pub(crate) async fn lock_for_update(
    tx: &mut Tx,
    viewer: &Viewer,
    id: &str,
) -> Result<(Media, Vec<Rendition>, updates::Update)> {
    viewer.person()?;
    if let Some(update) =
        sqlx::query_scalar::<_, String>("SELECT update_id FROM media WHERE id = $1")
            .bind(id)
            .fetch_optional(&mut **tx)
            .await?
    {
        updates::lock_for_update(tx, &update).await?;
    }
    let (media, renditions, update) = find(tx, viewer, id).await?;
    updates::find_own(tx, viewer, &update.id).await?;
    if media.removed_at.is_some() {
        Err(viewer.not_visible_error())
    } else {
        Ok((media, renditions, update))
    }
}

/// Creates media from a stored file, for an update or for one of its comments. Returns the media
/// id.
pub async fn add(
    tx: &mut Tx,
    clock: &Clock,
    update_id: &str,
    comment_id: Option<&str>,
    file: &StoredFile,
) -> Result<String> {
    let id = clock.id();
    if comment_id.is_none() {
        check_file_limit(tx, update_id).await?;
    }
    sqlx::query(
        "INSERT INTO media (id, update_id, comment_id, kind, state, reason, file_name, width, height, generation, created_at, original_metadata)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $11)",
    )
    .bind(&id)
    .bind(update_id)
    .bind(comment_id)
    .bind(file.kind)
    .bind(file.state)
    .bind((file.state == MediaState::Processing).then(|| original::processing_text(file.metadata)))
    .bind(&file.file_name)
    .bind(file.size.map(|size| i64::from(size.0)))
    .bind(file.size.map(|size| i64::from(size.1)))
    .bind(clock.now())
    .bind(file.metadata.map(Metadata::as_str))
    .execute(&mut **tx)
    .await?;
    set_content(tx, clock, &id, 1, file).await?;
    Ok(id)
}

/// Attaches the objects of a file to media, and enqueues processing if the file needs it.
async fn set_content(
    tx: &mut Tx,
    clock: &Clock,
    id: &str,
    generation: i64,
    file: &StoredFile,
) -> Result<()> {
    for object in &file.objects {
        put_rendition(tx, id, object).await?;
    }
    if file.state == MediaState::Processing {
        enqueue_processing(tx, clock, id, generation).await
    } else {
        Ok(())
    }
}

/// Enqueues the job that creates the playable copy of a recording.
async fn enqueue_processing(tx: &mut Tx, clock: &Clock, id: &str, generation: i64) -> Result<()> {
    let target = Target {
        media: id.into(),
        generation,
    };
    jobs::enqueue(tx, clock, &ProcessMedia { target }).await
}

/// Fails if the update already has [`MAX_FILES`] files.
async fn check_file_limit(tx: &mut Tx, update_id: &str) -> Result<()> {
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM media WHERE update_id = $1 AND comment_id IS NULL AND removed_at IS NULL")
        .bind(update_id)
        .fetch_one(&mut **tx)
        .await?;
    if usize::try_from(count).is_ok_and(|count| count < MAX_FILES) {
        return Ok(());
    }
    Err(Error::Conflict(format!(
        "This update already has {MAX_FILES} files, which is the maximum. Create another update for more."
    )))
}

/// Adds files to an update of the viewer. Returns the media ids.
pub async fn attach(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    update_id: &str,
    files: &[StoredFile],
) -> Result<Vec<String>> {
    let person = viewer.person()?;
    updates::find_own(tx, viewer, update_id).await?;
    let mut ids = Vec::new();
    for file in files {
        ids.push(add(tx, clock, update_id, None, file).await?);
    }
    events::record(
        tx,
        clock,
        EventKind::Media,
        update_id,
        update_id,
        &person.id,
    )
    .await?;
    Ok(ids)
}

/// Removes a file from an update of the viewer. If people have answered the update and one of its
/// revisions contains the file, the bytes are kept, so that the author can still see the file in
/// that revision. Otherwise, or if `for_good` is true, the bytes are deleted. Comments on the file
/// keep their text and lose their anchor. Returns the id of the update.
pub async fn remove(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    id: &str,
    for_good: bool,
) -> Result<String> {
    let person = viewer.person()?;
    let (media, _, update) = find(tx, viewer, id).await?;
    if media.comment_id.is_some() {
        return Err(Error::Forbidden(
            "A picture in a comment cannot be removed alone. Remove the comment instead.".into(),
        ));
    }
    updates::find_own(tx, viewer, &update.id).await?;
    let drawn: Vec<String> =
        sqlx::query_scalar("SELECT id FROM comments WHERE media_id = $1 AND drawn <> ''")
            .bind(id)
            .fetch_all(&mut **tx)
            .await?;
    sqlx::query(
        "UPDATE comments SET media_id = NULL, at_ms = NULL, until_ms = NULL, region = NULL, drawing = NULL, drawn = NULL WHERE media_id = $1",
    )
    .bind(id)
    .execute(&mut **tx)
    .await?;
    // Update the search index, because the removal also removed the drawings of these comments.
    for subject in drawn.iter().map(String::as_str).chain([id]) {
        updates::enqueue_index(tx, clock, &update.id, subject).await?;
    }
    if !for_good
        && updates::count_answered(tx, &update.id).await? > 0
        && updates::is_in_a_revision(tx, &update.id, id).await?
    {
        sqlx::query("UPDATE media SET removed_at = coalesce(removed_at, $1) WHERE id = $2")
            .bind(clock.now())
            .bind(id)
            .execute(&mut **tx)
            .await?;
    } else {
        delete(tx, clock, "m.id", id).await?;
    }
    events::record(tx, clock, EventKind::Media, &update.id, id, &person.id).await?;
    Ok(update.id)
}

/// Deletes the pictures of a comment, including their bytes.
pub async fn delete_of_comment(tx: &mut Tx, clock: &Clock, comment_id: &str) -> Result<()> {
    delete(tx, clock, "m.comment_id", comment_id).await
}

async fn delete(tx: &mut Tx, clock: &Clock, column: &'static str, id: &str) -> Result<()> {
    let keys = format!(
        "SELECT DISTINCT r.key FROM renditions r JOIN media m ON m.id = r.media_id WHERE {column} = $1"
    );
    let keys: Vec<String> = sqlx::query_scalar(AssertSqlSafe(keys))
        .bind(id)
        .fetch_all(&mut **tx)
        .await?;
    sqlx::query(AssertSqlSafe(format!(
        "DELETE FROM media AS m WHERE {column} = $1"
    )))
    .bind(id)
    .execute(&mut **tx)
    .await?;
    updates::enqueue_purge(tx, clock, &keys).await
}

/// Inserts or replaces a rendition. Its object is then no longer pending. If the rendition had
/// another object before, the caller must delete that object.
pub(crate) async fn put_rendition(tx: &mut Tx, media_id: &str, object: &Object) -> Result<()> {
    sqlx::query(
        "INSERT INTO renditions (media_id, name, key, content_type, width, height, bytes) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (media_id, name) DO UPDATE SET key = excluded.key, content_type = excluded.content_type, width = excluded.width,
             height = excluded.height, bytes = excluded.bytes",
    )
    .bind(media_id)
    .bind(object.name)
    .bind(&object.key)
    .bind(&object.content_type)
    .bind(object.size.map(|size| i64::from(size.0)))
    .bind(object.size.map(|size| i64::from(size.1)))
    .bind(i64::try_from(object.bytes).unwrap_or(i64::MAX))
    .execute(&mut **tx)
    .await?;
    sqlx::query("DELETE FROM loose_objects WHERE key = $1")
        .bind(&object.key)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Schedules the deletion of objects that renditions no longer use. `old` contains the name of each
/// rendition and the key of its object. The objects stay assigned to the media, so that a redaction
/// can delete them without waiting for the job. The URL of a deleted object leads to the current
/// rendition with that name until the URL expires.
pub(crate) async fn retire_objects(
    tx: &mut Tx,
    clock: &Clock,
    media_id: &str,
    old: &[(String, String)],
) -> Result<()> {
    for (name, key) in old {
        record_pending(tx, clock, key, Some(media_id)).await?;
        sqlx::query("INSERT INTO former_keys (key, media_id, name, until) VALUES ($1, $2, $3, $4)")
            .bind(key)
            .bind(media_id)
            .bind(name)
            .bind(clock.now() + MAX_URL_LIFETIME)
            .execute(&mut **tx)
            .await?;
    }
    let keys: Vec<String> = old.iter().map(|(_, key)| key.clone()).collect();
    updates::enqueue_purge(tx, clock, &keys).await
}

/// The properties of an object that are needed to send it to a browser.
#[derive(Clone, Debug, FromRow)]
pub struct ServedObject {
    /// The storage key.
    pub key: String,
    /// The MIME type of the object.
    pub content_type: String,
    /// Size in bytes.
    pub bytes: i64,
    /// The name of the uploaded file.
    pub file_name: String,
    /// Kind of media.
    pub kind: MediaKind,
    /// Duration of a video, in milliseconds.
    pub duration_ms: Option<Millis>,
    /// Nonzero if the object is the original of another person's recording; otherwise 0. The viewer
    /// can lose access to such an object, so its URL must not be presigned.
    pub raw: i64,
}

/// A rendition of media that the viewer may see, with the data that decides whether the viewer may
/// also fetch the bytes of the rendition.
#[derive(FromRow)]
struct Candidate {
    #[sqlx(flatten)]
    served: ServedObject,
    author_id: String,
    name: String,
    state: MediaState,
    original_metadata: Option<String>,
    /// Until when viewers other than the author may fetch the original. Set when a copy replaces
    /// the original, for viewers who are already playing it.
    raw_until: Option<Millis>,
}

impl Candidate {
    fn if_allowed(self, viewer: &Viewer, now: Millis) -> Option<ServedObject> {
        if viewer
            .person()
            .is_ok_and(|person| person.id == self.author_id)
        {
            return Some(ServedObject {
                raw: 0,
                ..self.served
            });
        }
        let metadata = self.original_metadata.as_deref().and_then(Metadata::parse);
        let lingers = self.raw_until.is_some_and(|until| until > now);
        original::is_open_to_others(
            self.served.raw != 0,
            &self.name,
            metadata,
            self.state,
            lingers,
        )
        .then_some(self.served)
    }
}

/// Finds the object with this key, or the object that replaced it, if the viewer may fetch it.
pub async fn find_object(
    connection: &mut AnyConnection,
    clock: &Clock,
    viewer: &Viewer,
    key: &str,
) -> Result<ServedObject> {
    if let Some(served) = find_current(connection, clock, viewer, key).await? {
        return Ok(served);
    }
    // The rendition `marked` no longer exists if all shapes were removed. The original then
    // replaces it.
    let replacement: Option<String> = sqlx::query_scalar(
        "SELECT r.key FROM former_keys f JOIN renditions r ON r.media_id = f.media_id AND (r.name = f.name OR (f.name = 'marked' AND r.name = 'original'))
         WHERE f.key = $1 AND f.until > $2 ORDER BY r.name LIMIT 1",
    )
    .bind(key)
    .bind(clock.now())
    .fetch_optional(&mut *connection)
    .await?;
    match replacement {
        Some(replacement) => find_current(connection, clock, viewer, &replacement)
            .await?
            .ok_or(Error::NotFound),
        None => Err(Error::NotFound),
    }
}

async fn find_current(
    connection: &mut AnyConnection,
    clock: &Clock,
    viewer: &Viewer,
    key: &str,
) -> Result<Option<ServedObject>> {
    macro_rules! candidates {
        () => {
            "SELECT r.key, r.content_type, r.bytes, m.file_name, m.kind, m.duration_ms, u.author_id, r.name, m.state, m.original_metadata, m.raw_until,
             (SELECT count(*) FROM renditions o WHERE o.media_id = m.id AND o.key = r.key AND o.name = 'original' AND m.kind = 'video') AS raw
             FROM renditions r JOIN media m ON m.id = r.media_id JOIN updates u ON u.id = m.update_id "
        };
    }
    let found: Vec<Candidate> = match viewer {
        Viewer::Person(person) => {
            let query = concat!(
                candidates!(),
                "WHERE r.key = $1 AND (u.author_id = $2 OR m.removed_at IS NULL) AND ",
                visible!("$2")
            );
            sqlx::query_as(query)
                .bind(key)
                .bind(&person.id)
                .fetch_known(connection)
                .await?
        }
        Viewer::Guest(guests) => {
            let Some(guest) = guests.first() else {
                return Ok(None);
            };
            // Guests see the pictures in comments only in threads of their own share link.
            let query = concat!(
                candidates!(),
                "LEFT JOIN comments c ON c.id = m.comment_id LEFT JOIN comments t ON t.id = coalesce(c.parent_id, c.id)
                 WHERE r.key = $1 AND u.id = $2 AND u.published_at IS NOT NULL AND u.trashed_at IS NULL
                 AND (m.comment_id IS NULL OR t.link_id = $3) AND m.removed_at IS NULL"
            );
            sqlx::query_as(query)
                .bind(key)
                .bind(&guest.update_id)
                .bind(&guest.link_id)
                .fetch_known(connection)
                .await?
        }
        Viewer::Nobody => return Ok(None),
    };
    // Two renditions may share one object, so several rows can match. One permitted rendition is
    // enough.
    Ok(found
        .into_iter()
        .find_map(|candidate| candidate.if_allowed(viewer, clock.now())))
}
