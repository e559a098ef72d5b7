//! Turns complete uploads into media, and finishes or deletes abandoned uploads.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;

use super::concurrency::Permit;
use super::repository::{UPLOAD_LIFETIME, Upload, columns, end, schedule_purge};
use super::writer::{Writer, superseded};
use super::{FILE_REMOVED, FileType, UploadService, stored_video};
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::infra::video::MetadataScan;
use crate::media::{self, StoredFile};
use crate::updates;

/// A recording that receives no bytes for this long is finished with the bytes that have arrived.
const RECORDING_IDLE_LIMIT: Millis = 3_600_000;
/// An upload that has all its bytes and is idle for this long is finished in the background.
const FINISH_IDLE_LIMIT: Millis = 60_000;
/// How often an upload is marked as active while a node is finishing it. The interval is well below
/// [`FINISH_IDLE_LIMIT`].
const TOUCH_INTERVAL: Duration = Duration::from_secs(15);
/// After this time without new bytes, a recording that is too short to show is deleted.
const EMPTY_UPLOAD_AGE: Millis = 24 * 3_600_000;
/// Maximum number of uploads that one sweep handles for each reason.
const BATCH_SIZE: i64 = 100;

/// Turns an upload into media. `left` holds its last bytes, which are not written yet.
pub(super) async fn finish(writer: Writer<'_>, left: Bytes) -> Result<Upload> {
    let Some(permit) = writer.uploads.finishers.try_acquire(&writer.upload.id, 1) else {
        return Err(superseded());
    };
    finish_exclusively(permit, writer, left).await
}

/// Finishes an upload. Until it is finished, keeps marking the upload as active.
async fn finish_exclusively(_permit: Permit, writer: Writer<'_>, left: Bytes) -> Result<Upload> {
    let (uploads, id, generation) = (
        writer.uploads,
        writer.upload.id.clone(),
        writer.upload.generation,
    );
    tokio::select! {
        finished = make_media(writer, left) => finished,
        never = keep_touched(uploads, &id, generation) => match never {},
    }
}

/// Marks an upload as active at intervals while this node is finishing it, so that other nodes do
/// not finish it, too. Runs until the future is dropped.
async fn keep_touched(uploads: &UploadService, id: &str, generation: i64) -> Infallible {
    loop {
        tokio::time::sleep(TOUCH_INTERVAL).await;
        if let Err(error) = touch(uploads, id, generation).await {
            tracing::warn!(%error, upload = id, "an upload in progress could not be marked as active");
        }
    }
}

