//! Updates: drafting, publishing, editing, the trash, and who may see them.

mod access;
mod audience;
mod groups;
mod list;
mod obligations;
mod questions;
mod revisions;

use serde_json::json;
use sqlx::{AnyConnection, FromRow};

pub(crate) use access::visible;
pub use access::{Recipient, find_to_audit, recipients, refresh as refresh_access};
pub use audience::{
    MAX_INVITED, NamedPerson, ResolvedAudience, add_invited_recipient, add_recipient, admin_names,
    audience, audience_groups, invite_and_ask, pending_invitees, resolve_addresses,
    unknown_addresses,
};
pub use groups::{change_group, delete_group, leave_group};
pub use list::{Cursor, Filter, Row, best_matches, by_ids, list};
pub use obligations::{
    count_answered, lock_for_update, recompute_due_times, refresh_obligations, refresh_person,
};
pub use questions::{people_who_can_open, refresh_question_count};
pub use revisions::{
    Changes, Revision, changes_since, is_in_a_revision, media_changed, revision, revisions,
};

use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::events;
use crate::infra::db::Tx;
use crate::infra::jobs;
use crate::notifications;
use crate::notifications::{Kind, Notification};
use crate::people::{self, Person, Viewer};
use crate::working_hours::Due;

/// The columns of [`Update`], of `updates u JOIN people a`.
macro_rules! columns {
    () => {
        "u.id, u.author_id, a.name AS author_name, a.role AS author_role, u.title, u.notes, u.visibility, u.expectation, u.due_at, u.due_days, u.otherwise,
         u.prompt, u.everyone_at, u.later_members_at, u.revision, u.what_changed, u.version, u.created_at, u.published_at, u.edited_at, u.trashed_at,
         u.recipients, u.acknowledged, u.owing, u.unheard, u.open_questions"
    };
}

/// How long an author can take publication back.
pub const UNDO_WINDOW: Millis = 10_000;
/// How long the trash keeps an update.
pub const TRASH_RETENTION: Millis = 30 * 24 * 3_600_000;

/// An update, without its media and comments.
#[derive(Clone, Debug, FromRow)]
pub struct Update {
    /// The id.
    pub id: String,
    /// Who posts it.
    pub author_id: String,
    /// Their name.
    pub author_name: String,
    /// Their stored role; see [`Self::is_sample`].
    author_role: String,
    /// The title; may be empty in a draft.
    pub title: String,
    /// Markdown.
    pub notes: String,
    /// `audience` or `workspace`.
    pub visibility: String,
    /// `fyi`, `acknowledge` or `readback`.
    pub expectation: String,
    /// By when, as a time; each recipient's own is on their receipt.
    pub due_at: Option<Millis>,
    /// By when, in working days of each recipient; then there is no time.
    pub due_days: Option<i64>,
    /// What the author does if nothing is heard by then.
    pub otherwise: Option<String>,
    /// What recipients are asked when they read back; none is the usual question.
    pub prompt: Option<String>,
    /// It is for everyone, since then.
    pub everyone_at: Option<Millis>,
    /// Since when people who join its groups later may open it too; none: only those who were members when it was sent.
    pub later_members_at: Option<Millis>,
    /// Grows with every material edit.
    pub revision: i64,
    /// What the last material edit changed, in the author's words.
    pub what_changed: Option<String>,
    /// Grows with every edit.
    pub version: i64,
    /// When the draft was begun.
    pub created_at: Millis,
    /// When it was published.
    pub published_at: Option<Millis>,
    /// When it was last edited after that.
    pub edited_at: Option<Millis>,
    /// When it was put into the trash.
    pub trashed_at: Option<Millis>,
    /// People it was sent to.
    pub recipients: i64,
    /// Recipients who acknowledged or read back its present content.
    pub acknowledged: i64,
    /// Recipients who still owe an answer.
    pub owing: i64,
    /// Readbacks that the author has not heard.
    pub unheard: i64,
    /// Questions that nobody has answered.
    pub open_questions: i64,
}

