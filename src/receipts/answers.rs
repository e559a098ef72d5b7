//! Answers to updates: acknowledging, reading back, declining, and taking an answer back.

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::events::EventKind;
use crate::infra::db::Tx;
use crate::notifications;
use crate::notifications::{Kind, Notification};
use crate::people::{self, Person, Viewer};
use crate::updates::{self, Expectation, Update, UpdateState};
use crate::{drafts, events};

use super::openings::ensure_receipt;
use super::verdict_thread::{append_message, mark_taken_back};
use super::{AnswerKind, MessageKind, Receipt, VerdictKind, of_person};

/// Maximum length of a readback or objection, in characters.
pub const MAX_READBACK: usize = 500;

/// An answer to an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// An acknowledgement, which has no text.
    Acknowledged,
    /// A readback: the content in the recipient's own words. Not empty.
    ReadBack(String),
    /// An objection: why the recipient disagrees or cannot do what the update says. Not empty.
    Declined(String),
}

impl Answer {
    fn kind(&self) -> AnswerKind {
        match self {
            Self::Acknowledged => AnswerKind::Acknowledged,
            Self::ReadBack(_) => AnswerKind::ReadBack,
            Self::Declined(_) => AnswerKind::Declined,
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Acknowledged => None,
            Self::ReadBack(words) | Self::Declined(words) => Some(words),
        }
    }
}

/// Answers the current revision of an update that [`updates::find_locked`] returned. Repeating an
/// answer changes nothing, but repeating a readback that the author has corrected is an error.
///
/// `seen` is the revision that the viewer's page showed, if known. If it is outdated, the result is
/// [`Error::Conflict`]. `name` is the name that a guest entered; it is ignored if the guest already
/// has a name. If the update asks for a readback, an acknowledgement is an error.
pub async fn answer(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    update: &Update,
    answer: &Answer,
    seen: Option<i64>,
    name: Option<&str>,
) -> Result<()> {
    check_published(update)?;
    check_seen_revision(update, seen)?;
    let lacks_readback =
        update.expectation == Expectation::Readback && *answer == Answer::Acknowledged;
    let Viewer::Person(person) = viewer else {
        return if lacks_readback {
            Err(readback_missing())
        } else {
            answer_as_guest(tx, clock, viewer, update, answer, name).await
        };
    };
    if !update.asks_for_answer() {
        ensure_receipt(tx, update, &person.id).await?;
    }
    let before = of_person(tx, &update.id, &person.id)
        .await?
        .ok_or_else(not_a_recipient)?;
    if lacks_readback {
        return Err(readback_missing());
    }
    if !is_new(&before, update, answer)? {
        return Ok(());
    }
    store_answer(tx, clock, update, &person.id, answer).await?;
    // Mark the notifications as read, because a program can answer without opening the page.
    notifications::mark_read(tx, clock, &person.id, &update.id).await?;
    let owing = updates::refresh_obligations(tx, clock, &update.id, Some(&person.id)).await?;
    notify_author(tx, clock, update, owing, person, answer).await?;
    events::record(
        tx,
        clock,
        EventKind::Receipt,
        &update.id,
        &person.id,
        &person.id,
    )
    .await
}

/// Fails if `seen` is set and is not the current revision.
fn check_seen_revision(update: &Update, seen: Option<i64>) -> Result<()> {
    if seen.is_some_and(|seen| seen != update.revision) {
        return Err(Error::Conflict(
            "This update has changed since you opened it. Read the new version, then answer."
                .into(),
        ));
    }
    Ok(())
}

/// Writes the answer to the receipt and, if it has text, to the verdict thread. Deletes the draft of that text.
async fn store_answer(
    tx: &mut Tx,
    clock: &Clock,
    update: &Update,
    person_id: &str,
    answer: &Answer,
) -> Result<()> {
    sqlx::query(
        "UPDATE receipts SET answer = $1, answered_at = $2, answered_revision = $3, words = $4, verdict = NULL
         WHERE update_id = $5 AND person_id = $6",
    )
    .bind(answer.kind())
    .bind(clock.now())
    .bind(update.revision)
    .bind(answer.text())
    .bind(&update.id)
    .bind(person_id)
    .execute(&mut **tx)
    .await?;
    let (kind, draft, text) = match answer {
        Answer::Acknowledged => return Ok(()),
        Answer::ReadBack(text) => (MessageKind::Readback, drafts::READBACK, text),
        Answer::Declined(text) => (MessageKind::Decline, drafts::DECLINE, text),
    };
    append_message(tx, clock, update, person_id, kind, text).await?;
    drafts::delete(tx, person_id, &update.id, &[draft]).await
}

/// Whether the answer must be stored. An answer that repeats the current answer is ignored, and so
/// is an acknowledgement if the current answer is a readback. Fails if the answer would replace a
/// readback that the author has confirmed, or if it repeats a readback that the author has
/// corrected.
fn is_new(before: &Receipt, update: &Update, answer: &Answer) -> Result<bool> {
    let present = before.answered_revision == Some(update.revision);
    match (before.answer.filter(|_| present), answer) {
        (Some(AnswerKind::ReadBack), Answer::Acknowledged) => Ok(false),
        (Some(kind), answer)
            if kind == answer.kind() && before.words.as_deref() == answer.text() =>
        {
            if before.verdict == Some(VerdictKind::Corrected) {
                return Err(Error::invalid(
                    "readback",
                    "is the same text that the author marked as “Not quite”. Say it in other words.",
                ));
            }
            Ok(false)
        }
        (Some(AnswerKind::ReadBack), _) if before.verdict == Some(VerdictKind::Confirmed) => {
            Err(already_confirmed(update))
        }
        _ => Ok(true),
    }
}

