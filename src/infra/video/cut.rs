//! A stretch of a video: its packets are copied wherever a cut at a key frame allows it, and what is cut in between is made anew.
//!
//! Nothing from outside stays in the copy: no edit list, no hidden picture, no sound. Times are told by packets, never by seeking.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::convert::{
    aac, audio_words, converts_audio, encoder, fit, held, mapped, target, without_messages,
};
use super::frames::{self, Cut, Packets};
use super::ivf;
use super::limits::{decoding, input_words};
use super::listing::HAIR;
use super::measure::measured;
use super::probe::{Timeline, failed};
use super::sandbox::Bounds;
use super::{Container, Found, Need, Output, Probe, Tools};
use crate::error::{Error, Result};

/// The longer side of what is made anew.
const LARGEST: u32 = 1920;
/// A last picture that stands longer than this many seconds is held by a copy of itself where nothing else says how long it stands.
const HELD: f64 = 0.1;
/// Where that copy stands before the end, in seconds.
const BEFORE_END: f64 = 0.04;

/// All that is presented, and nothing that an edit list hides.
pub(super) async fn presented(
    found: &Found,
    input: &Path,
    probe: &Probe,
    dir: &Path,
) -> Result<Output> {
    let Timeline { zero, end, .. } = probe.timeline;
    make(
        found,
        input,
        probe,
        Cut { start: zero, end },
        probe.duration_ms,
        dir,
    )
    .await
}

/// The stretch between two milliseconds of the presentation.
pub(super) async fn cut(
    found: &Found,
    input: &Path,
    probe: &Probe,
    (from_ms, to_ms): (i64, i64),
    dir: &Path,
) -> Result<Output> {
    let zero = probe.timeline.zero;
    #[allow(clippy::cast_precision_loss, reason = "at most a day in milliseconds")]
    let cut = Cut {
        start: zero + from_ms as f64 / 1000.0,
        end: zero + to_ms as f64 / 1000.0,
    };
    make(found, input, probe, cut, Some(to_ms - from_ms), dir).await
}

async fn make(
    found: &Found,
    input: &Path,
    probe: &Probe,
    cut: Cut,
    expected_ms: Option<i64>,
    dir: &Path,
) -> Result<Output> {
    let input = tokio::fs::canonicalize(input).await?;
    let dir = tokio::fs::canonicalize(dir).await?;
    let work = tempfile::tempdir_in(&dir)?;
    let packets = frames::read(found, &input, probe).await?;
    let length = tokio::fs::metadata(&input).await?.len();
    let bounds = Bounds {
        time: Duration::from_secs(15 * 60),
        output: length + length / 4 + 64 * 1024 * 1024,
        last: false,
    };
    let bench = Bench {
        found,
        input: &input,
        probe,
        work: work.path(),
        bounds,
        packets: &packets,
        cut,
    };
    if let Some((copy, container)) = bench.copied().await? {
        let path = dir.join(format!("cut.{}", container.extension()));
        tokio::fs::rename(copy, &path).await?;
        match measured(found, path, container, expected_ms).await {
            // What cannot be copied can perhaps be decoded.
            Err(Error::Unsupported(_)) => {}
            made => return made,
        }
    }
    let path = dir.join("cut.mp4");
    tokio::fs::rename(bench.anew().await?, &path).await?;
    measured(found, path, Container::Mp4, expected_ms).await
}

/// A file, and how it is wrapped.
type Made = (PathBuf, Container);

