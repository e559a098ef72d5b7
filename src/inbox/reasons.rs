//! Why an update is in the inbox, and which of several reasons its row shows.

use sqlx::any::AnyRow;
use sqlx::{FromRow, Row as _};

use crate::clock::Millis;
use crate::infra::db::{self, text_enum};
use crate::receipts::OverdueAnswers;

use super::Preview;

text_enum! {
    /// Why an update is in a section of a person's inbox. This person is called the inbox's owner below.
    pub enum Reason {
        /// Section "To answer": the inbox's owner has not acknowledged the update.
        Acknowledge = "acknowledge",
        /// Section "To answer": the inbox's owner has not read the update back.
        Readback = "readback",
        /// Section "To answer": the update has changed since the inbox's owner answered.
        Changed = "changed",
        /// Section "To answer" or "New for you": the author corrected the readback of the inbox's
        /// owner.
        Corrected = "corrected",
        /// Section "To answer": the inbox's owner wrote the update, and some readbacks of it have
        /// no verdict.
        Readbacks = "readbacks",
        /// Section "To answer": the inbox's owner wrote the update, and some questions about it
        /// have no reply.
        Questions = "questions",
        /// Section "Waiting on others": the inbox's owner wrote the update, and some recipients
        /// have not answered.
        Waiting = "waiting",
        /// Section "New for you": the inbox's owner received an update that expects no answer.
        Sent = "sent",
        /// Section "New for you": the update has new comments.
        Comments = "comments",
        /// Section "New for you": someone mentioned the inbox's owner in a comment.
        Mention = "mention",
        /// Section "New for you": someone answered a question that the inbox's owner asked.
        Answer = "answer",
        /// Section "New for you": the inbox's owner wrote the update, and someone objected to it.
        Declined = "declined",
        /// Section "New for you": the author confirmed the readback of the inbox's owner.
        Confirmed = "confirmed",
        /// Section "New for you": the inbox's owner wrote the update, and every recipient has answered.
        AllHeard = "all_heard",
        /// Section "New for you": the inbox's owner wrote the update, and the due time of an answer has
        /// passed.
        Overdue = "overdue",
        /// Section "New for you": the inbox's owner wrote the update, and someone joined a group in its
        /// audience.
        Joined = "joined",
    }
}

/// SQL expression for the strongest reason among the grouped notifications `w`: a rank, the reason and the id of the
/// actor. If an entry of "New for you" is listed for several reasons, the one with the highest rank is its `why`.
macro_rules! strongest {
    () => {
        "max(CASE w.kind WHEN 'declined' THEN '9declined' WHEN 'overdue' THEN '8overdue'
               WHEN 'mention' THEN '7mention' WHEN 'answer' THEN '6answer' WHEN 'corrected' THEN '5corrected'
               WHEN 'joined' THEN '5joined' WHEN 'comment' THEN '4comments' WHEN 'confirmed' THEN '3confirmed'
               WHEN 'all_heard' THEN '2all_heard' ELSE '1sent' END || ' ' || w.actor_id)"
    };
}
pub(super) use strongest;

/// SQL expression for the column `kinds`, from which [`also`](super::InboxRow::also) is read. The
/// column contains the kinds of the grouped notifications `w`, each in the text form of
/// [`Reason`](super::Reason) and followed by a space. It leaves out `sent` and the kind of
/// comments; `new_comments` counts the comments.
macro_rules! kinds {
    () => {
        "max(CASE WHEN w.kind = 'declined' THEN 'declined ' ELSE '' END)
             || max(CASE WHEN w.kind = 'overdue' THEN 'overdue ' ELSE '' END)
             || max(CASE WHEN w.kind = 'mention' THEN 'mention ' ELSE '' END)
             || max(CASE WHEN w.kind = 'answer' THEN 'answer ' ELSE '' END)
             || max(CASE WHEN w.kind = 'corrected' THEN 'corrected ' ELSE '' END)
             || max(CASE WHEN w.kind = 'joined' THEN 'joined ' ELSE '' END)
             || max(CASE WHEN w.kind = 'confirmed' THEN 'confirmed ' ELSE '' END)
             || max(CASE WHEN w.kind = 'all_heard' THEN 'all_heard ' ELSE '' END)"
    };
}
pub(super) use kinds;

/// One row of the inbox.
#[derive(Clone, Debug)]
pub struct InboxRow {
    /// Id of the update.
    pub update_id: String,
    /// Why the update is in this section.
    pub why: Reason,
    /// In "To answer": when the answer of the inbox's owner is due. In "Waiting on others": the
    /// earliest due time among the recipients who still owe an answer. In "New for you": the earliest
    /// due time that has passed, if [`Reason::Overdue`] is among the reasons.
    pub due_at: Option<Millis>,
    /// When the inbox's owner opened the update; `None` if the owner has not opened it. The time is exact only if the
    /// owner owes an answer as a recipient. In all other rows it is an estimate.
    pub opened_at: Option<Millis>,
    /// When the author last sent a reminder.
    pub reminded_at: Option<Millis>,
    /// Number of unread comments, mentions and answers.
    pub new_comments: i64,
    /// Number of people who can now open the update because they joined a group in its audience.
    pub joined: i64,
    /// For the section "New for you": name of the person or guest who caused the notification.
    pub by: Option<String>,
    /// For the section "New for you": the reasons besides `why`, strongest first. Never contains
    /// [`Reason::Comments`]; see `new_comments`.
    pub also: Vec<Reason>,
    /// Text of the objection, if `why` is [`Reason::Declined`].
    pub objection: Option<String>,
    /// What the row quotes. Always `None` in "Waiting on others".
    pub preview: Option<Preview>,
    /// The overdue answers, if [`Reason::Overdue`] is in `why` or `also`.
    pub overdue: Option<OverdueAnswers>,
    /// If the inbox's owner owes an answer as a recipient: since when. In other rows of "To answer"
    /// and in "Waiting on others": when the update was published. In "New for you": when the newest
    /// notification was created.
    pub at: Millis,
}

impl FromRow<'_, AnyRow> for InboxRow {
    /// Reads a row of any section. Sets `by` to the actor's id, which `of_person` later replaces
    /// with the actor's name.
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        // A row of the section "New for you" has a `why` such as `7mention 0abc`: a rank, the reason
        // and the actor's id. The SQL takes the `max` of these texts, so that the reason with the
        // highest rank wins.
        let why: String = row.try_get("why")?;
        let (reason, actor) = why
            .split_once(' ')
            .map_or((why.as_str(), None), |(reason, actor)| {
                (reason, Some(actor))
            });
        let reason = reason.trim_start_matches(|rank: char| rank.is_ascii_digit());
        let why: Reason = reason
            .parse()
            .map_err(|unknown| db::unknown_in_column("why", unknown))?;
        let kinds: String = row.try_get("kinds")?;
        Ok(Self {
            update_id: row.try_get("update_id")?,
            why,
            due_at: row.try_get("due_at")?,
            opened_at: row.try_get("opened_at")?,
            reminded_at: row.try_get("reminded_at")?,
            new_comments: row.try_get("new_comments")?,
            joined: row.try_get("joined")?,
            by: actor.map(str::to_owned),
            also: kinds
                .split_whitespace()
                .filter_map(|kind| kind.parse().ok())
                .filter(|kind| *kind != why)
                .collect(),
            objection: None,
            preview: None,
            overdue: None,
            at: row.try_get("at")?,
        })
    }
}
