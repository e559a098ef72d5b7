//! Creates storage keys for the objects of media, stores objects, and reads pictures.

use futures_util::StreamExt as _;

use super::context::MediaContext;
use super::{Object, RenditionName};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::ids;
use crate::infra::db::{Db, Tx};
use crate::infra::images;
use crate::infra::images::EncodedPicture;
use crate::infra::storage::{ObjectMetadata, Storage};
use crate::infra::video::Output;

/// Stores the output file of a media tool under a new key.
pub(super) async fn store_output(
    ctx: &MediaContext,
    name: RenditionName,
    made: &Output,
) -> Result<Object> {
    let key = new_pending_key(&ctx.db, &ctx.clock, None).await?;
    let bytes = ctx
        .storage
        .put_file(&key, &object_metadata(made.content_type), &made.path)
        .await?;
    Ok(Object {
        name,
        key,
        content_type: made.content_type.to_string(),
        size: Some((made.width, made.height)),
        bytes,
    })
}

/// Stores a picture under a new key.
pub(super) async fn store_new_picture(
    ctx: &MediaContext,
    name: RenditionName,
    picture: EncodedPicture,
) -> Result<Object> {
    let key = new_pending_key(&ctx.db, &ctx.clock, None).await?;
    store_picture(&ctx.storage, name, key, picture).await
}

/// Stores a picture under the given key and returns the object.
pub(crate) async fn store_picture(
    storage: &Storage,
    name: RenditionName,
    key: String,
    picture: EncodedPicture,
) -> Result<Object> {
    let (content_type, size) = (
        picture.content_type.to_owned(),
        Some((picture.width, picture.height)),
    );
    let body = futures_util::stream::iter([Ok(bytes::Bytes::from(picture.bytes))]);
    let bytes = storage
        .put(&key, &object_metadata(&content_type), body)
        .await?;
    Ok(Object {
        name,
        key,
        content_type,
        size,
        bytes,
    })
}

/// Reads a whole picture into memory. Fails if the picture has more than [`images::MAX_BYTES`]
/// bytes.
pub(crate) async fn read_all(storage: &Storage, key: &str) -> Result<Vec<u8>> {
    let length = storage.len(key).await?.ok_or(Error::NotFound)?;
    if length > images::MAX_BYTES {
        return Err(Error::TooLarge(
            "This picture is larger than 64 MiB. Save it as a smaller file.".into(),
        ));
    }
    let mut body = storage.get(key, 0..length).await?;
    let mut bytes = Vec::with_capacity(usize::try_from(length).map_err(Error::internal)?);
    while let Some(block) = body.next().await {
        bytes.extend_from_slice(&block?);
    }
    Ok(bytes)
}

/// Returns the headers for objects that browsers fetch directly from the bucket.
pub(crate) fn object_metadata(content_type: &str) -> ObjectMetadata {
    ObjectMetadata {
        content_type: content_type.to_owned(),
        disposition: "inline".into(),
        cache_control: "private, no-cache".into(),
    }
}

/// Creates a storage key and records it as pending. If its object is still pending after a day, a periodic sweep
/// deletes the object. `media_id` assigns the object to media, so that a redaction of the media can delete the object.
pub(crate) async fn new_pending_key(
    db: &Db,
    clock: &Clock,
    media_id: Option<&str>,
) -> Result<String> {
    let key = format!("media/{}", ids::secret());
    let mut tx = db.begin().await?;
    record_pending(&mut tx, clock, &key, media_id).await?;
    tx.commit().await?;
    Ok(key)
}

/// Records a key whose object is not attached to media yet.
pub(super) async fn record_pending(
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

/// Like [`new_pending_key`], but returns `None` unless the media still has this generation. A
/// redaction increments the generation first. Jobs for the old generation can then create no more
/// keys, so the redaction finds all keys that they created.
pub(crate) async fn new_pending_key_for(
    db: &Db,
    clock: &Clock,
    media_id: &str,
    generation: i64,
) -> Result<Option<String>> {
    let key = format!("media/{}", ids::secret());
    let mut tx = db.begin().await?;
    // Lock the row of the media, so that the generation cannot change before the commit.
    let current =
        sqlx::query("UPDATE media SET generation = generation WHERE id = $1 AND generation = $2")
            .bind(media_id)
            .bind(generation)
            .execute(&mut *tx)
            .await?;
    if current.rows_affected() == 0 {
        return Ok(None);
    }
    record_pending(&mut tx, clock, &key, Some(media_id)).await?;
    tx.commit().await?;
    Ok(Some(key))
}
