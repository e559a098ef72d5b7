//! What ffmpeg makes of a video: a seekable copy, an H.264 copy, a still.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::limits::{decode_limit_args, input_args};
use super::listing::TIME_EPSILON;
use super::measure::checked_output;
use super::probe::fault_error;
use super::sandbox::Limits;
use super::{Container, ConversionNeed, Output, Probe, Toolchain, Tools};
use crate::error::{Error, Result};

/// The longer side of the H.264 copy.
const MAX_SIDE: u32 = 1920;
/// The longer side of a poster.
const POSTER_SIDE: u32 = 1280;
/// Gaps, as a paused recording leaves them, become silence.
const FILL_GAPS_FILTER: &str = "aresample=async=1:first_pts=0";

/// A copy whose pictures are copied, for a file of which everything is presented ([`super::probe::Timeline::is_copied_exactly`]).
/// The filter that removes messages (SEI) from pictures that are copied: some cameras write their place there. Decoders do without them.
/// Types of NAL units: H.264 table 7-1, H.265 table 7-1.
pub(super) fn strip_messages_filter(video: &str) -> Option<&'static str> {
    match video {
        "h264" => Some("filter_units=remove_types=6"),
        "hevc" => Some("filter_units=remove_types=39|40"),
        _ => None,
    }
}

pub(super) async fn seekable(
    toolchain: &Toolchain,
    input: &Path,
    probe: &Probe,
    dir: &Path,
) -> Result<Output> {
    let container = target_container(probe);
    let mut args = map_args(probe, true);
    args.extend(["-c:v", "copy"].map(OsString::from));
    if let Some(filter) = strip_messages_filter(&probe.video) {
        args.extend(["-bsf:v", filter].map(OsString::from));
    }
    args.extend(audio_args(probe, container, ""));
    match container {
        Container::Mp4 | Container::QuickTime => {
            // Pictures that are decoded before they are shown are decoded before 0.
            args.extend(
                ["-movflags", "+faststart", "-avoid_negative_ts", "disabled"].map(OsString::from),
            );
            if probe.video == "hevc" {
                // Apple plays HEVC under this name only.
                args.extend(["-tag:v", "hvc1"].map(OsString::from));
            }
        }
        // The index before the pictures: 2 requests to seek instead of 5.
        Container::Matroska | Container::WebM => {
            args.extend(["-cues_to_front", "1"].map(OsString::from))
        }
    }
    let length = tokio::fs::metadata(input).await?.len();
    let limits = Limits {
        time: Duration::from_secs(15 * 60),
        output: length + length / 4 + max_audio_bytes(probe),
        last: false,
    };
    let name = format!("seekable.{}", container.extension());
    let path = run_ffmpeg(
        toolchain,
        input,
        probe,
        &origin_args(probe),
        args,
        dir,
        &name,
        limits,
    )
    .await?;
    checked_output(toolchain, path, container, probe.duration_ms).await
}

/// The container that most players know for these codecs, after the audio is converted where it must be.
pub(super) fn target_container(probe: &Probe) -> Container {
    let matroska = matches!(probe.container, Container::Matroska | Container::WebM);
    match &*probe.video {
        "h264" | "hevc" => Container::Mp4,
        "vp8" => Container::WebM,
        _ if matroska && !matches!(probe.audio.as_deref(), Some("aac" | "mp3")) => Container::WebM,
        _ => Container::Mp4,
    }
}

/// Whether audio has to be converted for this container: WebM takes Opus, MP4 what browsers play.
pub(super) fn converts_audio(probe: &Probe, container: Container) -> bool {
    !matches!(
        (probe.audio.as_deref(), container),
        (None | Some("opus"), _) | (Some("aac" | "mp3"), Container::Mp4 | Container::QuickTime)
    )
}

/// Copies the audio, or converts it where browsers would not play it; then it goes through `before` first, which ends with a comma or is empty.
pub(super) fn audio_args(probe: &Probe, container: Container, before: &str) -> Vec<OsString> {
    if !converts_audio(probe, container) {
        return ["-c:a", "copy"].map(OsString::from).to_vec();
    }
    match container {
        Container::Mp4 | Container::QuickTime => aac_args(before),
        Container::Matroska | Container::WebM => {
            audio_encoder_args(["-c:a", "libopus", "-b:a", "96k"], before)
        }
    }
}

/// AAC, in stereo.
pub(super) fn aac_args(before: &str) -> Vec<OsString> {
    audio_encoder_args(["-c:a", "aac", "-b:a", "128k"], before)
}

fn audio_encoder_args(encoder: [&str; 4], before: &str) -> Vec<OsString> {
    let filter = format!("{before}{FILL_GAPS_FILTER}");
    encoder
        .into_iter()
        .chain(["-ac", "2", "-ar", "48000", "-af", &filter])
        .map(OsString::from)
        .collect()
}

/// How many bytes audio that is converted takes at most, with some to spare.
fn max_audio_bytes(probe: &Probe) -> u64 {
    16 * 1024 * 1024 + 20_000 * duration_seconds(probe)
}

fn duration_seconds(probe: &Probe) -> u64 {
    u64::try_from(probe.duration_ms.unwrap_or_default() / 1000).unwrap_or_default()
}

