//! Serving media: ranges, headers, and signed addresses that end with the reader's access.

use serde_json::{Value, json};

use crate::app::{Client, PASSWORD, Response, TestApp, email, fixture, postgres};

/// Publishes an update by Ada for Bob with a recording and a picture and waits until both are ready. Returns its path and JSON.
async fn publish(app: &TestApp, ada: &Client) -> (String, Value) {
    let files = [
        (
            "media",
            "rundgang ü 🎬.webm",
            fixture("rec-vp8-opus-3s.webm"),
        ),
        ("media", "shot.png", fixture("alpha.png")),
    ];
    let update = ada
        .upload(
            "/updates",
            &[("title", "T"), ("audience", &email("Bob"))],
            &files,
        )
        .await
        .expect(201)
        .json();
    app.wait_for_jobs().await;
    let path = format!("/updates/{}", update["id"].as_str().unwrap());
    (path.clone(), ada.get(&path).await.json())
}

/// Returns a rendition's address without the host.
fn url(update: &Value, media: usize, name: &str) -> String {
    let renditions = update["media"][media]["renditions"].as_array().unwrap();
    let found = renditions
        .iter()
        .find(|rendition| rendition["name"] == name)
        .unwrap_or_else(|| panic!("{name} of {renditions:?}"));
    let url = found["url"].as_str().unwrap();
    url[url.find("/m/").unwrap()..].to_owned()
}

async fn get_with(client: &Client, url: &str, headers: &[(&'static str, &str)]) -> Response {
    let request = headers
        .iter()
        .fold(client.request("GET", url), |request, (name, value)| {
            request.header(*name, *value)
        });
    Response::fetch(request).await
}

#[actix_web::test]
async fn range_request_returns_exactly_that_slice() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    app.person("Bob").await;
    let (_, update) = publish(&app, &ada).await;
    let (nobody, url, whole) = (
        app.client(),
        url(&update, 0, "original"),
        fixture("rec-vp8-opus-3s.webm"),
    );
    let length = whole.len();
    let answer = nobody.get(&url).await.expect(200);
    assert!(answer.body == whole);
    assert_eq!(
        (
            answer.header("accept-ranges"),
            answer.header("content-length")
        ),
        ("bytes", length.to_string().as_str())
    );
    let cases = [
        ("bytes=0-0".to_owned(), 0, 1),
        ("bytes=0-1023".to_owned(), 0, 1024),
        ("bytes=70000-70999".to_owned(), 70_000, 71_000),
        ("bytes=100000-".to_owned(), 100_000, length),
        ("bytes=0-".to_owned(), 0, length),
        ("bytes=-500".to_owned(), length - 500, length),
        ("bytes=-999999999".to_owned(), 0, length),
        (
            format!("bytes={}-{}", length - 1, length + 1000),
            length - 1,
            length,
        ),
    ];
    for (range, from, to) in cases {
        let part = get_with(&nobody, &url, &[("range", &range)])
            .await
            .expect(206);
        assert!(
            part.body == whole[from..to],
            "{range}: {} bytes",
            part.body.len()
        );
        assert_eq!(
            part.header("content-range"),
            format!("bytes {from}-{}/{length}", to - 1),
            "{range}"
        );
        assert_eq!(
            part.header("content-length"),
            (to - from).to_string(),
            "{range}"
        );
    }
    for beyond in [
        format!("bytes={length}-"),
        "bytes=99999999-100000000".to_owned(),
        "bytes=-0".to_owned(),
    ] {
        let refused = get_with(&nobody, &url, &[("range", &beyond)]).await;
        assert_eq!(
            (refused.status.as_u16(), refused.header("content-range")),
            (416, format!("bytes */{length}").as_str()),
            "{beyond}"
        );
    }
    // Several ranges, other units and invalid ranges get the whole file, as RFC 9110 §14.2 allows.
    for other in [
        "bytes=0-1,5-6",
        "seconds=1-2",
        "bytes=5-2",
        "bytes=a-b",
        "nonsense",
    ] {
        let answer = get_with(&nobody, &url, &[("range", other)])
            .await
            .expect(200);
        assert_eq!(answer.body.len(), length, "{other}");
    }
}

#[actix_web::test]
async fn etag_serves_conditional_requests_and_guards_ranges() {
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
        let answer = get_with(&nobody, &url, &[("if-none-match", &known)]).await;
        assert_eq!(
            (
                answer.status.as_u16(),
                answer.body.len(),
                answer.header("etag")
            ),
            (304, 0, tag.as_str()),
            "{known}"
        );
    }
    get_with(&nobody, &url, &[("if-none-match", "\"other\"")])
        .await
        .expect(200);
    let same = get_with(&nobody, &url, &[("range", "bytes=5-9"), ("if-range", &tag)])
        .await
        .expect(206);
    assert!(same.body == whole.body[5..10]);
    for other in [
        "\"other\"".to_owned(),
        format!("W/{tag}"),
        "Sat, 21 Nov 2026 10:00:00 GMT".into(),
    ] {
        let answer = get_with(
            &nobody,
            &url,
            &[("range", "bytes=5-9"), ("if-range", &other)],
        )
        .await
        .expect(200);
        assert_eq!(answer.body.len(), whole.body.len(), "{other}");
    }
    let head = Response::fetch(nobody.request("HEAD", &url))
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
    let head = Response::fetch(nobody.request("HEAD", &url).header("range", "bytes=0-9"))
        .await
        .expect(206);
    assert_eq!((head.body.len(), head.header("content-length")), (0, "10"));
}

