//! Which audio is copied and which is converted, and to what.

use std::ffi::OsString;

use super::{Container, Probe};

/// Fills the gaps in the audio with silence. A recording has such gaps where it was paused.
const FILL_GAPS_FILTER: &str = "aresample=async=1:first_pts=0";

/// Whether the audio must be converted for this container. WebM keeps Opus. MP4 keeps Opus, AAC and
/// MP3.
pub(super) fn converts_audio(probe: &Probe, container: Container) -> bool {
    !matches!(
        (probe.audio.as_deref(), container),
        (None | Some("opus"), _) | (Some("aac" | "mp3"), Container::Mp4 | Container::QuickTime)
    )
}

/// Options that copy the audio, or convert it if this container does not keep it. `before` contains
/// filters to apply before the conversion; it is empty or ends with a comma.
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

/// Options for stereo AAC. `before` contains filters to apply before encoding; it is empty or ends with a comma.
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

/// The maximum size of converted audio in bytes, with a margin.
pub(super) fn max_audio_bytes(probe: &Probe) -> u64 {
    16 * 1024 * 1024 + 20_000 * probe.duration_seconds()
}
