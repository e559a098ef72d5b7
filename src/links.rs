//! Share links. A share link is an unguessable address that opens one update to people without an
//! account.

mod guests;
mod overview;

pub use guests::{guest_by_cookie, guest_by_grant, guest_by_secret};
pub use overview::{LinkState, ListedLink, list_all};

use sqlx::{AnyConnection, FromRow};

use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::events::EventKind;
use crate::ids;
use crate::infra::db::Tx;
use crate::people::{self, Viewer};
use crate::{events, text, updates};

/// A share link.
#[derive(Clone, Debug, FromRow)]
pub struct Link {
    /// Id of the link.
    pub id: String,
    /// Id of the update that the link opens.
    pub update_id: String,
    /// Name that the author gave the link.
    pub name: String,
    /// When the author allowed comments by guests; `None` means that guests cannot comment.
    pub comments_at: Option<Millis>,
    /// When the link was created.
    pub created_at: Millis,
    /// When the link was revoked; `None` while it is active.
    pub revoked_at: Option<Millis>,
}

/// Creates a link to an update that the viewer has published. Also returns the secret part of the link's address. Only
/// its hash is stored, so the secret cannot be retrieved later.
pub async fn create(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    update_id: &str,
    name: &str,
    comments: bool,
) -> Result<(Link, String)> {
    let person = viewer.person()?;
    people::must_be_active(tx, &person.id).await?;
    let update = updates::find_own(tx, viewer, update_id).await?;
    if update.published_at.is_none() {
        return Err(Error::Conflict(
            "A draft cannot be shared. Publish it first.".into(),
        ));
    }
    let name = if name.trim().is_empty() { "Link" } else { name };
    let name = text::clean_line(name, text::MAX_NAME)
        .map_err(|message| Error::invalid("name", message))?;
    let (now, secret) = (clock.now(), ids::secret());
    let link = Link {
        id: clock.id(),
        update_id: update_id.to_owned(),
        name,
        comments_at: comments.then_some(now),
        created_at: now,
        revoked_at: None,
    };
    sqlx::query(
        "INSERT INTO links (id, update_id, name, secret_hash, comments_at, created_at) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(&link.id)
        .bind(&link.update_id)
        .bind(&link.name)
        .bind(people::hash(&secret))
        .bind(link.comments_at)
        .bind(now)
        .execute(&mut **tx)
        .await?;
    events::record(tx, clock, EventKind::Link, update_id, &link.id, &person.id).await?;
    Ok((link, secret))
}

/// Returns the links of an update, newest first, including revoked ones.
pub async fn of_update(connection: &mut AnyConnection, update_id: &str) -> Result<Vec<Link>> {
    Ok(sqlx::query_as(
        "SELECT id, update_id, name, comments_at, created_at, revoked_at FROM links WHERE update_id = $1
         ORDER BY id DESC")
        .bind(update_id)
        .fetch_all(connection)
        .await?)
}

/// Revokes a link, so that it no longer opens the update or its media. Only the update's author and
/// admins may revoke it. Returns the id of the update.
pub async fn revoke(tx: &mut Tx, clock: &Clock, viewer: &Viewer, id: &str) -> Result<String> {
    let person = viewer.person()?;
    let found: Option<(String, String)> =
        sqlx::query_as(
            "SELECT l.update_id, u.author_id FROM links l JOIN updates u ON u.id = l.update_id WHERE l.id = $1")
            .bind(id)
            .fetch_optional(&mut **tx)
            .await?;
    let (update_id, author_id) = found.ok_or(Error::NotFound)?;
    // Return the same error as for a missing link, so that others do not learn that the link
    // exists.
    if author_id != person.id && !person.is_admin() {
        return Err(Error::NotFound);
    }
    sqlx::query("UPDATE links SET revoked_at = coalesce(revoked_at, $1) WHERE id = $2")
        .bind(clock.now())
        .bind(id)
        .execute(&mut **tx)
        .await?;
    events::record(tx, clock, EventKind::Link, &update_id, id, &person.id).await?;
    Ok(update_id)
}

/// Permanently revokes every active link to the updates of an author whom the person `by` deactivated. Records an event
/// for each link, so call it last in a transaction.
pub async fn revoke_of_author(tx: &mut Tx, clock: &Clock, author_id: &str, by: &str) -> Result<()> {
    let revoked: Vec<(String, String)> = sqlx::query_as(
        "UPDATE links SET revoked_at = $1 WHERE revoked_at IS NULL
         AND update_id IN (SELECT id FROM updates WHERE author_id = $2) RETURNING id, update_id",
    )
    .bind(clock.now())
    .bind(author_id)
    .fetch_all(&mut **tx)
    .await?;
    for (link, update) in revoked {
        events::record(tx, clock, EventKind::Link, &update, &link, by).await?;
    }
    Ok(())
}

/// Records that a guest opened the update through a share link.
pub async fn record_opening(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    update_id: &str,
) -> Result<()> {
    let Some(guest) = viewer.guest_of(update_id) else {
        return Ok(());
    };
    sqlx::query("UPDATE links SET opens = opens + 1, last_opened_at = $1 WHERE id = $2")
        .bind(clock.now())
        .bind(&guest.link_id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Finds the active link with this secret. Returns `None` unless the link's update is published and
/// not in the trash, and its author is active.
pub async fn by_secret(connection: &mut AnyConnection, secret: &str) -> Result<Option<Link>> {
    Ok(sqlx::query_as(
        "SELECT l.id, l.update_id, l.name, l.comments_at, l.created_at, l.revoked_at FROM links l
         JOIN updates u ON u.id = l.update_id
         JOIN people a ON a.id = u.author_id
         WHERE l.secret_hash = $1 AND l.revoked_at IS NULL AND u.published_at IS NOT NULL AND u.trashed_at IS NULL
         AND a.deactivated_at IS NULL",
    )
    .bind(people::hash(secret))
    .fetch_optional(connection)
    .await?)
}

/// SQL: the active link `l` with the id `$1`.
macro_rules! active_link {
    () => {
        "links l JOIN updates u ON u.id = l.update_id JOIN people a ON a.id = u.author_id
         WHERE l.id = $1 AND l.revoked_at IS NULL AND a.deactivated_at IS NULL"
    };
}
pub(crate) use active_link;

/// Finds the active link with this id. Returns `None` if the author is not active. Does not check whether the update is
/// published, because [`updates::find`] checks that.
pub async fn by_id(connection: &mut AnyConnection, id: &str) -> Result<Option<Link>> {
    Ok(sqlx::query_as(concat!(
        "SELECT l.id, l.update_id, l.name, l.comments_at, l.created_at, l.revoked_at FROM ",
        active_link!()
    ))
    .bind(id)
    .fetch_optional(connection)
    .await?)
}
