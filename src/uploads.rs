//! Receives files: detects the type of a file by its content and streams the file to storage,
//! without keeping a whole file in memory.
//!
//! The files of a multipart form arrive in one request and are stored immediately. A resumable
//! upload ([`Upload`], [`append_body`]) arrives in several requests. Both produce a [`StoredFile`].

mod accepted_file_types;
mod append;
mod assemble;
mod checksum;
mod complete;
mod concurrency;
mod create;
mod expiry;
mod finish_lease;
mod free_disk_space;
mod leftovers;
mod repository;
mod size_limits;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use tokio::io::AsyncWriteExt;
use tokio::sync::Semaphore;

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::infra::db::{Db, Tx};
use crate::infra::images;
use crate::infra::video::{Container, HEAD_BYTES, Metadata, MetadataScan};
use crate::media::{
    MediaContext, MediaKind, MediaState, StoredFile, new_pending_key, object_metadata,
    store_picture_renditions, video_renditions,
};
use crate::{text, updates};

pub use accepted_file_types::ACCEPTED_TYPES;
use accepted_file_types::FileType;
pub use append::{PatchRequest, append_body};
pub use checksum::{ALGORITHMS, Checksum};
pub use complete::finish_stalled;
pub use concurrency::KeyedLimiter;
pub use create::{NewUpload, create};
pub use expiry::check_resumable;
pub use finish_lease::expire_finish_leases_of;
pub use leftovers::DeleteLeftovers;
pub use repository::{Upload, cancel, cancel_own, end, find, list_own, open_multipart_ids};
pub use size_limits::format_size;
use size_limits::{LimitedStream, SizeLimit};

/// The error message for an upload whose media was removed.
const FILE_REMOVED: &str = "The file was removed from its update.";

/// The service that receives and stores files.
#[derive(Clone, Debug)]
pub struct UploadService {
    /// The database, the storage and the media tools.
    pub media: MediaContext,
    /// Maximum size of a file, in bytes.
    pub max_bytes: u64,
    /// Minimum free disk space, in bytes. If less is free, uploads are rejected.
    pub min_free_bytes: u64,
    /// How long the sender of a resumable upload may pause within a request.
    pub idle_timeout: Duration,
    /// Limits how many uploads can assemble a part at the same time, because each of them needs memory for two parts.
    pub join_permits: Arc<Semaphore>,
    /// Limits how many requests of one person can send bytes of resumable uploads at the same time.
    pub writers: KeyedLimiter,
    /// Prevents this node from finishing the same upload twice at the same time.
    pub finishers: KeyedLimiter,
    /// Identifies this process as the owner of its leases on uploads.
    pub node: String,
}

impl UploadService {
    /// Stores one file. Re-encodes a picture immediately. Stores a video unchanged; a job prepares
    /// it later. Rejects videos if `pictures` is true.
    pub async fn store_file(
        &self,
        file_name: &str,
        pictures: bool,
        body: impl Stream<Item = Result<Bytes>> + Unpin,
    ) -> Result<StoredFile> {
        self.check_free_space()?;
        let file_name = text::clean_file_name(file_name);
        let mut body = LimitedStream::new(body, SizeLimit::of_files(self));
        let head = read_head(&mut body).await?;
        let file_type = FileType::detect(&head)?;
        let whole = stream::iter([Ok(head)]).chain(body);
        match file_type {
            FileType::Picture => self.store_picture(file_name, whole).await,
            FileType::Video(_) if pictures => Err(Error::Unsupported(
                "This file is not a picture. Only PNG, JPEG, WebP and GIF pictures are accepted here.".into(),
            )),
            FileType::Video(container) => self.store_video(file_name, container, whole).await,
        }
    }

    async fn store_picture(
        &self,
        file_name: String,
        body: impl Stream<Item = Result<Bytes>> + Unpin,
    ) -> Result<StoredFile> {
        let spool = tempfile::NamedTempFile::new_in(&self.media.temp_dir)?;
        let mut file = tokio::fs::File::from_std(spool.reopen()?);
        let mut body = LimitedStream::new(body, SizeLimit::of_pictures(self));
        while let Some(block) = body.next().await {
            file.write_all(&block?).await?;
        }
        file.flush().await?;
        self.process_picture(file_name, spool.path(), None).await
    }

    /// Re-encodes and stores a picture. If `media_id` is set, assigns the stored objects to this
    /// media immediately.
    async fn process_picture(
        &self,
        file_name: String,
        path: &Path,
        media_id: Option<&str>,
    ) -> Result<StoredFile> {
        let picture = images::process(path).await?;
        let size = Some((picture.width, picture.height));
        let objects = store_picture_renditions(&self.media, picture, media_id).await?;
        Ok(StoredFile {
            kind: MediaKind::Image,
            file_name,
            state: MediaState::Ready,
            size,
            metadata: None,
            objects,
        })
    }

