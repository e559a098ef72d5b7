//! When each picture of a video is shown, and where it can be cut.

use std::path::Path;

use super::limits::probing;
use super::listing::HAIR;
use super::probe::{PRIMING, failed, ffprobe};
use super::{Container, Found, Probe};
use crate::error::Result;

/// A cut belongs to the picture that is nearer: half of one, at most this many seconds (half of one in thirty a second).
const NEAR: f64 = 1.0 / 60.0;

/// What is to be kept, in seconds of the packets' own times.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    /// The time that becomes 0.
    pub(super) start: f64,
    /// The end.
    pub(super) end: f64,
}

/// A packet of the pictures.
#[derive(Clone, Copy, Debug)]
struct Picture {
    /// When it is shown, in seconds.
    at: f64,
    /// Whether decoding can begin with it.
    key: bool,
    /// It is decoded but not shown: an edit list excludes it.
    hidden: bool,
}

/// The packets of a video, in the order in which they are decoded.
#[derive(Debug, Default)]
pub(super) struct Packets {
    /// The packets' time that players call 0.
    pub(super) zero: f64,
    pictures: Vec<Picture>,
    sounds: Sounds,
    /// Some packet has no time.
    untimed: bool,
}

/// The packets of the audio.
#[derive(Debug, Default)]
struct Sounds {
    /// Begin of each packet that is heard, and the end of the last.
    times: Vec<f64>,
    /// Begin of each packet that an edit list excludes.
    hidden: Vec<f64>,
    end: Option<f64>,
}

/// Which pictures a cut shows, whether they can be copied or not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown {
    /// The time of the first picture; it may lie before the cut, or behind its beginning where there is none before.
    pub(super) first: f64,
    /// The time of the last.
    pub(super) last: f64,
    /// Between the last picture and the first that is not shown.
    pub(super) until: f64,
    /// A key frame before the first.
    pub(super) before: f64,
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
    /// The key frame that decoding of the last picture begins with.
    pub(super) last_key: f64,
    /// How many there are.
    pub(super) pictures: usize,
    /// How many of them stand before the first key frame.
    pub(super) head: usize,
    /// When each is shown, in milliseconds from the beginning of the cut.
    pub(super) times: Vec<u64>,
}

pub(super) async fn read(found: &Found, input: &Path, probe: &Probe) -> Result<Packets> {
    let mut packets = Packets {
        zero: probe.timeline.zero,
        ..Packets::default()
    };
    let entries = "packet=stream_index,pts_time,duration_time,flags";
    let ran = ffprobe(
        found,
        input,
        probing(probe.container, probe.open_edits),
        entries,
        |line| packets.line(line, probe),
    );
    ran.await.map_err(|fault| failed(fault, "read"))?;
    let sounds = &mut packets.sounds;
    let media_end = probe
        .timeline
        .audio
        .map_or(f64::INFINITY, |audio| audio.end);
    sounds
        .times
        .extend(sounds.end.map(|end| end.min(media_end)));
    sounds.times.sort_by(f64::total_cmp);
    Ok(packets)
}

impl Packets {
    fn line(&mut self, line: &str, probe: &Probe) {
        let parts = line.split('|');
        let field = |name: &str| {
            parts
                .clone()
                .find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
        };
        let number = |text: Option<&str>| {
            text.and_then(|text| text.parse::<f64>().ok())
                .filter(|time| time.is_finite())
        };
        let stream = field("stream_index").and_then(|text| text.parse::<u32>().ok());
        let (at, duration) = (
            number(field("pts_time")),
            number(field("duration_time")).unwrap_or_default(),
        );
        let flag = |flag: char| field("flags").is_some_and(|flags| flags.contains(flag));
        let edited = matches!(probe.container, Container::Mp4 | Container::QuickTime);
        let hidden = |at: f64| flag('D') || (edited && at < -HAIR && at + duration < HAIR);
        if stream == Some(probe.video_stream) {
            match at {
                Some(at) => self.pictures.push(Picture {
                    at,
                    key: flag('K'),
                    hidden: hidden(at),
                }),
                None => self.untimed = true,
            }
        } else if stream.is_some()
            && stream == probe.audio_stream
            && let Some(at) = at
        {
            self.sounds.add(at, duration, hidden(at));
        }
    }

    /// Whether pictures are shown in the order in which they are decoded.
    pub(super) fn in_order(&self) -> bool {
        self.presented().is_sorted_by(|one, next| one.at <= next.at)
    }

    /// Whether an edit list excludes pictures. Then times in the index of the file are no guide for seeking.
    pub(super) fn hides_pictures(&self) -> bool {
        self.pictures.iter().any(|picture| picture.hidden)
    }

    fn presented(&self) -> impl Iterator<Item = &Picture> {
        self.pictures.iter().filter(|picture| !picture.hidden)
    }

    /// All times at which a picture is shown, in order.
    fn times(&self) -> Vec<f64> {
        let mut times: Vec<f64> = self.presented().map(|picture| picture.at).collect();
        times.sort_by(f64::total_cmp);
        times
    }

