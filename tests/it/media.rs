//! The bytes of media: ranges, headers, and addresses that end with the right they were given under.

use serde_json::{Value, json};

use crate::app::{Answer, Client, PASSWORD, TestApp, email, fixture, postgres};

/// An update of Ada's for Bob with a recording and a picture, ready.
async fn posted(app: &TestApp, ada: &Client) -> (String, Value) {
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
    app.jobs_done().await;
    let path = format!("/updates/{}", update["id"].as_str().unwrap());
    (path.clone(), ada.get(&path).await.json())
}

/// The address of a rendition, without the host.
fn url(update: &Value, media: usize, name: &str) -> String {
    let renditions = update["media"][media]["renditions"].as_array().unwrap();
    let found = renditions
        .iter()
        .find(|rendition| rendition["name"] == name)
        .unwrap_or_else(|| panic!("{name} of {renditions:?}"));
    let url = found["url"].as_str().unwrap();
    url[url.find("/m/").unwrap()..].to_owned()
}

async fn ranged(client: &Client, url: &str, headers: &[(&'static str, &str)]) -> Answer {
    let request = headers
        .iter()
        .fold(client.request("GET", url), |request, (name, value)| {
            request.header(*name, *value)
        });
    Answer::of(request).await
}

#[actix_web::test]
async fn every_range_is_exactly_that_slice_of_the_file() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    app.person("Bob").await;
    let (_, update) = posted(&app, &ada).await;
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
        let part = ranged(&nobody, &url, &[("range", &range)])
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
        let refused = ranged(&nobody, &url, &[("range", &beyond)]).await;
        assert_eq!(
            (refused.status.as_u16(), refused.header("content-range")),
            (416, format!("bytes */{length}").as_str()),
            "{beyond}"
        );
    }
    // Several ranges, other units and nonsense get the whole, as RFC 9110 §14.2 allows.
    for other in [
        "bytes=0-1,5-6",
        "seconds=1-2",
        "bytes=5-2",
        "bytes=a-b",
        "nonsense",
    ] {
        let answer = ranged(&nobody, &url, &[("range", other)]).await.expect(200);
        assert_eq!(answer.body.len(), length, "{other}");
    }
}

#[actix_web::test]
async fn tags_spare_what_is_known_and_keep_ranges_of_two_versions_apart() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    app.person("Bob").await;
    let (_, update) = posted(&app, &ada).await;
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
        let answer = ranged(&nobody, &url, &[("if-none-match", &known)]).await;
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
    ranged(&nobody, &url, &[("if-none-match", "\"other\"")])
        .await
        .expect(200);
    let same = ranged(&nobody, &url, &[("range", "bytes=5-9"), ("if-range", &tag)])
        .await
        .expect(206);
    assert!(same.body == whole.body[5..10]);
    for other in [
        "\"other\"".to_owned(),
        format!("W/{tag}"),
        "Sat, 21 Nov 2026 10:00:00 GMT".into(),
    ] {
        let answer = ranged(
            &nobody,
            &url,
            &[("range", "bytes=5-9"), ("if-range", &other)],
        )
        .await
        .expect(200);
        assert_eq!(answer.body.len(), whole.body.len(), "{other}");
    }
    let head = Answer::of(nobody.request("HEAD", &url)).await.expect(200);
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
    let head = Answer::of(nobody.request("HEAD", &url).header("range", "bytes=0-9"))
        .await
        .expect(206);
    assert_eq!((head.body.len(), head.header("content-length")), (0, "10"));
}

