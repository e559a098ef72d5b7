//! Rate limits for sign-in attempts and for comments by guests.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::error::{Error, Result};
use crate::people::Viewer;

/// The rate limits. Each node counts separately, in memory.
#[derive(Debug)]
pub struct RateLimits {
    accounts: DefaultKeyedRateLimiter<String>,
    addresses: DefaultKeyedRateLimiter<String>,
    commenters: DefaultKeyedRateLimiter<String>,
}

impl Default for RateLimits {
    fn default() -> Self {
        let quota = |burst: u32, refill: u64| {
            let period = Duration::from_secs(refill);
            Quota::with_period(period)
                .unwrap_or(Quota::per_minute(NonZeroU32::MIN))
                .allow_burst(NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN))
        };
        Self {
            accounts: RateLimiter::keyed(quota(10, 30)),
            addresses: RateLimiter::keyed(quota(60, 2)),
            commenters: RateLimiter::keyed(quota(60, 1)),
        }
    }
}

impl RateLimits {
    /// Limits sign-in attempts from one client address. For each account, allows ten attempts and
    /// then one every 30 seconds. For all accounts in total, allows sixty attempts and then one
    /// every two seconds. Attempts from one address do not block sign-in from other addresses.
    pub fn check_sign_in(&self, account: &str, address: &str) -> Result<()> {
        check(&self.addresses, address)?;
        check(&self.accounts, &format!("{account} {address}"))
    }

    /// Removes counters that were not used recently and therefore no longer limit anyone.
    pub(crate) fn evict_idle(&self) {
        for limiter in [&self.accounts, &self.addresses, &self.commenters] {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }

    /// Limits comments by guests. Allows sixty comments from one client address and then one per
    /// second. People who are signed in are not limited.
    pub fn check_comment(&self, viewer: &Viewer, address: &str) -> Result<()> {
        match viewer {
            Viewer::Guest(_) => check(&self.commenters, address),
            Viewer::Person(_) | Viewer::Nobody => Ok(()),
        }
    }
}

fn check(limiter: &DefaultKeyedRateLimiter<String>, key: &str) -> Result<()> {
    limiter.check_key(&key.to_owned()).map_err(|until| {
        Error::TooManyRequests(
            until
                .wait_time_from(DefaultClock::default().now())
                .as_secs()
                + 1,
        )
    })
}
