//! Redaction and cropping. Old addresses of the picture stop working immediately. As soon as the picture is visible
//! again, no stored file contains the removed pixels.

mod crop;
mod interruptions;
pub mod stored_bytes;

use std::io::Cursor;
use std::path::Path;

use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use hearback::config::StorageLocation;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};

use self::stored_bytes::items_with_secret;
use crate::app::{Client, Response, TestApp, postgres, s3};
use crate::markup::{put_markup, rendition};

/// The name of a bucket in which versioning is enabled.
const BUCKET: &str = "hearback-versioned";

/// The color of the secret. No other pixel of the test pictures has a similar color, even after
/// JPEG compression.
const SECRET: Rgb<u8> = Rgb([10, 220, 20]);

/// Makes a gray picture of 800 × 600 pixels. A pattern in the secret color fills the area from x =
/// 200 to 400 and from y = 150 to 250.
fn secret(format: ImageFormat) -> Vec<u8> {
    let mut image = RgbImage::from_pixel(800, 600, Rgb([200, 200, 200]));
    for (x, y) in (200..400).flat_map(|x| (150..250).map(move |y| (x, y))) {
        if (x / 10 + y / 10) % 2 == 0 {
            image.put_pixel(x, y, SECRET);
        }
    }
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(image)
        .write_to(&mut bytes, format)
        .unwrap();
    bytes.into_inner()
}

/// Returns a redaction that covers exactly the secret.
fn cover() -> Value {
    json!({ "kind": "redaction", "box": [0.25, 0.25, 0.25, 0.16666666666666666] })
}

/// Starts a server. With PostgreSQL and S3, the server uses the bucket with versioning.
async fn start() -> TestApp {
    if !postgres() {
        return TestApp::start().await;
    }
    let s3 = s3();
    // Ignore the error if another test has already created the bucket.
    let _ = s3.create_bucket().bucket(BUCKET).send().await;
    let on = VersioningConfiguration::builder()
        .status(BucketVersioningStatus::Enabled)
        .build();
    s3.put_bucket_versioning()
        .bucket(BUCKET)
        .versioning_configuration(on)
        .send()
        .await
        .unwrap();
    TestApp::start_with(|config| {
        let StorageLocation::S3 { prefix, .. } = &config.storage else {
            panic!("the storage is not S3")
        };
        config.storage = StorageLocation::S3 {
            bucket: BUCKET.into(),
            prefix: prefix.clone(),
        };
    })
    .await
}

/// A server with an update by Ada for Ben. The only picture of the update contains the secret.
struct Scene {
    app: TestApp,
    ada: Client,
    ben: Client,
    update: String,
    media: String,
}

impl Scene {
    async fn new() -> Self {
        Self::on(start().await).await
    }

    async fn on(app: TestApp) -> Self {
        let (ada, ben) = (app.person("Ada").await, app.person("Ben").await);
        let update = publish(&ada).await;
        let media = upload_by_form(&ada, &update, "secret.png", secret(ImageFormat::Png)).await;
        app.wait_for_jobs().await;
        Self {
            app,
            ada,
            ben,
            update,
            media,
        }
    }
}

async fn publish(ada: &Client) -> String {
    ada.update(
        json!({ "title": "T", "audience": ["ben@example.org"], "expectation": "acknowledge" }),
    )
    .await
}

/// Uploads a picture to the update with a multipart form. Returns the path of the picture.
async fn upload_by_form(ada: &Client, update: &str, name: &str, bytes: Vec<u8>) -> String {
    let added = ada
        .upload(&format!("{update}/media"), &[], &[("media", name, bytes)])
        .await
        .expect(201)
        .json();
    format!("/media/{}", added["items"][0]["id"].as_str().unwrap())
}

/// Uploads a picture to the update with tus, in two requests. Returns the path of the picture.
async fn upload_by_tus(ada: &Client, update: &str, bytes: &[u8]) -> String {
    let base64 = |text: &str| data_encoding::BASE64.encode(text.as_bytes());
    let about = format!(
        "filename {},update {}",
        base64("secret.png"),
        base64(update.trim_start_matches("/updates/"))
    );
    let tus = |method: &str, path: &str| {
        ada.request(method, path)
            .header("tus-resumable", "1.0.0")
            .header("content-type", "application/offset+octet-stream")
    };
    let (first, rest) = bytes.split_at(bytes.len() / 2);
    let begun = tus("POST", "/uploads")
        .header("upload-length", bytes.len().to_string())
        .header("upload-metadata", about);
    let begun = Response::fetch(begun.body(first.to_vec()))
        .await
        .expect(201);
    let path = format!(
        "/uploads/{}",
        begun.header("location").rsplit_once('/').unwrap().1
    );
    Response::fetch(
        tus("PATCH", &path)
            .header("upload-offset", first.len().to_string())
            .body(rest.to_vec()),
    )
    .await
    .expect(204);
    format!("/media/{}", begun.header("hearback-media"))
}

/// Uploads a picture with the secret to the update. `way` selects the format and the method: a PNG
/// with a form, a JPEG with a form, or a PNG with tus.
async fn upload_secret(ada: &Client, update: &str, way: &str) -> String {
    let png = secret(ImageFormat::Png);
    match way {
        "png" => upload_by_form(ada, update, "secret.png", png).await,
        "jpeg" => upload_by_form(ada, update, "secret.jpg", secret(ImageFormat::Jpeg)).await,
        _ => upload_by_tus(ada, update, &png).await,
    }
}

