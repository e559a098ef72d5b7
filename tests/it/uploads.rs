//! Uploads with forms: files are accepted and processed, or rejected without leaving anything behind.

mod colors;
mod end_markers;
mod forms;
mod names;
mod processing;
mod rejection;

use serde_json::Value;

use crate::app::{Client, Response, TestApp};

/// Uploads files as one update and waits until all jobs are done. Returns the media of the update.
async fn upload_and_process(
    app: &TestApp,
    author: &Client,
    files: &[(&str, &str, Vec<u8>)],
) -> Vec<Value> {
    let update = author
        .upload("/updates", &[("title", "Files")], files)
        .await
        .expect(201)
        .json();
    app.wait_for_jobs().await;
    author
        .get(&format!("/updates/{}", update["id"].as_str().unwrap()))
        .await
        .json()["media"]
        .as_array()
        .unwrap()
        .clone()
}

/// Returns the names of the renditions.
fn names(media: &Value) -> Vec<&str> {
    media["renditions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rendition| rendition["name"].as_str().unwrap())
        .collect()
}

fn rendition<'a>(media: &'a Value, name: &str) -> &'a Value {
    media["renditions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|rendition| rendition["name"] == name)
        .unwrap_or_else(|| panic!("{name} of {media}"))
}

/// Downloads a rendition.
async fn download(client: &Client, media: &Value, name: &str) -> Response {
    let url = rendition(media, name)["url"].as_str().unwrap().to_owned();
    client.get(&url).await.expect(200)
}

/// Asserts that no object remains, and that no row remains after a day.
async fn assert_nothing_remains(app: &TestApp) {
    app.wait_for_jobs().await;
    assert_eq!(app.objects().await, [""; 0], "objects remain");
    // The key of an interrupted write stays recorded for a day, because the storage may complete
    // the write late.
    app.state.clock.advance(25 * 3_600_000);
    app.state.sweep().await.unwrap();
    app.wait_for_jobs().await;
    for (table, rows) in [
        ("media", app.count("SELECT count(*) FROM media").await),
        (
            "renditions",
            app.count("SELECT count(*) FROM renditions").await,
        ),
        ("updates", app.count("SELECT count(*) FROM updates").await),
        (
            "loose objects",
            app.count("SELECT count(*) FROM loose_objects").await,
        ),
    ] {
        assert_eq!(rows, 0, "{table} remain");
    }
}
