//! Updates about the website: the checkout, payments, prices and the receipt.

use serde_json::json;

use crate::comments::ReactionTarget;
use crate::demo::dsl::{Place, StoryBuilder};
use crate::error::Result;
use crate::receipts::{Answer, Verdict};
use crate::updates::{Content, Expectation};
use crate::working_hours::Due;

/// Adds an update by Ada about the new checkout. Most people have answered; two answers are overdue.
pub(super) async fn checkout(t: &StoryBuilder<'_>) -> Result<()> {
    t.advance_hours(20.0);
    let content = Content {
        title: Some("The new checkout, from cart to receipt".into()),
        notes: Some(
            "One page instead of four. We turn the old one off once everyone has seen this.\n\n\
             **What changes for you:** support works from one screen, and the event names change."
                .into(),
        ),
        expectation: Some(Expectation::Acknowledge),
        due: Some(Some(Due::Days(2))),
        otherwise: Some(Some(
            "turn the old checkout off on the first of the month.".into(),
        )),
        audience: t.audience(&["everyone"]).await?,
        ..Content::default()
    };
    let files = vec![t.recording("checkout").await?];
    let id = t.publish("Ada", content, files).await?;
    t.advance_hours(3.0);
    t.acknowledge(&id, &["Piotr", "Zofia", "Wanjiku"]).await?;
    let support = Place::Moment("checkout", "everything is on one screen", 3_500);
    let glad = "No more copying order numbers between three tabs. Support will love this.";
    let glad = t.comment("Zofia", &id, support, glad).await?;
    t.react(ReactionTarget::Comment(&glad), &[("Ada", "❤️")])
        .await?;
    event_names(t, &id).await?;
    t.acknowledge(&id, &["Sam"]).await?;
    t.react(
        ReactionTarget::Update(&id),
        &[("Grace", "🎉"), ("Sam", "🎉"), ("Otieno", "👀")],
    )
    .await?;
    t.open(&id, &["Leo"]).await?;
    let objection =
        "Mobile payments still fail on two networks here. I will show you on my phone.".into();
    t.answer("Otieno", &id, Answer::Declined(objection)).await?;
    t.advance_hours(30.0);
    t.remind("Ada", &id).await
}

/// Mia asks about the event names at the moment when they are shown, and accepts Ada's answer.
async fn event_names(t: &StoryBuilder<'_>, id: &str) -> Result<()> {
    let names = Place::Moment("checkout", "The event names change", 3_600);
    let body = "We use the current names in twelve dashboards. Do they all break on the first?";
    let asked = t.question("Mia", id, names, body).await?;
    t.advance_hours(9.0);
    let body = "No. We send both the old and the new names until the end of the quarter.";
    let answer = t.reply("Ada", id, &asked, body).await?;
    t.acknowledge(id, &["Aroha", "Grace"]).await?;
    t.advance_hours(11.0);
    t.accept("Mia", &answer).await?;
    let body = "Good. I’ll move them over one by one, the sales dashboards first.";
    t.reply("Mia", id, &asked, body).await?;
    t.acknowledge(id, &["Mia"]).await
}

/// Adds an update by Otieno that shows why he objected to the checkout. Jan objects to his proposal.
pub(super) async fn payments(t: &StoryBuilder<'_>) -> Result<()> {
    t.advance_hours(2.0);
    let content = Content {
        title: Some("Why mobile payments fail on two networks".into()),
        notes: Some(
            "Filmed on my own phone. The network gives people 40 seconds for the PIN, and our \
             page gives up after 10. I ask for one change: **wait for 40 seconds, too.**"
                .into(),
        ),
        expectation: Some(Expectation::Acknowledge),
        due: Some(Some(Due::Days(2))),
        audience: t.audience(&["Ada", "Piotr", "Jan", "Sam"]).await?,
        ..Content::default()
    };
    let files = vec![t.recording("payments").await?];
    let id = t.publish("Otieno", content, files).await?;
    t.advance_hours(2.0);
    let failed = Place::Moment("payments", "gives up after ten", 3_400);
    let body = "So we cancel orders that are already paid. How many people wrote to us about it?";
    let asked = t.question("Ada", &id, failed, body).await?;
    t.acknowledge(&id, &["Ada", "Piotr"]).await?;
    let body = "Forty seconds keeps a worker busy for each open payment. I agree with the goal, \
                but let me move the wait into the queue first. Thursday.";
    t.answer("Jan", &id, Answer::Declined(body.into())).await?;
    t.advance_hours(1.0);
    let body = "Sixty-one last month, and those are only the people who write.";
    let answer = t.reply("Otieno", &id, &asked, body).await?;
    t.accept("Ada", &answer).await?;
    let share = Place::Moment("payments", "one payment in five", 2_000);
    let body = "Network C is the one my sister uses. Now I know why she gave up on us.";
    let said = t.comment("Piotr", &id, share, body).await?;
    t.reply("Otieno", &id, &said, "Tell her it will work next week.")
        .await?;
    t.react(
        ReactionTarget::Comment(&said),
        &[("Ada", "😂"), ("Jan", "😂")],
    )
    .await?;
    Ok(())
}

