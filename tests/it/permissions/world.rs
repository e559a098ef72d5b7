//! The objects that the requests in the permission table use.

use serde_json::{Value, json};

use super::tus_headers;
use crate::app::{Client, Response, email, fixture};

/// The ids and tokens that the addresses in the permission table contain. Ada's update for Bob has a picture, comments
/// and share links.
pub struct World {
    update: String,
    media: String,
    key: String,
    comment: String,
    question: String,
    link: String,
    token: String,
    invitation: (String, String),
    reset: String,
    person: String,
    recipient: String,
    group: String,
    upload: String,
    /// The tokens of the guests' share links, in the order of [`WHO`](super::WHO).
    pub guests: [String; 3],
}

impl World {
    pub async fn new(ada: &Client, bob: &Client, admin: &Client, eve: &Client) -> Self {
        let made = publish(ada).await;
        let path = format!("/updates/{}", id(&made));
        let comment = bob.comment(&path, "Hm").await;
        let question = bob.question(&path, "Why?").await;
        ada.reply(&path, &question, "Because").await;
        let (link, token) = ada.share(&path, false).await;
        let (_, commenting) = ada.share(&path, true).await;
        let (old, revoked) = ada.share(&path, true).await;
        ada.delete(&format!("/links/{old}")).await.expect(204);
        let emails = json!({ "emails": ["new@example.org"] });
        let invited =
            admin.post("/invitations", emails).await.expect(201).json()["items"][0].clone();
        let reset = admin
            .post(&format!("/people/{}/reset", eve.id), json!({}))
            .await
            .expect(201)
            .json();
        Self {
            update: id(&made),
            media: id(&made["media"][0]),
            key: last_segment(&made["media"][0]["renditions"][0]["url"]),
            comment,
            question,
            link,
            guests: [token.clone(), commenting, revoked],
            token,
            invitation: (id(&invited), last_segment(&invited["url"])),
            reset: last_segment(&reset["url"]),
            person: eve.id.clone(),
            recipient: bob.id.clone(),
            upload: replace_upload(ada).await,
            group: replace_group(ada, admin).await,
        }
    }

    /// Returns the address for a route, with the ids and tokens of this world.
    pub fn address(&self, method: &str, pattern: &str) -> String {
        let id = match pattern.split('/').nth(1).unwrap() {
            "updates" | "trash" => &self.update,
            "media" => &self.media,
            "comments" if pattern.ends_with("/acceptance") => &self.question,
            "comments" => &self.comment,
            "links" => &self.link,
            "people" => &self.person,
            "groups" => &self.group,
            "uploads" => &self.upload,
            "invitations" if method == "DELETE" => &self.invitation.0,
            "invitations" => &self.invitation.1,
            "inbox" => &format!("b{}", self.update),
            _ => "0000000000",
        };
        let token = if pattern.starts_with("/resets") {
            &self.reset
        } else {
            &self.token
        };
        fill(
            &pattern.replace("{person}", &self.recipient),
            id,
            token,
            &self.key,
        )
    }
}

async fn publish(ada: &Client) -> Value {
    let fields = [
        ("title", "For Bob"),
        ("audience", &email("Bob")),
        ("expectation", "acknowledge"),
    ];
    let files = [("media", "a.png", fixture("alpha.png"))];
    ada.upload("/updates", &fields, &files)
        .await
        .expect(201)
        .json()
}

pub fn id(answer: &Value) -> String {
    answer["id"].as_str().unwrap().to_owned()
}

fn last_segment(url: &Value) -> String {
    let (_, last) = url.as_str().unwrap().rsplit_once('/').unwrap();
    last.to_owned()
}

/// Deletes all groups, and creates a group that Ada owns. Returns the id of the new group.
async fn replace_group(ada: &Client, admin: &Client) -> String {
    for group in admin.get("/groups").await.expect(200).json()["items"]
        .as_array()
        .unwrap()
    {
        admin
            .delete(&format!("/groups/{}", id(group)))
            .await
            .expect(204);
    }
    id(&ada
        .post("/groups", json!({ "name": "design" }))
        .await
        .expect(201)
        .json())
}

/// Deletes Ada's unfinished uploads and begins a new one. Returns the id of the new upload.
async fn replace_upload(ada: &Client) -> String {
    for upload in ada.get("/uploads").await.expect(200).json()["items"]
        .as_array()
        .unwrap()
    {
        Response::fetch(tus_headers(
            ada.request("DELETE", &format!("/uploads/{}", id(upload))),
        ))
        .await
        .expect(204);
    }
    let made = Response::fetch(tus_headers(ada.request("POST", "/uploads")))
        .await
        .expect(201);
    made.header("location")
        .rsplit_once('/')
        .unwrap()
        .1
        .to_owned()
}

/// Replaces `{id}`, `{token}` and `{key}` in a route with these values, and the other placeholders
/// with fixed values. The value for `{person}` is an id that no person has.
pub fn fill(pattern: &str, id: &str, token: &str, key: &str) -> String {
    pattern
        .replace("{id}", id)
        .replace("{person}", "00000000000000000000000000")
        .replace("{token}", token)
        .replace("{key}", key)
        .replace("{emoji}", "👍")
        .replace("{name}", "none.js")
        .replace("{subject}", "comment")
}
