//! How many SQL statements an event costs for pages that it concerns, and for pages that it does not concern.

use serde_json::json;

use super::publish;
use super::stream::Stream;
use crate::app::{Client, TestApp};
use crate::counting;

/// Adds a comment and waits until the stream has received its event. Other events may arrive first.
async fn comment_and_receive(client: &Client, path: &str, stream: &mut Stream) {
    let comment = client.comment(path, "Hm").await;
    while stream.next_of_update().await.data["id"] != comment {}
}

/// Edits the update, waits until each page has received the event, and returns how many statements each page has
/// executed so far.
async fn edit_and_count(
    client: &Client,
    path: &str,
    title: &str,
    pages: &mut [Stream],
) -> Vec<usize> {
    client
        .patch(path, json!({ "title": title }))
        .await
        .expect(200);
    for page in pages.iter_mut() {
        assert_eq!(page.next_of_update().await.kind, "update");
    }
    pages.iter().map(|page| page.statements().len()).collect()
}

#[actix_web::test]
async fn events_that_do_not_concern_a_page_cost_it_no_statement() {
    let app = TestApp::start().await;
    let [ada, bob, eve] = app.people(["Ada", "Bob", "Eve"]).await;
    let quiet = publish(&ada, "Quiet", &["Eve"]).await;
    let busy = publish(&ada, "Busy", &["Bob"]).await;
    let (_, token) = ada.share(&quiet, true).await;
    counting::start();
    let live = format!("{quiet}/live");
    let mut pages = [
        Stream::open(&eve, &live).await,
        Stream::open(&app.client().bearer(&token), &live).await,
    ];
    let mut inbox = Stream::open(&eve, "/inbox/live").await;
    assert_eq!(inbox.next().await.unwrap().kind, "inbox");
    let inbox_before = inbox.statements();
    // A page can read the first event while it opens, and is then woken by it once more.
    edit_and_count(&ada, &quiet, "Zero", &mut pages).await;
    let opened = edit_and_count(&ada, &quiet, "One", &mut pages).await;
    let before = edit_and_count(&ada, &quiet, "Two", &mut pages).await;

    let mut other = Stream::open(&bob, &format!("{busy}/live")).await;
    bob.put(&format!("{busy}/opening")).await.expect(204);
    bob.put(&format!("{busy}/acknowledgement"))
        .await
        .expect(200);
    for _ in 0..5 {
        comment_and_receive(&bob, &busy, &mut other).await;
    }
    let account = format!("/people/{}", bob.id);
    let root = app.admin("Root").await;
    root.patch(&account, json!({ "active": false }))
        .await
        .expect(200);
    other.remaining_kinds().await;

    let after = edit_and_count(&ada, &quiet, "Three", &mut pages).await;
    for page in 0..pages.len() {
        let (cost, later_cost) = (before[page] - opened[page], after[page] - before[page]);
        assert_eq!(later_cost, cost, "{:#?}", pages[page].statements());
    }
    assert_eq!(inbox.statements(), inbox_before);
}

#[actix_web::test]
async fn comment_costs_each_page_of_its_update_three_statements() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let path = publish(&ada, "T", &["Bob"]).await;
    counting::start();
    let mut page = Stream::open(&bob, &format!("{path}/live")).await;
    assert_eq!(page.next().await.unwrap().kind, "inbox");
    let before = page.statements().len();
    comment_and_receive(&ada, &path, &mut page).await;
    let statements = page.statements();
    assert_eq!(statements.len() - before, 3, "{statements:#?}");
}
