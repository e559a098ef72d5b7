//! Two charts for the board, which comments through a share link.

use serde_json::json;

use crate::comments::NewComment;
use crate::demo::dsl::{HOUR, Place, StoryBuilder};
use crate::error::Result;
use crate::links;
use crate::people::Viewer;
use crate::updates::{Content, Expectation, Visibility};
use crate::working_hours::Due;

/// Adds an update with an answered question, an open question, and a share link through which a
/// guest comments.
pub(super) async fn charts(t: &StoryBuilder<'_>) -> Result<()> {
    let content = Content {
        title: Some("Which of these two charts should we use?".into()),
        notes: Some(
            "For the yearly report. Both show the same figures. The board can see them too, \
             through a share link."
                .into(),
        ),
        expectation: Some(Expectation::Acknowledge),
        due: Some(Some(Due::At(t.state.clock.now() + 6 * 24 * HOUR))),
        visibility: Some(Visibility::Workspace),
        audience: t.audience(&["Ada", "Zofia", "Leo"]).await?,
        ..Content::default()
    };
    let marks = json!([
        { "kind": "ellipse", "box": [0.645, 0.19, 0.13, 0.74], "color": "red", "width": 0.007 },
        { "kind": "text", "at": [0.4, 0.235], "text": "two new shops", "size": 0.05, "color": "red" },
    ]);
    let files = vec![
        t.picture("report-a", marks).await?,
        t.picture("report-b", json!(null)).await?,
    ];
    let id = t.publish("Wanjiku", content, files).await?;
    let body = "How will this look when it is printed in black and white?";
    let asked = t.question("Ada", &id, Place::Update, body).await?;
    t.advance_hours(2.0);
    let body = "I will replace the colors of the first one with stripes tonight.";
    t.reply("Wanjiku", &id, &asked, body).await?;
    let jump = Place::Region([0.665, 0.23, 0.09, 0.64]);
    let body = "Does the jump come only from the new shops, or did the old ones grow as well?";
    t.question("Leo", &id, jump, body).await?;
    board_comments(t, &id).await
}

async fn board_comments(t: &StoryBuilder<'_>, id: &str) -> Result<()> {
    let (clock, wanjiku) = (&t.state.clock, t.viewer("Wanjiku")?);
    let mut tx = t.state.db.begin().await?;
    let (link, _) = links::create(&mut tx, clock, &wanjiku, id, "The board", true).await?;
    tx.commit().await?;
    if let Some(guest) = links::guest_by_cookie(&t.state.db, &link.id, &clock.id()).await? {
        let said = NewComment {
            body: "The second one is easier to read from a distance.".into(),
            guest_name: Some("Ruth".into()),
            ..NewComment::default()
        };
        let said = t.add_comment(&Viewer::Guest(vec![guest]), id, said).await?;
        t.reply("Zofia", id, &said, "I would take that one, too.")
            .await?;
    }
    Ok(())
}
