//! Muted updates. A mute suppresses notifications about an update, except those that bypass it.

use sqlx::{AnyConnection, AssertSqlSafe};

use super::Kind;
use crate::clock::Clock;
use crate::error::Result;
use crate::events;
use crate::infra::db::{self, TextEnum, Tx};

/// Whether the person has muted the update.
pub async fn is_muted(
    connection: &mut AnyConnection,
    person_id: &str,
    update_id: &str,
) -> Result<bool> {
    let count: i64 =
        sqlx::query_scalar("SELECT count(*) FROM mutes WHERE person_id = $1 AND update_id = $2")
            .bind(person_id)
            .bind(update_id)
            .fetch_one(connection)
            .await?;
    Ok(count > 0)
}

/// Mutes or unmutes an update for a person. Muting also marks as read all notifications that a mute suppresses. Other
/// notifications, such as requests for an answer and objections, stay unread.
pub async fn set_muted(
    tx: &mut Tx,
    clock: &Clock,
    person_id: &str,
    update_id: &str,
    muted: bool,
) -> Result<()> {
    let statement = if muted {
        "INSERT INTO mutes (person_id, update_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"
    } else {
        "DELETE FROM mutes WHERE person_id = $1 AND update_id = $2"
    };
    sqlx::query(statement)
        .bind(person_id)
        .bind(update_id)
        .execute(&mut **tx)
        .await?;
    if !muted {
        return Ok(());
    }
    let suppressed: Vec<Kind> = Kind::ALL
        .iter()
        .copied()
        .filter(|kind| !kind.bypasses_mute())
        .collect();
    let text = format!(
        "UPDATE notices SET read_at = $1 WHERE update_id = $2 AND person_id = $3 AND read_at IS NULL AND kind IN ({})",
        db::placeholders(4, suppressed.len())
    );
    let mut statement = sqlx::query(AssertSqlSafe(text))
        .bind(clock.now())
        .bind(update_id)
        .bind(person_id);
    for kind in suppressed {
        statement = statement.bind(kind);
    }
    statement.execute(&mut **tx).await?;
    events::inbox_changed(tx, person_id);
    Ok(())
}
