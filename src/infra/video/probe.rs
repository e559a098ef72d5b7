//! Inspects an untrusted video: its first bytes, its streams and its packets' timestamps.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use tokio::io::AsyncReadExt;

use super::codecs::codec_label;
use super::ffprobe_output::{Listing, Track};
use super::limits::{MAX_STREAMS, input_args, probe_limit_args};
use super::movie_headers::MovieHeaders;
use super::sandbox::{Fault, Limits};
use super::select_streams::Selection;
use super::unsupported::EXPORT_ADVICE;
use super::{Container, HEAD_BYTES, Probe, Toolchain, detect_container, edit_lists};
use crate::error::{Error, Result};

/// The maximum duration. A longer video is invalid or comes from a camera that was left running.
const MAX_DURATION_MS: i64 = 24 * 3_600_000;
/// An MP4 whose media starts at least this many seconds after 0 is part of a longer stream.
const LATE_START_SECONDS: f64 = 0.5;

/// The timeline of a video: when its selected tracks start and end. All values are packet timestamps, in seconds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Timeline {
    /// The packet timestamp that corresponds to 0:00 in players.
    pub(super) origin: f64,
    /// The time at which the video or the audio ends, whichever is later.
    pub(super) end: f64,
    pub(super) video: Track,
    pub(super) audio: Option<Track>,
    /// Whether the timeline starts at 0 even if the first packet starts later. The delay before the first packet then
    /// counts as part of the video.
    has_origin: bool,
}

impl Timeline {
    /// Derives the timeline from the selected tracks. A Matroska timeline starts with the first
    /// packet. An MP4 or MOV timeline starts at 0, so it includes the delay that an empty edit
    /// causes. An MP4 that was cut from a live stream is an exception: like a Matroska timeline,
    /// its timeline starts with the first packet. Its decoding starts late: `decoded_from`, in
    /// seconds, is at least [`LATE_START_SECONDS`].
    fn new(container: Container, video: Track, audio: Option<Track>, decoded_from: f64) -> Self {
        let first = audio.map_or(video.first, |audio| audio.first.min(video.first));
        let has_origin = match container {
            Container::Mp4 | Container::QuickTime => decoded_from < LATE_START_SECONDS,
            Container::Matroska | Container::WebM => false,
        };
        let end = audio.map_or(video.end, |audio| audio.end.max(video.end));
        Self {
            origin: if has_origin { 0.0 } else { first },
            end,
            video,
            audio,
            has_origin,
        }
    }

    /// Whether a copy of all packets contains no hidden content and shows the first frame at the
    /// right time.
    pub(super) fn is_copied_exactly(&self) -> bool {
        let delay = self.video.first - self.origin;
        let hides = edit_lists::hide_listed_packets(&self.video, self.audio.as_ref());
        // If the timeline starts with the first packet, the video may start later than the audio. Players then show the
        // first frame until the video starts.
        let in_place = !self.has_origin || (-0.001..=0.1).contains(&delay);
        !hides && in_place
    }

    pub(super) fn without_audio(&self) -> Self {
        Self {
            audio: None,
            end: self.video.end,
            ..*self
        }
    }

    /// Returns the timeline of an exact copy in another container.
    pub(super) fn copied_to(&self, container: Container) -> Self {
        let track = |track: Track| track.earlier_by(self.origin);
        Self {
            origin: 0.0,
            end: self.end - self.origin,
            video: track(self.video),
            audio: self.audio.map(track),
            has_origin: matches!(container, Container::Mp4 | Container::QuickTime),
        }
    }

    /// The duration in milliseconds, or `None` if no packet has a timestamp.
    pub(super) fn duration_ms(&self) -> Option<i64> {
        let duration = self.end - self.origin;
        #[allow(
            clippy::cast_possible_truncation,
            reason = "the cast saturates, and the caller bounds the result"
        )]
        duration
            .is_finite()
            .then(|| (duration.max(0.0) * 1000.0).round() as i64)
    }
}

/// How many packets [`list_packets`] reads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Everything,
    /// Only the first two seconds.
    Start,
}

/// Probes the whole file.
pub(super) async fn probe(toolchain: &Toolchain, input: &Path) -> Result<Probe> {
    probe_extent(toolchain, input, Extent::Everything).await
}

