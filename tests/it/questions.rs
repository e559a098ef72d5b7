//! Questions: how they are answered, and who can accept an answer.

use serde_json::{Value, json};

use crate::app::{Client, Response, TestApp, email};

/// Publishes an update by Ada for Bob and Cyd. Returns the three clients and the update's path.
pub async fn scene(app: &TestApp) -> (Client, Client, Client, String) {
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

/// Returns the number of open questions. Asserts that the update and the list report the same number.
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

/// Accepts an answer. If `comment` is a question, accepts its newest answer.
pub async fn accept(client: &Client, comment: &str) -> Response {
    client.put(&format!("/comments/{comment}/acceptance")).await
}

/// Withdraws the acceptance of an answer.
async fn withdraw(client: &Client, comment: &str) -> Response {
    client
        .delete(&format!("/comments/{comment}/acceptance"))
        .await
}

async fn resolve(client: &Client, comment: &str) -> Response {
    client.put(&format!("/comments/{comment}/resolution")).await
}

/// Marks the thread as unresolved.
async fn reopen(client: &Client, comment: &str) -> Response {
    client
        .delete(&format!("/comments/{comment}/resolution"))
        .await
}

#[actix_web::test]
async fn reply_by_another_person_answers_a_question_and_the_asker_can_accept_it() {
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
        let question = accept(&bob, &answer).await.expect(200).json();
        assert_eq!(
            (&question["id"], &question["state"], accepted(&question)),
            (&json!(id), &json!("accepted"), vec![false, true])
        );
    }
    for at in [&answer, &id] {
        accept(&bob, &id).await.expect(200);
        for _ in 0..2 {
            assert_eq!(
                withdraw(&bob, at).await.expect(200).json()["state"],
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
    assert!(
        accept(&bob, &id).await.problem(409)["detail"]
            .as_str()
            .unwrap()
            .contains("Nobody has answered")
    );
    let own = bob.reply(&path, &id, "Hm").await;
    accept(&bob, &id).await.problem(409);
    accept(&bob, &own).await.problem(409);
    ada.reply(&path, &id, "This").await;
    cyd.reply(&path, &id, "No, that").await;
    assert_eq!(
        accepted(&accept(&bob, &id).await.expect(200).json()),
        [false, false, true]
    );
    // A later answer does not change which answer is accepted, and neither does accepting the question again.
    ada.reply(&path, &id, "Or this").await;
    assert_eq!(
        accepted(&accept(&bob, &id).await.expect(200).json()),
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
    accept(&bob, &one).await.expect(200);
    assert!(
        accept(&bob, &two).await.problem(409)["detail"]
            .as_str()
            .unwrap()
            .contains("Withdraw that acceptance first")
    );
    assert_eq!(
        accepted(&bob.get(&format!("/comments/{id}")).await.json()),
        [true, false]
    );
    // Withdrawing the acceptance of an answer that is not accepted has no effect.
    withdraw(&bob, &two).await.expect(200);
    assert_eq!(state(&bob, &id).await, "accepted");
    withdraw(&bob, &one).await.expect(200);

    let (first, second) = futures_util::join!(accept(&bob, &one), accept(&bob, &two));
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
async fn only_the_asker_can_accept_an_answer_or_resolve_the_question() {
    let app = TestApp::start().await;
    let (ada, bob, cyd, path) = scene(&app).await;
    let id = bob.question(&path, "Which menu?").await;
    let answer = ada.reply(&path, &id, "This").await;
    for other in [&ada, &cyd] {
        for at in [&id, &answer] {
            assert!(
                accept(other, at).await.problem(403)["detail"]
                    .as_str()
                    .unwrap()
                    .contains("Bob")
            );
            withdraw(other, at).await.problem(403);
        }
        resolve(other, &id).await.problem(403);
    }
    assert_eq!(state(&bob, &id).await, "answered");
    resolve(&bob, &id).await.expect(200);
    assert_eq!(state(&ada, &id).await, "resolved");
    reopen(&ada, &id).await.problem(403);
    let remark = bob.comment(&path, "Nice").await;
    accept(&bob, &remark).await.problem(409);
    resolve(&ada, &remark).await.expect(200);
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
    accept(&bob, &one).await.expect(200);
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
    resolve(&bob, &id).await.expect(200);
    assert_eq!(open_questions(&ada, &path).await, 0);
    reopen(&bob, &id).await.expect(200);
    assert_eq!(open_questions(&ada, &path).await, 1);
    bob.delete(&format!("/comments/{id}")).await.expect(204);
    assert_eq!(open_questions(&ada, &path).await, 0);
}

#[actix_web::test]
async fn reply_cannot_be_a_question_and_cannot_be_posted_to_a_removed_comment() {
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
            .contains("only the first comment of a thread")
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
            .contains("has been removed"),
        "{problem}"
    );
    assert_eq!(app.count("SELECT count(*) FROM comments").await, 1);
    accept(&bob, &id).await.problem(409);
}

#[actix_web::test]
async fn guest_can_ask_a_question_and_accept_an_answer_and_the_author_can_resolve_the_question() {
    let app = TestApp::start().await;
    let (ada, bob, _, path) = scene(&app).await;
    let (_, token) = ada.share(&path, true).await;
    let guest = app.client().bearer(&token);
    let question = json!({ "body": "Which menu?", "kind": "question", "name": "Gwen" });
    let asked = guest.post(&format!("{path}/comments"), question).await;
    let id = asked.expect(201).json()["id"].as_str().unwrap().to_owned();
    assert_eq!(
        guest.get(&path).await.expect(200).json()["counts"]["open_questions"],
        0,
        "guests see no counts"
    );
    let answer = ada.reply(&path, &id, "This").await;
    accept(&bob, &answer).await.problem(403);
    let accepted = accept(&guest, &answer).await.expect(200).json();
    assert_eq!(accepted["state"], "accepted");
    withdraw(&guest, &answer).await.expect(200);
    resolve(&bob, &id).await.problem(403);
    resolve(&ada, &id).await.expect(200);
    let hidden = bob.question(&path, "Among ourselves?").await;
    accept(&guest, &hidden).await.problem(404);
}

#[actix_web::test]
async fn refusal_to_close_or_reopen_a_question_names_everyone_who_may_do_so() {
    let app = TestApp::start().await;
    let (ada, bob, cyd, path) = scene(&app).await;
    let (_, token) = ada.share(&path, true).await;
    let guest = app.client().bearer(&token);
    let asked = json!({ "body": "When?", "kind": "question", "name": "Gus" });
    let by_guest = guest.post(&format!("{path}/comments"), asked).await;
    let by_guest = by_guest.expect(201).json()["id"].clone();
    let by_bob = bob.question(&path, "Why?").await;
    for (question, who) in [
        (by_guest.as_str().unwrap(), "Gus and Ada"),
        (by_bob.as_str(), "Bob"),
    ] {
        assert_eq!(
            resolve(&cyd, question).await.problem(403)["detail"],
            format!("Only {who} can close this question. You can post an answer instead.")
        );
        assert_eq!(
            reopen(&cyd, question).await.problem(403)["detail"],
            format!("Only {who} can reopen this question. You can post a reply instead.")
        );
    }
    resolve(&ada, by_guest.as_str().unwrap()).await.expect(200);
}
