//! Removes files from updates, and decides whether their bytes are deleted.

use sqlx::AssertSqlSafe;

use super::{find, lock_update_of};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::events::{self, EventKind};
use crate::infra::db::Tx;
use crate::people::Viewer;
use crate::updates;

/// Removes a file from one of the viewer's own updates, and returns the id of the update. Deletes the bytes of the
/// file, with one exception: if people have answered the update and one of its revisions contains the file, the bytes
/// are kept, so that the author can still see the file in that revision. If `for_good` is true, the exception does not
/// apply. Comments on the file keep their text and lose their anchor. Does nothing if the viewer has already deleted
/// the file.
pub async fn remove(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    id: &str,
    for_good: bool,
) -> Result<String> {
    let person = viewer.person()?;
    if let Some(update) = deleted_before(tx, &person.id, id).await? {
        return Ok(update);
    }
    lock_update_of(tx, id).await?;
    let (media, _, update) = find(tx, viewer, id).await?;
    if media.comment_id.is_some() {
        return Err(Error::Forbidden(
            "A picture in a comment cannot be removed on its own. Remove the comment instead."
                .into(),
        ));
    }
    updates::find_own(tx, viewer, &update.id).await?;
    let drawn: Vec<String> =
        sqlx::query_scalar("SELECT id FROM comments WHERE media_id = $1 AND drawn <> ''")
            .bind(id)
            .fetch_all(&mut **tx)
            .await?;
    sqlx::query(
        "UPDATE comments SET media_id = NULL, at_ms = NULL, until_ms = NULL, region = NULL, drawing = NULL,
         drawn = NULL WHERE media_id = $1",
    )
    .bind(id)
    .execute(&mut **tx)
    .await?;
    // Update the search index for the comments that have lost their drawings, and for the file
    // itself.
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
    updates::refresh_media_kinds(tx, clock, &update.id).await?;
    events::record(tx, clock, EventKind::Media, &update.id, id, &person.id).await?;
    Ok(update.id)
}

/// Returns the id of the update from which this person deleted the file. Returns `None` if the file still exists or the
/// deletion is older than [`events::RETENTION`].
async fn deleted_before(tx: &mut Tx, person_id: &str, id: &str) -> Result<Option<String>> {
    let existing: i64 = sqlx::query_scalar("SELECT count(*) FROM media WHERE id = $1")
        .bind(id)
        .fetch_one(&mut **tx)
        .await?;
    if existing > 0 {
        return Ok(None);
    }
    events::update_of_last_event(tx, EventKind::Media, id, person_id).await
}

/// Deletes the pictures of a comment, including their bytes.
pub async fn delete_of_comment(tx: &mut Tx, clock: &Clock, comment_id: &str) -> Result<()> {
    delete(tx, clock, "m.comment_id", comment_id).await
}

pub(super) async fn delete(
    tx: &mut Tx,
    clock: &Clock,
    column: &'static str,
    id: &str,
) -> Result<()> {
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