#[actix_web::test]
async fn media_is_served_with_sandbox_headers() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    app.person("Bob").await;
    let (_, update) = publish(&app, &ada).await;
    for (media, name, kind) in [
        (0, "playable", "video/webm"),
        (0, "poster", "image/jpeg"),
        (0, "h264", "video/mp4"),
        (1, "original", "image/png"),
        (1, "thumbnail", "image/jpeg"),
    ] {
        let url = url(&update, media, name);
        let answer = app.client().get(&url).await.expect(200);
        assert_eq!(answer.header("content-type"), kind, "{name}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert!(
            answer
                .header("content-security-policy")
                .starts_with("sandbox; default-src 'none'")
        );
        // Browsers revalidate each time, so that access can end. Unchanged media costs a 304.
        assert_eq!(answer.header("cache-control"), "private, no-cache");
        assert!(
            answer
                .header("content-disposition")
                .starts_with("inline; filename*=UTF-8''")
        );
        assert!(answer.headers.get("set-cookie").is_none());
        let download = app
            .client()
            .get(&format!("{url}&download"))
            .await
            .expect(200);
        assert!(
            download
                .header("content-disposition")
                .starts_with("attachment; filename*=UTF-8''")
        );
    }
    let named = app
        .client()
        .get(&url(&update, 0, "original"))
        .await
        .expect(200);
    assert_eq!(
        named.header("content-disposition"),
        "inline; filename*=UTF-8''rundgang%20%C3%BC%20%F0%9F%8E%AC.webm"
    );
}

#[actix_web::test]
async fn tampered_address_is_not_found() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let (path, update) = publish(&app, &ada).await;
    let nobody = app.client();
    let good = url(&update, 1, "original");
    nobody.get(&good).await.expect(200);
    let (key, query) = good.split_once('?').unwrap();
    let field = |name: &str| {
        query
            .split('&')
            .find_map(|pair| pair.strip_prefix(&format!("{name}=")))
            .unwrap()
    };
    let (grant, expiry, signature) = (field("g"), field("e").parse::<i64>().unwrap(), field("s"));
    let other = url(&bob.get(&path).await.json(), 1, "original");
    let others_grant = other
        .split(['?', '&'])
        .find_map(|pair| pair.strip_prefix("g="))
        .unwrap();
    let altered = format!(
        "{}{}",
        if signature.starts_with('0') { '1' } else { '0' },
        &signature[1..]
    );
    for bad in [
        format!("{key}?g={grant}&e={}&s={signature}", expiry + 43_200),
        format!("{key}?g={others_grant}&e={expiry}&s={signature}"),
        format!("{key}?g={grant}&e={expiry}&s={altered}"),
        format!("{key}?g={grant}&e={expiry}&s="),
        format!("{key}?g={grant}&e={expiry}"),
        format!("{key}?g={grant}&e=soon&s={signature}"),
        format!("{key}?g=&e={expiry}&s={signature}"),
        key.to_owned(),
        format!(
            "{}?{query}",
            url(&update, 1, "thumbnail").split('?').next().unwrap()
        ),
        format!("/m/..%2F..%2Fhearback.db?{query}"),
    ] {
        nobody.get(&bad).await.problem(404);
    }
}

