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
async fn update_page_shows_the_newest_thirty_threads_and_links_to_the_others() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let ids = insert_threads(&app, &ada, &path, 70).await;
    let browser = app.browser("Bob").await;
    let threads = |range: std::ops::Range<usize>| range.collect::<Vec<_>>();

    let (newest, earlier, none) = shown(&browser, &path, &ids).await;
    assert_eq!((newest, &*none), (threads(40..70), ""));
    let (middle, earliest, later) = shown(&browser, &earlier, &ids).await;
    assert_eq!(middle, threads(10..40));
    assert_eq!(shown(&browser, &later, &ids).await.0, threads(40..70));
    let (oldest, none, later) = shown(&browser, &earliest, &ids).await;
    assert_eq!((oldest, &*none), (threads(0..10), ""));
    assert_eq!(shown(&browser, &later, &ids).await.0, threads(10..40));

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
    assert!(page.contains("id=\"talk-count\" data-live>70"), "{page}");
    browser.get(&format!("{path}?before=x")).await.expect(422);
    assert_eq!(bob.get(&path).await.json()["counts"]["comments"], json!(70));
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
            threads.contains(&thread) && threads.len() == 30,
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

/// Inserts replies by Ada to a comment. Returns their ids.
async fn insert_replies(
    app: &TestApp,
    ada: &Client,
    path: &str,
    root: &str,
    count: usize,
) -> Vec<String> {
    let ids = insert_threads(app, ada, path, count).await;
    let mut tx = app.state.db.begin().await.unwrap();
    for id in &ids {
        sqlx::query("UPDATE comments SET parent_id = $1 WHERE id = $2")
            .bind(root)
            .bind(id)
            .execute(&mut *tx)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    ids
}

#[actix_web::test]
async fn long_thread_shows_its_newest_replies_and_links_to_all() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let root = bob.question(&path, "Which one?").await;
    let ids = insert_replies(&app, &ada, &path, &root, 25).await;
    // The accepted answer is shown, although it is not among the newest replies.
    bob.put(&format!("/comments/{}/acceptance", ids[3]))
        .await
        .expect(200);
    let browser = app.browser("Bob").await;
    let replies = async |address: &str| -> Vec<usize> {
        let page = browser.get(address).await.expect(200).text();
        let is_shown = |n: &usize| page.contains(&format!("id=\"c-{}\"", ids[*n]));
        (0..ids.len()).filter(is_shown).collect()
    };
    let newest: Vec<usize> = [3].into_iter().chain(15..25).collect();
    assert_eq!(replies(&path).await, newest);
    let page = browser.get(&path).await.text();
    assert!(page.contains("Show 14 earlier replies"), "{page}");
    let all: Vec<usize> = (0..25).collect();
    assert_eq!(replies(&format!("{path}?comment={root}")).await, all);
    assert_eq!(replies(&format!("{path}?comment={}", ids[0])).await, all);
    // Programs get all replies.
    let list = bob.get(&format!("{path}/comments")).await.json();
    assert_eq!(list["items"][0]["replies"].as_array().unwrap().len(), 25);
}

#[actix_web::test]
async fn page_ends_after_sixty_comments() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let ids = insert_threads(&app, &ada, &path, 20).await;
    for root in &ids {
        insert_replies(&app, &ada, &path, root, 9).await;
    }
    let browser = app.browser("Bob").await;
    let (newest, earlier, _) = shown(&browser, &path, &ids).await;
    assert_eq!(newest, (14..20).collect::<Vec<_>>());
    let (next, ..) = shown(&browser, &earlier, &ids).await;
    assert_eq!(next, (8..14).collect::<Vec<_>>());
    assert_eq!(bob.get(&path).await.json()["counts"]["comments"], 200);
}

