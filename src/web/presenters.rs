//! From what the domain knows to the shapes of the contract, for the eyes of who asks. The number of questions asked of the
//! database does not depend on how many comments or files there are.

mod access;
mod comments;
mod inbox;
pub(crate) mod me;
pub(crate) mod people;
mod receipts;
pub(crate) mod sessions;
pub(crate) mod workspace;

use std::borrow::Cow;

pub(crate) use comments::{threads, version_shape};
use serde_json::{Value, json};
use sqlx::AnyConnection;

pub(crate) use access::{access, link_shape, listed_link_shape};
pub(crate) use inbox::{counts_shape, inbox};
pub(crate) use receipts::{
    changes, exchange_shape, guest_shape, receipt_shape, receipt_shapes, revision_shape,
};

use super::extract::context::Ask;
use super::media_urls::sign;
use super::schema::{
    AudienceShape, CountsShape, FoundShape, MarkupSummaryShape, MediaShape, PersonShape,
    ReactionShape, RenditionShape, RowShape, TrimShape, UpdateShape,
};
use crate::clock::{Millis, rfc3339};
use crate::comments::{Reaction, reactions};
use crate::error::Result;
use crate::infra::markdown;
use crate::markup::{self, Shape};
use crate::media::{self, Album, Media, Rendition};
use crate::people::Viewer;
use crate::state::State;
use crate::updates::{self, Row, Update};
use crate::{search, share_message};

/// A time, if there is one.
pub(crate) fn time(at: Option<Millis>) -> Option<String> {
    at.map(rfc3339)
}

/// Words to pass on with the link.
fn message(state: &State, ask: &Ask, update: &Update, album: &Album) -> String {
    let zone = ask
        .viewer
        .person()
        .map_or("UTC", |person| person.time_zone.as_str());
    let due = match (update.due_at, update.due_days) {
        (Some(at), _) => Some(share_message::by(at, state.clock.now(), zone)),
        (None, days) => days.map(share_message::within),
    };
    let length = album.iter().find_map(|(media, _)| media.duration_ms);
    let link = format!("{}/updates/{}", ask.base, update.id);
    share_message::message(
        &update.author_name,
        &update.title,
        &update.expectation,
        length,
        due.as_deref(),
        &link,
    )
}

/// By when: a time, so many working days, or nothing.
fn due(at: Option<Millis>, days: Option<i64>) -> Value {
    match (at, days) {
        (Some(at), _) => Value::String(rfc3339(at)),
        (None, Some(days)) => json!({ "working_days": days }),
        (None, None) => Value::Null,
    }
}

/// A recording or a picture as its author or somebody else sees it.
pub(crate) fn media_shape(
    state: &State,
    ask: &Ask,
    author: bool,
    (media, renditions): &(Media, Vec<Rendition>),
) -> MediaShape {
    let shown = media.shown(renditions, author);
    let (stands, reason) = media.standing(&shown, author);
    let renditions = shown.iter().map(|rendition| RenditionShape {
        name: rendition.name.clone(),
        content_type: rendition.content_type.clone(),
        width: rendition.width,
        height: rendition.height,
        bytes: rendition.bytes,
        url: format!(
            "{}{}",
            ask.base,
            sign(state, &ask.viewer, &media.update_id, &rendition.key)
        ),
    });
    MediaShape {
        id: media.id.clone(),
        kind: media.kind.clone(),
        state: stands.to_owned(),
        reason: reason.map(Cow::into_owned),
        file_name: media.file_name.clone(),
        width: media.width,
        height: media.height,
        duration_ms: media.duration_ms,
        trim: media
            .stretch()
            .filter(|_| author)
            .map(|(from_ms, to_ms)| TrimShape { from_ms, to_ms }),
        begins_at: media.trim_from_ms.unwrap_or(0),
        broken_off_at: media.broken_off_at.map(rfc3339),
        markup: MarkupSummaryShape {
            revision: media.markup_revision,
            shapes: media.marks,
        },
        renditions: renditions.collect(),
        layer: None,
        marks: Vec::new(),
    }
}

