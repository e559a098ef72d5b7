//! Turns complete uploads into media.

mod abandoned_uploads;

use std::convert::Infallible;

use bytes::Bytes;

pub use self::abandoned_uploads::finish_stalled;
pub(super) use self::abandoned_uploads::sweep;
use super::concurrency::Permit;
use super::repository::{Upload, end, schedule_purge};
use super::writer::{Writer, superseded};
use super::{FILE_REMOVED, FileType, UploadService, finish_lease, stored_video};
use crate::error::{Error, Result};
use crate::infra::video::MetadataScan;
use crate::media::{self, StoredFile};
use crate::updates;

/// Turns an upload into media. `left` contains the last bytes of the upload, which are not written
/// yet.
pub(super) async fn finish(writer: Writer<'_>, left: Bytes) -> Result<Upload> {
    let Some(permit) = writer.uploads.finishers.try_acquire(&writer.upload.id, 1) else {
        return Err(superseded());
    };
    finish_exclusively(permit, writer, left).await
}

/// Finishes an upload. Until the attempt ends, no other process can take the upload over.
async fn finish_exclusively(_permit: Permit, writer: Writer<'_>, left: Bytes) -> Result<Upload> {
    let (uploads, id, generation) = (
        writer.uploads,
        writer.upload.id.clone(),
        writer.upload.generation,
    );
    if !finish_lease::acquire(uploads, &id, generation).await? {
        return Err(superseded());
    }
    let finished = tokio::select! {
        finished = make_media(writer, left) => finished,
        never = keep_lease(uploads, &id, generation) => match never {},
    };
    if finished.is_err()
        && let Err(error) = finish_lease::release(uploads, &id, generation).await
    {
        tracing::warn!(%error, upload = id, "the lease on an upload could not be released");
    }
    finished
}

/// Renews the lease on an upload while this process is finishing it. Runs until the future is
/// dropped.
async fn keep_lease(uploads: &UploadService, id: &str, generation: i64) -> Infallible {
    loop {
        tokio::time::sleep(finish_lease::RENEW_INTERVAL).await;
        if let Err(error) = finish_lease::acquire(uploads, id, generation).await {
            tracing::warn!(%error, upload = id, "the lease on an upload could not be renewed");
        }
    }
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
        "UPDATE uploads SET received = $1, length = $1, multipart = NULL, stretches = NULL, key = $2,
             content_type = $3, touched_at = $4, finished_at = $4, came = $5, finisher = NULL, finisher_until = NULL
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

/// Finishes an upload that has all its bytes but was not finished by its last request. If the file type is unsupported,
/// deletes the upload, and its media shows the reason.
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

/// Finishes an upload. Returns the upload unchanged if bytes are missing, if it is finished, or if this node is already
/// finishing it.
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
            "The storage is not responding correctly. Everything that was confirmed earlier is \
             stored; try again in a moment."
                .into(),
            "a piece of an upload is missing from the storage".into(),
        ),
        other => other,
    }
}
