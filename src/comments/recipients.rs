//! Notifications about comments. A person gets at most one notification about a comment, even if
//! there are several reasons for it.

use std::collections::HashSet;

use sqlx::AnyConnection;

use super::mentions::{self, Mention};
use super::{Comment, CommentKind};
use crate::clock::Clock;
use crate::error::Result;
use crate::infra::db::FetchKnown;
use crate::infra::db::Tx;
use crate::notifications;
use crate::notifications::{Kind, Notification};
use crate::people::{self, groups};
use crate::updates::{self, Update};

/// A comment that was just added.
pub(super) struct PostedComment<'a> {
    /// The update that the comment belongs to.
    pub(super) update: &'a Update,
    /// Id of the comment.
    pub(super) id: &'a str,
    /// Id of the first comment of the thread; `None` if this comment begins the thread.
    pub(super) parent: Option<&'a str>,
    /// Whether the comment is a question.
    pub(super) is_question: bool,
    /// Id of the person or guest who wrote the comment.
    pub(super) actor: &'a str,
    /// The people and groups that the comment mentions.
    pub(super) mentions: &'a [Mention],
}

/// Notifies the mentioned people, the update's author and the participants of the thread, if they
/// can open the update. Returns the ids and names of mentioned people who cannot open the update.
pub(super) async fn notify_recipients(
    tx: &mut Tx,
    clock: &Clock,
    posted: &PostedComment<'_>,
) -> Result<Vec<(String, String)>> {
    let named = mentioned_people(tx, posted.mentions).await?;
    let author = vec![posted.update.author_id.clone()];
    let (asker, thread) = match posted.parent {
        Some(root) => thread_participants(tx, root).await?,
        None => (None, Vec::new()),
    };
    let asked = if posted.is_question {
        author.clone()
    } else {
        Vec::new()
    };
    let all = [&named, &author, &thread]
        .into_iter()
        .flatten()
        .cloned()
        .collect::<HashSet<_>>();
    let mut seeing: HashSet<String> =
        updates::people_who_can_open(tx, &posted.update.id, &all.into_iter().collect::<Vec<_>>())
            .await?
            .into_iter()
            .collect();
    let unseen = without_access(tx, &named, &seeing).await?;
    let reasons = [
        (Kind::Mentioned, named),
        (Kind::Questioned, asked),
        (Kind::Answered, asker.into_iter().collect()),
        (Kind::Commented, author.into_iter().chain(thread).collect()),
    ];
    for (kind, people) in reasons {
        // Notify each person only once, for the first reason in the list. `remove` returns `true`
        // only the first time.
        let people: Vec<String> = people
            .into_iter()
            .filter(|person| seeing.remove(person))
            .collect();
        let notification = Notification {
            kind,
            update_id: &posted.update.id,
            subject_id: posted.id,
            actor_id: posted.actor,
        };
        notifications::notify(tx, clock, notification, &people).await?;
    }
    Ok(unseen)
}

/// Notifies the people whom a comment mentions after an edit but did not mention before. For each
/// of them, the new notification replaces earlier ones about this comment. Returns the ids and
/// names of mentioned people who cannot open the update.
pub(super) async fn notify_newly_mentioned(
    tx: &mut Tx,
    clock: &Clock,
    update: &Update,
    before: &Comment,
    now: &[Mention],
) -> Result<Vec<(String, String)>> {
    let known: HashSet<String> =
        mentioned_people(tx, &mentions::from_json(before.mentions.as_deref()))
            .await?
            .into_iter()
            .collect();
    let named = mentioned_people(tx, now).await?;
    let seeing = updates::people_who_can_open(tx, &update.id, &named).await?;
    let new: Vec<String> = seeing
        .iter()
        .filter(|person| !known.contains(*person))
        .cloned()
        .collect();
    notifications::retract_for(tx, &before.id, &new).await?;
    let notification = Notification {
        kind: Kind::Mentioned,
        update_id: &update.id,
        subject_id: &before.id,
        actor_id: before.author_id(),
    };
    notifications::notify(tx, clock, notification, &new).await?;
    without_access(tx, &named, &seeing.into_iter().collect()).await
}

/// Returns the ids of the mentioned people and of the members of mentioned groups, sorted and
/// without duplicates.
async fn mentioned_people(
    connection: &mut AnyConnection,
    mentions: &[Mention],
) -> Result<Vec<String>> {
    let mut people: Vec<String> = mentions
        .iter()
        .filter_map(|mention| mention.id.clone())
        .collect();
    for group in mentions
        .iter()
        .filter_map(|mention| mention.group.as_deref())
    {
        people.extend(groups::members(connection, group).await?);
    }
    people.sort();
    people.dedup();
    Ok(people)
}

/// Returns the ids and names of the mentioned people (`named`) who cannot open the update, sorted
/// by name. `seeing` contains the people who can open it.
async fn without_access(
    connection: &mut AnyConnection,
    named: &[String],
    seeing: &HashSet<String>,
) -> Result<Vec<(String, String)>> {
    let unseen: Vec<String> = named
        .iter()
        .filter(|person| !seeing.contains(*person))
        .cloned()
        .collect();
    people::names(connection, &unseen).await
}

/// Returns the ids of everyone with an account who wrote in the thread. If the thread begins with a
/// question by one of them, also returns the asker's id.
async fn thread_participants(
    connection: &mut AnyConnection,
    root: &str,
) -> Result<(Option<String>, Vec<String>)> {
    let parts: Vec<(String, String, CommentKind)> = sqlx::query_as(
        "SELECT person_id, id, kind FROM comments WHERE (id = $1 OR parent_id = $1) AND person_id IS NOT NULL
         AND removed_at IS NULL",
    )
    .bind(root)
    .fetch_known(connection)
    .await?;
    let asker = parts
        .iter()
        .find(|(_, id, kind)| id == root && *kind == CommentKind::Question)
        .map(|(person, ..)| person.clone());
    Ok((
        asker,
        parts.into_iter().map(|(person, ..)| person).collect(),
    ))
}
