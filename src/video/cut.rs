//! A stretch of a video: its packets are copied wherever a cut at a key frame allows it, and what is cut in between is made anew.
//!
//! Nothing from outside stays in the copy: no edit list, no hidden picture, no sound. Times are told by packets, never by seeking.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::cage::Bounds;
use super::convert::{encoder, fit, mapped, target};
use super::frames::{self, Packets};
use super::ivf;
use super::probe::{failed, guards, input_words};
use super::{Container, Found, Need, Output, Probe, Tools};
use crate::error::{Error, Result};

/// The longer side of what is made anew.
const LARGEST: u32 = 1920;
/// Sound is told apart by this much of a second.
const HAIR: f64 = 0.000_5;

/// What is to be kept, in seconds of the packets' own times.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    /// The time that becomes 0.
    pub(super) start: f64,
    /// The end.
    pub(super) end: f64,
}

pub(super) async fn cut(found: &Found, input: &Path, probe: &Probe, (from_ms, to_ms): (i64, i64), dir: &Path) -> Result<Output> {
    let input = tokio::fs::canonicalize(input).await?;
    let dir = tokio::fs::canonicalize(dir).await?;
    let work = tempfile::tempdir_in(&dir)?;
    let packets = frames::read(found, &input, probe).await?;
    #[allow(clippy::cast_precision_loss, reason = "at most a day in milliseconds")]
    let cut = Cut { start: packets.zero + from_ms as f64 / 1000.0, end: packets.zero + to_ms as f64 / 1000.0 };
    let length = tokio::fs::metadata(&input).await?.len();
    let bounds = Bounds { time: Duration::from_secs(15 * 60), output: length + length / 4 + 64 * 1024 * 1024, last: false };
    let bench = Bench { found, input: &input, probe, work: work.path(), bounds, packets: &packets, cut };
    let made = match bench.copied().await? {
        Some(made) => made,
        None => bench.anew().await?,
    };
    let path = dir.join(format!("cut.{}", made.1.extension()));
    tokio::fs::rename(made.0, &path).await?;
    let (width, height) = made.2;
    Ok(Output {
        path,
        content_type: made.1.content_type(),
        extension: made.1.extension(),
        width,
        height,
        duration_ms: Some(to_ms - from_ms),
    })
}

/// A file, how it is wrapped, and its size in pixels.
type Made = (PathBuf, Container, (u32, u32));

struct Bench<'a> {
    found: &'a Found,
    input: &'a Path,
    probe: &'a Probe,
    work: &'a Path,
    bounds: Bounds,
    packets: &'a Packets,
    cut: Cut,
}