impl Update {
    /// By when an answer is wanted.
    pub fn due(&self) -> Option<Due> {
        self.due_at.map(Due::At).or(self.due_days.map(Due::Days))
    }

    /// `draft`, `published` or `trashed`.
    pub fn state(&self) -> &'static str {
        state_at(self.published_at, self.trashed_at)
    }

    /// Whether it is the sample update that a new workspace begins with.
    pub fn is_sample(&self) -> bool {
        people::is_system_role(&self.author_role)
    }

    /// Whether an answer is asked for.
    pub fn asks_for_answer(&self) -> bool {
        self.expectation != "fyi"
    }
}

/// The state that the two times tell.
pub fn state_at(published_at: Option<Millis>, trashed_at: Option<Millis>) -> &'static str {
    match (published_at, trashed_at) {
        (_, Some(_)) => "trashed",
        (Some(_), None) => "published",
        (None, None) => "draft",
    }
}

/// What an author writes; in an edit what is absent stays, and an inner none clears.
#[derive(Clone, Debug, Default)]
pub struct Content {
    /// The title.
    pub title: Option<String>,
    /// Markdown.
    pub notes: Option<String>,
    /// `audience` or `workspace`.
    pub visibility: Option<&'static str>,
    /// `fyi`, `acknowledge` or `readback`.
    pub expectation: Option<&'static str>,
    /// By when.
    pub due: Option<Option<Due>>,
    /// What happens if nothing is heard.
    pub otherwise: Option<Option<String>>,
    /// What recipients are asked when they read back.
    pub prompt: Option<Option<String>>,
    /// Whom it is for.
    pub audience: Option<ResolvedAudience>,
    /// Whether people who join its groups later may open it too. An audience without a group turns it off.
    pub later_members: Option<bool>,
    /// In an edit: ask those again who have answered, with what changed.
    pub material: Option<Option<String>>,
    /// In an edit: the version it was made on.
    pub version: Option<i64>,
}

/// An update that the viewer may see.
pub async fn find(connection: &mut AnyConnection, viewer: &Viewer, id: &str) -> Result<Update> {
    let found: Option<Update> = match viewer {
        Viewer::Person(person) => {
            sqlx::query_as(concat!(
                "SELECT ",
                columns!(),
                " FROM updates u JOIN people a ON a.id = u.author_id WHERE u.id = $1 AND ",
                visible!("$2")
            ))
            .bind(id)
            .bind(&person.id)
            .fetch_optional(connection)
            .await?
        }
        Viewer::Guest(_) if viewer.guest_of(id).is_some() => sqlx::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM updates u JOIN people a ON a.id = u.author_id WHERE u.id = $1 AND u.published_at IS NOT NULL AND u.trashed_at IS NULL"
        ))
        .bind(id)
        .fetch_optional(connection)
        .await?,
        Viewer::Guest(_) | Viewer::Nobody => None,
    };
    found.ok_or_else(|| viewer.not_visible_error())
}

/// Finds an update that the viewer may see, and locks it until the transaction ends; see [`lock_for_update`].
pub async fn find_locked(tx: &mut Tx, viewer: &Viewer, id: &str) -> Result<Update> {
    lock_for_update(tx, id).await?;
    find(tx, viewer, id).await
}

/// An update that the viewer may see and change: only its author may, and not in the trash.
pub async fn find_own(connection: &mut AnyConnection, viewer: &Viewer, id: &str) -> Result<Update> {
    let update = find(connection, viewer, id).await?;
    must_be_author(viewer, &update)?;
    if update.trashed_at.is_some() {
        return Err(Error::Conflict(
            "This update is in the trash. Restore it first.".into(),
        ));
    }
    Ok(update)
}

/// Forbidden for all but the author.
pub fn must_be_author(viewer: &Viewer, update: &Update) -> Result<()> {
    match viewer {
        Viewer::Person(person) if person.id == update.author_id => Ok(()),
        _ => Err(Error::Forbidden(format!(
            "Only {} can do this.",
            update.author_name
        ))),
    }
}

