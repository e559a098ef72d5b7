//! What happened in the demo's last ten days.

use super::dsl::{HOUR, Teller};
use super::{ME, PASSWORD};
use crate::clock::{Millis, real_now};
use crate::comments::NewComment;
use crate::error::{Error, Result};
use crate::people::{self, Profile, Viewer};
use crate::receipts::{self, Answer, Verdict};
use crate::state::State;
use crate::updates::{self, Content};
use crate::working_hours::Due;
use crate::{links, workspace};

/// So long ago it begins.
const AGO: Millis = 10 * 24 * HOUR;

const RULES: &str =
    "**Answers within one working day**, in your own hours. Nobody answers at night.

- *Got it* means: I have heard it, and nothing stops me.
- Ask under the update, not in a chat: the answer is for everyone.
- Not sure? Say it back. It is no test.";

/// All of it. Ends at the present moment.
pub(super) async fn happen(state: &State) -> Result<()> {
    state.clock.advance(-AGO);
    let t = Teller::gather(state, PASSWORD).await?;
    settle_in(&t).await?;
    checkout(&t).await?;
    outage(&t).await?;
    prices(&t).await?;
    checklist(&t).await?;
    small_things(&t).await?;
    // What is left of the ten days.
    let left = real_now() - state.clock.now();
    if left < 3 * HOUR {
        return Err(Error::internal(
            "the demo's story is longer than its ten days",
        ));
    }
    state.clock.advance(left);
    now(&t).await?;
    let mut tx = state.db.begin().await?;
    receipts::tell_due(&mut tx, &state.clock).await?;
    tx.commit().await
}

