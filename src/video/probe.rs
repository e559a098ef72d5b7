//! Looks at a video without believing it: its first bytes, its streams, and the times of its packets.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use tokio::io::AsyncReadExt;

use super::cage::{Bounds, Fault};
use super::{Container, Found, HEAD, Probe, sniff};
use crate::error::{Error, Result};

/// Longer than this is a lie or a camera left on.
const MAX_HOURS: f64 = 24.0;
/// 8K; what a decoder may allocate for a frame.
const MAX_PIXELS: u64 = 36_000_000;

pub(super) async fn probe(found: &Found, input: &Path) -> Result<Probe> {
    let input = tokio::fs::canonicalize(input).await?;
    let container = sniff(&head(&input).await?).ok_or_else(unknown)?;
    let mut args = guards(container);
    args.extend(input_words(&input));
    args.extend(
        [
            "-show_entries",
            "packet=stream_index,pts_time,dts_time,duration_time\
             :stream=index,codec_type,codec_name,width,height,pix_fmt,sample_aspect_ratio\
             :stream_disposition=attached_pic:stream_side_data=rotation",
            "-of",
            "compact",
        ]
        .map(OsString::from),
    );
    let mut heard = Heard::default();
    let dir = tempfile::tempdir()?;
    let bounds = Bounds { time: Duration::from_secs(300), output: 0, last: false };
    let ran = found.cage.run(&found.ffprobe, &args, Some(&input), dir.path(), bounds, |line| heard.line(line)).await;
    ran.map_err(|fault| failed(fault, "read"))?;
    heard.judge(container)
}

async fn head(input: &Path) -> Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD);
    tokio::fs::File::open(input).await?.take(HEAD as u64).read_to_end(&mut head).await?;
    Ok(head)
}

/// What every ffmpeg and ffprobe is told before its input. `-protocol_whitelist` alone does not stop a playlist from
/// reading the file beside it, `-format_whitelist` does; few decoders are fewer bugs to reach.
pub(super) fn guards(container: Container) -> Vec<OsString> {
    let format = match container {
        Container::Matroska | Container::WebM => "matroska",
        Container::Mp4 | Container::QuickTime => "mov",
    };
    let words = [
        ["-v", "error"],
        ["-max_alloc", "536870912"],
        ["-protocol_whitelist", "file"],
        ["-format_whitelist", "matroska,webm,mov,mp4,m4a,3gp,3g2,mj2"],
        ["-codec_whitelist", "vp8,libvpx,vp9,libvpx-vp9,av1,libdav1d,libaom-av1,h264,hevc,aac,opus,libopus,mp3,mp3float"],
        ["-max_pixels", "36000000"],
        ["-max_streams", "8"],
        ["-threads", "1"],
        ["-f", format],
    ];
    words.iter().flatten().map(OsString::from).collect()
}

/// `-i file:PATH`: without `file:` a name could be taken for a protocol.
pub(super) fn input_words(input: &Path) -> [OsString; 2] {
    let mut name = OsString::from("file:");
    name.push(input);
    ["-i".into(), name]
}

#[derive(Default)]
struct Heard {
    streams: Vec<HashMap<String, String>>,
    /// The first time and the end of the last packet of each stream, in seconds.
    times: HashMap<u32, (f64, f64)>,
}

impl Heard {
    /// `packet|stream_index=0|pts_time=…` or `stream|index=0|…`.
    fn line(&mut self, line: &str) {
        let mut parts = line.split('|');
        let kind = parts.next();
        let mut fields = parts.filter_map(|part| part.split_once('='));
        match kind {
            Some("packet") => self.packet(fields),
            // Only 8 streams get this far.
            Some("stream") if self.streams.len() < 16 => {
                self.streams.push(fields.by_ref().map(|(name, value)| (name.into(), value.into())).collect());
            }
            _ => {}
        }
    }

