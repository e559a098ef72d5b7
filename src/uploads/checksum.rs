//! Checksums of a request's bytes (tus 1.0, checksum).

use data_encoding::BASE64;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// What is understood, as `Tus-Checksum-Algorithm` says it.
pub const ALGORITHMS: &str = "sha1,sha256";

/// What the bytes of one request must add up to.
#[derive(Clone, Debug)]
pub struct Checksum {
    hasher: Hasher,
    expected: Vec<u8>,
}

#[derive(Clone, Debug)]
enum Hasher {
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Checksum {
    /// Reads `Upload-Checksum: sha1 BASE64`.
    pub fn parse(header: &str) -> Result<Self> {
        let (name, wanted) = header.trim().split_once(' ').unwrap_or((header, ""));
        let (sum, length) = match name {
            "sha1" => (Hasher::Sha1(Sha1::new()), 20),
            "sha256" => (Hasher::Sha256(Sha256::new()), 32),
            _ => {
                return Err(Error::Malformed(format!(
                    "Upload-Checksum: {name:?} is not understood. Use one of {ALGORITHMS}."
                )));
            }
        };
        match BASE64.decode(wanted.trim().as_bytes()) {
            Ok(wanted) if wanted.len() == length => Ok(Self {
                hasher: sum,
                expected: wanted,
            }),
            _ => Err(Error::Malformed(format!(
                "Upload-Checksum: what follows {name} is not {length} bytes in base64."
            ))),
        }
    }

    /// Counts bytes in.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match &mut self.hasher {
            Hasher::Sha1(sum) => sum.update(bytes),
            Hasher::Sha256(sum) => sum.update(bytes),
        }
    }

    /// Whether they were the ones that were meant.
    pub(super) fn matches(self) -> bool {
        match self.hasher {
            Hasher::Sha1(sum) => sum.finalize().as_slice() == self.expected,
            Hasher::Sha256(sum) => sum.finalize().as_slice() == self.expected,
        }
    }
}