/// Whether nothing was ever published in this workspace, but for the sample.
pub async fn nothing_published_yet(connection: &mut AnyConnection) -> Result<bool> {
    let count: i64 =
        sqlx::query_scalar("SELECT count(*) FROM (SELECT 1 AS one FROM updates u JOIN people a ON a.id = u.author_id WHERE u.published_at IS NOT NULL AND a.role <> 'house' LIMIT 1) AS found")
            .fetch_one(connection)
            .await?;
    Ok(count == 0)
}

/// Begins a draft.
pub async fn create(
    tx: &mut Tx,
    clock: &Clock,
    author: &Person,
    content: &Content,
) -> Result<Update> {
    let (id, now) = (clock.id(), clock.now());
    let (due_at, due_days) = due_columns(content.due.flatten());
    check_due_is_ahead(clock, due_at)?;
    sqlx::query(
        "INSERT INTO updates (id, author_id, title, notes, visibility, expectation, due_at, due_days, otherwise, prompt, later_members_at,
             revision, version, created_at, listed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, 1, $12, $12)",
    )
    .bind(&id)
    .bind(&author.id)
    .bind(content.title.as_deref().unwrap_or_default())
    .bind(content.notes.as_deref().unwrap_or_default())
    .bind(content.visibility.unwrap_or("audience"))
    .bind(content.expectation.unwrap_or("fyi"))
    .bind(due_at)
    .bind(due_days)
    .bind(content.otherwise.clone().flatten())
    .bind(content.prompt.clone().flatten())
    .bind(
        (content.later_members.unwrap_or(false) && content.audience.as_ref().is_none_or(|addressed| !addressed.groups.is_empty()))
            .then_some(now),
    )
    .bind(now)
    .execute(&mut **tx)
    .await?;
    if let Some(addressed) = &content.audience {
        audience::save_audience(tx, clock, &id, addressed).await?;
    }
    find_as_author(tx, &id).await
}

/// The two columns of a due time.
fn due_columns(due: Option<Due>) -> (Option<Millis>, Option<i64>) {
    match due {
        Some(Due::At(at)) => (Some(at), None),
        Some(Due::Days(days)) => (None, Some(days)),
        None => (None, None),
    }
}

/// Nothing can be due before it is asked.
fn check_due_is_ahead(clock: &Clock, due_at: Option<Millis>) -> Result<()> {
    match due_at {
        Some(at) if at <= clock.now() => Err(Error::invalid(
            "due",
            "is in the past. Name a time that is still to come, or none.",
        )),
        _ => Ok(()),
    }
}

