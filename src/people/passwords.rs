//! Password hashing with Argon2id, on blocking threads and with limited concurrency.

use std::sync::LazyLock;

use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::error::{Error, Result};
use crate::text;

/// Limits how many passwords are hashed at the same time, because each hash needs 19 MiB of memory.
/// The Argon2 parameters (m=19 MiB, t=2, p=1) are OWASP's recommendation and the default of the
/// `argon2` crate.
static HASH_PERMITS: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(4));

/// Minimum number of guesses that a password must withstand, as a base-10 logarithm. The limit excludes the most common
/// passwords (ASVS 5.0, 6.2.4).
const MIN_GUESSES_LOG10: f64 = 3.5;

/// A hashed password.
#[derive(Clone, Debug)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Checks the strength of a new password and hashes it. `about` lists personal words, such as
    /// the name and email address, which count as easy to guess.
    pub async fn new(password: &str, about: &[&str]) -> Result<Self> {
        check_strength(password, about).map_err(|message| Error::invalid("password", message))?;
        let password = password.to_owned();
        run_blocking(move || {
            Argon2::default()
                .hash_password(password.as_bytes())
                .map(|hash| Self(hash.to_string()))
                .map_err(Error::internal)
        })
        .await
    }

    /// Returns the hash in its stored form, a PHC string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Checks a password against a hash. If `hash` is `None`, takes the same time and returns `false`,
/// so that the response time does not reveal whether the account exists.
pub(super) async fn verify(password: &str, hash: Option<String>) -> Result<bool> {
    let password = password.to_owned();
    run_blocking(move || match hash {
        Some(hash) => Ok(Argon2::default()
            .verify_password(password.as_bytes(), hash.as_str())
            .is_ok()),
        None => Argon2::default()
            .hash_password(password.as_bytes())
            .map(|_| false)
            .map_err(Error::internal),
    })
    .await
}

async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let _permit = HASH_PERMITS.acquire().await.map_err(Error::internal)?;
    spawn_blocking(work).await.map_err(Error::internal)?
}

fn check_strength(password: &str, about: &[&str]) -> Result<(), String> {
    let length = password.chars().count();
    if length < 8 {
        return Err("is too short. Use at least 8 characters, for example a few words.".into());
    }
    if length > 256 {
        return Err("is longer than 256 characters. Shorten it.".into());
    }
    if password.contains('\0') {
        return Err(text::NUL_ERROR.into());
    }
    if zxcvbn::zxcvbn(password, about).guesses_log10() < MIN_GUESSES_LOG10 {
        return Err("is too easy to guess. Use something longer, for example a few words.".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_strength_rejects_common_and_short_passwords() {
        for wrong in ["short", "password", "12345678", "iloveyou", "qwertyuiop"] {
            assert!(check_strength(wrong, &[]).is_err(), "{wrong}");
        }
        for right in ["correct horse battery", "Tr0ub4dor&3", "a-good-password-1"] {
            assert!(check_strength(right, &[]).is_ok(), "{right}");
        }
    }
}
