//! The job that deletes stored objects. Every module that stores files can enqueue this job.

use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;
use tokio::sync::watch;

use crate::error::Result;
use crate::infra::db::{self, Db};
use crate::infra::jobs::{Job, Lane, Outcome, Retry};
use crate::infra::storage::Storage;

/// What [`DeleteObjects`] needs to run.
#[derive(Clone, Debug)]
pub struct ObjectContext {
    /// The database.
    pub db: Db,
    /// The object storage.
    pub storage: Storage,
}

/// Deletes the objects with these storage keys, including all versions of each object.
#[derive(Debug, Serialize, Deserialize)]
pub struct DeleteObjects {
    /// The storage keys.
    pub keys: Vec<String>,
}

impl Job for DeleteObjects {
    const KIND: &'static str = "purge";
    const LANE: Lane = Lane::Deletion;
    const RETRY: Retry = Retry::Forever;
    type Context = ObjectContext;

    async fn run(self, ctx: &ObjectContext, _stop: &watch::Receiver<bool>) -> Result<Outcome> {
        ctx.storage.delete_all(&self.keys).await?;
        let mut tx = ctx.db.begin().await?;
        for chunk in self.keys.chunks(500) {
            let statement = format!(
                "DELETE FROM loose_objects WHERE key IN ({})",
                db::placeholders(1, chunk.len())
            );
            let forget = chunk
                .iter()
                .fold(sqlx::query(AssertSqlSafe(statement)), |query, key| {
                    query.bind(key)
                });
            forget.execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(Outcome::Done)
    }
}
