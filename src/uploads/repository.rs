//! The database rows of resumable uploads.

use sqlx::{AnyConnection, FromRow};

use super::UploadService;
use super::leftovers::DeleteLeftovers;
use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::events::{self, EventKind};
use crate::infra::db::Tx;
use crate::infra::jobs;
use crate::media;
use crate::people::Viewer;
use crate::updates;

/// How long a request may still be writing after its upload has ended, in milliseconds.
pub(super) const LATE_WRITER_GRACE: Millis = 15 * 60_000;

/// A resumable upload.
#[derive(Clone, Debug, FromRow)]
pub struct Upload {
    /// Id of the upload.
    pub id: String,
    /// Id of the person who is uploading.
    pub person_id: String,
    /// Id of the update that contains the media.
    pub update_id: String,
    /// Id of the media that the upload becomes.
    pub media_id: String,
    /// Name of the file.
    pub file_name: String,
    /// The `Upload-Metadata` header as the client sent it.
    pub metadata: String,
    /// Total length in bytes; `None` while the length is unknown.
    pub length: Option<i64>,
    /// When the upload started, if its length was unknown then; otherwise `None`. Recordings start with an unknown
    /// length.
    pub deferred_at: Option<Millis>,
    /// Number of bytes that are stored durably.
    pub received: i64,
    /// Each new writer increments this number. A writer can commit only until the next writer has incremented it.
    pub(super) generation: i64,
    pub(super) key: String,
    pub(super) multipart: Option<String>,
    pub(super) stretches: Option<String>,
    pub(super) content_type: Option<String>,
    /// The state of the metadata scan, as JSON.
    pub(super) metadata_scan: Option<String>,
    /// When the upload started.
    pub created_at: Millis,
    /// When bytes last arrived or the upload was last marked as active.
    pub touched_at: Millis,
    /// When the upload became media; `None` until then.
    pub finished_at: Option<Millis>,
    /// When the server ended the upload because the browser page had stopped sending data; otherwise
    /// `None`.
    pub broken_off_at: Option<Millis>,
    /// The id of the process that is finishing the upload.
    pub(super) finisher: Option<String>,
    /// When the lease of `finisher` ends, according to the system clock.
    pub(super) finisher_until: Option<Millis>,
    /// 1 while the media of the upload exists; 0 after the media was removed.
    pub(super) wanted: i64,
}

macro_rules! columns {
    () => {
        "o.id, o.person_id, o.update_id, o.media_id, o.file_name, o.metadata, o.length, o.deferred_at, \
         o.received, o.generation, o.key, o.multipart, o.stretches, o.content_type, o.metadata_scan, \
         o.created_at, o.touched_at, o.finished_at, o.broken_off_at, o.finisher, o.finisher_until, (SELECT \
         count(*) FROM media m WHERE m.id = o.media_id) AS wanted"
    };
}

pub(super) use columns;

impl Upload {
    /// Whether all bytes have arrived.
    pub fn is_complete(&self) -> bool {
        self.length == Some(self.received)
    }

    /// Returns the key under which the uploaded bytes are stored until the upload is complete.
    pub(super) fn data_key(&self) -> String {
        data_key(&self.key)
    }
}

/// Returns the ids of multipart uploads that are not completed yet.
pub async fn open_multipart_ids(connection: &mut AnyConnection) -> Result<Vec<String>> {
    Ok(
        sqlx::query_scalar("SELECT multipart FROM uploads WHERE multipart IS NOT NULL")
            .fetch_all(connection)
            .await?,
    )
}

/// Finds an upload that belongs to the viewer.
pub async fn find(connection: &mut AnyConnection, viewer: &Viewer, id: &str) -> Result<Upload> {
    let person = viewer.person()?;
    let found = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM uploads o WHERE o.id = $1 AND o.person_id = $2"
    ));
    found
        .bind(id)
        .bind(&person.id)
        .fetch_optional(connection)
        .await?
        .ok_or(Error::NotFound)
}

