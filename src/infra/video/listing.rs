//! What ffprobe says about the streams and packets of a file, read line by line.

use std::collections::HashMap;

use super::limits::MAX_STREAMS;

/// What a stream holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum StreamKind {
    Video,
    Audio,
    Text,
    /// Time codes, positions, and whatever else cameras write.
    Other,
}

/// A stream as the file describes it. Texts are the file's own words, or ffmpeg's.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    pub(super) index: u32,
    pub(super) kind: StreamKind,
    pub(super) codec: String,
    /// Four characters, or four bytes in brackets.
    pub(super) tag: String,
    pub(super) profile: String,
    /// As stored, before rotation and pixel shape.
    pub(super) size: (u32, u32),
    pub(super) pixels: String,
    /// Width and height of a pixel.
    pub(super) pixel_shape: Option<(u64, u64)>,
    /// In degrees.
    pub(super) rotation: i32,
    /// A cover or a thumbnail, not a video.
    pub(super) is_picture: bool,
    /// The file plays it unless somebody chooses another.
    pub(super) is_default: bool,
    pub(super) language: Option<String>,
}

/// The packets of one stream on the presentation timeline. Times are in seconds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Track {
    /// When the first packet that is presented begins.
    pub(super) first: f64,
    /// When decoding begins, also of packets that are not presented.
    pub(super) decoded: f64,
    /// When the last begins.
    pub(super) last: f64,
    /// When the last ends.
    pub(super) end: f64,
    /// How many packets are presented.
    pub(super) shown: u64,
    /// The sum of their durations.
    pub(super) shown_seconds: f64,
    /// How many packets are in the stream that nobody sees or hears: an edit list excludes them.
    pub(super) hidden: u64,
    /// The sum of their durations.
    pub(super) hidden_seconds: f64,
    /// Some packet lies before its predecessor in the file: an edit list repeats or reorders.
    pub(super) reordered: bool,
    /// How long the packet that is presented last lasts.
    last_seconds: f64,
    /// Its place in the file, in bytes; -1 where it is not known.
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

    /// The mean distance of two packets; 0 where there is at most one.
    #[allow(
        clippy::cast_precision_loss,
        reason = "a day of packets is far below 2^52"
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
        if packet.discarded
            || (excluded_before_zero && packet.at < -TIME_EPSILON && end < TIME_EPSILON)
        {
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

    /// The same track if its last packet lasts no longer than it does in the media.
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

/// Half a millisecond: times that are nearer are the same.
pub(super) const TIME_EPSILON: f64 = 0.000_5;

struct Packet {
    at: f64,
    /// When it is decoded.
    decoded: f64,
    duration: f64,
    discarded: bool,
    /// In bytes from the beginning of the file; -1 where it is not known.
    position: i64,
}

/// The streams of a file, in its order, and their packets.
#[derive(Default)]
pub(super) struct Listing {
    pub(super) streams: Vec<Stream>,
    /// By index of the stream. A stream without packets that have a time is not in it.
    pub(super) tracks: HashMap<u32, Track>,
    /// Packets that end before 0 are not presented: true of MP4 and QuickTime, whose timeline begins at 0.
    pub(super) excludes_before_zero: bool,
    /// How long some packets last, by stream and place in the file: those that [`Listing::measure_last`] names.
    pub(super) lengths: HashMap<(u32, i64), f64>,
}

impl Listing {
    /// What to ask ffprobe for, with `-of compact`.
    pub(super) const ENTRIES: &str = "packet=stream_index,pts_time,dts_time,duration_time,flags,pos\
        :stream=index,codec_type,codec_name,codec_tag_string,profile,width,height,pix_fmt,sample_aspect_ratio\
        :stream_disposition=attached_pic,timed_thumbnails,default:stream_tags=language:stream_side_data=rotation";

    /// `packet|stream_index=0|pts_time=…` or `stream|index=0|…`.
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

    /// Measures the packet that is presented last of a stream, for [`Listing::ending_with_media`]. Call it before the first line.
    pub(super) fn measure_last(&mut self, stream: u32, track: &Track) {
        if track.last_position >= 0 {
            self.lengths
                .insert((stream, track.last_position), f64::INFINITY);
        }
    }

    /// The track as it is if its last packet lasts as long as in this listing, which has to be one of the file without its edit lists. Where an edit
    /// is longer than its media, ffmpeg adds what is missing to the length of the last packet; players end with the media.
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
