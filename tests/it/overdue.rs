//! What happens at the due time: the inbox tells the author once who has not answered.

use serde_json::{Value, json};

use crate::app::{Client, TestApp, email};

/// Publishes an update that Bob, Cyd and Dan have to answer by 13:00 in Berlin. Returns its path.
async fn publish(app: &TestApp, ada: &Client) -> String {
    app.set_clock("2030-01-09T09:00:00Z");
    ada.update(json!({
        "title": "The new flow",
        "audience": [email("Bob"), email("Cyd"), email("Dan")],
        "expectation": "acknowledge",
        "due": "2030-01-09T12:00:00Z",
        "otherwise": "ship it on Monday",
    }))
    .await
}

async fn said_to(client: &Client) -> Value {
    client.get("/inbox").await.expect(200).json()["said_to_me"].clone()
}

/// Returns the text of a page on one line, without tags.
fn plain(page: &str) -> String {
    let text: String = page
        .split('<')
        .map(|part| part.split_once('>').map_or(part, |(_, text)| text))
        .collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[actix_web::test]
async fn inbox_tells_the_author_once_who_is_late_and_what_the_author_promised() {
    let app = TestApp::start().await;
    let [ada, bob, _cyd, _dan] = app.people(["Ada", "Bob", "Cyd", "Dan"]).await;
    let path = publish(&app, &ada).await;
    bob.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    ada.put(&format!("{path}/opening")).await.expect(204);
    app.set_clock("2030-01-09T11:45:00Z");
    app.state.notify_overdue().await.unwrap();
    assert_eq!(said_to(&ada).await, json!([]));
    app.set_clock("2030-01-09T12:00:01Z");
    app.state.notify_overdue().await.unwrap();
    let said = said_to(&ada).await;
    let entry = &said[0];
    assert_eq!(
        (&entry["why"], &entry["missing"], &entry["missing_count"]),
        (&json!("overdue"), &json!(["Cyd", "Dan"]), &json!(2)),
        "{said}"
    );
    assert_eq!(
        (&entry["otherwise"], &entry["due"], &entry["overdue"]),
        (
            &json!("ship it on Monday"),
            &json!("2030-01-09T12:00:00.000Z"),
            &json!(true)
        ),
        "{said}"
    );
    assert_eq!(said.as_array().unwrap().len(), 1);
    let page = app.browser("Ada").await.get("/inbox").await.expect(200);
    let page = plain(&page.text());
    for sentence in [
        "Past due: Cyd and Dan haven’t answered",
        "You said: “I’ll ship it on Monday”",
    ] {
        assert_eq!(page.matches(sentence).count(), 1, "{page}");
    }
    ada.put(&format!("{path}/opening")).await.expect(204);
    app.state.notify_overdue().await.unwrap();
    assert_eq!(said_to(&ada).await, json!([]), "it is said once");
}

#[actix_web::test]
async fn inbox_of_the_author_no_longer_lists_late_answers_after_they_arrive() {
    let app = TestApp::start().await;
    let [ada, bob, cyd, dan] = app.people(["Ada", "Bob", "Cyd", "Dan"]).await;
    let path = publish(&app, &ada).await;
    app.set_clock("2030-01-09T12:00:01Z");
    app.state.notify_overdue().await.unwrap();
    for (client, missing) in [(&bob, json!(["Cyd", "Dan"])), (&cyd, json!(["Dan"]))] {
        client
            .put(&format!("{path}/acknowledgement"))
            .await
            .expect(200);
        assert_eq!(said_to(&ada).await[0]["missing"], missing);
    }
    dan.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    let said = said_to(&ada).await;
    assert_eq!(
        (&said[0]["why"], &said[0]["missing"]),
        (&json!("all_heard"), &json!([]))
    );
}

#[actix_web::test]
async fn objection_and_late_answers_share_one_inbox_entry() {
    let app = TestApp::start().await;
    let [ada, bob, _cyd, _dan] = app.people(["Ada", "Bob", "Cyd", "Dan"]).await;
    let path = publish(&app, &ada).await;
    let objection = json!({ "reason": "Too early" });
    bob.json("PUT", &format!("{path}/decline"), &objection)
        .await
        .expect(200);
    app.set_clock("2030-01-09T12:00:01Z");
    app.state.notify_overdue().await.unwrap();
    let said = said_to(&ada).await;
    assert_eq!(
        (&said[0]["why"], &said[0]["also"], &said[0]["objection"]),
        (&json!("declined"), &json!(["overdue"]), &json!("Too early"))
    );
    let page = app.browser("Ada").await.get("/inbox").await.expect(200);
    let page = plain(&page.text());
    for words in [
        "Bob objects · past due: Cyd and Dan haven’t answered",
        "… but Too early",
        "You said: “I’ll ship it on Monday”",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
}

#[actix_web::test]
async fn inbox_entry_about_late_answers_names_five_people_and_counts_the_others() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    app.set_clock("2030-01-09T09:00:00Z");
    let names = ["B", "C", "D", "E", "F", "G", "H"];
    app.people(names).await;
    ada.update(json!({
        "title": "T", "audience": names.map(email), "expectation": "acknowledge", "due": "2030-01-09T12:00:00Z",
    }))
    .await;
    app.set_clock("2030-01-09T12:00:01Z");
    app.state.notify_overdue().await.unwrap();
    let page = app.browser("Ada").await.get("/inbox").await.expect(200);
    let page = plain(&page.text());
    let sentence = "Past due: B, C, D, E, F and 2 others haven’t answered";
    assert!(page.contains(sentence), "{page}");
    assert!(!page.contains("You said:"), "{page}");
}

#[actix_web::test]
async fn due_time_that_has_passed_does_not_change_with_the_working_hours_of_the_recipient() {
    let app = TestApp::start().await;
    let [ada, _bob, cyd, _dan] = app.people(["Ada", "Bob", "Cyd", "Dan"]).await;
    let path = publish(&app, &ada).await;
    app.set_clock("2030-01-09T12:00:01Z");
    app.state.notify_overdue().await.unwrap();
    ada.put(&format!("{path}/opening")).await.expect(204);
    let hours = json!({ "days": [1, 2, 3], "from": "09:00", "to": "12:45" });
    for change in [
        json!({ "working_hours": hours }),
        json!({ "away_until": "2030-01-12T09:00:00Z" }),
        json!({ "time_zone": "Asia/Tokyo" }),
    ] {
        cyd.patch("/me", change.clone()).await.expect(200);
        app.state.notify_overdue().await.unwrap();
        assert_eq!(said_to(&ada).await, json!([]), "{change}");
        let receipt = cyd.get(&path).await.json()["my_receipt"].clone();
        assert_eq!(
            (&receipt["due"], &receipt["overdue"]),
            (&json!("2030-01-09T12:00:00.000Z"), &json!(true)),
            "{change}"
        );
    }
}

#[actix_web::test]
async fn author_is_told_about_late_answers_and_objections_despite_a_mute_or_a_snooze() {
    let app = TestApp::start().await;
    let [ada, _bob, cyd, dan] = app.people(["Ada", "Bob", "Cyd", "Dan"]).await;
    let path = publish(&app, &ada).await;
    let snooze = format!("/inbox/s{}/snooze", path.trim_start_matches("/updates/"));
    let until = json!({ "until": "2030-01-14T09:00:00Z" });
    ada.put(&format!("{path}/mute")).await.expect(204);
    ada.json("PUT", &snooze, &until).await.expect(204);
    app.set_clock("2030-01-09T12:00:01Z");
    app.state.notify_overdue().await.unwrap();
    assert_eq!(said_to(&ada).await[0]["why"], "overdue");
    let object = async |client: &Client| {
        let objection = json!({ "reason": "Too early" });
        let decline = format!("{path}/decline");
        client.json("PUT", &decline, &objection).await.expect(200);
    };
    ada.put(&format!("{path}/opening")).await.expect(204);
    ada.json("PUT", &snooze, &until).await.expect(204);
    object(&cyd).await;
    assert_eq!(said_to(&ada).await[0]["why"], "declined");
    // Muting the update hides neither the unread objection nor a new one.
    ada.put(&format!("{path}/mute")).await.expect(204);
    object(&dan).await;
    assert_eq!(said_to(&ada).await[0]["why"], "declined");
}

#[actix_web::test]
async fn overdue_answer_is_not_reported_again_if_its_new_due_time_is_also_in_the_past() {
    let app = TestApp::start().await;
    let [ada, _bob] = app.people(["Ada", "Bob"]).await;
    app.set_clock("2030-01-07T09:00:00Z");
    let path = ada
        .update(json!({
            "title": "The new flow",
            "audience": [email("Bob")],
            "expectation": "acknowledge",
            "due": { "working_days": 2 },
        }))
        .await;
    app.set_clock("2030-01-11T09:00:00Z");
    app.state.notify_overdue().await.unwrap();
    assert_eq!(said_to(&ada).await[0]["why"], "overdue");
    ada.put(&format!("{path}/opening")).await.expect(204);
    let change = json!({ "due": { "working_days": 1 } });
    ada.patch(&path, change).await.expect(200);
    app.state.notify_overdue().await.unwrap();
    assert_eq!(said_to(&ada).await, json!([]));
    // This new due time is in the future when it is set. After it has passed, the author is notified again.
    let change = json!({ "due": "2030-01-11T12:00:00Z" });
    ada.patch(&path, change).await.expect(200);
    app.set_clock("2030-01-11T12:00:01Z");
    app.state.notify_overdue().await.unwrap();
    assert_eq!(said_to(&ada).await[0]["why"], "overdue");
}

#[actix_web::test]
async fn overdue_answers_to_an_update_in_the_trash_are_reported_after_it_is_restored() {
    let app = TestApp::start().await;
    let [ada, _bob, _cyd, _dan] = app.people(["Ada", "Bob", "Cyd", "Dan"]).await;
    let path = publish(&app, &ada).await;
    ada.delete(&path).await.expect(204);
    app.set_clock("2030-01-09T12:00:01Z");
    app.state.notify_overdue().await.unwrap();
    assert_eq!(said_to(&ada).await, json!([]));
    ada.put(&format!("{path}/restoration")).await.expect(200);
    app.state.notify_overdue().await.unwrap();
    assert_eq!(said_to(&ada).await[0]["why"], "overdue");
}