/// Edits a draft or what was published. Recipients are added and removed with the audience.
pub async fn edit(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    id: &str,
    content: &Content,
) -> Result<Update> {
    let person = viewer.person()?;
    lock_for_update(tx, id).await?;
    let before = find_own(tx, viewer, id).await?;
    if content
        .version
        .is_some_and(|version| version != before.version)
    {
        return Err(Error::Conflict(
            "This update was edited elsewhere meanwhile. What you typed is still here; load the other version or save again over it."
                .into(),
        ));
    }
    let published = before.published_at.is_some();
    if published && content.title.as_deref().is_some_and(str::is_empty) {
        return Err(Error::invalid(
            "title",
            "is empty. What is published needs one.",
        ));
    }
    let due = content.due.unwrap_or(before.due());
    let (due_at, due_days) = due_columns(due);
    if due_at != before.due_at {
        check_due_is_ahead(clock, due_at)?;
    }
    let material = published && content.material.is_some();
    let changed = sqlx::query(
        "UPDATE updates SET title = $1, notes = $2, visibility = $3, expectation = $4, due_at = $5, due_days = $6, otherwise = $7, prompt = $8,
             revision = revision + $9, what_changed = $10, version = version + 1, edited_at = $11, later_members_at = $12
         WHERE id = $13 AND version = $14",
    )
    .bind(content.title.as_ref().unwrap_or(&before.title))
    .bind(content.notes.as_ref().unwrap_or(&before.notes))
    .bind(content.visibility.unwrap_or(&before.visibility))
    .bind(content.expectation.unwrap_or(&before.expectation))
    .bind(due_at)
    .bind(due_days)
    .bind(content.otherwise.clone().unwrap_or(before.otherwise.clone()))
    .bind(content.prompt.clone().unwrap_or(before.prompt.clone()))
    .bind(i64::from(material))
    .bind(if published { content.material.clone().unwrap_or(before.what_changed.clone()) } else { None })
    .bind(published.then(|| clock.now()))
    .bind(access::later_members_since(clock, content, &before))
    .bind(id)
    .bind(before.version)
    .execute(&mut **tx)
    .await?;
    if changed.rows_affected() == 0 {
        return Err(Error::Conflict(
            "This update was edited elsewhere at the same moment. Save again.".into(),
        ));
    }
    if material {
        revisions::supersede(tx, clock, &before).await?;
    }
    let kept = audience::audience_group_ids(tx, id).await?;
    if let Some(addressed) = &content.audience {
        audience::save_audience(tx, clock, id, addressed).await?;
    }
    let after = find_as_author(tx, id).await?;
    if published {
        let answered = if material {
            obligations::people_who_answered(tx, id).await?
        } else {
            Vec::new()
        };
        audience::add_recipients(
            tx,
            clock,
            &before,
            &after,
            content.audience.as_ref().map(|_| kept.as_slice()),
        )
        .await?;
        access::refresh(tx, id, None).await?;
        if before.later_members_at.is_none() && after.later_members_at.is_some() {
            groups::notify_of_earlier_joiners(tx, clock, id).await?;
        }
        refresh_obligations(tx, clock, id, None).await?;
        if content.audience.is_some() || after.expectation != before.expectation {
            let settled = find_as_author(tx, id).await?;
            check_has_recipients(tx, clock, &settled).await?;
        }
        let kind = if after.asks_for_answer() {
            Kind::Changed
        } else {
            Kind::Sent
        };
        notifications::notify(
            tx,
            clock,
            Notification {
                kind,
                update_id: id,
                subject_id: id,
                actor_id: &person.id,
            },
            &answered,
        )
        .await?;
        enqueue_index(tx, clock, id, id).await?;
    }
    events::record(tx, clock, "update", id, id, &person.id).await?;
    find_as_author(tx, id).await
}

/// Publishes a draft: from now on its audience sees it and owes what it asks for. Published already, it stays as it is.
/// A draft without a title gets one from `fallback_title`; one with nothing in it is refused.
pub async fn publish(tx: &mut Tx, clock: &Clock, viewer: &Viewer, id: &str) -> Result<Update> {
    let person = viewer.person()?;
    lock_for_update(tx, id).await?;
    let draft = find_own(tx, viewer, id).await?;
    if draft.published_at.is_some() {
        return Ok(draft);
    }
    let title = if draft.title.is_empty() {
        fallback_title(tx, clock, person, &draft).await?
    } else {
        draft.title.clone()
    };
    sqlx::query("UPDATE updates SET title = $1, published_at = $2, listed_at = $2, version = version + 1 WHERE id = $3")
        .bind(title)
        .bind(clock.now())
        .bind(id)
        .execute(&mut **tx)
        .await?;
    check_due_is_ahead(clock, draft.due_at.filter(|_| draft.asks_for_answer()))?;
    let published = find_as_author(tx, id).await?;
    audience::add_recipients(tx, clock, &draft, &published, Some(&[])).await?;
    access::refresh(tx, id, None).await?;
    refresh_obligations(tx, clock, id, None).await?;
    let published = find_as_author(tx, id).await?;
    check_has_recipients(tx, clock, &published).await?;
    revisions::record_revision(tx, clock, &published).await?;
    enqueue_index(tx, clock, id, id).await?;
    events::record(tx, clock, "update", id, id, &person.id).await?;
    Ok(published)
}

