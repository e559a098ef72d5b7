//! Writes the bytes of unfinished uploads. On a disk, the bytes go to one growing file. In a
//! bucket, they go to segments, which are joined into parts.

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt, stream};
use sqlx::FromRow;

use super::repository::Upload;
use super::{FileType, UploadService, finish_lease};
use crate::clock::secret;
use crate::error::{Error, Result};
use crate::infra::jobs;
use crate::infra::storage::{ObjectMetadata, PART_SIZE, S3, Storage};
use crate::infra::video::{HEAD_BYTES, MetadataScan};
use crate::media::object_metadata;
use crate::object_deletion::DeleteObjects;

/// When an upload reaches this number of segments, they are joined into one segment, even if they do not fill a part.
/// Otherwise, reading the segments would be slow after many small requests.
const MAX_SEGMENTS: usize = 64;
/// How many bytes are written to a disk at once. Each writer has a buffer of this size.
const DISK_WRITE_BYTES: usize = 1 << 20;
/// How many segments are read at once.
const PARALLEL_READS: usize = 8;

/// A contiguous range of an upload, stored in a bucket as an object or as a part of a multipart
/// upload.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Piece {
    pub(super) start: i64,
    pub(super) bytes: i64,
    pub(super) key: Option<String>,
    pub(super) part: Option<i64>,
    pub(super) etag: Option<String>,
}

/// A writer of an upload. It can commit until another writer takes over.
pub(super) struct Writer<'a> {
    pub(super) uploads: &'a UploadService,
    pub(super) upload: Upload,
    /// The position of the next byte.
    pub(super) offset: i64,
    /// Whether to persist the offset only once, at the end.
    pub(super) persist_at_end: bool,
    pub(super) segments: Vec<Piece>,
    /// The pieces that are not committed yet. Committing a piece replaces all committed pieces from its start onward.
    new_pieces: Vec<Piece>,
    replaced: Vec<String>,
    /// Whether the writer is reopening a finished upload. If so, its first commit marks the upload
    /// as unfinished.
    reopening: bool,
    /// The metadata scan of all bytes before `offset`.
    pub(super) scan: MetadataScan,
}

/// Returns the error that a writer gets if another writer has taken over the upload.
pub(super) fn superseded() -> Error {
    Error::Conflict(
        "Another client continued this upload. Send HEAD to get the current offset.".into(),
    )
}

impl<'a> Writer<'a> {
    /// Takes over an upload at its current offset, so that an older writer can no longer commit.
    /// Fails if the stored upload is finished, has a different offset, already has a different
    /// length, or is being finished by another process.
    pub(super) async fn claim(uploads: &'a UploadService, mut upload: Upload) -> Result<Self> {
        let (earliest, latest) = finish_lease::valid_ends();
        let mut tx = uploads.media.db.begin().await?;
        let generation: Option<i64> = sqlx::query_scalar(
            "UPDATE uploads SET generation = generation + 1, touched_at = $1
             WHERE id = $2 AND received = $3 AND (length IS NULL OR length = $4) AND finished_at IS NULL
             AND (finisher IS NULL OR finisher = $5 OR finisher_until NOT BETWEEN $6 AND $7) RETURNING generation",
        )
        .bind(uploads.media.clock.now())
        .bind(&upload.id)
        .bind(upload.received)
        .bind(upload.length)
        .bind(&uploads.node)
        .bind(earliest)
        .bind(latest)
        .fetch_optional(&mut *tx)
        .await?;
        upload.generation = generation.ok_or_else(superseded)?;
        let segments = sqlx::query_as(
            "SELECT start, bytes, key, part, etag FROM upload_pieces WHERE upload_id = $1 AND key IS NOT NULL
             ORDER BY start",
        )
        .bind(&upload.id)
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        let at = upload.received;
        let scan = MetadataScan::resume(
            upload.metadata_scan.as_deref(),
            u64::try_from(at).unwrap_or(0),
        );
        Ok(Self {
            uploads,
            upload,
            offset: at,
            persist_at_end: false,
            segments,
            new_pieces: Vec::new(),
            replaced: Vec::new(),
            reopening: false,
            scan,
        })
    }

    /// Creates a writer for a reopened upload. The writer has the generation of `upload` and starts
    /// at offset 0.
    pub(super) fn for_reopened(uploads: &'a UploadService, upload: Upload) -> Self {
        let scan = MetadataScan::default();
        Self {
            uploads,
            upload,
            offset: 0,
            persist_at_end: true,
            segments: Vec::new(),
            new_pieces: Vec::new(),
            replaced: Vec::new(),
            reopening: true,
            scan,
        }
    }

    /// Returns how many bytes to store at once.
    pub(super) fn preferred_bytes(&self) -> usize {
        match self.storage() {
            Storage::Disk(_) => DISK_WRITE_BYTES,
            Storage::S3(_) => PART_SIZE - self.pending_bytes().min(PART_SIZE - 1),
        }
    }

