//! Presenters for comments, limited to what the viewer may see.

use std::collections::HashMap;

use sqlx::AnyConnection;

use super::super::extract::context::RequestContext;
use super::super::schema::{AnchorView, AuthorView, CommentView, RegionView, VersionView};
use super::format_time;
use super::media::media_view;
use super::reactions::reaction_views;
use super::thread_page::{Selection, ThreadPage, ThreadRange};
use crate::clock::{Millis, rfc3339};
use crate::comments::{self, Comment, Reaction, Region, Version};
use crate::error::Result;
use crate::infra::markdown;
use crate::markup::parse_stored;
use crate::media::{self, MediaWithRenditions};
use crate::people::Viewer;
use crate::state::State;
use crate::updates::{self, Update};

/// Maximum number of earlier versions of a comment to show.
const MAX_WORDINGS: usize = 10;

/// Presents the threads in `range`. Leaves out removed comments without replies.
pub(crate) async fn thread_page(
    connection: &mut AnyConnection,
    state: &State,
    ctx: &RequestContext,
    update: &Update,
    range: &ThreadRange,
) -> Result<ThreadPage> {
    Ok(load(connection, state, ctx, update, range, false).await?.0)
}

/// What the page of an update needs besides its threads. One statement reads the reactions to the update and to the
/// shown comments; the same holds for media.
pub(crate) struct UpdateMaterial {
    pub(crate) album: MediaWithRenditions,
    pub(crate) reactions: Vec<Reaction>,
    /// Number of comments on the update that were not removed, including those that a guest cannot see.
    pub(crate) comments: i64,
}

/// Presents the threads in `range`, which must be a single page, and loads the other data that the page needs.
pub(crate) async fn threads_of_page(
    connection: &mut AnyConnection,
    state: &State,
    ctx: &RequestContext,
    update: &Update,
    range: &ThreadRange,
) -> Result<(ThreadPage, UpdateMaterial)> {
    let (page, mut material, comments) = load(connection, state, ctx, update, range, true).await?;
    let of_update = UpdateMaterial {
        album: material.pictures.remove("").unwrap_or_default(),
        reactions: material.reactions.remove(&update.id).unwrap_or_default(),
        comments,
    };
    Ok((page, of_update))
}

/// Presents threads. Also returns what belongs to their comments, to the update too if `with_update`, and the number of
/// comments on the update.
async fn load(
    connection: &mut AnyConnection,
    state: &State,
    ctx: &RequestContext,
    update: &Update,
    range: &ThreadRange,
    with_update: bool,
) -> Result<(ThreadPage, Material, i64)> {
    let selected = Selection::load(connection, &ctx.viewer, &update.id, range).await?;
    let roots: Vec<String> = selected
        .starts
        .iter()
        .map(|start| start.id.clone())
        .collect();
    let whole = selected.whole.as_deref();
    let all = comments::of_threads(connection, &roots, selected.max_replies, whole).await?;
    let owner = with_update.then_some(update.id.as_str());
    let material = Material::load(connection, &all, owner).await?;
    let mut threads = threads(state, ctx, update, &all, &material);
    mark_accepted_answers(&mut threads, &all, &ctx.viewer);
    for (thread, start) in threads.iter_mut().zip(&selected.starts) {
        let hidden = usize::try_from(start.replies).unwrap_or_default();
        thread.hidden_replies = hidden.saturating_sub(thread.replies.len());
    }
    let page = ThreadPage {
        threads,
        earlier: selected.earlier,
        later: selected.later,
    };
    Ok((page, material, selected.comments))
}

/// Presents one comment or reply. Returns `None` if the comment was removed and is no longer shown.
pub(crate) async fn one_comment(
    connection: &mut AnyConnection,
    state: &State,
    ctx: &RequestContext,
    update: &Update,
    id: &str,
) -> Result<Option<CommentView>> {
    let range = ThreadRange::Only {
        comment: id.to_owned(),
        whole: true,
    };
    let page = thread_page(connection, state, ctx, update, &range).await?;
    Ok(page.threads.into_iter().find_map(|mut root| {
        if root.id == id {
            return Some(root);
        }
        let reply = root.replies.iter().position(|reply| reply.id == id)?;
        Some(root.replies.swap_remove(reply))
    }))
}

/// What belongs to the presented comments, in other tables. The keys are their ids. The media of the update itself has
/// an empty key, and the reactions to it have its id.
struct Material {
    reactions: HashMap<String, Vec<Reaction>>,
    pictures: HashMap<String, MediaWithRenditions>,
    versions: HashMap<String, Vec<Version>>,
}

