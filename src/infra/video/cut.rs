//! Extracts a range of a video. Copies as many packets as possible and re-encodes the other frames.
//!
//! The result contains nothing from outside the range: no hidden frames, no extra sound, and no
//! edit list that could hide either. Ranges are determined by packet timestamps, never by seeking.

mod frames_in_range;
mod join;
mod reencode;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use self::frames_in_range::{CopyPlan, Cut, Packets};
use super::check_output::checked_output;
use super::convert::{map_args, strip_messages_filter, target_container};
use super::convert_audio::{aac_args, audio_args, converts_audio};
use super::limits::{decode_limit_args, input_args};
use super::probe::{Timeline, fault_error};
use super::sandbox::Limits;
use super::{Container, ConversionNeed, Output, Probe, TIME_EPSILON, Toolchain, Tools};
use crate::error::{Error, Result};

/// Cuts a video to its presented content, without the content that an edit list hides.
pub(super) async fn cut_to_presentation(
    toolchain: &Toolchain,
    input: &Path,
    probe: &Probe,
    dir: &Path,
) -> Result<Output> {
    let Timeline {
        origin: start, end, ..
    } = probe.timeline;
    make_cut(
        toolchain,
        input,
        probe,
        Cut { start, end },
        probe.duration_ms,
        dir,
    )
    .await
}

/// Cuts a video to the range between two times of its presentation, in milliseconds.
pub(super) async fn cut(
    toolchain: &Toolchain,
    input: &Path,
    probe: &Probe,
    (from_ms, to_ms): (i64, i64),
    dir: &Path,
) -> Result<Output> {
    let origin = probe.timeline.origin;
    #[allow(
        clippy::cast_precision_loss,
        reason = "a video lasts at most a day, so an f64 holds its milliseconds exactly"
    )]
    let cut = Cut {
        start: origin + from_ms as f64 / 1000.0,
        end: origin + to_ms as f64 / 1000.0,
    };
    make_cut(toolchain, input, probe, cut, Some(to_ms - from_ms), dir).await
}

async fn make_cut(
    toolchain: &Toolchain,
    input: &Path,
    probe: &Probe,
    cut: Cut,
    expected_ms: Option<i64>,
    dir: &Path,
) -> Result<Output> {
    let input = tokio::fs::canonicalize(input).await?;
    let dir = tokio::fs::canonicalize(dir).await?;
    let work = tempfile::tempdir_in(&dir)?;
    let packets = frames_in_range::read_packets(toolchain, &input, probe).await?;
    let length = tokio::fs::metadata(&input).await?.len();
    let limits = Limits {
        time: Duration::from_secs(15 * 60),
        output: length + length / 4 + 64 * 1024 * 1024,
        low_priority: false,
    };
    let job = CutJob {
        toolchain,
        input: &input,
        probe,
        work: work.path(),
        limits,
        packets: &packets,
        cut,
    };
    if let Some((copy, container)) = job.try_copy().await? {
        let path = dir.join(format!("cut.{}", container.extension()));
        tokio::fs::rename(copy, &path).await?;
        match checked_output(toolchain, path, container, expected_ms).await {
            // Do not fail yet: a file that cannot be copied may still be decodable.
            Err(Error::Unsupported(_)) => {}
            made => return made,
        }
    }
    let path = dir.join("cut.mp4");
    tokio::fs::rename(job.reencode_all().await?, &path).await?;
    checked_output(toolchain, path, Container::Mp4, expected_ms).await
}

/// A file and its container.
type CutFile = (PathBuf, Container);

struct CutJob<'a> {
    toolchain: &'a Toolchain,
    input: &'a Path,
    probe: &'a Probe,
    work: &'a Path,
    limits: Limits,
    packets: &'a Packets,
    cut: Cut,
}