async fn touch(uploads: &UploadService, id: &str, generation: i64) -> Result<()> {
    let mut tx = uploads.media.db.begin().await?;
    sqlx::query("UPDATE uploads SET touched_at = $1 WHERE id = $2 AND generation = $3")
        .bind(uploads.media.clock.now())
        .bind(id)
        .bind(generation)
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

async fn make_media(mut writer: Writer<'_>, left: Bytes) -> Result<Upload> {
    let (uploads, clock) = (writer.uploads, &writer.uploads.media.clock);
    let broken_off = writer.upload.broken_off_at.is_some();
    let file_type = writer.file_type(&left).await?;
    // Remember the key of the uploaded bytes, because `assemble` may change the key of the upload.
    let uploaded_key = writer.upload.key.clone();
    let length = writer.assemble(left, file_type).await?;
    let scan = writer.scan;
    let mut upload = writer.upload;
    let stored = match store_upload(uploads, &upload, file_type, length, &scan).await {
        Ok(stored) => stored,
        Err(error) => {
            discard_result(uploads, &uploaded_key, &upload, None).await?;
            return Err(error);
        }
    };
    upload.received = i64::try_from(length).map_err(Error::internal)?;
    upload.length = Some(upload.received);
    upload.finished_at = Some(clock.now());
    let mut tx = uploads.media.db.begin().await?;
    updates::lock_for_update(&mut tx, &upload.update_id).await?;
    let done = sqlx::query(
        "UPDATE uploads SET received = $1, length = $1, multipart = NULL, stretches = NULL, key = $2, content_type = $3, touched_at = $4,
             finished_at = $4, came = $5
         WHERE id = $6 AND generation = $7",
    )
    .bind(upload.received)
    .bind(&upload.key)
    .bind(file_type.content_type())
    .bind(upload.finished_at)
    .bind(&uploaded_key)
    .bind(&upload.id)
    .bind(upload.generation)
    .execute(&mut *tx)
    .await?;
    let overtaken = (done.rows_affected() == 0).then(superseded);
    sqlx::query("DELETE FROM upload_pieces WHERE upload_id = $1")
        .bind(&upload.id)
        .execute(&mut *tx)
        .await?;
    schedule_purge(&mut tx, clock, &uploaded_key, None).await?;
    if file_type == FileType::Picture {
        updates::enqueue_purge(&mut tx, clock, std::slice::from_ref(&upload.key)).await?;
    }
    let lost = match overtaken {
        Some(error) => Some(error),
        None if media::receive(&mut tx, clock, &upload.media_id, &stored, broken_off).await? => {
            None
        }
        None => Some(Error::Gone(FILE_REMOVED.into())),
    };
    if let Some(error) = lost {
        drop(tx);
        discard_result(uploads, &uploaded_key, &upload, Some(stored)).await?;
        return Err(error);
    }
    tx.commit().await?;
    Ok(upload)
}

async fn store_upload(
    uploads: &UploadService,
    upload: &Upload,
    file_type: FileType,
    length: u64,
    scan: &MetadataScan,
) -> Result<StoredFile> {
    match file_type {
        FileType::Video(container) => Ok(stored_video(
            upload.file_name.clone(),
            container,
            upload.key.clone(),
            length,
            scan,
        )),
        FileType::Picture => {
            let dir = tempfile::tempdir_in(&uploads.media.temp_dir)?;
            let path = uploads.media.storage.fetch(&upload.key, dir.path()).await?;
            uploads
                .process_picture(upload.file_name.clone(), &path, Some(&upload.media_id))
                .await
        }
    }
}

/// Deletes the stored objects of an upload that could not be finished. Keeps the object under
/// `uploaded_key`, because the next attempt needs the uploaded bytes. That object is deleted
/// together with the upload.
async fn discard_result(
    uploads: &UploadService,
    uploaded_key: &str,
    upload: &Upload,
    stored: Option<StoredFile>,
) -> Result<()> {
    let mut keys = vec![upload.key.clone()];
    keys.extend(
        stored
            .into_iter()
            .flat_map(|stored| stored.objects)
            .map(|object| object.key),
    );
    keys.retain(|key| key != uploaded_key);
    let mut tx = uploads.media.db.begin().await?;
    updates::enqueue_purge(&mut tx, &uploads.media.clock, &keys).await?;
    tx.commit().await
}

/// Finishes an upload that has all its bytes but was not finished by its last request. If the file
/// type is unsupported, ends the upload.
pub(super) async fn finish_if_whole(uploads: &UploadService, upload: Upload) -> Result<Upload> {
    let known = upload.clone();
    let finished = finish_committed(uploads, upload).await;
    if let Err(Error::Unsupported(reason)) = &finished {
        let mut tx = uploads.media.db.begin().await?;
        end(&mut tx, uploads, &known, Some(reason)).await?;
        tx.commit().await?;
    }
    finished
}

/// Finishes an upload that has all its bytes. If this node is already finishing the upload, returns
/// it unchanged.
pub(super) async fn finish_committed(uploads: &UploadService, upload: Upload) -> Result<Upload> {
    if upload.finished_at.is_some() || !upload.is_complete() {
        return Ok(upload);
    }
    let Some(permit) = uploads.finishers.try_acquire(&upload.id, 1) else {
        return Ok(upload);
    };
    let finished = async {
        finish_exclusively(permit, Writer::claim(uploads, upload).await?, Bytes::new()).await
    };
    finished.await.map_err(missing_as_unavailable)
}

/// Maps a missing object to `Unavailable`. The object was stored durably, so its absence is a fault
/// of the storage, not of the request.
pub(super) fn missing_as_unavailable(error: Error) -> Error {
    match error {
        Error::NotFound => Error::Unavailable(
            "The storage does not respond correctly. Everything that was confirmed earlier is stored; try again in a moment.".into(),
            "a piece of an upload is missing from the storage".into(),
        ),
        other => other,
    }
}

/// Handles abandoned uploads. Finishes complete uploads, and recordings whose page has sent nothing
/// for an hour. Deletes expired uploads, and uploads whose media no longer exists. Never deletes a
/// recording because of its age, unless it is too short to show.
pub(super) async fn sweep(uploads: &UploadService) -> Result<()> {
    let now = uploads.media.clock.now();
    let abandoned = "o.deferred_at IS NOT NULL AND o.length IS NULL AND o.received >= 4096 AND o.touched_at < $1";
    for upload in list_idle(uploads, abandoned, now - RECORDING_IDLE_LIMIT).await? {
        log_failure(&upload, finish_broken_off(uploads, &upload).await);
    }
    finish_stalled(uploads).await?;
    let empty_or_removed = "(o.deferred_at IS NOT NULL AND o.received < 4096 AND o.touched_at < $1)
         OR NOT EXISTS (SELECT 1 FROM media m WHERE m.id = o.media_id AND $1 > 0)";
    for upload in list_idle(uploads, empty_or_removed, now - EMPTY_UPLOAD_AGE).await? {
        log_failure(&upload, discard_upload(uploads, &upload).await);
    }
    for upload in list_idle(
        uploads,
        "o.deferred_at IS NULL AND o.length <> o.received AND o.created_at < $1",
        now - UPLOAD_LIFETIME,
    )
    .await?
    {
        log_failure(&upload, discard_upload(uploads, &upload).await);
    }
    let mut tx = uploads.media.db.begin().await?;
    sqlx::query("DELETE FROM uploads WHERE finished_at IS NOT NULL AND created_at < $1")
        .bind(now - UPLOAD_LIFETIME)
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

/// Finishes uploads that have all their bytes but were not finished by their last request, for
/// example because the storage was unavailable.
pub async fn finish_stalled(uploads: &UploadService) -> Result<()> {
    for upload in list_idle(
        uploads,
        "o.length = o.received AND o.touched_at < $1",
        uploads.media.clock.now() - FINISH_IDLE_LIMIT,
    )
    .await?
    {
        log_failure(
            &upload,
            finish_if_whole(uploads, upload.clone()).await.map(drop),
        );
    }
    Ok(())
}

/// Ends a recording at its current length, because its page has stopped sending data. Saves the end
/// before assembling the bytes, so that the page cannot continue the recording in the meantime.
async fn finish_broken_off(uploads: &UploadService, upload: &Upload) -> Result<()> {
    let now = uploads.media.clock.now();
    let mut tx = uploads.media.db.begin().await?;
    let ended = sqlx::query(
        "UPDATE uploads SET length = received, broken_off_at = $1, generation = generation + 1
         WHERE id = $2 AND generation = $3 AND received = $4 AND length IS NULL AND finished_at IS NULL",
    )
    .bind(now)
    .bind(&upload.id)
    .bind(upload.generation)
    .bind(upload.received)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    if ended.rows_affected() == 0 {
        return Ok(());
    }
    let ended = Upload {
        length: Some(upload.received),
        broken_off_at: Some(now),
        generation: upload.generation + 1,
        ..upload.clone()
    };
    finish_if_whole(uploads, ended).await.map(drop)
}

/// Logs the failure to handle one upload. The next sweep tries again.
fn log_failure(upload: &Upload, done: Result<()>) {
    if let Err(error) = done {
        tracing::warn!(%error, upload = upload.id, "an abandoned upload could not be finished or deleted");
    }
}

async fn list_idle(
    uploads: &UploadService,
    condition: &'static str,
    since: Millis,
) -> Result<Vec<Upload>> {
    let statement = format!(
        concat!(
            "SELECT ",
            columns!(),
            " FROM uploads o WHERE o.finished_at IS NULL AND ({}) ORDER BY o.touched_at LIMIT {}"
        ),
        condition, BATCH_SIZE
    );
    let found = sqlx::query_as(sqlx::AssertSqlSafe(statement)).bind(since);
    Ok(found
        .fetch_all(&mut *uploads.media.db.read().await?)
        .await?)
}

async fn discard_upload(uploads: &UploadService, upload: &Upload) -> Result<()> {
    let reason = "The upload was never completed, so the part that had arrived was deleted. Send the file again.";
    let mut tx = uploads.media.db.begin().await?;
    end(
        &mut tx,
        uploads,
        upload,
        (upload.received > 0).then_some(reason),
    )
    .await?;
    tx.commit().await
}