/// Input options that make the presentation begin at 0.
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
    let keep =
        probe.video == "h264" && Tools::needs_h264(probe) != ConversionNeed::ForAll && small_enough;
    let mut args = map_args(probe, true);
    if keep {
        // Only the sound has to change.
        args.extend(["-c:v", "copy", "-avoid_negative_ts", "disabled"].map(OsString::from));
    } else {
        let (width, height) = fitted_size(probe, MAX_SIDE);
        args.extend(h264_args(width, height, "setpts='if(eq(N,0),0,PTS)',"));
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
    let mut limits = Limits::encoding(duration_seconds(probe));
    if keep {
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

/// A bitstream filter that holds the last picture of [`h264_args`], which begins at `last`, until `end`; both in seconds.
pub(super) fn hold_last_frame_filter(last: f64, end: f64) -> String {
    format!(
        "setts=duration='if(gte(PTS*TB,{:.6}),max(1,{end:.6}/TB-PTS),DURATION)'",
        last - TIME_EPSILON
    )
}

/// H.264 for everyone; the pictures go through `before` first, which ends with a comma or is empty.
pub(super) fn h264_args(width: u32, height: u32, before: &str) -> Vec<OsString> {
    // A raw WebM says 1000 frames a second. Without `vfr` that many are made; without a level of our own x264 believes
    // it too and claims one that no telephone decodes. 8,704 macroblocks are what 4.2 allows (H.264, table A-1).
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
        // Pictures are decoded in the order in which they are shown: no edit list has to make up for it.
        ["-bf", "0"],
        ["-fps_mode", "vfr"],
        // The frame rate that a file claims is no grid for the times of its pictures.
        ["-enc_time_base", "1:90000"],
        // A still page has a frame a second: count key frames by time, or a seek decodes minutes.
        ["-force_key_frames", "expr:gte(t,n_forced*4)"],
        ["-threads", "1"],
        [
            "-vf",
            &format!("{before}{}", frame_size_filter(width, height)),
        ],
    ];
    args.iter().flatten().map(OsString::from).collect()
}

/// A captured window changes its size while it is recorded; every frame is made to fit the first one's.
fn frame_size_filter(width: u32, height: u32) -> String {
    format!(
        "scale=w='trunc(iw*sar/2)*2':h=ih,setsar=1,\
         scale={width}:{height}:force_original_aspect_ratio=decrease:force_divisible_by=2,\
         pad={width}:{height}:-1:-1,format=yuv420p"
    )
}

/// Even sides, none longer than `longest`, about the same shape.
pub(super) fn fitted_size(probe: &Probe, longest: u32) -> (u32, u32) {
    let longer = probe.width.max(probe.height).max(1);
    let side = |side: u32| {
        let side = if longer > longest {
            u64::from(side) * u64::from(longest) / u64::from(longer)
        } else {
            side.into()
        };
        u32::try_from(side / 2 * 2).unwrap_or(2).max(2)
    };
    (side(probe.width), side(probe.height))
}

pub(super) async fn poster(
    toolchain: &Toolchain,
    input: &Path,
    probe: &Probe,
    dir: &Path,
) -> Result<PathBuf> {
    let (width, height) = fitted_size(probe, POSTER_SIDE);
    // A second in, or a tenth of what is short; then the frame most like its neighbours, so not one in a fade from black.
    let start = probe.duration_ms.unwrap_or_default().min(10_000) / 10;
    let mut last = None;
    for start in [start, 0] {
        let mut args = map_args(probe, false);
        let filter = format!(
            "{},thumbnail=n=12",
            frame_size_filter(width, height).replace("format=yuv420p", "format=yuvj420p")
        );
        args.extend(
            [
                "-vf",
                &filter,
                "-frames:v",
                "1",
                "-c:v",
                "mjpeg",
                "-q:v",
                "2",
                "-f",
                "image2",
                "-update",
                "1",
            ]
            .map(OsString::from),
        );
        let seek = ["-ss".into(), format!("{start}ms").into()];
        let limits = Limits {
            time: Duration::from_secs(120),
            output: 32 * 1024 * 1024,
            last: false,
        };
        match run_ffmpeg(
            toolchain,
            input,
            probe,
            &seek,
            args,
            dir,
            "poster.jpg",
            limits,
        )
        .await
        {
            Ok(path) => return Ok(path),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| Error::internal("no poster")))
}

/// Nothing but the one picture and the one sound: no data, subtitles, chapters, names or places.
pub(super) fn map_args(probe: &Probe, with_audio: bool) -> Vec<OsString> {
    let mut args: Vec<OsString> = vec!["-map".into(), format!("0:{}", probe.video_stream).into()];
    if let Some(stream) = probe.audio_stream.filter(|_| with_audio) {
        args.extend(["-map".into(), format!("0:{stream}").into()]);
    }
    args.extend(["-map_metadata", "-1", "-map_chapters", "-1", "-dn", "-sn"].map(OsString::from));
    args
}

/// Runs ffmpeg in a directory of its own inside `dir`, and moves what it made to `dir/name` once it is whole.
#[allow(
    clippy::too_many_arguments,
    reason = "three callers, each with all of it"
)]
async fn run_ffmpeg(
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
    let made = own.path().join(name);
    // Past the end of a video ffmpeg makes nothing and is content.
    if tokio::fs::metadata(&made)
        .await
        .map_or(0, |about| about.len())
        == 0
    {
        return Err(Error::Unsupported(
            "This video is damaged: it cannot be converted.".into(),
        ));
    }
    let path = dir.join(name);
    tokio::fs::rename(made, &path).await?;
    Ok(path)
}
