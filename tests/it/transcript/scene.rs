//! An update whose JSON has as many non-empty fields as possible.

use serde_json::json;

use crate::app::{Client, TestApp, email, fixture};

/// An update by Ada for Bob and a guest. Its media, comments and answers fill as many JSON fields as possible.
pub struct Scene {
    update: String,
    video: String,
    picture: String,
    comment: String,
    pub link: String,
}

impl Scene {
    pub async fn new(app: &TestApp, ada: &Client, bob: &Client) -> Self {
        let fields = json!({
            "title": "The pelican plan", "notes": "We ship on **Monday**.", "audience": [email("Bob")],
            "expectation": "readback", "due": { "working_days": 2 }, "publish": false,
        });
        let update = ada.update(fields).await;
        let [video, picture] = add_media(app, ada, &update).await;
        ada.put(&format!("{update}/publication")).await.expect(200);
        let (_, link) = ada.share(&update, true).await;
        let scene = Self {
            comment: discuss(ada, bob, &update, &video, &picture).await,
            update,
            video,
            picture,
            link,
        };
        let guest = app.client().bearer(&scene.link);
        answer(ada, bob, &guest, &scene.update).await;
        add_other_updates(ada, bob).await;
        app.wait_for_jobs().await;
        scene
    }

    /// Returns the address for a route, with the ids of this scene.
    pub fn address(&self, pattern: &str, bob: &str) -> String {
        pattern
            .replace("{update}", &self.update)
            .replace("{video}", &self.video)
            .replace("{picture}", &self.picture)
            .replace("{comment}", &self.comment)
            .replace("{bob}", bob)
    }
}

/// Adds a trimmed video and a picture with markup. Returns their paths.
async fn add_media(app: &TestApp, ada: &Client, update: &str) -> [String; 2] {
    let files = [
        ("media", "count.webm", fixture("count.webm")),
        ("media", "shot.png", fixture("shot-1280x800.png")),
    ];
    let media = ada
        .upload(&format!("{update}/media"), &[], &files)
        .await
        .expect(201)
        .json()["items"]
        .clone();
    let [video, picture] = [0, 1].map(|n| format!("/media/{}", media[n]["id"].as_str().unwrap()));
    app.wait_for_jobs().await;
    let trim = json!({ "from_ms": 0, "to_ms": 3000 });
    ada.json("PUT", &format!("{video}/trim"), &trim)
        .await
        .expect(200);
    let line = json!({ "kind": "line", "from": [0.0, 1.0], "to": [1.0, 0.0], "color": "red", "width": 0.004 });
    let markup = json!({ "revision": 0, "shapes": [line] });
    ada.json("PUT", &format!("{picture}/markup"), &markup)
        .await
        .expect(200);
    app.wait_for_jobs().await;
    [video, picture]
}

/// Adds comments, a question with an answer, and reactions. Returns the path of a comment on a time range of the
/// video.
async fn discuss(ada: &Client, bob: &Client, update: &str, video: &str, picture: &str) -> String {
    let comments = format!("{update}/comments");
    let on_range = json!({
        "body": "Here", "media_id": video.trim_start_matches("/media/"), "at_ms": 1000,
        "until_ms": 2000,
    });
    let comment = bob.post(&comments, on_range).await.expect(201).json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/comments/{comment}");
    bob.patch(&path, json!({ "body": "There" }))
        .await
        .expect(200);
    let region = json!({ "x": 0.1, "y": 0.1, "w": 0.2, "h": 0.2 });
    let on_region = json!({
        "body": "This corner", "media_id": picture.trim_start_matches("/media/"), "region": region,
    });
    bob.post(&comments, on_region).await.expect(201);
    let question = bob.question(update, "Why?").await;
    let reply = ada.reply(update, &question, "Because").await;
    bob.put(&format!("/comments/{reply}/acceptance"))
        .await
        .expect(200);
    ada.reply(update, &comment, "Thanks").await;
    ada.put(&format!("{path}/reactions/👍")).await.expect(204);
    ada.put(&format!("{path}/resolution")).await.expect(200);
    bob.put(&format!("{update}/reactions/👍")).await.expect(204);
    path
}

/// Adds a readback and its correction, a second readback and its confirmation, and a guest's answer
/// and comment. Then changes the update and asks for new answers.
async fn answer(ada: &Client, bob: &Client, guest: &Client, update: &str) {
    bob.put(&format!("{update}/opening")).await.expect(204);
    let acknowledgement = format!("{update}/acknowledgement");
    let confirmation = format!("{update}/receipts/{}/confirmation", bob.id);
    for (client, path, body) in [
        (bob, &acknowledgement, json!({ "readback": "I do it." })),
        (
            ada,
            &confirmation,
            json!({ "verdict": "corrected", "body": "You review it." }),
        ),
        (bob, &acknowledgement, json!({ "readback": "I review it." })),
        (ada, &confirmation, json!({ "verdict": "confirmed" })),
    ] {
        client.json("PUT", path, &body).await.expect(200);
    }
    let by_guest = json!({ "name": "Gus", "readback": "I watch." });
    guest
        .json("PUT", &acknowledgement, &by_guest)
        .await
        .expect(204);
    let by_guest = json!({ "name": "Gus", "body": "Hello" });
    guest
        .post(&format!("{update}/comments"), by_guest)
        .await
        .expect(201);
    let change = json!({ "notes": "We ship on **Friday**.", "change": "material", "what_changed": "The day" });
    ada.patch(update, change).await.expect(200);
}

/// Adds an update in the trash and one that Bob has snoozed.
async fn add_other_updates(ada: &Client, bob: &Client) {
    let trashed = json!({ "title": "An older pelican plan", "audience": [email("Bob")] });
    let trashed = ada.update(trashed).await;
    ada.delete(&trashed).await.expect(204);
    let snoozed =
        json!({ "title": "Later", "audience": [email("Bob")], "expectation": "acknowledge" });
    let snoozed = ada.update(snoozed).await;
    let snooze = format!("/inbox/b{}/snooze", snoozed.trim_start_matches("/updates/"));
    bob.json("PUT", &snooze, &json!({ "until": "tomorrow" }))
        .await
        .expect(204);
}
