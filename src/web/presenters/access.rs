//! Presenters for share links and for the list of who can open an update.

use sqlx::AnyConnection;

use super::super::extract::context::RequestContext;
use super::super::schema::{
    AccessKind, AccessReason, AccessView, LinkView, ListedLinkView, PersonView, UpdateRefView,
};
use super::format_time;
use crate::clock::{Millis, rfc3339};
use crate::error::Result;
use crate::links::{self, Link, ListedLink};
use crate::updates::{self, Update, Visibility};

/// Presents a share link. The secret is known only when the link has just been created.
pub(crate) fn link_view(ctx: &RequestContext, link: &Link, secret: Option<&str>) -> LinkView {
    LinkView {
        id: link.id.clone(),
        name: link.name.clone(),
        comments: link.comments_at.is_some(),
        created_at: rfc3339(link.created_at),
        revoked_at: format_time(link.revoked_at),
        url: secret.map(|secret| format!("{}/s/{secret}", ctx.base_url)),
    }
}

/// Presents a share link in the list of all links.
pub(crate) fn listed_link_view(ctx: &RequestContext, link: ListedLink) -> ListedLinkView {
    ListedLinkView {
        state: link.state(),
        update: UpdateRefView {
            url: format!("{}/updates/{}", ctx.base_url, link.update_id),
            id: link.update_id,
            title: if link.title.is_empty() {
                "Untitled".into()
            } else {
                link.title
            },
        },
        author: PersonView {
            id: link.author_id,
            name: link.author_name,
        },
        id: link.id,
        name: link.name,
        comments: link.comments_at.is_some(),
        created_at: rfc3339(link.created_at),
        expires_at: None,
        revoked_at: format_time(link.revoked_at),
        opens: link.opens,
        last_opened_at: format_time(link.last_opened_at),
    }
}

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
