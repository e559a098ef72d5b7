//! Where the bytes of an unfinished upload lie: one growing file on a disk; in a bucket segments of a request each, joined to parts.

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::json;
use sqlx::FromRow;

use super::repository::Upload;
use super::{Intake, Seen};
use crate::clock::secret;
use crate::error::{Error, Result};
use crate::infra::jobs;
use crate::infra::storage::{About, PART, S3, Storage};
use crate::infra::video::{HEAD, MetadataScan};
use crate::media::about;

/// So many segments are joined to one before there is a part of them: senders of single bytes cost no more than others.
const SEGMENTS: usize = 64;
/// So much is written to a disk at once; in memory for each who writes.
const STEP: usize = 1 << 20;
/// Segments that are read at once.
const AT_ONCE: usize = 8;

/// What of an upload lies in a bucket as one object or part.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Piece {
    pub(super) start: i64,
    pub(super) bytes: i64,
    pub(super) key: Option<String>,
    pub(super) part: Option<i64>,
    pub(super) etag: Option<String>,
}

/// One who writes to an upload, until another takes it over.
pub(super) struct Writer<'a> {
    pub(super) intake: &'a Intake,
    pub(super) upload: Upload,
    /// Where the next byte goes.
    pub(super) at: i64,
    /// What is durable is told at the end only, all at once.
    pub(super) all_at_once: bool,
    pub(super) segments: Vec<Piece>,
    /// Pieces to write down, each in place of those from its start on.
    made: Vec<Piece>,
    replaced: Vec<String>,
    /// It was finished before: the first to tell of it says that it goes on.
    reopening: bool,
    /// Of all bytes up to `at`.
    pub(super) scan: MetadataScan,
}

/// Somebody else goes on with it.
pub(super) fn overtaken() -> Error {
    Error::Conflict(
        "Somebody else went on with this upload meanwhile. Ask with HEAD how far it is.".into(),
    )
}

