//! What a job is: a type with a stored name, a payload, its work and its policies.

use std::future::Future;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use super::Lane;
use crate::error::{Error, Result};

/// A kind of background work. A value is the payload of one job.
///
/// A process can die at any moment, so every job must be safe to run twice. `worker/registry.rs`
/// lists the types.
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The stored name. It never changes, because old and new versions read the same rows.
    const KIND: &'static str;
    /// The slots that run it.
    const LANE: Lane = Lane::Light;
    /// What happens after many failures.
    const RETRY: Retry = Retry::Limited;
    /// Whether shutdown drops it wherever it is. Otherwise [`Job::run`] must watch `stop`.
    const INTERRUPTIBLE: bool = true;
    /// What the work needs of the program.
    type Context: Sync + 'static;

    /// Does the work. An error is a failed attempt. `stop` is `true` during shutdown.
    fn run(
        self,
        ctx: &Self::Context,
        stop: &watch::Receiver<bool>,
    ) -> impl Future<Output = Result<Outcome>> + Send;

    /// Called once the job is dead. Repeated while the database is unavailable.
    fn on_dead(self, _ctx: &Self::Context) -> impl Future<Output = Result<()>> + Send {
        std::future::ready(Ok(()))
    }

    /// The payload as stored: compact JSON with sorted keys. [`super::run_now`] and
    /// [`super::cancel`] compare it as text.
    fn to_payload(&self) -> Result<String> {
        let sorted = serde_json::to_value(self).map_err(Error::internal)?;
        Ok(sorted.to_string())
    }

    /// Parses a stored payload.
    fn from_payload(payload: &str) -> Result<Self> {
        serde_json::from_str(payload).map_err(Error::internal)
    }
}

/// How an attempt ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is left to do.
    Done,
    /// Shutdown ended the attempt. The job stays in the queue, and the attempt does not count.
    Interrupted,
}

/// What happens to a job that keeps failing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// It is dead after the last attempt.
    Limited,
    /// It is retried until it succeeds. For deletions, because data must not survive a long storage
    /// outage.
    Forever,
}

impl Retry {
    /// The maximum number of attempts of [`Retry::Limited`].
    const MAX_ATTEMPTS: i64 = 6;

    /// Whether the attempt with this number may start; the first one is 1.
    pub fn allows_attempt(self, number: i64) -> bool {
        match self {
            Self::Limited => number <= Self::MAX_ATTEMPTS,
            Self::Forever => true,
        }
    }
}
