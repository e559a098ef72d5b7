//! Which recipients are asked again after they have answered: everyone after a material edit,
//! people whose readback was corrected, and people who only acknowledged an update that now expects
//! a readback.

use sqlx::AnyConnection;

use crate::error::Result;
use crate::infra::db::Tx;

/// SQL condition: the recipient `r` of the update `u` has answered, but is asked again.
macro_rules! asked_again {
    () => {
        "(r.answered_revision < u.revision OR r.verdict = 'corrected'
          OR (u.expectation = 'readback' AND r.answer = 'acknowledged'))"
    };
}
pub(super) use asked_again;

/// Counts the recipients who have answered an update in any way. A material edit requires a new
/// answer from them.
pub async fn count_answered(connection: &mut AnyConnection, update_id: &str) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "SELECT count(*) FROM receipts
         WHERE update_id = $1 AND removed_at IS NULL AND answered_at IS NOT NULL",
    )
    .bind(update_id)
    .fetch_one(connection)
    .await?)
}

/// Lists the ids of the recipients who have answered an update in any way. A material edit requires
/// a new answer from them.
pub(super) async fn people_who_answered(tx: &mut Tx, update_id: &str) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT person_id FROM receipts
         WHERE update_id = $1 AND removed_at IS NULL AND answered_at IS NOT NULL",
    )
    .bind(update_id)
    .fetch_all(&mut **tx)
    .await?)
}