fn urls(media: &Value) -> Vec<String> {
    media["renditions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rendition| rendition["url"].as_str().unwrap().to_owned())
        .collect()
}

async fn original(client: &Client, media: &str) -> Vec<u8> {
    let shown = client.get(media).await.expect(200).json();
    client
        .get(
            rendition(&shown, "original").unwrap()["url"]
                .as_str()
                .unwrap(),
        )
        .await
        .expect(200)
        .body
}

/// Asserts that the PNG has no metadata except a color profile, and no bytes after its end.
fn assert_minimal_png(png: &[u8]) {
    let (mut at, mut kinds) = (8, Vec::new());
    while at < png.len() {
        let length = u32::from_be_bytes(png[at..at + 4].try_into().unwrap()) as usize;
        kinds.push(String::from_utf8_lossy(&png[at + 4..at + 8]).into_owned());
        at += 12 + length;
    }
    assert_eq!(at, png.len());
    assert_eq!(kinds.last().unwrap(), "IEND");
    assert!(
        kinds
            .iter()
            .all(|kind| ["IHDR", "IDAT", "IEND", "iCCP"].contains(&kind.as_str())),
        "{kinds:?}"
    );
}

#[actix_web::test]
async fn no_stored_file_contains_redacted_pixels() {
    let app = start().await;
    let (ada, ben) = (app.person("Ada").await, app.person("Ben").await);
    let update = publish(&ada).await;
    let mark = step_at(0.9);
    for way in ["png", "jpeg", "tus"] {
        let media = upload_secret(&ada, &update, way).await;
        put_markup(&ada, &media, 0, json!([mark])).await.expect(200);
        app.wait_for_jobs().await;
        let before = ben.get(&media).await.json();
        assert_eq!(urls(&before).len(), 3, "{before}");
        let places = items_with_secret(&app).await;
        assert!(
            places.len() >= 3,
            "the secret is in the picture, its copy with markup and its thumbnail: {places:?}"
        );
        leave_unfinished_files(&app);

        let saved = put_markup(&ada, &media, 1, json!([mark, cover()]))
            .await
            .expect(200)
            .json();
        assert_eq!(
            (
                &saved["revision"],
                saved["shapes"].as_array().unwrap().len()
            ),
            (&json!(2), 1),
            "a redaction is not listed as a shape"
        );
        assert_eq!(
            items_with_secret(&app).await,
            [""; 0],
            "the secret is deleted before any job has run"
        );
        app.wait_for_jobs().await;
        assert_eq!(items_with_secret(&app).await, [""; 0]);
        for url in urls(&before) {
            ben.get(&url).await.problem(404);
            ada.get(&url).await.problem(404);
        }
        let after = ben.get(&media).await.json();
        assert_eq!(
            (&after["state"], &after["width"], &after["height"]),
            (&json!("ready"), &json!(800), &json!(600))
        );
        assert_eq!(urls(&after).len(), 3);
        assert_covered(&original(&ben, &media).await);
    }
}

/// Returns a shape of the kind `step`. `place` is its distance from the left and top edges, as a fraction of the
/// picture's size.
fn step_at(place: f64) -> Value {
    json!({ "kind": "step", "at": [place, place], "number": 1 })
}

/// Writes old temporary files that contain the secret, like those that a killed process leaves
/// behind.
fn leave_unfinished_files(app: &TestApp) {
    for name in ["tmp/killed", "media/tmp/killed"] {
        let path = app.dir.path().join(name);
        if path.parent().is_some_and(Path::exists) {
            std::fs::write(&path, secret(ImageFormat::Png)).unwrap();
            let file = std::fs::File::options().append(true).open(&path).unwrap();
            file.set_modified(std::time::SystemTime::UNIX_EPOCH)
                .unwrap();
        }
    }
}

/// Asserts that only the secret and a margin around it are covered, and that the file has no metadata.
fn assert_covered(bytes: &[u8]) {
    let image = image::load_from_memory(bytes).unwrap().to_rgb8();
    let dark = |x, y| image.get_pixel(x, y).0.iter().all(|channel| *channel < 12);
    assert!(
        dark(200, 150) && dark(399, 249) && dark(198, 148),
        "the margin is covered too"
    );
    assert!(!dark(150, 120) && !dark(450, 300));
    if bytes.starts_with(b"\x89PNG") {
        assert_minimal_png(bytes);
        assert!(!dark(196, 146));
    } else {
        assert!(bytes.ends_with(b"\xff\xd9") && !bytes.windows(4).any(|window| window == b"Exif"));
    }
}

#[actix_web::test]
async fn redaction_makes_acknowledgements_stale() {
    let Scene {
        app: _app,
        ada,
        ben,
        update,
        media,
    } = Scene::new().await;
    ben.put(&format!("{update}/acknowledgement"))
        .await
        .expect(200);
    put_markup(&ada, &media, 0, json!([cover()]))
        .await
        .expect(200);
    let shown = ben.get(&update).await.json();
    assert_eq!(shown["my_receipt"]["state"], "stale");
    assert_eq!(
        shown["what_changed"],
        "Part of a picture was made unreadable."
    );
    // Sending the same redaction again does not ask for new answers.
    let revision = shown["revision"].clone();
    put_markup(&ada, &media, 0, json!([cover()]))
        .await
        .expect(200);
    assert_eq!(ben.get(&update).await.json()["revision"], revision);
}
