//! Checks each video that Hearback has created, before anyone can fetch it.

mod stated_duration;

use std::path::{Path, PathBuf};

use self::stated_duration::stated_duration;
use super::probe::probe;
use super::unsupported::EXPORT_ADVICE;
use super::{Container, Output, Probe, Toolchain};
use crate::error::{Error, Result};

/// The minimum tolerance for the duration of a copy, in milliseconds. If a frame lasts longer, the
/// tolerance is the duration of one frame.
const TOLERANCE_MS: i64 = 100;
/// The maximum tolerance, in milliseconds, even if a frame lasts longer.
const LONGEST_FRAME_MS: i64 = 1_000;

/// Accepts a file created by ffmpeg if it has the expected duration and hides nothing; otherwise
/// returns `Unsupported`. `expected_ms` is `None` if the duration of the source is unknown.
pub(super) async fn checked_output(
    toolchain: &Toolchain,
    path: PathBuf,
    container: Container,
    expected_ms: Option<i64>,
) -> Result<Output> {
    let probe = probe(toolchain, &path).await?;
    if probe.hides_frames {
        tracing::error!(path = %path.display(), "a converted copy still contains frames that were cut away");
        return Err(Error::Unsupported(format!(
            "A converted copy of this video still contains the part that was cut away. {EXPORT_ADVICE}"
        )));
    }
    if let Some((expected, actual)) = expected_ms.zip(probe.duration_ms)
        && (expected - actual).abs() > tolerance_ms(probe.timeline.video.interval())
    {
        tracing::error!(expected, actual, "a converted copy has the wrong duration");
        let detail = format!(
            "The converted copy of this video is {actual} ms long instead of {expected} ms, \
             so it is not shown. {EXPORT_ADVICE}"
        );
        return Err(Error::Unsupported(detail));
    }
    let duration_ms = expected_ms.or(probe.duration_ms);
    Ok(output(path, container, duration_ms, probe))
}

/// Accepts an exact copy of `source` in the same way as [`checked_output`]. Reads only the header of the copy if the
/// header proves that the copy is right; otherwise, reads all packets.
pub(super) async fn checked_copy(
    toolchain: &Toolchain,
    path: PathBuf,
    container: Container,
    source: &Probe,
) -> Result<Output> {
    if !is_proven_by_header(&path, container, source).await? {
        return checked_output(toolchain, path, container, source.duration_ms).await;
    }
    let probe = source.copied_to(container);
    Ok(output(path, container, source.duration_ms, probe))
}

/// Whether the header of an exact copy states the right duration and hides no packets.
pub(super) async fn is_proven_by_header(
    path: &Path,
    container: Container,
    source: &Probe,
) -> Result<bool> {
    let stated = stated_duration(path, container, &source.timeline).await?;
    let durations = source.duration_ms.zip(stated);
    Ok(durations.is_some_and(|(expected, stated)| (expected - stated).abs() <= TOLERANCE_MS))
}

fn output(path: PathBuf, container: Container, duration_ms: Option<i64>, probe: Probe) -> Output {
    Output {
        path,
        content_type: container.content_type(),
        extension: container.extension(),
        width: probe.width,
        height: probe.height,
        duration_ms,
        note: None,
        probe,
    }
}

fn tolerance_ms(frame_seconds: f64) -> i64 {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the next statement clamps the value"
    )]
    let frame = (frame_seconds * 1000.0).ceil() as i64;
    frame.clamp(TOLERANCE_MS, LONGEST_FRAME_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duration_tolerance_is_one_frame_but_at_least_100_ms_and_at_most_1_s() {
        assert_eq!(
            [0.0, 0.033, 0.2, 5.0].map(tolerance_ms),
            [100, 100, 200, 1_000]
        );
    }
}
