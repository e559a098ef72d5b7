//! How many files an update may have.

use crate::error::{Error, Result};
use crate::infra::db::Tx;

/// Maximum number of files in an update.
pub const MAX_FILES: usize = 50;

/// Fails if the update already has [`MAX_FILES`] files.
pub(super) async fn check_file_limit(tx: &mut Tx, update_id: &str) -> Result<()> {
    let count: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM media
         WHERE update_id = $1 AND comment_id IS NULL AND removed_at IS NULL",
    )
    .bind(update_id)
    .fetch_one(&mut **tx)
    .await?;
    if usize::try_from(count).is_ok_and(|count| count < MAX_FILES) {
        return Ok(());
    }
    Err(Error::Conflict(format!(
        "This update already has {MAX_FILES} files, which is the maximum. Create another update for more."
    )))
}
