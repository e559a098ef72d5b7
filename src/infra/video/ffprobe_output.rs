//! Parses ffprobe's output about the streams and packets of a file, line by line.

use std::collections::HashMap;

use super::TIME_EPSILON;
use super::colors::ColorTags;
use super::edit_lists::hidden_packets;
use super::limits::MAX_STREAMS;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum StreamKind {
    Video,
    Audio,
    Text,
    /// Timecodes, GPS positions and other data that cameras record.
    Other,
}

/// A stream as described by the file. The strings come from the file or from ffmpeg.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    pub(super) index: u32,
    pub(super) kind: StreamKind,
    pub(super) codec: String,
    /// The four bytes of the codec tag, each as a character or, if it is not printable, as a number
    /// in brackets.
    pub(super) tag: String,
    pub(super) profile: String,
    /// The stored size in pixels, before the rotation and the pixel aspect ratio are applied.
    pub(super) size: (u32, u32),
    pub(super) pixels: String,
    pub(super) color_tags: ColorTags,
    /// The pixel aspect ratio, as the width and height of a pixel.
    pub(super) pixel_shape: Option<(u64, u64)>,
    /// The rotation for display in degrees, counterclockwise.
    pub(super) rotation: i32,
    /// Whether the stream is a cover or thumbnail instead of a video.
    pub(super) is_picture: bool,
    /// Whether the file marks the stream as the default.
    pub(super) is_default: bool,
    pub(super) language: Option<String>,
}

/// A summary of the packets of one stream, some of which may be hidden. Times are in seconds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Track {
    /// The start time of the first packet that is not hidden.
    pub(super) first: f64,
    /// The decoding time of the first packet, which may be hidden.
    pub(super) decoded: f64,
    /// The start time of the last packet that is not hidden.
    pub(super) last: f64,
    /// The end time of the last packet that is not hidden.
    pub(super) end: f64,
    /// The number of packets that are not hidden.
    pub(super) shown: u64,
    /// The total duration of the packets that are not hidden.
    pub(super) shown_seconds: f64,
    /// The number of hidden packets.
    pub(super) hidden: u64,
    /// The total duration of the hidden packets.
    pub(super) hidden_seconds: f64,
    /// Whether an edit list repeats or reorders packets, so that they are not in file order.
    pub(super) reordered: bool,
    /// The duration of the last packet that is not hidden.
    last_seconds: f64,
    /// The file position of the last packet that is not hidden, in bytes; -1 if the position is unknown.
    last_position: i64,
    position: i64,
}

impl Track {
    fn new() -> Self {
        Self {
            first: f64::INFINITY,
            decoded: f64::INFINITY,
            last: f64::NEG_INFINITY,
            end: f64::NEG_INFINITY,
            shown: 0,
            shown_seconds: 0.0,
            hidden: 0,
            hidden_seconds: 0.0,
            reordered: false,
            last_seconds: 0.0,
            last_position: -1,
            position: -1,
        }
    }

    /// The mean interval between packets that are not hidden, in seconds; 0 if there are fewer than
    /// two.
    #[allow(
        clippy::cast_precision_loss,
        reason = "a day of video has far fewer than 2^52 packets"
    )]
    pub(super) fn interval(&self) -> f64 {
        if self.shown < 2 {
            0.0
        } else {
            ((self.last - self.first) / (self.shown - 1) as f64).max(0.0)
        }
    }

    fn add(&mut self, packet: &Packet, excluded_before_zero: bool) {
        self.reordered |= packet.position >= 0 && packet.position < self.position;
        self.position = self.position.max(packet.position);
        self.decoded = self.decoded.min(packet.decoded);
        let end = packet.at + packet.duration;
        if hidden_packets::is_hidden(
            packet.discarded,
            excluded_before_zero,
            packet.at,
            packet.duration,
        ) {
            self.hidden += 1;
            self.hidden_seconds += packet.duration;
            return;
        }
        self.shown += 1;
        self.shown_seconds += packet.duration;
        self.first = self.first.min(packet.at);
        if packet.at >= self.last {
            (self.last, self.last_seconds, self.last_position) =
                (packet.at, packet.duration, packet.position);
        }
        self.end = self.end.max(end);
    }

    /// Returns the track with all times reduced by this number of seconds.
    pub(super) fn earlier_by(self, seconds: f64) -> Self {
        Self {
            first: self.first - seconds,
            decoded: self.decoded - seconds,
            last: self.last - seconds,
            end: self.end - seconds,
            ..self
        }
    }

    /// Returns the track with its last packet shortened to at most `media_seconds`.
    fn ending_with_media(self, media_seconds: f64) -> Self {
        let surplus = self.last_seconds - media_seconds;
        if surplus < TIME_EPSILON {
            return self;
        }
        Self {
            last_seconds: media_seconds,
            shown_seconds: self.shown_seconds - surplus,
            end: self.last + media_seconds,
            ..self
        }
    }
}

struct Packet {
    at: f64,
    /// The decoding time of the packet, in seconds.
    decoded: f64,
    duration: f64,
    discarded: bool,
    /// The position in the file, in bytes; -1 if it is unknown.
    position: i64,
}

