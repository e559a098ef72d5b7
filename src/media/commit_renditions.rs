//! A step of a job that prepares a recording: it replaces old renditions with new ones.

use super::context::MediaContext;
use super::job_target::{Target, record_change, set_state};
use super::renditions::put_rendition;
use super::{MediaState, Object, original_access};
use crate::clock::Millis;
use crate::error::Result;
use crate::infra::db::Tx;
use crate::infra::jobs::{self, Job};
use crate::infra::video::Output;
use crate::updates;

/// Attaches objects as renditions and enqueues the next job. If the generation is no longer
/// current, deletes the objects instead and returns `false`.
pub(super) async fn commit_renditions<J: Job>(
    ctx: &MediaContext,
    target: &Target,
    objects: Vec<Object>,
    measured: Option<&Output>,
    (state, reason): (MediaState, Option<&str>),
    next: Option<J>,
) -> Result<bool> {
    let mut tx = ctx.db.begin().await?;
    if !set_state(&mut tx, target, state, reason).await? {
        let keys: Vec<String> = objects.into_iter().map(|object| object.key).collect();
        updates::enqueue_purge(&mut tx, &ctx.clock, &keys).await?;
        tx.commit().await?;
        return Ok(false);
    }
    let replaced = replace_renditions(&mut tx, target, &objects).await?;
    let length = measured.and_then(|measured| measured.duration_ms);
    retire_replaced(&mut tx, ctx, target, replaced, length).await?;
    if let Some(measured) = measured {
        sqlx::query("UPDATE media SET width = $1, height = $2, duration_ms = $3 WHERE id = $4")
            .bind(i64::from(measured.width))
            .bind(i64::from(measured.height))
            .bind(measured.duration_ms)
            .bind(&target.media)
            .execute(&mut *tx)
            .await?;
    }
    if let Some(job) = next {
        jobs::enqueue(&mut tx, &ctx.clock, &job).await?;
    }
    record_change(&mut tx, &ctx.clock, target).await?;
    tx.commit().await?;
    Ok(true)
}

/// Stores each object as the rendition of the same name. Returns the keys of the objects that were
/// replaced.
async fn replace_renditions(
    tx: &mut Tx,
    target: &Target,
    objects: &[Object],
) -> Result<Vec<String>> {
    let mut replaced: Vec<String> = Vec::new();
    for object in objects {
        let before: Option<String> = sqlx::query_scalar(
            "SELECT key FROM renditions WHERE media_id = $1 AND name = $2 AND key <> $3",
        )
        .bind(&target.media)
        .bind(object.name)
        .bind(&object.key)
        .fetch_optional(&mut **tx)
        .await?;
        replaced.extend(before);
        put_rendition(tx, &target.media, object).await?;
    }
    Ok(replaced)
}

/// Deletes the replaced objects that no rendition uses anymore. The only replaced object that can
/// still be in use is the original, if it was also the `playable` rendition until now. Viewers may
/// fetch it for a limited time.
async fn retire_replaced(
    tx: &mut Tx,
    ctx: &MediaContext,
    target: &Target,
    replaced: Vec<String>,
    length: Option<Millis>,
) -> Result<()> {
    let mut gone = Vec::new();
    for key in replaced {
        let used: i64 = sqlx::query_scalar("SELECT count(*) FROM renditions WHERE key = $1")
            .bind(&key)
            .fetch_one(&mut **tx)
            .await?;
        if used == 0 {
            gone.push(key);
        } else {
            sqlx::query("UPDATE media SET raw_until = $1 WHERE id = $2")
                .bind(original_access::open_until(ctx.clock.now(), length))
                .bind(&target.media)
                .execute(&mut **tx)
                .await?;
        }
    }
    updates::enqueue_purge(tx, &ctx.clock, &gone).await
}
