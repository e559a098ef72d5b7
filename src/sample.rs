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
    comments::add(tx, clock, &viewer, &update.id, &first).await?;
    Ok(())
}

/// The sample's author, if this update is it.
async fn find_author(tx: &mut Tx, update: &Update) -> Result<Option<Viewer>> {
    Ok(people::find_system_account(tx, &update.author_id)
        .await?
        .map(Viewer::Person))
}

/// What was said back to the sample is confirmed at once, as its notes say: nobody else will, and a loop that stays open teaches the wrong thing.
pub async fn confirm_readback(tx: &mut Tx, clock: &Clock, viewer: &Viewer, id: &str) -> Result<()> {
    let update = updates::find(tx, viewer, id).await?;
    let (Viewer::Person(person), Some(system_account)) = (viewer, find_author(tx, &update).await?)
    else {
        return Ok(());
    };
    match receipts::of_person(tx, id, &person.id).await? {
        Some(receipt) if receipt.answer.as_deref() == Some("read_back") => {
            receipts::give_verdict(
                tx,
                clock,
                &system_account,
                id,
                &person.id,
                &Verdict::Confirmed,
                None,
            )
            .await
        }
        _ => Ok(()),
    }
}

/// What is asked under the sample is answered at once, so that its asker can close it.
pub async fn answer_question(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    id: &str,
    question_id: &str,
) -> Result<()> {
    let update = updates::find(tx, viewer, id).await?;
    let Some(system_account) = find_author(tx, &update).await? else {
        return Ok(());
    };
    let answer = NewComment {
        body: "Your colleague answers here. I am a program and cannot, but you can close the question all the same: only its asker does."
            .into(),
        parent_id: Some(question_id.to_owned()),
        ..NewComment::default()
    };
    comments::add(tx, clock, &system_account, id, &answer).await?;
    Ok(())
}

/// Who mutes the sample has put it away: nothing is asked of them any more.
pub async fn dismiss(tx: &mut Tx, clock: &Clock, viewer: &Viewer, id: &str) -> Result<()> {
    let update = updates::find(tx, viewer, id).await?;
    match find_author(tx, &update).await? {
        Some(system_account) if update.asks_for_answer() => {
            updates::edit(
                tx,
                clock,
                &system_account,
                id,
                &Content {
                    expectation: Some("fyi"),
                    ..Content::default()
                },
            )
            .await?;
            Ok(())
        }
        _ => Ok(()),
    }
}