    async fn store_video(
        &self,
        file_name: String,
        container: Container,
        body: impl Stream<Item = Result<Bytes>> + Unpin,
    ) -> Result<StoredFile> {
        let key = new_pending_key(&self.media.db, &self.media.clock, None).await?;
        let mut scan = MetadataScan::default();
        let body = body.inspect_ok(|block| scan.feed(block));
        let bytes = self
            .media
            .storage
            .put(&key, &object_metadata(container.content_type()), body)
            .await?;
        Ok(stored_video(file_name, container, key, bytes, &scan))
    }

    /// Schedules the deletion of stored files that were not attached to media.
    pub async fn discard(&self, files: &[StoredFile]) -> Result<()> {
        let keys: Vec<String> = files
            .iter()
            .flat_map(|file| &file.objects)
            .map(|object| object.key.clone())
            .collect();
        if keys.is_empty() {
            return Ok(());
        }
        let mut tx = self.media.db.begin().await?;
        updates::enqueue_purge(&mut tx, &self.media.clock, &keys).await?;
        tx.commit().await
    }
}

/// Describes a video that is stored unchanged. Until there is a seekable copy, the author can play
/// the raw file. Other people can do so only if `scan` covers all bytes and found no metadata.
fn stored_video(
    file_name: String,
    container: Container,
    key: String,
    bytes: u64,
    scan: &MetadataScan,
) -> StoredFile {
    let metadata = if scan.fed() == bytes {
        scan.finish()
    } else {
        Metadata::Possible
    };
    StoredFile {
        kind: MediaKind::Video,
        file_name,
        state: MediaState::Processing,
        size: None,
        metadata: Some(metadata),
        objects: video_renditions(container, key, bytes),
    }
}

/// Finishes or deletes abandoned uploads, and deletes objects that were never attached to media.
pub async fn sweep(uploads: &UploadService) -> Result<()> {
    sweep_pending_objects(&uploads.media.db, &uploads.media.clock).await?;
    complete::sweep(uploads).await
}

/// Schedules the deletion of objects that are still not attached to media after a day. Also deletes the rows of
/// `former_keys` whose URLs have expired.
async fn sweep_pending_objects(db: &Db, clock: &Clock) -> Result<()> {
    let mut tx: Tx = db.begin().await?;
    let keys: Vec<String> =
        sqlx::query_scalar("DELETE FROM loose_objects WHERE since < $1 RETURNING key")
            .bind(clock.now() - 24 * 3_600_000)
            .fetch_all(&mut *tx)
            .await?;
    for key in &keys {
        // Use the job that deletes upload data, because that job also aborts an unfinished multipart upload with this
        // key.
        repository::schedule_purge_at(&mut tx, clock, key, None, clock.now()).await?;
    }
    sqlx::query("DELETE FROM former_keys WHERE until < $1")
        .bind(clock.now())
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

/// Deletes all uploaded data of a picture immediately, instead of waiting for the scheduled jobs.
/// The caller must ensure that no unfinished upload still uses the data.
pub async fn wipe_upload(ctx: &MediaContext, media_id: &str) -> Result<()> {
    let keys: Vec<(String, Option<String>)> =
        sqlx::query_as("SELECT key, came FROM uploads WHERE media_id = $1")
            .bind(media_id)
            .fetch_all(&mut *ctx.db.read().await?)
            .await?;
    for key in keys
        .into_iter()
        .flat_map(|(key, came)| [Some(key), came])
        .flatten()
    {
        ctx.storage
            .delete_upload_data(&repository::data_key(&key))
            .await?;
        ctx.storage.delete(&key).await?;
    }
    Ok(())
}

/// Schedules a second deletion of an object. It runs when no request can still be writing the object.
pub async fn purge_again_later(tx: &mut Tx, clock: &Clock, key: &str) -> Result<()> {
    repository::schedule_purge_at(
        tx,
        clock,
        key,
        None,
        clock.now() + repository::LATE_WRITER_GRACE,
    )
    .await
}

async fn read_head(body: &mut (impl Stream<Item = Result<Bytes>> + Unpin)) -> Result<Bytes> {
    let mut head = BytesMut::new();
    while head.len() < HEAD_BYTES {
        match body.next().await {
            Some(block) => head.extend_from_slice(&block?),
            None => break,
        }
    }
    Ok(head.freeze())
}
