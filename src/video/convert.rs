//! What ffmpeg makes of a video: a seekable copy, an H.264 copy, a still.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::cage::Bounds;
use super::probe::{failed, guards, input_words};
use super::{Container, Found, Need, Output, Probe, Tools};
use crate::error::{Error, Result};

/// The longer side of the H.264 copy.
const LARGEST: u32 = 1920;
/// The longer side of a poster.
const POSTER: u32 = 1280;

pub(super) async fn seekable(found: &Found, input: &Path, probe: &Probe, dir: &Path) -> Result<Output> {
    let container = target(probe);
    let mut args = mapped(probe, true);
    args.extend(["-c", "copy"].map(OsString::from));
    match container {
        Container::Mp4 | Container::QuickTime => {
            args.extend(["-movflags", "+faststart", "-avoid_negative_ts", "make_zero"].map(OsString::from));
            if probe.video == "hevc" {
                // Apple plays HEVC under this name only.
                args.extend(["-tag:v", "hvc1"].map(OsString::from));
            }
        }
        // The index before the pictures: 2 requests to seek instead of 5.
        Container::Matroska | Container::WebM => args.extend(["-cues_to_front", "1"].map(OsString::from)),
    }
    let length = tokio::fs::metadata(input).await?.len();
    let bounds = Bounds { time: Duration::from_secs(15 * 60), output: length + length / 4 + 16 * 1024 * 1024, last: false };
    let name = format!("seekable.{}", container.extension());
    let path = run(found, input, probe, &[], args, dir, &name, bounds).await?;
    Ok(Output {
        path,
        content_type: container.content_type(),
        extension: container.extension(),
        width: probe.width,
        height: probe.height,
        duration_ms: probe.duration_ms,
    })
}

/// The container that most players know for these codecs.
pub(super) fn target(probe: &Probe) -> Container {
    let opus = matches!(probe.audio.as_deref(), None | Some("opus"));
    let matroska = matches!(probe.container, Container::Matroska | Container::WebM);
    match &*probe.video {
        "h264" | "hevc" => Container::Mp4,
        "vp8" if opus => Container::WebM,
        // WebM takes no other sound, MP4 no VP8.
        "vp8" => Container::Matroska,
        _ if matroska && opus => Container::WebM,
        _ => Container::Mp4,
    }
}

pub(super) async fn h264(found: &Found, input: &Path, probe: &Probe, dir: &Path) -> Result<Output> {
    let small_enough = probe.width.max(probe.height) <= LARGEST;
    let keep = probe.video == "h264" && Tools::needs_h264(probe) != Need::ForAll && small_enough;
    let (width, height) = if keep { (probe.width, probe.height) } else { fit(probe, LARGEST) };
    let mut args = mapped(probe, true);
    if keep {
        // Only the sound has to change.
        args.extend(["-c:v", "copy"].map(OsString::from));
    } else {
        args.extend(encoder(width, height, ""));
    }
    // The filter closes the gaps that a paused recording leaves.
    args.extend(["-c:a", "aac", "-b:a", "128k", "-ac", "2", "-ar", "48000", "-af", "aresample=async=1:first_pts=0"].map(OsString::from));
    args.extend(["-movflags", "+faststart", "-max_muxing_queue_size", "4096"].map(OsString::from));
    let seconds = u64::try_from(probe.duration_ms.unwrap_or_default() / 1000).unwrap_or_default();
    let mut bounds = Bounds::encoding(seconds);
    if keep {
        bounds.output += tokio::fs::metadata(input).await?.len();
    }
    let path = run(found, input, probe, &[], args, dir, "h264.mp4", bounds).await?;
    let (content_type, extension) = (Container::Mp4.content_type(), Container::Mp4.extension());
    Ok(Output { path, content_type, extension, width, height, duration_ms: probe.duration_ms })
}

/// H.264 for everyone; the pictures go through `before` first, which ends with a comma or is empty.
pub(super) fn encoder(width: u32, height: u32, before: &str) -> Vec<OsString> {
    // A raw WebM says 1000 frames a second. Without `vfr` that many are made; without a level of our own x264 believes
    // it too and claims one that no telephone decodes. 8,704 macroblocks are what 4.2 allows (H.264, table A-1).
    let level = if width.div_ceil(16) * height.div_ceil(16) <= 8704 { "4.2" } else { "5.1" };
    let words = [
        ["-c:v", "libx264"],
        ["-profile:v", "high"],
        ["-level:v", level],
        ["-preset", "veryfast"],
        ["-crf", "23"],
        ["-fps_mode", "vfr"],
        // A still page has a frame a second: count key frames by time, or a seek decodes minutes.
        ["-force_key_frames", "expr:gte(t,n_forced*4)"],
        ["-threads", "1"],
        ["-vf", &format!("{before}{}", frame(width, height))],
    ];
    words.iter().flatten().map(OsString::from).collect()
}