fn already_confirmed(update: &Update) -> Error {
    Error::Conflict(format!(
        "{} has confirmed what you said back, so you can no longer change it. Write a comment instead.",
        update.author_name
    ))
}

fn readback_missing() -> Error {
    Error::invalid(
        "readback",
        "is missing. Say back in your own words what you understood.",
    )
}

fn not_a_recipient() -> Error {
    Error::Forbidden("Only recipients of this update can answer it.".into())
}

/// Notifies the author of the answer. If it was the last answer that recipients owed, also notifies the author that
/// everyone has answered. `owing` is the number of recipients who still owe an answer.
async fn notify_author(
    tx: &mut Tx,
    clock: &Clock,
    update: &Update,
    owing: i64,
    person: &Person,
    answer: &Answer,
) -> Result<()> {
    let author = [update.author_id.clone()];
    let kind = match answer {
        Answer::Acknowledged => Kind::Heard,
        Answer::ReadBack(_) => Kind::ReadBack,
        Answer::Declined(_) => Kind::Declined,
    };
    notifications::retract_answer(tx, &update.id, &person.id).await?;
    notifications::notify(
        tx,
        clock,
        Notification {
            kind,
            update_id: &update.id,
            subject_id: &notifications::subject_of_person(&update.id, &person.id),
            actor_id: &person.id,
        },
        &author,
    )
    .await?;
    if update.asks_for_answer() && owing == 0 && update.owing > 0 {
        let all = Notification {
            kind: Kind::AllHeard,
            update_id: &update.id,
            subject_id: &update.id,
            actor_id: &person.id,
        };
        notifications::notify(tx, clock, all, &author).await?;
    }
    Ok(())
}

/// Stores a guest's answer in the guest's row, because only recipients have receipts.
async fn answer_as_guest(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    update: &Update,
    answer: &Answer,
    name: Option<&str>,
) -> Result<()> {
    if matches!(answer, Answer::Declined(_)) {
        return Err(not_a_recipient());
    }
    let guest = people::named_guest_id(tx, clock, viewer, &update.id, name).await?;
    let done = sqlx::query(
        "UPDATE guests SET acknowledged_at = $1, acknowledged_revision = $2, readback = $3 WHERE id = $4
         AND (acknowledged_revision IS NULL OR acknowledged_revision < $2
             OR coalesce(readback, '') <> coalesce($3, ''))",
    )
    .bind(clock.now())
    .bind(update.revision)
    .bind(answer.text())
    .bind(&guest)
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(());
    }
    events::record(tx, clock, EventKind::Receipt, &update.id, &guest, &guest).await
}

fn check_published(update: &Update) -> Result<()> {
    match update.state() {
        UpdateState::Published => Ok(()),
        UpdateState::Draft | UpdateState::Trashed => Err(Error::Conflict(
            "This update is not published, so nobody can answer it.".into(),
        )),
    }
}

/// Takes back the viewer's answer to an update that [`updates::find_locked`] returned. Does nothing
/// if there is no answer. Returns [`Error::Conflict`] if the author has confirmed the readback.
pub async fn take_back(tx: &mut Tx, clock: &Clock, viewer: &Viewer, update: &Update) -> Result<()> {
    check_published(update)?;
    let id = &update.id;
    let Viewer::Person(person) = viewer else {
        let guest = people::guest_who_may_comment(viewer, id)?.id.clone();
        let statement = "UPDATE guests SET acknowledged_at = NULL, acknowledged_revision = NULL, readback = NULL
                         WHERE id = $1 AND acknowledged_at IS NOT NULL";
        let done = sqlx::query(statement)
            .bind(&guest)
            .execute(&mut **tx)
            .await?;
        return if done.rows_affected() == 0 {
            Ok(())
        } else {
            events::record(tx, clock, EventKind::Receipt, id, &guest, &guest).await
        };
    };
    let before = of_person(tx, id, &person.id)
        .await?
        .ok_or_else(not_a_recipient)?;
    if before.answered_at.is_none() {
        return Ok(());
    }
    if before.verdict == Some(VerdictKind::Confirmed) {
        return Err(already_confirmed(update));
    }
    sqlx::query(
        "UPDATE receipts SET answer = NULL, answered_at = NULL, answered_revision = NULL, words = NULL,
             verdict = NULL, owes_since = asked_at
         WHERE update_id = $1 AND person_id = $2",
    )
    .bind(id)
    .bind(&person.id)
    .execute(&mut **tx)
    .await?;
    if before.words.is_some() {
        mark_taken_back(tx, clock, id, &person.id).await?;
    }
    notifications::retract_answer(tx, id, &person.id).await?;
    updates::refresh_obligations(tx, clock, id, Some(&person.id)).await?;
    events::record(tx, clock, EventKind::Receipt, id, &person.id, &person.id).await
}