#[actix_web::test]
async fn media_is_served_in_a_cage_of_its_own() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    app.person("Bob").await;
    let (_, update) = posted(&app, &ada).await;
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
        // Asked for again each time, so that it ends with the right to it; what is unchanged costs a 304.
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
async fn an_address_that_was_changed_anywhere_opens_nothing() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let (path, update) = posted(&app, &ada).await;
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
    let (grant, expiry, seal) = (field("g"), field("e").parse::<i64>().unwrap(), field("s"));
    let other = url(&bob.get(&path).await.json(), 1, "original");
    let others_grant = other
        .split(['?', '&'])
        .find_map(|pair| pair.strip_prefix("g="))
        .unwrap();
    let turned = format!(
        "{}{}",
        if seal.starts_with('0') { '1' } else { '0' },
        &seal[1..]
    );
    for bad in [
        format!("{key}?g={grant}&e={}&s={seal}", expiry + 43_200),
        format!("{key}?g={others_grant}&e={expiry}&s={seal}"),
        format!("{key}?g={grant}&e={expiry}&s={turned}"),
        format!("{key}?g={grant}&e={expiry}&s="),
        format!("{key}?g={grant}&e={expiry}"),
        format!("{key}?g={grant}&e=soon&s={seal}"),
        format!("{key}?g=&e={expiry}&s={seal}"),
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
async fn an_address_is_the_same_when_it_is_rendered_again() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    app.person("Bob").await;
    let (path, update) = posted(&app, &ada).await;
    let again = ada.get(&path).await.json();
    // Only a boundary of twelve hours between the two changes them.
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
async fn an_address_dies_with_the_right_it_was_given_under() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let (path, update) = posted(&app, &ada).await;
    let nobody = app.client();

    // A session that was signed out.
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

    // A token that was ended.
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

    // A link that was revoked.
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

    // An audience one was taken out of.
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

    // The trash, for others than the author; back from it, it works again.
    ada.delete(&path).await.expect(204);
    nobody.get(&of_bob).await.problem(404);
    ada.put(&format!("{path}/restoration")).await.expect(200);
    nobody.get(&of_bob).await.expect(200);

    // A medium that was removed, for everyone.
    let (of_ada, id) = (
        url(&update, 0, "playable"),
        update["media"][0]["id"].as_str().unwrap(),
    );
    ada.delete(&format!("/media/{id}")).await.expect(204);
    for gone in [&of_bob, &of_ada] {
        nobody.get(gone).await.problem(404);
    }

    // A person who was deactivated.
    let of_bob = url(&bob.get(&path).await.json(), 0, "original");
    let admin = app.admin("Root").await;
    admin
        .patch(&format!("/people/{}", bob.id), json!({ "active": false }))
        .await
        .expect(200);
    nobody.get(&of_bob).await.problem(404);
}

#[actix_web::test]
async fn the_original_of_a_recording_is_its_authors_alone() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let (path, update) = posted(&app, &ada).await;
    let others = bob.get(&path).await.json();
    let names: Vec<&str> = others["media"][0]["renditions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["h264", "playable", "poster", "thumbnail"]);
    // Not even under the key, with an own grant.
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
    // Of a picture it is what everyone sees.
    bob.get(&url(&others, 1, "original")).await.expect(200);
}

#[actix_web::test]
async fn a_medium_that_is_removed_leaves_no_byte_behind() {
    let app = TestApp::start().await;
    let (ada, bob, eve) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Eve").await,
    );
    let (path, update) = posted(&app, &ada).await;
    let ids: Vec<&str> = update["media"]
        .as_array()
        .unwrap()
        .iter()
        .map(|media| media["id"].as_str().unwrap())
        .collect();
    assert_eq!(
        app.objects().await.len(),
        7,
        "five of the recording, two of the picture"
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
    app.jobs_done().await;
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
    app.jobs_done().await;
    assert_eq!(app.objects().await.len(), 2);
    ada.delete("/trash").await.expect(204);
    app.jobs_done().await;
    assert_eq!(app.objects().await, [""; 0]);
}

#[actix_web::test]
async fn redirected_media_comes_from_the_bucket_and_only_while_one_may() {
    if !postgres() {
        return;
    }
    let app =
        TestApp::start_with(|config| config.delivery = hearback::config::Delivery::Redirect).await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let (path, update) = posted(&app, &ada).await;
    let address = url(&update, 0, "original");
    let answer = app.client().get(&address).await.expect(302);
    assert_eq!(answer.header("cache-control"), "private, no-store");
    let there = answer.header("location").to_owned();
    assert!(
        there.starts_with(&std::env::var("HEARBACK_TEST_S3_ENDPOINT").unwrap()),
        "{there}"
    );
    let part = ranged(&app.client(), &there, &[("range", "bytes=1000-1999")])
        .await
        .expect(206);
    assert!(part.body == fixture("rec-vp8-opus-3s.webm")[1000..2000]);
    assert_eq!(part.header("content-type"), "video/webm");
    // A download keeps its name, so it passes through.
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
    // Pages may load from there.
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
async fn signing_in_again_does_not_bring_an_old_address_back() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    app.person("Bob").await;
    let (path, _) = posted(&app, &ada).await;
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
