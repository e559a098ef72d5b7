//! Comments: threads, anchors, reactions.

mod reactions;

use sqlx::{AnyConnection, FromRow};

pub use reactions::{On, Reaction, react, reactions, unreact};

use crate::clock::{Clock, Millis};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::events;
use crate::media::{self, Media, Taken};
use crate::people::{self, Viewer};
use crate::updates::{self, Update};

/// How many pictures a comment can have.
pub const PICTURES: usize = 10;

/// A comment as it is stored.
#[derive(Clone, Debug, FromRow)]
pub struct Comment {
    /// The id.
    pub id: String,
    /// The update.
    pub update_id: String,
    /// The first comment of its thread; none for that one itself.
    pub parent_id: Option<String>,
    /// The media it points into.
    pub media_id: Option<String>,
    /// The person who wrote it.
    pub person_id: Option<String>,
    /// The guest who wrote it.
    pub guest_id: Option<String>,
    /// The link its thread was begun through; on the first comment only.
    pub link_id: Option<String>,
    /// The writer's name.
    pub author_name: String,
    /// The name of the link a guest came through.
    pub link_name: Option<String>,
    /// Markdown; empty once removed.
    pub body: String,
    /// The moment of a video.
    pub at_ms: Option<Millis>,
    /// The end of a range.
    pub until_ms: Option<Millis>,
    /// The spot of a picture or frame, as JSON.
    pub region: Option<String>,
    /// The update's revision it was written on.
    pub revision: i64,
    /// When it was written.
    pub created_at: Millis,
    /// When it was last changed.
    pub edited_at: Option<Millis>,
    /// When it was removed.
    pub removed_at: Option<Millis>,
    /// When its thread was resolved.
    pub resolved_at: Option<Millis>,
}

macro_rules! comment {
    () => {
        "SELECT c.id, c.update_id, c.parent_id, c.media_id, c.person_id, c.guest_id, c.link_id, coalesce(p.name, g.name, '') AS author_name,
         l.name AS link_name, c.body, c.at_ms, c.until_ms, c.region, c.revision, c.created_at, c.edited_at, c.removed_at, c.resolved_at
         FROM comments c LEFT JOIN people p ON p.id = c.person_id LEFT JOIN guests g ON g.id = c.guest_id LEFT JOIN links l ON l.id = g.link_id "
    };
}

impl Comment {
    /// Whether the viewer wrote it.
    pub fn is_by(&self, viewer: &Viewer) -> bool {
        match viewer {
            Viewer::Person(person) => self.person_id.as_ref() == Some(&person.id),
            Viewer::Guest(guests) => guests.iter().any(|guest| self.guest_id.as_ref() == Some(&guest.id)),
            Viewer::Nobody => false,
        }
    }
}

/// A part of a picture or frame, 0–1 from the top left; a point has no width and height.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Region {
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Width.
    pub w: f64,
    /// Height.
    pub h: f64,
}

impl Region {
    /// Checks that it lies inside the picture.
    pub fn new(x: f64, y: f64, w: f64, h: f64) -> Result<Self, String> {
        let inside = [x, y, w, h].iter().all(|number| (0.0..=1.0).contains(number)) && x + w <= 1.000_001 && y + h <= 1.000_001;
        if inside {
            Ok(Self { x, y, w, h })
        } else {
            Err("lies outside the picture. Its x, y, w and h are numbers from 0 to 1, from the top left.".into())
        }
    }

    /// As it is stored.
    pub fn to_json(self) -> String {
        serde_json::json!({ "x": self.x, "y": self.y, "w": self.w, "h": self.h }).to_string()
    }

