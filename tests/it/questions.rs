//! Questions (open, answered, accepted), edits of comments, and notifications of both.

use serde_json::{Value, json};

use crate::app::{Client, TestApp, email};

/// Publishes an update by Ada for Bob and Cyd. Returns the three clients and the update's path.
async fn scene(app: &TestApp) -> (Client, Client, Client, String) {
    let (ada, bob, cyd) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Cyd").await,
    );
    let path = ada
        .update(json!({ "title": "Look", "audience": [email("Bob"), email("Cyd")] }))
        .await;
    (ada, bob, cyd, path)
}

async fn state(client: &Client, id: &str) -> Value {
    client
        .get(&format!("/comments/{id}"))
        .await
        .expect(200)
        .json()["state"]
        .clone()
}

/// Returns the number of open questions, which the update and the list must agree on.
async fn open_questions(client: &Client, path: &str) -> i64 {
    let (update, listed) = (
        client.get(path).await.expect(200).json(),
        client.get("/updates").await.expect(200).json(),
    );
    assert_eq!(
        update["counts"]["open_questions"],
        listed["items"][0]["counts"]["open_questions"]
    );
    update["counts"]["open_questions"].as_i64().unwrap()
}

fn accepted(question: &Value) -> Vec<bool> {
    question["replies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reply| reply["accepted"].as_bool().unwrap())
        .collect()
}

#[actix_web::test]
async fn question_is_open_until_another_person_answers_and_its_asker_accepts() {
    let app = TestApp::start().await;
    let (ada, bob, _, path) = scene(&app).await;
    let id = bob.question(&path, "Which menu?").await;
    assert_eq!(
        (state(&bob, &id).await, open_questions(&ada, &path).await),
        (json!("open"), 1)
    );
    bob.reply(&path, &id, "The one at the top?").await;
    assert_eq!(
        (state(&bob, &id).await, open_questions(&ada, &path).await),
        (json!("open"), 1),
        "a reply by the asker is not an answer"
    );
    let answer = ada.reply(&path, &id, "The second one.").await;
    assert_eq!(
        (state(&ada, &id).await, open_questions(&ada, &path).await),
        (json!("answered"), 0)
    );
    for _ in 0..2 {
        let question = bob
            .put(&format!("/comments/{answer}/acceptance"))
            .await
            .expect(200)
            .json();
        assert_eq!(
            (&question["id"], &question["state"], accepted(&question)),
            (&json!(id), &json!("accepted"), vec![false, true])
        );
    }
    for at in [&answer, &id] {
        bob.put(&format!("/comments/{id}/acceptance"))
            .await
            .expect(200);
        for _ in 0..2 {
            assert_eq!(
                bob.delete(&format!("/comments/{at}/acceptance"))
                    .await
                    .expect(200)
                    .json()["state"],
                "answered"
            );
        }
    }
    assert_eq!(
        bob.get(&format!("{path}/comments")).await.json()["items"][0]["kind"],
        "question"
    );
}

#[actix_web::test]
async fn accepting_a_question_accepts_its_newest_answer() {
    let app = TestApp::start().await;
    let (ada, bob, cyd, path) = scene(&app).await;
    let id = bob.question(&path, "Which menu?").await;
    let at = format!("/comments/{id}/acceptance");
    assert!(
        bob.put(&at).await.problem(409)["detail"]
            .as_str()
            .unwrap()
            .contains("Nobody has answered")
    );
    let own = bob.reply(&path, &id, "Hm").await;
    bob.put(&at).await.problem(409);
    bob.put(&format!("/comments/{own}/acceptance"))
        .await
        .problem(409);
    ada.reply(&path, &id, "This").await;
    cyd.reply(&path, &id, "No, that").await;
    assert_eq!(
        accepted(&bob.put(&at).await.expect(200).json()),
        [false, false, true]
    );
    // A later answer changes nothing, and neither does a repeated request.
    ada.reply(&path, &id, "Or this").await;
    assert_eq!(
        accepted(&bob.put(&at).await.expect(200).json()),
        [false, false, true, false]
    );
}

#[actix_web::test]
async fn only_one_answer_can_be_accepted() {
    let app = TestApp::start().await;
    let (ada, bob, cyd, path) = scene(&app).await;
    let id = bob.question(&path, "Which menu?").await;
    let (one, two) = (
        ada.reply(&path, &id, "This").await,
        cyd.reply(&path, &id, "That").await,
    );
    let acceptance = |id: &str| format!("/comments/{id}/acceptance");
    bob.put(&acceptance(&one)).await.expect(200);
    assert!(
        bob.put(&acceptance(&two)).await.problem(409)["detail"]
            .as_str()
            .unwrap()
            .contains("Take that back first")
    );
    assert_eq!(
        accepted(&bob.get(&format!("/comments/{id}")).await.json()),
        [true, false]
    );
    // Withdrawing an answer that is not accepted changes nothing.
    bob.delete(&acceptance(&two)).await.expect(200);
    assert_eq!(state(&bob, &id).await, "accepted");
    bob.delete(&acceptance(&one)).await.expect(200);

    let (first, second) = (acceptance(&one), acceptance(&two));
    let (first, second) = futures_util::join!(bob.put(&first), bob.put(&second));
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    assert_eq!(
        accepted(&bob.get(&format!("/comments/{id}")).await.json())
            .iter()
            .filter(|accepted| **accepted)
            .count(),
        1
    );
}

#[actix_web::test]
async fn only_the_asker_can_accept_or_resolve() {
    let app = TestApp::start().await;
    let (ada, bob, cyd, path) = scene(&app).await;
    let id = bob.question(&path, "Which menu?").await;
    let answer = ada.reply(&path, &id, "This").await;
    for other in [&ada, &cyd] {
        for at in [&id, &answer] {
            assert!(
                other
                    .put(&format!("/comments/{at}/acceptance"))
                    .await
                    .problem(403)["detail"]
                    .as_str()
                    .unwrap()
                    .contains("Bob")
            );
            other
                .delete(&format!("/comments/{at}/acceptance"))
                .await
                .problem(403);
        }
        other
            .put(&format!("/comments/{id}/resolution"))
            .await
            .problem(403);
    }
    assert_eq!(state(&bob, &id).await, "answered");
    bob.put(&format!("/comments/{id}/resolution"))
        .await
        .expect(200);
    assert_eq!(state(&ada, &id).await, "resolved");
    ada.delete(&format!("/comments/{id}/resolution"))
        .await
        .problem(403);
    // A plain comment cannot be accepted, but the author can resolve it.
    let remark = bob.comment(&path, "Nice").await;
    bob.put(&format!("/comments/{remark}/acceptance"))
        .await
        .problem(409);
    ada.put(&format!("/comments/{remark}/resolution"))
        .await
        .expect(200);
}

#[actix_web::test]
async fn question_reopens_when_its_last_answer_is_removed() {
    let app = TestApp::start().await;
    let (ada, bob, cyd, path) = scene(&app).await;
    let id = bob.question(&path, "Which menu?").await;
    let (one, two) = (
        ada.reply(&path, &id, "This").await,
        cyd.reply(&path, &id, "That").await,
    );
    bob.put(&format!("/comments/{one}/acceptance"))
        .await
        .expect(200);
    ada.delete(&format!("/comments/{one}")).await.expect(204);
    assert_eq!(
        (state(&bob, &id).await, open_questions(&ada, &path).await),
        (json!("answered"), 0)
    );
    cyd.delete(&format!("/comments/{two}")).await.expect(204);
    assert_eq!(
        (state(&bob, &id).await, open_questions(&ada, &path).await),
        (json!("open"), 1)
    );
    // A resolved or removed question is not open.
    bob.put(&format!("/comments/{id}/resolution"))
        .await
        .expect(200);
    assert_eq!(open_questions(&ada, &path).await, 0);
    bob.delete(&format!("/comments/{id}/resolution"))
        .await
        .expect(200);
    assert_eq!(open_questions(&ada, &path).await, 1);
    bob.delete(&format!("/comments/{id}")).await.expect(204);
    assert_eq!(open_questions(&ada, &path).await, 0);
}

#[actix_web::test]
async fn reply_cannot_be_a_question_or_answer_a_removed_comment() {
    let app = TestApp::start().await;
    let (ada, bob, _, path) = scene(&app).await;
    let id = bob.question(&path, "Which menu?").await;
    let at = format!("{path}/comments");
    let problem = ada
        .post(
            &at,
            json!({ "body": "Why?", "kind": "question", "parent_id": id }),
        )
        .await
        .problem(422);
    assert!(
        problem["errors"]["kind"]
            .as_str()
            .unwrap()
            .contains("only what begins a thread")
    );
    ada.post(&at, json!({ "body": "Why?", "kind": "doubt" }))
        .await
        .problem(422);
    bob.delete(&format!("/comments/{id}")).await.expect(204);
    let problem = ada
        .post(&at, json!({ "body": "This one", "parent_id": id }))
        .await
        .problem(409);
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("was removed meanwhile"),
        "{problem}"
    );
    assert_eq!(app.count("SELECT count(*) FROM comments").await, 1);
    bob.put(&format!("/comments/{id}/acceptance"))
        .await
        .problem(409);
}

