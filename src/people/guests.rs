//! Guests: someone known only through a share link, who says a name before anything else.

use sqlx::AnyConnection;

use super::{Guest, Viewer};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::infra::db::Tx;
use crate::text;

/// The guest of this update, if their link lets them answer.
pub fn guest_who_may_comment<'a>(viewer: &'a Viewer, update_id: &str) -> Result<&'a Guest> {
    let guest = viewer
        .guest_of(update_id)
        .ok_or_else(|| viewer.not_visible_error())?;
    if guest.may_comment {
        Ok(guest)
    } else {
        Err(Error::Forbidden(
            "This link is for looking only. Ask who sent it for one that takes comments.".into(),
        ))
    }
}

/// The id of the guest who says something; who has no name yet must give one, and keeps it.
pub async fn named_guest_id(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    update_id: &str,
    name: Option<&str>,
) -> Result<String> {
    let guest = guest_who_may_comment(viewer, update_id)?;
    if guest.name.is_some() {
        return Ok(guest.id.clone());
    }
    let Some(name) = name.filter(|name| !name.trim().is_empty()) else {
        return Err(Error::invalid(
            "name",
            "is missing. Say your name once, so that they know who answers.",
        ));
    };
    let name = text::clean_line(name, text::MAX_NAME)
        .map_err(|message| Error::invalid("name", message))?;
    sqlx::query("INSERT INTO guests (id, link_id, name, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING")
        .bind(&guest.id)
        .bind(&guest.link_id)
        .bind(name)
        .bind(clock.now())
        .execute(&mut **tx)
        .await?;
    Ok(guest.id.clone())
}

/// The name a guest said.
pub async fn guest_name(connection: &mut AnyConnection, guest_id: &str) -> Result<Option<String>> {
    Ok(sqlx::query_scalar("SELECT name FROM guests WHERE id = $1")
        .bind(guest_id)
        .fetch_optional(connection)
        .await?)
}