/// Adds an update by Ada that asks the designers for a readback. Two readbacks are waiting for a verdict, one was
/// corrected, and one person declined.
pub(super) async fn prices(t: &StoryBuilder<'_>) -> Result<()> {
    t.advance_hours(14.0);
    let content = Content {
        title: Some("Three plans, one page: how we show prices".into()),
        notes: Some("Give the yearly price first, and never write “only”.".into()),
        expectation: Some(Expectation::Readback),
        due: Some(Some(Due::Days(4))),
        audience: t.audience(&["@design", "Sam"]).await?,
        ..Content::default()
    };
    let files = vec![t.recording("prices").await?];
    let id = t.publish("Ada", content, files).await?;
    t.advance_hours(9.0);
    let words = "The monthly price first, and the yearly price below it.";
    t.read_back("Leo", &id, words).await?;
    let reason = "I am with the field team until Thursday and cannot redraw it before then.";
    t.answer("Wanjiku", &id, Answer::Declined(reason.into()))
        .await?;
    t.advance_hours(6.0);
    let correction = "The other way round: the yearly price comes first.";
    t.give_verdict("Ada", &id, "Leo", Verdict::Corrected(correction.into()))
        .await?;
    t.advance_hours(16.0);
    let words =
        "I will put the yearly price first for all three plans in the sales decks, by Monday.";
    t.read_back("Sam", &id, words).await?;
    let words = "I will remove “only” from the page and the e-mails and put the yearly price \
                 first, by tomorrow.";
    t.read_back("Grace", &id, words).await?;
    let phone = Place::Moment("prices", "on a phone", 1_500);
    let body = "On the phone, the third plan still shows the monthly price. Is that on purpose?";
    t.question_with_picture("Grace", &id, phone, body, "phone-price.png")
        .await?;
    Ok(())
}

/// Adds a marked screenshot by Leo, with the customer's address redacted.
pub(super) async fn receipt(t: &StoryBuilder<'_>) -> Result<()> {
    let content = Content {
        title: Some("The receipt e-mail, redrawn".into()),
        notes: Some(
            "Three things changed:\n\n1. It greets people by their first name.\n\
             2. The total is the largest number.\n3. One button, and it follows the parcel."
                .into(),
        ),
        expectation: Some(Expectation::Acknowledge),
        due: Some(Some(Due::Days(2))),
        audience: t.audience(&["@design", "Zofia"]).await?,
        ..Content::default()
    };
    let step = |number: u16, y: f64| {
        json!({
            "kind": "step", "at": [0.152, y], "number": number, "color": "blue", "width": 0.005,
        })
    };
    let marks = json!([
        { "kind": "redaction", "box": [0.205, 0.086, 0.316, 0.04] },
        { "kind": "redaction", "box": [0.178, 0.914, 0.311, 0.048] },
        step(1, 0.226),
        step(2, 0.662),
        step(3, 0.768),
        { "kind": "highlight", "box": [0.176, 0.63, 0.648, 0.066], "color": "yellow" },
    ]);
    let files = vec![t.picture("receipt", marks).await?];
    let id = t.publish("Leo", content, files).await?;
    t.advance_hours(2.0);
    t.acknowledge(&id, &["Ada", "Zofia"]).await?;
    let button = Place::Region([0.176, 0.722, 0.22, 0.092]);
    let body = "On a small phone this button is below the fold. Could it go above the list?";
    let asked = t.question("Mia", &id, button, body).await?;
    t.advance_hours(1.0);
    let body = "I tried that. People then took it for the button that pays.";
    t.reply("Leo", &id, &asked, body).await?;
    t.acknowledge(&id, &["Grace"]).await?;
    t.react(
        ReactionTarget::Update(&id),
        &[("Zofia", "👏"), ("Grace", "❤️")],
    )
    .await
}
