//! When each picture of a video is shown, and where it can be cut.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use super::cage::Bounds;
use super::cut::Cut;
use super::probe::{failed, guards, input_words};
use super::{Found, Probe};
use crate::error::Result;

/// A cut belongs to the picture that is nearer: half of one, at most this many seconds (half of one in thirty a second).
const NEAR: f64 = 1.0 / 60.0;

/// A packet of the pictures.
#[derive(Clone, Copy, Debug)]
struct Picture {
    /// When it is shown, in seconds.
    at: f64,
    /// Whether decoding can begin with it.
    key: bool,
}

/// The packets of a video, in the order in which they are decoded.
#[derive(Debug, Default)]
pub(super) struct Packets {
    /// The packets' time that players call 0.
    pub(super) zero: f64,
    pictures: Vec<Picture>,
    /// Begin of each packet of sound, and the end of the last.
    sounds: Vec<f64>,
    /// Some packet has no time.
    untimed: bool,
}

/// What of the packets is kept.
#[derive(Debug)]
pub(super) struct Kept {
    /// The time of the first picture.
    pub(super) first: f64,
    /// The key frame that copying begins with; the first picture itself where `head` is 0.
    pub(super) key: f64,
    /// The key frame that decoding of the first picture begins with.
    pub(super) before: f64,
    /// Between the last picture and the first that is not kept.
    pub(super) until: f64,
    /// The time of the last picture.
    pub(super) last: f64,
    /// How many there are.
    pub(super) pictures: usize,
    /// How many of them stand before the first key frame.
    pub(super) head: usize,
    /// When each is shown, in milliseconds from the beginning of the cut.
    pub(super) times: Vec<u64>,
}

pub(super) async fn read(found: &Found, input: &Path, probe: &Probe) -> Result<Packets> {
    let mut words = guards(probe.container);
    words.extend(input_words(input));
    let entries = "packet=stream_index,pts_time,duration_time,flags:format=start_time";
    words.extend(["-show_entries", entries, "-of", "compact"].map(OsString::from));
    let mut packets = Packets::default();
    let dir = tempfile::tempdir()?;
    let bounds = Bounds { time: Duration::from_secs(300), output: 0, last: false };
    let mut end = None;
    let ran = found.cage.run(&found.ffprobe, &words, Some(input), dir.path(), bounds, |line| packets.line(line, probe, &mut end));
    ran.await.map_err(|fault| failed(fault, "trimmed"))?;
    packets.sounds.extend(end);
    packets.sounds.sort_by(f64::total_cmp);
    Ok(packets)
}

impl Packets {
    fn line(&mut self, line: &str, probe: &Probe, end: &mut Option<f64>) {
        let mut parts = line.split('|');
        let kind = parts.next();
        let field = |name: &str| parts.clone().find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        let number = |text: Option<&str>| text.and_then(|text| text.parse::<f64>().ok()).filter(|time| time.is_finite());
        if kind == Some("format") {
            self.zero = number(field("start_time")).unwrap_or_default();
        }
        let stream = field("stream_index").and_then(|text| text.parse::<u32>().ok());
        let (at, long) = (number(field("pts_time")), number(field("duration_time")));
        if stream == Some(probe.video_stream) {
            match at {
                Some(at) => self.pictures.push(Picture { at, key: field("flags").is_some_and(|flags| flags.contains('K')) }),
                None => self.untimed = true,
            }
        } else if stream.is_some()
            && stream == probe.audio_stream
            && let Some(at) = at
        {
            self.sounds.push(at);
            *end = Some(at + long.unwrap_or(0.0));
        }
    }

    /// Whether pictures are shown in the order in which they are decoded.
    pub(super) fn in_order(&self) -> bool {
        self.pictures.is_sorted_by(|one, next| one.at <= next.at)
    }

    /// All times at which a picture is shown, in order.
    fn times(&self) -> Vec<f64> {
        let mut times: Vec<f64> = self.pictures.iter().map(|picture| picture.at).collect();
        times.sort_by(f64::total_cmp);
        times
    }

    /// When the first picture of a cut is shown, the time before which the last is, and a key frame before the first.
    pub(super) fn shown(&self, cut: Cut) -> (f64, f64, f64) {
        let times = self.times();
        // So close to the begin of a picture the cut means that.
        let near = |index: usize| match (index.checked_sub(1), times.get(index)) {
            (Some(before), Some(at)) => ((at - times[before]) / 2.0).min(NEAR),
            _ => NEAR,
        };
        // What is shown at a moment is the last picture before it; on a still page that may be seconds old.
        let after = times.partition_point(|at| *at <= cut.start);
        let first = if times.get(after).is_some_and(|at| at - cut.start < near(after)) { after } else { after.saturating_sub(1) };
        let mut ends = times.partition_point(|at| *at < cut.end);
        if ends < times.len() && ends > 0 && cut.end - times[ends - 1] < near(ends - 1) {
            ends -= 1;
        }
        let ends = ends.max(first + 1);
        let at = times.get(first).copied().unwrap_or(cut.start);
        let until = times.get(ends).copied().unwrap_or(cut.end.max(at) + 1.0);
        let before = self.pictures.iter().filter(|picture| picture.key && picture.at <= at).map(|picture| picture.at).fold(0.0, f64::max);
        (at, until, before)
    }

    /// What is kept where copying is exact: all that is wanted stands before all that is not, and can be decoded without it.
    pub(super) fn kept(&self, cut: Cut) -> Option<Kept> {
        if self.untimed {
            return None;
        }
        let (first, until, before) = self.shown(cut);
        let key = self.pictures.iter().find(|picture| picture.key && picture.at >= first)?.at;
        if key >= until {
            return None;
        }
        let inside = |picture: &&Picture| picture.at >= first && picture.at < until;
        let kept: Vec<f64> = self.pictures.iter().filter(inside).map(|picture| picture.at).collect();
        // Behind the first that is not wanted none may follow that is.
        let over = self.pictures.iter().position(|picture| picture.at >= until).unwrap_or(self.pictures.len());
        if self.pictures[over..].iter().any(|picture| picture.at < until && picture.at >= first) {
            return None;
        }
        let head = kept.iter().filter(|at| **at < key).count();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most a day")]
        let millis = |at: &f64| ((at - cut.start).max(0.0) * 1e3).round() as u64;
        let mut times: Vec<u64> = kept.iter().map(millis).collect();
        *times.first_mut()? = 0;
        let last = kept.iter().copied().fold(first, f64::max);
        Some(Kept { first, key, before, until, last, pictures: kept.len(), head, times })
    }

    /// The begin of the first and of the last packet of sound that lie wholly inside; the very beginning of the recording belongs to it.
    pub(super) fn sound(&self, cut: Cut) -> Option<(f64, f64)> {
        let begins = |at: f64| at >= cut.start - 0.000_5 || cut.start <= self.zero;
        let pairs = self.sounds.windows(2).filter(|pair| begins(pair[0]) && pair[1] <= cut.end + 0.000_5);
        pairs.map(|pair| (pair[0], pair[0])).reduce(|all, one| (all.0, one.1))
    }
}
