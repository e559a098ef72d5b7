//! Who is told of a comment: each person of one thing, the strongest. The asker of a question hears of its answers.

use std::collections::HashSet;

use sqlx::AnyConnection;

use super::Comment;
use super::mentions::{self, Mention};
use crate::clock::Clock;
use crate::error::Result;
use crate::infra::db::Tx;
use crate::notifications;
use crate::notifications::{Kind, Notification};
use crate::people::{self, groups};
use crate::updates::{self, Update};

/// A comment that was just written.
pub(super) struct PostedComment<'a> {
    /// The update.
    pub(super) update: &'a Update,
    /// The comment.
    pub(super) id: &'a str,
    /// The first comment of the thread it joins; none where it begins one.
    pub(super) parent: Option<&'a str>,
    /// Whether it is a question.
    pub(super) is_question: bool,
    /// Who wrote it.
    pub(super) actor: &'a str,
    /// Whom it names.
    pub(super) mentions: &'a [Mention],
}

/// Tells whom it concerns and who may see it; answers whom it names though they cannot.
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
        // Told once, nobody is told again for less.
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

/// After an edit: tells who is named only now, instead of what they were told of it before.
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

/// The people of the mentions: those who are named, and the members of the groups.
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

/// Those of the people of the mentions who are not among the seeing: ids and names, by name.
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

/// Who asked, where a thread begins with somebody's question, and all people who take part in it.
async fn thread_participants(
    connection: &mut AnyConnection,
    root: &str,
) -> Result<(Option<String>, Vec<String>)> {
    let parts: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT person_id, id, kind FROM comments WHERE (id = $1 OR parent_id = $1) AND person_id IS NOT NULL AND removed_at IS NULL",
    )
    .bind(root)
    .fetch_all(connection)
    .await?;
    let asker = parts
        .iter()
        .find(|(_, id, kind)| id == root && kind == "question")
        .map(|(person, ..)| person.clone());
    Ok((
        asker,
        parts.into_iter().map(|(person, ..)| person).collect(),
    ))
}
