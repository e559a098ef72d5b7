//! The guest identity of those who use a share link.

use sha2::{Digest, Sha256};
use sqlx::AnyConnection;

use super::{by_id, by_secret};
use crate::error::Result;
use crate::ids;
use crate::infra::db::Db;
use crate::people::{self, Guest};

/// Returns the guest with the id `guest_id`, who uses the given link. Returns `None` if the link is not active. The
/// caller must have verified the signature of the cookie that contains the id.
pub async fn guest_by_cookie(db: &Db, link_id: &str, guest_id: &str) -> Result<Option<Guest>> {
    let mut connection = db.read().await?;
    let Some(guest) = guest_by_grant(&mut connection, link_id).await? else {
        return Ok(None);
    };
    let name = people::guest_name(&mut connection, guest_id).await?;
    Ok(Some(Guest {
        id: guest_id.to_owned(),
        name,
        ..guest
    }))
}

/// Returns a guest without an id and without a name, who uses the given link. Used to check signed URLs. Returns `None`
/// if the link is not active.
pub async fn guest_by_grant(
    connection: &mut AnyConnection,
    link_id: &str,
) -> Result<Option<Guest>> {
    let link = by_id(connection, link_id).await?;
    Ok(link.map(|link| Guest {
        id: String::new(),
        name: None,
        may_comment: link.comments_at.is_some(),
        link_id: link.id,
        update_id: link.update_id,
        is_program: false,
    }))
}

/// Returns the guest for a program that authenticates with a link's secret. All programs that use
/// the same link act as one guest. The guest keeps the name that a program sent first; names sent
/// later are ignored.
pub async fn guest_by_secret(db: &Db, secret: &str) -> Result<Option<Guest>> {
    let mut connection = db.read().await?;
    let Some(link) = by_secret(&mut connection, secret).await? else {
        return Ok(None);
    };
    let id = ids::base32(&Sha256::digest(link.id.as_bytes())[..16]);
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
