//! Deletes every byte of the old picture.

use super::{RedactedPicture, Redaction};
use crate::error::{Error, Result};
use crate::media::MediaContext;
use crate::uploads;

/// Deletes the renditions of the old picture, objects of earlier jobs, the data of its upload, and
/// files left behind by killed processes. Returns the storage keys of objects that an earlier job
/// may still be writing.
pub(super) async fn purge_old_copies(
    ctx: &MediaContext,
    redaction: &Redaction,
    made: Option<&RedactedPicture>,
    kept: &[String],
) -> Result<Vec<String>> {
    let pending: Vec<String> =
        sqlx::query_scalar("SELECT key FROM loose_objects WHERE media_id = $1")
            .bind(&redaction.media_id)
            .fetch_all(&mut *ctx.db.read().await?)
            .await?;
    let mut keys: Vec<String> = serde_json::from_str(&redaction.keys).map_err(Error::internal)?;
    keys.extend(
        made.into_iter()
            .flat_map(|made| [made.original.key.clone(), made.thumbnail.key.clone()]),
    );
    keys.extend(pending.iter().cloned());
    keys.retain(|key| !kept.contains(key));
    ctx.purge(&keys).await?;
    uploads::wipe_upload(ctx, &redaction.media_id).await?;
    Ok(pending
        .into_iter()
        .filter(|key| !kept.contains(key))
        .collect())
}
