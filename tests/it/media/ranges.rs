//! Range requests, conditional requests and HEAD.

use super::{get_with, publish, url};
use crate::app::{Client, Response, TestApp, fixture};
use crate::counting;

#[actix_web::test]
async fn range_request_returns_exactly_the_requested_bytes() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    app.person("Bob").await;
    let (_, update) = publish(&app, &ada).await;
    let (nobody, url) = (app.client(), url(&update, 0, "original"));
    let whole = fixture("rec-vp8-opus-3s.webm");
    let length = whole.len();
    let response = nobody.get(&url).await.expect(200);
    assert!(response.body == whole);
    assert_eq!(
        (
            response.header("accept-ranges"),
            response.header("content-length")
        ),
        ("bytes", length.to_string().as_str())
    );
    let beyond = format!("bytes={}-{}", length - 1, length + 1000);
    for (range, from, to) in [
        ("bytes=0-0", 0, 1),
        ("bytes=0-1023", 0, 1024),
        ("bytes=70000-70999", 70_000, 71_000),
        ("bytes=100000-", 100_000, length),
        ("bytes=0-", 0, length),
        ("bytes=-500", length - 500, length),
        ("bytes=-999999999", 0, length),
        (&beyond, length - 1, length),
    ] {
        let part = get_with(&nobody, &url, &[("range", range)])
            .await
            .expect(206);
        assert!(part.body == whole[from..to], "{range}");
        assert_eq!(
            part.header("content-range"),
            format!("bytes {from}-{}/{length}", to - 1),
            "{range}"
        );
        let sent = (to - from).to_string();
        assert_eq!(part.header("content-length"), sent, "{range}");
    }
    assert_other_ranges(&nobody, &url, length).await;
}

#[actix_web::test]
async fn range_request_needs_one_statement_for_people_and_for_guests() {
    counting::start();
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    app.person("Bob").await;
    let (path, update) = publish(&app, &ada).await;
    let (_, token) = ada.share(&path, false).await;
    let guest = app.client().bearer(&token);
    let of_guest = guest.get(&path).await.expect(200).json();
    for update in [&update, &of_guest] {
        let url = url(update, 0, "playable");
        let range = get_with(&app.client(), &url, &[("range", "bytes=0-9")])
            .await
            .expect(206);
        let statements = counting::statements(&range);
        assert_eq!(statements.len(), 1, "{statements:?}");
    }
}

/// Checks the responses to ranges beyond the end and to ranges that the server ignores.
async fn assert_other_ranges(nobody: &Client, url: &str, length: usize) {
    for range in [
        &format!("bytes={length}-"),
        "bytes=99999999-100000000",
        "bytes=-0",
    ] {
        let refused = get_with(nobody, url, &[("range", range)]).await;
        assert_eq!(
            (refused.status.as_u16(), refused.header("content-range")),
            (416, format!("bytes */{length}").as_str()),
            "{range}"
        );
    }
    // A request for several ranges, for another unit or for an invalid range gets the whole file, as RFC 9110 §14.2
    // allows.
    for range in [
        "bytes=0-1,5-6",
        "seconds=1-2",
        "bytes=5-2",
        "bytes=a-b",
        "nonsense",
    ] {
        let response = get_with(nobody, url, &[("range", range)]).await.expect(200);
        assert_eq!(response.body.len(), length, "{range}");
    }
}

#[actix_web::test]
async fn etag_works_with_conditional_and_range_requests() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    app.person("Bob").await;
    let (_, update) = publish(&app, &ada).await;
    let (nobody, url) = (app.client(), url(&update, 0, "playable"));
    let whole = nobody.get(&url).await.expect(200);
    let tag = whole.header("etag").to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag}");
    for known in [
        tag.clone(),
        "*".into(),
        format!("\"other\", {tag}"),
        format!("W/{tag}"),
    ] {
        let response = get_with(&nobody, &url, &[("if-none-match", &known)]).await;
        assert_eq!(
            (
                response.status.as_u16(),
                response.body.len(),
                response.header("etag")
            ),
            (304, 0, tag.as_str()),
            "{known}"
        );
    }
    get_with(&nobody, &url, &[("if-none-match", "\"other\"")])
        .await
        .expect(200);
    let same = [("range", "bytes=5-9"), ("if-range", tag.as_str())];
    let same = get_with(&nobody, &url, &same).await.expect(206);
    assert!(same.body == whole.body[5..10]);
    for other in [
        "\"other\"",
        &format!("W/{tag}"),
        "Sat, 21 Nov 2026 10:00:00 GMT",
    ] {
        let headers = [("range", "bytes=5-9"), ("if-range", other)];
        let response = get_with(&nobody, &url, &headers).await.expect(200);
        assert_eq!(response.body.len(), whole.body.len(), "{other}");
    }
    assert_head_matches(&nobody, &url, &whole).await;
}

/// Asserts that HEAD returns the same headers as the GET response `whole`, but no body. Also checks HEAD with a
/// range.
async fn assert_head_matches(nobody: &Client, url: &str, whole: &Response) {
    let head = Response::fetch(nobody.request("HEAD", url))
        .await
        .expect(200);
    assert_eq!(
        (head.body.len(), head.header("content-length")),
        (0, whole.body.len().to_string().as_str())
    );
    for name in [
        "etag",
        "content-type",
        "accept-ranges",
        "content-disposition",
        "cache-control",
        "content-security-policy",
    ] {
        assert_eq!(head.header(name), whole.header(name), "{name}");
    }
    let head = nobody.request("HEAD", url).header("range", "bytes=0-9");
    let head = Response::fetch(head).await.expect(206);
    assert_eq!((head.body.len(), head.header("content-length")), (0, "10"));
}
