//! Which kinds of media an update contains. The values are stored, so that lists can be filtered by an index.

use super::access;
use crate::clock::Clock;
use crate::error::Result;
use crate::infra::db::Tx;
use crate::search;

/// Recomputes which kinds of media an update contains. Call it after every change to the media of an update. The media
/// of comments do not count.
pub async fn refresh_media_kinds(tx: &mut Tx, clock: &Clock, update_id: &str) -> Result<()> {
    let changed = sqlx::query(
        "UPDATE updates SET has_video = k.has_video, has_image = k.has_image
         FROM (SELECT coalesce(max(CASE WHEN m.kind = 'video' THEN 1 ELSE 0 END), 0) AS has_video,
                   coalesce(max(CASE WHEN m.kind = 'image' THEN 1 ELSE 0 END), 0) AS has_image
               FROM media m WHERE m.update_id = $1 AND m.comment_id IS NULL AND m.removed_at IS NULL) AS k
         WHERE id = $1 AND (updates.has_video, updates.has_image) <> (k.has_video, k.has_image)",
    )
    .bind(update_id)
    .execute(&mut **tx)
    .await?;
    if changed.rows_affected() > 0 {
        access::refresh(tx, update_id).await?;
        search::enqueue_facets(tx, clock, update_id).await?;
    }
    Ok(())
}