    /// Which pictures a cut shows.
    pub(super) fn shown(&self, cut: Cut) -> Shown {
        let times = self.times();
        // So close to the begin of a picture the cut means that.
        let near = |index: usize| match (index.checked_sub(1), times.get(index)) {
            (Some(before), Some(at)) => ((at - times[before]) / 2.0).min(NEAR),
            _ => NEAR,
        };
        // What is shown at a moment is the last picture before it; on a still page that may be seconds old.
        let after = times.partition_point(|at| *at <= cut.start);
        let first = if times
            .get(after)
            .is_some_and(|at| at - cut.start < near(after))
        {
            after
        } else {
            after.saturating_sub(1)
        };
        let mut ends = times.partition_point(|at| *at < cut.end);
        if ends < times.len() && ends > 0 && cut.end - times[ends - 1] < near(ends - 1) {
            ends -= 1;
        }
        let ends = ends.max(first + 1);
        let at = times.get(first).copied().unwrap_or(cut.start);
        let until = times.get(ends).copied().unwrap_or(cut.end.max(at) + 1.0);
        let last = times.get(ends - 1).copied().unwrap_or(at);
        let before = self
            .presented()
            .filter(|picture| picture.key && picture.at <= at)
            .map(|picture| picture.at)
            .fold(0.0, f64::max);
        Shown {
            first: at,
            last,
            until,
            before,
        }
    }

    /// What is kept where copying is exact: all that is wanted stands before all that is not, and can be decoded without it.
    pub(super) fn kept(&self, cut: Cut) -> Option<Kept> {
        if self.untimed {
            return None;
        }
        let Shown {
            first,
            until,
            before,
            ..
        } = self.shown(cut);
        let key = self
            .presented()
            .find(|picture| picture.key && picture.at >= first)?
            .at;
        if key >= until {
            return None;
        }
        let inside = |picture: &&Picture| picture.at >= first - HAIR && picture.at < until - HAIR;
        // Packets are told apart by their times.
        if self
            .pictures
            .iter()
            .filter(inside)
            .any(|picture| picture.hidden)
        {
            return None;
        }
        let kept: Vec<f64> = self
            .presented()
            .filter(inside)
            .map(|picture| picture.at)
            .collect();
        // Behind the first that is not wanted none may follow that is.
        let over = self
            .pictures
            .iter()
            .position(|picture| picture.at >= until)
            .unwrap_or(self.pictures.len());
        if self.pictures[over..]
            .iter()
            .any(|picture| picture.at < until && picture.at >= first)
        {
            return None;
        }
        let head = kept.iter().filter(|at| **at < key).count();
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most a day"
        )]
        let millis = |at: &f64| ((at - cut.start).max(0.0) * 1e3).round() as u64;
        let mut times: Vec<u64> = kept.iter().map(millis).collect();
        *times.first_mut()? = 0;
        let last = kept.iter().copied().fold(first, f64::max);
        let last_key = self
            .presented()
            .filter(|picture| picture.key && picture.at <= last)
            .map(|picture| picture.at)
            .fold(before, f64::max);
        Some(Kept {
            first,
            key,
            before,
            until,
            last,
            last_key,
            pictures: kept.len(),
            head,
            times,
        })
    }

    /// The begin of the first and of the last packet of sound that lie wholly inside; what primes the decoder at the very beginning of the
    /// recording belongs to it.
    pub(super) fn sound(&self, cut: Cut) -> Option<(f64, f64)> {
        self.sounds_inside(cut)
            .map(|(first, last)| (first.0, last.0))
    }

    /// When the last packet of sound that lies wholly inside ends.
    pub(super) fn sound_end(&self, cut: Cut) -> Option<f64> {
        self.sounds_inside(cut).map(|(_, last)| last.1)
    }

    /// The first and the last, each with its end.
    fn sounds_inside(&self, cut: Cut) -> Option<((f64, f64), (f64, f64))> {
        let primes = |at: f64| cut.start <= self.zero && at > self.zero - PRIMING;
        let begins = |at: f64| at >= cut.start - HAIR || primes(at);
        let pairs = self.sounds.times.windows(2).map(|pair| (pair[0], pair[1]));
        let inside = pairs.filter(|(at, end)| begins(*at) && *end <= cut.end + HAIR);
        inside
            .map(|pair| (pair, pair))
            .reduce(|all, one| (all.0, one.1))
    }

    /// Whether the packets of sound that are heard stand apart from those that an edit list excludes, so that a range of times tells them apart.
    pub(super) fn sound_is_in_one_piece(&self) -> bool {
        let times = &self.sounds.times;
        let (Some(first), Some(last)) = (times.first(), times.last()) else {
            return true;
        };
        self.sounds
            .hidden
            .iter()
            .all(|at| *at < first - HAIR || *at >= last - HAIR)
    }
}

impl Sounds {
    fn add(&mut self, at: f64, duration: f64, hidden: bool) {
        if hidden {
            self.hidden.push(at);
        } else {
            self.times.push(at);
            self.end = Some(self.end.map_or(at + duration, |end| end.max(at + duration)));
        }
    }
}