impl CutJob<'_> {
    /// Tries to cut without re-encoding everything. Returns `None` if the cut would not be exact.
    async fn try_copy(&self) -> Result<Option<CutFile>> {
        if Tools::needs_h264(self.probe) == ConversionNeed::ForAll {
            return Ok(None);
        }
        let Some(plan) = self.packets.copy_plan(self.cut) else {
            return Ok(None);
        };
        let matroska = matches!(self.probe.container, Container::Matroska | Container::WebM);
        // If the first frame starts before the cut, its time must be moved to the start of the cut.
        // Do that only if frames are shown in decoding order. Otherwise, the new time could
        // conflict with the times of reordered frames.
        let can_start =
            self.packets.is_in_decode_order() || self.cut.start - plan.first < TIME_EPSILON;
        let made = match &*self.probe.video {
            "h264" if plan.head == 0 && can_start => self.copy_packets(&plan).await.map(Some),
            "vp8" | "vp9" if matroska => self.join_reencoded_head(&plan).await,
            "av1" if matroska && plan.head == 0 => self.join_reencoded_head(&plan).await,
            _ => Ok(None),
        };
        match made {
            // Do not fail yet: a file that cannot be copied may still be decodable.
            Err(Error::Unsupported(_)) => Ok(None),
            made => made,
        }
    }

    /// Copies packets, starting at a key frame.
    async fn copy_packets(&self, plan: &CopyPlan) -> Result<CutFile> {
        let container = target_container(self.probe);
        let mut args = self.input_args();
        args.extend(map_args(self.probe, self.audio_range().is_some()));
        args.extend(["-c:v", "copy", "-bsf:v"].map(OsString::from));
        let start = self.cut.start;
        let last = plan.frames - 1;
        args.push(
            format!(
                "{},noise=drop='lt(pts*tb,{})+gte(pts*tb,{})',setts=pts='if(eq(N,0),0,PTS-{start:.6}/TB)':dts='DTS-if(eq(N,0),PTS,{start:.6}/TB)':\
                 duration='if(eq(N,{last}),max(1,{}/TB-PTS),DURATION)'",
                strip_messages_filter(&self.probe.video).unwrap_or("null"),
                format_seconds(plan.first - TIME_EPSILON),
                format_seconds(plan.until - TIME_EPSILON),
                // This is the end of the last frame. ffmpeg subtracts the frame's original start time from it to get
                // the duration. If there is only one frame, it may start before the cut, so adjust the end: the frame
                // must last exactly as long as the cut.
                format_seconds(if last == 0 { plan.first + self.cut.end - start } else { self.cut.end }),
            )
            .into(),
        );
        args.extend(self.audio_args(container));
        // Keep negative decoding times, because the presentation must start at 0.
        args.extend(
            ["-movflags", "+faststart", "-avoid_negative_ts", "disabled"].map(OsString::from),
        );
        let made = self.run_ffmpeg(args, "cut.mp4", self.limits).await?;
        Ok((made, container))
    }

    /// Returns audio filters that keep only the range and make it start at 0. The text ends with a comma, so that other
    /// filters can follow.
    fn audio_filter(&self) -> String {
        let (start, end) = (format_seconds(self.cut.start), format_seconds(self.cut.end));
        format!("atrim=start={start}:end={end},asetpts=PTS-{start}/TB,")
    }

    /// The times of the first and last audio packets within the range.
    fn audio_range(&self) -> Option<(f64, f64)> {
        self.packets.audio_range(self.cut)
    }

    fn audio_args(&self, container: Container) -> Vec<OsString> {
        let Some((first, last)) = self.audio_range() else {
            return Vec::new();
        };
        if converts_audio(self.probe, container) {
            return audio_args(self.probe, container, &self.audio_filter());
        }
        if !self.packets.audio_is_contiguous() {
            return aac_args(&self.audio_filter());
        }
        let (first, last, start) = (
            format_seconds(first - TIME_EPSILON),
            format_seconds(last + TIME_EPSILON),
            format_seconds(self.cut.start),
        );
        let filter =
            format!("noise=drop='lt(pts*tb,{first})+gt(pts*tb,{last})',setts=ts='PTS-{start}/TB'");
        vec!["-c:a".into(), "copy".into(), "-bsf:a".into(), filter.into()]
    }

    /// Input options that keep the original timestamps.
    fn input_args(&self) -> Vec<OsString> {
        let mut args = vec!["-copyts".into()];
        args.extend(decode_limit_args(self.probe));
        args.extend(input_args(self.input));
        args
    }

    /// Input options that make ffmpeg start at this key frame or an earlier one, so that it need not decode everything
    /// before the range. The caller must end the range with a filter. The option `-t` does not work, because it would
    /// count from wherever ffmpeg actually starts.
    fn seek_args(&self, key: f64) -> Vec<OsString> {
        let mut args = vec!["-copyts".into()];
        args.extend(decode_limit_args(self.probe));
        // Use a packet timestamp, not a time relative to the start of the container, because an
        // Opus stream starts before 0.
        args.extend([
            "-noaccurate_seek".into(),
            "-seek_timestamp".into(),
            "1".into(),
            "-ss".into(),
            format_seconds(key).into(),
        ]);
        args.extend(input_args(self.input));
        args
    }

    async fn run_ffmpeg(&self, args: Vec<OsString>, name: &str, limits: Limits) -> Result<PathBuf> {
        let mut all = ["-nostdin", "-hide_banner", "-nostats", "-y", "-v", "error"]
            .map(OsString::from)
            .to_vec();
        all.extend(args);
        all.push(format!("file:{name}").into());
        let ran = self
            .toolchain
            .sandbox
            .run(
                &self.toolchain.ffmpeg,
                &all,
                Some(self.input),
                self.work,
                limits,
                |_| {},
            )
            .await;
        ran.map_err(|fault| fault_error(fault, "converted"))?;
        let output = self.work.join(name);
        if tokio::fs::metadata(&output)
            .await
            .map_or(0, |metadata| metadata.len())
            == 0
        {
            return Err(Error::Unsupported(
                "This video is damaged: it cannot be converted.".into(),
            ));
        }
        Ok(output)
    }
}

/// Formats a time with plain decimals, which ffmpeg's expressions parse reliably.
fn format_seconds(time: f64) -> String {
    format!("{time:.6}")
}

/// Rounds a time in seconds to whole milliseconds. Negative times become 0.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a video lasts at most a day"
)]
fn whole_millis(seconds: f64) -> u64 {
    (seconds.max(0.0) * 1e3).round() as u64
}
