//! From what the domain knows to the shapes of the contract, for the eyes of who asks. The number of questions asked of the
//! database does not depend on how many comments or files there are.

mod threads;

use std::collections::HashMap;

use sqlx::AnyConnection;
pub(crate) use threads::{threads, version_shape};

use super::shapes::{
    AudienceShape, CountsShape, EntryShape, FoundShape, GuestAnswerShape, InboxCountsShape, InboxShape, LinkShape, MediaShape, PersonShape,
    ReactionShape, ReceiptShape, RenditionShape, RowShape, UpdateShape,
};
use super::signing::sign;
use super::viewer::Ask;
use crate::app::State;
use crate::clock::{Millis, rfc3339};
use crate::comments::{self, Reaction};
use crate::error::Result;
use crate::links::Link;
use crate::media::{self, Album, Media, Rendition};
use crate::people::Viewer;
use crate::receipts::{self, GuestAnswer, Receipt};
use crate::updates::{self, Row, Update};
use crate::{inbox, markdown, search};

/// A time, if there is one.
pub(crate) fn time(at: Option<Millis>) -> Option<String> {
    at.map(rfc3339)
}

/// Of a video the original is its author's.
pub(crate) fn media_shape(state: &State, ask: &Ask, author: bool, (media, renditions): &(Media, Vec<Rendition>)) -> MediaShape {
    let shown = |rendition: &&Rendition| author || media.kind == "image" || rendition.name != "original";
    let renditions = renditions.iter().filter(shown).map(|rendition| RenditionShape {
        name: rendition.name.clone(),
        content_type: rendition.content_type.clone(),
        width: rendition.width,
        height: rendition.height,
        bytes: rendition.bytes,
        url: format!("{}{}", ask.base, sign(state, &ask.viewer, &media.update_id, &rendition.key)),
    });
    MediaShape {
        id: media.id.clone(),
        kind: media.kind.clone(),
        state: media.state.clone(),
        reason: media.reason.clone(),
        file_name: media.file_name.clone(),
        width: media.width,
        height: media.height,
        duration_ms: media.duration_ms,
        renditions: renditions.collect(),
    }
}

fn is_author(viewer: &Viewer, author_id: &str) -> bool {
    viewer.person().is_ok_and(|person| person.id == author_id)
}

/// A whole update.
pub(crate) async fn update(connection: &mut AnyConnection, state: &State, ask: &Ask, update: &Update) -> Result<UpdateShape> {
    let author = is_author(&ask.viewer, &update.author_id);
    let guest = ask.viewer.guest_of(&update.id);
    let album = media::of_updates(connection, std::slice::from_ref(&update.id)).await?;
    let named = if guest.is_some() { Vec::new() } else { updates::audience(connection, &update.id).await? };
    let receipts = if guest.is_some() { Vec::new() } else { receipts::of(connection, &update.id).await? };
    let reactions = comments::reactions(connection, &update.id).await?;
    let comments = updates::by_ids(connection, std::slice::from_ref(&update.id)).await?.first().map_or(0, |row| row.comments);
    let mine = ask.viewer.person().ok().and_then(|person| receipts.iter().find(|receipt| receipt.person_id == person.id));
    let acknowledged = receipts.iter().filter(|receipt| receipt.state(update.revision, false) == "acknowledged").count() as i64;
    Ok(UpdateShape {
        id: update.id.clone(),
        url: format!("{}/updates/{}", ask.base, update.id),
        state: update.state().into(),
        title: update.title.clone(),
        notes: update.notes.clone(),
        notes_html: markdown::html(&update.notes),
        author: PersonShape { id: update.author_id.clone(), name: update.author_name.clone() },
        revision: update.revision,
        version: update.version,
        what_changed: update.what_changed.clone(),
        visibility: update.visibility.clone(),
        expectation: update.expectation.clone(),
        due: time(update.due_at),
        otherwise: update.otherwise.clone(),
        created_at: rfc3339(update.created_at),
        published_at: time(update.published_at),
        edited_at: time(update.edited_at),
        trashed_at: time(update.trashed_at),
        audience: AudienceShape {
            people: named.into_iter().map(|named| PersonShape { id: named.id, name: named.name }).collect(),
            groups: Vec::new(),
            everyone: guest.is_none() && update.everyone_at.is_some(),
        },
        media: album.iter().map(|entry| media_shape(state, ask, author, entry)).collect(),
        counts: CountsShape {
            recipients: receipts.len() as i64,
            opened: author.then(|| receipts.iter().filter(|receipt| receipt.opened_at.is_some()).count() as i64),
            acknowledged,
            owing: if update.asks() { receipts.len() as i64 - acknowledged } else { 0 },
            comments: if guest.is_some() { 0 } else { comments },
            open_questions: if guest.is_some() { 0 } else { update.open_questions },
        },
        reactions: reaction_shapes(&reactions, &update.id, &ask.viewer),
        my_receipt: mine.map(|receipt| receipt_shape(state, ask, update, receipt)),
    })
}