/// Lays over the pictures of a page what was drawn on them.
pub(crate) async fn lay(connection: &mut AnyConnection, media: &mut [MediaShape]) -> Result<()> {
    let marked: Vec<&str> = media
        .iter()
        .filter(|media| media.markup.shapes > 0)
        .map(|media| media.id.as_str())
        .collect();
    let layers = markup::layers(connection, &marked).await?;
    for media in media {
        let Some((shapes, (width, height))) =
            layers.get(&media.id).zip(media.width.zip(media.height))
        else {
            continue;
        };
        media.layer = Some(markup::svg(shapes, width, height)?);
        media.marks = shapes.iter().map(Shape::words).collect();
    }
    Ok(())
}

fn is_author(viewer: &Viewer, author_id: &str) -> bool {
    viewer.person().is_ok_and(|person| person.id == author_id)
}

/// A whole update.
pub(crate) async fn update(
    connection: &mut AnyConnection,
    state: &State,
    ask: &Ask,
    update: &Update,
) -> Result<UpdateShape> {
    let author = is_author(&ask.viewer, &update.author_id);
    let guest = ask.viewer.guest_of(&update.id);
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
    let mine = match &ask.viewer {
        Viewer::Person(person) => {
            crate::receipts::of_person(connection, &update.id, &person.id).await?
        }
        Viewer::Guest(_) | Viewer::Nobody => None,
    };
    let opened = if author {
        Some(crate::receipts::opened(connection, &update.id).await?)
    } else {
        None
    };
    let reactions = reactions(connection, &update.id).await?;
    let comments = updates::by_ids(connection, std::slice::from_ref(&update.id))
        .await?
        .first()
        .map_or(0, |row| row.comments);
    Ok(UpdateShape {
        id: update.id.clone(),
        url: format!("{}/updates/{}", ask.base, update.id),
        state: update.state().into(),
        title: update.title.clone(),
        notes: update.notes.clone(),
        notes_html: markdown::html(&update.notes),
        author: PersonShape {
            id: update.author_id.clone(),
            name: update.author_name.clone(),
        },
        revision: update.revision,
        version: update.version,
        what_changed: update.what_changed.clone(),
        visibility: update.visibility.clone(),
        expectation: update.expectation.clone(),
        due: due(update.due_at, update.due_days),
        otherwise: update.otherwise.clone(),
        prompt: update.prompt.clone(),
        message: (author && update.published_at.is_some())
            .then(|| message(state, ask, update, &album)),
        created_at: rfc3339(update.created_at),
        published_at: time(update.published_at),
        edited_at: time(update.edited_at),
        trashed_at: time(update.trashed_at),
        audience: AudienceShape {
            people: named
                .into_iter()
                .map(|named| PersonShape {
                    id: named.id,
                    name: named.name,
                })
                .collect(),
            groups: groups
                .into_iter()
                .map(|(id, name)| PersonShape { id, name })
                .collect(),
            everyone: guest.is_none() && update.everyone_at.is_some(),
        },
        later_members: guest.is_none() && update.later_members_at.is_some(),
        media: album
            .iter()
            .map(|entry| media_shape(state, ask, author, entry))
            .collect(),
        counts: CountsShape {
            recipients: if guest.is_some() {
                0
            } else {
                update.recipients
            },
            opened,
            acknowledged: if guest.is_some() {
                0
            } else {
                update.acknowledged
            },
            owing: if guest.is_some() { 0 } else { update.owing },
            unheard: author.then_some(update.unheard),
            comments: if guest.is_some() { 0 } else { comments },
            open_questions: if guest.is_some() {
                0
            } else {
                update.open_questions
            },
        },
        reactions: reaction_shapes(&reactions, &update.id, &ask.viewer),
        my_receipt: mine.map(|receipt| receipt_shape(state, ask, update, &receipt)),
    })
}

