//! Renditions: the stored objects of a picture or video.

use sqlx::FromRow;

use super::Object;
use super::context::MediaContext;
use super::objects::{new_pending_key, store_picture};
use crate::error::Result;
use crate::infra::db::{Tx, text_enum};
use crate::infra::images::ProcessedPicture;
use crate::infra::video::Container;

text_enum! {
    /// Name of a rendition.
    pub enum RenditionName {
        /// The uploaded video, or the re-encoded picture.
        Original = "original",
        /// A copy of a video that browsers can seek in.
        Playable = "playable",
        /// A copy of a video for browsers that cannot play its format.
        H264 = "h264",
        /// A frame of a video.
        Poster = "poster",
        /// A small picture for lists and emails.
        Thumbnail = "thumbnail",
        /// The picture with its markup.
        Marked = "marked",
    }
}

/// A stored rendition of media.
#[derive(Clone, Debug, FromRow)]
pub struct Rendition {
    /// Id of the media.
    pub media_id: String,
    /// Name of the rendition.
    pub name: RenditionName,
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

/// Stores the two renditions of an uploaded picture: the re-encoded picture, which is called `original`, and the
/// `thumbnail`. If `media_id` is set, assigns the stored objects to this media immediately.
pub(crate) async fn store_picture_renditions(
    ctx: &MediaContext,
    picture: ProcessedPicture,
    media_id: Option<&str>,
) -> Result<Vec<Object>> {
    let (original, thumbnail) = picture.into_parts();
    let mut objects = Vec::new();
    for (name, picture) in [
        (RenditionName::Original, original),
        (RenditionName::Thumbnail, thumbnail),
    ] {
        let key = new_pending_key(&ctx.db, &ctx.clock, media_id).await?;
        objects.push(store_picture(&ctx.storage, name, key, picture).await?);
    }
    Ok(objects)
}

/// Returns the renditions of a video that is stored unchanged at `key`. The stored file becomes the `original`
/// rendition. If browsers can play its container, the file is also the `playable` rendition until a seekable copy
/// exists.
pub(crate) fn video_renditions(container: Container, key: String, bytes: u64) -> Vec<Object> {
    let original = Object {
        name: RenditionName::Original,
        key,
        content_type: container.content_type().to_owned(),
        size: None,
        bytes,
    };
    let playable = matches!(container, Container::WebM | Container::Mp4).then(|| Object {
        name: RenditionName::Playable,
        ..original.clone()
    });
    std::iter::once(original).chain(playable).collect()
}

/// Inserts or replaces a rendition. Its object is then no longer pending. If the rendition had
/// another object before, the caller must delete that object.
pub(crate) async fn put_rendition(tx: &mut Tx, media_id: &str, object: &Object) -> Result<()> {
    sqlx::query(
        "INSERT INTO renditions (media_id, name, key, content_type, width, height, bytes)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (media_id, name) DO UPDATE
         SET key = excluded.key, content_type = excluded.content_type, width = excluded.width,
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
