//! Every video that we make is measured before anybody gets it.

use std::path::PathBuf;

use super::codecs::EXPORT_ADVICE;
use super::probe::probe;
use super::{Container, Output, Toolchain};
use crate::error::{Error, Result};

/// A copy may be longer or shorter by this many milliseconds, or by a frame where that is more.
const TOLERANCE_MS: i64 = 100;
/// No frame counts for more milliseconds than this.
const LONGEST_FRAME_MS: i64 = 1_000;

/// Takes a file that ffmpeg made, if it is as long as it should be and hides nothing. `expected_ms` is `None` where the length of the source is not known.
/// Answers `Unsupported` for any other file.
pub(super) async fn checked_output(
    toolchain: &Toolchain,
    path: PathBuf,
    container: Container,
    expected_ms: Option<i64>,
) -> Result<Output> {
    let probe = probe(toolchain, &path).await?;
    if probe.hides_frames {
        tracing::error!(path = %path.display(), "a copy hides frames");
        return Err(Error::Unsupported(format!(
            "A copy of this video would contain what was cut away. {EXPORT_ADVICE}"
        )));
    }
    if let Some((expected, is)) = expected_ms.zip(probe.duration_ms)
        && (expected - is).abs() > tolerance_ms(probe.timeline.video.interval())
    {
        tracing::error!(expected, is, "a copy has the wrong length");
        let detail = format!(
            "A copy of this video came out {is} ms long instead of {expected} ms, so it is not shown. {EXPORT_ADVICE}"
        );
        return Err(Error::Unsupported(detail));
    }
    Ok(Output {
        path,
        content_type: container.content_type(),
        extension: container.extension(),
        width: probe.width,
        height: probe.height,
        duration_ms: expected_ms.or(probe.duration_ms),
        note: None,
        probe,
    })
}

fn tolerance_ms(frame_seconds: f64) -> i64 {
    #[allow(clippy::cast_possible_truncation, reason = "bounded by the line below")]
    let frame = (frame_seconds * 1000.0).ceil() as i64;
    frame.clamp(TOLERANCE_MS, LONGEST_FRAME_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerance_is_a_frame_but_at_least_100_ms_and_at_most_a_second() {
        assert_eq!(
            [0.0, 0.033, 0.2, 5.0].map(tolerance_ms),
            [100, 100, 200, 1_000]
        );
    }
}
