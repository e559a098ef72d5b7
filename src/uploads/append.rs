//! Handles one request that appends bytes to an upload.

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};

use super::checksum::Checksum;
use super::concurrency::MAX_WRITERS_PER_PERSON;
use super::expiry::check_resumable;
use super::repository::schedule_purge_at;
use super::size_limits::SizeLimit;
use super::writer::{Writer, superseded};
use super::{Upload, UploadService, cancel, complete, finish_lease};
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::ids::secret;
use crate::people::Viewer;
use crate::{media, updates};

/// How long the copied bytes of a reopened recording are kept if the recording is not continued, in
/// milliseconds.
const ABANDONED_COPY_AGE: Millis = 24 * 3_600_000;

/// Describes a request that appends bytes to an upload, without its body. Comes from the headers of
/// the request.
#[derive(Clone, Debug, Default)]
pub struct PatchRequest {
    /// The position at which the body starts, in bytes. It must equal the current offset of the
    /// upload.
    pub offset: i64,
    /// The total length of the upload in bytes, if the request states it.
    pub length: Option<i64>,
    /// The expected checksum of the body.
    pub checksum: Option<Checksum>,
    /// Whether the request also creates the upload. If an earlier request with the same nonce has stored bytes, the body
    /// is ignored.
    pub creates: bool,
}

/// Appends the body of a request to one of the viewer's uploads. The last byte finishes the upload.
/// Returns the new state of the upload, whose first `received` bytes are stored durably.
///
/// The bytes of an interrupted request are kept, unless the request has a checksum. Returns
/// [`Error::Conflict`] if the offset is wrong, if another request has taken over the upload, or if
/// another request is taking too long to finish it. The sender must then request the current
/// offset. An unsupported file type cancels the upload.
pub async fn append_body(
    uploads: &UploadService,
    viewer: &Viewer,
    id: &str,
    patch: PatchRequest,
    body: impl Stream<Item = Result<Bytes>> + Unpin,
) -> Result<Upload> {
    let Some(_permit) = uploads
        .writers
        .try_acquire(&viewer.person()?.id, MAX_WRITERS_PER_PERSON)
    else {
        return Err(Error::TooManyRequests(1));
    };
    let mut upload = finish_lease::find_after_finishing(uploads, viewer, id).await?;
    if patch.creates && (upload.received > 0 || upload.finished_at.is_some()) {
        return Ok(upload);
    }
    check_resumable(uploads, &upload)?;
    if upload.broken_off_at.is_some() && upload.finished_at.is_none() {
        // The server ended this recording, because the browser page had stopped sending data. Finish the upload first.
        // The code below decides whether the page may continue the recording.
        upload = complete::finish_if_whole(uploads, upload).await?;
        if upload.finished_at.is_none() {
            return Err(superseded());
        }
    }
    check_offset(&upload, patch.offset)?;
    if upload.finished_at.is_some()
        && (upload.broken_off_at.is_none() || patch.length == upload.length)
    {
        return append_to_complete(uploads, upload, patch, body).await;
    }
    if upload.finished_at.is_none() && upload.is_complete() {
        return retry_finish(uploads, upload, patch, body).await;
    }
    // Do not take over if another request has begun to finish the upload.
    if uploads.finishers.is_held(&upload.id) {
        return Err(superseded());
    }
    uploads.check_free_space()?;
    let reopened = upload.finished_at.is_some();
    set_length(uploads, &mut upload, patch.length, reopened)?;
    let writer = if reopened {
        reopen_recording(uploads, upload).await
    } else {
        Writer::claim(uploads, upload).await
    };
    let mut writer = writer.map_err(complete::missing_as_unavailable)?;
    writer.persist_at_end = patch.checksum.is_some();
    let upload = writer.upload.clone();
    let done = receive_body(writer, patch.checksum, body)
        .await
        .map_err(complete::missing_as_unavailable);
    // The file type is unsupported, and more bytes cannot change that. Cancel the upload.
    if let Err(Error::Unsupported(_)) = &done
        && !reopened
    {
        cancel(uploads, &upload).await?;
    }
    done
}

fn check_offset(upload: &Upload, offset: i64) -> Result<()> {
    if offset == upload.received {
        return Ok(());
    }
    Err(Error::Conflict(format!(
        "Upload-Offset must be {}, the current offset of this upload, not {offset}.",
        upload.received
    )))
}

