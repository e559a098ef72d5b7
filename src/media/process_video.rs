//! The job that prepares a recording: it makes the recording seekable or cuts the trimmed range, and
//! extracts a poster.

use std::path::Path;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::commit_renditions::commit_renditions;
use super::context::MediaContext;
use super::convert_video::ConvertMedia;
use super::job_target::{Target, finish_step, load_source, mark_failed, reject_file};
use super::objects::{store_new_picture, store_output};
use super::{MediaState, Object, RenditionName, original_access};
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::infra::images;
use crate::infra::jobs::{Job, Lane, Outcome};
use crate::infra::video::{ConversionNeed, Metadata, Output, Tools};

/// The progress texts for trimming a recording and for restoring the whole recording.
pub(super) const TRIM_IN_PROGRESS: &str = "Being trimmed";
pub(super) const UNTRIM_IN_PROGRESS: &str = "Restoring the whole recording";
/// The progress text while the copy can already be played.
const POSTER_IN_PROGRESS: &str = "Creating a preview picture";
/// Shown if the requested range could not be cut.
const NO_PLAYABLE_COPY: &str = "The recording could not be trimmed at these points. \
                                Its author can choose other points, or restore the whole recording.";

/// Makes a recording seekable or cuts its trimmed range. Also determines its size and duration, and
/// extracts a poster. If the file cannot be played, marks the recording as `failed`, with the
/// reason.
#[derive(Debug, Serialize, Deserialize)]
pub struct ProcessMedia {
    /// The recording.
    #[serde(flatten)]
    pub target: Target,
}

impl Job for ProcessMedia {
    const KIND: &'static str = "process";
    const LANE: Lane = Lane::Preparation;
    type Context = MediaContext;

    async fn run(self, ctx: &MediaContext, _stop: &watch::Receiver<bool>) -> Result<Outcome> {
        process(ctx, &self.target).await?;
        Ok(Outcome::Done)
    }

    async fn on_dead(self, ctx: &MediaContext) -> Result<()> {
        mark_failed(ctx, &self.target).await
    }
}

async fn process(ctx: &MediaContext, target: &Target) -> Result<()> {
    let Some((media, key)) = load_source(ctx, target, RenditionName::Original).await? else {
        return Ok(());
    };
    let metadata = match media.metadata() {
        Some(metadata) => metadata,
        None => scan_original(ctx, target, &key).await?,
    };
    let tools = ctx.tools().await;
    let range = media.trimmed_range();
    if let Some(missing) = tools.missing() {
        return finish_without_tools(ctx, target, range.is_some(), metadata, &missing).await;
    }
    let dir = tempfile::tempdir_in(&ctx.temp_dir)?;
    let input = ctx.storage.fetch(&key, dir.path()).await?;
    let doing = if range.is_some() {
        TRIM_IN_PROGRESS
    } else {
        "Making the video seekable"
    };
    finish_step(ctx, target, MediaState::Processing, Some(doing)).await?;
    let out = tempfile::tempdir_in(&ctx.temp_dir)?;
    let output = match make_playable(tools, &input, range, out.path()).await {
        Ok(output) => output,
        // The whole recording was processed successfully before, so the trim must have caused the
        // failure.
        Err(Error::Unsupported(_)) if range.is_some() => {
            return reject_file(ctx, target, Error::Unsupported(NO_PLAYABLE_COPY.into())).await;
        }
        Err(error) => return reject_file(ctx, target, error).await,
    };
    if publish_copy(ctx, target, &output).await? {
        add_poster(ctx, tools, target, &output).await?;
    }
    Ok(())
}

/// Replaces the original with the playable copy, so that it can be played before there is a poster. Returns `false` if
/// the recording has changed since the job was enqueued.
async fn publish_copy(ctx: &MediaContext, target: &Target, output: &Output) -> Result<bool> {
    let copy = store_output(ctx, RenditionName::Playable, output).await?;
    let state = (MediaState::Processing, Some(POSTER_IN_PROGRESS));
    commit_renditions(
        ctx,
        target,
        vec![copy],
        Some(output),
        state,
        None::<ConvertMedia>,
    )
    .await
}

/// Adds a poster and its thumbnail, and enqueues the conversion that some browsers need.
async fn add_poster(
    ctx: &MediaContext,
    tools: &Tools,
    target: &Target,
    output: &Output,
) -> Result<()> {
    let objects = store_poster(ctx, tools, &target.media, output).await?;
    let need = Tools::needs_h264(&output.probe);
    let state = if need == ConversionNeed::ForAll {
        (MediaState::Processing, Some("Converting for browsers"))
    } else {
        (MediaState::Ready, output.note.as_deref())
    };
    let next = (need != ConversionNeed::None).then(|| ConvertMedia {
        target: target.clone(),
        note: output.note.clone(),
    });
    commit_renditions(ctx, target, objects, None, state, next).await?;
    Ok(())
}

/// Ends the processing of a recording on a server without ffmpeg.
async fn finish_without_tools(
    ctx: &MediaContext,
    target: &Target,
    trimmed: bool,
    metadata: Metadata,
    missing: &str,
) -> Result<()> {
    let (state, reason) = if trimmed {
        // Mark the recording as failed instead of playing the original, because other people must
        // not see the parts that were cut.
        let reason = format!("This recording cannot be trimmed. {missing}");
        (MediaState::Failed, reason)
    } else {
        let reason = original_access::unprocessed_text(metadata, missing);
        (MediaState::Ready, reason)
    };
    finish_step(ctx, target, state, Some(&reason)).await
}

/// Creates the playable copy. If `stretch` is set, the copy contains only this range. Otherwise it
/// contains the whole recording, without the parts that the recording's edit list hides.
async fn make_playable(
    tools: &Tools,
    input: &Path,
    stretch: Option<(Millis, Millis)>,
    dir: &Path,
) -> Result<Output> {
    match stretch {
        None => tools.probe_and_copy(input, dir).await,
        Some(stretch) => {
            let probe = tools.probe(input).await?;
            tools.cut(input, &probe, stretch, dir).await
        }
    }
}

/// Stores a poster and a thumbnail of the poster. If no frame can be decoded for the poster, stores
/// nothing.
async fn store_poster(
    ctx: &MediaContext,
    tools: &Tools,
    media_id: &str,
    output: &Output,
) -> Result<Vec<Object>> {
    let frame = tempfile::tempdir_in(&ctx.temp_dir)?;
    // Use the playable copy, because the original may start with content that was trimmed away.
    let taken = tools.poster(&output.path, &output.probe, frame.path());
    let poster = match taken.await {
        Ok(path) => images::process(&path).await?,
        Err(error @ Error::Unsupported(_)) => {
            tracing::warn!(%error, media = media_id, "could not create a poster");
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let (frame, thumbnail) = poster.into_parts();
    Ok(vec![
        store_new_picture(ctx, RenditionName::Poster, frame).await?,
        store_new_picture(ctx, RenditionName::Thumbnail, thumbnail).await?,
    ])
}

/// Scans an original for metadata. This is needed only for originals that earlier versions stored
/// without scanning them.
async fn scan_original(ctx: &MediaContext, target: &Target, key: &str) -> Result<Metadata> {
    let metadata = original_access::scan_metadata(ctx, key).await?;
    let mut tx = ctx.db.begin().await?;
    sqlx::query("UPDATE media SET original_metadata = $1 WHERE id = $2 AND generation = $3")
        .bind(metadata.as_str())
        .bind(&target.media)
        .bind(target.generation)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(metadata)
}