/// Probes only the start of a file. The ends of the tracks, and thus the duration, are too early. A stream that starts
/// later is not selected.
pub(super) async fn probe_start(toolchain: &Toolchain, input: &Path) -> Result<Probe> {
    probe_extent(toolchain, input, Extent::Start).await
}

async fn probe_extent(toolchain: &Toolchain, input: &Path, extent: Extent) -> Result<Probe> {
    let input = tokio::fs::canonicalize(input).await?;
    let container = detect_container(&read_head(&input).await?).ok_or_else(unknown_format)?;
    let editable = edit_lists::can_occur_in(container);
    let headers = if editable {
        MovieHeaders::open(&input).await?
    } else {
        MovieHeaders::default()
    };
    let open_edits = headers.all_edits_are_open();
    let listing = list_packets(toolchain, &input, container, open_edits, extent).await?;
    let mut selection = Selection::new(&listing)?;
    let unedited = if !editable {
        UneditedReading::default()
    } else if headers.has_no_edits || extent == Extent::Start {
        UneditedReading::same_as(&selection)
    } else {
        read_unedited(toolchain, &input, container, &mut selection).await?
    };
    let timeline = Timeline::new(
        container,
        selection.video_track,
        selection.audio_track,
        unedited.decoded_from,
    );
    let duration_ms = timeline.duration_ms();
    if duration_ms.is_some_and(|duration| duration > MAX_DURATION_MS) {
        return Err(Error::TooLarge(
            "This video is longer than 24 hours. Split it into shorter videos.".into(),
        ));
    }
    Ok(Probe {
        duration_ms,
        width: selection.width,
        height: selection.height,
        video: selection.video.codec.clone(),
        audio: selection.audio.as_ref().map(|audio| audio.codec.clone()),
        container,
        pixel_format: selection.video.pixels.clone(),
        color_tags: selection.video.color_tags.clone(),
        stored_height: selection.video.size.1,
        text_streams: selection.text_streams,
        lost_audio: selection.lost_audio,
        hides_frames: unedited.hides,
        open_edits,
        video_stream: selection.video.index,
        audio_stream: selection.audio.as_ref().map(|audio| audio.index),
        timeline,
    })
}

async fn list_packets(
    toolchain: &Toolchain,
    input: &Path,
    container: Container,
    open_edits: bool,
    extent: Extent,
) -> Result<Listing> {
    let mut listing = Listing {
        excludes_before_zero: edit_lists::can_occur_in(container),
        ..Listing::default()
    };
    let mut args = probe_limit_args(container, open_edits);
    if extent == Extent::Start {
        args.extend(["-read_intervals", "%+2"].map(OsString::from));
    }
    ffprobe(toolchain, input, args, Listing::ENTRIES, |line| {
        listing.add_line(line)
    })
    .await
    .map_err(|fault| fault_error(fault, "read"))?;
    Ok(listing)
}

/// The result of [`read_unedited`], which ignores edit lists.
#[derive(Default)]
struct UneditedReading {
    /// Whether an edit list hides packets of the selected streams.
    hides: bool,
    /// The decoding time of the first packet of the selected streams, in seconds.
    decoded_from: f64,
}

impl UneditedReading {
    /// The result for a file without edit lists, which lists the same packets in both readings.
    fn same_as(selection: &Selection) -> Self {
        let (video, audio) = (&selection.video_track, selection.audio_track.as_ref());
        Self {
            hides: edit_lists::hide_listed_packets(video, audio),
            decoded_from: audio.map_or(video.decoded, |audio| audio.decoded.min(video.decoded)),
        }
    }
}

