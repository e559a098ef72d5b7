//! Ends a redaction: shows the redacted copy, or deletes a picture that cannot be read.

use super::purge::purge_old_copies;
use super::{RedactPicture, RedactedPicture, Redaction};
use crate::error::{Error, Result};
use crate::events::EventKind;
use crate::infra::db::Tx;
use crate::infra::images::PixelRect;
use crate::infra::jobs;
use crate::markup::crop_anchors::move_anchors;
use crate::markup::{Crop, Size, parse_stored, write_layer};
use crate::media::{self, MediaContext, RenditionName};
use crate::{events, updates, uploads};

/// Ends the redaction and shows the redacted picture, unless `made` is `None` or the media no
/// longer exists. After a crop, also adjusts the positions of the shapes and of the anchors of
/// comments.
pub(super) async fn publish(
    ctx: &MediaContext,
    redaction: &Redaction,
    made: Option<RedactedPicture>,
    deleted_keys: &[String],
) -> Result<()> {
    let clock = &ctx.clock;
    let mut tx = ctx.db.begin().await?;
    let media: Option<(String, i64, i64)> = lock_media(&mut tx, &redaction.media_id).await?;
    let first = sqlx::query("DELETE FROM burns WHERE media_id = $1")
        .bind(&redaction.media_id)
        .execute(&mut *tx)
        .await?;
    if first.rows_affected() == 0 {
        return Ok(());
    }
    for key in deleted_keys {
        uploads::purge_again_later(&mut tx, clock, key).await?;
    }
    jobs::cancel(&mut tx, &RedactPicture::of(&redaction.media_id)).await?;
    let (Some((update_id, generation, revision)), Some(made)) = (media, made) else {
        return tx.commit().await;
    };
    let cut = crop_of(&made);
    store_picture(&mut tx, &redaction.media_id, made).await?;
    let shapes = if redaction.crop.is_some() {
        cut.crop_shapes(&parse_stored(&redaction.shapes)?)
    } else {
        parse_stored(&redaction.shapes)?
    };
    write_layer(
        &mut tx,
        clock,
        (&update_id, &redaction.media_id, generation),
        revision + 1,
        &shapes,
        &redaction.asked,
    )
    .await?;
    if redaction.crop.is_some() {
        move_anchors(&mut tx, clock, &update_id, &redaction.media_id, &cut).await?;
    }
    events::record(
        &mut tx,
        clock,
        EventKind::Media,
        &update_id,
        &redaction.media_id,
        &redaction.person_id,
    )
    .await?;
    tx.commit().await
}

/// Returns the crop that the redaction made.
fn crop_of(made: &RedactedPicture) -> Crop {
    let (x, y, width, height) = made.kept;
    Crop::new(
        Size {
            width: made.old.0,
            height: made.old.1,
        },
        PixelRect {
            x,
            y,
            width,
            height,
        },
    )
}

/// Stores the size and the renditions of the redacted picture, and marks it as ready.
async fn store_picture(tx: &mut Tx, media_id: &str, made: RedactedPicture) -> Result<()> {
    let (_, _, width, height) = made.kept;
    sqlx::query(
        "UPDATE media SET state = 'ready', reason = NULL, width = $1, height = $2 WHERE id = $3",
    )
    .bind(i64::from(width))
    .bind(i64::from(height))
    .bind(media_id)
    .execute(&mut **tx)
    .await?;
    for object in [
        made.original.into_object(RenditionName::Original),
        made.thumbnail.into_object(RenditionName::Thumbnail),
    ] {
        media::put_rendition(tx, media_id, &object).await?;
    }
    Ok(())
}

/// Locks the media until the transaction ends. Returns the id of its update, its generation and its
/// markup revision.
async fn lock_media(tx: &mut Tx, media_id: &str) -> Result<Option<(String, i64, i64)>> {
    let update: Option<String> = sqlx::query_scalar("SELECT update_id FROM media WHERE id = $1")
        .bind(media_id)
        .fetch_optional(&mut **tx)
        .await?;
    let Some(update) = update else {
        return Ok(None);
    };
    updates::lock_for_update(tx, &update).await?;
    let found =
        sqlx::query_as("SELECT update_id, generation, markup_revision FROM media WHERE id = $1");
    Ok(found.bind(media_id).fetch_optional(&mut **tx).await?)
}

/// Deletes the whole picture, because it cannot be redacted.
pub(super) async fn fail(ctx: &MediaContext, redaction: &Redaction, error: &Error) -> Result<()> {
    tracing::warn!(
        %error,
        media = redaction.media_id,
        "a picture could not be decoded for redaction; deleting the whole picture"
    );
    let deleted_keys = purge_old_copies(ctx, redaction, None, &[]).await?;
    let mut tx = ctx.db.begin().await?;
    if let Some((update_id, ..)) = lock_media(&mut tx, &redaction.media_id).await? {
        sqlx::query("UPDATE media SET state = 'failed', reason = $1 WHERE id = $2")
            .bind(
                "The stored picture could not be read, so all of it was deleted. Upload it again.",
            )
            .bind(&redaction.media_id)
            .execute(&mut *tx)
            .await?;
        events::record(
            &mut tx,
            &ctx.clock,
            EventKind::Media,
            &update_id,
            &redaction.media_id,
            "",
        )
        .await?;
    }
    tx.commit().await?;
    publish(ctx, redaction, None, &deleted_keys).await
}
