//! Paging of threads: in the list of comments, on the update page, and in links to comments.

use serde_json::json;

use super::scene;
use crate::app::{Client, TestApp, text, texts};

/// Inserts threads by Ada. Returns the ids of their first comments.
async fn insert_threads(app: &TestApp, ada: &Client, path: &str, count: usize) -> Vec<String> {
    let mut tx = app.state.db.begin().await.unwrap();
    let mut ids = Vec::new();
    for n in 0..count {
        app.state.clock.advance(1);
        let id = app.state.clock.id();
        sqlx::query("INSERT INTO comments (id, update_id, person_id, body, revision, created_at) VALUES ($1, \
                     $2, $3, $4, 1, $5)")
            .bind(&id)
            .bind(path.trim_start_matches("/updates/"))
            .bind(&ada.id)
            .bind(format!("Remark {n}."))
            .bind(app.state.clock.now())
            .execute(&mut *tx)
            .await
            .unwrap();
        ids.push(id);
    }
    tx.commit().await.unwrap();
    ids
}

#[actix_web::test]
async fn list_of_threads_is_paged_in_order() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let ids = insert_threads(&app, &ada, &path, 5).await;
    bob.reply(&path, &ids[1], "Reply").await;
    // A removed comment is still listed only if it has replies.
    for removed in [0, 1] {
        let comment = format!("/comments/{}", ids[removed]);
        ada.delete(&comment).await.expect(204);
    }
    let list = format!("{path}/comments?limit=2");
    let first = bob.get(&list).await.expect(200).json();
    assert_eq!(texts(&first["items"], "id"), [&*ids[1], &*ids[2]]);
    assert_eq!(texts(&first["items"][0]["replies"], "body"), ["Reply"]);
    // A cursor stays valid after the thread that it points to is removed.
    ada.delete(&format!("/comments/{}", ids[2]))
        .await
        .expect(204);
    let after = format!("{list}&after={}", text(&first["next"]));
    let second = bob.get(&after).await.expect(200).json();
    assert_eq!(texts(&second["items"], "id"), [&*ids[3], &*ids[4]]);
    assert!(second["next"].is_null());
    bob.get(&format!("{path}/comments?limit=101"))
        .await
        .problem(422);
    bob.get(&format!("{path}/comments?after=x"))
        .await
        .problem(422);
}

#[actix_web::test]
async fn page_of_the_thread_list_has_thirty_items_by_default() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    insert_threads(&app, &ada, &path, 31).await;
    let list = bob
        .get(&format!("{path}/comments"))
        .await
        .expect(200)
        .json();
    assert_eq!(list["items"].as_array().unwrap().len(), 30);
    assert!(list["next"].is_string());
}

/// Returns the indexes in `ids` of the threads that a page shows, and the addresses of the previous and next page. An
/// address is empty if there is no such page.
async fn shown(browser: &Client, path: &str, ids: &[String]) -> (Vec<usize>, String, String) {
    let page = browser.get(path).await.expect(200).text();
    let is_shown = |n: &usize| page.contains(&format!("id=\"t-{}\"", ids[*n]));
    let link = |rel: &str| {
        let end = page.find(&format!("\" rel=\"{rel}\"")).unwrap_or_default();
        let (_, address) = page[..end].rsplit_once('"').unwrap_or_default();
        address.to_owned()
    };
    (
        (0..ids.len()).filter(is_shown).collect(),
        link("prev"),
        link("next"),
    )
}

#[actix_web::test]
async fn update_page_shows_the_newest_hundred_threads_and_links_to_the_others() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let ids = insert_threads(&app, &ada, &path, 230).await;
    let browser = app.browser("Bob").await;
    let threads = |range: std::ops::Range<usize>| range.collect::<Vec<_>>();

    let (newest, earlier, none) = shown(&browser, &path, &ids).await;
    assert_eq!((newest, &*none), (threads(130..230), ""));
    let (middle, earliest, later) = shown(&browser, &earlier, &ids).await;
    assert_eq!(middle, threads(30..130));
    assert_eq!(shown(&browser, &later, &ids).await.0, threads(130..230));
    let (oldest, none, later) = shown(&browser, &earliest, &ids).await;
    assert_eq!((oldest, &*none), (threads(0..30), ""));
    assert_eq!(shown(&browser, &later, &ids).await.0, threads(30..130));

    // A guest whose link does not allow comments sees no comments.
    let (_, token) = ada.share(&path, false).await;
    let guest = app.client().accept("text/html");
    assert!(
        guest
            .get(&format!("/s/{token}"))
            .await
            .expect(200)
            .text()
            .contains("No comments")
    );
    // The comment counts include the comments on other pages.
    let page = browser.get(&path).await.text();
    assert!(page.contains("id=\"talk-count\" data-live>230"), "{page}");
    browser.get(&format!("{path}?before=x")).await.expect(422);
    assert_eq!(
        bob.get(&path).await.json()["counts"]["comments"],
        json!(230)
    );
}

#[actix_web::test]
async fn permalink_leads_to_the_page_that_shows_the_comment() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let ids = insert_threads(&app, &ada, &path, 230).await;
    let reply = bob.reply(&path, &ids[7], "An old thread").await;
    let browser = app.browser("Bob").await;
    for (comment, thread) in [
        (&ids[0], 0),
        (&reply, 7),
        (&ids[100], 100),
        (&ids[229], 229),
    ] {
        let found = browser
            .get(&format!("/comments/{comment}"))
            .await
            .expect(303);
        let (address, fragment) = found.header("location").rsplit_once('#').unwrap();
        assert_eq!(fragment, format!("c-{comment}"));
        let (threads, ..) = shown(&browser, address, &ids).await;
        assert!(
            threads.contains(&thread) && threads.len() == 100,
            "{thread}: {threads:?}"
        );
    }
}

#[actix_web::test]
async fn search_hit_leads_to_the_page_that_shows_the_comment() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let ids = insert_threads(&app, &ada, &path, 230).await;
    let reply = bob.reply(&path, &ids[7], "About the quokkapunkt").await;
    app.wait_for_jobs().await;
    let browser = app.browser("Bob").await;
    let found = bob.get("/search?q=quokkapunkt").await.expect(200).json();
    let url = text(&found["items"][0]["found"][0]["url"]);
    let page = browser.get("/updates?q=quokkapunkt").await.expect(200);
    assert!(page.text().contains(&format!("href=\"{url}\"")));
    let (address, fragment) = url.rsplit_once('#').unwrap();
    assert_eq!(fragment, format!("c-{reply}"));
    assert!(shown(&browser, address, &ids).await.0.contains(&7));
    // In the author's list of open questions, a question also links to the page that shows its comment.
    let question = bob.question(&path, "Why?").await;
    let author = app.browser("Ada").await;
    let page = author.get(&format!("{path}/receipts")).await.expect(200);
    let address = format!("{path}?comment={question}#c-{question}\"");
    assert!(page.text().contains(&address), "{}", page.text());
}
