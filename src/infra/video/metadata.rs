//! Whether a video file can carry metadata: a location, a title, the name of its author.
//!
//! An allow-list of what browsers' `MediaRecorder`s write (WebM, Matroska and fragmented MP4). Whatever is not on it
//! counts as metadata. The scan sees each byte once, in order, as it arrives, so nothing is read again at the end of
//! an upload; its state is small and can be stored between two requests.
//!
//! The coded pictures and samples themselves are not inspected: browsers' encoders write no more than their own name
//! there (x264's settings in an SEI message, for example), and files of cameras, which may do otherwise, are refused
//! for their containers.

mod mp4;
mod webm;

use serde::{Deserialize, Serialize};

use mp4::Mp4;
use webm::Webm;

use crate::error::{Error, Result};

/// The largest element that is read whole, in bytes: an MP4 fragment of some 1,000 samples. Also bounds the state.
const MAX_ELEMENT: usize = 16 * 1024;

/// What a file can carry besides pictures and sound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Metadata {
    /// Nothing: all of it is as browsers record it.
    None,
    /// Possibly something that its author would not want to share.
    Possible,
}

impl Metadata {
    /// The word that it is stored as.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Possible => "possible",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::None, Self::Possible]
            .into_iter()
            .find(|metadata| metadata.as_str() == word)
    }
}

/// A scan for metadata. Feed it the whole file from its first byte, in order, in pieces of any length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetadataScan {
    /// How many bytes were fed.
    fed: u64,
    /// Where the element under way, or the next one after `skip`, begins.
    at: u64,
    /// The first bytes of that element.
    pending: Vec<u8>,
    /// How many of its bytes the format needs to go on.
    need: usize,
    /// How many bytes of content come before the next element.
    skip: u64,
    /// Whether those must be zero.
    zeros: bool,
    format: Format,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Format {
    /// Too few bytes to tell.
    Unknown,
    Webm(Webm),
    Mp4(Mp4),
    /// Something that is not on the list was found.
    Refused,
}

/// What a format makes of the first bytes of an element.
#[derive(Debug, PartialEq)]
enum Step {
    /// So many of its bytes are needed.
    Need(usize),
    /// It is allowed so far; the next one begins after so many bytes of content, which are all zero where that is asked.
    Next { skip: u64, zeros: bool },
    /// It is not on the list.
    Refuse,
}

impl Step {
    /// The next element follows at once.
    const NEXT: Self = Self::Next {
        skip: 0,
        zeros: false,
    };

    fn allow_if(allowed: bool) -> Self {
        if allowed { Self::NEXT } else { Self::Refuse }
    }
}

impl Default for MetadataScan {
    fn default() -> Self {
        Self {
            fed: 0,
            at: 0,
            pending: Vec::new(),
            need: 4,
            skip: 0,
            zeros: false,
            format: Format::Unknown,
        }
    }
}

impl MetadataScan {
    /// The scan of a file whose beginning was not seen: it ends in [`Metadata::Possible`].
    fn refused() -> Self {
        Self {
            format: Format::Refused,
            ..Self::default()
        }
    }

    /// How many bytes were fed.
    pub fn fed(&self) -> u64 {
        self.fed
    }

    /// The scan of the first `length` bytes of a file, as it was stored; one of other bytes counts as refused.
    pub fn resume(stored: Option<&str>, length: u64) -> Self {
        let stored: Option<Self> = stored.and_then(|json| serde_json::from_str(json).ok());
        match stored.filter(|scan| scan.fed == length) {
            Some(scan) => scan,
            None if length == 0 => Self::default(),
            None => Self::refused(),
        }
    }

    /// As JSON, for [`MetadataScan::resume`]: some 60 kB at most, and mostly a few hundred bytes.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(Error::internal)
    }

    /// Takes the next bytes of the file.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        self.fed = self.fed.saturating_add(bytes.len() as u64);
        while !bytes.is_empty() && self.format != Format::Refused {
            bytes = if self.skip > 0 {
                self.skip_content(bytes)
            } else {
                self.read_element(bytes)
            };
        }
    }

    /// The result for a file that ends here.
    pub fn finish(&self) -> Metadata {
        let begun = self.skip > 0 || !self.pending.is_empty();
        let allowed = match &self.format {
            Format::Webm(webm) => webm.may_end(self.at, begun),
            Format::Mp4(mp4) => mp4.may_end(self.at, self.skip > 0, !self.pending.is_empty()),
            Format::Unknown | Format::Refused => false,
        };
        if allowed {
            Metadata::None
        } else {
            Metadata::Possible
        }
    }

    fn skip_content<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let length = usize::try_from(self.skip).map_or(bytes.len(), |skip| skip.min(bytes.len()));
        let (content, rest) = bytes.split_at(length);
        if self.zeros && content.iter().any(|byte| *byte != 0) {
            self.refuse();
        } else {
            self.skip -= length as u64;
        }
        rest
    }

    fn read_element<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let missing = self.need.saturating_sub(self.pending.len());
        let (taken, rest) = bytes.split_at(missing.min(bytes.len()));
        self.pending.extend_from_slice(taken);
        if self.pending.len() < self.need {
            return rest;
        }
        match self.step() {
            Step::Need(need) if need > self.pending.len() && need <= MAX_ELEMENT => {
                self.need = need
            }
            Step::Next { skip, zeros } => match self
                .at
                .checked_add(self.pending.len() as u64)
                .and_then(|at| at.checked_add(skip))
            {
                Some(at) => {
                    self.at = at;
                    self.pending.clear();
                    (self.need, self.skip, self.zeros) = (1, skip, zeros);
                }
                None => self.refuse(),
            },
            Step::Need(_) | Step::Refuse => self.refuse(),
        }
        rest
    }

    fn step(&mut self) -> Step {
        if self.format == Format::Unknown {
            let ebml = self.pending.starts_with(&webm::MAGIC);
            self.format = if ebml {
                Format::Webm(Webm::default())
            } else {
                Format::Mp4(Mp4::default())
            };
        }
        match &mut self.format {
            Format::Webm(webm) => webm.step(self.at, &self.pending),
            Format::Mp4(mp4) => mp4.step(self.at, &self.pending),
            Format::Unknown | Format::Refused => Step::Refuse,
        }
    }

    fn refuse(&mut self) {
        *self = Self {
            fed: self.fed,
            ..Self::refused()
        };
    }
}

#[cfg(test)]
mod tests;
