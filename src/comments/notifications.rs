//! Notifications about comments. A person gets at most one notification about a comment, even if
//! there are several reasons for it. [`mentions`] decides who is notified of a mention.

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
    let named = mentions::mentioned_people(tx, posted.mentions).await?;
    let mut reasons = vec![(Kind::Mentioned, named.clone())];
    reasons.extend(
        reasons_without_mention(tx, posted.update, posted.parent, posted.is_question).await?,
    );
    let all = reasons
        .iter()
        .flat_map(|(_, people)| people)
        .cloned()
        .collect::<HashSet<_>>();
    let mut seeing: HashSet<String> =
        updates::people_who_can_open(tx, &posted.update.id, &all.into_iter().collect::<Vec<_>>())
            .await?
            .into_iter()
            .collect();
    let unseen = mentions::without_access(tx, &named, &seeing).await?;
    for (kind, people) in reasons {
        // Notify each person only once, for the first reason in the list. `remove` returns `true` only once for each
        // person.
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

/// Returns the people who are notified of a comment for reasons other than a mention. They are grouped by reason, and
/// the strongest reason comes first. `parent` is the id of the first comment of the thread.
async fn reasons_without_mention(
    connection: &mut AnyConnection,
    update: &Update,
    parent: Option<&str>,
    is_question: bool,
) -> Result<[(Kind, Vec<String>); 3]> {
    let author = vec![update.author_id.clone()];
    let (asker, thread) = match parent {
        Some(root) => thread_participants(connection, root).await?,
        None => (None, Vec::new()),
    };
    let asked = if is_question {
        author.clone()
    } else {
        Vec::new()
    };
    Ok([
        (Kind::Questioned, asked),
        (Kind::Answered, asker.into_iter().collect()),
        (Kind::Commented, author.into_iter().chain(thread).collect()),
    ])
}

/// Withdraws the notifications of people whom an edited comment no longer mentions. If a person is notified of the
/// comment for another reason too, the notification is kept, with that reason. `named` contains the people whom the
/// comment mentions now.
async fn retract_former_mentions(
    tx: &mut Tx,
    update: &Update,
    comment: &Comment,
    named: &[String],
) -> Result<()> {
    let notified =
        notifications::people_notified(tx, &update.id, Kind::Mentioned, &comment.id).await?;
    let former: Vec<String> = notified
        .into_iter()
        .filter(|person| !named.contains(person))
        .collect();
    if former.is_empty() {
        return Ok(());
    }
    let is_question = comment.kind == CommentKind::Question;
    let parent = comment.parent_id.as_deref();
    let reasons = reasons_without_mention(tx, update, parent, is_question).await?;
    for person in &former {
        match reasons.iter().find(|(_, people)| people.contains(person)) {
            Some((kind, _)) => {
                notifications::change_kind(tx, &comment.id, person, Kind::Mentioned, *kind).await?;
            }
            None => {
                let person = std::slice::from_ref(person);
                notifications::retract_for(tx, &comment.id, person).await?;
            }
        }
    }
    Ok(())
}

/// After an edit, notifies the people whom the comment did not mention before, and withdraws the
/// notifications of those whom it no longer mentions. For each newly mentioned person, the new
/// notification replaces earlier ones about this comment. Returns the ids and names of mentioned
/// people who cannot open the update.
pub(super) async fn notify_of_changed_mentions(
    tx: &mut Tx,
    clock: &Clock,
    update: &Update,
    before: &Comment,
    now: &[Mention],
) -> Result<Vec<(String, String)>> {
    let known: HashSet<String> =
        mentions::mentioned_people(tx, &mentions::from_json(before.mentions.as_deref()))
            .await?
            .into_iter()
            .collect();
    let named = mentions::mentioned_people(tx, now).await?;
    retract_former_mentions(tx, update, before, &named).await?;
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
    mentions::without_access(tx, &named, &seeing.into_iter().collect()).await
}

/// Returns the id of the asker, if the thread begins with a question by someone with an account. Also returns the ids
/// of all people with an account who wrote in the thread.
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
