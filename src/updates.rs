//! Updates: drafts, publication, edits, the trash, and access.

mod access;
mod audience;
mod groups;
mod list;
mod obligations;
mod questions;
mod revisions;
mod terms;

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
pub use terms::{Expectation, MediaKind, UpdateState, Visibility};

use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::events::{self, EventKind};
use crate::infra::db::Tx;
use crate::infra::jobs;
use crate::notifications;
use crate::notifications::{Kind, Notification};
use crate::objects::DeleteObjects;
use crate::people::{Person, Role, Viewer};
use crate::search::{ForgetUpdate, IndexSubject};
use crate::working_hours::Due;

/// SQL columns of [`Update`], from `updates u JOIN people a`.
macro_rules! columns {
    () => {
        "u.id, u.author_id, a.name AS author_name, a.role AS author_role, u.title, u.notes, u.visibility, u.expectation, u.due_at, u.due_days, u.otherwise,
         u.prompt, u.everyone_at, u.later_members_at, u.revision, u.what_changed, u.version, u.created_at, u.published_at, u.edited_at, u.trashed_at,
         u.recipients, u.acknowledged, u.owing, u.unheard, u.open_questions"
    };
}

/// How long after publication the author can undo it, in milliseconds.
pub const UNDO_WINDOW: Millis = 10_000;
/// How long an update stays in the trash, in milliseconds.
pub const TRASH_RETENTION: Millis = 30 * 24 * 3_600_000;
/// The error message for a change to an update in the trash.
pub const IN_TRASH: &str = "This update is in the trash. Restore it first.";

/// An update, without its media and comments.
#[derive(Clone, Debug, FromRow)]
pub struct Update {
    /// Unique id. Ids sort by creation time.
    pub id: String,
    /// Id of the author.
    pub author_id: String,
    /// Name of the author.
    pub author_name: String,
    /// Role of the author's account; see [`Self::is_sample`].
    author_role: Role,
    /// Title; may be empty in a draft.
    pub title: String,
    /// Text in Markdown.
    pub notes: String,
    /// Who may open the update.
    pub visibility: Visibility,
    /// What the update expects of its recipients.
    pub expectation: Expectation,
    /// When the answer is due, if the author set a fixed time. Each receipt has its own due time
    /// within the recipient's working hours.
    pub due_at: Option<Millis>,
    /// How many working days recipients have to answer, if the author did not set a fixed time.
    pub due_days: Option<i64>,
    /// What the author does if no answer arrives by the due time.
    pub otherwise: Option<String>,
    /// Question that recipients answer with their readback; `None` means the default question.
    pub prompt: Option<String>,
    /// When the author added everyone with an account to the audience; `None` if the update is not
    /// for everyone.
    pub everyone_at: Option<Millis>,
    /// Since when people who join a group of the audience after publication may open the update;
    /// `None` if the author does not allow this.
    pub later_members_at: Option<Millis>,
    /// Revision of the content, counted from 1. Every material edit increments it.
    pub revision: i64,
    /// The author's description of the last material edit.
    pub what_changed: Option<String>,
    /// Version for optimistic locking. Every edit increments it.
    pub version: i64,
    /// When the draft was created.
    pub created_at: Millis,
    /// When the update was published; `None` for a draft.
    pub published_at: Option<Millis>,
    /// When the update was last edited after publication.
    pub edited_at: Option<Millis>,
    /// When the update was moved to the trash.
    pub trashed_at: Option<Millis>,
    /// Number of recipients.
    pub recipients: i64,
    /// Number of recipients who acknowledged or read back the current revision.
    pub acknowledged: i64,
    /// Number of recipients who owe an answer.
    pub owing: i64,
    /// Number of readbacks of the current revision that have no verdict yet.
    pub unheard: i64,
    /// Number of questions by other people that nobody has answered.
    pub open_questions: i64,
}

impl Update {
    /// Returns when answers are due; `None` if there is no due time.
    pub fn due(&self) -> Option<Due> {
        self.due_at.map(Due::At).or(self.due_days.map(Due::Days))
    }

    /// Returns the state, derived from when the update was published and moved to the trash.
    pub fn state(&self) -> UpdateState {
        UpdateState::at(self.published_at, self.trashed_at)
    }

    /// Whether the update is the sample update of a new workspace.
    pub fn is_sample(&self) -> bool {
        self.author_role == Role::System
    }

    /// Whether the update expects an answer.
    pub fn asks_for_answer(&self) -> bool {
        self.expectation.asks_for_answer()
    }
}

