//! The order of an update's media, which its author can change.

use super::{ids_of_update, lock_for_update};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::events::{self, EventKind};
use crate::infra::db::Tx;
use crate::people::Viewer;

/// Moves media of one of the viewer's own updates to a position, counted from 1, and returns the id of the update. The
/// media between the old and the new position move by one. Does nothing if the media already are at that position.
pub async fn move_to(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    id: &str,
    position: i64,
) -> Result<String> {
    let (media, _, update) = lock_for_update(tx, viewer, id).await?;
    if media.comment_id.is_some() {
        return Err(Error::Forbidden(
            "A picture in a comment cannot be moved.".into(),
        ));
    }
    let before = ids_of_update(tx, &update.id).await?;
    let mut after = before.clone();
    after.retain(|other| other != id);
    let index = position
        .checked_sub(1)
        .and_then(|index| usize::try_from(index).ok())
        .filter(|index| *index <= after.len())
        .ok_or_else(|| {
            Error::invalid(
                "position",
                format!("must be a number from 1 to {}.", before.len()),
            )
        })?;
    after.insert(index, id.to_owned());
    if after == before {
        return Ok(update.id);
    }
    for (position, media_id) in (0_i64..).zip(&after) {
        sqlx::query("UPDATE media SET position = $1 WHERE id = $2")
            .bind(position)
            .bind(media_id)
            .execute(&mut **tx)
            .await?;
    }
    let person = viewer.person()?;
    events::record(tx, clock, EventKind::Media, &update.id, id, &person.id).await?;
    Ok(update.id)
}
