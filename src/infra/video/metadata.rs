//! Determines whether a video file can contain metadata, such as a location, a title or the name of
//! its author.
//!
//! Uses an allow-list of the elements that browsers' `MediaRecorder` writes (WebM, Matroska and
//! fragmented MP4). Anything else counts as metadata. The scan processes each byte once, in order,
//! as it arrives, so nothing is read again at the end of an upload. Its state is small and can be
//! stored between requests.
//!
//! Encoded pictures and samples are not inspected. Browsers' encoders write no text there except
//! their own name and settings (for example x264's settings in an SEI message). Camera files may
//! contain more, but their containers already count as metadata.

mod mp4;
mod webm;

use serde::{Deserialize, Serialize};

use mp4::Mp4;
use webm::Webm;

use crate::error::{Error, Result};

/// Maximum size, in bytes, of an element that is held in memory whole. It is enough to describe about 1,000 samples of
/// an MP4 fragment. While an upload is incomplete, the state of its scan is stored, so this also limits its size.
const MAX_ELEMENT: usize = 16 * 1024;

/// Whether a file can contain anything besides pictures and sound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Metadata {
    /// No metadata: the file matches what browsers record.
    None,
    /// The file may contain metadata that the author does not want to share.
    Possible,
}

impl Metadata {
    /// The name under which the value is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Possible => "possible",
        }
    }

    /// Parses the name under which the value is stored.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::None, Self::Possible]
            .into_iter()
            .find(|metadata| metadata.as_str() == word)
    }
}

/// A scan for metadata. Feed it the whole file in order, in chunks of any length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetadataScan {
    /// The number of bytes that the scan has received so far.
    fed: u64,
    /// The position in the file where the current element starts. While `skip` is not 0, the
    /// position of the next element.
    at: u64,
    /// The first bytes of the current element.
    pending: Vec<u8>,
    /// How many bytes of the element are needed to continue.
    need: usize,
    /// How many bytes of content remain before the next element.
    skip: u64,
    /// Whether all bytes of the skipped content must be zero.
    zeros: bool,
    format: Format,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Format {
    /// The container has not been detected yet.
    Unknown,
    Webm(Webm),
    Mp4(Mp4),
    /// The file contains something that is not on the allow-list.
    Refused,
}

/// The result of parsing the first bytes of an element.
#[derive(Debug, PartialEq)]
enum Step {
    /// This many bytes of the element are needed.
    Need(usize),
    /// The element is allowed. The next one starts after `skip` bytes of content. If `zeros` is set, all these bytes
    /// must be zero.
    Next { skip: u64, zeros: bool },
    /// The element is not on the allow-list.
    Refuse,
}

impl Step {
    /// The next element follows immediately.
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
    /// Returns a scan whose result is always [`Metadata::Possible`].
    fn refused() -> Self {
        Self {
            format: Format::Refused,
            ..Self::default()
        }
    }

    /// The number of bytes that the scan has received so far.
    pub fn fed(&self) -> u64 {
        self.fed
    }

    /// Restores the stored scan of the first `length` bytes of a file. If there is no such scan,
    /// returns a new scan if `length` is 0, and otherwise a scan whose result is always
    /// [`Metadata::Possible`].
    pub fn resume(stored: Option<&str>, length: u64) -> Self {
        let stored: Option<Self> = stored.and_then(|json| serde_json::from_str(json).ok());
        match stored.filter(|scan| scan.fed == length) {
            Some(scan) => scan,
            None if length == 0 => Self::default(),
            None => Self::refused(),
        }
    }

    /// Serializes the scan for [`MetadataScan::resume`]. The result is at most about 60 kB long,
    /// and usually a few hundred bytes.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(Error::internal)
    }

    /// Processes the next bytes of the file.
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

    /// The result if the file ends here.
    pub fn finish(&self) -> Metadata {
        let in_element = self.skip > 0 || !self.pending.is_empty();
        let allowed = match &self.format {
            Format::Webm(webm) => webm.may_end(self.at, in_element),
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
        let (needed, rest) = bytes.split_at(missing.min(bytes.len()));
        self.pending.extend_from_slice(needed);
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