/// The fields of an update that its author can set. In an edit, `None` keeps a field and
/// `Some(None)` clears it.
#[derive(Clone, Debug, Default)]
pub struct Content {
    /// Title.
    pub title: Option<String>,
    /// Text in Markdown.
    pub notes: Option<String>,
    /// Who may open the update.
    pub visibility: Option<Visibility>,
    /// What the update expects of its recipients.
    pub expectation: Option<Expectation>,
    /// When answers are due.
    pub due: Option<Option<Due>>,
    /// What the author does if no answer arrives by the due time.
    pub otherwise: Option<Option<String>>,
    /// Question that recipients answer with their readback.
    pub prompt: Option<Option<String>>,
    /// People and groups that the update is for.
    pub audience: Option<ResolvedAudience>,
    /// Whether people who later join a group of the audience may also open the update. An audience
    /// without groups turns this off.
    pub later_members: Option<bool>,
    /// `Some` makes an edit material, and contains the author's description of what changed, if
    /// any.
    pub material: Option<Option<String>>,
    /// The version that the author had open when starting the edit.
    pub version: Option<i64>,
}

/// Finds an update that the viewer may see. Otherwise returns [`Viewer::not_visible_error`].
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

/// Finds an update that the viewer may see, and locks it until the transaction ends; see
/// [`lock_for_update`].
pub async fn find_locked(tx: &mut Tx, viewer: &Viewer, id: &str) -> Result<Update> {
    lock_for_update(tx, id).await?;
    find(tx, viewer, id).await
}

/// Finds an update that the viewer may change: the viewer is its author, and it is not in the
/// trash.
pub async fn find_own(connection: &mut AnyConnection, viewer: &Viewer, id: &str) -> Result<Update> {
    let update = find(connection, viewer, id).await?;
    must_be_author(viewer, &update)?;
    if update.trashed_at.is_some() {
        return Err(Error::Conflict(IN_TRASH.into()));
    }
    Ok(update)
}

/// Returns [`Error::Forbidden`] unless the viewer is the author of the update.
pub fn must_be_author(viewer: &Viewer, update: &Update) -> Result<()> {
    match viewer {
        Viewer::Person(person) if person.id == update.author_id => Ok(()),
        _ => Err(Error::Forbidden(format!(
            "Only {} can do this.",
            update.author_name
        ))),
    }
}

/// Whether nobody has published an update in this workspace yet. The sample update does not count.
pub async fn nothing_published_yet(connection: &mut AnyConnection) -> Result<bool> {
    let count: i64 =
        sqlx::query_scalar("SELECT count(*) FROM (SELECT 1 AS one FROM updates u JOIN people a ON a.id = u.author_id WHERE u.published_at IS NOT NULL AND a.role <> 'house' LIMIT 1) AS found")
            .fetch_one(connection)
            .await?;
    Ok(count == 0)
}

/// Creates a draft. Returns an error if the due time is in the past.
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
    .bind(content.visibility.unwrap_or(Visibility::Audience))
    .bind(content.expectation.unwrap_or(Expectation::Fyi))
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

/// Converts a due time to the values of the columns `due_at` and `due_days`.
fn due_columns(due: Option<Due>) -> (Option<Millis>, Option<i64>) {
    match due {
        Some(Due::At(at)) => (Some(at), None),
        Some(Due::Days(days)) => (None, Some(days)),
        None => (None, None),
    }
}

/// Returns an error if the due time is not in the future.
fn check_due_is_ahead(clock: &Clock, due_at: Option<Millis>) -> Result<()> {
    match due_at {
        Some(at) if at <= clock.now() => Err(Error::invalid(
            "due",
            "is in the past. Use a time in the future, or leave it out.",
        )),
        _ => Ok(()),
    }
}

