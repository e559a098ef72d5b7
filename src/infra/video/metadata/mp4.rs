//! Fragmented MP4 (ISO/IEC 14496-12) as recorded by Chromium and WebKit: empty sample tables, followed by fragments.

mod boxes;

use serde::{Deserialize, Serialize};

use super::Step;

/// The maximum number of tracks. Recorders write two.
const MAX_TRACKS: usize = 8;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Mp4 {
    /// The open parent boxes, outermost first. At most five, because allowed boxes are nested no deeper.
    open: Vec<Open>,
    moov: bool,
    /// The number of each track, and its default sample size in bytes.
    tracks: Vec<(u32, u32)>,
    /// The default sample size of the current track fragment, in bytes. It applies to each run that lists no sample
    /// sizes.
    sample_size: u32,
    /// The total size of the samples that the current fragment describes, in bytes. The content of the next `mdat` must
    /// have exactly this size.
    samples: Option<u64>,
    /// Whether the most recently read box is an `mdat`.
    in_mdat: bool,
    fragments: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Open {
    kind: [u8; 4],
    end: u64,
}

/// What a box may contain.
enum Rule {
    Boxes,
    /// Content that the given function accepts.
    Content(fn(&[u8]) -> bool),
    /// Content that gives the sample sizes of fragments, or default sample sizes.
    Fragment,
    /// The samples of the preceding fragment.
    Samples,
    /// Only zeros.
    Free,
}

impl Mp4 {
    /// Whether the file may end here: after a complete box, or in the middle of a fragment's samples,
    /// where an interrupted recording may break off.
    pub(super) fn may_end(&self, at: u64, skipping: bool, pending: bool) -> bool {
        let complete = !skipping && !pending && self.open.iter().all(|open| open.end == at);
        self.fragments && (complete || (self.in_mdat && !pending))
    }

    pub(super) fn step(&mut self, at: u64, bytes: &[u8]) -> Step {
        let Some((short, rest)) = bytes.split_first_chunk::<4>() else {
            return Step::Need(8);
        };
        let Some(kind) = rest.first_chunk::<4>() else {
            return Step::Need(8);
        };
        let (size, header) = match (u32::from_be_bytes(*short), bytes.get(8..16)) {
            (1, None) => return Step::Need(16),
            (1, Some(long)) => (
                long.iter()
                    .fold(0, |size, byte| size << 8 | u64::from(*byte)),
                16,
            ),
            (short, _) => (u64::from(short), 8),
        };
        while self.open.last().is_some_and(|open| open.end == at) {
            self.open.pop();
        }
        let (Some(end), Some(content)) = (at.checked_add(size), size.checked_sub(header)) else {
            return Step::Refuse;
        };
        if self.open.iter().any(|open| end > open.end) {
            return Step::Refuse;
        }
        let Some(rule) = self.rule(at, *kind) else {
            return Step::Refuse;
        };
        self.in_mdat = matches!(rule, Rule::Samples);
        match rule {
            Rule::Boxes => self.enter(*kind, end),
            Rule::Samples => self.mdat(content),
            Rule::Free => Step::Next {
                skip: content,
                zeros: true,
            },
            Rule::Content(_) | Rule::Fragment => match usize::try_from(size) {
                Ok(size) if bytes.len() < size => Step::Need(size),
                Ok(_) => {
                    let content = bytes
                        .get(if header == 16 { 16.. } else { 8.. })
                        .unwrap_or_default();
                    let allowed = if let Rule::Content(check) = rule {
                        check(content)
                    } else {
                        self.remember(*kind, content).is_some()
                    };
                    Step::allow_if(allowed)
                }
                Err(_) => Step::Refuse,
            },
        }
    }

    fn rule(&self, at: u64, kind: [u8; 4]) -> Option<Rule> {
        let parent = self.open.last().map_or(b"root", |open| &open.kind);
        match (parent, &kind) {
            (b"root", b"ftyp") if at == 0 => Some(Rule::Content(boxes::is_file_type)),
            (b"root", _) if at == 0 => None,
            (b"root", b"moov") if !self.moov => Some(Rule::Boxes),
            (b"root", b"moof") if !self.tracks.is_empty() && self.samples.is_none() => {
                Some(Rule::Boxes)
            }
            (b"root", b"mdat") if self.samples.is_some() => Some(Rule::Samples),
            _ => allowed(parent, &kind),
        }
    }

    fn enter(&mut self, kind: [u8; 4], end: u64) -> Step {
        match &kind {
            b"moov" => self.moov = true,
            b"moof" => {
                self.fragments = true;
                self.samples = Some(0);
            }
            _ => {}
        }
        self.open.push(Open { kind, end });
        Step::NEXT
    }

    /// Accepts an `mdat` only if all its bytes belong to samples.
    fn mdat(&mut self, content: u64) -> Step {
        match self.samples.take() {
            Some(samples) if samples == content => Step::Next {
                skip: content,
                zeros: false,
            },
            _ => Step::Refuse,
        }
    }

    /// Records default sample sizes, and adds up the sample sizes of a fragment. Returns `None` for malformed content.
    fn remember(&mut self, kind: [u8; 4], content: &[u8]) -> Option<()> {
        match &kind {
            b"trex" => {
                let track = boxes::number(content, 4)
                    .filter(|_| content.len() == 24 && self.tracks.len() < MAX_TRACKS)?;
                self.tracks.push((track, boxes::number(content, 16)?));
            }
            b"tfhd" => {
                let (track, size) = boxes::fragment_header(content)?;
                let known = self.tracks.iter().find(|(number, _)| *number == track)?;
                self.sample_size = size.unwrap_or(known.1);
            }
            _ => {
                let bytes = boxes::run_bytes(content, self.sample_size)?;
                self.samples = Some(self.samples?.checked_add(bytes)?);
            }
        }
        Some(())
    }
}

fn allowed(parent: &[u8; 4], kind: &[u8; 4]) -> Option<Rule> {
    use Rule::{Boxes, Content, Fragment, Free};
    let rule = match (parent, kind) {
        (b"root", b"styp") => Content(boxes::is_file_type),
        (b"root", b"sidx") => Content(|_| true),
        (b"root", b"mfra") => Boxes,
        (b"root", b"free" | b"skip") => Free,
        (b"mfra", b"tfra" | b"mfro") => Content(|_| true),
        (b"moov", b"trak" | b"mvex") => Boxes,
        (b"moov", b"mvhd") => Content(|content| matches!(content.len(), 100 | 112)),
        (b"mvex", b"mehd") => Content(|content| matches!(content.len(), 8 | 12)),
        (b"mvex", b"trex") => Fragment,
        // Edit lists (`edts`) are not allowed in a track, because they could hide content.
        (b"trak", b"tkhd") => Content(|content| matches!(content.len(), 84 | 96)),
        (b"trak", b"mdia") => Boxes,
        (b"mdia", b"mdhd") => Content(boxes::is_media_header),
        (b"mdia", b"hdlr") => Content(boxes::is_handler),
        (b"mdia", b"minf") => Boxes,
        (b"minf", b"vmhd" | b"smhd") => Content(|content| matches!(content.len(), 8 | 12)),
        (b"minf", b"dinf" | b"stbl") => Boxes,
        (b"dinf", b"dref") => Content(boxes::is_own_data),
        (b"stbl", b"stsd") => Content(boxes::is_description),
        (b"stbl", b"stts" | b"stsc" | b"stco" | b"co64" | b"stss") => {
            Content(|content| content == [0; 8])
        }
        (b"stbl", b"stsz") => Content(|content| content == [0; 12]),
        (b"moof", b"mfhd") => Content(|content| content.len() == 8),
        (b"moof", b"traf") => Boxes,
        (b"traf", b"tfhd" | b"trun") => Fragment,
        (b"traf", b"tfdt") => Content(|content| matches!(content.len(), 8 | 12)),
        _ => return None,
    };
    Some(rule)
}
