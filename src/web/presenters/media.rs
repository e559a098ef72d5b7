//! Presenters for media and their markup.

use std::borrow::Cow;

use sqlx::AnyConnection;

use super::super::extract::context::RequestContext;
use super::super::media_urls::sign;
use super::super::schema::{MarkupSummaryView, MediaView, RenditionView, TrimView};
use crate::clock::rfc3339;
use crate::error::Result;
use crate::markup::{self, Shape};
use crate::media::{Media, Rendition};
use crate::state::State;

/// Presents media. If `author` is true, includes the details that only the author may see.
pub(crate) fn media_view(
    state: &State,
    ctx: &RequestContext,
    author: bool,
    (media, renditions): &(Media, Vec<Rendition>),
) -> MediaView {
    let shown = media.visible_renditions(renditions, author);
    let (stands, reason) = media.visible_state(&shown, author);
    let renditions = shown.iter().map(|rendition| RenditionView {
        name: rendition.name,
        content_type: rendition.content_type.clone(),
        width: rendition.width,
        height: rendition.height,
        bytes: rendition.bytes,
        url: format!(
            "{}{}",
            ctx.base_url,
            sign(state, &ctx.viewer, &media.update_id, &rendition.key)
        ),
    });
    MediaView {
        id: media.id.clone(),
        kind: media.kind,
        state: stands,
        reason: reason.map(Cow::into_owned),
        file_name: media.file_name.clone(),
        width: media.width,
        height: media.height,
        duration_ms: media.duration_ms,
        trim: media
            .trimmed_range()
            .filter(|_| author)
            .map(|(from_ms, to_ms)| TrimView { from_ms, to_ms }),
        begins_at: media.trim_from_ms.unwrap_or(0),
        broken_off_at: media.broken_off_at.map(rfc3339),
        markup: MarkupSummaryView {
            revision: media.markup_revision,
            shapes: media.marks,
        },
        renditions: renditions.collect(),
        layer: None,
        marks: Vec::new(),
    }
}

/// Loads the markup of the pictures in `media`. Adds it to each picture as an SVG layer and as descriptions of the
/// shapes.
pub(crate) async fn attach_markup(
    connection: &mut AnyConnection,
    media: &mut [MediaView],
) -> Result<()> {
    let marked: Vec<&str> = media
        .iter()
        .filter(|media| media.markup.shapes > 0)
        .map(|media| media.id.as_str())
        .collect();
    let layers = markup::shapes_by_media(connection, &marked).await?;
    for media in media {
        let Some((shapes, (width, height))) =
            layers.get(&media.id).zip(media.width.zip(media.height))
        else {
            continue;
        };
        media.layer = Some(markup::render(shapes, width, height)?);
        media.marks = shapes.iter().map(Shape::describe).collect();
    }
    Ok(())
}
