//! Updates: drafts, publication, edits, the trash, and access.

mod access;
mod asked_again;
mod audience;
mod changes_since;
mod deletion;
mod due_times;
mod editing;
mod enums;
mod group_changes;
mod inbox_changes;
mod list;
mod lock;
mod media_kinds;
mod obligations;
mod open_questions;
mod owes_answer;
mod publication;
mod readback_prompt;
mod revisions;
mod trash;

use sqlx::{AnyConnection, FromRow};

pub(crate) use access::visible;
pub use access::{
    Recipient, find, find_locked, find_own, find_to_audit, must_be_author, people_who_can_open,
    recipients, refresh_person as refresh_access_of_recipient,
};
pub use asked_again::count_answered;
pub use audience::{
    NamedPerson, ResolvedAudience, add_invited_recipient, add_recipient, admin_names, audience,
    audience_groups, invite_and_ask, pending_invitees, resolve_addresses, unknown_addresses,
};
pub use changes_since::{Changes, changes_since, media_changed};
pub use deletion::{drop_if_empty, enqueue_purge};
pub use due_times::recompute_due_times;
use due_times::{check_due_is_ahead, due_columns};
pub use editing::edit;
pub use enums::{Expectation, MediaKind, UpdateState, Visibility};
pub use group_changes::{change_group, delete_group, leave_group};
pub use list::{Cursor, Filter, PageRequest, Row, best_matches, by_ids, list};
pub use lock::lock_for_update;
pub use media_kinds::refresh_media_kinds;
pub use obligations::{refresh_obligations, refresh_person};
pub(crate) use open_questions::question_is_open;
pub use open_questions::refresh_question_count;
pub use publication::{UNDO_WINDOW, publish, unpublish};
pub use readback_prompt::{DEFAULT_PROMPT, MAX_PROMPT};
pub use revisions::{Revision, is_in_a_revision, revision, revisions_for_author};
pub use trash::{IN_TRASH, TRASH_RETENTION, empty_trash, restore, sweep_trash, trash};

use crate::clock::{Clock, Millis};
use crate::error::Result;
use crate::infra::db::Tx;
use crate::infra::jobs;
use crate::people::{Person, Role};
use crate::search::IndexSubject;
use crate::working_hours::Due;

/// SQL columns of [`Update`]. The query must select them from `updates u JOIN people a ON a.id =
/// u.author_id`.
macro_rules! columns {
    () => {
        "u.id, u.author_id, a.name AS author_name, a.role AS author_role, u.title, u.notes, u.visibility,
         u.expectation, u.due_at, u.due_days, u.otherwise, u.prompt, u.everyone_at, u.later_members_at,
         u.revision, u.what_changed, u.version, u.created_at, u.published_at, u.edited_at, u.trashed_at, u.recipients,
         u.owing, u.unheard, u.open_questions"
    };
}
use columns;

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
    /// When the author gave later members access to the update; `None` if they have no access. Later members are people
    /// who join a group in the audience after publication.
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
    /// Number of recipients who owe an answer.
    pub owing: i64,
    /// Number of readbacks of the current revision that have no verdict yet.
    pub unheard: i64,
    /// Number of unanswered questions, not counting the author's own.
    pub open_questions: i64,
}

impl Update {
    /// Returns the due time, which is a fixed time or a number of working days; `None` if there is
    /// none.
    pub fn due(&self) -> Option<Due> {
        self.due_at.map(Due::At).or(self.due_days.map(Due::Days))
    }

    /// Returns the state, which depends on whether the update is published and whether it is in the trash.
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
    /// Whether people who later join a group in the audience may also open the update. In an edit, `None` keeps the
    /// setting, but an audience without groups turns it off.
    pub later_members: Option<bool>,
    /// `Some` makes the edit material. The inner value is the author's description of what changed, or `None`.
    pub material: Option<Option<String>>,
    /// The version on which the author's edit is based.
    pub version: Option<i64>,
}

/// Whether the person has not published an update yet.
pub async fn nothing_published_by(connection: &mut AnyConnection, person_id: &str) -> Result<bool> {
    let count: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM (SELECT 1 AS one FROM updates u
             WHERE u.author_id = $1 AND u.published_at IS NOT NULL LIMIT 1) AS found",
    )
    .bind(person_id)
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
    let audience = content.audience.as_ref();
    let reaches_later_members = content.later_members.unwrap_or(false)
        && audience.is_none_or(|addressed| !addressed.groups.is_empty());
    sqlx::query(
        "INSERT INTO updates (id, author_id, title, notes, visibility, expectation, due_at, due_days, otherwise,
         prompt, later_members_at, revision, version, created_at, listed_at)
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
    .bind(reaches_later_members.then_some(now))
    .bind(now)
    .execute(&mut **tx)
    .await?;
    if let Some(addressed) = &content.audience {
        audience::save_audience(tx, clock, &id, addressed).await?;
    }
    find_as_author(tx, &id).await
}

/// Enqueues a job that updates the search index for a subject: the update itself, a comment, or a picture with markup.
pub async fn enqueue_index(tx: &mut Tx, clock: &Clock, id: &str, subject: &str) -> Result<()> {
    let job = IndexSubject {
        update: id.into(),
        subject: subject.into(),
    };
    jobs::enqueue(tx, clock, &job).await
}

/// Finds an update without checking whether the viewer may see it.
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
