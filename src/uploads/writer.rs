//! Writes the bytes of unfinished uploads. On a disk, the bytes go to one growing file. In a
//! bucket, they go to segments, which are joined into parts.

mod pieces;

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};

pub(super) use self::pieces::Piece;
use super::repository::Upload;
use super::{FileType, UploadService, finish_lease};
use crate::error::{Error, Result};
use crate::infra::jobs;
use crate::infra::storage::{Disk, GrowingFile, PART_SIZE, Storage};
use crate::infra::video::{HEAD_BYTES, MetadataScan};
use crate::object_deletion::DeleteObjects;

/// How many bytes are written to a disk at once. Each writer has a buffer of this size.
const DISK_WRITE_BYTES: usize = 1 << 20;
/// After how many bytes on a disk the offset is persisted. Flushing the disk and committing to the database after each
/// buffer takes longer than receiving it.
const PERSIST_BYTES: i64 = 16 << 20;
/// How long after the first byte the offset is persisted if there are fewer bytes.
const PERSIST_INTERVAL: Duration = Duration::from_secs(1);

/// A writer of an upload. It can commit until another writer takes over.
pub(super) struct Writer<'a> {
    pub(super) uploads: &'a UploadService,
    pub(super) upload: Upload,
    /// The position of the next byte.
    pub(super) offset: i64,
    /// Whether to persist the offset only once, at the end.
    pub(super) persist_at_end: bool,
    pub(super) segments: Vec<Piece>,
    /// The pieces that are not committed yet. When a piece is committed, it replaces every committed piece that begins
    /// at the same position or later.
    new_pieces: Vec<Piece>,
    replaced: Vec<String>,
    /// Whether the writer is reopening a finished upload. If so, its first commit marks the upload
    /// as unfinished.
    reopening: bool,
    /// The metadata scan of all bytes before `offset`.
    pub(super) scan: MetadataScan,
    /// The file with bytes that are not persisted yet. It stays locked until the offset is persisted, so that no new
    /// writer can write in the meantime.
    open_file: Option<OpenFile>,
    /// Whether the database contains the current state of this writer.
    is_persisted: bool,
}

struct OpenFile {
    file: GrowingFile,
    opened_at: Instant,
    /// How many bytes were written since then.
    written: i64,
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
            open_file: None,
            is_persisted: false,
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
            open_file: None,
            is_persisted: false,
        }
    }

    /// Returns how many bytes to store at once.
    pub(super) fn preferred_bytes(&self) -> usize {
        match self.storage() {
            Storage::Disk(_) => DISK_WRITE_BYTES,
            Storage::S3(_) => PART_SIZE - self.pending_bytes().min(PART_SIZE - 1),
        }
    }

    pub(super) fn storage(&self) -> &Storage {
        &self.uploads.media.storage
    }

    /// Stores bytes. In a bucket, also persists the offset, unless `persist_at_end` is set. On a disk, the bytes are
    /// durable after [`Self::persist_open_file`] or [`Self::persist_offset`].
    pub(super) async fn store(&mut self, bytes: Bytes) -> Result<()> {
        self.detect_type(&bytes).await?;
        self.scan.feed(&bytes);
        self.is_persisted = false;
        match self.uploads.media.storage.clone() {
            Storage::Disk(disk) => self.write_to_file(&disk, bytes).await,
            Storage::S3(s3) => {
                if self.pending_bytes() + bytes.len() >= PART_SIZE {
                    self.store_part(&s3, bytes).await?;
                } else {
                    self.store_segment(bytes).await?;
                }
                if self.persist_at_end {
                    return Ok(());
                }
                self.persist_offset().await
            }
        }
    }

    async fn write_to_file(&mut self, disk: &Disk, bytes: Bytes) -> Result<()> {
        let length = i64::try_from(bytes.len()).map_err(Error::internal)?;
        let mut open = match self.open_file.take() {
            Some(open) => open,
            None => {
                let file = disk.open_growing(&self.upload.data_key()).await?;
                self.check_current().await?;
                OpenFile {
                    file,
                    opened_at: Instant::now(),
                    written: 0,
                }
            }
        };
        open.file
            .write_at(u64::try_from(self.offset).unwrap_or(0), bytes)
            .await?;
        self.offset += length;
        open.written += length;
        self.open_file = Some(open);
        Ok(())
    }

    /// How long the caller may wait for more bytes before it calls [`Self::persist_open_file`]. `None` if no file is
    /// open.
    pub(super) fn time_until_due(&self) -> Option<Duration> {
        self.open_file.as_ref().map(|open| {
            if open.written < PERSIST_BYTES {
                PERSIST_INTERVAL.saturating_sub(open.opened_at.elapsed())
            } else {
                Duration::ZERO
            }
        })
    }

    /// If a file is open, makes its bytes durable, persists the offset and unlocks the file. Does not persist the
    /// offset if `persist_at_end` is set.
    pub(super) async fn persist_open_file(&mut self) -> Result<()> {
        match &self.open_file {
            None => Ok(()),
            Some(_) if self.persist_at_end => self.sync_file().await.map(drop),
            Some(_) => self.persist_offset().await,
        }
    }

    /// Persists the offset unless it is persisted already.
    pub(super) async fn persist_if_changed(&mut self) -> Result<()> {
        if self.is_persisted {
            return Ok(());
        }
        self.persist_offset().await
    }

    /// Makes the bytes in the open file durable. Returns the file, which is unlocked when it is dropped.
    async fn sync_file(&mut self) -> Result<Option<OpenFile>> {
        let mut open = self.open_file.take();
        if let Some(open) = &mut open {
            open.file.sync().await?;
        }
        Ok(open)
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
                Storage::Disk(disk) => {
                    let open = match &self.open_file {
                        Some(open) => open.file.read_head(HEAD_BYTES).await?,
                        None => {
                            let file = disk.open_growing(&self.upload.data_key()).await?;
                            file.read_head(HEAD_BYTES).await?
                        }
                    };
                    head.extend_from_slice(&open);
                }
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

    /// Makes all stored bytes durable and persists the offset. Fails if another writer has taken over.
    pub(super) async fn persist_offset(&mut self) -> Result<()> {
        let _lock = self.sync_file().await?;
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
        self.is_persisted = true;
        Ok(())
    }
}
