//! The jobs that prepare recordings: they make recordings seekable, extract a poster, and convert
//! formats that browsers cannot play.

use std::path::Path;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::context::MediaContext;
use super::objects::{store_new_picture, store_output};
use super::renditions::put_rendition;
use super::{Media, MediaState, Object, original};
use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::events::EventKind;
use crate::infra::db::Tx;
use crate::infra::images;
use crate::infra::jobs::{self, Job, Lane, Outcome};
use crate::infra::video::{ConversionNeed, Metadata, Output, Tools};
use crate::{events, updates};

/// Shown while a recording is trimmed, and while the whole recording is restored.
pub(super) const TRIM_IN_PROGRESS: &str = "Being trimmed";
pub(super) const UNTRIM_IN_PROGRESS: &str = "Restoring the whole recording";
/// Shown if the requested range could not be cut.
const NO_PLAYABLE_COPY: &str = "The recording could not be trimmed at these points. Its author can choose other points, or restore the whole recording.";

/// The recording that a job works on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Target {
    /// The id of the media.
    pub media: String,
    /// The generation of the media's bytes. The job does nothing if the bytes have been replaced
    /// since.
    pub generation: i64,
}

/// Makes a recording seekable or cuts its trimmed range. Also determines its size and duration, and
/// extracts a poster. Marks a file that cannot be played as `failed`, with the reason.
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

/// Creates the H.264 copy for browsers that cannot play the recording. Converts the playable copy
/// instead of the original, so that both copies have the same timeline.
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

/// Marks a recording that could not be prepared as `failed`. Changes nothing if the recording can
/// already be played.
async fn mark_failed(ctx: &MediaContext, target: &Target) -> Result<()> {
    match load_source(ctx, target, "original").await? {
        Some((media, _)) if media.state == MediaState::Processing => {
            finish_step(
                ctx,
                target,
                MediaState::Failed,
                Some("This file could not be processed, even after several attempts. Its author can still open the file. Tell your admin."),
            )
            .await
        }
        _ => Ok(()),
    }
}