/// `Recording, 21 Nov 14:02`, in the author's zone.
async fn fallback_title(
    tx: &mut Tx,
    clock: &Clock,
    author: &Person,
    draft: &Update,
) -> Result<String> {
    let kind: Option<String> =
        sqlx::query_scalar("SELECT kind FROM media WHERE update_id = $1 AND comment_id IS NULL AND removed_at IS NULL ORDER BY id LIMIT 1")
            .bind(&draft.id)
            .fetch_optional(&mut **tx)
            .await?;
    let word = match kind.as_deref() {
        Some("video") => "Recording",
        Some(_) => "Screenshot",
        None if !draft.notes.is_empty() => "Update",
        None => {
            return Err(Error::invalid(
                "title",
                "is empty, and there is nothing else yet. Write a title or add a file.",
            ));
        }
    };
    let zone = jiff::tz::TimeZone::get(&author.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let now = jiff::Timestamp::from_millisecond(clock.now())
        .map_err(Error::internal)?
        .to_zoned(zone);
    Ok(format!("{word}, {}", now.strftime("%-d %b %H:%M")))
}

/// An answer cannot be asked of nobody.
async fn check_has_recipients(tx: &mut Tx, clock: &Clock, update: &Update) -> Result<()> {
    if update.asks_for_answer()
        && update.recipients == 0
        && audience::pending_invitees(tx, clock, &update.id)
            .await?
            .is_empty()
    {
        return Err(Error::invalid(
            "audience",
            "is nobody, and an answer is asked for. Name who is to answer, or ask for nothing back.",
        ));
    }
    Ok(())
}

/// Takes publication back within 10 s, as if it had not been.
pub async fn unpublish(tx: &mut Tx, clock: &Clock, viewer: &Viewer, id: &str) -> Result<Update> {
    let person = viewer.person()?;
    lock_for_update(tx, id).await?;
    let update = find_own(tx, viewer, id).await?;
    match update.published_at {
        None => return Ok(update),
        Some(at) if clock.now() - at <= UNDO_WINDOW => {}
        Some(_) => {
            return Err(Error::Conflict(
                "It was published more than 10 s ago. Edit it, or put it into the trash.".into(),
            ));
        }
    }
    sqlx::query("UPDATE updates SET published_at = NULL, version = version + 1 WHERE id = $1")
        .bind(id)
        .execute(&mut **tx)
        .await?;
    for trace in [
        "DELETE FROM receipts WHERE update_id = $1",
        "DELETE FROM notices WHERE update_id = $1",
        "DELETE FROM revisions WHERE update_id = $1",
        "DELETE FROM exchanges WHERE update_id = $1",
        "DELETE FROM asked_through WHERE update_id = $1",
        "DELETE FROM snoozes WHERE update_id = $1",
    ] {
        sqlx::query(trace).bind(id).execute(&mut **tx).await?;
    }
    access::refresh(tx, id, None).await?;
    refresh_obligations(tx, clock, id, None).await?;
    enqueue_index(tx, clock, id, id).await?;
    events::record(tx, clock, "update", id, id, &person.id).await?;
    find_as_author(tx, id).await
}

/// Puts an update into the trash; there already, it stays.
pub async fn trash(tx: &mut Tx, clock: &Clock, viewer: &Viewer, id: &str) -> Result<()> {
    let person = viewer.person()?;
    lock_for_update(tx, id).await?;
    let update = find(tx, viewer, id).await?;
    must_be_author(viewer, &update)?;
    if update.trashed_at.is_some() {
        return Ok(());
    }
    sqlx::query("UPDATE updates SET trashed_at = $1 WHERE id = $2")
        .bind(clock.now())
        .bind(id)
        .execute(&mut **tx)
        .await?;
    access::refresh(tx, id, None).await?;
    events::record(tx, clock, "update", id, id, &person.id).await
}

/// Takes an update out of the trash.
pub async fn restore(tx: &mut Tx, clock: &Clock, viewer: &Viewer, id: &str) -> Result<Update> {
    let person = viewer.person()?;
    lock_for_update(tx, id).await?;
    let update = find(tx, viewer, id).await?;
    must_be_author(viewer, &update)?;
    sqlx::query("UPDATE updates SET trashed_at = NULL WHERE id = $1")
        .bind(id)
        .execute(&mut **tx)
        .await?;
    access::refresh(tx, id, None).await?;
    events::record(tx, clock, "update", id, id, &person.id).await?;
    find_as_author(tx, id).await
}

/// Deletes from the author's trash for good: one update, or all. The bytes go by a job of the same transaction.
pub async fn empty_trash(
    tx: &mut Tx,
    clock: &Clock,
    person: &Person,
    one: Option<&str>,
) -> Result<()> {
    let trashed: Vec<String> =
        sqlx::query_scalar("SELECT id FROM updates WHERE author_id = $1 AND trashed_at IS NOT NULL AND ($2 = '' OR id = $2)")
            .bind(&person.id)
            .bind(one.unwrap_or_default())
            .fetch_all(&mut **tx)
            .await?;
    for id in trashed {
        delete(tx, clock, &id).await?;
    }
    Ok(())
}

/// Deletes for good what has been in the trash for 30 days; at most 100 at once.
pub async fn sweep_trash(tx: &mut Tx, clock: &Clock) -> Result<()> {
    let old: Vec<String> =
        sqlx::query_scalar("SELECT id FROM updates WHERE trashed_at < $1 LIMIT 100")
            .bind(clock.now() - TRASH_RETENTION)
            .fetch_all(&mut **tx)
            .await?;
    for id in old {
        delete(tx, clock, &id).await?;
    }
    Ok(())
}

/// Deletes a draft that nobody wrote anything into, and that has no file but perhaps this one on its way. Answers whether it was so.
pub async fn drop_if_empty(tx: &mut Tx, clock: &Clock, id: &str, media_id: &str) -> Result<bool> {
    lock_for_update(tx, id).await?;
    let empty: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM updates u WHERE u.id = $1 AND u.published_at IS NULL AND u.title = '' AND u.notes = '' AND u.everyone_at IS NULL
         AND NOT EXISTS (SELECT 1 FROM media m WHERE m.update_id = u.id AND (m.id <> $2 OR m.state <> 'uploading'))
         AND NOT EXISTS (SELECT 1 FROM audience a WHERE a.update_id = u.id) AND NOT EXISTS (SELECT 1 FROM group_audience g WHERE g.update_id = u.id)
         AND NOT EXISTS (SELECT 1 FROM invited_audience i WHERE i.update_id = u.id)",
    )
    .bind(id)
    .bind(media_id)
    .fetch_one(&mut **tx)
    .await?;
    if empty == 1 {
        delete(tx, clock, id).await?;
    }
    Ok(empty == 1)
}

