//! Recordings and pictures of updates and comments: their renditions, their states, and the rules
//! for who may fetch them.

mod attach;
mod commit_renditions;
mod context;
mod convert_video;
mod fetch_access;
mod file_limit;
mod incoming;
mod job_target;
mod objects;
mod order;
mod original_access;
mod process_video;
mod removal;
mod renditions;
mod replaced_objects;
mod state;
mod trim;
mod visible_state;

use std::collections::HashMap;

use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

pub use attach::{add, attach};
pub use context::{MediaContext, sweep_dir};
pub use convert_video::ConvertMedia;
pub use fetch_access::{AddressGrant, ServedObject, find_object};
pub use file_limit::MAX_FILES;
pub use incoming::{cancel, clear_broken_off, create_pending, mark_incomplete, receive};
pub use job_target::Target;
pub(crate) use objects::{
    new_pending_key, new_pending_key_for, object_metadata, read_all, store_picture,
};
pub use order::move_to;
pub use process_video::ProcessMedia;
pub use removal::{delete_of_comment, remove};
pub use renditions::{Rendition, RenditionName};
pub(crate) use renditions::{put_rendition, store_picture_renditions, video_renditions};
pub(crate) use replaced_objects::retire_objects;
pub use state::MediaState;
pub use trim::{MIN_LENGTH, trim, untrim};

pub use crate::updates::MediaKind;

use crate::clock::Millis;
use crate::error::Result;
use crate::infra::db;
use crate::infra::db::{FetchKnown, Tx};
use crate::infra::video::Metadata;
use crate::people::Viewer;
use crate::updates;

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
    /// The current progress or the reason for a failure, as text that users see.
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
    /// commit their results.
    pub generation: i64,
    /// When the media was removed from the update. Earlier revisions still contain removed media.
    pub removed_at: Option<Millis>,
    /// When the server ended the recording because the browser page had stopped sending data.
    /// `None` if this did not happen.
    pub broken_off_at: Option<Millis>,
    /// Start of the trimmed range in the original, in milliseconds; `None` if the recording is not
    /// trimmed.
    pub trim_from_ms: Option<Millis>,
    /// End of the trimmed range in the original, in milliseconds.
    pub trim_to_ms: Option<Millis>,
    /// Where the recording started before its latest trim, in milliseconds of the original. The
    /// times in a repeated trim request are relative to this position, so it is needed to recognize
    /// the repetition.
    pub trim_base_ms: Option<Millis>,
    /// Duration of the original in milliseconds. Set only if the recording is trimmed.
    pub whole_ms: Option<Millis>,
    /// Incremented each time the markup is saved.
    pub markup_revision: i64,
    /// The number of shapes in the markup.
    pub marks: i64,
    /// Whether the original of a video can contain metadata. This is the stored form of a [`Metadata`].
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
        "m.id, m.update_id, m.comment_id, m.kind, m.state, m.reason, m.file_name, m.width, m.height,
         m.duration_ms, m.generation, m.removed_at, m.broken_off_at, m.trim_from_ms, m.trim_to_ms, m.trim_base_ms,
         m.whole_ms, m.markup_revision, m.marks, m.original_metadata"
    };
}

use columns;

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
    pub name: RenditionName,
    /// The storage key.
    pub key: String,
    /// The MIME type of the object.
    pub content_type: String,
    /// Width and height in pixels.
    pub size: Option<(u32, u32)>,
    /// Size in bytes.
    pub bytes: u64,
}

/// Media with their renditions. The media of an update are in the order that its author has chosen.
pub type MediaWithRenditions = Vec<(Media, Vec<Rendition>)>;

/// Returns the media of several updates. Leaves out removed media and the pictures in comments.
pub async fn of_updates(
    connection: &mut AnyConnection,
    updates: &[String],
) -> Result<MediaWithRenditions> {
    if updates.is_empty() {
        return Ok(Vec::new());
    }
    let places = db::placeholders(1, updates.len());
    let condition =
        format!("m.comment_id IS NULL AND m.removed_at IS NULL AND m.update_id IN ({places})");
    load_media(connection, &condition, updates).await
}

/// Returns the media of an update, without removed media, and the pictures in these comments on it.
pub async fn of_update_and_comments(
    connection: &mut AnyConnection,
    update_id: &str,
    comments: &[&str],
) -> Result<MediaWithRenditions> {
    // PostgreSQL does not accept an empty list.
    let pictures = match comments.len() {
        0 => String::new(),
        count => format!(" OR m.comment_id IN ({})", db::placeholders(2, count)),
    };
    let condition =
        format!("m.update_id = $1 AND m.removed_at IS NULL AND (m.comment_id IS NULL{pictures})");
    let ids: Vec<&str> = std::iter::once(update_id)
        .chain(comments.iter().copied())
        .collect();
    load_media(connection, &condition, &ids).await
}