impl<'a> Writer<'a> {
    /// Takes an upload over where it stands. An older writer can tell nothing more from here on. Once the length is known, only a writer that
    /// knows it too can: nothing is added to an upload whose bytes are all there.
    pub(super) async fn take(intake: &'a Intake, mut upload: Upload) -> Result<Self> {
        let mut tx = intake.shop.db.begin().await?;
        let generation: Option<i64> = sqlx::query_scalar(
            "UPDATE uploads SET generation = generation + 1, touched_at = $1
             WHERE id = $2 AND received = $3 AND (length IS NULL OR length = $4) AND finished_at IS NULL RETURNING generation",
        )
        .bind(intake.shop.clock.now())
        .bind(&upload.id)
        .bind(upload.received)
        .bind(upload.length)
        .fetch_optional(&mut *tx)
        .await?;
        upload.generation = generation.ok_or_else(overtaken)?;
        let segments = sqlx::query_as(
            "SELECT start, bytes, key, part, etag FROM upload_pieces WHERE upload_id = $1 AND key IS NOT NULL ORDER BY start",
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
            intake,
            upload,
            at,
            all_at_once: false,
            segments,
            made: Vec::new(),
            replaced: Vec::new(),
            reopening: false,
            scan,
        })
    }

    /// For an upload that was finished and begins anew, with the generation that its new writer gave it.
    pub(super) fn anew(intake: &'a Intake, upload: Upload) -> Self {
        let scan = MetadataScan::default();
        Self {
            intake,
            upload,
            at: 0,
            all_at_once: true,
            segments: Vec::new(),
            made: Vec::new(),
            replaced: Vec::new(),
            reopening: true,
            scan,
        }
    }

    /// How many bytes are best stored at once.
    pub(super) fn wanted(&self) -> usize {
        match self.storage() {
            Storage::Disk(_) => STEP,
            Storage::S3(_) => PART - self.waiting().min(PART - 1),
        }
    }

    pub(super) fn waiting(&self) -> usize {
        self.segments
            .iter()
            .map(|segment| usize::try_from(segment.bytes).unwrap_or(0))
            .sum()
    }

    pub(super) fn storage(&self) -> &Storage {
        &self.intake.shop.storage
    }

    /// Makes bytes durable, and tells so unless that is to be done at the end.
    pub(super) async fn store(&mut self, bytes: Bytes) -> Result<()> {
        self.look(&bytes).await?;
        self.scan.feed(&bytes);
        let length = i64::try_from(bytes.len()).map_err(Error::internal)?;
        // On a disk the file is held until it is told, so that nobody who took over has written in between.
        let _held = match self.intake.shop.storage.clone() {
            Storage::Disk(disk) => {
                let file = disk.grow(&self.upload.place()).await?;
                self.must_hold().await?;
                file.write(u64::try_from(self.at).unwrap_or(0), bytes)
                    .await?;
                self.at += length;
                Some(file)
            }
            Storage::S3(s3) => {
                if self.waiting() + bytes.len() >= PART {
                    self.part(&s3, bytes).await?;
                } else {
                    self.segment(bytes).await?;
                }
                None
            }
        };
        if self.all_at_once {
            Ok(())
        } else {
            self.tell().await
        }
    }

    pub(super) async fn must_hold(&self) -> Result<()> {
        let holds: i64 =
            sqlx::query_scalar("SELECT count(*) FROM uploads WHERE id = $1 AND generation = $2")
                .bind(&self.upload.id)
                .bind(self.upload.generation)
                .fetch_one(&mut *self.intake.shop.db.read().await?)
                .await?;
        if holds == 1 { Ok(()) } else { Err(overtaken()) }
    }

    /// Recognises the file as soon as enough of it is there.
    async fn look(&mut self, next: &[u8]) -> Result<()> {
        let enough = usize::try_from(self.at)
            .unwrap_or(HEAD)
            .saturating_add(next.len())
            >= HEAD;
        if enough && self.upload.content_type.is_none() {
            self.upload.content_type = Some(self.seen(next).await?.content_type().to_owned());
        }
        Ok(())
    }

    /// What it is, by what is there and what comes `next`.
    pub(super) async fn seen(&self, next: &[u8]) -> Result<Seen> {
        if let Some(known) = self.upload.content_type.as_deref().and_then(Seen::stored) {
            return Ok(known);
        }
        let mut head = BytesMut::new();
        if self.at > 0 {
            match self.storage() {
                Storage::Disk(disk) => head
                    .extend_from_slice(&disk.grow(&self.upload.place()).await?.head(HEAD).await?),
                Storage::S3(_) => head = self.joined(&[]).await?,
            }
            head.truncate(usize::try_from(self.at).unwrap_or(HEAD).min(HEAD));
        }
        head.extend_from_slice(&next[..next.len().min(HEAD - head.len())]);
        Seen::of(&head)
    }

    /// Stores bytes as an object of their own.
    pub(super) async fn segment(&mut self, bytes: Bytes) -> Result<()> {
        let (start, bytes) = match self.segments.first() {
            Some(first) if self.segments.len() + 1 >= SEGMENTS => {
                (first.start, self.joined(&bytes).await?.freeze())
            }
            _ => (self.at, bytes),
        };
        let key = format!("{}/{}", self.upload.place(), secret());
        let length = i64::try_from(bytes.len()).map_err(Error::internal)?;
        self.storage()
            .put(&key, &About::default(), stream::iter([Ok(bytes)]))
            .await?;
        self.put_down(Piece {
            start,
            bytes: length,
            key: Some(key),
            part: None,
            etag: None,
        });
        Ok(())
    }

    /// Sends the segments that wait and these bytes as a part, exactly [`PART`] bytes together. Its number is never given again: an overtaken
    /// writer may still be sending its own part.
    async fn part(&mut self, s3: &S3, bytes: Bytes) -> Result<()> {
        let start = self.segments.first().map_or(self.at, |first| first.start);
        let _turn = self
            .intake
            .joining
            .acquire()
            .await
            .map_err(Error::internal)?;
        let whole = self.joined(&bytes).await?.freeze();
        drop(bytes);
        if whole.len() != PART {
            return Err(Error::internal(format!("a part of {} bytes", whole.len())));
        }
        let multipart = match &self.upload.multipart {
            Some(id) => id.clone(),
            None => {
                let seen = self.seen(&whole).await?;
                let id = s3
                    .begin(&self.upload.key, &about(seen.content_type()))
                    .await?;
                self.upload.multipart.insert(id).clone()
            }
        };
        let mut tx = self.intake.shop.db.begin().await?;
        let number: Option<i64> =
            sqlx::query_scalar("UPDATE uploads SET parts = parts + 1 WHERE id = $1 AND generation = $2 RETURNING parts")
                .bind(&self.upload.id)
                .bind(self.upload.generation)
                .fetch_optional(&mut *tx)
                .await?;
        tx.commit().await?;
        let number = number.ok_or_else(overtaken)?;
        let length = i64::try_from(whole.len()).map_err(Error::internal)?;
        let etag = s3
            .part(
                &self.upload.key,
                &multipart,
                i32::try_from(number).map_err(Error::internal)?,
                whole,
            )
            .await?;
        self.put_down(Piece {
            start,
            bytes: length,
            key: None,
            part: Some(number),
            etag: Some(etag),
        });
        Ok(())
    }

    /// The segments that wait, and what follows them.
    pub(super) async fn joined(&self, next: &[u8]) -> Result<BytesMut> {
        let mut whole = BytesMut::with_capacity(self.waiting() + next.len());
        let storage = self.storage();
        let reads = self.segments.iter().map(|segment| async move {
            let key = segment
                .key
                .as_deref()
                .ok_or_else(|| Error::internal("a segment without a key"))?;
            let body = storage
                .get(key, 0..u64::try_from(segment.bytes).unwrap_or(0))
                .await?;
            body.try_collect::<Vec<Bytes>>().await
        });
        let mut reads = stream::iter(reads.collect::<Vec<_>>()).buffered(AT_ONCE);
        while let Some(blocks) = reads.next().await {
            for block in blocks? {
                whole.extend_from_slice(&block);
            }
        }
        whole.extend_from_slice(next);
        Ok(whole)
    }

    fn put_down(&mut self, piece: Piece) {
        self.at = piece.start + piece.bytes;
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
        self.made.push(piece);
    }

    /// Tells how much is durable, unless somebody else has taken over.
    pub(super) async fn tell(&mut self) -> Result<()> {
        let clock = &self.intake.shop.clock;
        let mut tx = self.intake.shop.db.begin().await?;
        let told = sqlx::query(
            "UPDATE uploads SET received = $1, length = $2, multipart = $3, content_type = $4, key = $5, stretches = $6, touched_at = $7,
                 finished_at = CASE WHEN $8 = 1 THEN NULL ELSE finished_at END, broken_off_at = CASE WHEN $8 = 1 THEN NULL ELSE broken_off_at END,
                 metadata_scan = $11
             WHERE id = $9 AND generation = $10",
        )
        .bind(self.at)
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
        if told.rows_affected() == 0 {
            return Err(overtaken());
        }
        for piece in &self.made {
            sqlx::query("DELETE FROM upload_pieces WHERE upload_id = $1 AND start >= $2")
                .bind(&self.upload.id)
                .bind(piece.start)
                .execute(&mut *tx)
                .await?;
            sqlx::query("INSERT INTO upload_pieces (upload_id, start, bytes, key, part, etag) VALUES ($1, $2, $3, $4, $5, $6)")
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
            jobs::enqueue(&mut tx, clock, "purge", &json!({ "keys": self.replaced })).await?;
        }
        tx.commit().await?;
        self.reopening = false;
        self.made.clear();
        self.replaced.clear();
        self.upload.received = self.at;
        Ok(())
    }
}