    fn packet<'a>(&mut self, fields: impl Iterator<Item = (&'a str, &'a str)>) {
        let (mut stream, mut pts, mut dts, mut duration) = (None, None, None, 0.0);
        for (name, value) in fields {
            match name {
                "stream_index" => stream = value.parse::<u32>().ok(),
                "pts_time" => pts = seconds(value),
                "dts_time" => dts = seconds(value),
                "duration_time" => duration = seconds(value).unwrap_or_default(),
                _ => {}
            }
        }
        let (Some(stream), Some(start)) = (stream, pts.or(dts)) else { return };
        let times = self.times.entry(stream).or_insert((start, start));
        times.0 = times.0.min(start);
        times.1 = times.1.max(start + duration);
    }

    fn judge(mut self, container: Container) -> Result<Probe> {
        let of = |kind: &str| {
            let mut streams = self.streams.iter();
            // The cover of an album is a video stream too.
            streams.find(|stream| text(stream, "codec_type") == kind && text(stream, "disposition:attached_pic") != "1")
        };
        let (video, audio) = (of("video").cloned(), of("audio").cloned());
        let Some(video) = video else {
            return Err(Error::Unsupported(match audio {
                Some(_) => "This file has sound but no picture. Hearback takes videos: record the screen or a camera with it.".into(),
                None => "This video is damaged: nothing in it can be played.".into(),
            }));
        };
        let taken = "Taken are VP8, VP9, AV1, H.264 and HEVC with AAC, Opus or MP3, in MP4, MOV, WebM or MKV.";
        let codec = text(&video, "codec_name");
        if !matches!(codec, "vp8" | "vp9" | "av1" | "h264" | "hevc") {
            return Err(Error::Unsupported(format!("This video is coded as {}. {taken}", shown(codec))));
        }
        let sound = audio.as_ref().map(|audio| text(audio, "codec_name"));
        if let Some(sound) = sound.filter(|sound| !matches!(*sound, "aac" | "opus" | "mp3")) {
            return Err(Error::Unsupported(format!("The sound of this video is coded as {}. {taken}", shown(sound))));
        }
        let (width, height) = size(&video)?;
        let index = |stream: &HashMap<String, String>| text(stream, "index").parse::<u32>().ok();
        let video_stream = index(&video).ok_or_else(unknown)?;
        let audio_stream = audio.as_ref().and_then(index);
        self.times.retain(|stream, _| *stream == video_stream || Some(*stream) == audio_stream);
        if !self.times.contains_key(&video_stream) {
            return Err(Error::Unsupported("This video is damaged: it ends before its first picture.".into()));
        }
        Ok(Probe {
            duration_ms: self.duration_ms()?,
            width,
            height,
            video: codec.into(),
            audio: sound.map(Into::into),
            container,
            pixels: text(&video, "pix_fmt").into(),
            video_stream,
            audio_stream,
        })
    }

    /// Never the container's word: one fixture of a second says that it has ten hours.
    fn duration_ms(&self) -> Result<Option<i64>> {
        let start = self.times.values().map(|times| times.0).reduce(f64::min);
        let end = self.times.values().map(|times| times.1).reduce(f64::max);
        let (Some(start), Some(end)) = (start, end) else { return Ok(None) };
        if end - start > MAX_HOURS * 3600.0 {
            return Err(Error::TooLarge("This video is longer than 24 hours. Cut it into parts.".into()));
        }
        #[allow(clippy::cast_possible_truncation, reason = "at most 24 hours")]
        Ok(Some(((end - start) * 1000.0).round() as i64))
    }
}

/// As it is shown: pixels need not be square, and telephones write a portrait as a landscape turned by 90°.
fn size(video: &HashMap<String, String>) -> Result<(u32, u32)> {
    let side = |name| text(video, name).parse::<u32>().unwrap_or_default();
    let (mut width, height) = (side("width"), side("height"));
    if width == 0 || height == 0 {
        return Err(Error::Unsupported("This video is damaged: it does not say how large its picture is.".into()));
    }
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(Error::TooLarge(format!("This video has {width} × {height} pixels; at most 36 megapixels (8K) are taken.")));
    }
    if let Some((across, down)) = text(video, "sample_aspect_ratio").split_once(':') {
        let (across, down) = (across.parse::<u64>().unwrap_or(1), down.parse::<u64>().unwrap_or(1));
        // Only plausible shapes: 1:4 to 4:1.
        if across > 0 && down > 0 && across != down && across <= 4 * down && down <= 4 * across {
            width = u32::try_from(u64::from(width) * across / down).unwrap_or(width).max(1);
        }
    }
    let turned = text(video, "rotation").parse::<i32>().unwrap_or_default();
    Ok(if turned.rem_euclid(180) == 90 { (height, width) } else { (width, height) })
}

fn text<'a>(stream: &'a HashMap<String, String>, name: &str) -> &'a str {
    stream.get(name).map(String::as_str).unwrap_or_default()
}

/// A codec's name is ffmpeg's, but a file chooses which.
fn shown(codec: &str) -> &str {
    if codec.is_empty() || codec == "unknown" || codec.len() > 32 { "something unknown" } else { codec }
}

fn seconds(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|seconds| seconds.is_finite())
}

fn unknown() -> Error {
    Error::Unsupported("This is not a video that Hearback takes: WebM, MKV, MP4 and MOV work.".into())
}

/// What a fault of ffmpeg means for the person whose video it is; what it said is for the log.
pub(super) fn failed(fault: Fault, verb: &str) -> Error {
    match fault {
        Fault::Broken(error) => Error::internal(error),
        Fault::Full => Error::Unavailable("The disk is full. Your admin has to make room.".into(), "ffmpeg: no space left".into()),
        Fault::Late => {
            tracing::warn!(verb, "ffmpeg took too long and was stopped");
            Error::Unsupported("This video takes too long to work on. Upload it shorter, smaller, or as H.264.".into())
        }
        Fault::Failed(said) => {
            tracing::warn!(verb, said, "ffmpeg failed");
            Error::Unsupported(format!("This video is damaged: it cannot be {verb}."))
        }
    }
}
