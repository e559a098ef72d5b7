//! Joins a re-encoded head with the copied rest of a video.

use std::ffi::OsString;
use std::path::PathBuf;

use super::frames_in_range::CopyPlan;
use super::reencode::ReencodedRange;
use super::{CutFile, CutJob, format_seconds};
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

impl CutJob<'_> {
    /// Re-encodes the frames before the first key frame with the same codec, and copies the rest.
    /// Returns `None` if the codec does not allow this or `ivf::join` rejects the result.
    pub(super) async fn join_reencoded_head(&self, plan: &CopyPlan) -> Result<Option<CutFile>> {
        let mut parts = Vec::new();
        if plan.head > 0 {
            let head = ReencodedRange {
                name: "head.ivf",
                from: plan.before,
                first: plan.first,
                until: plan.key,
                frames: plan.head,
            };
            let Some(head) = self.reencode_range(&head).await? else {
                return Ok(None);
            };
            parts.push((head, plan.head));
        }
        let tail = plan.frames - plan.head;
        let mut args = self.input_args();
        args.extend(map_args(self.probe, false));
        args.extend(["-c", "copy", "-bsf:v"].map(OsString::from));
        let drop = format!(
            "noise=drop='lt(pts*tb,{})+gte(pts*tb,{})'",
            format_seconds(plan.key - TIME_EPSILON),
            format_seconds(plan.until - TIME_EPSILON)
        );
        args.push(drop.into());
        parts.push((self.run_ffmpeg(args, "tail.ivf", self.limits).await?, tail));
        let container = target_container(self.probe);
        let mut times = plan.times.clone();
        if container == Container::WebM && self.loses_last_duration(plan.last) {
            let Some(hold) = self.hold_last_frame(plan).await? else {
                return Ok(None);
            };
            parts.push((hold, 1));
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a video lasts at most a day"
            )]
            times.push(
                ((self.cut.end - self.cut.start - HOLD_OFFSET_SECONDS).max(0.0) * 1e3) as u64,
            );
        }
        let (joined, video, frames) = (
            self.work.join("joined.ivf"),
            self.probe.video.clone(),
            times.len(),
        );
        let size = (self.probe.width, self.probe.height);
        let fits =
            tokio::task::spawn_blocking(move || ivf::join(&parts, &times, &video, size, &joined))
                .await
                .map_err(Error::internal)??;
        if !fits {
            return Ok(None);
        }
        let mut args = [
            "-copyts",
            "-protocol_whitelist",
            "file",
            "-format_whitelist",
            "ivf",
            "-f",
            "ivf",
            "-i",
        ]
        .map(OsString::from)
        .to_vec();
        args.push("file:joined.ivf".into());
        args.extend(self.input_args());
        args.extend(["-map", "0:v:0"].map(OsString::from));
        if let Some(stream) = self
            .probe
            .audio_stream
            .filter(|_| self.audio_range().is_some())
        {
            args.extend(["-map".into(), format!("1:{stream}").into()]);
        }
        args.extend(
            [
                "-map_metadata",
                "-1",
                "-map_chapters",
                "-1",
                "-c:v",
                "copy",
                "-bsf:v",
            ]
            .map(OsString::from),
        );
        let length = format_seconds(self.cut.end - self.cut.start);
        args.push(
            format!(
                "setts=duration='if(eq(N,{}),max(1,{length}/TB-PTS),DURATION)'",
                frames - 1
            )
            .into(),
        );
        // Set the colour tags again, because IVF files have none.
        args.extend(self.probe.color_tags.copy_args());
        args.extend(self.audio_args(container));
        match container {
            Container::Mp4 | Container::QuickTime => {
                args.extend(["-movflags", "+faststart"].map(OsString::from))
            }
            Container::Matroska | Container::WebM => {
                args.extend(["-cues_to_front", "1"].map(OsString::from))
            }
        }
        let name = format!("cut.{}", container.extension());
        let made = self.run_ffmpeg(args, &name, self.limits).await?;
        Ok(Some((made, container)))
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
