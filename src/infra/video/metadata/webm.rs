//! WebM and Matroska (RFC 9559) as recorded by Chromium, Firefox and WebKit.

use serde::{Deserialize, Serialize};

use super::Step;

/// The first bytes of every WebM or Matroska file.
pub(super) const MAGIC: [u8; 4] = [0x1a, 0x45, 0xdf, 0xa3];

const EBML: u32 = 0x1a45_dfa3;
const SEGMENT: u32 = 0x1853_8067;
const SEEK_HEAD: u32 = 0x114d_9b74;
const SEEK: u32 = 0x4dbb;
const INFO: u32 = 0x1549_a966;
const TRACKS: u32 = 0x1654_ae6b;
const TRACK_ENTRY: u32 = 0xae;
const TRACK_NUMBER: u32 = 0xd7;
const VIDEO: u32 = 0xe0;
const COLOUR: u32 = 0x55b0;
const MASTERING: u32 = 0x55d0;
const AUDIO: u32 = 0xe1;
const CLUSTER: u32 = 0x1f43_b675;
const BLOCK_GROUP: u32 = 0xa0;
const BLOCK_ADDITIONS: u32 = 0x75a1;
const BLOCK_MORE: u32 = 0xa6;
const CUES: u32 = 0x1c53_bb6b;
const CUE_POINT: u32 = 0xbb;
const CUE_POSITIONS: u32 = 0xb7;

