//! Renditions: the stored objects of media.

use sqlx::FromRow;

use super::Object;
use crate::error::Result;
use crate::infra::db::Tx;

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