#[actix_web::test]
async fn address_is_the_same_when_rendered_again() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    app.person("Bob").await;
    let (path, update) = publish(&app, &ada).await;
    let again = ada.get(&path).await.json();
    // Expiry times are multiples of twelve hours. Addresses differ only across such a boundary.
    if url(&again, 0, "playable").split("e=").nth(1).unwrap()[..10]
        == url(&update, 0, "playable").split("e=").nth(1).unwrap()[..10]
    {
        assert_eq!(again["media"], update["media"]);
    }
    let one = ada
        .get(&format!(
            "/media/{}",
            update["media"][0]["id"].as_str().unwrap()
        ))
        .await
        .expect(200)
        .json();
    assert_eq!(one["id"], update["media"][0]["id"]);
    assert_eq!(one["renditions"].as_array().unwrap().len(), 5);
}

#[actix_web::test]
async fn address_ends_with_the_access_it_was_issued_for() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let (path, update) = publish(&app, &ada).await;
    let nobody = app.client();

    // The session ends.
    let browser = app.browser("Bob").await;
    let page = browser.get(&path).await.expect(200).text();
    let at = page.find("/m/").unwrap();
    let of_session = page[at..]
        .split(['"', '\''])
        .next()
        .unwrap()
        .replace("&amp;", "&")
        .replace("&#38;", "&");
    nobody.get(&of_session).await.expect(200);
    assert_eq!(browser.delete("/session").await.status.as_u16(), 303);
    nobody.get(&of_session).await.problem(404);

    // The token is revoked.
    let token = bob
        .post("/tokens", json!({ "name": "second" }))
        .await
        .expect(201)
        .json();
    let program = app.client().bearer(token["token"].as_str().unwrap());
    let of_token = url(&program.get(&path).await.json(), 1, "original");
    nobody.get(&of_token).await.expect(200);
    bob.delete(&format!("/tokens/{}", token["id"].as_str().unwrap()))
        .await
        .expect(204);
    nobody.get(&of_token).await.problem(404);

    // The share link is revoked.
    let link = ada
        .post(&format!("{path}/links"), json!({ "name": "out" }))
        .await
        .expect(201)
        .json();
    let secret = link["url"]
        .as_str()
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned();
    let seen = app
        .client()
        .bearer(&secret)
        .get(&path)
        .await
        .expect(200)
        .json();
    let of_link = url(&seen, 0, "playable");
    nobody.get(&of_link).await.expect(200);
    ada.delete(&format!("/links/{}", link["id"].as_str().unwrap()))
        .await
        .expect(204);
    nobody.get(&of_link).await.problem(404);

    // The recipient is removed from the audience and added again.
    let of_bob = url(&bob.get(&path).await.json(), 0, "playable");
    nobody.get(&of_bob).await.expect(200);
    ada.patch(&path, json!({ "audience": [] }))
        .await
        .expect(200);
    nobody.get(&of_bob).await.problem(404);
    ada.patch(&path, json!({ "audience": [email("Bob")] }))
        .await
        .expect(200);
    nobody.get(&of_bob).await.expect(200);

    // The update is moved to the trash and restored.
    ada.delete(&path).await.expect(204);
    nobody.get(&of_bob).await.problem(404);
    ada.put(&format!("{path}/restoration")).await.expect(200);
    nobody.get(&of_bob).await.expect(200);

    // The media is removed.
    let (of_ada, id) = (
        url(&update, 0, "playable"),
        update["media"][0]["id"].as_str().unwrap(),
    );
    ada.delete(&format!("/media/{id}")).await.expect(204);
    for gone in [&of_bob, &of_ada] {
        nobody.get(gone).await.problem(404);
    }

    // The person is deactivated.
    let of_bob = url(&bob.get(&path).await.json(), 0, "original");
    let admin = app.admin("Root").await;
    admin
        .patch(&format!("/people/{}", bob.id), json!({ "active": false }))
        .await
        .expect(200);
    nobody.get(&of_bob).await.problem(404);
}

#[actix_web::test]
async fn original_of_a_recording_is_served_only_to_its_author() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let (path, update) = publish(&app, &ada).await;
    let others = bob.get(&path).await.json();
    let names: Vec<&str> = others["media"][0]["renditions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["h264", "playable", "poster", "thumbnail"]);
    // The signature of another rendition does not open the original's key.
    let key = url(&update, 0, "original")
        .split('?')
        .next()
        .unwrap()
        .to_owned();
    let query = url(&others, 0, "playable")
        .split_once('?')
        .unwrap()
        .1
        .to_owned();
    bob.get(&format!("{key}?{query}")).await.problem(404);
    // The original of a picture is what everyone sees.
    bob.get(&url(&others, 1, "original")).await.expect(200);
}

