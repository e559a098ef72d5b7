//! The story of the demo: ten days of updates, answers and comments at a small company that sells
//! tea. What people say about a recording or a picture is true of the files in `sample/demo`.

mod board;
mod engineering;
mod website;
mod week;

use super::dsl::{HOUR, StoryBuilder};
use super::{PASSWORD, SUGGESTED};
use crate::clock::{Millis, real_now};
use crate::error::{Error, Result};
use crate::receipts;
use crate::state::State;
use crate::workspace;

/// How long ago the story begins, in milliseconds.
const STORY_LENGTH: Millis = 10 * 24 * HOUR;

const RULES: &str =
    "**Answer within one working day**, in your own working hours. Nobody has to answer at night.

- *Got it* means: I have heard it and have no objection.
- Ask under the update, not in a chat, so that everyone can read the answer.
- Not sure? Say it back. It is not a test.";

/// Plays the whole story. At the end of the story, the clock shows real time again.
pub(super) async fn run(state: &State) -> Result<()> {
    state.clock.advance(-STORY_LENGTH);
    let t = StoryBuilder::create_accounts(state, PASSWORD).await?;
    set_up_team(&t).await?;
    website::checkout(&t).await?;
    website::payments(&t).await?;
    engineering::outage(&t).await?;
    engineering::stock(&t).await?;
    website::prices(&t).await?;
    week::checklist(&t).await?;
    engineering::till(&t).await?;
    week::shop_notes(&t).await?;
    board::charts(&t).await?;
    website::receipt(&t).await?;
    week::absence(&t).await?;
    week::draft_plan(&t).await?;
    // Advance the clock to the present, so that the updates that follow look recent.
    let left = real_now() - state.clock.now();
    if left < 3 * HOUR {
        return Err(Error::internal(
            "the demo's story takes longer than ten days",
        ));
    }
    state.clock.advance(left);
    week::first_day(&t).await?;
    let mut tx = state.db.begin().await?;
    receipts::notify_overdue(&mut tx, &state.clock).await?;
    tx.commit().await
}

async fn set_up_team(t: &StoryBuilder<'_>) -> Result<()> {
    let mut tx = t.state.db.begin().await?;
    let rules = workspace::Change {
        rules: Some(Some(RULES.into())),
        contact: Some(Some(t.person(SUGGESTED)?.email.clone())),
        due_days: Some(Some(1)),
    };
    workspace::change(&mut tx, t.person(SUGGESTED)?, &rules).await?;
    tx.commit().await?;
    t.group("Ada", "design", &["Ada", "Mia", "Grace", "Leo", "Wanjiku"])
        .await?;
    t.group(
        "Piotr",
        "engineering",
        &["Ada", "Piotr", "Jan", "Tama", "Sam", "Otieno"],
    )
    .await
}
