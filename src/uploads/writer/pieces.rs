//! Stores the bytes of an upload in a bucket. Small requests become segments. Once the segments
//! fill a part of a multipart upload, they are sent as that part.

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt, stream};
use sqlx::FromRow;

use super::{Writer, superseded};
use crate::error::{Error, Result};
use crate::ids::secret;
use crate::infra::storage::{ObjectMetadata, PART_SIZE, S3};
use crate::media::object_metadata;

/// When an upload reaches this number of segments, they are joined into one segment, even if they do not fill a part.
/// Otherwise, reading the segments would be slow after many small requests.
const MAX_SEGMENTS: usize = 64;
/// How many segments are read at once.
const PARALLEL_READS: usize = 8;

/// A contiguous range of an upload, stored in a bucket as an object or as a part of a multipart
/// upload.
#[derive(Clone, Debug, FromRow)]
pub(in crate::uploads) struct Piece {
    pub(in crate::uploads) start: i64,
    pub(in crate::uploads) bytes: i64,
    pub(in crate::uploads) key: Option<String>,
    pub(in crate::uploads) part: Option<i64>,
    pub(in crate::uploads) etag: Option<String>,
}

impl Writer<'_> {
    pub(in crate::uploads) fn pending_bytes(&self) -> usize {
        self.segments
            .iter()
            .map(|segment| usize::try_from(segment.bytes).unwrap_or(0))
            .sum()
    }

    /// Stores bytes as a new segment, in a separate object. If there are already many segments, joins all of them and
    /// the bytes into one.
    pub(in crate::uploads) async fn store_segment(&mut self, bytes: Bytes) -> Result<()> {
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

    /// Sends the pending segments, followed by these bytes, as a part of exactly [`PART_SIZE`]
    /// bytes. Each part gets a new number, so that a superseded writer, which may still be sending
    /// a part, cannot replace this one.
    pub(super) async fn store_part(&mut self, s3: &S3, bytes: Bytes) -> Result<()> {
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
    pub(in crate::uploads) async fn read_pending(&self, next: &[u8]) -> Result<BytesMut> {
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
}