/// One recipient's standing: what they opened is for the author and themself.
pub(crate) fn receipt_shape(state: &State, ask: &Ask, update: &Update, receipt: &Receipt) -> ReceiptShape {
    let me = ask.viewer.person().is_ok_and(|person| person.id == receipt.person_id);
    let intimate = me || is_author(&ask.viewer, &update.author_id);
    let standing = receipt.state(update.revision, intimate);
    ReceiptShape {
        person: PersonShape { id: receipt.person_id.clone(), name: receipt.name.clone() },
        state: standing.into(),
        sent_at: Some(rfc3339(receipt.sent_at)),
        opened_at: if intimate { time(receipt.opened_at) } else { None },
        coverage: None,
        unwatched: None,
        acknowledged_at: time(receipt.acknowledged_at),
        revision: receipt.acknowledged_revision,
        readback: None,
        due: if update.asks() { time(update.due_at) } else { None },
        overdue: update.asks() && standing != "acknowledged" && update.due_at.is_some_and(|due| due < state.clock.now()),
        away_until: None,
    }
}

/// Guests who answered.
pub(crate) fn guest_shape(answer: &GuestAnswer) -> GuestAnswerShape {
    GuestAnswerShape {
        guest: PersonShape { id: answer.id.clone(), name: answer.name.clone() },
        link: answer.link.clone(),
        acknowledged_at: rfc3339(answer.acknowledged_at),
    }
}

/// A share link; its secret is known only when it was just made.
pub(crate) fn link_shape(ask: &Ask, link: &Link, secret: Option<&str>) -> LinkShape {
    LinkShape {
        id: link.id.clone(),
        name: link.name.clone(),
        comments: link.comments_at.is_some(),
        created_at: rfc3339(link.created_at),
        revoked_at: time(link.revoked_at),
        url: secret.map(|secret| format!("{}/s/{secret}", ask.base)),
    }
}

