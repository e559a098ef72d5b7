//! The one update that a new workspace begins with: it teaches by being used. Its author is a program, and says so.

use bytes::Bytes;
use futures_util::stream;

use crate::clock::Clock;
use crate::comments::{self, Anchor, NewComment};
use crate::error::Result;
use crate::infra::db::Tx;
use crate::media::{self, StoredFile};
use crate::people::{self, Viewer};
use crate::receipts::{self, Verdict};
use crate::updates::{self, Content, ResolvedAudience, Update};
use crate::uploads::UploadService;

/// The video; `bin/make-sample` makes it.
pub const VIDEO: &[u8] = include_bytes!("../sample/welcome.mp4");
const NOTES: &str = include_str!("../sample/welcome.md");

/// Stores the video, before the transaction that gives it a place.
pub async fn store_video(uploads: &UploadService) -> Result<StoredFile> {
    uploads
        .store_file(
            "welcome.mp4",
            false,
            stream::iter([Ok(Bytes::from_static(VIDEO))]),
        )
        .await
}

/// Writes the sample, for one person.
pub async fn create(tx: &mut Tx, clock: &Clock, person_id: &str, video: &StoredFile) -> Result<()> {
    let system_account = people::ensure_system_account(tx, clock).await?;
    let content = Content {
        title: Some("Try it: what comes back".into()),
        notes: Some(NOTES.into()),
        expectation: Some("readback"),
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
        body: "A comment stands at its second: press the time to go there. Answer here, or write one of your own.".into(),
        anchor: Anchor { media_id: Some(media), at_ms: Some(10_000), ..Anchor::default() },
        ..NewComment::default()
    };
    let update = updates::find(tx, &viewer, &update.id).await?;
    comments::add(tx, clock, &viewer, &update, &first).await?;
    Ok(())
}

/// Returns the sample's author if this update is the sample.
fn author(update: &Update) -> Option<Viewer> {
    update
        .is_sample()
        .then(|| Viewer::Person(people::system_account(&update.author_id)))
}

/// Call it after an answer. Confirms a readback of the sample at once, as its notes say: nobody else will.
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
        Some(receipt) if receipt.answer.as_deref() == Some("read_back") => {
            let verdict = &Verdict::Confirmed;
            receipts::give_verdict(tx, clock, &author, id, &person.id, verdict, None).await
        }
        _ => Ok(()),
    }
}

/// Call it after a question. Answers a question on the sample at once, so that the person who asked can close it.
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
        body: "Your colleague answers here. I am a program and cannot, but you can close the question all the same: only its asker does."
            .into(),
        parent_id: Some(question_id.to_owned()),
        ..NewComment::default()
    };
    comments::add(tx, clock, &author, update, &answer).await?;
    Ok(())
}

/// Call it before an update is muted. A muted sample asks for no answer any longer.
pub async fn before_mute(tx: &mut Tx, clock: &Clock, update: &Update) -> Result<()> {
    match author(update) {
        Some(author) if update.asks_for_answer() => {
            let content = Content {
                expectation: Some("fyi"),
                ..Content::default()
            };
            updates::edit(tx, clock, &author, &update.id, &content).await?;
            Ok(())
        }
        _ => Ok(()),
    }
}
