//! Combines the bytes of a complete upload into one object.
//!
//! In a bucket, an upload that is longer than one part is a multipart upload. Four rules ensure
//! that it can always be completed, even if a process, its database or its storage fails:
//!
//! 1. A part that is sent while the upload is still receiving bytes has exactly [`PART_SIZE`]
//!    bytes, because servers accept a shorter part only at the end (`EntityTooSmall`). The
//!    remaining bytes stay in segments.
//! 2. The number of such a part is reserved in the database before the part is sent, and no number
//!    is reserved twice. A writer that was superseded can therefore not replace a committed part.
//!    It can, however, leave a stray part: a part that was sent but never committed.
//! 3. Once all bytes are committed, no more bytes are added and no more numbers are reserved. Only
//!    then are the remaining bytes sent as the last part. Its number follows the last reserved one.
//!    The database does not record this part, because every attempt sends the same bytes with the
//!    same number.
//! 4. Some servers (such as Ceph's gateway, but not AWS) complete an upload only if the request
//!    lists all parts, including stray parts. In that case, all parts are combined into one object,
//!    and the committed ranges of the object are copied to another key. A stray part can be shorter
//!    than allowed, because older versions of Hearback sent the last part with a reserved number.
//!    Such a part is first replaced by [`PART_SIZE`] zeros.

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::FileType;
use super::writer::{Piece, Writer, superseded};
use crate::error::{Error, Result};
use crate::infra::storage::{Completion, ObjectStream, PART_SIZE, S3, Storage};
use crate::media::{new_pending_key, object_metadata};

/// Streams the given ranges of an object one after the other.
fn stream_ranges(storage: Storage, key: String, ranges: Vec<(u64, u64)>) -> ObjectStream {
    let get = move |(from, to)| {
        let (storage, key) = (storage.clone(), key.clone());
        async move { storage.get(&key, from..to).await }
    };
    stream::iter(ranges).then(get).try_flatten().boxed()
}

/// Number and ETag of a part.
type Part = (i32, String);

