//! Signatures for URLs, cookies and tokens, and the key that signs them.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::error::Result;
use crate::ids;
use crate::infra::db::{self, Tx};

/// Returns the key of this installation from the database, and creates it if it is missing. The key
/// is in the database so that all nodes share it.
pub async fn stored_key(tx: &mut Tx) -> Result<String> {
    db::get_or_create_setting(tx, "key", ids::secret).await
}

/// Signs a text with the key of this installation. Returns the first 128 bits of the HMAC-SHA-256,
/// encoded in base32.
pub fn sign(key: &str, text: &str) -> String {
    ids::base32(&mac(key, text)[..16])
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
