//! What runs besides requests: jobs, and what has to be looked at again and again.

mod dispatch;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock;
use crate::error::{Error, Result};
use crate::infra::jobs::Job;
use crate::state::State;
use crate::{events, markup, media, notifications, people, receipts, search, updates, uploads};

/// How often receipts are checked for having become due.
const DUE: Duration = Duration::from_secs(15);
/// Age at which a temporary file must have been left by a process that was killed.
const LEFT: Duration = Duration::from_secs(24 * 3600);
/// How often complete uploads that nobody finished are looked for.
const FINISH: Duration = Duration::from_secs(15);
/// How often expired data is deleted.
const SWEEP: Duration = Duration::from_secs(600);

/// Starts the periodic tasks and the dispatcher of jobs. All end with `stop`; the handle is the dispatcher's, whose jobs may take a while to end.
pub(crate) fn start(state: &Arc<State>, stop: &watch::Receiver<bool>) -> JoinHandle<()> {
    tokio::spawn(sweep_on(state.clone(), stop.clone()));
    tokio::spawn(finish_on(state.clone(), stop.clone()));
    tokio::spawn(due_on(state.clone(), stop.clone()));
    tokio::spawn(dispatch::dispatch(state.clone(), stop.clone()))
}

impl State {
    /// Tells authors of what became due.
    pub async fn tell_due(&self) -> Result<usize> {
        let mut tx = self.db.begin().await?;
        let told = receipts::tell_due(&mut tx, &self.clock).await?;
        tx.commit().await?;
        Ok(told)
    }

    /// Throws away what is over: the trash after 30 days, uploads that broke off, old events, files in the making, counts of who tried what.
    /// Each step is tried, because later ones may make the room that an earlier one lacks; answers with the first error.
    pub async fn sweep(&self) -> Result<()> {
        let rows = self.sweep_rows().await;
        let uploads = uploads::sweep(&self.intake).await;
        let log = self.db.scrub().await;
        self.guard.forget();
        let folder =
            media::sweep_folder(self.intake.shop.tmp.clone(), clock::real_time() - LEFT).await;
        let storage = self.sweep_storage().await;
        let mut swept = Ok(());
        for step in [rows, uploads, log, folder, storage] {
            match (&swept, step) {
                (Ok(()), step) => swept = step,
                (Err(_), Err(error)) => tracing::warn!(%error, "another step of the sweep failed"),
                (Err(_), Ok(())) => {}
            }
        }
        swept
    }

    async fn sweep_rows(&self) -> Result<()> {
        let mut tx = self.db.begin().await?;
        updates::sweep_trash(&mut tx, &self.clock).await?;
        events::sweep(&mut tx, &self.clock).await?;
        notifications::sweep(&mut tx, &self.clock).await?;
        people::sweep(&mut tx, &self.clock).await?;
        tx.commit().await
    }

    async fn sweep_storage(&self) -> Result<()> {
        let wanted = uploads::unfinished(&mut *self.db.read().await?).await?;
        self.intake.shop.storage.sweep(&wanted).await
    }
}

/// Runs `task` at once and then every `interval`, until `stop`. A failure is logged as `failed` and does not end it.
async fn repeat<F>(
    interval: Duration,
    mut stop: watch::Receiver<bool>,
    failed: &'static str,
    task: impl Fn() -> F,
) where
    F: Future<Output = Result<()>>,
{
    while !*stop.borrow() {
        if let Err(error) = task().await {
            tracing::warn!(%error, "{failed}");
        }
        tokio::select! {
            () = tokio::time::sleep(interval) => {}
            _ = stop.changed() => {}
        }
    }
}

async fn sweep_on(state: Arc<State>, stop: watch::Receiver<bool>) {
    let failed = "what is over could not be thrown away";
    repeat(SWEEP, stop, failed, || state.sweep()).await;
}

/// Finishes uploads that their last request left unfinished. Not part of the sweep, because somebody waits for them.
async fn finish_on(state: Arc<State>, stop: watch::Receiver<bool>) {
    let failed = "forgotten uploads could not be finished";
    repeat(FINISH, stop, failed, || {
        uploads::finish_forgotten(&state.intake)
    })
    .await;
}

async fn due_on(state: Arc<State>, stop: watch::Receiver<bool>) {
    let failed = "what became due could not be told";
    repeat(DUE, stop, failed, || async {
        state.tell_due().await.map(drop)
    })
    .await;
}

#[derive(Deserialize)]
struct Keys {
    keys: Vec<String>,
}

#[derive(Deserialize)]
struct Subject {
    update: String,
    #[serde(default)]
    subject: String,
}

/// The one list of what jobs there are. Answers false where the end of the process came first.
async fn perform(state: &State, job: &Job, stop: &watch::Receiver<bool>) -> Result<bool> {
    let shop = &state.intake.shop;
    let done = match job.kind.as_str() {
        "process" => media::process(shop, &job.payload).await,
        "convert" => media::convert(shop, &job.payload).await,
        "mark" => markup::mark(shop, &job.payload).await,
        "burn" => markup::burn_job(shop, &job.payload).await,
        "purge" => {
            let keys: Keys = serde_json::from_str(&job.payload).map_err(Error::internal)?;
            uploads::purge(shop, &keys.keys).await
        }
        "clear" => uploads::clear(shop, &job.payload).await,
        "index" => {
            let subject: Subject = serde_json::from_str(&job.payload).map_err(Error::internal)?;
            let mut tx = state.db.begin().await?;
            search::index(
                &mut tx,
                state.db.dialect(),
                &subject.update,
                &subject.subject,
            )
            .await?;
            tx.commit().await
        }
        "forget" => {
            let subject: Subject = serde_json::from_str(&job.payload).map_err(Error::internal)?;
            let mut tx = state.db.begin().await?;
            search::forget_update(&mut tx, state.db.dialect(), &subject.update).await?;
            tx.commit().await
        }
        "mail" => return state.deliver(job, stop).await,
        other => Err(Error::internal(format!("no job is called {other}"))),
    };
    done.map(|()| true)
}
