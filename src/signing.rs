//! Signatures for URLs, cookies and tokens.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::clock;

/// Signs a text with the key of this installation. Returns the first 128 bits of the HMAC-SHA-256,
/// encoded in base32.
pub fn sign(key: &str, text: &str) -> String {
    clock::base32(&mac(key, text)[..16])
}

/// Verifies a signature in constant time.
pub fn verify(key: &str, text: &str, signature: &str) -> bool {
    use subtle::ConstantTimeEq;
    bool::from(sign(key, text).as_bytes().ct_eq(signature.as_bytes()))
}

#[allow(
    clippy::expect_used,
    reason = "HMAC accepts a key of any length (RFC 2104)"
)]
fn mac(key: &str, text: &str) -> [u8; 32] {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC accepts a key of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}