impl Bench<'_> {
    /// Without making all of it anew; none where that would not be exact.
    async fn copied(&self) -> Result<Option<Made>> {
        if Tools::needs_h264(self.probe) == Need::ForAll {
            return Ok(None);
        }
        let Some(kept) = self.packets.kept(self.cut) else { return Ok(None) };
        let matroska = matches!(self.probe.container, Container::Matroska | Container::WebM);
        // Moving a picture that stood long before the cut to its beginning would part it from those that are decoded before they are shown.
        let begins = self.packets.in_order() || self.cut.start - kept.first < HAIR;
        let made = match &*self.probe.video {
            "h264" if kept.head == 0 && begins => self.whole_packets(&kept).await.map(Some),
            "vp8" | "vp9" if matroska => self.joined(&kept).await,
            "av1" if matroska && kept.head == 0 => self.joined(&kept).await,
            _ => Ok(None),
        };
        match made {
            // What cannot be copied can perhaps be decoded.
            Err(Error::Unsupported(_)) => Ok(None),
            made => made,
        }
    }

    /// From a key frame on, packet by packet.
    async fn whole_packets(&self, kept: &frames::Kept) -> Result<Made> {
        let container = target(self.probe);
        let mut words = self.input_words();
        words.extend(mapped(self.probe, self.sound().is_some()));
        words.extend(["-c", "copy", "-bsf:v"].map(OsString::from));
        let start = self.cut.start;
        let last = kept.pictures - 1;
        words.push(
            format!(
                "noise=drop='lt(pts*tb,{})+gte(pts*tb,{})',setts=pts='if(eq(N,0),0,PTS-{start:.6}/TB)':dts='DTS-if(eq(N,0),PTS,{start:.6}/TB)':\
                 duration='if(eq(N,{last}),{}/TB,DURATION)'",
                seconds(kept.first - HAIR),
                seconds(kept.until - HAIR),
                seconds(self.cut.end - kept.last),
            )
            .into(),
        );
        words.extend(self.sound_words());
        // Times of decoding may lie before 0: what is shown begins there.
        words.extend(["-movflags", "+faststart", "-avoid_negative_ts", "disabled"].map(OsString::from));
        let made = self.ffmpeg(words, "cut.mp4", self.bounds).await?;
        Ok((made, container, (self.probe.width, self.probe.height)))
    }

    /// Pictures up to the first key frame are made anew in the same coding, the rest are copied; none where something is not as expected.
    async fn joined(&self, kept: &frames::Kept) -> Result<Option<Made>> {
        let mut parts = Vec::new();
        if kept.head > 0 {
            let Some(head) = self.head(kept).await? else { return Ok(None) };
            parts.push((head, kept.head));
        }
        let tail = kept.pictures - kept.head;
        let mut words = self.input_words();
        words.extend(mapped(self.probe, false));
        words.extend(["-c", "copy", "-bsf:v"].map(OsString::from));
        let drop = format!("noise=drop='lt(pts*tb,{})+gte(pts*tb,{})'", seconds(kept.key - HAIR), seconds(kept.until - HAIR));
        words.push(drop.into());
        parts.push((self.ffmpeg(words, "tail.ivf", self.bounds).await?, tail));
        let (joined, times, video) = (self.work.join("joined.ivf"), kept.times.clone(), self.probe.video.clone());
        let size = (self.probe.width, self.probe.height);
        let fits =
            tokio::task::spawn_blocking(move || ivf::join(&parts, &times, &video, size, &joined)).await.map_err(Error::internal)??;
        if !fits {
            return Ok(None);
        }
        let container = target(self.probe);
        let mut words =
            ["-copyts", "-protocol_whitelist", "file", "-format_whitelist", "ivf", "-f", "ivf", "-i"].map(OsString::from).to_vec();
        words.push("file:joined.ivf".into());
        words.extend(self.input_words());
        words.extend(["-map", "0:v:0"].map(OsString::from));
        if let Some(stream) = self.probe.audio_stream.filter(|_| self.sound().is_some()) {
            words.extend(["-map".into(), format!("1:{stream}").into()]);
        }
        words.extend(["-map_metadata", "-1", "-map_chapters", "-1", "-c", "copy", "-bsf:v"].map(OsString::from));
        let duration = format!("setts=duration='if(eq(N,{}),{}/TB,DURATION)'", kept.pictures - 1, seconds(self.cut.end - kept.last));
        words.push(duration.into());
        words.extend(self.sound_words());
        match container {
            Container::Mp4 | Container::QuickTime => words.extend(["-movflags", "+faststart"].map(OsString::from)),
            Container::Matroska | Container::WebM => words.extend(["-cues_to_front", "1"].map(OsString::from)),
        }
        let name = format!("cut.{}", container.extension());
        let made = self.ffmpeg(words, &name, self.bounds).await?;
        Ok(Some((made, container, size)))
    }

    /// The pictures before the first key frame, made anew; none where they are not as many as there should be.
    async fn head(&self, kept: &frames::Kept) -> Result<Option<PathBuf>> {
        if self.probe.pixels != "yuv420p" {
            return Ok(None);
        }
        let mut words = self.seeking(kept.before);
        words.extend(mapped(self.probe, false));
        words.extend(["-vf".into(), between(kept.first, kept.key).into(), "-frames:v".into(), kept.head.to_string().into()]);
        words.extend(["-fps_mode", "passthrough", "-enc_time_base", "1:1000", "-pix_fmt", "yuv420p"].map(OsString::from));
        let coder: &[&str] = match &*self.probe.video {
            "vp8" => &["-c:v", "libvpx", "-crf", "8", "-b:v", "12M"],
            _ => &["-c:v", "libvpx-vp9", "-crf", "18", "-b:v", "0"],
        };
        words.extend(coder.iter().map(OsString::from));
        // No picture that is not shown, and a key frame at the beginning alone.
        words.extend(["-deadline", "realtime", "-cpu-used", "6", "-lag-in-frames", "0", "-auto-alt-ref", "0"].map(OsString::from));
        words.extend(["-g", "9999", "-threads", "1"].map(OsString::from));
        let bounds = Bounds { time: Duration::from_secs(300), ..self.bounds };
        self.ffmpeg(words, "head.ivf", bounds).await.map(Some)
    }

    /// All of the stretch, as H.264 and AAC.
    async fn anew(&self) -> Result<Made> {
        let (first, until, before) = self.packets.shown(self.cut);
        let (start, end) = (seconds(self.cut.start), seconds(self.cut.end));
        let (width, height) = fit(self.probe, LARGEST);
        let mut words = self.seeking(before);
        words.extend(mapped(self.probe, self.sound().is_some()));
        let pictures = format!("{},setpts='if(eq(N,0),0,PTS-{start}/TB)',", between(first, until));
        words.extend(encoder(width, height, &pictures));
        words.extend(["-c:a", "aac", "-b:a", "128k", "-ac", "2", "-ar", "48000", "-af"].map(OsString::from));
        words.push(format!("atrim=start={start}:end={end},asetpts=PTS-{start}/TB,aresample=async=1:first_pts=0").into());
        words.extend(["-t".into(), seconds(self.cut.end - self.cut.start).into()]);
        words.extend(["-movflags", "+faststart", "-max_muxing_queue_size", "4096"].map(OsString::from));
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most a day")]
        let length = (self.cut.end - self.cut.start).max(0.0) as u64;
        let made = self.ffmpeg(words, "cut.mp4", Bounds::encoding(length)).await?;
        Ok((made, Container::Mp4, (width, height)))
    }

    /// The first and the last packet of the sound that lie inside.
    fn sound(&self) -> Option<(f64, f64)> {
        self.packets.sound(self.cut)
    }

    fn sound_words(&self) -> Vec<OsString> {
        let Some((first, last)) = self.sound() else { return Vec::new() };
        let (first, last, start) = (seconds(first - HAIR), seconds(last + HAIR), seconds(self.cut.start));
        vec!["-bsf:a".into(), format!("noise=drop='lt(pts*tb,{first})+gt(pts*tb,{last})',setts=ts='PTS-{start}/TB'").into()]
    }

    /// The original, with its own times.
    fn input_words(&self) -> Vec<OsString> {
        let mut words = vec!["-copyts".into()];
        words.extend(guards(self.probe.container));
        words.extend(input_words(self.input));
        words
    }

    /// The same from a key frame on, or from an earlier one, so that not all that lies before it is decoded. How long to read is for filters to
    /// say: `-t` counts from wherever reading begins.
    fn seeking(&self, key: f64) -> Vec<OsString> {
        let mut words = vec!["-copyts".into()];
        words.extend(guards(self.probe.container));
        // A time of packets, not one after the container's own beginning, which Opus puts before 0.
        words.extend(["-noaccurate_seek".into(), "-seek_timestamp".into(), "1".into(), "-ss".into(), seconds(key).into()]);
        words.extend(input_words(self.input));
        words
    }

    async fn ffmpeg(&self, words: Vec<OsString>, name: &str, bounds: Bounds) -> Result<PathBuf> {
        let mut all = ["-nostdin", "-hide_banner", "-nostats", "-y", "-v", "error"].map(OsString::from).to_vec();
        all.extend(words);
        all.push(format!("file:{name}").into());
        let ran = self.found.cage.run(&self.found.ffmpeg, &all, Some(self.input), self.work, bounds, |_| {}).await;
        ran.map_err(|fault| failed(fault, "trimmed"))?;
        let made = self.work.join(name);
        if tokio::fs::metadata(&made).await.map_or(0, |about| about.len()) == 0 {
            return Err(Error::Unsupported("This video is damaged: it cannot be trimmed.".into()));
        }
        Ok(made)
    }
}

/// A filter for the pictures from one on until before another; ffmpeg reads no further.
fn between(first: f64, until: f64) -> String {
    format!("trim=start={}:end={}", seconds(first - HAIR), seconds(until - HAIR))
}

/// Plain decimals: ffmpeg's expressions read no others for sure.
fn seconds(time: f64) -> String {
    format!("{time:.6}")
}
