//! Presenters for comments, limited to what the viewer may see.

use std::collections::HashMap;

use sqlx::AnyConnection;

use super::super::extract::context::RequestContext;
use super::super::schema::{AnchorView, AuthorView, CommentView, RegionView, VersionView};
use super::format_time;
use super::media::media_view;
use super::reactions::reaction_views;
use super::thread_page::{Selection, ThreadPage, ThreadRange, count};
use crate::clock::rfc3339;
use crate::comments::{self, Comment, Region, Version};
use crate::error::Result;
use crate::infra::markdown;
use crate::markup::parse_stored;
use crate::media::{self, MediaWithRenditions};
use crate::people::Viewer;
use crate::receipts;
use crate::state::State;
use crate::updates::{self, Update};

/// Maximum number of earlier versions of a comment to show.
const MAX_WORDINGS: usize = 10;

/// Presents every thread of an update. Leaves out removed comments without replies.
pub(crate) async fn thread_views(
    connection: &mut AnyConnection,
    state: &State,
    ctx: &RequestContext,
    update: &Update,
) -> Result<Vec<CommentView>> {
    let all = thread_page(connection, state, ctx, update, &ThreadRange::All).await?;
    Ok(all.threads)
}

/// Presents the threads in `range`. Leaves out removed comments without replies.
pub(crate) async fn thread_page(
    connection: &mut AnyConnection,
    state: &State,
    ctx: &RequestContext,
    update: &Update,
    range: &ThreadRange,
) -> Result<ThreadPage> {
    let all = comments::of_update(connection, &ctx.viewer, &update.id).await?;
    present_threads(connection, state, ctx, update, &all, range).await
}

/// Presents one comment or reply. Returns `None` if the comment was removed and is no longer shown.
pub(crate) async fn one_comment(
    connection: &mut AnyConnection,
    state: &State,
    ctx: &RequestContext,
    update: &Update,
    id: &str,
) -> Result<Option<CommentView>> {
    let thread = comments::of_thread(connection, &ctx.viewer, &update.id, id).await?;
    let page = present_threads(connection, state, ctx, update, &thread, &ThreadRange::All).await?;
    Ok(page.threads.into_iter().find_map(|mut root| {
        if root.id == id {
            return Some(root);
        }
        let reply = root.replies.iter().position(|reply| reply.id == id)?;
        Some(root.replies.swap_remove(reply))
    }))
}

/// Presents the threads in `range`. `all` contains the comments of all threads to choose from.
async fn present_threads(
    connection: &mut AnyConnection,
    state: &State,
    ctx: &RequestContext,
    update: &Update,
    all: &[Comment],
    range: &ThreadRange,
) -> Result<ThreadPage> {
    let reactions = comments::reactions(connection, &update.id).await?;
    let pictures = media::of_comments(connection, &update.id).await?;
    let album = media::of_updates(connection, std::slice::from_ref(&update.id)).await?;
    let seen = match &ctx.viewer {
        Viewer::Person(person) => {
            receipts::previous_visit(connection, &state.clock, &update.id, &person.id).await?
        }
        Viewer::Guest(_) | Viewer::Nobody => None,
    };
    let numbers: HashMap<&str, usize> = album
        .iter()
        .enumerate()
        .map(|(n, (media, _))| (media.id.as_str(), n + 1))
        .collect();
    let edited = all.iter().any(|comment| comment.edited_at.is_some());
    let versions = if edited {
        comments::versions_for_update(connection, &update.id).await?
    } else {
        Vec::new()
    };
    let selected = Selection::new(all, range);
    let mut shown = Vec::new();
    let mut replies: HashMap<String, Vec<CommentView>> = HashMap::new();
    for comment in &selected.comments {
        let mut view = comment_view(state, ctx, update, comment, &pictures);
        view.reactions = reaction_views(&reactions, &comment.id, &ctx.viewer);
        view.media_number = comment
            .media_id
            .as_deref()
            .and_then(|id| numbers.get(id).copied())
            .unwrap_or(0);
        view.new = !view.mine && seen.is_some_and(|seen| comment.created_at > seen);
        view.versions = newest_versions(&versions, &comment.id);
        match &comment.parent_id {
            None => shown.push(view),
            Some(_) if view.removed => {}
            Some(parent) => replies.entry(parent.clone()).or_default().push(view),
        }
    }
    for thread in &mut shown {
        thread.replies = replies.remove(&thread.id).unwrap_or_default();
    }
    mark_accepted_answers(&mut shown, all, &ctx.viewer);
    let (comments, open_questions) = count(all);
    Ok(ThreadPage {
        threads: shown,
        earlier: selected.earlier,
        later: selected.later,
        comments,
        open_questions,
    })
}