#[actix_web::test]
async fn removed_media_leaves_no_stored_bytes() {
    let app = TestApp::start().await;
    let (ada, bob, eve) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Eve").await,
    );
    let (path, update) = publish(&app, &ada).await;
    let ids: Vec<&str> = update["media"]
        .as_array()
        .unwrap()
        .iter()
        .map(|media| media["id"].as_str().unwrap())
        .collect();
    assert_eq!(
        app.objects().await.len(),
        7,
        "five objects of the recording and two of the picture"
    );
    eve.get(&format!("/media/{}", ids[0])).await.problem(404);
    eve.delete(&format!("/media/{}", ids[0])).await.problem(404);
    bob.delete(&format!("/media/{}", ids[0])).await.problem(403);
    let comment = bob
        .post(
            &format!("{path}/comments"),
            json!({ "body": "Here", "media_id": ids[0], "at_ms": 500 }),
        )
        .await
        .expect(201)
        .json();

    ada.delete(&format!("/media/{}", ids[0])).await.expect(204);
    ada.get(&format!("/media/{}", ids[0])).await.problem(404);
    app.wait_for_jobs().await;
    assert_eq!(app.objects().await.len(), 2);
    let kept = ada
        .get(&format!("/comments/{}", comment["id"].as_str().unwrap()))
        .await
        .json();
    assert_eq!(
        (&kept["body"], &kept["anchor"], &kept["media_id"]),
        (&json!("Here"), &Value::Null, &Value::Null)
    );

    // The trash keeps bytes until it is emptied.
    ada.delete(&path).await.expect(204);
    app.wait_for_jobs().await;
    assert_eq!(app.objects().await.len(), 2);
    ada.delete("/trash").await.expect(204);
    app.wait_for_jobs().await;
    assert_eq!(app.objects().await, [""; 0]);
}

#[actix_web::test]
async fn media_is_redirected_to_the_bucket_only_with_access() {
    if !postgres() {
        return;
    }
    let app =
        TestApp::start_with(|config| config.delivery = hearback::config::Delivery::Redirect).await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let (path, update) = publish(&app, &ada).await;
    let address = url(&update, 0, "original");
    let answer = app.client().get(&address).await.expect(302);
    assert_eq!(answer.header("cache-control"), "private, no-store");
    let location = answer.header("location").to_owned();
    assert!(
        location.starts_with(&std::env::var("HEARBACK_TEST_S3_ENDPOINT").unwrap()),
        "{location}"
    );
    let part = get_with(&app.client(), &location, &[("range", "bytes=1000-1999")])
        .await
        .expect(206);
    assert!(part.body == fixture("rec-vp8-opus-3s.webm")[1000..2000]);
    assert_eq!(part.header("content-type"), "video/webm");
    // A download is proxied, because it needs its file name.
    let download = app
        .client()
        .get(&format!("{address}&download"))
        .await
        .expect(200);
    assert!(
        download
            .header("content-disposition")
            .starts_with("attachment")
    );
    // The page's policy allows the bucket.
    let page = app.browser("Ada").await.get(&path).await.expect(200);
    assert!(
        page.header("content-security-policy")
            .contains(&std::env::var("HEARBACK_TEST_S3_ENDPOINT").unwrap())
    );
    let of_bob = url(&bob.get(&path).await.json(), 0, "playable");
    app.client().get(&of_bob).await.expect(302);
    ada.patch(&path, json!({ "audience": [] }))
        .await
        .expect(200);
    app.client().get(&of_bob).await.problem(404);
}

#[actix_web::test]
async fn old_address_stays_invalid_after_signing_in_again() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    app.person("Bob").await;
    let (path, _) = publish(&app, &ada).await;
    let browser = app.browser("Bob").await.accept("application/json");
    let address = url(&browser.get(&path).await.json(), 1, "original");
    browser.delete("/session").await.expect(204);
    let again = browser.clone().accept("text/html");
    again
        .form(
            "POST",
            "/session",
            &[("email", &email("Bob")), ("password", PASSWORD)],
        )
        .await
        .expect(303);
    app.client().get(&address).await.problem(404);
}
