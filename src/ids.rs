//! Ids, which sort by creation time, and random secrets.

use std::sync::Mutex;

/// Generates ids that sort by creation time, even within one millisecond.
#[derive(Debug, Default)]
pub struct IdGenerator {
    /// The time, in milliseconds, and the sequence number of the last id.
    last: Mutex<(i64, u16)>,
}

impl IdGenerator {
    /// Returns a new id for the time `now` in milliseconds: 26 characters of lowercase base32. An id has 48 bits of
    /// time, a 16-bit sequence number and 64 random bits. If `now` goes back, ids still sort by creation time.
    pub fn next(&self, now: i64) -> String {
        let (time, sequence) = {
            let mut last = self
                .last
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            *last = if now > last.0 {
                (now, 0)
            } else {
                (
                    last.0 + i64::from(last.1 == u16::MAX),
                    last.1.wrapping_add(1),
                )
            };
            *last
        };
        let mut bytes = [0_u8; 16];
        bytes[..6].copy_from_slice(&time.to_be_bytes()[2..]);
        bytes[6..8].copy_from_slice(&sequence.to_be_bytes());
        bytes[8..].copy_from_slice(&random::<8>());
        base32(&bytes)
    }
}

/// Returns `N` bytes from the operating system's secure random generator.
#[allow(
    clippy::expect_used,
    reason = "secrets need random bytes, and there is no safe fallback"
)]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system should provide random bytes");
    bytes
}

/// Returns a secret with 160 random bits (32 characters), for tokens, links and storage keys.
pub fn secret() -> String {
    base32(&random::<20>())
}

/// Encodes bytes as lowercase base32hex without padding (RFC 4648 §7). Encoded texts sort in the
/// same order as the bytes.
pub fn base32(bytes: &[u8]) -> String {
    data_encoding::BASE32HEX_NOPAD
        .encode(bytes)
        .to_ascii_lowercase()
}