#[actix_web::test]
async fn threads_can_be_loaded_without_the_rest_of_the_page() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let ids = insert_threads(&app, &ada, &path, 35).await;
    let reply = bob.reply(&path, &ids[2], "An old thread").await;
    let browser = app.browser("Bob").await;
    let address = format!("{path}?part=thread&comment={reply}");
    let part = browser.get(&address).await.expect(200).text();
    assert_eq!(part.matches("class=\"thread\"").count(), 1, "{part}");
    assert!(part.contains(&format!("id=\"t-{}\"", ids[2])), "{part}");
    assert!(part.contains(&format!("id=\"c-{reply}\"")), "{part}");
    assert!(part.contains("id=\"talk-count\" data-live>36"), "{part}");
    assert!(!part.contains("<html"), "{part}");

    let (_, earlier, _) = shown(&browser, &path, &ids).await;
    let (threads, ..) = shown(&browser, &format!("{earlier}&part=threads"), &ids).await;
    assert_eq!(threads, (0..5).collect::<Vec<_>>());
    // The response for a removed thread is an empty list.
    ada.delete(&format!("/comments/{}", ids[9]))
        .await
        .expect(204);
    let address = format!("{path}?part=thread&comment={}", ids[9]);
    let part = browser.get(&address).await.expect(200).text();
    assert!(!part.contains("class=\"thread\""), "{part}");

    // A guest sees only the threads of their own link, at the link's own address.
    let (_, token) = ada.share(&path, true).await;
    let guest = app.client().accept("text/html");
    let link = format!("/s/{token}");
    guest.get(&link).await.expect(200);
    let form = [("body", "From outside"), ("name", "Gus")];
    let sent = guest.form("POST", &format!("{path}/comments"), &form).await;
    let own = sent.expect(303);
    let (_, own) = own.header("location").rsplit_once("#c-").unwrap();
    let part = guest
        .get(&format!("{link}?part=thread&comment={own}"))
        .await;
    let part = part.expect(200).text();
    assert!(part.contains("From outside"), "{part}");
    assert!(part.contains("id=\"talk-count\" data-live>1<"), "{part}");
    let hidden = guest
        .get(&format!("{link}?part=thread&comment={reply}"))
        .await;
    assert!(!hidden.expect(200).text().contains("An old thread"));
}

#[actix_web::test]
async fn forms_and_menus_open_without_scripts_and_return_to_the_comment() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let ids = insert_threads(&app, &ada, &path, 40).await;
    let own = bob.reply(&path, &ids[1], "Mine").await;
    let browser = app.browser("Bob").await;
    let page = browser.get(&path).await.expect(200).text();
    // One form each for replies, edits and reactions, however many comments there are.
    assert!(page.matches("<form").count() < 12, "{page}");

    let page = browser.get(&format!("{path}?reply={}", ids[1])).await;
    let page = page.expect(200).text();
    let parent = format!("name=\"parent_id\" value=\"{}\"", ids[1]);
    assert!(
        page.contains("id=\"asked\"") && page.contains(&parent),
        "{page}"
    );
    let page = browser
        .get(&format!("{path}?edit={own}"))
        .await
        .expect(200)
        .text();
    assert!(page.contains("Mine</textarea>"), "{page}");
    let page = browser
        .get(&format!("{path}?react={own}"))
        .await
        .expect(200)
        .text();
    let reactions = format!("formaction=\"/comments/{own}/reactions/👏\"");
    assert!(page.contains(&reactions), "{page}");
    let page = browser
        .get(&format!("{path}?more={own}"))
        .await
        .expect(200)
        .text();
    let remove = format!("formaction=\"/comments/{own}\" name=\"_method\" value=\"DELETE\"");
    assert!(page.contains(&remove), "{page}");

    // After the form is sent, the page shows the comment again, without the form.
    let from = format!("{}{path}?react={own}", app.base);
    let browser = browser.header("referer", &from);
    let address = format!("/comments/{own}/reactions/👏");
    let sent = browser
        .form("POST", &address, &[("_method", "PUT"), ("opened", "true")])
        .await;
    let location = format!("{path}?comment={own}");
    assert_eq!(sent.expect(303).header("location"), location);
    let list = bob.get(&format!("/comments/{own}")).await.json();
    assert_eq!(list["reactions"][0]["mine"], true);
}

#[actix_web::test]
async fn thread_that_scripts_load_contains_the_saved_reply() {
    let app = TestApp::start().await;
    let (ada, _, path) = scene(&app).await;
    let thread = ada.comment(&path, "Root").await;
    ada.json(
        "PUT",
        &format!("{path}/drafts/{thread}"),
        &json!({ "body": "half a rep" }),
    )
    .await
    .expect(204);
    let browser = app.browser("Ada").await;
    let part = browser
        .get(&format!("{path}?comment={thread}&part=thread"))
        .await;
    let part = part.expect(200).text();
    assert!(part.contains("half a rep"), "{part}");
}

#[actix_web::test]
async fn page_of_a_refused_comment_links_to_the_page_of_the_update() {
    let app = TestApp::start().await;
    let (ada, _, path) = scene(&app).await;
    let thread = ada.comment(&path, "Root").await;
    for n in 0..15 {
        ada.reply(&path, &thread, &format!("Reply {n}")).await;
    }
    let browser = app.browser("Ada").await;
    let refused = browser
        .form("POST", &format!("{path}/comments"), &[("body", "")])
        .await;
    let page = refused.expect(422).text();
    for link in [
        format!("action=\"{path}#asked\""),
        format!("href=\"{path}?comment={thread}"),
    ] {
        assert!(page.contains(&link), "{link}");
    }
}
