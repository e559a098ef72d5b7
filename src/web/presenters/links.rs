//! Presenters for share links.

use super::super::extract::context::RequestContext;
use super::super::schema::{LinkView, ListedLinkView, PersonView, UpdateRefView};
use super::format_time;
use crate::clock::rfc3339;
use crate::links::{Link, ListedLink};

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