async fn process(ctx: &MediaContext, target: &Target) -> Result<()> {
    let Some((media, key)) = load_source(ctx, target, "original").await? else {
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
    let objects = store_prepared(ctx, tools, &media.id, &output).await?;
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
    commit_renditions(ctx, target, objects, Some(&output), state, next).await
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
        let reason = original::unprocessed_text(metadata, missing);
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
    let probe = tools.probe(input).await?;
    match stretch {
        None => tools.seekable(input, &probe, dir).await,
        Some(stretch) => tools.cut(input, &probe, stretch, dir).await,
    }
}

/// Stores the playable copy, a poster and a thumbnail of the poster. If no poster can be created,
/// stores only the playable copy.
async fn store_prepared(
    ctx: &MediaContext,
    tools: &Tools,
    media_id: &str,
    output: &Output,
) -> Result<Vec<Object>> {
    let frame = tempfile::tempdir_in(&ctx.temp_dir)?;
    // Use the playable copy, because the original may start with content that was trimmed away.
    let taken = tools.poster(&output.path, &output.probe, frame.path());
    let poster = match taken.await {
        Ok(path) => Some(images::process(&path).await?),
        Err(error) => {
            tracing::warn!(%error, media = media_id, "could not create a poster");
            None
        }
    };
    let mut objects = vec![store_output(ctx, "playable", output).await?];
    if let Some(poster) = poster {
        let (frame, thumbnail) = poster.into_parts();
        objects.push(store_new_picture(ctx, "poster", frame).await?);
        objects.push(store_new_picture(ctx, "thumbnail", thumbnail).await?);
    }
    Ok(objects)
}

async fn convert(ctx: &MediaContext, target: &Target, note: Option<&str>) -> Result<()> {
    let Some((media, key)) = load_source(ctx, target, "playable").await? else {
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
    let copy = store_output(ctx, "h264", &output).await?;
    let mut objects = vec![copy.clone()];
    if Tools::needs_h264(&probe) == ConversionNeed::ForAll {
        objects.push(Object {
            name: "playable",
            ..copy
        });
    }
    commit_renditions(ctx, target, objects, None, (MediaState::Ready, note), None).await
}

/// Loads the media and the key of one of its renditions. Returns `None` if the media has a
/// different generation or no such rendition.
async fn load_source(
    ctx: &MediaContext,
    target: &Target,
    rendition: &str,
) -> Result<Option<(Media, String)>> {
    let mut connection = ctx.db.read().await?;
    let media: Option<Media> = sqlx::query_as(concat!(
        "SELECT ",
        super::columns!(),
        " FROM media m WHERE m.id = $1 AND m.generation = $2"
    ))
    .bind(&target.media)
    .bind(target.generation)
    .fetch_optional(&mut *connection)
    .await?;
    let Some(media) = media else { return Ok(None) };
    let key: Option<String> =
        sqlx::query_scalar("SELECT key FROM renditions WHERE media_id = $1 AND name = $2")
            .bind(&target.media)
            .bind(rendition)
            .fetch_optional(&mut *connection)
            .await?;
    Ok(key.map(|key| (media, key)))
}

/// Scans an original for metadata. Newer uploads are scanned when they are received, so only older
/// originals need this.
async fn scan_original(ctx: &MediaContext, target: &Target, key: &str) -> Result<Metadata> {
    let metadata = original::scan_metadata(ctx, key).await?;
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

/// Sets the recording to failed if its file caused the error. Returns any other error, so that the
/// job is retried.
async fn reject_file(ctx: &MediaContext, target: &Target, error: Error) -> Result<()> {
    match error {
        Error::Unsupported(reason) | Error::TooLarge(reason) => {
            finish_step(ctx, target, MediaState::Failed, Some(&reason)).await
        }
        other => Err(other),
    }
}

async fn finish_step(
    ctx: &MediaContext,
    target: &Target,
    state: MediaState,
    reason: Option<&str>,
) -> Result<()> {
    let mut tx = ctx.db.begin().await?;
    if set_state(&mut tx, target, state, reason).await? {
        record_change(&mut tx, &ctx.clock, target).await?;
    }
    tx.commit().await
}

/// Sets the state. Returns `false` if the media no longer exists or its generation has changed.
/// Removes the playable rendition of failed media, because its object may be the original, which
/// only the author may fetch.
async fn set_state(
    tx: &mut Tx,
    target: &Target,
    state: MediaState,
    reason: Option<&str>,
) -> Result<bool> {
    let done =
        sqlx::query("UPDATE media SET state = $1, reason = $2 WHERE id = $3 AND generation = $4")
            .bind(state)
            .bind(reason)
            .bind(&target.media)
            .bind(target.generation)
            .execute(&mut **tx)
            .await?;
    if state == MediaState::Failed && done.rows_affected() == 1 {
        sqlx::query("DELETE FROM renditions WHERE media_id = $1 AND name = 'playable'")
            .bind(&target.media)
            .execute(&mut **tx)
            .await?;
    }
    Ok(done.rows_affected() == 1)
}

async fn record_change(tx: &mut Tx, clock: &Clock, target: &Target) -> Result<()> {
    let update: String = sqlx::query_scalar("SELECT update_id FROM media WHERE id = $1")
        .bind(&target.media)
        .fetch_one(&mut **tx)
        .await?;
    events::record(tx, clock, EventKind::Media, &update, &target.media, "").await
}

/// Attaches objects as renditions if the generation is still current; otherwise deletes them.
async fn commit_renditions(
    ctx: &MediaContext,
    target: &Target,
    objects: Vec<Object>,
    measured: Option<&Output>,
    (state, reason): (MediaState, Option<&str>),
    next: Option<ConvertMedia>,
) -> Result<()> {
    let mut tx = ctx.db.begin().await?;
    if !set_state(&mut tx, target, state, reason).await? {
        let keys: Vec<String> = objects.into_iter().map(|object| object.key).collect();
        updates::enqueue_purge(&mut tx, &ctx.clock, &keys).await?;
        return tx.commit().await;
    }
    let mut replaced: Vec<String> = Vec::new();
    for object in &objects {
        let before: Option<String> = sqlx::query_scalar(
            "SELECT key FROM renditions WHERE media_id = $1 AND name = $2 AND key <> $3",
        )
        .bind(&target.media)
        .bind(object.name)
        .bind(&object.key)
        .fetch_optional(&mut *tx)
        .await?;
        replaced.extend(before);
        put_rendition(&mut tx, &target.media, object).await?;
    }
    // Delete a replaced object only if no rendition uses it. If browsers can play the original, its
    // object was also the `playable` rendition until now, and must stay as the original.
    let mut gone = Vec::new();
    for key in replaced {
        let used: i64 = sqlx::query_scalar("SELECT count(*) FROM renditions WHERE key = $1")
            .bind(&key)
            .fetch_one(&mut *tx)
            .await?;
        if used == 0 {
            gone.push(key);
        } else {
            let length = measured.and_then(|measured| measured.duration_ms);
            sqlx::query("UPDATE media SET raw_until = $1 WHERE id = $2")
                .bind(original::open_until(ctx.clock.now(), length))
                .bind(&target.media)
                .execute(&mut *tx)
                .await?;
        }
    }
    updates::enqueue_purge(&mut tx, &ctx.clock, &gone).await?;
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
    tx.commit().await
}