fn reaction_shapes(all: &[Reaction], subject: &str, viewer: &Viewer) -> Vec<ReactionShape> {
    let me = |actor: &str| match viewer {
        Viewer::Person(person) => person.id == actor,
        Viewer::Guest(guests) => guests.iter().any(|guest| guest.id == actor),
        Viewer::Nobody => false,
    };
    let mut shapes: Vec<ReactionShape> = Vec::new();
    for reaction in all.iter().filter(|reaction| reaction.subject_id == subject) {
        match shapes.iter_mut().find(|shape| shape.emoji == reaction.emoji) {
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
pub(crate) async fn rows(connection: &mut AnyConnection, state: &State, ask: &Ask, rows: Vec<Row>) -> Result<Vec<RowShape>> {
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let album = media::of_updates(connection, &ids).await?;
    Ok(rows.into_iter().map(|row| row_shape(state, ask, row, &album)).collect())
}

fn row_shape(state: &State, ask: &Ask, row: Row, album: &Album) -> RowShape {
    let mine: Vec<&(Media, Vec<Rendition>)> = album.iter().filter(|(media, _)| media.update_id == row.id).collect();
    let thumbnail = mine.iter().flat_map(|(_, renditions)| renditions).find(|rendition| rendition.name == "thumbnail");
    RowShape {
        url: format!("{}/updates/{}", ask.base, row.id),
        state: updates::state(row.published_at, row.trashed_at).into(),
        author: PersonShape { id: row.author_id.clone(), name: row.author_name.clone() },
        due: time(row.due_at),
        created_at: rfc3339(row.created_at),
        published_at: time(row.published_at),
        trashed_at: time(row.trashed_at),
        kind: mine.first().map(|(media, _)| media.kind.clone()),
        thumbnail: thumbnail.map(|rendition| format!("{}{}", ask.base, sign(state, &ask.viewer, &row.id, &rendition.key))),
        duration_ms: mine.iter().find_map(|(media, _)| media.duration_ms),
        counts: CountsShape {
            recipients: row.recipients,
            opened: None,
            acknowledged: row.acknowledged,
            owing: row.owing(),
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
        let Some(row) = rows.iter_mut().find(|row| row.id == place.update_id && row.found.len() < SHOWN) else { continue };
        let url = match &place.comment_id {
            Some(comment) => format!("{}/updates/{}#c-{comment}", ask.base, row.id),
            None => row.url.clone(),
        };
        let (kind, text) = match place.comment_id {
            Some(_) => ("comment", &place.body),
            None if search::hits(&place.title, typed) => ("title", &place.title),
            None => ("notes", &place.body),
        };
        row.found.push(FoundShape { kind: kind.into(), text: search::excerpt(text, typed), at_ms: place.at_ms, url });
    }
    Ok(())
}

/// The inbox of who asks.
pub(crate) async fn inbox(connection: &mut AnyConnection, state: &State, ask: &Ask, person_id: &str) -> Result<InboxShape> {
    let waiting = inbox::of(connection, person_id).await?;
    let counts = inbox::counts(connection, person_id).await?;
    let sections = [waiting.owed_by_me, waiting.owed_to_me, waiting.said_to_me];
    let mut ids: Vec<String> = sections.iter().flatten().map(|waiting| waiting.update_id.clone()).collect();
    ids.sort();
    ids.dedup();
    let known = updates::by_ids(connection, &ids).await?;
    let known: HashMap<String, RowShape> =
        rows(connection, state, ask, known).await?.into_iter().map(|row| (row.id.clone(), row)).collect();
    let [owed_by_me, owed_to_me, said_to_me] = sections.map(|section| {
        section
            .into_iter()
            .filter_map(|waiting| Some(entry(state, known.get(&waiting.update_id)?.clone(), waiting)))
            .collect::<Vec<EntryShape>>()
    });
    Ok(InboxShape { owed_by_me, owed_to_me, said_to_me, counts: counts_shape(counts) })
}

/// How much waits.
pub(crate) fn counts_shape(counts: inbox::Counts) -> InboxCountsShape {
    InboxCountsShape { owed_by_me: counts.owed_by_me, owed_to_me: counts.owed_to_me, said_to_me: counts.said_to_me }
}

fn entry(state: &State, update: RowShape, waiting: inbox::Waiting) -> EntryShape {
    EntryShape {
        // One update can wait for one reason once, so the two make an id; the first letters differ between reasons.
        id: format!("{}-{}", waiting.why.chars().take(2).collect::<String>(), waiting.update_id),
        why: waiting.why,
        due: time(waiting.due_at),
        overdue: waiting.due_at.is_some_and(|due| due < state.clock.now()),
        opened: waiting.opened_at.is_some(),
        new_comments: waiting.new_comments,
        at: rfc3339(waiting.at),
        update,
    }
}
