//! The lock of an update.

use crate::error::Result;
use crate::infra::db::Tx;

/// Locks an update until the transaction ends, so that answers, verdicts and edits run one after another. Call it
/// before reading or locking anything else that belongs to the update. If a transaction took its locks in a different
/// order, two transactions could deadlock.
pub async fn lock_for_update(tx: &mut Tx, update_id: &str) -> Result<()> {
    sqlx::query("UPDATE updates SET version = version WHERE id = $1")
        .bind(update_id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
