//! Joins a re-encoded head with the copied rest of a video.

use std::ffi::OsString;
use std::path::PathBuf;

use super::frames_in_range::CopyPlan;
use super::reencode::ReencodedRange;
use super::{CutFile, CutJob, format_seconds, whole_millis};
use crate::error::{Error, Result};
use crate::infra::video::Container;
use crate::infra::video::TIME_EPSILON;
use crate::infra::video::convert::{map_args, target_container};
use crate::infra::video::ivf;

/// If the last frame lasts longer than this many seconds and the file cannot store its duration, a copy of the frame is
/// added at the end.
const MIN_HOLD_SECONDS: f64 = 0.1;

/// The added copy of the last frame starts this many seconds before the end of the cut.
const HOLD_OFFSET_SECONDS: f64 = 0.04;

/// The arguments that open `joined.ivf`.
const JOINED_INPUT: [&str; 9] = [
    "-copyts",
    "-protocol_whitelist",
    "file",
    "-format_whitelist",
    "ivf",
    "-f",
    "ivf",
    "-i",
    "file:joined.ivf",
];

impl CutJob<'_> {
    /// Re-encodes the frames before the first key frame with the same codec, and copies the rest.
    /// Returns `None` if the codec does not allow this or `ivf::join` rejects the result.
    pub(super) async fn join_reencoded_head(&self, plan: &CopyPlan) -> Result<Option<CutFile>> {
        let mut parts = Vec::new();
        if plan.head > 0 {
            let Some(head) = self.reencode_head(plan).await? else {
                return Ok(None);
            };
            parts.push((head, plan.head));
        }
        parts.push((self.copy_tail(plan).await?, plan.frames - plan.head));
        let container = target_container(self.probe);
        let mut times = plan.times.clone();
        if container == Container::WebM && self.loses_last_duration(plan.last) {
            let Some(hold) = self.hold_last_frame(plan).await? else {
                return Ok(None);
            };
            parts.push((hold, 1));
            times.push(whole_millis(
                self.cut.end - self.cut.start - HOLD_OFFSET_SECONDS,
            ));
        }
        let frames = times.len();
        if !self.join_parts(parts, times).await? {
            return Ok(None);
        }
        let name = format!("cut.{}", container.extension());
        let made = self
            .run_ffmpeg(self.mux_args(container, frames), &name, self.limits)
            .await?;
        Ok(Some((made, container)))
    }

    /// Re-encodes the frames before the first key frame.
    async fn reencode_head(&self, plan: &CopyPlan) -> Result<Option<PathBuf>> {
        self.reencode_range(&ReencodedRange {
            name: "head.ivf",
            from: plan.before,
            first: plan.first,
            until: plan.key,
            frames: plan.head,
        })
        .await
    }

    /// Copies the frames from the first key frame onward.
    async fn copy_tail(&self, plan: &CopyPlan) -> Result<PathBuf> {
        let mut args = self.input_args();
        args.extend(map_args(self.probe, false));
        args.extend(["-c", "copy", "-bsf:v"].map(OsString::from));
        let drop = format!(
            "noise=drop='lt(pts*tb,{})+gte(pts*tb,{})'",
            format_seconds(plan.key - TIME_EPSILON),
            format_seconds(plan.until - TIME_EPSILON)
        );
        args.push(drop.into());
        self.run_ffmpeg(args, "tail.ivf", self.limits).await
    }

    /// Writes the parts to `joined.ivf`. Returns `false` if `ivf::join` rejects them.
    async fn join_parts(&self, parts: Vec<(PathBuf, usize)>, times: Vec<u64>) -> Result<bool> {
        let (joined, video) = (self.work.join("joined.ivf"), self.probe.video.clone());
        let size = (self.probe.width, self.probe.height);
        tokio::task::spawn_blocking(move || ivf::join(&parts, &times, &video, size, &joined))
            .await
            .map_err(Error::internal)?
    }

    /// The arguments that add the audio to the `frames` frames of `joined.ivf` and write the container.
    fn mux_args(&self, container: Container, frames: usize) -> Vec<OsString> {
        let mut args = JOINED_INPUT.map(OsString::from).to_vec();
        args.extend(self.input_args());
        args.extend(["-map", "0:v:0"].map(OsString::from));
        if let Some(stream) = self
            .probe
            .audio_stream
            .filter(|_| self.audio_range().is_some())
        {
            args.extend(["-map".into(), format!("1:{stream}").into()]);
        }
        args.extend(["-map_metadata", "-1", "-map_chapters", "-1"].map(OsString::from));
        args.extend(["-c:v", "copy", "-bsf:v"].map(OsString::from));
        let length = format_seconds(self.cut.end - self.cut.start);
        args.push(
            format!(
                "setts=duration='if(eq(N,{}),max(1,{length}/TB-PTS),DURATION)'",
                frames - 1
            )
            .into(),
        );
        // Set the color tags again, because IVF files have none.
        args.extend(self.probe.color_tags.copy_args());
        args.extend(self.audio_args(container));
        args.extend(
            match container {
                Container::Mp4 | Container::QuickTime => ["-movflags", "+faststart"],
                Container::Matroska | Container::WebM => ["-cues_to_front", "1"],
            }
            .map(OsString::from),
        );
        args
    }

    /// Whether a WebM copy would lose the duration of its last frame, because WebM stores only the
    /// start times of packets.
    fn loses_last_duration(&self, last: f64) -> bool {
        let covered = self
            .packets
            .audio_end(self.cut)
            .map_or(last, |end| end.max(last));
        self.cut.end - covered > MIN_HOLD_SECONDS
    }

    /// Re-encodes the last frame as a key frame, so that a copy of it can be added at the end.
    async fn hold_last_frame(&self, plan: &CopyPlan) -> Result<Option<PathBuf>> {
        self.reencode_range(&ReencodedRange {
            name: "hold.ivf",
            from: plan.last_key,
            first: plan.last,
            until: plan.until,
            frames: 1,
        })
        .await
    }
}