    pub(super) fn pending_bytes(&self) -> usize {
        self.segments
            .iter()
            .map(|segment| usize::try_from(segment.bytes).unwrap_or(0))
            .sum()
    }

    pub(super) fn storage(&self) -> &Storage {
        &self.uploads.media.storage
    }

    /// Stores bytes durably. Also persists the offset, unless `persist_at_end` is set.
    pub(super) async fn store(&mut self, bytes: Bytes) -> Result<()> {
        self.detect_type(&bytes).await?;
        self.scan.feed(&bytes);
        let length = i64::try_from(bytes.len()).map_err(Error::internal)?;
        // On a disk, keep the file locked until the offset is persisted, so that no new writer can
        // write in the meantime.
        let _lock = match self.uploads.media.storage.clone() {
            Storage::Disk(disk) => {
                let file = disk.open_growing(&self.upload.data_key()).await?;
                self.check_current().await?;
                file.write_at(u64::try_from(self.offset).unwrap_or(0), bytes)
                    .await?;
                self.offset += length;
                Some(file)
            }
            Storage::S3(s3) => {
                if self.pending_bytes() + bytes.len() >= PART_SIZE {
                    self.store_part(&s3, bytes).await?;
                } else {
                    self.store_segment(bytes).await?;
                }
                None
            }
        };
        if self.persist_at_end {
            Ok(())
        } else {
            self.persist_offset().await
        }
    }

    pub(super) async fn check_current(&self) -> Result<()> {
        let current: i64 =
            sqlx::query_scalar("SELECT count(*) FROM uploads WHERE id = $1 AND generation = $2")
                .bind(&self.upload.id)
                .bind(self.upload.generation)
                .fetch_one(&mut *self.uploads.media.db.read().await?)
                .await?;
        if current == 1 {
            Ok(())
        } else {
            Err(superseded())
        }
    }

    /// Detects the file type once enough bytes have arrived.
    async fn detect_type(&mut self, next: &[u8]) -> Result<()> {
        let has_head = usize::try_from(self.offset)
            .unwrap_or(HEAD_BYTES)
            .saturating_add(next.len())
            >= HEAD_BYTES;
        if has_head && self.upload.content_type.is_none() {
            self.upload.content_type = Some(self.file_type(next).await?.content_type().to_owned());
        }
        Ok(())
    }

    /// Returns the file type, detected from the stored bytes followed by `next`.
    pub(super) async fn file_type(&self, next: &[u8]) -> Result<FileType> {
        if let Some(known) = self
            .upload
            .content_type
            .as_deref()
            .and_then(FileType::from_content_type)
        {
            return Ok(known);
        }
        let mut head = BytesMut::new();
        if self.offset > 0 {
            match self.storage() {
                Storage::Disk(disk) => head.extend_from_slice(
                    &disk
                        .open_growing(&self.upload.data_key())
                        .await?
                        .read_head(HEAD_BYTES)
                        .await?,
                ),
                Storage::S3(_) => head = self.read_pending(&[]).await?,
            }
            head.truncate(
                usize::try_from(self.offset)
                    .unwrap_or(HEAD_BYTES)
                    .min(HEAD_BYTES),
            );
        }
        head.extend_from_slice(&next[..next.len().min(HEAD_BYTES - head.len())]);
        FileType::detect(&head)
    }

    /// Stores bytes as a new segment, in a separate object. If there are already many segments, joins all of them and
    /// the bytes into one.
    pub(super) async fn store_segment(&mut self, bytes: Bytes) -> Result<()> {
        let (start, bytes) = match self.segments.first() {
            Some(first) if self.segments.len() + 1 >= MAX_SEGMENTS => {
                (first.start, self.read_pending(&bytes).await?.freeze())
            }
            _ => (self.offset, bytes),
        };
        let key = format!("{}/{}", self.upload.data_key(), secret());
        let length = i64::try_from(bytes.len()).map_err(Error::internal)?;
        self.storage()
            .put(&key, &ObjectMetadata::default(), stream::iter([Ok(bytes)]))
            .await?;
        self.add_piece(Piece {
            start,
            bytes: length,
            key: Some(key),
            part: None,
            etag: None,
        });
        Ok(())
    }

