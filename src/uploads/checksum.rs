//! Checksums of request bodies (tus 1.0, checksum extension).

use data_encoding::BASE64;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// The supported algorithms, for the header `Tus-Checksum-Algorithm`.
pub const ALGORITHMS: &str = "sha1,sha256";

/// The expected checksum of a body, and the checksum of the bytes so far.
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
    /// Parses the value of `Upload-Checksum`, such as `sha1 BASE64`.
    pub fn parse(header: &str) -> Result<Self> {
        let (name, expected) = header.trim().split_once(' ').unwrap_or((header, ""));
        let (hasher, length) = match name {
            "sha1" => (Hasher::Sha1(Sha1::new()), 20),
            "sha256" => (Hasher::Sha256(Sha256::new()), 32),
            _ => {
                return Err(Error::Malformed(format!(
                    "Upload-Checksum: the algorithm {name:?} is not supported. Use {}.",
                    ALGORITHMS.replace(',', " or ")
                )));
            }
        };
        match BASE64.decode(expected.trim().as_bytes()) {
            Ok(expected) if expected.len() == length => Ok(Self { hasher, expected }),
            _ => Err(Error::Malformed(format!(
                "Upload-Checksum: the value after {name} must be {length} bytes in base64."
            ))),
        }
    }

    /// Adds bytes to the checksum.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match &mut self.hasher {
            Hasher::Sha1(hasher) => hasher.update(bytes),
            Hasher::Sha256(hasher) => hasher.update(bytes),
        }
    }

    /// Fails with [`Error::ChecksumMismatch`] unless the bytes match the expected checksum.
    pub(super) fn verify(self) -> Result<()> {
        let matches = match self.hasher {
            Hasher::Sha1(hasher) => hasher.finalize().as_slice() == self.expected,
            Hasher::Sha256(hasher) => hasher.finalize().as_slice() == self.expected,
        };
        if matches {
            return Ok(());
        }
        Err(Error::ChecksumMismatch(
            "The bytes received do not match Upload-Checksum. Send them again.".into(),
        ))
    }
}
