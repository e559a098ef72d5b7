//! When each frame of a video is shown, which frames a range contains, and which of them can be
//! copied.

use std::path::Path;

use super::whole_millis;
use crate::error::Result;
use crate::infra::video::edit_lists::{self, MAX_PRIMING_SECONDS, hidden_packets};
use crate::infra::video::limits::probe_limit_args;
use crate::infra::video::probe::{fault_error, ffprobe};
use crate::infra::video::{Probe, TIME_EPSILON, Toolchain};

/// A cut that starts or ends near the start of a frame snaps to that frame. "Near" means less than this many seconds
/// away. The value is half a frame at 30 fps. At higher frame rates, half of the actual frame duration applies instead.
const SNAP_SECONDS: f64 = 1.0 / 60.0;

/// The range to keep. Times are packet timestamps, in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    /// The packet timestamp that becomes 0 in the cut video.
    pub(super) start: f64,
    /// The packet timestamp at which the cut ends.
    pub(super) end: f64,
}

/// A video packet.
#[derive(Clone, Copy, Debug)]
struct Frame {
    /// When the frame is shown, in seconds.
    at: f64,
    /// Whether decoding can start with this frame.
    key: bool,
    /// Whether the frame is decoded but hidden by an edit list.
    hidden: bool,
}

/// The packets of a video in decoding order.
#[derive(Debug, Default)]
pub(super) struct Packets {
    /// The packet timestamp that corresponds to 0:00 in players.
    pub(super) origin: f64,
    frames: Vec<Frame>,
    audio: AudioPackets,
    /// Whether any video packet lacks a timestamp.
    untimed: bool,
}

/// The audio packets. Times are in seconds.
#[derive(Debug, Default)]
struct AudioPackets {
    /// The start of each audible packet, and the end of the last.
    times: Vec<f64>,
    /// The start of each packet that an edit list hides.
    hidden: Vec<f64>,
    end: Option<f64>,
}

/// The frames that a cut shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShownFrames {
    /// The time of the first frame. The frame may start before the cut and still be visible when the cut starts.
    pub(super) first: f64,
    /// The time of the last frame.
    pub(super) last: f64,
    /// The start of the first frame after the kept frames. If no frame follows, an arbitrary time
    /// after the start of the last kept frame.
    pub(super) until: f64,
    /// The time of the last key frame at or before the first frame.
    pub(super) before: f64,
}

/// Which packets to copy.
#[derive(Debug)]
pub(super) struct CopyPlan {
    /// The time of the first frame.
    pub(super) first: f64,
    /// The time of the key frame at which copying starts. If `head` is 0, this is the first frame.
    pub(super) key: f64,
    /// The time of the key frame from which the first frame can be decoded.
    pub(super) before: f64,
    /// The start of the first frame after the kept frames. If no frame follows, an arbitrary time
    /// after the start of the last kept frame.
    pub(super) until: f64,
    /// The time of the last frame.
    pub(super) last: f64,
    /// The time of the key frame from which the last frame can be decoded.
    pub(super) last_key: f64,
    /// The number of frames to keep.
    pub(super) frames: usize,
    /// The number of kept frames that are shown before `key` and must therefore be re-encoded.
    pub(super) head: usize,
    /// When each frame is shown, in milliseconds from the start of the cut.
    pub(super) times: Vec<u64>,
}

pub(super) async fn read_packets(
    toolchain: &Toolchain,
    input: &Path,
    probe: &Probe,
) -> Result<Packets> {
    let mut packets = Packets {
        origin: probe.timeline.origin,
        ..Packets::default()
    };
    let entries = "packet=stream_index,pts_time,duration_time,flags";
    let ran = ffprobe(
        toolchain,
        input,
        probe_limit_args(probe.container, probe.open_edits),
        entries,
        |line| packets.add_line(line, probe),
    );
    ran.await.map_err(|fault| fault_error(fault, "read"))?;
    let audio = &mut packets.audio;
    let media_end = probe
        .timeline
        .audio
        .map_or(f64::INFINITY, |audio| audio.end);
    audio.times.extend(audio.end.map(|end| end.min(media_end)));
    audio.times.sort_by(f64::total_cmp);
    Ok(packets)
}

