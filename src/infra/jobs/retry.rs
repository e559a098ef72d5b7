//! Retries: how often a failed job is tried again, and the pauses between the attempts.

use crate::clock::Millis;

/// What happens to a job that keeps failing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The job is dead after the last allowed attempt.
    Limited,
    /// The job is retried until it succeeds. Deletions use this policy, because the data must be
    /// deleted even if the storage is unavailable for a long time.
    Forever,
}

impl Retry {
    /// The maximum number of attempts with [`Retry::Limited`].
    const MAX_ATTEMPTS: i64 = 6;

    /// Whether a job may start its attempt number `number`, counted from 1.
    pub fn allows_attempt(self, number: i64) -> bool {
        match self {
            Self::Limited => number <= Self::MAX_ATTEMPTS,
            Self::Forever => true,
        }
    }
    /// Returns the pause after a failed attempt, in milliseconds. The pauses are 5 s, 25 s, 125 s
    /// and so on, up to about an hour. `attempts` includes the attempt that failed.
    pub(super) fn pause_after(attempts: i64) -> Millis {
        1000 * 5_i64.pow(u32::try_from(attempts.clamp(1, 5)).unwrap_or(5))
    }
}