#[actix_web::test]
async fn guest_can_ask_and_accept_and_the_author_can_resolve() {
    let app = TestApp::start().await;
    let (ada, bob, _, path) = scene(&app).await;
    let (_, token) = ada.share(&path, true).await;
    let guest = app.client().bearer(&token);
    let asked = guest
        .post(
            &format!("{path}/comments"),
            json!({ "body": "Which menu?", "kind": "question", "name": "Gwen" }),
        )
        .await;
    let id = asked.expect(201).json()["id"].as_str().unwrap().to_owned();
    assert_eq!(
        guest.get(&path).await.expect(200).json()["counts"]["open_questions"],
        0,
        "guests see no counts"
    );
    let answer = ada.reply(&path, &id, "This").await;
    bob.put(&format!("/comments/{answer}/acceptance"))
        .await
        .problem(403);
    assert_eq!(
        guest
            .put(&format!("/comments/{answer}/acceptance"))
            .await
            .expect(200)
            .json()["state"],
        "accepted"
    );
    guest
        .delete(&format!("/comments/{answer}/acceptance"))
        .await
        .expect(200);
    bob.put(&format!("/comments/{id}/resolution"))
        .await
        .problem(403);
    ada.put(&format!("/comments/{id}/resolution"))
        .await
        .expect(200);
    let hidden = bob.question(&path, "Among ourselves?").await;
    guest
        .put(&format!("/comments/{hidden}/acceptance"))
        .await
        .problem(404);
}

