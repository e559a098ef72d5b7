//! Adjusts the anchors of comments after a crop. The anchor of a comment is the region of the picture that it refers
//! to, or its drawing on the picture.

use sqlx::FromRow;

use super::{Crop, Region, parse_stored, stored_drawing};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::infra::db::Tx;
use crate::updates;

/// The region and the drawing of a comment on a picture, in their stored form.
#[derive(Debug, FromRow)]
struct CommentAnchor {
    id: String,
    region: Option<String>,
    drawing: Option<String>,
}

/// Adjusts the anchors of all comments on a picture. Comments on removed parts keep their text and
/// lose their anchor.
pub(super) async fn move_anchors(
    tx: &mut Tx,
    clock: &Clock,
    update_id: &str,
    media_id: &str,
    cut: &Crop,
) -> Result<()> {
    let anchors: Vec<CommentAnchor> = sqlx::query_as(
        "SELECT id, region, drawing FROM comments WHERE media_id = $1
             AND (region IS NOT NULL OR drawing IS NOT NULL)",
    )
    .bind(media_id)
    .fetch_all(&mut **tx)
    .await?;
    for anchor in anchors {
        let region: Option<serde_json::Value> = anchor
            .region
            .as_deref()
            .map(serde_json::from_str)
            .transpose()
            .map_err(Error::internal)?;
        let region = region
            .and_then(|region| Region::parse(&region).ok())
            .and_then(|region| cut.crop_area(&region.into()))
            .map(Region::from);
        let drawing = cut.crop_shapes(
            &anchor
                .drawing
                .as_deref()
                .map(parse_stored)
                .transpose()?
                .unwrap_or_default(),
        );
        let drawn = stored_drawing(&drawing)?;
        sqlx::query("UPDATE comments SET media_id = $1, region = $2, drawing = $3, drawn = $4 WHERE id = $5")
            .bind((region.is_some() || drawn.is_some()).then_some(media_id))
            .bind(region.map(Region::to_json))
            .bind(drawn.as_ref().map(|(drawing, _)| drawing))
            .bind(drawn.as_ref().map(|(_, texts)| texts))
            .bind(&anchor.id)
            .execute(&mut **tx)
            .await?;
        updates::enqueue_index(tx, clock, update_id, &anchor.id).await?;
    }
    Ok(())
}