fn reaction_shapes(all: &[Reaction], subject: &str, viewer: &Viewer) -> Vec<ReactionShape> {
    let me = |actor: &str| match viewer {
        Viewer::Person(person) => person.id == actor,
        Viewer::Guest(guests) => guests.iter().any(|guest| guest.id == actor),
        Viewer::Nobody => false,
    };
    let mut shapes: Vec<ReactionShape> = Vec::new();
    for reaction in all.iter().filter(|reaction| reaction.subject_id == subject) {
        match shapes
            .iter_mut()
            .find(|shape| shape.emoji == reaction.emoji)
        {
            Some(shape) => {
                shape.count += 1;
                shape.mine |= me(&reaction.actor_id);
                shape.names.push_str(", ");
                shape.names.push_str(&reaction.name);
            }
            None => shapes.push(ReactionShape {
                emoji: reaction.emoji.clone(),
                count: 1,
                mine: me(&reaction.actor_id),
                names: reaction.name.clone(),
            }),
        }
    }
    if matches!(viewer, Viewer::Guest(_)) {
        // Who of the team reacted is not a guest's business.
        shapes.iter_mut().for_each(|shape| shape.names.clear());
    }
    shapes
}

/// Rows of a list, with thumbnails; in the order given.
pub(crate) async fn rows(
    connection: &mut AnyConnection,
    state: &State,
    ask: &Ask,
    rows: Vec<Row>,
) -> Result<Vec<RowShape>> {
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let album = media::of_updates(connection, &ids).await?;
    Ok(rows
        .into_iter()
        .map(|row| row_shape(state, ask, row, &album))
        .collect())
}

fn row_shape(state: &State, ask: &Ask, row: Row, album: &Album) -> RowShape {
    let mine: Vec<&(Media, Vec<Rendition>)> = album
        .iter()
        .filter(|(media, _)| media.update_id == row.id)
        .collect();
    let thumbnail = mine
        .iter()
        .flat_map(|(_, renditions)| renditions)
        .find(|rendition| rendition.name == "thumbnail");
    RowShape {
        url: format!("{}/updates/{}", ask.base, row.id),
        state: updates::state(row.published_at, row.trashed_at).into(),
        author: PersonShape {
            id: row.author_id.clone(),
            name: row.author_name.clone(),
        },
        due: due(row.due_at, row.due_days),
        next_due: time(row.next_due_at),
        overdue: row.next_due_at.is_some_and(|due| due < state.clock.now()),
        created_at: rfc3339(row.created_at),
        published_at: time(row.published_at),
        trashed_at: time(row.trashed_at),
        kind: mine.first().map(|(media, _)| media.kind.clone()),
        thumbnail: thumbnail.map(|rendition| {
            format!(
                "{}{}",
                ask.base,
                sign(state, &ask.viewer, &row.id, &rendition.key)
            )
        }),
        duration_ms: mine.iter().find_map(|(media, _)| media.duration_ms),
        counts: CountsShape {
            recipients: row.recipients,
            opened: None,
            acknowledged: row.acknowledged,
            owing: row.owing,
            unheard: is_author(&ask.viewer, &row.author_id).then_some(row.unheard),
            comments: row.comments,
            open_questions: row.open_questions,
        },
        expectation: row.expectation,
        title: row.title,
        id: row.id,
        found: Vec::new(),
    }
}

/// Puts the places where the words stand beside the rows.
pub(crate) async fn find_places(
    connection: &mut AnyConnection,
    state: &State,
    ask: &Ask,
    typed: &str,
    rows: &mut [RowShape],
) -> Result<()> {
    const SHOWN: usize = 3;
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    for place in search::places(connection, state.db.dialect(), typed, &ids).await? {
        let Some(row) = rows
            .iter_mut()
            .find(|row| row.id == place.update_id && row.found.len() < SHOWN)
        else {
            continue;
        };
        let url = match (&place.comment_id, &place.media_id) {
            (Some(comment), _) => format!("{}/updates/{}#c-{comment}", ask.base, row.id),
            (None, Some(media)) => format!("{}/updates/{}#m-{media}", ask.base, row.id),
            (None, None) => row.url.clone(),
        };
        let (kind, text) = match place.comment_id {
            Some(_) => ("comment", &place.body),
            None if place.media_id.is_some() => ("markup", &place.body),
            None if search::hits(&place.title, typed) => ("title", &place.title),
            None => ("notes", &place.body),
        };
        row.found.push(FoundShape {
            kind: kind.into(),
            text: search::excerpt(text, typed),
            at_ms: place.at_ms,
            url,
        });
    }
    Ok(())
}
