//! The sample update of a new account, with which a person can try out Hearback. Its author is the
//! system account, and its texts say that the author is a program.

use bytes::Bytes;
use futures_util::stream;

use crate::clock::Clock;
use crate::comments::{self, Anchor, NewComment};
use crate::error::Result;
use crate::infra::db::Tx;
use crate::media::{self, StoredFile};
use crate::people::{self, Viewer};
use crate::receipts::AnswerKind;
use crate::receipts::{self, Verdict};
use crate::updates::{self, Content, Expectation, ResolvedAudience, Update};
use crate::uploads::UploadService;

/// The video of the sample update, made by `bin/make-media`.
pub const VIDEO: &[u8] = include_bytes!("../sample/welcome.mp4");
const NOTES: &str = include_str!("../sample/welcome.md");

/// Stores the video of the sample update.
pub async fn store_video(uploads: &UploadService) -> Result<StoredFile> {
    uploads
        .store_file(
            "welcome.mp4",
            false,
            stream::iter([Ok(Bytes::from_static(VIDEO))]),
        )
        .await
}

/// Stores the video of a new account's sample update and calls `create_account`, which passes the video to [`create`] in
/// its transaction. If that fails, deletes the video again. The video is `None` if it cannot be stored, for example
/// because the disk is full: the account must be created even then, without the sample.
pub async fn with_video<T>(
    uploads: &UploadService,
    create_account: impl AsyncFnOnce(Option<&StoredFile>) -> Result<T>,
) -> Result<T> {
    let video = store_video(uploads)
        .await
        .inspect_err(|error| tracing::warn!(%error, "could not store the video of the sample update; continuing without it"))
        .ok();
    let made = create_account(video.as_ref()).await;
    if let (Err(_), Some(video)) = (&made, video)
        && let Err(error) = uploads.discard(&[video]).await
    {
        // A sweep deletes it later. The caller needs the error of `create_account`.
        tracing::warn!(%error, "could not delete the video of a sample update that was not created");
    }
    made
}

/// Creates and publishes the sample update, addressed to one person.
pub async fn create(tx: &mut Tx, clock: &Clock, person_id: &str, video: &StoredFile) -> Result<()> {
    let system_account = people::ensure_system_account(tx, clock).await?;
    let content = Content {
        title: Some("Try it: see what comes back".into()),
        notes: Some(NOTES.into()),
        expectation: Some(Expectation::Readback),
        prompt: Some(Some(
            "What will you use this for, in your own words?".into(),
        )),
        audience: Some(ResolvedAudience {
            people: vec![person_id.to_owned()],
            ..ResolvedAudience::default()
        }),
        ..Content::default()
    };
    let update = updates::create(tx, clock, &system_account, &content).await?;
    let media = media::add(tx, clock, &update.id, None, video).await?;
    let viewer = Viewer::Person(system_account);
    updates::publish(tx, clock, &viewer, &update.id).await?;
    let first = NewComment {
        body: "This comment is about one moment in the video. Press the time to go to that moment. Reply here, \
               or write your own comment."
            .into(),
        anchor: Anchor {
            media_id: Some(media),
            at_ms: Some(10_000),
            ..Anchor::default()
        },
        ..NewComment::default()
    };
    let update = updates::find(tx, &viewer, &update.id).await?;
    comments::add(tx, clock, &viewer, &update, &first).await?;
    Ok(())
}

/// Returns the author of the sample update as a viewer. Returns `None` if the update is not the
/// sample.
fn author(update: &Update) -> Option<Viewer> {
    update
        .is_sample()
        .then(|| Viewer::Person(people::system_account(&update.author_id)))
}

/// Confirms a readback of the sample update immediately, because its author is not a person. Must
/// be called after every answer to any update; does nothing if the update is not the sample.
pub async fn after_answer(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    update: &Update,
) -> Result<()> {
    let (Viewer::Person(person), Some(author)) = (viewer, author(update)) else {
        return Ok(());
    };
    let id = &update.id;
    match receipts::of_person(tx, id, &person.id).await? {
        Some(receipt) if receipt.answer == Some(AnswerKind::ReadBack) => {
            let verdict = &Verdict::Confirmed;
            receipts::give_verdict(tx, clock, &author, id, &person.id, verdict, None).await
        }
        _ => Ok(()),
    }
}

/// Answers a question on the sample update immediately, so that the person who asked can close the
/// question. Must be called after every question on any update; does nothing if the update is not
/// the sample.
pub async fn after_question(
    tx: &mut Tx,
    clock: &Clock,
    update: &Update,
    question_id: &str,
) -> Result<()> {
    let Some(author) = author(update) else {
        return Ok(());
    };
    let answer = NewComment {
        body: "Normally, a colleague would answer here. I am a program and cannot answer, but you can still \
               close the question, because you asked it."
            .into(),
        parent_id: Some(question_id.to_owned()),
        ..NewComment::default()
    };
    comments::add(tx, clock, &author, update, &answer).await?;
    Ok(())
}

/// Changes the expectation of the sample update to `fyi`, so that a person who mutes it is no
/// longer asked for an answer. Must be called before any update is muted; does nothing if the
/// update is not the sample.
pub async fn before_mute(tx: &mut Tx, clock: &Clock, update: &Update) -> Result<()> {
    match author(update) {
        Some(author) if update.asks_for_answer() => {
            let content = Content {
                expectation: Some(Expectation::Fyi),
                ..Content::default()
            };
            updates::edit(tx, clock, &author, &update.id, &content).await?;
            Ok(())
        }
        _ => Ok(()),
    }
}
