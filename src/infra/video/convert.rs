//! Creates files with ffmpeg: seekable copies and H.264 copies.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::check_output::checked_output;
use super::colors::Colors;
use super::convert_audio::{aac_args, audio_args, max_audio_bytes};
use super::limits::{decode_limit_args, input_args};
use super::probe::fault_error;
use super::sandbox::Limits;
use super::{Container, ConversionNeed, Output, Probe, TIME_EPSILON, Toolchain, Tools};
use crate::error::{Error, Result};

/// The maximum side length of H.264 copies, in pixels.
const MAX_SIDE: u32 = 1920;

/// The bitstream filter that removes SEI messages from copied video, because some cameras store
/// their location in these messages. Decoders do not need them. The numbers are NAL unit types
/// (H.264 table 7-1, H.265 table 7-1).
pub(super) fn strip_messages_filter(video: &str) -> Option<&'static str> {
    match video {
        "h264" => Some("filter_units=remove_types=6"),
        "hevc" => Some("filter_units=remove_types=39|40"),
        _ => None,
    }
}

/// Creates a copy without re-encoding the video. The caller must check that the file contains no hidden packets
/// ([`super::probe::Timeline::is_copied_exactly`]), and must check the copy with [`checked_copy`].
///
/// [`checked_copy`]: super::check_output::checked_copy
pub(super) async fn seekable(
    toolchain: &Toolchain,
    input: &Path,
    probe: &Probe,
    dir: &Path,
) -> Result<PathBuf> {
    let container = target_container(probe);
    let mut args = map_args(probe, true);
    args.extend(["-c:v", "copy"].map(OsString::from));
    if let Some(filter) = strip_messages_filter(&probe.video) {
        args.extend(["-bsf:v", filter].map(OsString::from));
    }
    args.extend(audio_args(probe, container, ""));
    match container {
        Container::Mp4 | Container::QuickTime => {
            // Keep negative decoding times. The presentation must start at 0, and its first frames
            // may be decoded before that.
            args.extend(
                ["-movflags", "+faststart", "-avoid_negative_ts", "disabled"].map(OsString::from),
            );
            if probe.video == "hevc" {
                // Apple devices play HEVC only with this tag.
                args.extend(["-tag:v", "hvc1"].map(OsString::from));
            }
        }
        // Put the index first, so that a seek needs 2 requests instead of 5.
        Container::Matroska | Container::WebM => {
            args.extend(["-cues_to_front", "1"].map(OsString::from))
        }
    }
    let length = tokio::fs::metadata(input).await?.len();
    let limits = Limits {
        time: Duration::from_secs(15 * 60),
        output: length + length / 4 + max_audio_bytes(probe),
        low_priority: false,
    };
    let name = format!("seekable.{}", container.extension());
    run_ffmpeg(
        toolchain,
        input,
        probe,
        &origin_args(probe),
        args,
        dir,
        &name,
        limits,
    )
    .await
}

/// The container in which most players support the codecs of this video. Assumes that unsupported audio is converted.
pub(super) fn target_container(probe: &Probe) -> Container {
    let matroska = matches!(probe.container, Container::Matroska | Container::WebM);
    match &*probe.video {
        "h264" | "hevc" => Container::Mp4,
        "vp8" => Container::WebM,
        _ if matroska && !matches!(probe.audio.as_deref(), Some("aac" | "mp3")) => Container::WebM,
        _ => Container::Mp4,
    }
}

/// Input options that make the presentation start at 0.
fn origin_args(probe: &Probe) -> Vec<OsString> {
    vec![
        "-copyts".into(),
        "-itsoffset".into(),
        format!("{:.6}", -probe.timeline.origin).into(),
    ]
}

pub(super) async fn h264(
    toolchain: &Toolchain,
    input: &Path,
    probe: &Probe,
    dir: &Path,
) -> Result<Output> {
    let small_enough = probe.width.max(probe.height) <= MAX_SIDE;
    let copies_video =
        probe.video == "h264" && Tools::needs_h264(probe) != ConversionNeed::ForAll && small_enough;
    let mut args = map_args(probe, true);
    if copies_video {
        // Copy the video, because only the audio must be converted.
        args.extend(["-c:v", "copy", "-avoid_negative_ts", "disabled"].map(OsString::from));
    } else {
        let (width, height) = fitted_size(probe, MAX_SIDE);
        args.extend(h264_args(
            probe,
            width,
            height,
            "setpts='if(eq(N,0),0,PTS)',",
        ));
        let timeline = &probe.timeline;
        let last = if timeline.video.shown > 1 {
            timeline.video.last - timeline.origin
        } else {
            0.0
        };
        args.extend([
            "-bsf:v".into(),
            hold_last_frame_filter(last, timeline.end - timeline.origin).into(),
        ]);
    }
    args.extend(aac_args(""));
    args.extend(["-movflags", "+faststart", "-max_muxing_queue_size", "4096"].map(OsString::from));
    let mut limits = Limits::encoding(probe.duration_seconds());
    if copies_video {
        limits.output += tokio::fs::metadata(input).await?.len();
    }
    let path = run_ffmpeg(
        toolchain,
        input,
        probe,
        &origin_args(probe),
        args,
        dir,
        "h264.mp4",
        limits,
    )
    .await?;
    checked_output(toolchain, path, Container::Mp4, probe.duration_ms).await
}

/// Returns a bitstream filter for the output of [`h264_args`]. The filter keeps the last frame, which starts at `last`,
/// visible until `end`. Both times are in seconds.
pub(super) fn hold_last_frame_filter(last: f64, end: f64) -> String {
    format!(
        "setts=duration='if(gte(PTS*TB,{:.6}),max(1,{end:.6}/TB-PTS),DURATION)'",
        last - TIME_EPSILON
    )
}

