//! The job that creates the H.264 copy of a recording, for browsers that cannot play its format.

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::commit_renditions::commit_renditions;
use super::context::MediaContext;
use super::job_target::{Target, load_source, mark_failed, reject_file};
use super::objects::store_output;
use super::{MediaState, Object, RenditionName};
use crate::error::Result;
use crate::infra::jobs::{Job, Lane, Outcome};
use crate::infra::video::{ConversionNeed, Tools};

/// Creates the H.264 copy. Converts the playable copy instead of the original, so that both copies
/// have the same timeline.
#[derive(Debug, Serialize, Deserialize)]
pub struct ConvertMedia {
    /// The recording.
    #[serde(flatten)]
    pub target: Target,
    /// A note for the author, shown when the recording is ready.
    #[serde(default)]
    pub note: Option<String>,
}

impl Job for ConvertMedia {
    const KIND: &'static str = "convert";
    const LANE: Lane = Lane::Heavy;
    type Context = MediaContext;

    async fn run(self, ctx: &MediaContext, _stop: &watch::Receiver<bool>) -> Result<Outcome> {
        convert(ctx, &self.target, self.note.as_deref()).await?;
        Ok(Outcome::Done)
    }

    async fn on_dead(self, ctx: &MediaContext) -> Result<()> {
        mark_failed(ctx, &self.target).await
    }
}

async fn convert(ctx: &MediaContext, target: &Target, note: Option<&str>) -> Result<()> {
    let Some((media, key)) = load_source(ctx, target, RenditionName::Playable).await? else {
        return Ok(());
    };
    let dir = tempfile::tempdir_in(&ctx.temp_dir)?;
    let input = ctx.storage.fetch(&key, dir.path()).await?;
    let probe = ctx.tools().await.probe(&input).await?;
    let out = tempfile::tempdir_in(&ctx.temp_dir)?;
    let output = match ctx.tools().await.h264(&input, &probe, out.path()).await {
        Ok(output) => output,
        // Keep the recording ready, because some browsers can play it without the H.264 copy.
        Err(error) if media.state == MediaState::Ready => {
            tracing::warn!(%error, media = media.id, "could not create an H.264 copy");
            return Ok(());
        }
        Err(error) => return reject_file(ctx, target, error).await,
    };
    let copy = store_output(ctx, RenditionName::H264, &output).await?;
    let mut objects = vec![copy.clone()];
    if Tools::needs_h264(&probe) == ConversionNeed::ForAll {
        objects.push(Object {
            name: RenditionName::Playable,
            ..copy
        });
    }
    let state = (MediaState::Ready, note);
    commit_renditions(ctx, target, objects, None, state, None::<ConvertMedia>).await?;
    Ok(())
}