/// Handles a request for an upload that is already complete. Fails if the request contains bytes or
/// states a different length. If the server had ended the upload because the page had stopped
/// sending data, records that the page has now confirmed the end.
async fn append_to_complete(
    uploads: &UploadService,
    mut upload: Upload,
    patch: PatchRequest,
    mut body: impl Stream<Item = Result<Bytes>> + Unpin,
) -> Result<Upload> {
    if has_bytes(uploads, &mut body).await?
        || patch
            .length
            .is_some_and(|length| Some(length) != upload.length)
    {
        return Err(Error::Gone("This upload is already complete.".into()));
    }
    if upload.broken_off_at.is_some() {
        let mut tx = uploads.media.db.begin().await?;
        updates::lock_for_update(&mut tx, &upload.update_id).await?;
        let confirmed = sqlx::query(
            "UPDATE uploads SET broken_off_at = NULL WHERE id = $1 AND generation = $2",
        )
        .bind(&upload.id)
        .bind(upload.generation)
        .execute(&mut *tx)
        .await?;
        if confirmed.rows_affected() == 0 {
            return Err(superseded());
        }
        media::clear_broken_off(&mut tx, &uploads.media.clock, &upload.media_id).await?;
        tx.commit().await?;
        upload.broken_off_at = None;
    }
    Ok(upload)
}

/// Finishes an upload that has all its bytes, after an earlier attempt to finish it failed. If this
/// node is already finishing the upload, returns its current state.
async fn retry_finish(
    uploads: &UploadService,
    mut upload: Upload,
    patch: PatchRequest,
    mut body: impl Stream<Item = Result<Bytes>> + Unpin,
) -> Result<Upload> {
    set_length(uploads, &mut upload, patch.length, false)?;
    if has_bytes(uploads, &mut body).await? {
        return Err(beyond_length(upload.received));
    }
    if let Some(checksum) = patch.checksum {
        checksum.verify()?;
    }
    let known = upload.clone();
    let finished = complete::finish_committed(uploads, upload).await;
    if let Err(Error::Unsupported(_)) = &finished {
        cancel(uploads, &known).await?;
    }
    finished
}

/// Whether the request body contains any bytes.
async fn has_bytes(
    uploads: &UploadService,
    body: &mut (impl Stream<Item = Result<Bytes>> + Unpin),
) -> Result<bool> {
    loop {
        match tokio::time::timeout(uploads.idle_timeout, body.next()).await {
            Ok(Some(block)) if block.as_ref().is_ok_and(Bytes::is_empty) => {}
            Ok(Some(block)) => return block.map(|_| true),
            Ok(None) => return Ok(false),
            Err(_) => return Err(body_stalled(uploads)),
        }
    }
}

fn body_stalled(uploads: &UploadService) -> Error {
    Error::Conflict(format!(
        "No data arrived for {} s. Send HEAD to get the current offset; everything before it is stored.",
        uploads.idle_timeout.as_secs()
    ))
}

fn beyond_length(length: i64) -> Error {
    Error::TooLarge(format!(
        "The request exceeds the length of this upload, which is {length} bytes."
    ))
}

/// If the request states a length, checks this length and sets it as the length of the upload. If
/// `reopened` is true, the earlier length no longer applies.
fn set_length(
    uploads: &UploadService,
    upload: &mut Upload,
    length: Option<i64>,
    reopened: bool,
) -> Result<()> {
    if reopened {
        upload.length = None;
    }
    let Some(length) = length else { return Ok(()) };
    match upload.length {
        Some(known) if known != length => Err(Error::Malformed(format!(
            "Upload-Length: the length of this upload is {known} bytes and cannot be changed to {length}."
        ))),
        _ if length < upload.received => Err(Error::Malformed(format!(
            "Upload-Length: {length} is less than the {} bytes already received.",
            upload.received
        ))),
        _ => {
            SizeLimit::of_files(uploads).check(length)?;
            upload.length = Some(length);
            Ok(())
        }
    }
}

