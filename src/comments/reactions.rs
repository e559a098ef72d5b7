//! Reactions: emojis that people and guests add to an update or a comment. A reaction never counts
//! as an acknowledgement.

use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

use super::{REMOVED, find_visible};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::events::{self, EventKind};
use crate::infra::db::{self, Tx};
use crate::people::{self, Viewer};
use crate::updates;
use crate::updates::UpdateState;

/// Maximum number of different emojis that one person or guest can add to an update or comment.
const MAX_EMOJIS: i64 = 20;

/// An emoji that a person or guest added.
#[derive(Clone, Debug, FromRow)]
pub struct Reaction {
    /// Id of the update or comment.
    pub subject_id: String,
    /// Id of the person or guest.
    pub actor_id: String,
    /// The emoji in its canonical form.
    pub emoji: String,
    /// Name of the person or guest.
    pub name: String,
}

/// Lists the reactions to these updates and comments. The reactions to one of them are in order, oldest first.
pub async fn reactions_to(
    connection: &mut AnyConnection,
    subjects: &[&str],
) -> Result<Vec<Reaction>> {
    let mut found = Vec::new();
    for some in subjects.chunks(db::MAX_VARIABLES) {
        let text = format!(
            "SELECT r.subject_id, r.actor_id, r.emoji, coalesce(p.name, g.name, '') AS name FROM reactions r
             LEFT JOIN people p ON p.id = r.actor_id LEFT JOIN guests g ON g.id = r.actor_id
             WHERE r.subject_id IN ({}) ORDER BY r.created_at, r.actor_id, r.emoji",
            db::placeholders(1, some.len())
        );
        let mut query = sqlx::query_as(AssertSqlSafe(text));
        for subject in some {
            query = query.bind(*subject);
        }
        found.extend(query.fetch_all(&mut *connection).await?);
    }
    Ok(found)
}

/// Adds an emoji to an update or comment and returns the id of the update. Does nothing if the
/// viewer has already added this emoji. `name` is the name that a guest entered; it is ignored if
/// the guest already has a name.
pub async fn react(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    on: ReactionTarget<'_>,
    emoji: &str,
    name: Option<&str>,
) -> Result<String> {
    let emoji = canonical_emoji(emoji)?;
    let (update_id, subject) = resolve_target(tx, viewer, on).await?;
    let actor = match viewer {
        Viewer::Person(person) => person.id.clone(),
        Viewer::Guest(_) | Viewer::Nobody => {
            people::named_guest_id(tx, clock, viewer, &update_id, name).await?
        }
    };
    let count: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM reactions WHERE subject_id = $1 AND actor_id = $2 AND emoji <> $3",
    )
    .bind(&subject)
    .bind(&actor)
    .bind(emoji)
    .fetch_one(&mut **tx)
    .await?;
    if count >= MAX_EMOJIS {
        return Err(Error::Conflict(format!(
            "You have already added {MAX_EMOJIS} reactions here. Remove one first."
        )));
    }
    sqlx::query(
        "INSERT INTO reactions (update_id, subject_id, actor_id, emoji, created_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT DO NOTHING",
    )
    .bind(&update_id)
    .bind(&subject)
    .bind(&actor)
    .bind(emoji)
    .bind(clock.now())
    .execute(&mut **tx)
    .await?;
    events::record(tx, clock, EventKind::Reaction, &update_id, &subject, &actor).await?;
    Ok(update_id)
}

/// Removes an emoji that the viewer added. Returns the id of the update.
pub async fn unreact(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    on: ReactionTarget<'_>,
    emoji: &str,
) -> Result<String> {
    let emoji = canonical_emoji(emoji)?;
    let (update_id, subject) = resolve_target(tx, viewer, on).await?;
    let actor = match viewer {
        Viewer::Person(person) => person.id.clone(),
        Viewer::Guest(_) | Viewer::Nobody => people::guest_who_may_comment(viewer, &update_id)?
            .id
            .clone(),
    };
    sqlx::query("DELETE FROM reactions WHERE subject_id = $1 AND actor_id = $2 AND emoji = $3")
        .bind(&subject)
        .bind(&actor)
        .bind(emoji)
        .execute(&mut **tx)
        .await?;
    events::record(tx, clock, EventKind::Reaction, &update_id, &subject, &actor).await?;
    Ok(update_id)
}

/// The update or comment that a reaction belongs to.
#[derive(Clone, Copy, Debug)]
pub enum ReactionTarget<'a> {
    /// The update with this id.
    Update(&'a str),
    /// The comment with this id.
    Comment(&'a str),
}

async fn resolve_target(
    tx: &mut Tx,
    viewer: &Viewer,
    on: ReactionTarget<'_>,
) -> Result<(String, String)> {
    let (update, subject) = match on {
        ReactionTarget::Update(id) => (updates::find(tx, viewer, id).await?, id.to_owned()),
        ReactionTarget::Comment(id) => {
            let (comment, update) = find_visible(tx, viewer, id).await?;
            if comment.removed_at.is_some() {
                return Err(Error::Conflict(REMOVED.into()));
            }
            (update, comment.id)
        }
    };
    if update.state() != UpdateState::Published {
        return Err(Error::Conflict(
            "This update is not published, so nobody can react to it.".into(),
        ));
    }
    Ok((update.id, subject))
}

/// Returns the canonical form of an emoji, so that each emoji is stored in one form only.
fn canonical_emoji(emoji: &str) -> Result<&'static str> {
    emojis::get(emoji)
        .map(|emoji| emoji.as_str())
        .ok_or_else(|| Error::invalid("emoji", "must be a single emoji, such as 👍."))
}
