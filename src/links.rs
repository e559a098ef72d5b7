//! Share links: an unguessable address that opens one update to people without an account.

mod overview;

pub use overview::{LinkState, ListedLink, list_all};

use sha2::{Digest, Sha256};
use sqlx::{AnyConnection, FromRow};

use crate::clock::{self, Clock, Millis};
use crate::error::{Error, Result};
use crate::infra::db::{Db, Tx};
use crate::people::{self, Guest, Viewer};
use crate::{events, text, updates};

/// A share link.
#[derive(Clone, Debug, FromRow)]
pub struct Link {
    /// The id.
    pub id: String,
    /// The update it opens.
    pub update_id: String,
    /// What the author calls it.
    pub name: String,
    /// Guests may comment, since then.
    pub comments_at: Option<Millis>,
    /// When it was made.
    pub created_at: Millis,
    /// When it was ended.
    pub revoked_at: Option<Millis>,
}

/// Makes a link for a published update of one's own; answers it with the secret of its address, which is never shown again.
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
    let (now, secret) = (clock.now(), clock::secret());
    let link = Link {
        id: clock.id(),
        update_id: update_id.to_owned(),
        name,
        comments_at: comments.then_some(now),
        created_at: now,
        revoked_at: None,
    };
    sqlx::query("INSERT INTO links (id, update_id, name, secret_hash, comments_at, created_at) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(&link.id)
        .bind(&link.update_id)
        .bind(&link.name)
        .bind(people::hash(&secret))
        .bind(link.comments_at)
        .bind(now)
        .execute(&mut **tx)
        .await?;
    events::record(tx, clock, "link", update_id, &link.id, &person.id).await?;
    Ok((link, secret))
}

/// The links of an update, newest first; those that were ended too.
pub async fn of_update(connection: &mut AnyConnection, update_id: &str) -> Result<Vec<Link>> {
    Ok(sqlx::query_as("SELECT id, update_id, name, comments_at, created_at, revoked_at FROM links WHERE update_id = $1 ORDER BY id DESC")
        .bind(update_id)
        .fetch_all(connection)
        .await?)
}

/// Ends a link: neither page nor media opens by it any more. The author of its update and admins may. Returns the id of its update.
pub async fn revoke(tx: &mut Tx, clock: &Clock, viewer: &Viewer, id: &str) -> Result<String> {
    let person = viewer.person()?;
    let found: Option<(String, String)> =
        sqlx::query_as("SELECT l.update_id, u.author_id FROM links l JOIN updates u ON u.id = l.update_id WHERE l.id = $1")
            .bind(id)
            .fetch_optional(&mut **tx)
            .await?;
    let (update_id, author_id) = found.ok_or(Error::NotFound)?;
    // To everyone else the link does not exist.
    if author_id != person.id && !person.is_admin() {
        return Err(Error::NotFound);
    }
    sqlx::query("UPDATE links SET revoked_at = coalesce(revoked_at, $1) WHERE id = $2")
        .bind(clock.now())
        .bind(id)
        .execute(&mut **tx)
        .await?;
    events::record(tx, clock, "link", &update_id, id, &person.id).await?;
    Ok(update_id)
}

/// Ends every open link to the author's updates for good: they were deactivated.
pub async fn revoke_of_author(tx: &mut Tx, clock: &Clock, author_id: &str) -> Result<()> {
    sqlx::query("UPDATE links SET revoked_at = $1 WHERE revoked_at IS NULL AND update_id IN (SELECT id FROM updates WHERE author_id = $2)")
        .bind(clock.now())
        .bind(author_id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Counts that a guest's page was opened through its link.
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

/// The open link with this secret, of an update that is published. Links of people who were deactivated are never open.
pub async fn by_secret(connection: &mut AnyConnection, secret: &str) -> Result<Option<Link>> {
    Ok(sqlx::query_as(
        "SELECT l.id, l.update_id, l.name, l.comments_at, l.created_at, l.revoked_at FROM links l JOIN updates u ON u.id = l.update_id
         JOIN people a ON a.id = u.author_id
         WHERE l.secret_hash = $1 AND l.revoked_at IS NULL AND u.published_at IS NOT NULL AND u.trashed_at IS NULL AND a.deactivated_at IS NULL",
    )
    .bind(people::hash(secret))
    .fetch_optional(connection)
    .await?)
}

/// The open link with this id. Whether its update is published is asked where the update is looked for.
pub async fn by_id(connection: &mut AnyConnection, id: &str) -> Result<Option<Link>> {
    Ok(sqlx::query_as(
        "SELECT l.id, l.update_id, l.name, l.comments_at, l.created_at, l.revoked_at FROM links l JOIN updates u ON u.id = l.update_id
         JOIN people a ON a.id = u.author_id WHERE l.id = $1 AND l.revoked_at IS NULL AND a.deactivated_at IS NULL",
    )
    .bind(id)
    .fetch_optional(connection)
    .await?)
}

/// The guest of a link whose cookie, which the web signs, has this guest id.
pub async fn guest_by_cookie(db: &Db, link_id: &str, guest_id: &str) -> Result<Option<Guest>> {
    let mut connection = db.read().await?;
    let Some(link) = by_id(&mut connection, link_id).await? else {
        return Ok(None);
    };
    let name = people::guest_name(&mut connection, guest_id).await?;
    Ok(Some(Guest {
        id: guest_id.to_owned(),
        name,
        may_comment: link.comments_at.is_some(),
        link_id: link.id,
        update_id: link.update_id,
        is_program: false,
    }))
}

/// The guest that a program with the link's own secret is. It has one name, the first it says.
pub async fn guest_by_secret(db: &Db, secret: &str) -> Result<Option<Guest>> {
    let mut connection = db.read().await?;
    let Some(link) = by_secret(&mut connection, secret).await? else {
        return Ok(None);
    };
    let id = clock::base32(&Sha256::digest(link.id.as_bytes())[..16]);
    let name = people::guest_name(&mut connection, &id).await?;
    Ok(Some(Guest {
        id,
        name,
        may_comment: link.comments_at.is_some(),
        link_id: link.id,
        update_id: link.update_id,
        is_program: true,
    }))
}
