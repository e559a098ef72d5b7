//! Presenters: convert domain values to the API schema, limited to what the viewer may see. The number of
//! queries does not depend on how many comments or files there are.

mod access;
mod comments;
mod inbox;
pub(crate) mod me;
pub(crate) mod people;
mod receipts;
pub(crate) mod sessions;
mod thread_page;
pub(crate) mod workspace;

use std::borrow::Cow;

pub(crate) use comments::{thread_page, thread_views, version_view};
use sqlx::AnyConnection;
pub(crate) use thread_page::ThreadRange;

pub(crate) use access::{access_views, link_view, listed_link_view};
pub(crate) use inbox::{counts_view, inbox_view};
pub(crate) use receipts::{
    changes_view, exchange_view, guest_view, receipt_view, receipt_views, revision_view,
};

use super::extract::context::RequestContext;
use super::media_urls::sign;
use super::schema::{
    AudienceView, CountsView, DueView, FoundView, HitKind, MarkupSummaryView, MediaView,
    PersonView, ReactionView, RenditionView, RowView, TrimView, UpdateView,
};
use crate::clock::{Millis, rfc3339};
use crate::comments::{Reaction, reactions};
use crate::error::Result;
use crate::infra::markdown;
use crate::markup::{self, Shape};
use crate::media::{self, Media, MediaWithRenditions, Rendition};
use crate::people::Viewer;
use crate::receipts::{StandingCounts, standing_counts};
use crate::state::State;
use crate::updates::{self, Row, Update, UpdateState};
use crate::{search, share_message};

/// Formats an optional time as RFC 3339.
pub(crate) fn format_time(at: Option<Millis>) -> Option<String> {
    at.map(rfc3339)
}

/// Builds a message with the link of the update, for the author to send.
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

fn due_view(at: Option<Millis>, days: Option<i64>) -> Option<DueView> {
    match (at, days) {
        (Some(at), _) => Some(DueView::At(rfc3339(at))),
        (None, Some(working_days)) => Some(DueView::Within { working_days }),
        (None, None) => None,
    }
}

/// Presents media. If `author` is true, includes the details that only the author may see.
pub(crate) fn media_view(
    state: &State,
    ctx: &RequestContext,
    author: bool,
    (media, renditions): &(Media, Vec<Rendition>),
) -> MediaView {
    let shown = media.visible_renditions(renditions, author);
    let (stands, reason) = media.visible_state(&shown, author);
    let renditions = shown.iter().map(|rendition| RenditionView {
        name: rendition.name.clone(),
        content_type: rendition.content_type.clone(),
        width: rendition.width,
        height: rendition.height,
        bytes: rendition.bytes,
        url: format!(
            "{}{}",
            ctx.base_url,
            sign(state, &ctx.viewer, &media.update_id, &rendition.key)
        ),
    });
    MediaView {
        id: media.id.clone(),
        kind: media.kind,
        state: stands,
        reason: reason.map(Cow::into_owned),
        file_name: media.file_name.clone(),
        width: media.width,
        height: media.height,
        duration_ms: media.duration_ms,
        trim: media
            .trimmed_range()
            .filter(|_| author)
            .map(|(from_ms, to_ms)| TrimView { from_ms, to_ms }),
        begins_at: media.trim_from_ms.unwrap_or(0),
        broken_off_at: media.broken_off_at.map(rfc3339),
        markup: MarkupSummaryView {
            revision: media.markup_revision,
            shapes: media.marks,
        },
        renditions: renditions.collect(),
        layer: None,
        marks: Vec::new(),
    }
}

/// Loads the markup of these pictures as SVG layers.
pub(crate) async fn attach_markup(
    connection: &mut AnyConnection,
    media: &mut [MediaView],
) -> Result<()> {
    let marked: Vec<&str> = media
        .iter()
        .filter(|media| media.markup.shapes > 0)
        .map(|media| media.id.as_str())
        .collect();
    let layers = markup::shapes_by_media(connection, &marked).await?;
    for media in media {
        let Some((shapes, (width, height))) =
            layers.get(&media.id).zip(media.width.zip(media.height))
        else {
            continue;
        };
        media.layer = Some(markup::render(shapes, width, height)?);
        media.marks = shapes.iter().map(Shape::describe).collect();
    }
    Ok(())
}

