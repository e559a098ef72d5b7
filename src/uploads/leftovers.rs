//! The job that deletes the stored data of an upload that has ended.

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::error::Result;
use crate::infra::jobs::{Job, Lane, Outcome, Retry};
use crate::infra::storage::Storage;
use crate::media::MediaContext;

/// Deletes the leftovers of an upload that has ended: its pieces, and the assembled object if no
/// rendition uses the object. Does nothing if an unfinished upload uses the same key.
#[derive(Debug, Serialize, Deserialize)]
pub struct DeleteLeftovers {
    /// The key under which the pieces of the upload are stored.
    pub place: String,
    /// The key under which the complete object is stored.
    pub key: String,
    /// The id of the multipart upload to abort. The job also aborts all other multipart uploads with this key, because
    /// the database may not contain their ids.
    #[serde(default)]
    pub multipart: Option<String>,
}

impl Job for DeleteLeftovers {
    const KIND: &'static str = "clear";
    const LANE: Lane = Lane::Deletion;
    const RETRY: Retry = Retry::Forever;
    type Context = MediaContext;

    async fn run(self, ctx: &MediaContext, _stop: &watch::Receiver<bool>) -> Result<Outcome> {
        let (active, used): (i64, i64) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM uploads WHERE key = $1 AND finished_at IS NULL),
                 (SELECT count(*) FROM renditions WHERE key = $1)",
        )
        .bind(&self.key)
        .fetch_one(&mut *ctx.db.read().await?)
        .await?;
        if active > 0 {
            return Ok(Outcome::Done);
        }
        if let Storage::S3(s3) = &ctx.storage {
            if let Some(multipart) = &self.multipart {
                s3.abort_multipart(&self.key, multipart).await?;
            }
            s3.abort_all(&self.key).await?;
        }
        ctx.storage.delete_upload_data(&self.place).await?;
        if used == 0 {
            ctx.storage.delete(&self.key).await?;
        }
        Ok(Outcome::Done)
    }
}