    /// Reads what was stored or sent; unknown members are refused.
    pub fn parse(value: &serde_json::Value) -> Result<Self, String> {
        let wrong = || "is not like {\"x\":0.1,\"y\":0.2,\"w\":0.3,\"h\":0.1}.".to_owned();
        let object = value.as_object().ok_or_else(wrong)?;
        if object.keys().any(|key| !matches!(key.as_str(), "x" | "y" | "w" | "h")) {
            return Err(wrong());
        }
        let number = |key: &str, default: Option<f64>| object.get(key).map_or(default, serde_json::Value::as_f64).ok_or_else(wrong);
        Self::new(number("x", None)?, number("y", None)?, number("w", Some(0.0))?, number("h", Some(0.0))?)
    }
}

/// Where a comment points, as it was sent.
#[derive(Clone, Debug, Default)]
pub struct Anchor {
    /// Into which media; with a time and without it the first video is meant.
    pub media_id: Option<String>,
    /// The moment.
    pub at_ms: Option<Millis>,
    /// The end of a range.
    pub until_ms: Option<Millis>,
    /// The spot.
    pub region: Option<Region>,
}

/// A comment to be written.
#[derive(Debug, Default)]
pub struct NewComment {
    /// Markdown; may be empty where there are pictures.
    pub body: String,
    /// The comment it answers.
    pub parent_id: Option<String>,
    /// Where it points.
    pub anchor: Anchor,
    /// Pasted pictures.
    pub pictures: Vec<Taken>,
    /// The name of a guest who has none yet.
    pub name: Option<String>,
}

