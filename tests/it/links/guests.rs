//! What guests of a share link can do and see.

use serde_json::{Value, json};

use super::{comment, guest, scene};
use crate::app::{Client, TestApp, array, comment_path, fixture, media_path, text, texts};

/// Returns two guests and their names. Gus opens the share link in a browser, and Pia sends the
/// link's token as a bearer token.
async fn two_guests(app: &TestApp, token: &str) -> [(Client, &'static str); 2] {
    [
        (guest(app, token).await, "Gus"),
        (app.client().bearer(token), "Pia"),
    ]
}

fn picture() -> (&'static str, &'static str, Vec<u8>) {
    ("pictures", "a.png", fixture("alpha.png"))
}

#[actix_web::test]
async fn guest_must_give_a_name_once_and_keeps_it() {
    let app = TestApp::start().await;
    let (ada, _, path) = scene(&app).await;
    let (_, token) = ada.share(&path, true).await;
    for (guest, name) in two_guests(&app, &token).await {
        let nameless = comment(&guest, &path, json!({ "body": "Hello" })).await;
        assert!(nameless.problem(422)["errors"]["name"].is_string());
        let long = json!({ "body": "Hello", "name": "x".repeat(101) });
        comment(&guest, &path, long).await.problem(422);
        let first = json!({ "body": "Hello", "name": name });
        let first = comment(&guest, &path, first).await.expect(201).json();
        assert_eq!(
            (&first["author"]["name"], &first["author"]["guest"]),
            (&json!(name), &json!(true))
        );
        let second = json!({ "body": "More", "name": "Someone else", "parent_id": first["id"] });
        let second = comment(&guest, &path, second).await.expect(201).json();
        assert_eq!(
            (&second["author"]["name"], &second["author"]["id"]),
            (&json!(name), &first["author"]["id"])
        );
    }
}

/// Comments on, reacts to and acknowledges the update as a guest, and edits the comment.
async fn participate(guest: &Client, path: &str, name: &str) {
    let fields = json!({ "body": "Hello", "name": name });
    let created = comment(guest, path, fields).await.expect(201).json();
    guest.put(&format!("{path}/reactions/👍")).await.expect(204);
    let acknowledgement = format!("{path}/acknowledgement");
    guest.put(&acknowledgement).await.expect(204);
    guest.put(&acknowledgement).await.expect(204);
    let edited = guest
        .patch(&comment_path(&created), json!({ "body": "Hello!" }))
        .await
        .expect(200)
        .json();
    assert_eq!(edited["body"], "Hello!");
    assert_eq!(guest.get(path).await.json()["reactions"][0]["mine"], true);
}

#[actix_web::test]
async fn guest_can_take_part_after_giving_a_name_once() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let (_, token) = ada.share(&path, true).await;
    for (guest, name) in two_guests(&app, &token).await {
        participate(&guest, &path, name).await;
    }
    // People with accounts see which link a guest used.
    let comments = bob.get(&format!("{path}/comments")).await.json();
    let comments = array(&comments["items"]);
    assert_eq!(comments.len(), 2);
    assert_eq!(comments[0]["author"]["link"], "For the board");
    assert_eq!(ada.get(&path).await.json()["reactions"][0]["count"], 2);
    let receipts = ada.get(&format!("{path}/receipts")).await.json();
    let guests = array(&receipts["guests"]);
    assert_eq!((array(&receipts["items"]).len(), guests.len()), (1, 2));
    assert_eq!(
        (&guests[0]["guest"]["name"], &guests[0]["link"]),
        (&json!("Gus"), &json!("For the board"))
    );
    assert_eq!(
        ada.get(&path).await.json()["counts"]["acknowledged"],
        0,
        "answers by guests are listed separately"
    );
    let page = app.browser("Ada").await.get(&path).await.text();
    assert!(page.contains("Gus") && page.contains("For the board"));
    // A recipient cannot remove a guest's comment, but the author of the update can.
    let at = comment_path(&comments[0]);
    bob.delete(&at).await.problem(403);
    ada.delete(&at).await.expect(204);
}

/// Two threads about an update, and the guests of two share links. One thread is a guest's question that Bob answered
/// with a picture. Bob started the other thread, which is hidden from guests.
struct Threads {
    bob: Client,
    path: String,
    /// The guest who asked the question. `second` is another guest of the same link.
    gus: Client,
    second: Client,
    /// A guest of another link.
    pia: Client,
    team_comment: String,
    question: Value,
    answer: Value,
}

impl Threads {
    async fn start(app: &TestApp) -> Self {
        let (ada, bob, path) = scene(app).await;
        let (_, one) = ada.share(&path, true).await;
        let (_, two) = ada.share(&path, true).await;
        let gus = guest(app, &one).await;
        let question = json!({ "body": "A question", "name": "Gus" });
        let question = comment(&gus, &path, question).await.expect(201).json();
        let fields = [("body", "An answer"), ("parent_id", text(&question["id"]))];
        let answer = bob
            .upload(&format!("{path}/comments"), &fields, &[picture()])
            .await
            .expect(201)
            .json();
        Self {
            pia: guest(app, &two).await,
            second: guest(app, &one).await,
            team_comment: bob.comment(&path, "Among ourselves").await,
            gus,
            bob,
            path,
            question,
            answer,
        }
    }

    /// Returns the body of the first comment of each thread that a client sees.
    async fn bodies(&self, client: &Client) -> Vec<String> {
        let list = client.get(&format!("{}/comments", self.path)).await;
        texts(&list.expect(200).json()["items"], "body")
            .into_iter()
            .map(str::to_owned)
            .collect()
    }
}

