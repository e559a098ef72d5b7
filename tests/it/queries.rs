//! The number of SQL statements for a page does not depend on the number of rows.

use serde_json::json;

use crate::app::{Client, TestApp, email, postgres};
use crate::counting;

/// Returns how many SQL statements the server executes for a page.
async fn statements(client: &Client, path: &str) -> usize {
    // A request also records the use of its token, but at most once a minute. Send a request first,
    // so that the SQL statement that records the use is not counted.
    client.get("/me").await.expect(200);
    counting::statement_count(&client.get(path).await.expect(200))
}

async fn insert_comments(app: &TestApp, client: &Client, update: &str, count: usize) {
    let first = client
        .post(
            &format!("/updates/{update}/comments"),
            json!({ "body": "First", "parent_id": null }),
        )
        .await
        .expect(201)
        .json();
    let mut tx = app.state.db.begin().await.unwrap();
    for n in 1..count {
        // Four out of five of these comments are replies. Each of them has a reaction.
        let (id, parent) = (
            app.state.clock.id(),
            (n % 5 != 0).then(|| first["id"].as_str().unwrap().to_owned()),
        );
        sqlx::query("INSERT INTO comments (id, update_id, parent_id, person_id, body, revision, created_at) \
                     VALUES ($1, $2, $3, $4, 'Words', 1, $5)")
            .bind(&id)
            .bind(update)
            .bind(parent)
            .bind(&client.id)
            .bind(app.state.clock.now())
            .execute(&mut *tx)
            .await
            .unwrap();
        sqlx::query("INSERT INTO reactions (update_id, subject_id, actor_id, emoji, created_at) VALUES ($1, $2, \
                     $3, '👍', 1)")
            .bind(update)
            .bind(&id)
            .bind(&client.id)
            .execute(&mut *tx)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
}

#[actix_web::test]
async fn number_of_sql_statements_is_the_same_for_five_and_five_hundred_comments() {
    counting::start();
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let browser = app.browser("Bob").await;
    let mut counts = Vec::new();
    for count in [5, 500] {
        let update = json!({ "title": "T", "audience": [email("Bob")], "publish": true });
        let update = ada.post("/updates", update).await.expect(201).json()["id"]
            .as_str()
            .unwrap()
            .to_owned();
        insert_comments(&app, &ada, &update, count).await;
        let path = format!("/updates/{update}");
        let page = browser.get(&path).await.expect(200).text();
        // The page shows the newest thirty threads.
        assert_eq!(page.matches("id=\"c-").count(), count.min(30));
        counts.push((
            statements(&browser, &path).await,
            statements(&bob, &path).await,
            statements(&bob, &format!("{path}/comments")).await,
        ));
    }
    assert_eq!(counts[0], counts[1]);
    assert!(counts[0].0 > 3, "{counts:?}");
}

#[actix_web::test]
async fn number_of_sql_statements_for_a_list_is_the_same_for_three_and_thirty_rows() {
    counting::start();
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let browser = app.browser("Bob").await;
    let mut counts = Vec::new();
    for more in [3, 27] {
        for n in 0..more {
            let update = json!({
                "title": format!("T{n}"), "notes": "words", "audience": [email("Bob")],
                "expectation": "acknowledge", "publish": true,
            });
            ada.post("/updates", update).await.expect(201);
        }
        app.wait_for_jobs().await;
        let mut round = Vec::new();
        for path in ["/updates", "/inbox", "/updates?q=words"] {
            round.push((
                statements(&browser, path).await,
                statements(&bob, path).await,
            ));
        }
        counts.push(round);
    }
    assert_eq!(
        bob.get("/updates").await.json()["items"]
            .as_array()
            .unwrap()
            .len(),
        30
    );
    assert_eq!(counts[0], counts[1]);
}

#[actix_web::test]
async fn update_page_needs_at_most_fifteen_statements() {
    counting::start();
    let app = TestApp::start().await;
    let (ada, _) = (app.person("Ada").await, app.person("Bob").await);
    let update = json!({ "title": "T", "audience": [email("Bob")], "expectation": "readback" });
    let update = ada.update(update).await;
    insert_comments(&app, &ada, update.trim_start_matches("/updates/"), 50).await;
    for name in ["Ada", "Bob"] {
        let browser = app.browser(name).await;
        let statements = counting::statements(&browser.get(&update).await.expect(200));
        assert!(statements.len() <= 15, "{name}: {statements:#?}");
    }
}

/// Returns how many SQL statements the server executes for an acknowledgement, for a comment and for a reply.
async fn statements_of_the_loop(client: &Client, update: &str) -> [usize; 3] {
    // A request also records the use of its token, but at most once a minute. Send a request first,
    // so that the SQL statement that records the use is not counted.
    client.get("/me").await.expect(200);
    let acknowledged = client.put(&format!("{update}/acknowledgement")).await;
    let comments = format!("{update}/comments");
    let comment = client.post(&comments, json!({ "body": "Seen." })).await;
    let reply = json!({ "body": "Again.", "parent_id": comment.json()["id"] });
    let reply = client.post(&comments, reply).await;
    [
        counting::statement_count(&acknowledged.expect(200)),
        counting::statement_count(&comment.expect(201)),
        counting::statement_count(&reply.expect(201)),
    ]
}

#[actix_web::test]
async fn acknowledging_and_commenting_use_a_fixed_number_of_sql_statements() {
    counting::start();
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let update = ada
        .update(json!({ "title": "T", "audience": [email("Bob"), email("Ada")], "expectation": "acknowledge" }))
        .await;
    // On PostgreSQL, the log also contains the COMMIT statement.
    let expected = if postgres() {
        [18, 17, 19]
    } else {
        [17, 16, 18]
    };
    assert_eq!(statements_of_the_loop(&bob, &update).await, expected);
}