fn is_author(viewer: &Viewer, author_id: &str) -> bool {
    viewer.person().is_ok_and(|person| person.id == author_id)
}

/// Presents a complete update.
pub(crate) async fn update_view(
    connection: &mut AnyConnection,
    state: &State,
    ctx: &RequestContext,
    update: &Update,
) -> Result<UpdateView> {
    let author = is_author(&ctx.viewer, &update.author_id);
    let guest = ctx.viewer.guest_of(&update.id);
    let album = media::of_updates(connection, std::slice::from_ref(&update.id)).await?;
    let named = if guest.is_some() {
        Vec::new()
    } else {
        updates::audience(connection, &update.id).await?
    };
    let groups = if guest.is_some() {
        Vec::new()
    } else {
        updates::audience_groups(connection, &update.id).await?
    };
    let mine = match &ctx.viewer {
        Viewer::Person(person) => {
            crate::receipts::of_person(connection, &update.id, &person.id).await?
        }
        Viewer::Guest(_) | Viewer::Nobody => None,
    };
    let standings = standing_counts(connection, &ctx.viewer, std::slice::from_ref(&update.id))
        .await?
        .remove(&update.id)
        .unwrap_or_default();
    let reactions = reactions(connection, &update.id).await?;
    let comments = updates::by_ids(connection, std::slice::from_ref(&update.id))
        .await?
        .first()
        .map_or(0, |row| row.comments);
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
            .then(|| share_message(state, ctx, update, &album)),
        created_at: rfc3339(update.created_at),
        published_at: format_time(update.published_at),
        edited_at: format_time(update.edited_at),
        trashed_at: format_time(update.trashed_at),
        audience: AudienceView {
            people: named
                .into_iter()
                .map(|named| PersonView {
                    id: named.id,
                    name: named.name,
                })
                .collect(),
            groups: groups
                .into_iter()
                .map(|(id, name)| PersonView { id, name })
                .collect(),
            everyone: guest.is_none() && update.everyone_at.is_some(),
        },
        later_members: guest.is_none() && update.later_members_at.is_some(),
        media: album
            .iter()
            .map(|entry| media_view(state, ctx, author, entry))
            .collect(),
        counts: CountsView {
            unheard: author.then_some(update.unheard),
            comments: if guest.is_some() { 0 } else { comments },
            open_questions: if guest.is_some() {
                0
            } else {
                update.open_questions
            },
            ..standing_view(standings, author)
        },
        reactions: reaction_views(&reactions, &update.id, &ctx.viewer),
        my_receipt: mine.map(|receipt| receipt_view(state, ctx, update, &receipt)),
    })
}

/// Presents the counts of recipients. Only the author sees how many recipients opened the update.
fn standing_view(counts: StandingCounts, author: bool) -> CountsView {
    CountsView {
        recipients: counts.recipients,
        heard: counts.heard,
        opened: author.then_some(counts.opened),
        acknowledged: counts.heard + counts.answered_unopened,
        answered_unopened: author.then_some(counts.answered_unopened),
        objections: counts.objections,
        owing: counts.owing,
        ..CountsView::default()
    }
}

fn reaction_views(all: &[Reaction], subject: &str, viewer: &Viewer) -> Vec<ReactionView> {
    let me = |actor: &str| match viewer {
        Viewer::Person(person) => person.id == actor,
        Viewer::Guest(guests) => guests.iter().any(|guest| guest.id == actor),
        Viewer::Nobody => false,
    };
    let mut shapes: Vec<ReactionView> = Vec::new();
    for reaction in all.iter().filter(|reaction| reaction.subject_id == subject) {
        match shapes.iter_mut().find(|view| view.emoji == reaction.emoji) {
            Some(view) => {
                view.count += 1;
                view.mine |= me(&reaction.actor_id);
                view.names.push_str(", ");
                view.names.push_str(&reaction.name);
            }
            None => shapes.push(ReactionView {
                emoji: reaction.emoji.clone(),
                count: 1,
                mine: me(&reaction.actor_id),
                names: reaction.name.clone(),
            }),
        }
    }
    if matches!(viewer, Viewer::Guest(_)) {
        // Guests must not see which members reacted.
        shapes.iter_mut().for_each(|view| view.names.clear());
    }
    shapes
}