/// Returns the ids of an update's media, in order. Leaves out removed media and the pictures in comments.
pub async fn ids_of_update(connection: &mut AnyConnection, update_id: &str) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT m.id FROM media m WHERE m.comment_id IS NULL AND m.removed_at IS NULL AND m.update_id = $1
         ORDER BY m.position, m.id",
    )
    .bind(update_id)
    .fetch_all(connection)
    .await?)
}

/// Returns all media of an update, including removed media, which earlier revisions still contain. Leaves out the
/// pictures in comments.
pub async fn of_versions(
    connection: &mut AnyConnection,
    update_id: &str,
) -> Result<MediaWithRenditions> {
    let condition = "m.comment_id IS NULL AND m.update_id = $1";
    load_media(connection, condition, &[update_id]).await
}

/// Returns the pictures in these comments.
pub async fn of_comments(
    connection: &mut AnyConnection,
    comments: &[&str],
) -> Result<MediaWithRenditions> {
    let mut found = Vec::new();
    for some in comments.chunks(db::MAX_VARIABLES) {
        let condition = format!("m.comment_id IN ({})", db::placeholders(1, some.len()));
        found.extend(load_media(connection, &condition, some).await?);
    }
    Ok(found)
}

/// Returns the media `m` for which the SQL condition holds. Binds `ids` to its parameters.
async fn load_media(
    connection: &mut AnyConnection,
    condition: &str,
    ids: &[impl AsRef<str>],
) -> Result<MediaWithRenditions> {
    let media = format!(
        concat!(
            "SELECT ",
            columns!(),
            " FROM media m WHERE {} ORDER BY m.position, m.id"
        ),
        condition
    );
    let renditions = format!(
        "SELECT r.media_id, r.name, r.key, r.content_type, r.width, r.height, r.bytes FROM renditions r
         JOIN media m ON m.id = r.media_id WHERE {condition} ORDER BY r.media_id, r.name"
    );
    let (mut media, mut renditions) = (
        sqlx::query_as(AssertSqlSafe(media)),
        sqlx::query_as(AssertSqlSafe(renditions)),
    );
    for id in ids {
        media = media.bind(id.as_ref());
        renditions = renditions.bind(id.as_ref());
    }
    let media: Vec<Media> = media.fetch_known(connection).await?;
    if media.is_empty() {
        return Ok(Vec::new());
    }
    let mut by_media: HashMap<String, Vec<Rendition>> = HashMap::new();
    let renditions: Vec<Rendition> = renditions.fetch_known(connection).await?;
    for rendition in renditions {
        let of_media = by_media.entry(rendition.media_id.clone()).or_default();
        of_media.push(rendition);
    }
    Ok(media
        .into_iter()
        .map(|media| {
            let renditions = by_media.remove(&media.id).unwrap_or_default();
            (media, renditions)
        })
        .collect())
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
            "SELECT count(*) FROM comments c JOIN comments t ON t.id = coalesce(c.parent_id, c.id) WHERE c.id = $1
             AND t.link_id = $2",
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
        sqlx::query_as(
            "SELECT media_id, name, key, content_type, width, height, bytes FROM renditions WHERE media_id = $1
             ORDER BY name")
            .bind(id)
            .fetch_known(connection)
            .await?;
    Ok((media, renditions, update))
}

/// Finds media of one of the viewer's own updates. Locks the update until the transaction ends.
pub(crate) async fn lock_for_update(
    tx: &mut Tx,
    viewer: &Viewer,
    id: &str,
) -> Result<(Media, Vec<Rendition>, updates::Update)> {
    viewer.person()?;
    lock_update_of(tx, id).await?;
    let (media, renditions, update) = find(tx, viewer, id).await?;
    updates::find_own(tx, viewer, &update.id).await?;
    if media.removed_at.is_some() {
        Err(viewer.not_visible_error())
    } else {
        Ok((media, renditions, update))
    }
}

/// Locks the update that contains the media until the transaction ends. Does nothing if the media does not exist.
async fn lock_update_of(tx: &mut Tx, media_id: &str) -> Result<()> {
    let update: Option<String> = sqlx::query_scalar("SELECT update_id FROM media WHERE id = $1")
        .bind(media_id)
        .fetch_optional(&mut **tx)
        .await?;
    match update {
        Some(update) => updates::lock_for_update(tx, &update).await,
        None => Ok(()),
    }
}