impl Material {
    /// Loads what belongs to the comments and, if `update` is an id, to the update.
    async fn load(
        connection: &mut AnyConnection,
        all: &[Comment],
        update: Option<&str>,
    ) -> Result<Self> {
        let ids: Vec<&str> = all.iter().map(|comment| comment.id.as_str()).collect();
        let subjects: Vec<&str> = ids.iter().copied().chain(update).collect();
        let edited: Vec<&str> = all
            .iter()
            .filter(|comment| comment.edited_at.is_some())
            .map(|comment| comment.id.as_str())
            .collect();
        let reactions = comments::reactions_to(connection, &subjects).await?;
        let pictures = match update {
            Some(update) => media::of_update_and_comments(connection, update, &ids).await?,
            None => media::of_comments(connection, &ids).await?,
        };
        let versions = comments::versions_of(connection, &edited).await?;
        Ok(Self {
            reactions: group_by(reactions, |reaction| reaction.subject_id.clone()),
            pictures: group_by(pictures, |(media, _)| {
                media.comment_id.clone().unwrap_or_default()
            }),
            versions: group_by(versions, |version| version.comment_id.clone()),
        })
    }
}

fn group_by<T>(all: Vec<T>, key: impl Fn(&T) -> String) -> HashMap<String, Vec<T>> {
    let mut groups: HashMap<String, Vec<T>> = HashMap::new();
    for one in all {
        groups.entry(key(&one)).or_default().push(one);
    }
    groups
}

/// Presents comments as threads.
fn threads(
    state: &State,
    ctx: &RequestContext,
    update: &Update,
    all: &[Comment],
    material: &Material,
) -> Vec<CommentView> {
    let mut shown = Vec::new();
    let mut replies: HashMap<&str, Vec<CommentView>> = HashMap::new();
    for comment in all {
        let view = comment_view(state, ctx, update, comment, material);
        match &comment.parent_id {
            None => shown.push(view),
            Some(parent) => replies.entry(parent).or_default().push(view),
        }
    }
    for thread in &mut shown {
        thread.replies = replies.remove(thread.id.as_str()).unwrap_or_default();
    }
    shown
}

/// Marks the comments by others that were written after the viewer's previous visit. `seen` is the time of that visit.
pub(crate) fn mark_new(threads: &mut [CommentView], seen: Option<Millis>) {
    let Some(seen) = seen else { return };
    for thread in threads {
        thread.new = !thread.mine && thread.created_ms > seen;
        mark_new(&mut thread.replies, Some(seen));
    }
}

/// Sets the number of the media that each comment points into. `media` are the ids of the update's media, in order.
pub(crate) fn number_media(threads: &mut [CommentView], media: &[String]) {
    for thread in threads {
        let number = |id: &String| media.iter().position(|media| media == id);
        let position = thread.media_id.as_ref().and_then(number);
        thread.media_number = position.map_or(0, |position| position + 1);
        number_media(&mut thread.replies, media);
    }
}

/// Presents the newest [`MAX_WORDINGS`] earlier versions of a comment, sorted from oldest to
/// newest.
fn newest_versions(versions: &[Version]) -> Vec<VersionView> {
    versions
        .iter()
        .skip(versions.len().saturating_sub(MAX_WORDINGS))
        .map(version_view)
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

/// Presents one comment without its replies.
fn comment_view(
    state: &State,
    ctx: &RequestContext,
    update: &Update,
    comment: &Comment,
    material: &Material,
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
        created_ms: comment.created_at,
        edited_at: format_time(comment.edited_at),
        removed,
        mine,
        new: false,
        may_accept: false,
        may_take_back: false,
        may_resolve: member && !removed && may_resolve(ctx, update, comment),
        versions: newest_versions(of(&material.versions, comment)),
        media_number: 0,
        hidden_replies: 0,
        url: comment_url(ctx, &update.id, &comment.id),
        pictures: of(&material.pictures, comment)
            .iter()
            .map(|entry| media_view(state, ctx, true, entry))
            .collect(),
        reactions: reaction_views(of(&material.reactions, comment), &ctx.viewer),
        replies: Vec::new(),
    }
}

fn of<'a, T>(all: &'a HashMap<String, Vec<T>>, comment: &Comment) -> &'a [T] {
    all.get(&comment.id).map_or(&[], Vec::as_slice)
}

/// Whether a member may resolve the thread that the comment starts. Of a question, only its asker may, or the author of
/// the update if a guest asked.
fn may_resolve(ctx: &RequestContext, update: &Update, comment: &Comment) -> bool {
    comment.parent_id.is_none()
        && (!comment.is_question()
            || comment.is_by(&ctx.viewer)
            || comment.guest_id.is_some() && updates::must_be_author(&ctx.viewer, update).is_ok())
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
    let region = region_view(comment.region.as_deref());
    let drawing = comment
        .drawing
        .as_deref()
        .and_then(|text| parse_stored(text).ok());
    let is_removed = comment.removed_at.is_some();
    let is_anchored = comment.at_ms.is_some() || region.is_some() || drawing.is_some();
    (is_anchored && !is_removed).then_some(AnchorView {
        at_ms: comment.at_ms,
        until_ms: comment.until_ms,
        region,
        drawing,
    })
}

/// Presents a stored region. Returns `None` if there is none.
pub(super) fn region_view(text: Option<&str>) -> Option<RegionView> {
    let region = Region::parse(&serde_json::from_str(text?).ok()?).ok()?;
    Some(RegionView {
        x: region.x,
        y: region.y,
        w: region.w,
        h: region.h,
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