/// A captured window changes its size while it is recorded; every frame is made to fit the first one's.
fn frame(width: u32, height: u32) -> String {
    format!(
        "scale=w='trunc(iw*sar/2)*2':h=ih,setsar=1,\
         scale={width}:{height}:force_original_aspect_ratio=decrease:force_divisible_by=2,\
         pad={width}:{height}:-1:-1,format=yuv420p"
    )
}

/// Even sides, none longer than `longest`, about the same shape.
pub(super) fn fit(probe: &Probe, longest: u32) -> (u32, u32) {
    let longer = probe.width.max(probe.height).max(1);
    let side = |side: u32| {
        let side = if longer > longest { u64::from(side) * u64::from(longest) / u64::from(longer) } else { side.into() };
        u32::try_from(side / 2 * 2).unwrap_or(2).max(2)
    };
    (side(probe.width), side(probe.height))
}

pub(super) async fn poster(found: &Found, input: &Path, probe: &Probe, dir: &Path) -> Result<PathBuf> {
    let (width, height) = fit(probe, POSTER);
    // A second in, or a tenth of what is short; then the frame most like its neighbours, so not one in a fade from black.
    let start = probe.duration_ms.unwrap_or_default().min(10_000) / 10;
    let mut last = None;
    for start in [start, 0] {
        let mut args = mapped(probe, false);
        let filter = format!("{},thumbnail=n=12", frame(width, height).replace("format=yuv420p", "format=yuvj420p"));
        args.extend(["-vf", &filter, "-frames:v", "1", "-c:v", "mjpeg", "-q:v", "2", "-f", "image2", "-update", "1"].map(OsString::from));
        let seek = ["-ss".into(), format!("{start}ms").into()];
        let bounds = Bounds { time: Duration::from_secs(120), output: 32 * 1024 * 1024, last: false };
        match run(found, input, probe, &seek, args, dir, "poster.jpg", bounds).await {
            Ok(path) => return Ok(path),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| Error::internal("no poster")))
}

/// Nothing but the one picture and the one sound: no data, subtitles, chapters, names or places.
pub(super) fn mapped(probe: &Probe, sound: bool) -> Vec<OsString> {
    let mut args: Vec<OsString> = vec!["-map".into(), format!("0:{}", probe.video_stream).into()];
    if let Some(stream) = probe.audio_stream.filter(|_| sound) {
        args.extend(["-map".into(), format!("0:{stream}").into()]);
    }
    args.extend(["-map_metadata", "-1", "-map_chapters", "-1", "-dn", "-sn"].map(OsString::from));
    args
}

/// Runs ffmpeg in a directory of its own inside `dir`, and moves what it made to `dir/name` once it is whole.
#[allow(clippy::too_many_arguments, reason = "three callers, each with all of it")]
async fn run(
    found: &Found,
    input: &Path,
    probe: &Probe,
    seek: &[OsString],
    args: Vec<OsString>,
    dir: &Path,
    name: &str,
    bounds: Bounds,
) -> Result<PathBuf> {
    let input = tokio::fs::canonicalize(input).await?;
    let dir = tokio::fs::canonicalize(dir).await?;
    let own = tempfile::tempdir_in(&dir)?;
    let mut words: Vec<OsString> = ["-nostdin", "-hide_banner", "-nostats", "-y"].map(OsString::from).to_vec();
    words.extend(guards(probe.container));
    words.extend_from_slice(seek);
    words.extend(input_words(&input));
    words.extend(args);
    words.push(format!("file:{name}").into());
    let ran = found.cage.run(&found.ffmpeg, &words, Some(&input), own.path(), bounds, |_| {}).await;
    ran.map_err(|fault| failed(fault, "converted"))?;
    let made = own.path().join(name);
    // Past the end of a video ffmpeg makes nothing and is content.
    if tokio::fs::metadata(&made).await.map_or(0, |about| about.len()) == 0 {
        return Err(Error::Unsupported("This video is damaged: it cannot be converted.".into()));
    }
    let path = dir.join(name);
    tokio::fs::rename(made, &path).await?;
    Ok(path)
}