async fn settle_in(t: &Teller<'_>) -> Result<()> {
    let mut tx = t.state.db.begin().await?;
    let rules = workspace::Change {
        rules: Some(Some(RULES.into())),
        contact: Some(Some(t.person(ME)?.email.clone())),
        due_days: Some(Some(1)),
    };
    workspace::change(&mut tx, t.person(ME)?, &rules).await?;
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

/// Ada to everyone: most have heard, three are late.
async fn checkout(t: &Teller<'_>) -> Result<()> {
    t.later(20.0);
    let content = Content {
        title: Some("The new checkout, from cart to receipt".into()),
        notes: Some("One page instead of four. The old one goes when all have seen this.\n\n**What changes for you:** support answers from one screen; the event names change.".into()),
        expectation: Some("acknowledge"),
        due: Some(Some(Due::Days(2))),
        otherwise: Some(Some("turn the old checkout off on the first of the month.".into())),
        audience: t.to(&["everyone"]).await?,
        ..Content::default()
    };
    let id = t.publish("Ada", content, &t.video().await?).await?;
    t.later(3.0);
    t.got_it(&id, &["Piotr", "Zofia", "Wanjiku"]).await?;
    t.comment(
        "Zofia",
        &id,
        Some(6_000),
        "Support is glad of this one screen.",
    )
    .await?;
    let asked = t
        .question(
            "Mia",
            &id,
            "Can you tell me more about the event names? Ours are in twelve dashboards.",
        )
        .await?;
    t.later(9.0);
    let answer = t
        .reply(
            "Ada",
            &id,
            &asked,
            "Both names are sent until the end of the quarter; the list is in the notes.",
        )
        .await?;
    t.got_it(&id, &["Aroha", "Grace"]).await?;
    t.later(11.0);
    t.accept("Mia", &answer).await?;
    t.got_it(&id, &["Mia", "Sam"]).await?;
    t.react(&id, &[("Grace", "🎉"), ("Sam", "🎉"), ("Otieno", "👀")])
        .await?;
    t.open(&id, &["Leo"]).await?;
    t.answer(
        "Otieno",
        &id,
        Answer::Declined(
            "Mobile payments fail on it for two networks here. I must not say yes yet.".into(),
        ),
    )
    .await?;
    t.later(30.0);
    t.remind("Ada", &id).await
}

/// Piotr asks the engineers to say it back; Ada has not.
async fn outage(t: &Teller<'_>) -> Result<()> {
    t.later(8.0);
    let content = Content {
        title: Some("What Tuesday's outage taught us".into()),
        notes: Some(
            "Twenty minutes, one expired certificate, three alarms that nobody owned.".into(),
        ),
        expectation: Some("readback"),
        prompt: Some(Some("What will you do differently, and by when?".into())),
        due: Some(Some(Due::Days(3))),
        audience: t.to(&["@engineering"]).await?,
        ..Content::default()
    };
    let id = t
        .publish(
            "Piotr",
            content,
            &t.picture(&[12, 18, 15, 90, 34, 14]).await?,
        )
        .await?;
    t.later(7.0);
    t.say_back(
        "Otieno",
        &id,
        "I own the certificate alarm from today, and test it every Monday.",
    )
    .await?;
    t.say_back("Tama", &id, "We watch certificates better.")
        .await?;
    t.later(12.0);
    t.hear("Piotr", &id, "Otieno", Verdict::Confirmed).await?;
    t.hear(
        "Piotr",
        &id,
        "Tama",
        Verdict::Corrected(
            "Not “we”: which alarm is yours, and by when does it ring for you?".into(),
        ),
    )
    .await?;
    t.later(10.0);
    t.say_back("Jan", &id, "The renewal job is mine: it runs thirty days before, and pages me when it fails. Done by Friday.").await?;
    t.open(&id, &["Ada"]).await?;
    t.later(1.0);
    t.comment(
        "Jan",
        &id,
        None,
        "@Ada Nowak the third alarm is on the list for your team.",
    )
    .await?;
    Ok(())
}

/// Ada asked the designers: two readbacks to hear, one corrected, one who cannot.
async fn prices(t: &Teller<'_>) -> Result<()> {
    t.later(14.0);
    let content = Content {
        title: Some("Three plans, one page: how prices are said".into()),
        notes: Some("Say the yearly price first, and never “only”.".into()),
        expectation: Some("readback"),
        due: Some(Some(Due::Days(4))),
        audience: t.to(&["@design", "Sam"]).await?,
        ..Content::default()
    };
    let id = t.publish("Ada", content, &t.video().await?).await?;
    t.later(9.0);
    t.say_back("Leo", &id, "Monthly first, yearly below it.")
        .await?;
    t.answer(
        "Wanjiku",
        &id,
        Answer::Declined(
            "I am with the field team until Thursday and cannot redraw it before.".into(),
        ),
    )
    .await?;
    t.later(6.0);
    t.hear(
        "Ada",
        &id,
        "Leo",
        Verdict::Corrected("The other way round: yearly first.".into()),
    )
    .await?;
    t.later(16.0);
    t.say_back(
        "Sam",
        &id,
        "Sales decks: yearly price first on all three plans; I change them by Monday.",
    )
    .await?;
    t.say_back(
        "Grace",
        &id,
        "I take “only” out of the page and the mails, and yearly goes first. Tomorrow.",
    )
    .await?;
    t.comment(
        "Grace",
        &id,
        Some(19_000),
        "Here the price is still monthly: on purpose?",
    )
    .await?;
    Ok(())
}

/// Zofia's list changed since Ada answered it.
async fn checklist(t: &Teller<'_>) -> Result<()> {
    let content = Content {
        title: Some("The release checklist".into()),
        notes: Some(
            "1. Freeze on Wednesday\n2. Translations by Thursday noon\n3. Release on Friday".into(),
        ),
        expectation: Some("acknowledge"),
        due: Some(Some(Due::Days(1))),
        audience: t.to(&["Ada", "Piotr", "Jan", "Aroha", "Sam"]).await?,
        ..Content::default()
    };
    let id = t.publish("Zofia", content, &[]).await?;
    t.later(5.0);
    t.got_it(&id, &["Ada", "Piotr", "Jan"]).await?;
    t.later(22.0);
    t.got_it(&id, &["Aroha", "Sam"]).await?;
    t.later(4.0);
    let change = Content {
        notes: Some("1. Freeze on Wednesday\n2. Translations by Thursday noon\n3. Release on Monday, not on Friday".into()),
        material: Some(Some("We release on Monday, so that nobody is called at the weekend.".into())),
        ..Content::default()
    };
    t.edit("Zofia", &id, change).await?;
    t.later(1.0);
    t.got_it(&id, &["Piotr"]).await
}

/// What asks nothing, what guests see, who is away, and a draft.
async fn small_things(t: &Teller<'_>) -> Result<()> {
    let content = Content {
        title: Some("Notes from the Wellington shop".into()),
        notes: Some(
            "Four minutes of what people say at the till. Nothing to do, worth hearing.".into(),
        ),
        audience: t.to(&["everyone"]).await?,
        ..Content::default()
    };
    let notes = t.publish("Aroha", content, &t.video().await?).await?;
    t.react(&notes, &[("Mia", "❤️"), ("Tama", "👏")]).await?;

    let content = Content {
        title: Some("Which of these two charts?".into()),
        notes: Some("For the yearly report. The board looks at it too, through a link.".into()),
        expectation: Some("acknowledge"),
        due: Some(Some(Due::At(t.state.clock.now() + 6 * 24 * HOUR))),
        visibility: Some("workspace"),
        audience: t.to(&["Ada", "Zofia", "Leo"]).await?,
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
            "How do you see this working in black and white print?",
        )
        .await?;
    t.later(2.0);
    t.reply(
        "Wanjiku",
        &chart,
        &asked,
        "Stripes instead of colour. I add them tonight.",
    )
    .await?;
    t.question(
        "Leo",
        &chart,
        "Where does the jump in the last bar come from?",
    )
    .await?;
    let mut tx = t.state.db.begin().await?;
    let (link, _) = links::create(
        &mut tx,
        &t.state.clock,
        &t.viewer("Wanjiku")?,
        &chart,
        "The board",
        true,
    )
    .await?;
    tx.commit().await?;
    if let Some(guest) = links::guest_by_cookie(&t.state.db, &link.id, &t.state.clock.id()).await? {
        let said = NewComment {
            body: "The second is easier to read from far away.".into(),
            name: Some("Ruth".into()),
            ..NewComment::default()
        };
        t.write(&Viewer::Guest(vec![guest]), &chart, said).await?;
    }

    let mut tx = t.state.db.begin().await?;
    let away = Profile {
        away_until: Some(Some(t.state.clock.now() + 5 * 24 * HOUR)),
        ..Profile::default()
    };
    let tama = t.person("Tama")?.id.clone();
    people::edit(&mut tx, &t.state.clock, &tama, &away).await?;
    updates::move_dues(&mut tx, &tama).await?;
    tx.commit().await?;

    let plan = Content {
        title: Some("The plan for next quarter".into()),
        notes: Some("Three bets, not seven.".into()),
        ..Content::default()
    };
    t.draft("Ada", plan, &[]).await?;
    Ok(())
}

/// What came just now.
async fn now(t: &Teller<'_>) -> Result<()> {
    t.later(-2.0);
    let content = Content {
        title: Some("How a new colleague spends the first day".into()),
        notes: Some("Watch it as if it were yours.".into()),
        expectation: Some("readback"),
        due: Some(Some(Due::Days(1))),
        audience: t.to(&["Ada", "Piotr", "Otieno"]).await?,
        ..Content::default()
    };
    let id = t.publish("Grace", content, &t.video().await?).await?;
    t.later(1.5);
    t.comment(
        "Piotr",
        &id,
        Some(14_000),
        "The keys to the office are missing here.",
    )
    .await?;
    t.later(0.5);
    Ok(())
}