/// Writes a comment on an update that the viewer may see and answers its id.
pub async fn add(tx: &mut Tx, clock: &Clock, viewer: &Viewer, update_id: &str, new: &NewComment) -> Result<String> {
    let update = updates::find(tx, viewer, update_id).await?;
    if update.trashed_at.is_some() {
        return Err(Error::Conflict("This update is in the trash. Restore it first.".into()));
    }
    if new.body.is_empty() && new.pictures.is_empty() {
        return Err(Error::invalid("body", "is empty. Write something or paste a picture."));
    }
    let (person, guest, link) = match viewer {
        Viewer::Person(person) => (Some(person.id.clone()), None, None),
        Viewer::Guest(_) | Viewer::Nobody => {
            let guest = people::speaking_guest(tx, clock, viewer, update_id, new.name.as_deref()).await?;
            (None, Some(guest), viewer.guest_of(update_id).map(|guest| guest.link_id.clone()))
        }
    };
    let parent = match &new.parent_id {
        Some(id) => Some(thread(tx, viewer, &update, id).await?),
        None => None,
    };
    let anchor = place(tx, &update, &new.anchor).await?;
    let id = clock.id();
    sqlx::query(
        "INSERT INTO comments (id, update_id, parent_id, media_id, person_id, guest_id, link_id, body, at_ms, until_ms, region, revision, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(&id)
    .bind(update_id)
    .bind(&parent)
    .bind(&anchor.media_id)
    .bind(&person)
    .bind(&guest)
    .bind(if parent.is_none() { link } else { None })
    .bind(&new.body)
    .bind(anchor.at_ms)
    .bind(anchor.until_ms)
    .bind(anchor.region.map(Region::to_json))
    .bind(update.revision)
    .bind(clock.now())
    .execute(&mut **tx)
    .await?;
    for picture in &new.pictures {
        media::add(tx, clock, update_id, Some(&id), picture).await?;
    }
    updates::index(tx, clock, update_id, &id).await?;
    events::record(tx, clock, "comment", update_id, &id, person.or(guest).as_deref().unwrap_or_default()).await?;
    Ok(id)
}

/// The first comment of the thread that `id` is in, if the viewer may answer there.
async fn thread(tx: &mut Tx, viewer: &Viewer, update: &Update, id: &str) -> Result<String> {
    let gone = || {
        Error::Conflict(
            "The comment you answer was removed meanwhile. What you wrote is still here; post it as a comment of its own.".into(),
        )
    };
    let parent = match visible(tx, viewer, id).await {
        Ok((parent, _)) if parent.update_id == update.id => parent,
        Ok(_) | Err(Error::NotFound | Error::Unauthenticated) => {
            return Err(Error::invalid("parent_id", "names no comment of this update. Leave it out to begin a thread."));
        }
        Err(error) => return Err(error),
    };
    if parent.removed_at.is_some() {
        return Err(gone());
    }
    let Some(root) = parent.parent_id else { return Ok(parent.id) };
    // Locks the thread's beginning against being removed at this moment.
    let there = sqlx::query("UPDATE comments SET parent_id = parent_id WHERE id = $1").bind(&root).execute(&mut **tx).await?;
    if there.rows_affected() == 1 { Ok(root) } else { Err(gone()) }
}

/// Checks an anchor against the media of the update.
async fn place(tx: &mut Tx, update: &Update, anchor: &Anchor) -> Result<Anchor> {
    if anchor.media_id.is_none() && anchor.at_ms.is_none() && anchor.region.is_none() && anchor.until_ms.is_none() {
        return Ok(Anchor::default());
    }
    let album = media::of_updates(tx, std::slice::from_ref(&update.id)).await?;
    let fits = |media: &&Media| match &anchor.media_id {
        Some(id) => media.id == *id,
        None => (anchor.at_ms.is_some() && media.kind == "video") || (anchor.at_ms.is_none() && media.kind == "image"),
    };
    let media = album.iter().map(|(media, _)| media).find(fits);
    let media = media
        .ok_or_else(|| Error::invalid("media_id", "names no file of this update; it may have been removed. Leave it out, or reload."))?;
    match (media.kind.as_str(), anchor.at_ms) {
        ("video", None) if anchor.region.is_some() => {
            return Err(Error::invalid("at_ms", "is missing: a spot in a video needs its moment."));
        }
        ("image", Some(_)) => return Err(Error::invalid("at_ms", "is a moment, and this is a picture. Leave it out.")),
        ("video", Some(at)) if at < 0 || media.duration_ms.is_some_and(|length| at > length) => {
            return Err(Error::invalid("at_ms", format!("lies outside the video, which is {} ms long.", media.duration_ms.unwrap_or(0))));
        }
        _ => {}
    }
    match (anchor.at_ms, anchor.until_ms) {
        (None, Some(_)) => return Err(Error::invalid("until_ms", "needs `at_ms`, where the range begins.")),
        (Some(at), Some(until)) if until < at || media.duration_ms.is_some_and(|length| until > length) => {
            return Err(Error::invalid("until_ms", "lies before `at_ms` or after the end of the video."));
        }
        _ => {}
    }
    Ok(Anchor { media_id: Some(media.id.clone()), ..anchor.clone() })
}

/// All comments of an update that the viewer may see, in order: people see all, guests the threads begun through their link.
pub async fn of(connection: &mut AnyConnection, viewer: &Viewer, update_id: &str) -> Result<Vec<Comment>> {
    let all: Vec<Comment> =
        sqlx::query_as(concat!(comment!(), "WHERE c.update_id = $1 ORDER BY c.id")).bind(update_id).fetch_all(connection).await?;
    let Some(guest) = viewer.guest_of(update_id) else { return Ok(all) };
    let mine: std::collections::HashSet<String> =
        all.iter().filter(|comment| comment.link_id.as_ref() == Some(&guest.link_id)).map(|comment| comment.id.clone()).collect();
    Ok(all.into_iter().filter(|comment| mine.contains(comment.parent_id.as_ref().unwrap_or(&comment.id))).collect())
}

/// One comment that the viewer may see, and its update.
pub async fn visible(connection: &mut AnyConnection, viewer: &Viewer, id: &str) -> Result<(Comment, Update)> {
    let comment: Option<Comment> = sqlx::query_as(concat!(comment!(), "WHERE c.id = $1")).bind(id).fetch_optional(&mut *connection).await?;
    let comment = comment.ok_or_else(|| viewer.blind())?;
    let update = updates::find(connection, viewer, &comment.update_id).await?;
    if let Some(guest) = viewer.guest_of(&update.id) {
        let root = comment.parent_id.as_ref().unwrap_or(&comment.id);
        let link: Option<String> =
            sqlx::query_scalar("SELECT link_id FROM comments WHERE id = $1").bind(root).fetch_one(connection).await?;
        if link.as_ref() != Some(&guest.link_id) {
            return Err(viewer.blind());
        }
    }
    Ok((comment, update))
}

async fn mine(tx: &mut Tx, viewer: &Viewer, id: &str) -> Result<(Comment, Update)> {
    let (comment, update) = visible(tx, viewer, id).await?;
    if comment.removed_at.is_some() {
        return Err(Error::Conflict("This comment was removed meanwhile.".into()));
    }
    Ok((comment, update))
}

/// Changes the words of a comment of one's own.
pub async fn edit(tx: &mut Tx, clock: &Clock, viewer: &Viewer, id: &str, body: &str) -> Result<String> {
    let (comment, update) = mine(tx, viewer, id).await?;
    if !comment.is_by(viewer) {
        return Err(Error::Forbidden(format!("Only {} can edit this comment.", comment.author_name)));
    }
    if body.is_empty() {
        return Err(Error::invalid("body", "is empty. To take the comment away, remove it."));
    }
    sqlx::query("UPDATE comments SET body = $1, edited_at = $2 WHERE id = $3")
        .bind(body)
        .bind(clock.now())
        .bind(id)
        .execute(&mut **tx)
        .await?;
    updates::index(tx, clock, &update.id, id).await?;
    events::record(tx, clock, "comment", &update.id, id, comment.person_id.or(comment.guest_id).as_deref().unwrap_or_default()).await?;
    Ok(update.id)
}

/// Removes a comment of one's own, words and pictures; with replies a mark stays. The author of an update may remove what guests wrote.
pub async fn remove(tx: &mut Tx, clock: &Clock, viewer: &Viewer, id: &str) -> Result<String> {
    let (comment, update) = visible(tx, viewer, id).await?;
    if comment.removed_at.is_some() {
        return Ok(update.id);
    }
    let hosts = comment.guest_id.is_some() && updates::must_be_author(viewer, &update).is_ok();
    if !comment.is_by(viewer) && !hosts {
        return Err(Error::Forbidden(format!("Only {} can remove this comment.", comment.author_name)));
    }
    media::delete_of_comment(tx, clock, id).await?;
    sqlx::query("UPDATE comments SET body = '', removed_at = $1 WHERE id = $2").bind(clock.now()).bind(id).execute(&mut **tx).await?;
    updates::index(tx, clock, &update.id, id).await?;
    events::record(tx, clock, "comment", &update.id, id, comment.person_id.or(comment.guest_id).as_deref().unwrap_or_default()).await?;
    Ok(update.id)
}

/// Resolves a thread, or opens it again: whoever may comment there.
pub async fn resolve(tx: &mut Tx, clock: &Clock, viewer: &Viewer, id: &str, resolved: bool) -> Result<String> {
    let (comment, update) = mine(tx, viewer, id).await?;
    if let Viewer::Guest(_) = viewer {
        people::guest_who_may_speak(viewer, &update.id)?;
    }
    if comment.parent_id.is_some() {
        return Err(Error::Conflict("Only a whole thread can be resolved: name its first comment.".into()));
    }
    sqlx::query("UPDATE comments SET resolved_at = CASE WHEN $1 = 0 THEN NULL ELSE coalesce(resolved_at, $2) END WHERE id = $3")
        .bind(i64::from(resolved))
        .bind(clock.now())
        .bind(id)
        .execute(&mut **tx)
        .await?;
    events::record(tx, clock, "comment", &update.id, id, "").await?;
    Ok(update.id)
}
