//! The one update that a new workspace begins with: it teaches by being used. Its author is a program, and says so.

use bytes::Bytes;
use futures_util::stream;

use crate::clock::Clock;
use crate::comments::{self, Anchor, NewComment};
use crate::error::Result;
use crate::infra::db::Tx;
use crate::media::{self, Taken};
use crate::people::{self, Viewer};
use crate::receipts::{self, Verdict};
use crate::updates::{self, Addressed, Content, Update};
use crate::uploads::Intake;

/// The video; `bin/make-sample` makes it.
pub const VIDEO: &[u8] = include_bytes!("../sample/welcome.mp4");
const NOTES: &str = include_str!("../sample/welcome.md");

/// Stores the video, before the transaction that gives it a place.
pub async fn take(intake: &Intake) -> Result<Taken> {
    intake
        .take(
            "welcome.mp4",
            false,
            stream::iter([Ok(Bytes::from_static(VIDEO))]),
        )
        .await
}

/// Writes the sample, for one person.
pub async fn make(tx: &mut Tx, clock: &Clock, person_id: &str, video: &Taken) -> Result<()> {
    let house = people::make_house(tx, clock).await?;
    let content = Content {
        title: Some("Try it: what comes back".into()),
        notes: Some(NOTES.into()),
        expectation: Some("readback"),
        prompt: Some(Some(
            "What will you use this for, in your own words?".into(),
        )),
        audience: Some(Addressed {
            people: vec![person_id.to_owned()],
            ..Addressed::default()
        }),
        ..Content::default()
    };
    let update = updates::create(tx, clock, &house, &content).await?;
    let media = media::add(tx, clock, &update.id, None, video).await?;
    let viewer = Viewer::Person(house);
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
async fn author(tx: &mut Tx, update: &Update) -> Result<Option<Viewer>> {
    Ok(people::house(tx, &update.author_id)
        .await?
        .map(Viewer::Person))
}

/// What was said back to the sample is confirmed at once, as its notes say: nobody else will, and a loop that stays open teaches the wrong thing.
pub async fn hear(tx: &mut Tx, clock: &Clock, viewer: &Viewer, id: &str) -> Result<()> {
    let update = updates::find(tx, viewer, id).await?;
    let (Viewer::Person(person), Some(house)) = (viewer, author(tx, &update).await?) else {
        return Ok(());
    };
    match receipts::of_person(tx, id, &person.id).await? {
        Some(receipt) if receipt.answer.as_deref() == Some("read_back") => {
            receipts::confirm(tx, clock, &house, id, &person.id, &Verdict::Confirmed, None).await
        }
        _ => Ok(()),
    }
}

/// What is asked under the sample is answered at once, so that its asker can close it.
pub async fn reply(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    id: &str,
    question_id: &str,
) -> Result<()> {
    let update = updates::find(tx, viewer, id).await?;
    let Some(house) = author(tx, &update).await? else {
        return Ok(());
    };
    let answer = NewComment {
        body: "Your colleague answers here. I am a program and cannot, but you can close the question all the same: only its asker does."
            .into(),
        parent_id: Some(question_id.to_owned()),
        ..NewComment::default()
    };
    comments::add(tx, clock, &house, id, &answer).await?;
    Ok(())
}

/// Who mutes the sample has put it away: nothing is asked of them any more.
pub async fn put_away(tx: &mut Tx, clock: &Clock, viewer: &Viewer, id: &str) -> Result<()> {
    let update = updates::find(tx, viewer, id).await?;
    match author(tx, &update).await? {
        Some(house) if update.asks() => {
            updates::edit(
                tx,
                clock,
                &house,
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
