//! Re-encodes a range of a video: either a few frames with the codec of the video, or the whole range as H.264.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::{CutJob, format_seconds};
use crate::error::Result;
use crate::infra::video::TIME_EPSILON;
use crate::infra::video::colors::Colors;
use crate::infra::video::convert::{fitted_size, h264_args, hold_last_frame_filter, map_args};
use crate::infra::video::convert_audio::aac_args;
use crate::infra::video::sandbox::Limits;

/// The maximum side length of re-encoded video, in pixels.
const MAX_SIDE: u32 = 1920;

/// Frames to re-encode. Times are in seconds.
pub(super) struct ReencodedRange {
    pub(super) name: &'static str,
    /// The time of the key frame at which decoding starts.
    pub(super) from: f64,
    /// The time of the first frame.
    pub(super) first: f64,
    /// The start of the first frame after these frames. If no frame follows, an arbitrary time
    /// after the start of the last of these frames.
    pub(super) until: f64,
    /// The number of frames.
    pub(super) frames: usize,
}

impl CutJob<'_> {
    /// Re-encodes frames with the codec of the video. Returns `None` if that is not possible.
    pub(super) async fn reencode_range(&self, range: &ReencodedRange) -> Result<Option<PathBuf>> {
        if self.probe.pixel_format != "yuv420p" || self.probe.video == "av1" {
            return Ok(None);
        }
        let mut args = self.seek_args(range.from);
        args.extend(map_args(self.probe, false));
        args.extend([
            "-vf".into(),
            range_filter(range.first, range.until).into(),
            "-frames:v".into(),
            range.frames.to_string().into(),
        ]);
        args.extend(
            [
                "-fps_mode",
                "passthrough",
                "-enc_time_base",
                "1:1000",
                "-pix_fmt",
                "yuv420p",
            ]
            .map(OsString::from),
        );
        let coder: &[&str] = match &*self.probe.video {
            "vp8" => &["-c:v", "libvpx", "-crf", "8", "-b:v", "12M"],
            _ => &["-c:v", "libvpx-vp9", "-crf", "18", "-b:v", "0"],
        };
        args.extend(coder.iter().map(OsString::from));
        // Create no hidden frames, and make only the first frame a key frame.
        args.extend(
            [
                "-deadline",
                "realtime",
                "-cpu-used",
                "6",
                "-lag-in-frames",
                "0",
                "-auto-alt-ref",
                "0",
            ]
            .map(OsString::from),
        );
        args.extend(["-g", "9999", "-threads", "1"].map(OsString::from));
        let limits = Limits {
            time: Duration::from_secs(300),
            ..self.limits
        };
        self.run_ffmpeg(args, range.name, limits).await.map(Some)
    }

    /// Re-encodes the whole range as H.264 and AAC.
    pub(super) async fn reencode_all(&self) -> Result<PathBuf> {
        Colors::of(self.probe).write_lut(self.work).await?;
        let shown = self.packets.shown_frames(self.cut);
        let (start, length) = (
            format_seconds(self.cut.start),
            self.cut.end - self.cut.start,
        );
        let (width, height) = fitted_size(self.probe, MAX_SIDE);
        let mut args = if self.packets.hides_frames() {
            self.input_args()
        } else {
            self.seek_args(shown.before)
        };
        args.extend(map_args(self.probe, self.audio_range().is_some()));
        let frames = format!(
            "{},setpts='if(eq(N,0),0,PTS-{start}/TB)',",
            range_filter(shown.first, shown.until)
        );
        args.extend(h264_args(self.probe, width, height, &frames));
        let last = if shown.last > shown.first {
            shown.last - self.cut.start
        } else {
            0.0
        };
        args.extend(["-bsf:v".into(), hold_last_frame_filter(last, length).into()]);
        args.extend(aac_args(&self.audio_filter()));
        args.extend(["-t".into(), format_seconds(length).into()]);
        args.extend(
            ["-movflags", "+faststart", "-max_muxing_queue_size", "4096"].map(OsString::from),
        );
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a video lasts at most a day"
        )]
        let limits = Limits::encoding(length.max(0.0) as u64);
        self.run_ffmpeg(args, "reencoded.mp4", limits).await
    }
}

/// A filter that keeps the frames that start at or after `first` and before `until`. ffmpeg stops reading at `until`.
fn range_filter(first: f64, until: f64) -> String {
    format!(
        "trim=start={}:end={}",
        format_seconds(first - TIME_EPSILON),
        format_seconds(until - TIME_EPSILON)
    )
}
