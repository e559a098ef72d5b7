//! Attaches stored files to an update or a comment.

use super::file_limit::check_file_limit;
use super::renditions::put_rendition;
use super::{MediaState, ProcessMedia, StoredFile, Target, original_access};
use crate::clock::Clock;
use crate::error::Result;
use crate::events::{self, EventKind};
use crate::infra::db::Tx;
use crate::infra::jobs;
use crate::infra::video::Metadata;
use crate::people::Viewer;
use crate::updates;

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
        "INSERT INTO media (id, update_id, comment_id, kind, state, reason, file_name, width, height, generation,
         created_at, original_metadata, position)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $11,
             (SELECT coalesce(max(m.position), 0) FROM media m WHERE m.update_id = $2))",
    )
    .bind(&id)
    .bind(update_id)
    .bind(comment_id)
    .bind(file.kind)
    .bind(file.state)
    .bind((file.state == MediaState::Processing).then(|| original_access::processing_text(file.metadata)))
    .bind(&file.file_name)
    .bind(file.size.map(|size| i64::from(size.0)))
    .bind(file.size.map(|size| i64::from(size.1)))
    .bind(clock.now())
    .bind(file.metadata.map(Metadata::as_str))
    .execute(&mut **tx)
    .await?;
    set_content(tx, clock, &id, 1, file).await?;
    if comment_id.is_none() {
        updates::refresh_media_kinds(tx, clock, update_id).await?;
    }
    Ok(id)
}

/// Adds files to one of the viewer's own updates. Returns the media ids.
pub async fn attach(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    update_id: &str,
    files: &[StoredFile],
) -> Result<Vec<String>> {
    let person = viewer.person()?;
    updates::lock_for_update(tx, update_id).await?;
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

/// Attaches the objects of a file to media, and enqueues processing if the file needs it.
pub(super) async fn set_content(
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
pub(super) async fn enqueue_processing(
    tx: &mut Tx,
    clock: &Clock,
    id: &str,
    generation: i64,
) -> Result<()> {
    let target = Target {
        media: id.into(),
        generation,
    };
    jobs::enqueue(tx, clock, &ProcessMedia { target }).await
}