#[actix_web::test]
async fn guests_see_only_threads_that_were_started_through_their_own_link() {
    let app = TestApp::start().await;
    let threads = Threads::start(&app).await;
    assert_eq!(threads.bodies(&threads.gus).await, ["A question"]);
    assert_eq!(
        threads.bodies(&threads.second).await,
        ["A question"],
        "another guest of the same link sees it too"
    );
    assert!(threads.bodies(&threads.pia).await.is_empty());
    assert_eq!(threads.bodies(&threads.bob).await.len(), 2);
    let thread = threads
        .gus
        .get(&comment_path(&threads.question))
        .await
        .expect(200)
        .json();
    let reply = &thread["replies"][0];
    assert_eq!(reply["body"], "An answer");
    let media = media_path(&threads.answer["pictures"][0]);
    threads.gus.get(&media).await.expect(200);
    let url = text(&reply["pictures"][0]["renditions"][0]["url"]);
    app.client().get(url).await.expect(200);
    threads.pia.get(&media).await.problem(401);
    let page = threads.pia.accept("text/html").get(&threads.path).await;
    let page = page.expect(200).text();
    assert!(!page.contains("Among ourselves") && !page.contains("A question"));
}

#[actix_web::test]
async fn guest_cannot_answer_or_react_in_hidden_threads_or_change_comments_of_others() {
    let app = TestApp::start().await;
    let threads = Threads::start(&app).await;
    let (pia, path) = (&threads.pia, &threads.path);
    for hidden in [&*threads.team_comment, text(&threads.question["id"])] {
        pia.get(&format!("/comments/{hidden}")).await.problem(401);
        let reply = json!({ "body": "x", "name": "Pia", "parent_id": hidden });
        comment(pia, path, reply).await.problem(422);
        let reaction = format!("/comments/{hidden}/reactions/👍");
        pia.json("PUT", &reaction, &json!({ "name": "Pia" }))
            .await
            .problem(401);
    }
    // A guest cannot change another guest's comment, even if both use the same link.
    let at = comment_path(&threads.question);
    let change = json!({ "body": "Changed" });
    threads.second.patch(&at, change).await.problem(403);
    threads.second.delete(&at).await.problem(403);
}

#[actix_web::test]
async fn guests_of_a_view_only_link_cannot_comment_react_or_answer() {
    let app = TestApp::start().await;
    let (ada, _, path) = scene(&app).await;
    let (_, token) = ada.share(&path, false).await;
    let name = json!({ "name": "Gus" });
    let acknowledgement = format!("{path}/acknowledgement");
    for (guest, _) in two_guests(&app, &token).await {
        guest.get(&path).await.expect(200);
        comment(&guest, &path, json!({ "body": "x", "name": "Gus" }))
            .await
            .problem(403);
        guest
            .json("PUT", &format!("{path}/reactions/👍"), &name)
            .await
            .problem(403);
        guest
            .json("PUT", &acknowledgement, &name)
            .await
            .problem(403);
        guest.delete(&acknowledgement).await.problem(403);
        let fields = [("body", "x"), ("name", "Gus")];
        guest
            .upload(&format!("{path}/comments"), &fields, &[picture()])
            .await
            .problem(403);
    }
    let browser = app.client().accept("text/html");
    let page = browser.get(&format!("/s/{token}")).await.text();
    assert!(
        !page.contains("name=\"body\""),
        "the page has no form that the server would reject"
    );
}

#[actix_web::test]
async fn material_change_requires_guests_to_acknowledge_the_new_revision() {
    let app = TestApp::start().await;
    let (ada, _, path) = scene(&app).await;
    let (_, token) = ada.share(&path, true).await;
    let guest = guest(&app, &token).await;
    let at = format!("{path}/acknowledgement");
    let first = json!({ "name": "Gus", "revision": 1 });
    guest.json("PUT", &at, &first).await.expect(204);
    ada.patch(&path, json!({ "notes": "New", "change": "material" }))
        .await
        .expect(200);
    let stale = json!({ "revision": 1 });
    guest.json("PUT", &at, &stale).await.problem(409);
    let current = json!({ "revision": 2 });
    guest.json("PUT", &at, &current).await.expect(204);
    guest.delete(&at).await.expect(204);
    assert_eq!(
        ada.get(&format!("{path}/receipts")).await.json()["guests"],
        json!([])
    );
}

#[actix_web::test]
async fn comment_of_a_guest_without_permission_is_rejected_before_its_pictures_are_stored() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let path = ada.update(json!({ "title": "Looked at" })).await;
    let (_, token) = ada.share(&path, false).await;
    let fields = [("body", "x"), ("name", "Gus")];
    app.client()
        .bearer(&token)
        .upload(&format!("{path}/comments"), &fields, &[picture()])
        .await
        .problem(403);
    assert_eq!(app.count("SELECT count(*) FROM loose_objects").await, 0);
}

#[actix_web::test]
async fn guest_may_add_at_most_ten_pictures_and_no_video() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let path = ada.update(json!({ "title": "Looked at" })).await;
    let (_, token) = ada.share(&path, true).await;
    let (guest, comments) = (app.client().bearer(&token), format!("{path}/comments"));
    let fields = [("body", "x"), ("name", "Gus")];
    let video = ("pictures", "a.webm", fixture("rec-vp9-noaudio-4s.webm"));
    guest
        .upload(&comments, &fields, &[video])
        .await
        .problem(415);
    let many: Vec<_> = (0..11).map(|_| picture()).collect();
    let refused = guest.upload(&comments, &fields, &many).await.problem(422);
    assert!(refused["errors"]["pictures[10]"].is_string(), "{refused}");
    assert_eq!(ada.get(&comments).await.json()["items"], json!([]));
}