/// The maximum number of tracks. Recorders write two.
const MAX_TRACKS: usize = 8;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Webm {
    /// The open parent elements, outermost first. At most six, because allowed elements are nested no deeper.
    open: Vec<Open>,
    /// The track numbers.
    tracks: Vec<u8>,
    segment: bool,
    cluster: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Open {
    id: u32,
    /// The end position of the element; `None` if the element has an unknown size.
    end: Option<u64>,
}

/// What an element may contain.
enum Rule {
    Elements,
    /// An integer, a float or another value of at most eight bytes.
    Number,
    /// A value of at most this many bytes, which the given function must accept.
    Value(usize, fn(&[u8]) -> bool),
    /// Video or audio data of a known track.
    Block,
    /// The alpha channel of the preceding frame.
    Alpha,
    /// Only zeros.
    Void,
}

struct Header {
    id: u32,
    /// The size of the content in bytes; `None` if the element has an unknown size.
    size: Option<u64>,
    /// The length of the header itself, in bytes.
    length: usize,
}

impl Webm {
    /// Whether the file may end here. `begun` says whether the scan is in the middle of the header or the value of an
    /// element. An interrupted recording may break off in the middle of a cluster.
    pub(super) fn may_end(&self, at: u64, begun: bool) -> bool {
        let open = self
            .open
            .iter()
            .filter(|open| open.end != Some(at) && open.id != SEGMENT);
        self.cluster
            && (self.open.iter().any(|open| open.id == CLUSTER) || (!begun && open.count() == 0))
    }

    pub(super) fn step(&mut self, at: u64, bytes: &[u8]) -> Step {
        let header = match header(bytes) {
            Ok(header) => header,
            Err(step) => return step,
        };
        self.close(at, header.id);
        let Some(rule) = self.rule(at, header.id) else {
            return Step::Refuse;
        };
        let end = match header.size {
            Some(size) => match at
                .checked_add(header.length as u64)
                .and_then(|start| start.checked_add(size))
            {
                Some(end)
                    if self
                        .open
                        .iter()
                        .all(|open| open.end.is_none_or(|parent| end <= parent)) =>
                {
                    Some(end)
                }
                _ => return Step::Refuse,
            },
            None => None,
        };
        let whole = header
            .size
            .and_then(|size| usize::try_from(size).ok())
            .and_then(|size| size.checked_add(header.length));
        match (rule, whole) {
            (Rule::Elements, _) => self.enter(header.id, end),
            (Rule::Number, Some(whole)) if whole <= header.length + 8 => {
                self.value(header, whole, bytes, |_| true)
            }
            (Rule::Value(most, check), Some(whole)) if whole <= header.length + most => {
                self.value(header, whole, bytes, check)
            }
            (Rule::Block, Some(whole)) => self.block(&header, whole, bytes),
            (Rule::Alpha, Some(_)) => Step::Next {
                skip: header.size.unwrap_or(0),
                zeros: false,
            },
            (Rule::Void, Some(_)) => Step::Next {
                skip: header.size.unwrap_or(0),
                zeros: true,
            },
            _ => Step::Refuse,
        }
    }

    /// Closes the elements that end at `at`. A cluster of unknown size ends before the first
    /// element that a cluster cannot contain.
    fn close(&mut self, at: u64, next: u32) {
        while let Some(open) = self.open.last() {
            let ended = match open.end {
                Some(end) => end == at,
                None => open.id == CLUSTER && allowed(CLUSTER, next).is_none(),
            };
            if !ended {
                return;
            }
            self.open.pop();
        }
    }

    fn rule(&self, at: u64, id: u32) -> Option<Rule> {
        match (self.open.last(), id) {
            (None, EBML) if at == 0 => Some(Rule::Elements),
            (None, SEGMENT) if at > 0 && !self.segment => Some(Rule::Elements),
            (None, _) => None,
            (Some(_), CLUSTER) if self.tracks.is_empty() => None,
            (Some(open), _) => allowed(open.id, id),
        }
    }

    fn enter(&mut self, id: u32, end: Option<u64>) -> Step {
        if end.is_none() && !matches!(id, SEGMENT | CLUSTER) {
            return Step::Refuse;
        }
        self.segment |= id == SEGMENT;
        self.cluster |= id == CLUSTER;
        self.open.push(Open { id, end });
        Step::NEXT
    }

    fn value(
        &mut self,
        header: Header,
        whole: usize,
        bytes: &[u8],
        check: impl Fn(&[u8]) -> bool,
    ) -> Step {
        if bytes.len() < whole {
            return Step::Need(whole);
        }
        let value = &bytes[header.length..];
        if header.id == TRACK_NUMBER && self.open.last().is_some_and(|open| open.id == TRACK_ENTRY)
        {
            return match value {
                [number @ 1..=0x7e] if self.tracks.len() < MAX_TRACKS => {
                    self.tracks.push(*number);
                    Step::NEXT
                }
                _ => Step::Refuse,
            };
        }
        Step::allow_if(check(value))
    }

    /// Checks a block, which starts with its track number, a two-byte timestamp and flags.
    fn block(&self, header: &Header, whole: usize, bytes: &[u8]) -> Step {
        let needed = header.length + 4;
        if whole < needed {
            return Step::Refuse;
        }
        match bytes.get(header.length) {
            None => Step::Need(needed),
            Some(_) if bytes.len() < needed => Step::Need(needed),
            Some(number) if number & 0x80 != 0 && self.tracks.contains(&(number & 0x7f)) => {
                Step::Next {
                    skip: (whole - needed) as u64,
                    zeros: false,
                }
            }
            Some(_) => Step::Refuse,
        }
    }
}

/// Parses the id and the size of an element (RFC 8794 §4 to §6).
fn header(bytes: &[u8]) -> Result<Header, Step> {
    let first = *bytes.first().ok_or(Step::Need(1))?;
    let id_length = first.leading_zeros() as usize + 1;
    if id_length > 4 {
        return Err(Step::Refuse);
    }
    let size_first = *bytes.get(id_length).ok_or(Step::Need(id_length + 1))?;
    let size_length = size_first.leading_zeros() as usize + 1;
    if size_length > 8 {
        return Err(Step::Refuse);
    }
    let length = id_length + size_length;
    if bytes.len() < length {
        return Err(Step::Need(length));
    }
    let id = bytes[..id_length]
        .iter()
        .fold(0, |id, byte| id << 8 | u32::from(*byte));
    let value = bytes[id_length..length]
        .iter()
        .fold(0_u64, |size, byte| size << 8 | u64::from(*byte));
    let mask = (1_u64 << (7 * size_length)) - 1;
    let size = Some(value & mask).filter(|size| *size != mask);
    Ok(Header { id, size, length })
}

/// The rule for element `id` within `parent`; `None` if it is not allowed.
fn allowed(parent: u32, id: u32) -> Option<Rule> {
    use Rule::{Alpha, Block, Elements, Number, Value, Void};
    let rule = match (parent, id) {
        (EBML, 0x4286 | 0x42f7 | 0x42f2 | 0x42f3 | 0x4287 | 0x4285) => Number,
        (EBML, 0x4282) => Value(8, |name| matches!(name, b"webm" | b"matroska")),
        (SEGMENT, INFO | TRACKS | CLUSTER | SEEK_HEAD | CUES) => Elements,
        // Void elements are allowed, because recorders reserve space for a SeekHead with them.
        (SEGMENT, 0xec) => Void,
        (SEEK_HEAD, SEEK) => Elements,
        (SEEK, 0x53ab | 0x53ac) => Number,
        // These are TimestampScale and Duration. DateUTC is not allowed, because recorders do not
        // write it.
        (INFO, 0x2a_d7b1 | 0x4489) => Number,
        (INFO, 0x4d80 | 0x5741) => Value(32, is_recorder),
        (TRACKS, TRACK_ENTRY) => Elements,
        (TRACK_ENTRY, VIDEO | AUDIO) => Elements,
        // These are numbers such as the UID, flags, caches, default duration, delay, pre-roll and
        // MaxBlockAdditionID.
        (
            TRACK_ENTRY,
            TRACK_NUMBER | 0x73c5 | 0xb9 | 0x88 | 0x55aa | 0x9c | 0x6de7 | 0x6df8 | 0x23_e383
            | 0x56aa | 0x56bb | 0x55ee,
        ) => Number,
        (TRACK_ENTRY, 0x83) => Value(1, |kind| matches!(kind, [1 | 2])),
        (TRACK_ENTRY, 0x86) => Value(16, is_codec),
        (TRACK_ENTRY, 0x25_8688) => Value(8, |name| name.iter().all(u8::is_ascii_alphanumeric)),
        (TRACK_ENTRY, 0x63a2) => Value(256, is_codec_private),
        (TRACK_ENTRY, 0x22_b59c | 0x22_b59d) => {
            Value(3, |language| matches!(language, b"und" | b"eng" | b"en"))
        }
        // These are the size, display size, display unit, interlacing, stereo mode, alpha mode and
        // frame rate. The crop elements are not allowed, because they hide content.
        (
            VIDEO,
            0xb0 | 0xba | 0x54b0 | 0x54ba | 0x54b2 | 0x9a | 0x9d | 0x53b8 | 0x53c0 | 0x23_83e3,
        ) => Number,
        (VIDEO, COLOUR) => Elements,
        (COLOUR, 0x55b1..=0x55bd) => Number,
        (COLOUR, MASTERING) => Elements,
        (MASTERING, 0x55d1..=0x55da) => Number,
        (AUDIO, 0xb5 | 0x78b5 | 0x9f | 0x6264) => Number,
        (CLUSTER, 0xe7 | 0xa7 | 0xab) => Number,
        (CLUSTER, 0xa3) => Block,
        (CLUSTER, BLOCK_GROUP) => Elements,
        (BLOCK_GROUP, 0xa1) => Block,
        (BLOCK_GROUP, 0x9b | 0xfb | 0x75a2) => Number,
        // For VP8 and VP9, Chromium writes the alpha channel of a canvas into these elements.
        (BLOCK_GROUP, BLOCK_ADDITIONS) | (BLOCK_ADDITIONS, BLOCK_MORE) => Elements,
        (BLOCK_MORE, 0xee) => Value(1, |id| id == [1]),
        (BLOCK_MORE, 0xa5) => Alpha,
        (CUES, CUE_POINT) => Elements,
        (CUE_POINT, 0xb3) => Number,
        (CUE_POINT, CUE_POSITIONS) => Elements,
        (CUE_POSITIONS, 0xf7 | 0xf1 | 0x5378 | 0xf0 | 0xb2) => Number,
        _ => return None,
    };
    Some(rule)
}

/// Accepts the application names that Chromium-based browsers, Firefox, WebKit and their muxing
/// library write. Rejects `Lavf`, the name of ffmpeg's library: ffmpeg copies metadata from its
/// input, so its output can contain metadata that no recorder wrote.
fn is_recorder(name: &[u8]) -> bool {
    let library = name.strip_prefix(b"libwebm-").is_some_and(|rest| {
        rest.iter()
            .all(|byte| byte.is_ascii_digit() || *byte == b'.')
    });
    library
        || matches!(
            name,
            b"Chrome" | b"WebKit" | b"QTmuxingAppLibWebM-0.0.1" | b"QTwritingAppLibWebM-0.0.1"
        )
}

/// Accepts the codecs of recorders. Excludes Vorbis, because its header can contain comments.
fn is_codec(name: &[u8]) -> bool {
    matches!(
        name,
        b"V_VP8"
            | b"V_VP9"
            | b"V_AV1"
            | b"V_MPEG4/ISO/AVC"
            | b"V_MPEGH/ISO/HEVC"
            | b"A_OPUS"
            | b"A_AAC"
    )
}

/// Accepts an Opus header, or a configuration record of AV1, H.264, VP9 or AAC. Checks only the
/// first bytes or the length.
fn is_codec_private(value: &[u8]) -> bool {
    value.starts_with(b"OpusHead")
        || matches!(value.first(), None | Some(0x01 | 0x81))
        || value.len() <= 5
}
