//! The story of the demo: ten days of updates, answers and comments.

use super::dsl::{HOUR, StoryBuilder};
use super::{PASSWORD, SIGNED_IN_AS};
use crate::clock::{Millis, real_now};
use crate::comments::NewComment;
use crate::error::{Error, Result};
use crate::people::{self, Profile, Viewer};
use crate::receipts::{self, Answer, Verdict};
use crate::state::State;
use crate::updates::{self, Content, Expectation, Visibility};
use crate::working_hours::Due;
use crate::{events, links, workspace};

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
    checkout(&t).await?;
    outage(&t).await?;
    prices(&t).await?;
    checklist(&t).await?;
    shop_notes(&t).await?;
    chart_for_the_board(&t).await?;
    absence(&t).await?;
    draft_plan(&t).await?;
    // Advance the clock to the present, so that the updates that follow look recent.
    let left = real_now() - state.clock.now();
    if left < 3 * HOUR {
        return Err(Error::internal(
            "the demo's story takes longer than ten days",
        ));
    }
    state.clock.advance(left);
    latest_updates(&t).await?;
    let mut tx = state.db.begin().await?;
    receipts::notify_overdue(&mut tx, &state.clock).await?;
    tx.commit().await
}

async fn set_up_team(t: &StoryBuilder<'_>) -> Result<()> {
    let mut tx = t.state.db.begin().await?;
    let rules = workspace::Change {
        rules: Some(Some(RULES.into())),
        contact: Some(Some(t.person(SIGNED_IN_AS)?.email.clone())),
        due_days: Some(Some(1)),
    };
    workspace::change(&mut tx, t.person(SIGNED_IN_AS)?, &rules).await?;
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

/// Adds an update by Ada about the new checkout. Most people have answered; three answers are overdue.
async fn checkout(t: &StoryBuilder<'_>) -> Result<()> {
    t.advance_hours(20.0);
    let content = Content {
        title: Some("The new checkout, from cart to receipt".into()),
        notes: Some("One page instead of four. We remove the old one once everyone has seen this.\n\n\
                     **What changes for you:** support works from one screen, and the event names change.".into()),
        expectation: Some(Expectation::Acknowledge),
        due: Some(Some(Due::Days(2))),
        otherwise: Some(Some("turn the old checkout off on the first of the month.".into())),
        audience: t.audience(&["everyone"]).await?,
        ..Content::default()
    };
    let id = t.publish("Ada", content, &t.video().await?).await?;
    t.advance_hours(3.0);
    t.acknowledge(&id, &["Piotr", "Zofia", "Wanjiku"]).await?;
    t.comment(
        "Zofia",
        &id,
        Some(6_000),
        "Support will be glad to have everything on one screen.",
    )
    .await?;
    let asked = t
        .question(
            "Mia",
            &id,
            "Can you tell me more about the event names? We use the current names in twelve dashboards.",
        )
        .await?;
    t.advance_hours(9.0);
    let answer = t
        .reply(
            "Ada",
            &id,
            &asked,
            "We send both the old and the new names until the end of the quarter.",
        )
        .await?;
    t.acknowledge(&id, &["Aroha", "Grace"]).await?;
    t.advance_hours(11.0);
    t.accept("Mia", &answer).await?;
    t.acknowledge(&id, &["Mia", "Sam"]).await?;
    t.react(&id, &[("Grace", "🎉"), ("Sam", "🎉"), ("Otieno", "👀")])
        .await?;
    t.open(&id, &["Leo"]).await?;
    t.answer(
        "Otieno",
        &id,
        Answer::Declined(
            "Mobile payments still fail on two networks here, so I cannot agree yet.".into(),
        ),
    )
    .await?;
    t.advance_hours(30.0);
    t.remind("Ada", &id).await
}

/// Adds an update by Piotr that asks the engineers for a readback. Ada has not answered yet.
async fn outage(t: &StoryBuilder<'_>) -> Result<()> {
    t.advance_hours(8.0);
    let content = Content {
        title: Some("What Tuesday's outage taught us".into()),
        notes: Some(
            "Twenty minutes, one expired certificate, three alarms that nobody owned.".into(),
        ),
        expectation: Some(Expectation::Readback),
        prompt: Some(Some("What will you do differently, and by when?".into())),
        due: Some(Some(Due::Days(3))),
        audience: t.audience(&["@engineering"]).await?,
        ..Content::default()
    };
    let id = t
        .publish(
            "Piotr",
            content,
            &t.picture(&[12, 18, 15, 90, 34, 14]).await?,
        )
        .await?;
    t.advance_hours(7.0);
    t.read_back(
        "Otieno",
        &id,
        "From today I own the certificate alarm, and I will test it every Monday.",
    )
    .await?;
    t.read_back("Tama", &id, "We will keep a closer eye on certificates.")
        .await?;
    t.advance_hours(12.0);
    t.give_verdict("Piotr", &id, "Otieno", Verdict::Confirmed)
        .await?;
    t.disclose("Piotr", &id, "Otieno").await?;
    t.give_verdict(
        "Piotr",
        &id,
        "Tama",
        Verdict::Corrected("Who is “we”? Which alarm will you own, and by when?".into()),
    )
    .await?;
    t.advance_hours(10.0);
    t.read_back(
        "Jan",
        &id,
        "I own the renewal job. It will run thirty days before expiry \
         and page me if it fails. Done by Friday.",
    )
    .await?;
    t.open(&id, &["Ada"]).await?;
    t.advance_hours(1.0);
    t.comment(
        "Jan",
        &id,
        None,
        "@Ada Nowak the third alarm is on the list for your team.",
    )
    .await?;
    Ok(())
}

/// Adds an update by Ada that asks the designers for a readback. Two readbacks are waiting for a verdict, one was
/// corrected, and one person declined.
async fn prices(t: &StoryBuilder<'_>) -> Result<()> {
    t.advance_hours(14.0);
    let content = Content {
        title: Some("Three plans, one page: how we show prices".into()),
        notes: Some("Give the yearly price first, and never write “only”.".into()),
        expectation: Some(Expectation::Readback),
        due: Some(Some(Due::Days(4))),
        audience: t.audience(&["@design", "Sam"]).await?,
        ..Content::default()
    };
    let id = t.publish("Ada", content, &t.video().await?).await?;
    t.advance_hours(9.0);
    t.read_back(
        "Leo",
        &id,
        "The monthly price first, and the yearly price below it.",
    )
    .await?;
    t.answer(
        "Wanjiku",
        &id,
        Answer::Declined(
            "I am with the field team until Thursday and cannot redraw it before then.".into(),
        ),
    )
    .await?;
    t.advance_hours(6.0);
    t.give_verdict(
        "Ada",
        &id,
        "Leo",
        Verdict::Corrected("The other way round: the yearly price comes first.".into()),
    )
    .await?;
    t.advance_hours(16.0);
    t.read_back(
        "Sam",
        &id,
        "I will put the yearly price first for all three plans in the sales decks, by Monday.",
    )
    .await?;
    t.read_back(
        "Grace",
        &id,
        "I will remove “only” from the page and the emails and put the yearly price first, by tomorrow.",
    )
    .await?;
    t.comment(
        "Grace",
        &id,
        Some(19_000),
        "The price here is still monthly. Is that on purpose?",
    )
    .await?;
    Ok(())
}

/// Adds a checklist by Zofia. After Ada has acknowledged it, Zofia makes a material edit.
async fn checklist(t: &StoryBuilder<'_>) -> Result<()> {
    let content = Content {
        title: Some("The release checklist".into()),
        notes: Some(
            "1. Freeze on Wednesday\n2. Translations by Thursday noon\n3. Release on Friday".into(),
        ),
        expectation: Some(Expectation::Acknowledge),
        due: Some(Some(Due::Days(1))),
        audience: t.audience(&["Ada", "Piotr", "Jan", "Aroha", "Sam"]).await?,
        ..Content::default()
    };
    let id = t.publish("Zofia", content, &[]).await?;
    t.advance_hours(5.0);
    t.acknowledge(&id, &["Ada", "Piotr", "Jan"]).await?;
    t.advance_hours(22.0);
    t.acknowledge(&id, &["Aroha", "Sam"]).await?;
    t.advance_hours(4.0);
    let change = Content {
        notes: Some(
            "1. Freeze on Wednesday\n2. Translations by Thursday noon\n\
             3. Release on Monday, not on Friday"
                .into(),
        ),
        material: Some(Some(
            "We release on Monday, so that nobody is called in at the weekend.".into(),
        )),
        ..Content::default()
    };
    t.edit("Zofia", &id, change).await?;
    t.advance_hours(1.0);
    t.acknowledge(&id, &["Piotr"]).await
}

/// Adds an update that expects no answer.
async fn shop_notes(t: &StoryBuilder<'_>) -> Result<()> {
    let content = Content {
        title: Some("Notes from the Wellington shop".into()),
        notes: Some(
            "Four minutes of what customers say at the till. There is nothing to do, but it is worth hearing.".into(),
        ),
        audience: t.audience(&["everyone"]).await?,
        ..Content::default()
    };
    let notes = t.publish("Aroha", content, &t.video().await?).await?;
    t.react(&notes, &[("Mia", "❤️"), ("Tama", "👏")]).await
}

/// Adds an update with an answered question, an open question, and a share link through which a
/// guest comments.
async fn chart_for_the_board(t: &StoryBuilder<'_>) -> Result<()> {
    let content = Content {
        title: Some("Which of these two charts should we use?".into()),
        notes: Some(
            "For the yearly report. The board can see it too, through a share link.".into(),
        ),
        expectation: Some(Expectation::Acknowledge),
        due: Some(Some(Due::At(t.state.clock.now() + 6 * 24 * HOUR))),
        visibility: Some(Visibility::Workspace),
        audience: t.audience(&["Ada", "Zofia", "Leo"]).await?,
        ..Content::default()
    };
    let chart = t
        .publish(
            "Wanjiku",
            content,
            &t.picture(&[20, 35, 31, 48, 66, 82]).await?,
        )
        .await?;
    let asked = t
        .question(
            "Ada",
            &chart,
            "How will this look when it is printed in black and white?",
        )
        .await?;
    t.advance_hours(2.0);
    t.reply(
        "Wanjiku",
        &chart,
        &asked,
        "I will replace the colors with stripes tonight.",
    )
    .await?;
    t.question(
        "Leo",
        &chart,
        "Where does the jump in the last bar come from?",
    )
    .await?;
    board_comments(t, &chart).await
}

async fn board_comments(t: &StoryBuilder<'_>, chart: &str) -> Result<()> {
    let mut tx = t.state.db.begin().await?;
    let (link, _) = links::create(
        &mut tx,
        &t.state.clock,
        &t.viewer("Wanjiku")?,
        chart,
        "The board",
        true,
    )
    .await?;
    tx.commit().await?;
    if let Some(guest) = links::guest_by_cookie(&t.state.db, &link.id, &t.state.clock.id()).await? {
        let said = NewComment {
            body: "The second one is easier to read from a distance.".into(),
            guest_name: Some("Ruth".into()),
            ..NewComment::default()
        };
        t.add_comment(&Viewer::Guest(vec![guest]), chart, said)
            .await?;
    }
    Ok(())
}

/// Marks one person as away.
async fn absence(t: &StoryBuilder<'_>) -> Result<()> {
    let mut tx = t.state.db.begin().await?;
    let away = Profile {
        away_until: Some(Some(t.state.clock.now() + 5 * 24 * HOUR)),
        ..Profile::default()
    };
    let tama = t.person("Tama")?.id.clone();
    people::edit(&mut tx, &t.state.clock, &tama, &away).await?;
    updates::recompute_due_times(&mut tx, &t.state.clock, &tama).await?;
    events::record_deferred(&mut tx, &t.state.clock).await?;
    tx.commit().await
}

async fn draft_plan(t: &StoryBuilder<'_>) -> Result<()> {
    let plan = Content {
        title: Some("The plan for next quarter".into()),
        notes: Some("Three bets, not seven.".into()),
        ..Content::default()
    };
    t.draft("Ada", plan, &[]).await?;
    Ok(())
}

/// Adds an update that was published two hours ago, and a comment on it.
async fn latest_updates(t: &StoryBuilder<'_>) -> Result<()> {
    t.advance_hours(-2.0);
    let content = Content {
        title: Some("A new colleague's first day".into()),
        notes: Some("Watch it as if it were your own first day.".into()),
        expectation: Some(Expectation::Readback),
        due: Some(Some(Due::Days(1))),
        audience: t.audience(&["Ada", "Piotr", "Otieno"]).await?,
        ..Content::default()
    };
    let id = t.publish("Grace", content, &t.video().await?).await?;
    t.advance_hours(1.5);
    t.comment(
        "Piotr",
        &id,
        Some(14_000),
        "Nobody mentions the office keys at this point.",
    )
    .await?;
    t.advance_hours(0.5);
    Ok(())
}
