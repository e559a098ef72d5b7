//! Creates the redacted copy of a picture, and records it.

use serde_json::json;

use super::{RedactedPicture, Redaction, StoredObject};
use crate::error::{Error, Result};
use crate::infra::images;
use crate::infra::images::{EncodedPicture, Picture, PixelRect};
use crate::markup::{Area, Size};
use crate::media::{self, MediaContext, RenditionName};
use crate::updates;

/// Creates and stores a redacted copy of the picture. Keeps the old picture in memory only, because
/// a temporary file with the removed content would remain on the disk after a crash.
pub(super) async fn redact_picture(
    ctx: &MediaContext,
    redaction: &Redaction,
) -> Result<RedactedPicture> {
    let redactions: Vec<[f64; 4]> =
        serde_json::from_str(&redaction.redactions).map_err(Error::internal)?;
    let crop: Option<[f64; 4]> = redaction
        .crop
        .as_deref()
        .map(serde_json::from_str)
        .transpose()
        .map_err(Error::internal)?;
    let area = |[x, y, w, h]: [f64; 4]| Area { x, y, w, h };
    let bytes = media::read_all(&ctx.storage, &redaction.original).await?;
    let (old, kept, original, thumbnail) = images::run_blocking(move || {
        let mut picture = Picture::read(&bytes)?;
        drop(bytes);
        let old = Size {
            width: picture.image.width(),
            height: picture.image.height(),
        };
        let patches: Vec<PixelRect> = redactions
            .into_iter()
            .map(|redaction| old.redaction_rect(&area(redaction), picture.lossy))
            .collect();
        let kept = crop.map_or(
            PixelRect {
                x: 0,
                y: 0,
                width: old.width,
                height: old.height,
            },
            |crop| old.crop_rect(&area(crop)),
        );
        picture.black_out(&patches);
        picture.crop(kept);
        let (original, thumbnail) = picture.encode()?.into_parts();
        Ok((old, kept, original, thumbnail))
    })
    .await?;
    let kept = (kept.x, kept.y, kept.width, kept.height);
    Ok(RedactedPicture {
        old: (old.width, old.height),
        kept,
        original: store_rendition(ctx, &redaction.media_id, RenditionName::Original, original)
            .await?,
        thumbnail: store_rendition(
            ctx,
            &redaction.media_id,
            RenditionName::Thumbnail,
            thumbnail,
        )
        .await?,
    })
}

async fn store_rendition(
    ctx: &MediaContext,
    media_id: &str,
    name: RenditionName,
    rendered: EncodedPicture,
) -> Result<StoredObject> {
    let key = media::new_pending_key(&ctx.db, &ctx.clock, Some(media_id)).await?;
    Ok(media::store_picture(&ctx.storage, name, key, rendered)
        .await?
        .into())
}

/// Records the redacted picture. If another request or job has already recorded one, deletes the new one.
pub(super) async fn record_redacted(
    ctx: &MediaContext,
    redaction: &Redaction,
    made: RedactedPicture,
) -> Result<()> {
    let mut tx = ctx.db.begin().await?;
    let first = sqlx::query("UPDATE burns SET made = $1 WHERE media_id = $2 AND made IS NULL")
        .bind(json!(made).to_string())
        .bind(&redaction.media_id)
        .execute(&mut *tx)
        .await?;
    if first.rows_affected() == 0 {
        updates::enqueue_purge(
            &mut tx,
            &ctx.clock,
            &[made.original.key, made.thumbnail.key],
        )
        .await?;
    }
    tx.commit().await
}
