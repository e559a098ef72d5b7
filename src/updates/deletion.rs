//! Permanent deletion of updates, of empty drafts, and of their stored files.

use super::lock_for_update;
use crate::clock::Clock;
use crate::error::Result;
use crate::infra::db::Tx;
use crate::infra::jobs;
use crate::object_deletion::DeleteObjects;
use crate::search::ForgetUpdate;

pub(super) async fn delete(tx: &mut Tx, clock: &Clock, id: &str) -> Result<()> {
    let keys: Vec<String> =
        sqlx::query_scalar(
            "SELECT DISTINCT key FROM renditions WHERE media_id IN (SELECT id FROM media WHERE update_id = $1)")
            .bind(id)
            .fetch_all(&mut **tx)
            .await?;
    enqueue_purge(tx, clock, &keys).await?;
    // Delete the comments first, because they reference guests and share links, which are deleted
    // with the update.
    sqlx::query("DELETE FROM comments WHERE update_id = $1")
        .bind(id)
        .execute(&mut **tx)
        .await?;
    let job = ForgetUpdate { update: id.into() };
    jobs::enqueue(tx, clock, &job).await?;
    sqlx::query("DELETE FROM updates WHERE id = $1")
        .bind(id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Deletes a draft if it has no content, no audience and no media. The media `media_id` does not count while it is
/// still being uploaded. Returns whether the draft was deleted.
pub async fn drop_if_empty(tx: &mut Tx, clock: &Clock, id: &str, media_id: &str) -> Result<bool> {
    lock_for_update(tx, id).await?;
    let empty: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM updates u WHERE u.id = $1 AND u.published_at IS NULL AND u.title = '' AND u.notes = ''
         AND u.everyone_at IS NULL
         AND NOT EXISTS (SELECT 1 FROM media m WHERE m.update_id = u.id AND (m.id <> $2 OR m.state <> 'uploading'))
         AND NOT EXISTS (SELECT 1 FROM audience a WHERE a.update_id = u.id)
         AND NOT EXISTS (SELECT 1 FROM group_audience g WHERE g.update_id = u.id)
         AND NOT EXISTS (SELECT 1 FROM invited_audience i WHERE i.update_id = u.id)",
    )
    .bind(id)
    .bind(media_id)
    .fetch_one(&mut **tx)
    .await?;
    if empty == 1 {
        delete(tx, clock, id).await?;
    }
    Ok(empty == 1)
}

/// Enqueues a job that deletes the objects with these keys, including all their versions.
pub async fn enqueue_purge(tx: &mut Tx, clock: &Clock, keys: &[String]) -> Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    let keys = keys.to_vec();
    jobs::enqueue(tx, clock, &DeleteObjects { keys }).await
}