/// Presents the newest [`MAX_WORDINGS`] earlier versions of a comment, sorted from oldest to
/// newest.
fn newest_versions(versions: &[Version], comment_id: &str) -> Vec<VersionView> {
    let earlier: Vec<_> = versions
        .iter()
        .filter(|version| version.comment_id == comment_id)
        .collect();
    earlier
        .iter()
        .skip(earlier.len().saturating_sub(MAX_WORDINGS))
        .map(|version| version_view(version))
        .collect()
}

/// Marks the accepted answer of each question, and whether the viewer may accept an answer or
/// withdraw its acceptance.
fn mark_accepted_answers(threads: &mut [CommentView], all: &[Comment], viewer: &Viewer) {
    let questions: HashMap<&str, &Comment> = all
        .iter()
        .filter(|comment| comment.is_question() && comment.removed_at.is_none())
        .map(|comment| (comment.id.as_str(), comment))
        .collect();
    for thread in threads {
        let Some(question) = questions.get(thread.id.as_str()) else {
            continue;
        };
        let asked_by_me = question.is_by(viewer);
        for reply in &mut thread.replies {
            reply.accepted = question.accepted_id.as_ref() == Some(&reply.id);
            reply.may_take_back = asked_by_me && reply.accepted;
            reply.may_accept = asked_by_me
                && question.accepted_id.is_none()
                && reply.author.id != thread.author.id;
        }
    }
}

/// Presents one comment without its replies and reactions.
fn comment_view(
    state: &State,
    ctx: &RequestContext,
    update: &Update,
    comment: &Comment,
    pictures: &MediaWithRenditions,
) -> CommentView {
    let removed = comment.removed_at.is_some();
    let mine = !removed && comment.is_by(&ctx.viewer);
    let member = matches!(ctx.viewer, Viewer::Person(_));
    CommentView {
        id: comment.id.clone(),
        update_id: comment.update_id.clone(),
        parent_id: comment.parent_id.clone(),
        media_id: comment.media_id.clone(),
        kind: comment.kind,
        state: comment.state(),
        accepted: false,
        author: author_view(comment, member),
        body: comment.body.clone(),
        body_html: markdown::to_html_with_mentions(
            &comment.body,
            comments::mention_ranges(comment.mentions.as_deref()),
        ),
        anchor: anchor_view(comment),
        revision: comment.revision,
        created_at: rfc3339(comment.created_at),
        edited_at: format_time(comment.edited_at),
        removed,
        mine,
        new: false,
        may_accept: false,
        may_take_back: false,
        may_resolve: member
            && !removed
            && comment.parent_id.is_none()
            && (!comment.is_question()
                || mine
                || comment.guest_id.is_some()
                    && updates::must_be_author(&ctx.viewer, update).is_ok()),
        versions: Vec::new(),
        media_number: 0,
        url: comment_url(ctx, &update.id, &comment.id),
        pictures: pictures
            .iter()
            .filter(|(media, _)| media.comment_id.as_ref() == Some(&comment.id))
            .map(|entry| media_view(state, ctx, true, entry))
            .collect(),
        reactions: Vec::new(),
        replies: Vec::new(),
    }
}

/// Presents the author of a comment. Guests do not see the names of share links.
fn author_view(comment: &Comment, member: bool) -> AuthorView {
    AuthorView {
        id: comment
            .person_id
            .clone()
            .or_else(|| comment.guest_id.clone())
            .unwrap_or_default(),
        name: comment.author_name.clone(),
        guest: comment.guest_id.is_some(),
        link: comment.link_name.clone().filter(|_| member),
    }
}

/// Presents the anchor of a comment. Returns `None` if the comment was removed or has no anchor.
fn anchor_view(comment: &Comment) -> Option<AnchorView> {
    let region = comment
        .region
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok())
        .and_then(|value| Region::parse(&value).ok());
    let drawing = comment
        .drawing
        .as_deref()
        .and_then(|text| parse_stored(text).ok());
    let is_removed = comment.removed_at.is_some();
    let is_anchored = comment.at_ms.is_some() || region.is_some() || drawing.is_some();
    (is_anchored && !is_removed).then(|| AnchorView {
        at_ms: comment.at_ms,
        until_ms: comment.until_ms,
        region: region.map(|region| RegionView {
            x: region.x,
            y: region.y,
            w: region.w,
            h: region.h,
        }),
        drawing,
    })
}

/// Returns the address of the page of threads that shows the comment.
pub(crate) fn comment_url(ctx: &RequestContext, update_id: &str, id: &str) -> String {
    format!("{}/updates/{update_id}?comment={id}#c-{id}", ctx.base_url)
}

/// Presents an earlier version of a comment.
pub(crate) fn version_view(version: &Version) -> VersionView {
    VersionView {
        body: version.body.clone(),
        body_html: markdown::to_html(&version.body),
        until: rfc3339(version.until_at),
    }
}