/// Presents rows of a list with thumbnails, in the given order.
pub(crate) async fn row_views(
    connection: &mut AnyConnection,
    state: &State,
    ctx: &RequestContext,
    rows: Vec<Row>,
) -> Result<Vec<RowView>> {
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let album = media::of_updates(connection, &ids).await?;
    let mut standings = standing_counts(connection, &ctx.viewer, &ids).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let counts = standings.remove(&row.id).unwrap_or_default();
            row_view(state, ctx, row, counts, &album)
        })
        .collect())
}

fn row_view(
    state: &State,
    ctx: &RequestContext,
    row: Row,
    counts: StandingCounts,
    album: &MediaWithRenditions,
) -> RowView {
    let author = is_author(&ctx.viewer, &row.author_id);
    let mine: Vec<&(Media, Vec<Rendition>)> = album
        .iter()
        .filter(|(media, _)| media.update_id == row.id)
        .collect();
    let thumbnail = mine
        .iter()
        .flat_map(|(_, renditions)| renditions)
        .find(|rendition| rendition.name == "thumbnail");
    RowView {
        url: format!("{}/updates/{}", ctx.base_url, row.id),
        state: UpdateState::at(row.published_at, row.trashed_at),
        author: PersonView {
            id: row.author_id.clone(),
            name: row.author_name.clone(),
        },
        due: due_view(row.due_at, row.due_days),
        next_due: format_time(row.next_due_at),
        overdue: row.next_due_at.is_some_and(|due| due < state.clock.now()),
        created_at: rfc3339(row.created_at),
        published_at: format_time(row.published_at),
        trashed_at: format_time(row.trashed_at),
        kind: mine.first().map(|(media, _)| media.kind),
        thumbnail: thumbnail.map(|rendition| {
            format!(
                "{}{}",
                ctx.base_url,
                sign(state, &ctx.viewer, &row.id, &rendition.key)
            )
        }),
        duration_ms: mine.iter().find_map(|(media, _)| media.duration_ms),
        counts: CountsView {
            unheard: author.then_some(row.unheard),
            comments: row.comments,
            open_questions: row.open_questions,
            ..standing_view(counts, author)
        },
        expectation: row.expectation,
        title: row.title,
        id: row.id,
        found: Vec::new(),
    }
}

/// Adds to each row the places where the search text was found.
pub(crate) async fn attach_hits(
    connection: &mut AnyConnection,
    state: &State,
    ctx: &RequestContext,
    typed: &str,
    rows: &mut [RowView],
) -> Result<()> {
    const SHOWN: usize = 3;
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    for place in search::find_hits(connection, state.db.dialect(), typed, &ids).await? {
        let Some(row) = rows
            .iter_mut()
            .find(|row| row.id == place.update_id && row.found.len() < SHOWN)
        else {
            continue;
        };
        let url = match (&place.comment_id, &place.media_id) {
            (Some(comment), _) => format!("{}/updates/{}#c-{comment}", ctx.base_url, row.id),
            (None, Some(media)) => format!("{}/updates/{}#m-{media}", ctx.base_url, row.id),
            (None, None) => row.url.clone(),
        };
        let (kind, text) = match place.comment_id {
            Some(_) => (HitKind::Comment, &place.body),
            None if place.media_id.is_some() => (HitKind::Markup, &place.body),
            None if search::matches(&place.title, typed) => (HitKind::Title, &place.title),
            None => (HitKind::Notes, &place.body),
        };
        row.found.push(FoundView {
            kind,
            text: search::excerpt(text, typed),
            at_ms: place.at_ms,
            url,
        });
    }
    Ok(())
}