/// Edits a draft or a published update. Adds and removes recipients if the audience changes.
///
/// Returns [`Error::Conflict`] if `content.version` is outdated.
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
            "This update was edited elsewhere while you were editing it. Your text is still here. Load the other version, or save again to replace it."
                .into(),
        ));
    }
    let published = before.published_at.is_some();
    if published && content.title.as_deref().is_some_and(str::is_empty) {
        return Err(Error::invalid(
            "title",
            "is empty. A published update needs a title.",
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
    .bind(content.visibility.unwrap_or(before.visibility))
    .bind(content.expectation.unwrap_or(before.expectation))
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
            "This update was edited elsewhere at the same time. Save again.".into(),
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
    events::record(tx, clock, EventKind::Update, id, id, &person.id).await?;
    find_as_author(tx, id).await
}

/// Publishes a draft. The audience can then see the update and owes the expected answer. Does
/// nothing if the update is already published. If the draft has no title, sets one such as
/// `Recording, 21 Nov 14:02`. Fails if the draft is empty.
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
    events::record(tx, clock, EventKind::Update, id, id, &person.id).await?;
    Ok(published)
}

/// Returns a title for a draft without one, such as `Recording, 21 Nov 14:02`, with the time in the
/// author's time zone. Fails if the draft has no notes or media either.
async fn fallback_title(
    tx: &mut Tx,
    clock: &Clock,
    author: &Person,
    draft: &Update,
) -> Result<String> {
    let kind: Option<MediaKind> =
        sqlx::query_scalar("SELECT kind FROM media WHERE update_id = $1 AND comment_id IS NULL AND removed_at IS NULL ORDER BY id LIMIT 1")
            .bind(&draft.id)
            .fetch_optional(&mut **tx)
            .await?;
    let word = match kind {
        Some(MediaKind::Video) => "Recording",
        Some(MediaKind::Image) => "Screenshot",
        None if !draft.notes.is_empty() => "Update",
        None => {
            return Err(Error::invalid(
                "title",
                "is empty, and the update has no notes or files either. Write a title or add a file.",
            ));
        }
    };
    let zone = jiff::tz::TimeZone::get(&author.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let now = jiff::Timestamp::from_millisecond(clock.now())
        .map_err(Error::internal)?
        .to_zoned(zone);
    Ok(format!("{word}, {}", now.strftime("%-d %b %H:%M")))
}

/// Returns an error if the update expects an answer but has no recipients and no invited people.
async fn check_has_recipients(tx: &mut Tx, clock: &Clock, update: &Update) -> Result<()> {
    if update.asks_for_answer()
        && update.recipients == 0
        && audience::pending_invitees(tx, clock, &update.id)
            .await?
            .is_empty()
    {
        return Err(Error::invalid(
            "audience",
            "contains nobody who can answer, but this update asks for an answer. Add the people who should answer, or do not ask for an answer.",
        ));
    }
    Ok(())
}

/// Undoes the publication of an update, and deletes its receipts, notifications and everything else
/// that the publication created. Returns [`Error::Conflict`] once [`UNDO_WINDOW`] has passed.
pub async fn unpublish(tx: &mut Tx, clock: &Clock, viewer: &Viewer, id: &str) -> Result<Update> {
    let person = viewer.person()?;
    lock_for_update(tx, id).await?;
    let update = find_own(tx, viewer, id).await?;
    match update.published_at {
        None => return Ok(update),
        Some(at) if clock.now() - at <= UNDO_WINDOW => {}
        Some(_) => {
            return Err(Error::Conflict(
                "This update was published more than 10 seconds ago, so publishing can no longer be undone. Edit the update, or move it to the trash.".into(),
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
    events::record(tx, clock, EventKind::Update, id, id, &person.id).await?;
    find_as_author(tx, id).await
}

/// Moves an update to the trash. Does nothing if the update is already in the trash.
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
    events::record(tx, clock, EventKind::Update, id, id, &person.id).await
}

/// Restores an update from the trash.
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
    events::record(tx, clock, EventKind::Update, id, id, &person.id).await?;
    find_as_author(tx, id).await
}

/// Permanently deletes one or all updates in the person's trash. Enqueues a job that deletes their
/// files.
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

/// Permanently deletes updates that have been in the trash for [`TRASH_RETENTION`]. Deletes at most
/// 100 updates per call.
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

/// Deletes a draft that has no content, no audience and no media. The media `media_id` does not
/// count if it is still uploading. Returns whether the draft was deleted.
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
    // Delete the comments first, because they reference guests and share links, which are deleted
    // with the update.
    sqlx::query("DELETE FROM comments WHERE update_id = $1")
        .bind(id)
        .execute(&mut **tx)
        .await?;
    let job = ForgetUpdate { update: id.into() };
    jobs::enqueue(tx, clock, &job).await?;
    sqlx::query("DELETE FROM updates WHERE id = $1")
        .bind(id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Enqueues a job that deletes the objects with these keys, including all their versions.
pub async fn enqueue_purge(tx: &mut Tx, clock: &Clock, keys: &[String]) -> Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    let keys = keys.to_vec();
    jobs::enqueue(tx, clock, &DeleteObjects { keys }).await
}

/// Enqueues a job that updates the search index for a subject: the update itself, a comment, or a picture with markup.
pub async fn enqueue_index(tx: &mut Tx, clock: &Clock, id: &str, subject: &str) -> Result<()> {
    let job = IndexSubject {
        update: id.into(),
        subject: subject.into(),
    };
    jobs::enqueue(tx, clock, &job).await
}

/// Finds an update without checking whether anyone may see it.
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