    /// Sends the pending segments, followed by these bytes, as a part of exactly [`PART_SIZE`] bytes. Each part gets a
    /// new number, so that a superseded writer that is still sending a part cannot replace it.
    async fn store_part(&mut self, s3: &S3, bytes: Bytes) -> Result<()> {
        let start = self
            .segments
            .first()
            .map_or(self.offset, |first| first.start);
        let _permit = self
            .uploads
            .join_permits
            .acquire()
            .await
            .map_err(Error::internal)?;
        let whole = self.read_pending(&bytes).await?.freeze();
        drop(bytes);
        if whole.len() != PART_SIZE {
            return Err(Error::internal(format!(
                "a part has {} bytes, which is not the expected size",
                whole.len()
            )));
        }
        let multipart = match &self.upload.multipart {
            Some(id) => id.clone(),
            None => {
                let file_type = self.file_type(&whole).await?;
                let id = s3
                    .create_multipart(&self.upload.key, &object_metadata(file_type.content_type()))
                    .await?;
                self.upload.multipart.insert(id).clone()
            }
        };
        let mut tx = self.uploads.media.db.begin().await?;
        let number: Option<i64> =
            sqlx::query_scalar("UPDATE uploads SET parts = parts + 1 WHERE id = $1 AND generation = $2 RETURNING parts")
                .bind(&self.upload.id)
                .bind(self.upload.generation)
                .fetch_optional(&mut *tx)
                .await?;
        tx.commit().await?;
        let number = number.ok_or_else(superseded)?;
        let length = i64::try_from(whole.len()).map_err(Error::internal)?;
        let etag = s3
            .upload_part(
                &self.upload.key,
                &multipart,
                i32::try_from(number).map_err(Error::internal)?,
                whole,
            )
            .await?;
        self.add_piece(Piece {
            start,
            bytes: length,
            key: None,
            part: Some(number),
            etag: Some(etag),
        });
        Ok(())
    }

    /// Returns the bytes of the pending segments, followed by `next`.
    pub(super) async fn read_pending(&self, next: &[u8]) -> Result<BytesMut> {
        let mut whole = BytesMut::with_capacity(self.pending_bytes() + next.len());
        let storage = self.storage();
        let reads = self.segments.iter().map(|segment| async move {
            let key = segment
                .key
                .as_deref()
                .ok_or_else(|| Error::internal("a segment of an upload has no storage key"))?;
            let body = storage
                .get(key, 0..u64::try_from(segment.bytes).unwrap_or(0))
                .await?;
            body.try_collect::<Vec<Bytes>>().await
        });
        let mut reads = stream::iter(reads.collect::<Vec<_>>()).buffered(PARALLEL_READS);
        while let Some(blocks) = reads.next().await {
            for block in blocks? {
                whole.extend_from_slice(&block);
            }
        }
        whole.extend_from_slice(next);
        Ok(whole)
    }

    fn add_piece(&mut self, piece: Piece) {
        self.offset = piece.start + piece.bytes;
        let (kept, replaced): (Vec<Piece>, Vec<Piece>) = self
            .segments
            .drain(..)
            .partition(|old| old.start < piece.start);
        self.segments = kept;
        self.replaced
            .extend(replaced.into_iter().filter_map(|old| old.key));
        if piece.key.is_some() {
            self.segments.push(piece.clone());
        }
        self.new_pieces.push(piece);
    }

    /// Persists the offset up to which the bytes are durable. Fails if another writer has taken
    /// over.
    pub(super) async fn persist_offset(&mut self) -> Result<()> {
        let clock = &self.uploads.media.clock;
        let mut tx = self.uploads.media.db.begin().await?;
        let committed = sqlx::query(
            "UPDATE uploads SET received = $1, length = $2, multipart = $3, content_type = $4, key = $5,
                 stretches = $6, touched_at = $7,
                 finished_at = CASE WHEN $8 = 1 THEN NULL ELSE finished_at END,
                 broken_off_at = CASE WHEN $8 = 1 THEN NULL ELSE broken_off_at END,
                 metadata_scan = $11
             WHERE id = $9 AND generation = $10",
        )
        .bind(self.offset)
        .bind(self.upload.length)
        .bind(&self.upload.multipart)
        .bind(&self.upload.content_type)
        .bind(&self.upload.key)
        .bind(&self.upload.stretches)
        .bind(clock.now())
        .bind(i64::from(self.reopening))
        .bind(&self.upload.id)
        .bind(self.upload.generation)
        .bind(self.scan.to_json()?)
        .execute(&mut *tx)
        .await?;
        if committed.rows_affected() == 0 {
            return Err(superseded());
        }
        for piece in &self.new_pieces {
            sqlx::query("DELETE FROM upload_pieces WHERE upload_id = $1 AND start >= $2")
                .bind(&self.upload.id)
                .bind(piece.start)
                .execute(&mut *tx)
                .await?;
            sqlx::query(
                "INSERT INTO upload_pieces (upload_id, start, bytes, key, part, etag)
                 VALUES ($1, $2, $3, $4, $5, $6)",
            )
            .bind(&self.upload.id)
            .bind(piece.start)
            .bind(piece.bytes)
            .bind(&piece.key)
            .bind(piece.part)
            .bind(&piece.etag)
            .execute(&mut *tx)
            .await?;
        }
        if !self.replaced.is_empty() {
            let keys = self.replaced.clone();
            jobs::enqueue(&mut tx, clock, &DeleteObjects { keys }).await?;
        }
        tx.commit().await?;
        self.reopening = false;
        self.new_pieces.clear();
        self.replaced.clear();
        self.upload.received = self.offset;
        Ok(())
    }
}