/// Pictures that are made anew; times are in seconds.
struct Anew {
    name: &'static str,
    /// The key frame that decoding begins with.
    from: f64,
    /// The time of the first.
    first: f64,
    /// Between the last and the next.
    until: f64,
    /// How many there are.
    pictures: usize,
}

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
        let Some(kept) = self.packets.kept(self.cut) else {
            return Ok(None);
        };
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
        words.extend(["-c:v", "copy", "-bsf:v"].map(OsString::from));
        let start = self.cut.start;
        let last = kept.pictures - 1;
        words.push(
            format!(
                "{},noise=drop='lt(pts*tb,{})+gte(pts*tb,{})',setts=pts='if(eq(N,0),0,PTS-{start:.6}/TB)':dts='DTS-if(eq(N,0),PTS,{start:.6}/TB)':\
                 duration='if(eq(N,{last}),max(1,{}/TB-PTS),DURATION)'",
                without_messages(&self.probe.video).unwrap_or("null"),
                seconds(kept.first - HAIR),
                seconds(kept.until - HAIR),
                // The only picture may have stood long before the cut, where it is moved to its beginning.
                seconds(if last == 0 { kept.first + self.cut.end - start } else { self.cut.end }),
            )
            .into(),
        );
        words.extend(self.sound_words(container));
        // Times of decoding may lie before 0: what is shown begins there.
        words.extend(
            ["-movflags", "+faststart", "-avoid_negative_ts", "disabled"].map(OsString::from),
        );
        let made = self.ffmpeg(words, "cut.mp4", self.bounds).await?;
        Ok((made, container))
    }

    /// Pictures up to the first key frame are made anew in the same coding, the rest are copied; none where something is not as expected.
    async fn joined(&self, kept: &frames::Kept) -> Result<Option<Made>> {
        let mut parts = Vec::new();
        if kept.head > 0 {
            let head = Anew {
                name: "head.ivf",
                from: kept.before,
                first: kept.first,
                until: kept.key,
                pictures: kept.head,
            };
            let Some(head) = self.pictures_anew(&head).await? else {
                return Ok(None);
            };
            parts.push((head, kept.head));
        }
        let tail = kept.pictures - kept.head;
        let mut words = self.input_words();
        words.extend(mapped(self.probe, false));
        words.extend(["-c", "copy", "-bsf:v"].map(OsString::from));
        let drop = format!(
            "noise=drop='lt(pts*tb,{})+gte(pts*tb,{})'",
            seconds(kept.key - HAIR),
            seconds(kept.until - HAIR)
        );
        words.push(drop.into());
        parts.push((self.ffmpeg(words, "tail.ivf", self.bounds).await?, tail));
        let container = target(self.probe);
        let mut times = kept.times.clone();
        if container == Container::WebM && self.ends_before_the_end(kept.last) {
            let Some(hold) = self.last_picture(kept).await? else {
                return Ok(None);
            };
            parts.push((hold, 1));
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "at most a day"
            )]
            times.push(((self.cut.end - self.cut.start - BEFORE_END).max(0.0) * 1e3) as u64);
        }
        let (joined, video, pictures) = (
            self.work.join("joined.ivf"),
            self.probe.video.clone(),
            times.len(),
        );
        let size = (self.probe.width, self.probe.height);
        let fits =
            tokio::task::spawn_blocking(move || ivf::join(&parts, &times, &video, size, &joined))
                .await
                .map_err(Error::internal)??;
        if !fits {
            return Ok(None);
        }
        let mut words = [
            "-copyts",
            "-protocol_whitelist",
            "file",
            "-format_whitelist",
            "ivf",
            "-f",
            "ivf",
            "-i",
        ]
        .map(OsString::from)
        .to_vec();
        words.push("file:joined.ivf".into());
        words.extend(self.input_words());
        words.extend(["-map", "0:v:0"].map(OsString::from));
        if let Some(stream) = self.probe.audio_stream.filter(|_| self.sound().is_some()) {
            words.extend(["-map".into(), format!("1:{stream}").into()]);
        }
        words.extend(
            [
                "-map_metadata",
                "-1",
                "-map_chapters",
                "-1",
                "-c:v",
                "copy",
                "-bsf:v",
            ]
            .map(OsString::from),
        );
        let length = seconds(self.cut.end - self.cut.start);
        words.push(
            format!(
                "setts=duration='if(eq(N,{}),max(1,{length}/TB-PTS),DURATION)'",
                pictures - 1
            )
            .into(),
        );
        words.extend(self.sound_words(container));
        match container {
            Container::Mp4 | Container::QuickTime => {
                words.extend(["-movflags", "+faststart"].map(OsString::from))
            }
            Container::Matroska | Container::WebM => {
                words.extend(["-cues_to_front", "1"].map(OsString::from))
            }
        }
        let name = format!("cut.{}", container.extension());
        let made = self.ffmpeg(words, &name, self.bounds).await?;
        Ok(Some((made, container)))
    }

    /// Whether nothing in a WebM would say that its last picture stands until the end: it has no durations, only packets.
    fn ends_before_the_end(&self, last: f64) -> bool {
        let covered = self
            .packets
            .sound_end(self.cut)
            .map_or(last, |end| end.max(last));
        self.cut.end - covered > HELD
    }

    /// The last picture once more, as a key frame.
    async fn last_picture(&self, kept: &frames::Kept) -> Result<Option<PathBuf>> {
        self.pictures_anew(&Anew {
            name: "hold.ivf",
            from: kept.last_key,
            first: kept.last,
            until: kept.until,
            pictures: 1,
        })
        .await
    }

    /// Some pictures made anew in the coding of the video; none where that cannot be done.
    async fn pictures_anew(&self, anew: &Anew) -> Result<Option<PathBuf>> {
        if self.probe.pixels != "yuv420p" || self.probe.video == "av1" {
            return Ok(None);
        }
        let mut words = self.seeking(anew.from);
        words.extend(mapped(self.probe, false));
        words.extend([
            "-vf".into(),
            between(anew.first, anew.until).into(),
            "-frames:v".into(),
            anew.pictures.to_string().into(),
        ]);
        words.extend(
            [
                "-fps_mode",
                "passthrough",
                "-enc_time_base",
                "1:1000",
                "-pix_fmt",
                "yuv420p",
            ]
            .map(OsString::from),
        );
        let coder: &[&str] = match &*self.probe.video {
            "vp8" => &["-c:v", "libvpx", "-crf", "8", "-b:v", "12M"],
            _ => &["-c:v", "libvpx-vp9", "-crf", "18", "-b:v", "0"],
        };
        words.extend(coder.iter().map(OsString::from));
        // No picture that is not shown, and a key frame at the beginning alone.
        words.extend(
            [
                "-deadline",
                "realtime",
                "-cpu-used",
                "6",
                "-lag-in-frames",
                "0",
                "-auto-alt-ref",
                "0",
            ]
            .map(OsString::from),
        );
        words.extend(["-g", "9999", "-threads", "1"].map(OsString::from));
        let bounds = Bounds {
            time: Duration::from_secs(300),
            ..self.bounds
        };
        self.ffmpeg(words, anew.name, bounds).await.map(Some)
    }

    /// All of the stretch, as H.264 and AAC.
    async fn anew(&self) -> Result<PathBuf> {
        let shown = self.packets.shown(self.cut);
        let (start, length) = (seconds(self.cut.start), self.cut.end - self.cut.start);
        let (width, height) = fit(self.probe, LARGEST);
        let mut words = if self.packets.hides_pictures() {
            self.input_words()
        } else {
            self.seeking(shown.before)
        };
        words.extend(mapped(self.probe, self.sound().is_some()));
        let pictures = format!(
            "{},setpts='if(eq(N,0),0,PTS-{start}/TB)',",
            between(shown.first, shown.until)
        );
        words.extend(encoder(width, height, &pictures));
        let last = if shown.last > shown.first {
            shown.last - self.cut.start
        } else {
            0.0
        };
        words.extend(["-bsf:v".into(), held(last, length).into()]);
        words.extend(aac(&self.sound_filter()));
        words.extend(["-t".into(), seconds(length).into()]);
        words.extend(
            ["-movflags", "+faststart", "-max_muxing_queue_size", "4096"].map(OsString::from),
        );
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most a day"
        )]
        let bounds = Bounds::encoding(length.max(0.0) as u64);
        self.ffmpeg(words, "anew.mp4", bounds).await
    }

    /// The sound of the stretch, from 0 on.
    fn sound_filter(&self) -> String {
        let (start, end) = (seconds(self.cut.start), seconds(self.cut.end));
        format!("atrim=start={start}:end={end},asetpts=PTS-{start}/TB,")
    }

    /// The first and the last packet of the sound that lie inside.
    fn sound(&self) -> Option<(f64, f64)> {
        self.packets.sound(self.cut)
    }

    fn sound_words(&self, container: Container) -> Vec<OsString> {
        let Some((first, last)) = self.sound() else {
            return Vec::new();
        };
        if converts_audio(self.probe, container) {
            return audio_words(self.probe, container, &self.sound_filter());
        }
        if !self.packets.sound_is_in_one_piece() {
            return aac(&self.sound_filter());
        }
        let (first, last, start) = (
            seconds(first - HAIR),
            seconds(last + HAIR),
            seconds(self.cut.start),
        );
        let filter =
            format!("noise=drop='lt(pts*tb,{first})+gt(pts*tb,{last})',setts=ts='PTS-{start}/TB'");
        vec!["-c:a".into(), "copy".into(), "-bsf:a".into(), filter.into()]
    }

    /// The original, with its own times.
    fn input_words(&self) -> Vec<OsString> {
        let mut words = vec!["-copyts".into()];
        words.extend(decoding(self.probe));
        words.extend(input_words(self.input));
        words
    }

    /// The same from a key frame on, or from an earlier one, so that not all that lies before it is decoded. How long to read is for filters to
    /// say: `-t` counts from wherever reading begins.
    fn seeking(&self, key: f64) -> Vec<OsString> {
        let mut words = vec!["-copyts".into()];
        words.extend(decoding(self.probe));
        // A time of packets, not one after the container's own beginning, which Opus puts before 0.
        words.extend([
            "-noaccurate_seek".into(),
            "-seek_timestamp".into(),
            "1".into(),
            "-ss".into(),
            seconds(key).into(),
        ]);
        words.extend(input_words(self.input));
        words
    }

    async fn ffmpeg(&self, words: Vec<OsString>, name: &str, bounds: Bounds) -> Result<PathBuf> {
        let mut all = ["-nostdin", "-hide_banner", "-nostats", "-y", "-v", "error"]
            .map(OsString::from)
            .to_vec();
        all.extend(words);
        all.push(format!("file:{name}").into());
        let ran = self
            .found
            .cage
            .run(
                &self.found.ffmpeg,
                &all,
                Some(self.input),
                self.work,
                bounds,
                |_| {},
            )
            .await;
        ran.map_err(|fault| failed(fault, "converted"))?;
        let made = self.work.join(name);
        if tokio::fs::metadata(&made)
            .await
            .map_or(0, |about| about.len())
            == 0
        {
            return Err(Error::Unsupported(
                "This video is damaged: it cannot be converted.".into(),
            ));
        }
        Ok(made)
    }
}

/// A filter for the pictures from one on until before another; ffmpeg reads no further.
fn between(first: f64, until: f64) -> String {
    format!(
        "trim=start={}:end={}",
        seconds(first - HAIR),
        seconds(until - HAIR)
    )
}

/// Plain decimals: ffmpeg's expressions read no others for sure.
fn seconds(time: f64) -> String {
    format!("{time:.6}")
}
