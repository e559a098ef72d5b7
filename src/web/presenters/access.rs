//! Presenters for the list of who can open an update.

use sqlx::AnyConnection;

use super::super::schema::{AccessKind, AccessReason, AccessView};
use crate::clock::{Millis, rfc3339};
use crate::error::Result;
use crate::links;
use crate::updates::{self, Update, Visibility};

/// Lists who can open the update now. Only the author can open a draft or an update in the trash. Recipients, and
/// guests with an active link, can also open a published update. In addition, the author can give access to everyone
/// with an account, or to people who join a group in the audience later.
pub(crate) async fn access_views(
    connection: &mut AnyConnection,
    update: &Update,
) -> Result<Vec<AccessView>> {
    let mut ways = vec![way(
        AccessKind::Person,
        &update.author_name,
        AccessReason::Author,
        update.created_at,
    )];
    let Some(published_at) = update.published_at.filter(|_| update.trashed_at.is_none()) else {
        return Ok(ways);
    };
    for recipient in updates::recipients(connection, &update.id).await? {
        ways.push(way(
            AccessKind::Person,
            &recipient.name,
            AccessReason::Recipient,
            recipient.sent_at,
        ));
    }
    if let Some(since) = update.later_members_at {
        for (_, name) in updates::audience_groups(connection, &update.id).await? {
            ways.push(way(
                AccessKind::Group,
                &name,
                AccessReason::LaterMembers,
                since.max(published_at),
            ));
        }
    }
    ways.extend(way_of_everyone(update, published_at));
    for link in links::of_update(connection, &update.id)
        .await?
        .iter()
        .filter(|link| link.revoked_at.is_none())
    {
        ways.push(way(
            AccessKind::Link,
            &link.name,
            AccessReason::Link,
            link.created_at,
        ));
    }
    Ok(ways)
}

/// Presents the access of everyone with an account as one entry. Returns `None` if the published
/// update is not open to all of them.
fn way_of_everyone(update: &Update, published_at: Millis) -> Option<AccessView> {
    let (reason, since) = match update.everyone_at {
        Some(since) => (AccessReason::Everyone, since.max(published_at)),
        None if update.visibility == Visibility::Workspace => {
            (AccessReason::Visibility, published_at)
        }
        None => return None,
    };
    Some(way(AccessKind::Workspace, "everyone", reason, since))
}

fn way(kind: AccessKind, name: &str, reason: AccessReason, since: Millis) -> AccessView {
    AccessView {
        kind,
        name: name.into(),
        reason,
        since: rfc3339(since),
    }
}
