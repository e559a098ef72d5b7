//! Updates of the engineers: the outage, the stock service and the tills.

use serde_json::json;

use crate::comments::ReactionTarget;
use crate::demo::dsl::{Place, StoryBuilder};
use crate::error::Result;
use crate::receipts::Verdict;
use crate::updates::{Content, Expectation};
use crate::working_hours::Due;

/// Adds an update by Piotr that asks the engineers for a readback. Ada has not answered yet.
pub(super) async fn outage(t: &StoryBuilder<'_>) -> Result<()> {
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
    let marks = json!([
        { "kind": "rectangle", "box": [0.378, 0.27, 0.302, 0.6], "color": "orange", "width": 0.006 },
        { "kind": "text", "at": [0.405, 0.36], "text": "20 minutes", "size": 0.06, "color": "black" },
        { "kind": "arrow", "from": [0.27, 0.5], "to": [0.36, 0.78], "color": "blue", "width": 0.007 },
        { "kind": "text", "at": [0.12, 0.42], "text": "expired here", "size": 0.05, "color": "blue" },
    ]);
    let files = vec![
        t.recording("outage").await?,
        t.picture("errors", marks).await?,
    ];
    let id = t.publish("Piotr", content, files).await?;
    t.advance_hours(7.0);
    let words = "From today I own the certificate alarm, and I will test it every Monday.";
    t.read_back("Otieno", &id, words).await?;
    let words = "We will keep a closer eye on certificates.";
    t.read_back("Tama", &id, words).await?;
    t.advance_hours(12.0);
    t.give_verdict("Piotr", &id, "Otieno", Verdict::Confirmed)
        .await?;
    t.disclose("Piotr", &id, "Otieno").await?;
    let correction = "Who is “we”? Which alarm will you own, and by when?";
    t.give_verdict("Piotr", &id, "Tama", Verdict::Corrected(correction.into()))
        .await?;
    t.advance_hours(10.0);
    let words = "I own the renewal job. It will run thirty days before expiry and page me if it \
                 fails. Done by Friday.";
    t.read_back("Jan", &id, words).await?;
    t.open(&id, &["Ada"]).await?;
    t.advance_hours(1.0);
    alarms(t, &id).await
}

async fn alarms(t: &StoryBuilder<'_>, id: &str) -> Result<()> {
    let alarms = Place::Moment("outage", "Three alarms had fired", 6_700);
    let body = "@Ada Nowak the third one, fewer than five orders a minute, is for your team.";
    let said = t.comment("Jan", id, alarms, body).await?;
    let body = "It rang on my phone at 09:43. I took it for the test that we had announced.";
    t.reply("Sam", id, &said, body).await?;
    let tail = Place::Region([0.68, 0.72, 0.06, 0.15]);
    let body = "Why are there still failures after 10:00?";
    let asked = t.question("Otieno", id, tail, body).await?;
    let body = "Open connections kept the old certificate until they closed. Six minutes.";
    let answer = t.reply("Piotr", id, &asked, body).await?;
    t.accept("Otieno", &answer).await
}

/// Adds an explanation by Sam that expects no answer.
pub(super) async fn stock(t: &StoryBuilder<'_>) -> Result<()> {
    let content = Content {
        title: Some("How the tills and the website share one stock".into()),
        notes: Some("A drawing for everyone who asked why the last tin can be sold twice.".into()),
        audience: t.audience(&["@engineering", "Aroha", "Zofia"]).await?,
        ..Content::default()
    };
    let files = vec![t.recording("stock").await?];
    let id = t.publish("Sam", content, files).await?;
    t.advance_hours(3.0);
    let sends = Place::Moment("stock", "Every ten seconds", 1_500);
    let body = "What happens if the clock of a till is wrong?";
    let asked = t.question("Tama", &id, sends, body).await?;
    t.advance_hours(1.0);
    let body = "Nothing. The stock service counts in the order in which sales arrive.";
    let answer = t.reply("Sam", &id, &asked, body).await?;
    t.accept("Tama", &answer).await?;
    let wins = Place::Moment("stock", "the till wins", 3_300);
    let body = "Thank you for this. Customers in the shop have the tin in their hands already.";
    t.comment("Aroha", &id, wins, body).await?;
    t.react(
        ReactionTarget::Update(&id),
        &[("Aroha", "❤️"), ("Jan", "👍")],
    )
    .await
}

/// Adds a marked screenshot of a terminal by Tama.
pub(super) async fn till(t: &StoryBuilder<'_>) -> Result<()> {
    let content = Content {
        title: Some("The till in Wellington restarts at noon".into()),
        notes: Some(
            "It installs updates as soon as no sale is open. At noon, that is the one second \
             between two customers. **Please let it update at night.**"
                .into(),
        ),
        expectation: Some(Expectation::Acknowledge),
        audience: t.audience(&["Sam", "Otieno", "Aroha"]).await?,
        ..Content::default()
    };
    let marks = json!([
        { "kind": "rectangle", "box": [0.03, 0.393, 0.53, 0.12], "color": "orange", "width": 0.006 },
        { "kind": "text", "at": [0.58, 0.425], "text": "three minutes", "size": 0.045, "color": "orange" },
        { "kind": "arrow", "from": [0.46, 0.8], "to": [0.19, 0.767], "color": "yellow", "width": 0.008 },
        {
            "kind": "text", "at": [0.475, 0.78], "text": "and a line out of the door",
            "size": 0.045, "color": "yellow",
        },
    ]);
    let files = vec![t.picture("till", marks).await?];
    let id = t.publish("Tama", content, files).await?;
    t.advance_hours(2.0);
    t.acknowledge(&id, &["Aroha", "Otieno"]).await?;
    let body =
        "From version 4.3 on, tills update between 2 and 4 at night, in their own time zone.";
    let said = t.comment("Sam", &id, Place::Update, body).await?;
    t.reply("Aroha", &id, &said, "My customers thank you.")
        .await?;
    t.acknowledge(&id, &["Sam"]).await
}
