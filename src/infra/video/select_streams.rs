//! Selects the streams of a file: the first video in a supported codec, and the audio with the best
//! browser support.

use super::browser_support::{AudioSupport, audio_support};
use super::codecs::{codec_label, video_decoders};
use super::ffprobe_output::{Listing, Stream, StreamKind, Track};
use super::unsupported::{EXPORT_ADVICE, unsupported_video};
use crate::error::{Error, Result};

/// The maximum number of pixels (8K), which limits the memory that a decoder allocates for a frame.
const MAX_PIXELS: u64 = 36_000_000;

/// A text stream of a video, for example subtitles.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TextStream {
    /// The index of the stream in ffmpeg's numbering (`-map 0:N`).
    pub index: u32,
    /// ffmpeg's name for the text format, for example `subrip`, `mov_text` or `webvtt`.
    pub codec: String,
    /// The language tag from the file, which is not validated.
    pub language: Option<String>,
}

/// The selected streams.
pub(super) struct Selection {
    pub(super) video: Stream,
    pub(super) video_track: Track,
    pub(super) audio: Option<Stream>,
    pub(super) audio_track: Option<Track>,
    /// The name of the audio codec, if the file has audio but none of it can be decoded.
    pub(super) lost_audio: Option<String>,
    pub(super) text_streams: Vec<TextStream>,
    /// The displayed width and height, in pixels.
    pub(super) width: u32,
    pub(super) height: u32,
}

impl Selection {
    pub(super) fn new(listing: &Listing) -> Result<Self> {
        let (video, video_track) = choose_video(listing)?;
        let (width, height) = size_as_shown(&video)?;
        let audio = choose_audio(listing);
        let readable = audio
            .clone()
            .filter(|(stream, _)| audio_support_of(stream) != AudioSupport::Unreadable);
        let lost_audio = match (&audio, &readable) {
            (Some((stream, _)), None) => Some(codec_label(&stream.codec, &stream.tag)),
            _ => None,
        };
        let (audio, audio_track) = readable.unzip();
        let text_streams = listing
            .streams
            .iter()
            .filter(|stream| stream.kind == StreamKind::Text)
            .map(|stream| TextStream {
                index: stream.index,
                codec: stream.codec.clone(),
                language: stream.language.clone(),
            });
        Ok(Self {
            video,
            video_track,
            audio,
            audio_track,
            lost_audio,
            text_streams: text_streams.collect(),
            width,
            height,
        })
    }
}

/// Returns the streams of the given kind, each with its track. Leaves out cover pictures, and
/// streams without visible packets.
fn with_packets(listing: &Listing, kind: StreamKind) -> impl Iterator<Item = (Stream, Track)> {
    let streams = listing
        .streams
        .iter()
        .filter(move |stream| stream.kind == kind && !stream.is_picture);
    streams.filter_map(|stream| {
        let track = listing
            .tracks
            .get(&stream.index)
            .filter(|track| track.shown > 0)?;
        Some((stream.clone(), *track))
    })
}

/// Returns the first video stream in a supported codec. Default streams have priority. Fails if
/// there is none, or if it is copy-protected.
fn choose_video(listing: &Listing) -> Result<(Stream, Track)> {
    let mut videos: Vec<_> = with_packets(listing, StreamKind::Video).collect();
    // The sort is stable, so the first of equal streams wins.
    videos.sort_by_key(|(stream, _)| (video_decoders(&stream.codec).is_none(), !stream.is_default));
    let Some((video, track)) = videos.into_iter().next() else {
        return Err(without_video(listing));
    };
    if matches!(&*video.tag, "encv" | "drmi") {
        return Err(Error::Unsupported(format!(
            "This video is copy-protected, so it cannot be shown. {EXPORT_ADVICE}"
        )));
    }
    if video_decoders(&video.codec).is_none() {
        return Err(unsupported_video(&video.codec, &video.tag));
    }
    Ok((video, track))
}

fn without_video(listing: &Listing) -> Error {
    let announced = listing
        .streams
        .iter()
        .find(|stream| stream.kind == StreamKind::Video && !stream.is_picture);
    if let Some(stream) = announced.filter(|stream| video_decoders(&stream.codec).is_none()) {
        return unsupported_video(&stream.codec, &stream.tag);
    }
    let has_audio = listing
        .streams
        .iter()
        .any(|stream| stream.kind == StreamKind::Audio);
    Error::Unsupported(match announced {
        Some(_) => "This video is damaged: it ends before its first frame.".into(),
        None if has_audio => "This file contains only sound, but Hearback accepts only videos \
                              and pictures. Record the sound together with your screen or camera."
            .into(),
        None => "This video is damaged: nothing in it can be played.".into(),
    })
}

/// The audio stream with the best browser support. Among equally supported streams, default streams have priority. If
/// all streams are unreadable, the selected stream is unreadable, too.
fn choose_audio(listing: &Listing) -> Option<(Stream, Track)> {
    let mut audios: Vec<_> = with_packets(listing, StreamKind::Audio).collect();
    audios.sort_by_key(|(stream, _)| (audio_support_of(stream), !stream.is_default));
    audios.into_iter().next()
}

fn audio_support_of(audio: &Stream) -> AudioSupport {
    match &*audio.tag {
        "enca" | "drms" => AudioSupport::Unreadable,
        _ => audio_support(&audio.codec, &audio.profile),
    }
}

/// Returns the displayed width and height. Applies the pixel aspect ratio and the rotation, because
/// phones store a portrait video as a rotated landscape video. Fails if the stored size is missing
/// or exceeds [`MAX_PIXELS`].
fn size_as_shown(video: &Stream) -> Result<(u32, u32)> {
    let (mut width, height) = video.size;
    if width == 0 || height == 0 {
        return Err(Error::Unsupported(
            "This video is damaged: it does not state its width and height.".into(),
        ));
    }
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        let detail = format!(
            "This video has {width} × {height} pixels; the maximum is 36 megapixels (8K). \
             Export it at a lower resolution and upload it again."
        );
        return Err(Error::TooLarge(detail));
    }
    if let Some((across, down)) = video.pixel_shape {
        // Ignore an aspect ratio outside the range from 1:4 to 4:1, because it is implausible.
        let plausible = across > 0
            && down > 0
            && across <= down.saturating_mul(4)
            && down <= across.saturating_mul(4);
        if plausible && across != down {
            width = u32::try_from(u64::from(width).saturating_mul(across) / down)
                .unwrap_or(width)
                .max(1);
        }
    }
    Ok(if video.rotation.rem_euclid(180) == 90 {
        (height, width)
    } else {
        (width, height)
    })
}