#[actix_web::test]
async fn comments_notify_each_participant_once_and_never_their_author() {
    let app = TestApp::start().await;
    let (ada, bob, cyd, path) = scene(&app).await;
    app.execute("DELETE FROM notices").await;
    let told = async |name: &str| app.notifications(name).await;
    let pair = |kind: &str, id: &str| (kind.to_owned(), id.to_owned());

    let remark = bob.comment(&path, "Nice").await;
    assert_eq!(
        (told("Ada").await, told("Bob").await, told("Cyd").await),
        (vec![pair("comment", &remark)], vec![], vec![])
    );
    let id = bob.question(&path, "Which menu?").await;
    assert_eq!(
        told("Ada").await,
        [pair("comment", &remark), pair("question", &id)]
    );
    // Participants of a thread are notified of replies, and the asker of answers.
    let answer = cyd.reply(&path, &id, "This").await;
    let more = bob.reply(&path, &id, "Thanks").await;
    assert_eq!(told("Bob").await, [pair("answer", &answer)]);
    assert_eq!(told("Cyd").await, [pair("comment", &more)]);
    assert_eq!(told("Ada").await.len(), 4);
    // An acceptance notifies nobody. Removing a comment retracts its notifications.
    bob.put(&format!("/comments/{answer}/acceptance"))
        .await
        .expect(200);
    assert_eq!(told("Cyd").await, [pair("comment", &more)]);
    cyd.delete(&format!("/comments/{answer}")).await.expect(204);
    assert_eq!((told("Bob").await, told("Ada").await.len()), (vec![], 3));
    // A person who lost access is no longer notified.
    ada.patch(&path, json!({ "audience": [email("Bob")] }))
        .await
        .expect(200);
    bob.reply(&path, &id, "Anyone?").await;
    assert_eq!(told("Cyd").await, [pair("comment", &more)]);
}

#[actix_web::test]
async fn edit_keeps_earlier_versions_until_the_comment_is_removed() {
    let app = TestApp::start().await;
    let (ada, bob, _, path) = scene(&app).await;
    let id = bob.comment(&path, "On **Monday**").await;
    let at = format!("/comments/{id}");
    let history = async |client: &Client| {
        client
            .get(&format!("{at}/history"))
            .await
            .expect(200)
            .json()["items"]
            .clone()
    };
    bob.patch(&at, json!({ "body": "On **Monday**" }))
        .await
        .expect(200);
    assert_eq!(
        history(&ada).await,
        json!([]),
        "saving the same text is not an edit"
    );
    for body in ["On Tuesday", "On Friday"] {
        app.state.clock.advance(60_000);
        bob.patch(&at, json!({ "body": body })).await.expect(200);
    }
    let kept = history(&ada).await;
    let bodies: Vec<_> = kept
        .as_array()
        .unwrap()
        .iter()
        .map(|version| version["body"].as_str().unwrap())
        .collect();
    assert_eq!(bodies, ["On **Monday**", "On Tuesday"]);
    assert!(
        kept[0]["body_html"]
            .as_str()
            .unwrap()
            .contains("<strong>Monday</strong>")
    );
    assert!(kept[0]["until"].as_str().unwrap() < kept[1]["until"].as_str().unwrap());
    let page = app.browser("Ada").await.get(&path).await.text();
    assert!(
        page.contains("On Tuesday") && page.contains("edited"),
        "the page shows the earlier versions"
    );
    app.person("Eve")
        .await
        .get(&format!("{at}/history"))
        .await
        .problem(404);
    bob.delete(&at).await.expect(204);
    assert_eq!(app.count("SELECT count(*) FROM comment_versions").await, 0);
}
