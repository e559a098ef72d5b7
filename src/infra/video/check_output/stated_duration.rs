//! Reads the duration of a copy from its header. ffmpeg writes the header last, from the packets that it has written.

use std::path::Path;

use crate::error::Result;
use crate::infra::video::Container;
use crate::infra::video::detect_container::ebml_element;
use crate::infra::video::edit_lists::MAX_PRIMING_SECONDS;
use crate::infra::video::ffprobe_output::Track;
use crate::infra::video::movie_headers::{MovieHeaders, TrackHeaders};
use crate::infra::video::probe::{Timeline, read_head};

/// The maximum difference between a duration in an MP4 header and the same duration in an edit list, in seconds. Edit
/// lists use milliseconds.
const ROUNDING: f64 = 0.002;
/// The default unit of times in Matroska, in nanoseconds (RFC 9559 §5.1.2.9).
const DEFAULT_TIMESTAMP_SCALE: f64 = 1_000_000.0;

/// Returns the duration of a copy in milliseconds, as its header states it. Returns `None` if the header does not state
/// it, or if it does not rule out that the copy hides packets of the source.
pub(super) async fn stated_duration(
    path: &Path,
    container: Container,
    source: &Timeline,
) -> Result<Option<i64>> {
    let seconds = match container {
        Container::Matroska | Container::WebM => matroska_seconds(&read_head(path).await?),
        Container::Mp4 | Container::QuickTime => {
            mp4_seconds(&MovieHeaders::open(path).await?, source)
        }
    };
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the cast saturates, and the caller compares the result with a valid duration"
    )]
    let milliseconds = seconds.map(|seconds| (seconds * 1000.0).round() as i64);
    Ok(milliseconds)
}

/// Returns the duration in the Info element of a Matroska file. `head` is the start of the file.
fn matroska_seconds(head: &[u8]) -> Option<f64> {
    let (_, _, after_header) = ebml_element(head)?;
    // The segment does not fit into `head`, so skip only its id and size.
    let mut rest = after_header.strip_prefix(&[0x18, 0x53, 0x80, 0x67])?;
    let size = rest.first()?.leading_zeros() as usize + 1;
    rest = rest.get(size..)?;
    loop {
        let (id, content, after) = ebml_element(rest)?;
        if id == [0x15, 0x49, 0xa9, 0x66] {
            return info_seconds(content);
        }
        rest = after;
    }
}

fn info_seconds(mut info: &[u8]) -> Option<f64> {
    let (mut scale, mut duration) = (DEFAULT_TIMESTAMP_SCALE, None);
    while let Some((id, content, after)) = ebml_element(info) {
        match id {
            [0x2a, 0xd7, 0xb1] => {
                scale = content
                    .iter()
                    .fold(0.0, |scale, byte| scale * 256.0 + f64::from(*byte))
            }
            [0x44, 0x89] => duration = content.first_chunk().copied().map(f64::from_be_bytes),
            _ => {}
        }
        info = after;
    }
    Some(duration? * scale / 1e9)
}

/// Returns the time at which the longer of one or two tracks ends. The first is the video.
fn mp4_seconds(headers: &MovieHeaders, source: &Timeline) -> Option<f64> {
    let sources = [Some(&source.video), source.audio.as_ref()];
    if headers.timescale == 0 || headers.tracks.len() != sources.iter().flatten().count() {
        return None;
    }
    let unit = f64::from(headers.timescale);
    let video = track_seconds(
        &headers.tracks[0],
        unit,
        decoding_delay(&source.video),
        ROUNDING,
    )?;
    match headers.tracks.get(1) {
        Some(audio) => Some(track_seconds(audio, unit, 0.0, MAX_PRIMING_SECONDS)?.max(video)),
        None => Some(video),
    }
}

/// How much earlier than shown the first packet is decoded, in seconds.
fn decoding_delay(video: &Track) -> f64 {
    video.first - video.decoded
}

/// Returns the time at which a track ends. Returns `None` if its edit list skips more than `max_skipped` seconds, not
/// counting the `delay` of decoding, or does not show the rest to its end. `unit` is the timescale of the movie.
#[allow(
    clippy::cast_precision_loss,
    reason = "a time of at most a day is below 2^52 in any unit"
)]
fn track_seconds(track: &TrackHeaders, unit: f64, delay: f64, max_skipped: f64) -> Option<f64> {
    let (late, edit) = match track.edits.as_deref()? {
        [edit] => (0.0, edit),
        [late, edit] if late.begin.is_none() => (late.duration as f64 / unit, edit),
        _ => return None,
    };
    let media_unit = f64::from(track.timescale);
    let skipped = edit.begin? as f64 / media_unit - delay;
    let (shown, media) = (
        edit.duration as f64 / unit,
        track.duration as f64 / media_unit,
    );
    let whole = skipped <= max_skipped && (media - skipped - shown).abs() <= ROUNDING;
    whole.then_some(late + shown)
}