/// Options for H.264 that plays everywhere. `before` contains filters to apply before encoding; it is empty or ends
/// with a comma.
pub(super) fn h264_args(probe: &Probe, width: u32, height: u32, before: &str) -> Vec<OsString> {
    // Set the level explicitly. A WebM recording claims 1000 frames per second, for which x264
    // would choose a level that no phone decodes. Level 4.2 allows 8,704 macroblocks (H.264, table
    //
    let level = if width.div_ceil(16) * height.div_ceil(16) <= 8704 {
        "4.2"
    } else {
        "5.1"
    };
    let args = [
        ["-c:v", "libx264"],
        ["-profile:v", "high"],
        ["-level:v", level],
        ["-preset", "veryfast"],
        ["-crf", "23"],
        // Without B-frames, decoding order equals display order, so no edit list is needed.
        ["-bf", "0"],
        // Keep the timestamps of the frames. Otherwise, ffmpeg would create as many frames as the file claims to have,
        // which is 1000 per second for a WebM recording.
        ["-fps_mode", "vfr"],
        // Use a fine time base, because the frame rate that a file claims may not match the timestamps of its frames.
        ["-enc_time_base", "1:90000"],
        // Place a key frame every four seconds, whatever the number of frames. A recording of a still page may have one
        // frame per second. If key frames were placed by frame count, a seek in it would have to decode minutes of
        // video.
        ["-force_key_frames", "expr:gte(t,n_forced*4)"],
        ["-threads", "1"],
        [
            "-vf",
            &format!(
                "{before}{},{}",
                frame_size_filter(width, height),
                Colors::of(probe).video_filter()
            ),
        ],
    ];
    args.iter().flatten().map(OsString::from).collect()
}

/// A filter that fits all frames into the size of the first one, because a captured window may be
/// resized during the recording.
pub(super) fn frame_size_filter(width: u32, height: u32) -> String {
    // Do not use `force_original_aspect_ratio`, because it fails if a side would be shorter than 2 pixels.
    let fitted = |side: &str| format!("'max(2,trunc({side}/2)*2)'");
    format!(
        "scale=w={}:h=ih,setsar=1,scale=w={}:h={},setsar=1,pad={width}:{height}:-1:-1",
        fitted("iw*sar"),
        fitted(&format!("min({width},{height}*iw/ih)")),
        fitted(&format!("min({height},{width}*ih/iw)"))
    )
}

/// Returns a size with nearly the same aspect ratio as the video. Both sides are even and at most `max_side` pixels
/// long.
pub(super) fn fitted_size(probe: &Probe, max_side: u32) -> (u32, u32) {
    let longer = probe.width.max(probe.height).max(1);
    let side = |side: u32| {
        let side = if longer > max_side {
            u64::from(side) * u64::from(max_side) / u64::from(longer)
        } else {
            side.into()
        };
        u32::try_from(side / 2 * 2).unwrap_or(2).max(2)
    };
    (side(probe.width), side(probe.height))
}

/// Options that select only the chosen video and audio streams, without data, subtitles, chapters
/// or metadata.
pub(super) fn map_args(probe: &Probe, with_audio: bool) -> Vec<OsString> {
    let mut args: Vec<OsString> = vec!["-map".into(), format!("0:{}", probe.video_stream).into()];
    if let Some(stream) = probe.audio_stream.filter(|_| with_audio) {
        args.extend(["-map".into(), format!("0:{stream}").into()]);
    }
    args.extend(["-map_metadata", "-1", "-map_chapters", "-1", "-dn", "-sn"].map(OsString::from));
    args
}

/// Runs ffmpeg in a temporary directory inside `dir`, and moves the complete result to `dir/name`.
#[allow(
    clippy::too_many_arguments,
    reason = "ffmpeg needs all of these values"
)]
pub(super) async fn run_ffmpeg(
    toolchain: &Toolchain,
    input: &Path,
    probe: &Probe,
    seek: &[OsString],
    args: Vec<OsString>,
    dir: &Path,
    name: &str,
    limits: Limits,
) -> Result<PathBuf> {
    let input = tokio::fs::canonicalize(input).await?;
    let dir = tokio::fs::canonicalize(dir).await?;
    let own = tempfile::tempdir_in(&dir)?;
    Colors::of(probe).write_lut(own.path()).await?;
    let mut command: Vec<OsString> = ["-nostdin", "-hide_banner", "-nostats", "-y"]
        .map(OsString::from)
        .to_vec();
    command.extend(decode_limit_args(probe));
    command.extend_from_slice(seek);
    command.extend(input_args(&input));
    command.extend(args);
    command.push(format!("file:{name}").into());
    let ran = toolchain
        .sandbox
        .run(
            &toolchain.ffmpeg,
            &command,
            Some(&input),
            own.path(),
            limits,
            |_| {},
        )
        .await;
    ran.map_err(|fault| fault_error(fault, "converted"))?;
    let output = own.path().join(name);
    // If the requested start is after the end of the video, ffmpeg writes nothing and still exits
    // successfully, so check the size of the output.
    if tokio::fs::metadata(&output)
        .await
        .map_or(0, |metadata| metadata.len())
        == 0
    {
        return Err(Error::Unsupported(
            "This video is damaged: it cannot be converted.".into(),
        ));
    }
    let path = dir.join(name);
    tokio::fs::rename(output, &path).await?;
    Ok(path)
}
