//! The trait that defines a type of job: its stored name, payload, work and policies.

use std::future::Future;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use super::{Lane, Retry};
use crate::error::{Error, Result};

/// A type of background work. Each value of the type is the payload of one job.
///
/// A process can die at any moment, so every job must be safe to run twice. `worker/registry.rs`
/// lists the types.
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The stored name. It must never change, because old and new versions read the same rows.
    const KIND: &'static str;
    /// The lane whose slots run this type of job.
    const LANE: Lane = Lane::Light;
    /// Whether the job is retried forever or becomes dead after a fixed number of failures.
    const RETRY: Retry = Retry::Limited;
    /// Whether shutdown may cancel the job at any point. If `false`, [`Job::run`] must watch `stop`
    /// and return soon after it becomes `true`.
    const INTERRUPTIBLE: bool = true;
    /// The part of the application state that the job uses.
    type Context: Sync + 'static;

    /// Runs the job. If it returns an error, the attempt has failed. `stop` becomes `true` at
    /// shutdown.
    fn run(
        self,
        ctx: &Self::Context,
        stop: &watch::Receiver<bool>,
    ) -> impl Future<Output = Result<Outcome>> + Send;

    /// Called when the job has become dead. If the database is unavailable, the call is repeated.
    fn on_dead(self, _ctx: &Self::Context) -> impl Future<Output = Result<()>> + Send {
        std::future::ready(Ok(()))
    }

    /// The payload as stored: compact JSON with sorted keys. [`super::enqueue_once_at`],
    /// [`super::run_now`] and [`super::cancel`] compare it as text.
    fn to_payload(&self) -> Result<String> {
        let sorted = serde_json::to_value(self).map_err(Error::internal)?;
        Ok(sorted.to_string())
    }

    /// Parses a stored payload.
    fn from_payload(payload: &str) -> Result<Self> {
        serde_json::from_str(payload).map_err(Error::internal)
    }
}

/// The result of an attempt that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is left to do.
    Done,
    /// Shutdown ended the attempt. The job stays in the queue, and the attempt does not count.
    Interrupted,
}