impl Writer<'_> {
    /// Stores the remaining bytes (`left`) and combines all bytes of the upload into one object.
    /// Returns the length of the object in bytes. Idempotent.
    pub(super) async fn assemble(&mut self, left: Bytes, file_type: FileType) -> Result<u64> {
        let length = u64::try_from(self.offset).unwrap_or(0) + left.len() as u64;
        self.upload.content_type = Some(file_type.content_type().to_owned());
        match self.uploads.media.storage.clone() {
            Storage::Disk(disk) => {
                if !left.is_empty() {
                    self.store(left).await?;
                }
                self.persist_if_changed().await?;
                let _lock = disk.open_growing(&self.upload.data_key()).await?;
                self.check_current().await?;
                disk.persist_growing(&self.upload.data_key(), &self.upload.key)
                    .await?;
                match self.storage().len(&self.upload.key).await? {
                    Some(stored) if stored == length => {}
                    stored => {
                        return Err(Error::internal(format!(
                            "an upload has {length} bytes, but its stored object has {}",
                            stored.map_or("none".into(), |stored| stored.to_string())
                        )));
                    }
                }
            }
            Storage::S3(_)
                if self.upload.multipart.is_none()
                    && self.pending_bytes() + left.len() < PART_SIZE =>
            {
                self.scan.feed(&left);
                // Write to a new key, because another attempt may be writing its own object at the
                // same time.
                let whole = self.read_pending(&left).await?.freeze();
                let key = new_pending_key(
                    &self.uploads.media.db,
                    &self.uploads.media.clock,
                    Some(&self.upload.media_id),
                )
                .await?;
                self.storage()
                    .put(
                        &key,
                        &object_metadata(file_type.content_type()),
                        stream::iter([Ok(whole)]),
                    )
                    .await?;
                self.upload.key = key;
            }
            Storage::S3(s3) => {
                if !left.is_empty() {
                    self.scan.feed(&left);
                    self.store_segment(left).await?;
                }
                self.persist_offset().await?;
                self.complete_multipart(&s3, length, file_type).await?;
            }
        }
        Ok(length)
    }

    /// Completes the multipart upload, whose `length` bytes are all committed. If the upload has
    /// stray parts and the S3 server accepts only a list of all parts, copies the committed ranges
    /// to a new object.
    async fn complete_multipart(
        &mut self,
        s3: &S3,
        length: u64,
        file_type: FileType,
    ) -> Result<()> {
        let multipart = self
            .upload
            .multipart
            .clone()
            .ok_or_else(|| Error::internal("the id of the multipart upload is missing"))?;
        // An earlier attempt may have completed the upload without receiving the response. If that
        // attempt included stray parts, the object is longer than `length`, and only its committed
        // ranges count.
        let completed = self.storage().len(&self.upload.key).await?;
        let counted = match (completed, self.upload.stretches.as_deref()) {
            (Some(stored), _) if stored == length => return Ok(()),
            (Some(_), Some(stretches)) => {
                serde_json::from_str(stretches).map_err(Error::internal)?
            }
            _ => {
                let parts = self.upload_tail(s3, &multipart).await?;
                match s3
                    .complete_multipart(&self.upload.key, &multipart, &parts, length)
                    .await?
                {
                    Completion::Done => return Ok(()),
                    Completion::Refused(refusal) => {
                        self.complete_all_parts(s3, &multipart, &parts, length, refusal)
                            .await?
                    }
                }
            }
        };
        let counted = stream_ranges(self.storage().clone(), self.upload.key.clone(), counted);
        let key = new_pending_key(
            &self.uploads.media.db,
            &self.uploads.media.clock,
            Some(&self.upload.media_id),
        )
        .await?;
        self.storage()
            .put(&key, &object_metadata(file_type.content_type()), counted)
            .await?;
        self.upload.key = key;
        Ok(())
    }

    /// Combines all parts that the server has, including stray parts, into one object. Returns the
    /// ranges of the object that contain the committed bytes. Saves these ranges before completing
    /// the upload, because the server no longer lists the parts afterwards.
    async fn complete_all_parts(
        &mut self,
        s3: &S3,
        multipart: &str,
        parts: &[Part],
        length: u64,
        refusal: Error,
    ) -> Result<Vec<(u64, u64)>> {
        let key = self.upload.key.clone();
        let counts = |number: i32| parts.iter().any(|part| part.0 == number);
        let strays = s3
            .list_parts(&key, multipart)
            .await?
            .into_iter()
            .filter(|(number, ..)| !counts(*number));
        for (number, _, _) in strays.filter(|(_, _, size)| *size != PART_SIZE as u64) {
            let _permit = self
                .uploads
                .join_permits
                .acquire()
                .await
                .map_err(Error::internal)?;
            s3.upload_part(&key, multipart, number, Bytes::from(vec![0; PART_SIZE]))
                .await?;
        }
        let all = s3.list_parts(&key, multipart).await?;
        let (mut total, mut counted) = (0, Vec::new());
        for (number, _, size) in &all {
            if counts(*number) {
                counted.push((total, total + size));
            }
            total += size;
        }
        // If there are no stray parts, or if committed parts are missing, the server refused the request for another
        // reason. Return its error.
        if total == length || counted.iter().map(|(from, to)| to - from).sum::<u64>() != length {
            return Err(refusal);
        }
        self.upload.stretches = Some(serde_json::to_string(&counted).map_err(Error::internal)?);
        self.persist_offset().await?;
        let all: Vec<Part> = all
            .into_iter()
            .map(|(number, etag, _)| (number, etag))
            .collect();
        match s3.complete_multipart(&key, multipart, &all, total).await? {
            Completion::Done => Ok(counted),
            Completion::Refused(refusal) => Err(refusal),
        }
    }

    /// Sends the remaining segments as the last part. Returns all parts of the upload in order,
    /// without gaps.
    async fn upload_tail(&self, s3: &S3, multipart: &str) -> Result<Vec<Part>> {
        let mut parts = self.committed_parts().await?;
        if self.segments.is_empty() {
            return Ok(parts);
        }
        let reserved: Option<i64> =
            sqlx::query_scalar("SELECT parts FROM uploads WHERE id = $1 AND generation = $2")
                .bind(&self.upload.id)
                .bind(self.upload.generation)
                .fetch_optional(&mut *self.uploads.media.db.read().await?)
                .await?;
        let number =
            i32::try_from(reserved.ok_or_else(superseded)? + 1).map_err(Error::internal)?;
        let _permit = self
            .uploads
            .join_permits
            .acquire()
            .await
            .map_err(Error::internal)?;
        let tail = self.read_pending(&[]).await?.freeze();
        parts.push((
            number,
            s3.upload_part(&self.upload.key, multipart, number, tail)
                .await?,
        ));
        Ok(parts)
    }

    /// Returns the committed parts. Checks that the parts and the segments cover all bytes without
    /// gaps.
    async fn committed_parts(&self) -> Result<Vec<Part>> {
        let pieces: Vec<Piece> = sqlx::query_as(
            "SELECT start, bytes, key, part, etag FROM upload_pieces WHERE upload_id = $1 AND part IS NOT NULL
             ORDER BY start",
        )
        .bind(&self.upload.id)
        .fetch_all(&mut *self.uploads.media.db.read().await?)
        .await?;
        let (mut parts, mut at) = (Vec::new(), 0);
        for piece in pieces.iter().chain(&self.segments) {
            if piece.start != at {
                return Err(Error::internal(format!(
                    "the pieces of upload {} have a gap at byte {at}",
                    self.upload.id
                )));
            }
            if let (Some(part), Some(etag)) = (piece.part, &piece.etag) {
                parts.push((i32::try_from(part).map_err(Error::internal)?, etag.clone()));
            }
            at += piece.bytes;
        }
        if at == self.offset {
            Ok(parts)
        } else {
            Err(Error::internal(format!(
                "the pieces of upload {} add up to {at} bytes instead of {}",
                self.upload.id, self.offset
            )))
        }
    }
}
