//! Guests: people known only through a share link. A guest must give a name before commenting or
//! answering.

use sqlx::AnyConnection;

use super::{Guest, Viewer};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::infra::db::Tx;
use crate::text;

/// Returns the viewer's guest identity for this update. Fails if there is none, or if the share
/// link does not allow comments and answers.
pub fn guest_who_may_comment<'a>(viewer: &'a Viewer, update_id: &str) -> Result<&'a Guest> {
    let guest = viewer
        .guest_of(update_id)
        .ok_or_else(|| viewer.not_visible_error())?;
    if guest.may_comment {
        Ok(guest)
    } else {
        Err(Error::Forbidden(
            "This link is view-only. Ask the person who sent it for a link that allows comments."
                .into(),
        ))
    }
}

/// Returns the id of the guest who comments or answers. If the guest has no name yet, `name` is
/// required and is stored.
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
            "is missing. Enter your name once, so that others know who you are.",
        ));
    };
    let name = text::clean_line(name, text::MAX_NAME)
        .map_err(|message| Error::invalid("name", message))?;
    sqlx::query(
        "INSERT INTO guests (id, link_id, name, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(&guest.id)
    .bind(&guest.link_id)
    .bind(name)
    .bind(clock.now())
    .execute(&mut **tx)
    .await?;
    Ok(guest.id.clone())
}

/// Returns the name that a guest gave; `None` if the guest has not given one.
pub async fn guest_name(connection: &mut AnyConnection, guest_id: &str) -> Result<Option<String>> {
    Ok(sqlx::query_scalar("SELECT name FROM guests WHERE id = $1")
        .bind(guest_id)
        .fetch_optional(connection)
        .await?)
}
