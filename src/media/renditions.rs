//! Renditions: the stored objects of media, and how they are replaced.

use sqlx::FromRow;

use super::Object;
use super::objects::record_pending;
use crate::clock::{Clock, Millis};
use crate::error::Result;
use crate::infra::db::Tx;
use crate::updates;

/// Maximum lifetime of a rendition's URL, in milliseconds.
const MAX_URL_LIFETIME: Millis = 24 * 3_600_000;

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

/// Enqueues a job that deletes objects that no rendition uses any more. `old` contains the name of
/// each rendition and the key of its object. The objects stay assigned to the media, so that a
/// redaction can delete them before the job runs. Until the URL of a deleted object expires, it
/// leads to the current rendition with the same name.
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