/// The streams of a file in file order, and their packets.
#[derive(Default)]
pub(super) struct Listing {
    pub(super) streams: Vec<Stream>,
    /// The tracks by stream index. Streams whose packets have no timestamps are left out.
    pub(super) tracks: HashMap<u32, Track>,
    /// Whether packets that end before 0 are hidden. This is true for MP4 and QuickTime, whose timeline starts at 0.
    pub(super) excludes_before_zero: bool,
    /// The durations of the packets selected by [`Listing::measure_last`], by stream index and file
    /// position. Infinite until the packet has been read.
    pub(super) lengths: HashMap<(u32, i64), f64>,
}

impl Listing {
    /// The entries to request from ffprobe with `-of compact`.
    pub(super) const ENTRIES: &str = "packet=stream_index,pts_time,dts_time,duration_time,flags,pos\
        :stream=index,codec_type,codec_name,codec_tag_string,profile,width,height,pix_fmt,sample_aspect_ratio,color_range,color_space,color_transfer,color_primaries\
        :stream_disposition=attached_pic,timed_thumbnails,default:stream_tags=language:stream_side_data=rotation";

    /// Parses a line such as `packet|stream_index=0|pts_time=…` or `stream|index=0|…`.
    pub(super) fn add_line(&mut self, line: &str) {
        let mut parts = line.split('|');
        let kind = parts.next();
        let fields = parts.filter_map(|part| part.split_once('='));
        match kind {
            Some("packet") => self.packet(fields),
            Some("stream") if self.streams.len() < MAX_STREAMS => {
                self.streams.extend(stream(&fields.collect()))
            }
            _ => {}
        }
    }

    /// Makes [`Listing::add_line`] record the duration of the track's last packet that is not hidden, because
    /// [`Listing::ending_with_media`] needs this duration. Call it before adding lines.
    pub(super) fn measure_last(&mut self, stream: u32, track: &Track) {
        if track.last_position >= 0 {
            self.lengths
                .insert((stream, track.last_position), f64::INFINITY);
        }
    }

    /// Shortens the track's last packet to its duration in this listing. The listing must come from
    /// a run of ffprobe that ignored edit lists. The packet must be shortened if an edit is longer
    /// than its media: ffmpeg then extends the last packet, but players stop at the end of the
    /// media.
    pub(super) fn ending_with_media(&self, stream: u32, track: Track) -> Track {
        match self.lengths.get(&(stream, track.last_position)) {
            Some(seconds) => track.ending_with_media(*seconds),
            None => track,
        }
    }

    fn packet<'a>(&mut self, fields: impl Iterator<Item = (&'a str, &'a str)>) {
        let (mut stream, mut pts, mut dts) = (None, None, None);
        let mut packet = Packet {
            at: 0.0,
            decoded: 0.0,
            duration: 0.0,
            discarded: false,
            position: -1,
        };
        for (name, value) in fields {
            match name {
                "stream_index" => stream = value.parse::<u32>().ok(),
                "pts_time" => pts = seconds(value),
                "dts_time" => dts = seconds(value),
                "duration_time" => packet.duration = seconds(value).unwrap_or_default(),
                "flags" => packet.discarded = value.contains('D'),
                "pos" => packet.position = value.parse().unwrap_or(-1),
                _ => {}
            }
        }
        let (Some(stream), Some(at)) = (stream, pts.or(dts)) else {
            return;
        };
        (packet.at, packet.decoded) = (at, dts.unwrap_or(at));
        if let Some(length) = self.lengths.get_mut(&(stream, packet.position)) {
            *length = packet.duration;
        }
        self.tracks
            .entry(stream)
            .or_insert_with(Track::new)
            .add(&packet, self.excludes_before_zero);
    }
}

fn stream(fields: &HashMap<&str, &str>) -> Option<Stream> {
    let text = |name: &str| fields.get(name).copied().unwrap_or_default();
    let flag = |name: &str| text(name) == "1";
    let side = |name: &str| text(name).parse::<u32>().unwrap_or_default();
    let shape = text("sample_aspect_ratio").split_once(':');
    let color_tag = |name: &str| {
        let tag = fields.get(name).copied()?;
        (!matches!(tag, "unknown" | "unspecified" | "reserved" | "N/A")).then(|| tag.to_owned())
    };
    Some(Stream {
        index: text("index").parse().ok()?,
        kind: match text("codec_type") {
            "video" => StreamKind::Video,
            "audio" => StreamKind::Audio,
            "subtitle" => StreamKind::Text,
            _ => StreamKind::Other,
        },
        codec: text("codec_name").to_owned(),
        tag: text("codec_tag_string").to_owned(),
        profile: text("profile").to_owned(),
        size: (side("width"), side("height")),
        pixels: text("pix_fmt").to_owned(),
        color_tags: ColorTags {
            range: color_tag("color_range"),
            matrix: color_tag("color_space"),
            primaries: color_tag("color_primaries"),
            transfer: color_tag("color_transfer"),
        },
        pixel_shape: shape.and_then(|(across, down)| across.parse().ok().zip(down.parse().ok())),
        rotation: text("rotation").parse().unwrap_or_default(),
        is_picture: flag("disposition:attached_pic") || flag("disposition:timed_thumbnails"),
        is_default: flag("disposition:default"),
        language: fields
            .get("tag:language")
            .map(|language| (*language).to_owned()),
    })
}

fn seconds(text: &str) -> Option<f64> {
    text.parse::<f64>()
        .ok()
        .filter(|seconds| seconds.is_finite())
}