/// Reads the packets again with edit lists ignored, because otherwise ffprobe does not list packets far outside the
/// range that players show. Corrects the ends of the selected tracks.
async fn read_unedited(
    toolchain: &Toolchain,
    input: &Path,
    container: Container,
    selection: &mut Selection,
) -> Result<UneditedReading> {
    let mut all = Listing::default();
    all.measure_last(selection.video.index, &selection.video_track);
    if let Some((audio, track)) = selection.audio.as_ref().zip(selection.audio_track.as_ref()) {
        all.measure_last(audio.index, track);
    }
    let entries = "packet=stream_index,pts_time,dts_time,duration_time,pos";
    let mut args = probe_limit_args(container, false);
    args.extend(["-ignore_editlist", "1"].map(OsString::from));
    ffprobe(toolchain, input, args, entries, |line| all.add_line(line))
        .await
        .map_err(|fault| fault_error(fault, "read"))?;
    selection.video_track = all.ending_with_media(selection.video.index, selection.video_track);
    selection.audio_track = selection
        .audio
        .as_ref()
        .zip(selection.audio_track)
        .map(|(audio, track)| all.ending_with_media(audio.index, track));
    let all_video = all.tracks.get(&selection.video.index);
    let all_audio = selection
        .audio
        .as_ref()
        .and_then(|audio| all.tracks.get(&audio.index));
    let decoded_from = [all_video, all_audio]
        .into_iter()
        .flatten()
        .map(|track| track.decoded)
        .reduce(f64::min);
    Ok(UneditedReading {
        hides: edit_lists::hide_listed_packets(
            &selection.video_track,
            selection.audio_track.as_ref(),
        ) || edit_lists::hide_unlisted_packets(
            (&selection.video_track, all_video),
            (selection.audio_track.as_ref(), all_audio),
        ),
        decoded_from: decoded_from.unwrap_or_default(),
    })
}

/// Runs ffprobe on `input` in the sandbox. The options must start with those of
/// [`probe_limit_args`]. Calls `line` for each output line.
pub(super) async fn ffprobe(
    toolchain: &Toolchain,
    input: &Path,
    mut args: Vec<OsString>,
    entries: &str,
    line: impl FnMut(&str),
) -> Result<(), Fault> {
    args.extend(input_args(input));
    args.extend(["-show_entries", entries, "-of", "compact"].map(OsString::from));
    let dir = tempfile::tempdir().map_err(Fault::Io)?;
    let limits = Limits {
        time: Duration::from_secs(300),
        output: 0,
        low_priority: false,
    };
    toolchain
        .sandbox
        .run(
            &toolchain.ffprobe,
            &args,
            Some(input),
            dir.path(),
            limits,
            line,
        )
        .await
}

/// Reads the first [`HEAD_BYTES`] bytes of a file.
pub(super) async fn read_head(input: &Path) -> Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    tokio::fs::File::open(input)
        .await?
        .take(HEAD_BYTES as u64)
        .read_to_end(&mut head)
        .await?;
    Ok(head)
}

fn unknown_format() -> Error {
    Error::Unsupported(
        "This file is not a video in a supported format. Use WebM, MKV, MP4 or MOV.".into(),
    )
}

/// Converts an ffmpeg fault into a message for the person who uploaded the video. ffmpeg's output goes to the log.
pub(super) fn fault_error(fault: Fault, verb: &str) -> Error {
    match fault {
        Fault::Io(error) => Error::internal(error),
        Fault::DiskFull => Error::Unavailable(
            "The disk is full. Your admin has to free some space.".into(),
            "ffmpeg: no space left".into(),
        ),
        Fault::TimedOut => {
            tracing::warn!(verb, "ffmpeg took too long and was stopped");
            Error::Unsupported(
                "Processing this video takes too long. Upload a shorter or smaller video, or one encoded as H.264."
                    .into(),
            )
        }
        Fault::Failed(output) if output.contains("max_streams") => Error::Unsupported(format!(
            "This file has more than {MAX_STREAMS} tracks. {EXPORT_ADVICE}"
        )),
        // ffprobe prints this message last. The preceding line starts with the decoder, for example
        // `[aac @ 0x55d0]`.
        Fault::Failed(output) if output.contains("Could not open codec for input stream") => {
            let decoder = output
                .split_once('[')
                .and_then(|(_, rest)| rest.split_once(" @"));
            let label = codec_label(decoder.map_or("unknown", |(name, _)| name), "");
            tracing::warn!(verb, output, "ffprobe could not open a stream");
            Error::Unsupported(format!(
                "A track of this video uses a variant of {label} that Hearback cannot read. {EXPORT_ADVICE}"
            ))
        }
        Fault::Failed(output) => {
            tracing::warn!(verb, output, "ffmpeg failed");
            Error::Unsupported(format!("This video is damaged: it cannot be {verb}."))
        }
    }
}