/// Lists the viewer's unfinished uploads whose media still exists, oldest first.
pub async fn list_own(connection: &mut AnyConnection, viewer: &Viewer) -> Result<Vec<Upload>> {
    let person = viewer.person()?;
    let all = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM uploads o WHERE o.person_id = $1 AND o.finished_at IS NULL ORDER BY o.id"
    ));
    let mut all: Vec<Upload> = all.bind(&person.id).fetch_all(connection).await?;
    all.retain(|upload| upload.wanted > 0);
    Ok(all)
}

/// Ends an unfinished upload and deletes its bytes. If `reason` is set, the media remains and shows
/// the reason. Otherwise, also deletes the media, and the draft if it is empty and was created for
/// this upload.
pub async fn end(
    tx: &mut Tx,
    uploads: &UploadService,
    upload: &Upload,
    reason: Option<&str>,
) -> Result<()> {
    let clock = &uploads.media.clock;
    updates::lock_for_update(tx, &upload.update_id).await?;
    let ended: Option<(Option<i64>, Option<String>, String)> = sqlx::query_as(
        "DELETE FROM uploads WHERE id = $1 AND finished_at IS NULL RETURNING made_draft_at, \
         multipart, key",
    )
    .bind(&upload.id)
    .fetch_optional(&mut **tx)
    .await?;
    let Some((made_draft_at, multipart, key)) = ended else {
        return Err(Error::Conflict(
            "This upload is already complete. Remove the file from its update instead.".into(),
        ));
    };
    schedule_purge(tx, clock, &key, multipart).await?;
    if let Some(reason) = reason {
        return media::mark_incomplete(tx, clock, &upload.media_id, reason).await;
    }
    if made_draft_at.is_some()
        && updates::drop_if_empty(tx, clock, &upload.update_id, &upload.media_id).await?
    {
        return Ok(());
    }
    media::cancel(tx, clock, &upload.media_id, &upload.person_id).await
}

/// Ends an upload and deletes its bytes, its media and, if it is empty, the draft that was created
/// for it.
pub async fn cancel(uploads: &UploadService, upload: &Upload) -> Result<()> {
    let mut tx = uploads.media.db.begin().await?;
    end(&mut tx, uploads, upload, None).await?;
    tx.commit().await
}

/// Cancels one of the viewer's uploads, as [`cancel`] does. Does nothing if the viewer has already
/// cancelled the upload. A cancellation is remembered for [`events::RETENTION`].
pub async fn cancel_own(
    tx: &mut Tx,
    uploads: &UploadService,
    viewer: &Viewer,
    id: &str,
) -> Result<()> {
    let person = viewer.person()?;
    let found = find(tx, viewer, id).await;
    if matches!(found, Err(Error::NotFound))
        && events::update_of_last_event(tx, EventKind::Media, id, &person.id)
            .await?
            .is_some()
    {
        return Ok(());
    }
    end(tx, uploads, &found?, None).await?;
    // Record the cancellation, so that a repeated request is recognized. The event belongs to no
    // update, so no open page receives it.
    events::record(
        tx,
        &uploads.media.clock,
        EventKind::Media,
        "",
        id,
        &person.id,
    )
    .await
}

/// Schedules two deletions of an upload's data. The first runs now, and the second runs when no request can still be
/// writing data.
pub(super) async fn schedule_purge(
    tx: &mut Tx,
    clock: &Clock,
    key: &str,
    multipart: Option<String>,
) -> Result<()> {
    schedule_purge_at(tx, clock, key, multipart.as_deref(), clock.now()).await?;
    schedule_purge_at(
        tx,
        clock,
        key,
        multipart.as_deref(),
        clock.now() + LATE_WRITER_GRACE,
    )
    .await
}

/// Schedules the deletion of an upload's data for the time `at`. The job does not delete data that is in use at that
/// time.
pub(super) async fn schedule_purge_at(
    tx: &mut Tx,
    clock: &Clock,
    key: &str,
    multipart: Option<&str>,
    at: Millis,
) -> Result<()> {
    let job = DeleteLeftovers {
        place: data_key(key),
        key: key.to_owned(),
        multipart: multipart.map(str::to_owned),
    };
    jobs::enqueue_at(tx, clock, &job, at).await
}

/// Returns the key under which the bytes of an upload are stored until the upload is complete. `key` is the key of the
/// completed upload.
pub(super) fn data_key(key: &str) -> String {
    key.replacen("media/", "uploads/", 1)
}
