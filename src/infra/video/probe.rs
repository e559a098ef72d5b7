//! Looks at a video without believing it: its first bytes, its streams, and the times of its packets.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use tokio::io::AsyncReadExt;

use super::codecs::{EXPORT_ADVICE, codec_label};
use super::limits::{MAX_STREAMS, input_args, probe_limit_args};
use super::listing::{Listing, Track};
use super::sandbox::{Fault, Limits};
use super::selection::Selection;
use super::{Container, HEAD_BYTES, Probe, Toolchain, detect_container, edits};
use crate::error::{Error, Result};

/// Longer than this is a lie or a camera left on.
const MAX_DURATION_MS: i64 = 24 * 3_600_000;
/// Encoders prime an audio stream with samples that an edit list skips: a tenth of a second at most. More than this, in seconds, is somebody's cut.
pub(super) const MAX_PRIMING_SECONDS: f64 = 0.25;

/// An MP4 whose media begin this many seconds after 0 is a part of something longer.
const LATE_START_SECONDS: f64 = 0.5;

/// Which packets of a file are presented, and when. Times are in seconds of the packets.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Timeline {
    /// The packets' time that players call 0.
    pub(super) origin: f64,
    /// When the last picture or sound ends.
    pub(super) end: f64,
    pub(super) video: Track,
    pub(super) audio: Option<Track>,
    /// The format has a beginning of its own, and a delay after it belongs to the presentation.
    has_origin: bool,
}

impl Timeline {
    /// The beginning of an MP4 or MOV is 0, and an empty edit is a delay that belongs to it. In Matroska 0 has no meaning: it begins with its first
    /// packet, like an MP4 that is a part of a live stream, whose own times begin late (`decoded_from`, in seconds).
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

    /// Whether copying all packets copies nothing that is not presented, and puts the first picture where it belongs.
    pub(super) fn is_copied_exactly(&self) -> bool {
        let delay = self.video.first - self.origin;
        let hides = self.video.hidden > 0
            || self
                .audio
                .is_some_and(|audio| audio.hidden_seconds > MAX_PRIMING_SECONDS);
        // Elsewhere a delay of the pictures stays as it is: players show the first picture meanwhile.
        let in_place = !self.has_origin || (-0.001..=0.1).contains(&delay);
        !hides && !self.video.reordered && in_place
    }

    pub(super) fn without_audio(&self) -> Self {
        Self {
            audio: None,
            end: self.video.end,
            ..*self
        }
    }

    /// `None` where no packet has a time.
    pub(super) fn duration_ms(&self) -> Option<i64> {
        let duration = self.end - self.origin;
        #[allow(
            clippy::cast_possible_truncation,
            reason = "saturates, and the caller bounds it"
        )]
        duration
            .is_finite()
            .then(|| (duration.max(0.0) * 1000.0).round() as i64)
    }
}

pub(super) async fn probe(toolchain: &Toolchain, input: &Path) -> Result<Probe> {
    let input = tokio::fs::canonicalize(input).await?;
    let container = detect_container(&read_head(&input).await?).ok_or_else(unknown_format)?;
    let editable = matches!(container, Container::Mp4 | Container::QuickTime);
    let open_edits = editable && edits::all_are_open(&input).await?;
    let mut listing = Listing {
        excludes_before_zero: editable,
        ..Listing::default()
    };
    let args = probe_limit_args(container, open_edits);
    ffprobe(toolchain, &input, args, Listing::ENTRIES, |line| {
        listing.add_line(line)
    })
    .await
    .map_err(|fault| fault_error(fault, "read"))?;
    let mut selection = Selection::new(&listing)?;
    let unedited = if editable {
        read_unedited(toolchain, &input, container, &mut selection).await?
    } else {
        UneditedReading::default()
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
            "This video is longer than 24 hours. Cut it into parts.".into(),
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
        text_streams: selection.text_streams,
        lost_audio: selection.lost_audio,
        hides_frames: unedited.hides,
        open_edits,
        video_stream: selection.video.index,
        audio_stream: selection.audio.as_ref().map(|audio| audio.index),
        timeline,
    })
}

/// What a file holds if nobody heeds its edit lists.
#[derive(Default)]
struct UneditedReading {
    /// The streams that are used have packets that an edit list excludes.
    hides: bool,
    /// When the first packet of them is decoded, in seconds.
    decoded_from: f64,
}

/// Reads the file once more without edit lists: packets far from what is presented are not in the listing. Corrects the ends of the selected
/// tracks by it.
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
    let video = selection.video_track;
    let silenced = selection
        .audio_track
        .zip(all_audio)
        .is_some_and(|(audio, all)| {
            audio.hidden_seconds > MAX_PRIMING_SECONDS
                || all.shown_seconds - audio.shown_seconds > MAX_PRIMING_SECONDS
        });
    let cut =
        video.hidden > 0 || video.reordered || all_video.is_some_and(|all| all.shown > video.shown);
    let decoded_from = [all_video, all_audio]
        .into_iter()
        .flatten()
        .map(|track| track.decoded)
        .reduce(f64::min);
    Ok(UneditedReading {
        hides: cut || silenced,
        decoded_from: decoded_from.unwrap_or_default(),
    })
}

/// Runs ffprobe on `input` in the sandbox, with options that begin with those of [`probe_limit_args`]; `line` gets each line of what it lists.
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
        last: false,
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

async fn read_head(input: &Path) -> Result<Vec<u8>> {
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
        "This is not a video that Hearback takes: WebM, MKV, MP4 and MOV work.".into(),
    )
}

/// What a fault of ffmpeg means for the person whose video it is; what it said is for the log.
pub(super) fn fault_error(fault: Fault, verb: &str) -> Error {
    match fault {
        Fault::Io(error) => Error::internal(error),
        Fault::DiskFull => Error::Unavailable(
            "The disk is full. Your admin has to make room.".into(),
            "ffmpeg: no space left".into(),
        ),
        Fault::TimedOut => {
            tracing::warn!(verb, "ffmpeg took too long and was stopped");
            Error::Unsupported(
                "This video takes too long to work on. Upload it shorter, smaller, or as H.264."
                    .into(),
            )
        }
        Fault::Failed(said) if said.contains("max_streams") => Error::Unsupported(format!(
            "This file has more than {MAX_STREAMS} tracks. {EXPORT_ADVICE}"
        )),
        // The last line, after which ffprobe gives up. The line before it begins with the decoder, `[aac @ 0x55d0]`.
        Fault::Failed(said) if said.contains("Could not open codec for input stream") => {
            let decoder = said
                .split_once('[')
                .and_then(|(_, rest)| rest.split_once(" @"));
            let label = codec_label(decoder.map_or("unknown", |(name, _)| name), "");
            tracing::warn!(verb, said, "a stream cannot be opened");
            Error::Unsupported(format!(
                "A track of this video is coded as a kind of {label} that cannot be read here. {EXPORT_ADVICE}"
            ))
        }
        Fault::Failed(said) => {
            tracing::warn!(verb, said, "ffmpeg failed");
            Error::Unsupported(format!("This video is damaged: it cannot be {verb}."))
        }
    }
}
