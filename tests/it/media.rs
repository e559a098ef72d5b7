//! Serving media: headers, access to originals, and removal. The submodules test ranges and signed
//! addresses.

mod addresses;
mod order;
mod ranges;

use serde_json::{Value, json};

use crate::app::{Client, Response, TestApp, email, fixture};

/// Publishes an update by Ada for Bob with a recording and a picture, and waits until both are ready. Returns the
/// path and the JSON of the update.
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
async fn media_is_served_with_sandbox_headers() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    app.person("Bob").await;
    let (_, update) = publish(&app, &ada).await;
    for (media, name, media_type) in [
        (0, "playable", "video/webm"),
        (0, "poster", "image/jpeg"),
        (0, "h264", "video/mp4"),
        (1, "original", "image/png"),
        (1, "thumbnail", "image/jpeg"),
    ] {
        let url = url(&update, media, name);
        let response = app.client().get(&url).await.expect(200);
        assert_eq!(response.header("content-type"), media_type, "{name}");
        assert_eq!(response.header("x-content-type-options"), "nosniff");
        let policy = response.header("content-security-policy");
        assert!(policy.starts_with("sandbox; default-src 'none'"));
        // Browsers must revalidate the media with the server before each use, because access can
        // end. The server responds with 304 if the media is unchanged.
        assert_eq!(response.header("cache-control"), "private, no-cache");
        let disposition = response.header("content-disposition");
        assert!(disposition.starts_with("inline; filename*=UTF-8''"));
        assert!(response.headers.get("set-cookie").is_none());
        let download = app.client().get(&format!("{url}&download")).await;
        let download = download.expect(200);
        let disposition = download.header("content-disposition");
        assert!(disposition.starts_with("attachment; filename*=UTF-8''"));
    }
    let original = url(&update, 0, "original");
    let named = app.client().get(&original).await.expect(200);
    assert_eq!(
        named.header("content-disposition"),
        "inline; filename*=UTF-8''rundgang%20%C3%BC%20%F0%9F%8E%AC.webm"
    );
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
    // The signature in the address of another rendition does not give access to the original.
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
    // Everyone with access to the update can get the original of a picture, unlike the original of a recording.
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
    let id = update["media"][0]["id"].as_str().unwrap();
    let recording = format!("/media/{id}");
    assert_eq!(
        app.objects().await.len(),
        7,
        "five objects of the recording and two of the picture"
    );
    eve.get(&recording).await.problem(404);
    eve.delete(&recording).await.problem(404);
    bob.delete(&recording).await.problem(403);
    let comment = json!({ "body": "Here", "media_id": id, "at_ms": 500 });
    let comment = bob
        .post(&format!("{path}/comments"), comment)
        .await
        .expect(201)
        .json();

    ada.delete(&recording).await.expect(204);
    ada.get(&recording).await.problem(404);
    app.wait_for_jobs().await;
    assert_eq!(app.objects().await.len(), 2);
    let kept = format!("/comments/{}", comment["id"].as_str().unwrap());
    let kept = ada.get(&kept).await.json();
    assert_eq!(
        (&kept["body"], &kept["anchor"], &kept["media_id"]),
        (&json!("Here"), &Value::Null, &Value::Null)
    );

    ada.delete(&path).await.expect(204);
    app.wait_for_jobs().await;
    assert_eq!(app.objects().await.len(), 2);
    ada.delete("/trash").await.expect(204);
    app.wait_for_jobs().await;
    assert_eq!(app.objects().await, [""; 0]);
}
