//! The team's week: the release, the shop, an absence, a draft and a first day.

use crate::comments::ReactionTarget;
use crate::demo::dsl::{HOUR, Place, StoryBuilder};
use crate::error::Result;
use crate::events;
use crate::people::{self, Profile};
use crate::updates::{self, Content, Expectation};
use crate::working_hours::Due;

/// Adds a checklist by Zofia. After Ada has acknowledged it, Zofia makes a material edit.
pub(super) async fn checklist(t: &StoryBuilder<'_>) -> Result<()> {
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
    let id = t.publish("Zofia", content, Vec::new()).await?;
    t.advance_hours(5.0);
    t.acknowledge(&id, &["Ada", "Piotr", "Jan"]).await?;
    t.advance_hours(22.0);
    t.acknowledge(&id, &["Aroha", "Sam"]).await?;
    let body = "If something breaks on Friday night, Sam is the only one awake.";
    t.comment("Aroha", &id, Place::Update, body).await?;
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
pub(super) async fn shop_notes(t: &StoryBuilder<'_>) -> Result<()> {
    let content = Content {
        title: Some("Notes from the Wellington shop".into()),
        notes: Some(
            "Half a minute of what customers say at the till. There is nothing to do, but it is \
             worth hearing."
                .into(),
        ),
        audience: t.audience(&["everyone"]).await?,
        ..Content::default()
    };
    let files = vec![t.recording("shop").await?];
    let id = t.publish("Aroha", content, files).await?;
    t.advance_hours(1.0);
    let tins = Place::Moment("shop", "fill their old tin", 2_900);
    let body = "We could sell refills at the till in Nairobi from next week. I have a scale.";
    let said = t.comment("Wanjiku", &id, tins, body).await?;
    t.reply(
        "Aroha",
        &id,
        &said,
        "Please do, and tell us how many people ask.",
    )
    .await?;
    t.react(
        ReactionTarget::Update(&id),
        &[("Mia", "❤️"), ("Tama", "👏"), ("Zofia", "😂")],
    )
    .await
}

/// Marks one person as away.
pub(super) async fn absence(t: &StoryBuilder<'_>) -> Result<()> {
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

pub(super) async fn draft_plan(t: &StoryBuilder<'_>) -> Result<()> {
    let plan = Content {
        title: Some("The plan for next quarter".into()),
        notes: Some("Three bets, not seven.".into()),
        ..Content::default()
    };
    t.draft("Ada", plan, Vec::new()).await?;
    Ok(())
}

/// Adds an update that was published two hours ago, and a comment on it.
pub(super) async fn first_day(t: &StoryBuilder<'_>) -> Result<()> {
    t.advance_hours(-2.0);
    let content = Content {
        title: Some("A new colleague's first day".into()),
        notes: Some("Watch it as if it were your own first day.".into()),
        expectation: Some(Expectation::Readback),
        prompt: Some(Some("Which part of this day is yours?".into())),
        due: Some(Some(Due::Days(1))),
        audience: t.audience(&["Ada", "Piotr", "Otieno"]).await?,
        ..Content::default()
    };
    let files = vec![t.recording("first-day").await?];
    let id = t.publish("Grace", content, files).await?;
    t.advance_hours(1.5);
    let door = Place::Moment("first-day", "at the door", 3_800);
    let body = "Nobody has a key for them at this point. I could put one in the welcome box.";
    t.comment("Piotr", &id, door, body).await?;
    t.advance_hours(0.5);
    Ok(())
}