async fn delete(tx: &mut Tx, clock: &Clock, id: &str) -> Result<()> {
    let keys: Vec<String> =
        sqlx::query_scalar("SELECT DISTINCT key FROM renditions WHERE media_id IN (SELECT id FROM media WHERE update_id = $1)")
            .bind(id)
            .fetch_all(&mut **tx)
            .await?;
    enqueue_purge(tx, clock, &keys).await?;
    // Guests are named by comments, and links by both: what points goes before what is pointed at.
    sqlx::query("DELETE FROM comments WHERE update_id = $1")
        .bind(id)
        .execute(&mut **tx)
        .await?;
    jobs::enqueue(tx, clock, "forget", &json!({ "update": id })).await?;
    sqlx::query("DELETE FROM updates WHERE id = $1")
        .bind(id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Has the objects under these keys deleted, every version of them.
pub async fn enqueue_purge(tx: &mut Tx, clock: &Clock, keys: &[String]) -> Result<()> {
    if keys.is_empty() {
        Ok(())
    } else {
        jobs::enqueue(tx, clock, "purge", &json!({ "keys": keys })).await
    }
}

/// Has the words of a subject, the update itself or one of its comments, found anew.
pub async fn enqueue_index(tx: &mut Tx, clock: &Clock, id: &str, subject: &str) -> Result<()> {
    jobs::enqueue(
        tx,
        clock,
        "index",
        &json!({ "update": id, "subject": subject }),
    )
    .await
}

/// The update as its author sees it, after a change of theirs.
async fn find_as_author(connection: &mut AnyConnection, id: &str) -> Result<Update> {
    Ok(sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM updates u JOIN people a ON a.id = u.author_id WHERE u.id = $1"
    ))
    .bind(id)
    .fetch_one(connection)
    .await?)
}