/// Reopens a recording that the server ended because the browser page had stopped sending data. Copies the
/// existing bytes into a new object, so that the page can continue the recording.
async fn reopen_recording(uploads: &UploadService, upload: Upload) -> Result<Writer<'_>> {
    let (ctx, key) = (&uploads.media, format!("media/{}", secret()));
    let mut tx = ctx.db.begin().await?;
    let generation: Option<i64> = sqlx::query_scalar(
        "UPDATE uploads SET generation = generation + 1 WHERE id = $1 AND broken_off_at IS NOT NULL
         AND update_id IN (SELECT id FROM updates WHERE published_at IS NULL)
         AND media_id IN (SELECT id FROM media WHERE trim_from_ms IS NULL) RETURNING generation",
    )
    .bind(&upload.id)
    .fetch_optional(&mut *tx)
    .await?;
    let Some(generation) = generation else {
        return Err(Error::Gone(
            "This recording has already been trimmed or published, so nothing can be added to it."
                .into(),
        ));
    };
    let (old, length) = (upload.key.clone(), upload.received);
    let reopened = Upload {
        generation,
        key,
        multipart: None,
        stretches: None,
        content_type: None,
        received: 0,
        finished_at: None,
        broken_off_at: None,
        ..upload
    };
    // Schedule the deletion of the copied bytes. If an upload or a finished recording uses them when the job runs, the
    // job does not delete them.
    schedule_purge_at(
        &mut tx,
        &ctx.clock,
        &reopened.key,
        None,
        ctx.clock.now() + ABANDONED_COPY_AGE,
    )
    .await?;
    tx.commit().await?;
    let mut writer = Writer::for_reopened(uploads, reopened);
    let mut body = ctx
        .storage
        .get(&old, 0..u64::try_from(length).unwrap_or(0))
        .await?;
    let mut buffer = BytesMut::new();
    while let Some(block) = body.next().await {
        buffer_block(&mut writer, &mut buffer, block?).await?;
    }
    if !buffer.is_empty() {
        writer.store(buffer.freeze()).await?;
    }
    writer.persist_offset().await?;
    Ok(writer)
}

/// Adds a block to the buffer, and stores the buffer each time it is full.
async fn buffer_block(
    writer: &mut Writer<'_>,
    buffer: &mut BytesMut,
    mut block: Bytes,
) -> Result<()> {
    while buffer.len() + block.len() >= writer.preferred_bytes() {
        let rest = block.split_off(writer.preferred_bytes() - buffer.len());
        buffer.extend_from_slice(&block);
        writer.store(buffer.split().freeze()).await?;
        block = rest;
    }
    buffer.extend_from_slice(&block);
    Ok(())
}

async fn receive_body(
    mut writer: Writer<'_>,
    mut checksum: Option<Checksum>,
    mut body: impl Stream<Item = Result<Bytes>> + Unpin,
) -> Result<Upload> {
    let uploads = writer.uploads;
    let mut buffer = BytesMut::new();
    let broken = loop {
        // The file is locked while its bytes are not persisted, so do not wait for more bytes for long.
        let until_due = writer.time_until_due();
        if until_due.is_some_and(|time| time.is_zero()) {
            writer.persist_open_file().await?;
            continue;
        }
        let wait = until_due.map_or(uploads.idle_timeout, |time| time.min(uploads.idle_timeout));
        let block = match tokio::time::timeout(wait, body.next()).await {
            Ok(Some(Ok(block))) => block,
            Ok(None) => break None,
            Ok(Some(Err(error))) => break Some(error),
            Err(_) if until_due.is_some_and(|time| time <= wait) => continue,
            Err(_) => break Some(body_stalled(uploads)),
        };
        let end =
            writer.offset + i64::try_from(buffer.len() + block.len()).map_err(Error::internal)?;
        if let Err(error) = check_end(&writer, end) {
            break Some(error);
        }
        if let Some(checksum) = &mut checksum {
            checksum.update(&block);
        }
        buffer_block(&mut writer, &mut buffer, block).await?;
    };
    if let Some(error) = broken {
        if !writer.persist_at_end {
            if !buffer.is_empty() {
                writer.store(buffer.freeze()).await?;
            }
            writer.persist_open_file().await?;
        }
        return Err(error);
    }
    if let Some(checksum) = checksum {
        checksum.verify()?;
    }
    let end = writer.offset + i64::try_from(buffer.len()).map_err(Error::internal)?;
    if writer.upload.length == Some(end) {
        return complete::finish(writer, buffer.freeze()).await;
    }
    if !buffer.is_empty() {
        writer.store(buffer.freeze()).await?;
    }
    writer.persist_if_changed().await?;
    Ok(writer.upload)
}

/// Rejects a body that ends beyond the upload's length or beyond the size limit.
fn check_end(writer: &Writer<'_>, end: i64) -> Result<()> {
    if let Some(length) = writer.upload.length
        && end > length
    {
        return Err(beyond_length(length));
    }
    SizeLimit::of_files(writer.uploads).check(end)?;
    let is_picture = writer
        .upload
        .content_type
        .as_deref()
        .is_some_and(|kind| kind.starts_with("image/"));
    if is_picture && let Err(error) = SizeLimit::of_pictures(writer.uploads).check(end) {
        return Err(Error::Unsupported(error.detail()));
    }
    Ok(())
}
