//! Presenter for a complete update.

use sqlx::AnyConnection;

use super::super::extract::context::RequestContext;
use super::super::schema::{AudienceView, CountsView, PersonView, UpdateView};
use super::answer_counts::answer_counts;
use super::due::due_view;
use super::media::media_view;
use super::reactions::reaction_views;
use super::receipts::receipt_view;
use super::{format_time, is_author};
use crate::clock::rfc3339;
use crate::comments::{self, Reaction};
use crate::error::Result;
use crate::infra::markdown;
use crate::media::{self, MediaWithRenditions};
use crate::people::Viewer;
use crate::receipts::{self, Receipt, standing_counts};
use crate::share_message;
use crate::state::State;
use crate::updates::{self, Update};

/// Builds a message with a link to the update, for the author to send.
fn share_message(
    state: &State,
    ctx: &RequestContext,
    update: &Update,
    album: &MediaWithRenditions,
) -> String {
    let zone = ctx
        .viewer
        .person()
        .map_or("UTC", |person| person.time_zone.as_str());
    let due = match (update.due_at, update.due_days) {
        (Some(at), _) => Some(share_message::due_text(at, state.clock.now(), zone)),
        (None, days) => days.map(share_message::due_within_text),
    };
    let length = album.iter().find_map(|(media, _)| media.duration_ms);
    let link = format!("{}/updates/{}", ctx.base_url, update.id);
    share_message::message(
        &update.author_name,
        &update.title,
        update.expectation,
        length,
        due.as_deref(),
        &link,
    )
}

/// What other tables have about an update.
pub(crate) struct UpdateParts {
    pub(crate) album: MediaWithRenditions,
    /// The viewer's receipt.
    pub(crate) mine: Option<Receipt>,
    pub(crate) reactions: Vec<Reaction>,
    pub(crate) audience: AudienceView,
    /// Numbers of comments and of open questions that the viewer may know.
    pub(crate) comments: (i64, i64),
}

/// Presents a complete update.
pub(crate) async fn update_view(
    connection: &mut AnyConnection,
    state: &State,
    ctx: &RequestContext,
    update: &Update,
) -> Result<UpdateView> {
    let guest = ctx.viewer.guest_of(&update.id).is_some();
    let mine = match &ctx.viewer {
        Viewer::Person(person) => receipts::of_person(connection, &update.id, &person.id).await?,
        Viewer::Guest(_) | Viewer::Nobody => None,
    };
    let parts = UpdateParts {
        album: media::of_updates(connection, std::slice::from_ref(&update.id)).await?,
        mine,
        reactions: comments::reactions_to(connection, &[&update.id]).await?,
        audience: if guest {
            AudienceView::default()
        } else {
            audience_view(connection, update).await?
        },
        comments: comment_counts(connection, ctx, update).await?,
    };
    present_update(connection, state, ctx, update, parts).await
}

/// Presents an update whose parts are loaded.
pub(crate) async fn present_update(
    connection: &mut AnyConnection,
    state: &State,
    ctx: &RequestContext,
    update: &Update,
    parts: UpdateParts,
) -> Result<UpdateView> {
    let author = is_author(&ctx.viewer, &update.author_id);
    let guest = ctx.viewer.guest_of(&update.id).is_some();
    let album = &parts.album;
    Ok(UpdateView {
        id: update.id.clone(),
        url: format!("{}/updates/{}", ctx.base_url, update.id),
        state: update.state(),
        title: update.title.clone(),
        notes: update.notes.clone(),
        notes_html: markdown::to_html(&update.notes),
        author: PersonView {
            id: update.author_id.clone(),
            name: update.author_name.clone(),
        },
        revision: update.revision,
        version: update.version,
        what_changed: update.what_changed.clone(),
        visibility: update.visibility,
        expectation: update.expectation,
        due: due_view(update.due_at, update.due_days),
        otherwise: update.otherwise.clone(),
        prompt: update.prompt.clone(),
        message: (author && update.published_at.is_some())
            .then(|| share_message(state, ctx, update, album)),
        created_at: rfc3339(update.created_at),
        published_at: format_time(update.published_at),
        edited_at: format_time(update.edited_at),
        trashed_at: format_time(update.trashed_at),
        audience: parts.audience,
        later_members: !guest && update.later_members_at.is_some(),
        media: album
            .iter()
            .map(|entry| media_view(state, ctx, author, entry))
            .collect(),
        counts: counts_of_update(connection, ctx, update, parts.comments).await?,
        reactions: reaction_views(&parts.reactions, &ctx.viewer),
        my_receipt: parts
            .mine
            .map(|receipt| receipt_view(state, ctx, update, &receipt)),
    })
}

async fn audience_view(connection: &mut AnyConnection, update: &Update) -> Result<AudienceView> {
    let people = updates::audience(connection, &update.id).await?;
    Ok(AudienceView {
        people: people
            .into_iter()
            .map(|named| PersonView {
                id: named.id,
                name: named.name,
            })
            .collect(),
        groups: group_views(connection, update).await?,
        everyone: update.everyone_at.is_some(),
    })
}

/// Presents the groups in the audience of an update.
pub(crate) async fn group_views(
    connection: &mut AnyConnection,
    update: &Update,
) -> Result<Vec<PersonView>> {
    let groups = updates::audience_groups(connection, &update.id).await?;
    Ok(groups
        .into_iter()
        .map(|(id, name)| PersonView { id, name })
        .collect())
}

/// Returns the numbers of comments and open questions. For guests, both are 0, because guests see only some of them.
async fn comment_counts(
    connection: &mut AnyConnection,
    ctx: &RequestContext,
    update: &Update,
) -> Result<(i64, i64)> {
    if ctx.viewer.guest_of(&update.id).is_some() {
        return Ok((0, 0));
    }
    let (written, _) = comments::count_visible(connection, &ctx.viewer, &update.id).await?;
    Ok((written, update.open_questions))
}

/// Presents the counts of an update.
async fn counts_of_update(
    connection: &mut AnyConnection,
    ctx: &RequestContext,
    update: &Update,
    (comments, open_questions): (i64, i64),
) -> Result<CountsView> {
    let author = is_author(&ctx.viewer, &update.author_id);
    let ids = std::slice::from_ref(&update.id);
    let standings = standing_counts(connection, &ctx.viewer, ids)
        .await?
        .remove(&update.id)
        .unwrap_or_default();
    Ok(CountsView {
        unheard: author.then_some(update.unheard),
        comments,
        open_questions,
        ..answer_counts(standings, author)
    })
}