impl Packets {
    fn add_line(&mut self, line: &str, probe: &Probe) {
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
        let edited = edit_lists::can_occur_in(probe.container);
        let hidden = |at: f64| hidden_packets::is_hidden(flag('D'), edited, at, duration);
        if stream == Some(probe.video_stream) {
            match at {
                Some(at) => self.frames.push(Frame {
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
            self.audio.add(at, duration, hidden(at));
        }
    }

    /// Whether frames are shown in decoding order.
    pub(super) fn is_in_decode_order(&self) -> bool {
        self.presented().is_sorted_by(|one, next| one.at <= next.at)
    }

    /// Whether an edit list hides frames. If so, the index of the file is unreliable for seeking.
    pub(super) fn hides_frames(&self) -> bool {
        self.frames.iter().any(|frame| frame.hidden)
    }

    fn presented(&self) -> impl Iterator<Item = &Frame> {
        self.frames.iter().filter(|frame| !frame.hidden)
    }

    /// The display times of all frames that are not hidden, in ascending order.
    fn times(&self) -> Vec<f64> {
        let mut times: Vec<f64> = self.presented().map(|frame| frame.at).collect();
        times.sort_by(f64::total_cmp);
        times
    }

    /// The frames that a cut shows.
    pub(super) fn shown_frames(&self, cut: Cut) -> ShownFrames {
        let times = self.times();
        // The start or end of a cut snaps to a frame that starts less than this many seconds away.
        let near = |index: usize| match (index.checked_sub(1), times.get(index)) {
            (Some(before), Some(at)) => ((at - times[before]) / 2.0).min(SNAP_SECONDS),
            _ => SNAP_SECONDS,
        };
        // A frame stays visible until the next one starts. The first frame of the cut therefore usually starts before
        // the cut itself. In a video of a still page, it may start seconds before.
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
            .filter(|frame| frame.key && frame.at <= at)
            .map(|frame| frame.at)
            .fold(0.0, f64::max);
        ShownFrames {
            first: at,
            last,
            until,
            before,
        }
    }

    /// Plans an exact copy. Returns `None` if an exact copy is impossible: for example, if the kept frames contain no
    /// key frame, or if a kept frame is decoded after a frame that follows the cut.
    pub(super) fn copy_plan(&self, cut: Cut) -> Option<CopyPlan> {
        if self.untimed {
            return None;
        }
        let ShownFrames {
            first,
            until,
            before,
            ..
        } = self.shown_frames(cut);
        let key = self
            .presented()
            .find(|frame| frame.key && frame.at >= first)?
            .at;
        if key >= until {
            return None;
        }
        let inside =
            |frame: &&Frame| frame.at >= first - TIME_EPSILON && frame.at < until - TIME_EPSILON;
        // Packets are selected by time, so no hidden packet may fall into the range.
        if self.frames.iter().filter(inside).any(|frame| frame.hidden) {
            return None;
        }
        let copied: Vec<f64> = self
            .presented()
            .filter(inside)
            .map(|frame| frame.at)
            .collect();
        if self.decodes_kept_frame_after(first, until) {
            return None;
        }
        let head = copied.iter().filter(|at| **at < key).count();
        let mut times: Vec<u64> = copied
            .iter()
            .map(|at| whole_millis(at - cut.start))
            .collect();
        *times.first_mut()? = 0;
        let last = copied.iter().copied().fold(first, f64::max);
        let last_key = self
            .presented()
            .filter(|frame| frame.key && frame.at <= last)
            .map(|frame| frame.at)
            .fold(before, f64::max);
        Some(CopyPlan {
            first,
            key,
            before,
            until,
            last,
            last_key,
            frames: copied.len(),
            head,
            times,
        })
    }

    /// Whether a frame between `first` and `until` is decoded after a frame that is shown at `until` or later.
    fn decodes_kept_frame_after(&self, first: f64, until: f64) -> bool {
        self.frames
            .iter()
            .skip_while(|frame| frame.at < until)
            .any(|frame| frame.at < until && frame.at >= first)
    }

    /// The start times of the first and last audio packets that lie completely within the cut. If the cut begins with
    /// the recording, priming packets before the cut also count.
    pub(super) fn audio_range(&self, cut: Cut) -> Option<(f64, f64)> {
        self.audio_inside(cut)
            .map(|(first, last)| (first.0, last.0))
    }

    /// When the last audio packet within the cut ends.
    pub(super) fn audio_end(&self, cut: Cut) -> Option<f64> {
        self.audio_inside(cut).map(|(_, last)| last.1)
    }

    /// The first and the last audio packet within the cut, each as a pair of start and end time.
    fn audio_inside(&self, cut: Cut) -> Option<((f64, f64), (f64, f64))> {
        let primes = |at: f64| cut.start <= self.origin && at > self.origin - MAX_PRIMING_SECONDS;
        let begins = |at: f64| at >= cut.start - TIME_EPSILON || primes(at);
        let pairs = self.audio.times.windows(2).map(|pair| (pair[0], pair[1]));
        let inside = pairs.filter(|(at, end)| begins(*at) && *end <= cut.end + TIME_EPSILON);
        inside
            .map(|pair| (pair, pair))
            .reduce(|all, one| (all.0, one.1))
    }

    /// Whether every hidden audio packet comes before the first or after the last audible packet. A time range can then
    /// exclude the hidden packets.
    pub(super) fn audio_is_contiguous(&self) -> bool {
        let times = &self.audio.times;
        let (Some(first), Some(last)) = (times.first(), times.last()) else {
            return true;
        };
        self.audio
            .hidden
            .iter()
            .all(|at| *at < first - TIME_EPSILON || *at >= last - TIME_EPSILON)
    }
}

impl AudioPackets {
    fn add(&mut self, at: f64, duration: f64, hidden: bool) {
        if hidden {
            self.hidden.push(at);
        } else {
            self.times.push(at);
            self.end = Some(self.end.map_or(at + duration, |end| end.max(at + duration)));
        }
    }
}
