//! Retires objects that no rendition uses anymore: enqueues their deletion, and makes their old URLs
//! lead to the current rendition until the URLs expire.

use super::RenditionName;
use super::objects::record_pending;
use crate::clock::{Clock, Millis};
use crate::error::Result;
use crate::infra::db::Tx;
use crate::updates;

/// Maximum lifetime of a rendition's URL, in milliseconds.
const MAX_URL_LIFETIME: Millis = 24 * 3_600_000;

/// Enqueues a job to delete objects that are no longer used by any rendition. `old` contains the
/// name of each rendition and the key of its object. The objects stay assigned to the media, so
/// that a redaction can delete them before the job runs. Until the URL of a deleted object expires,
/// it leads to the current rendition of the same name.
pub(crate) async fn retire_objects(
    tx: &mut Tx,
    clock: &Clock,
    media_id: &str,
    old: &[(RenditionName, String)],
) -> Result<()> {
    for (name, key) in old {
        record_pending(tx, clock, key, Some(media_id)).await?;
        sqlx::query("INSERT INTO former_keys (key, media_id, name, until) VALUES ($1, $2, $3, $4)")
            .bind(key)
            .bind(media_id)
            .bind(name)
            .bind(clock.now() + MAX_URL_LIFETIME)
            .execute(&mut **tx)
            .await?;
    }
    let keys: Vec<String> = old.iter().map(|(_, key)| key.clone()).collect();
    updates::enqueue_purge(tx, clock, &keys).await
}
