//! Extracts the poster of a video.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::colors::Colors;
use super::convert::{fitted_size, frame_size_filter, map_args, run_ffmpeg};
use super::sandbox::Limits;
use super::{Probe, Toolchain};
use crate::error::{Error, Result};

/// The maximum side length of posters, in pixels.
const POSTER_SIDE: u32 = 1280;

/// A filter that drops black frames. A frame is black if at least 99% of its pixels are.
const DROP_BLACK_FILTER: &str = "blackframe=amount=0:threshold=32,\
    metadata=mode=select:key=lavfi.blackframe.pblack:value=99:function=less,";

/// Which frames of a video may become its poster.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Candidates {
    /// Non-black frames in the ten seconds that begin at the given millisecond.
    Near(i64),
    /// All key frames that are not black.
    KeyFrames,
    /// All frames that are not black.
    All,
    /// All frames from the given millisecond on, even black ones.
    AnyFrom(i64),
}

impl Candidates {
    fn input_args(self) -> Vec<OsString> {
        let from = |start: i64| ["-ss".to_owned(), format!("{start}ms")];
        let args: Vec<String> = match self {
            Self::Near(start) => from(start)
                .into_iter()
                .chain(["-t".to_owned(), "10".to_owned()])
                .collect(),
            Self::KeyFrames => vec!["-skip_frame".to_owned(), "nokey".to_owned()],
            Self::All => Vec::new(),
            Self::AnyFrom(start) => from(start).to_vec(),
        };
        args.into_iter().map(OsString::from).collect()
    }

    /// The time limit in seconds. `All` has a low limit, because it is tried only if no key frame
    /// can be used, and the video is then probably black throughout.
    fn max_seconds(self) -> u64 {
        if self == Self::All { 30 } else { 120 }
    }

    fn filter(self) -> &'static str {
        match self {
            Self::Near(_) | Self::KeyFrames | Self::All => DROP_BLACK_FILTER,
            Self::AnyFrom(_) => "",
        }
    }
}

/// Saves a poster in `dir`. Decodes further parts of the video only if all frames so far were black or could not be
/// decoded.
pub(super) async fn poster(
    toolchain: &Toolchain,
    input: &Path,
    probe: &Probe,
    dir: &Path,
) -> Result<PathBuf> {
    // Start one second into the video. In a video shorter than ten seconds, start after a tenth of its duration.
    let start = probe.duration_ms.unwrap_or_default().min(10_000) / 10;
    let mut poster = Err(Error::internal("there are no candidates for the poster"));
    for candidates in [
        Candidates::Near(start),
        Candidates::KeyFrames,
        Candidates::All,
        Candidates::AnyFrom(start),
        Candidates::AnyFrom(0),
    ] {
        poster = extract(toolchain, input, probe, candidates, dir).await;
        // Stop on success, and also if the video did not cause the error (for example, if the disk
        // is full), because other candidates would not help.
        if !matches!(poster, Err(Error::Unsupported(_))) {
            break;
        }
    }
    poster
}

/// Saves one of the candidates. Returns `Unsupported` if there are none, or if they cannot be
/// decoded in time.
async fn extract(
    toolchain: &Toolchain,
    input: &Path,
    probe: &Probe,
    candidates: Candidates,
    dir: &Path,
) -> Result<PathBuf> {
    let mut args = map_args(probe, false);
    args.extend(["-vf".into(), filter(probe, candidates).into()]);
    args.extend(
        [
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
    let limits = Limits {
        time: Duration::from_secs(candidates.max_seconds()),
        output: 32 * 1024 * 1024,
        low_priority: false,
    };
    run_ffmpeg(
        toolchain,
        input,
        probe,
        &candidates.input_args(),
        args,
        dir,
        "poster.jpg",
        limits,
    )
    .await
}

/// Returns the filter for the poster. Its output has the colors of a JPEG, which is always BT.601
/// in full range.
fn filter(probe: &Probe, candidates: Candidates) -> String {
    let (width, height) = fitted_size(probe, POSTER_SIDE);
    // The thumbnail filter avoids frames within a fade from black.
    format!(
        "{},{},{}thumbnail=n=12,\
         scale=in_color_matrix=bt709:in_range=tv:out_color_matrix=bt601:out_range=pc,format=yuvj420p",
        frame_size_filter(width, height),
        Colors::of(probe).screen_filter(),
        candidates.filter()
    )
}
