//! Redaction and cropping: old addresses end at once, and no stored byte shows the removed pixels when the picture is shown again.

use std::io::Cursor;
use std::path::Path;

use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use hearback::config::StorageLocation;
use hearback::markup::{self, MarkupInput, PutOutcome};
use hearback::people::Viewer;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};

use crate::app::{Client, Response, TestApp, files, postgres, s3};
use crate::cable::DetachableStorage;
use crate::markup::{put_markup, rendition};

/// A bucket with versioning.
const BUCKET: &str = "hearback-versioned";
/// No other pixel of the test pictures has a similar colour, even after JPEG compression.
const SECRET: Rgb<u8> = Rgb([10, 220, 20]);

/// Makes a grey picture of 800 × 600 with a pattern in the secret colour at x 200–400, y 150–250.
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

/// A redaction that covers exactly the secret.
fn cover() -> Value {
    json!({ "kind": "redaction", "box": [0.25, 0.25, 0.25, 0.16666666666666666] })
}

/// Starts the server. On PostgreSQL and S3 it uses a bucket with versioning.
async fn start() -> TestApp {
    if !postgres() {
        return TestApp::start().await;
    }
    let s3 = s3();
    // Another test of this run may have created it.
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

/// Returns all stored bytes by name: each file of the data folder, each version of each object and each table.
async fn stored(app: &TestApp) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<(String, Vec<u8>)> = files(app.dir.path())
        .into_iter()
        .map(|path| (path.clone(), std::fs::read(path).unwrap_or_default()))
        .collect();
    if postgres() {
        let StorageLocation::S3 { bucket, prefix } = &app.state.config.storage else {
            panic!("the storage is not S3")
        };
        let s3 = s3();
        let listed = s3
            .list_object_versions()
            .bucket(bucket)
            .prefix(prefix)
            .send()
            .await
            .unwrap();
        for version in listed.versions() {
            let (key, id) = (version.key().unwrap(), version.version_id().unwrap());
            let object = match s3
                .get_object()
                .bucket(bucket)
                .key(key)
                .version_id(id)
                .send()
                .await
            {
                Ok(object) => object,
                // Deleted after it was listed.
                Err(error)
                    if error.as_service_error().is_some_and(
                        aws_sdk_s3::operation::get_object::GetObjectError::is_no_such_key,
                    ) =>
                {
                    continue;
                }
                Err(error) => panic!("{error:?}"),
            };
            let body = object.body.collect().await.unwrap();
            all.push((format!("{key} {id}"), body.into_bytes().to_vec()));
        }
        let begun = s3
            .list_multipart_uploads()
            .bucket(bucket)
            .prefix(prefix)
            .send()
            .await
            .unwrap();
        assert!(begun.uploads().is_empty(), "multipart uploads are left");
        let mut connection = app.state.db.read().await.unwrap();
        let tables: Vec<String> = sqlx::query_scalar(
            "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'",
        )
        .fetch_all(&mut *connection)
        .await
        .unwrap();
        for table in tables {
            let rows = format!("SELECT coalesce(string_agg(r::text, ' '), '') FROM {table} r");
            let text: String = sqlx::query_scalar(sqlx::AssertSqlSafe(rows))
                .fetch_one(&mut *connection)
                .await
                .unwrap();
            all.push((table, text.into_bytes()));
        }
    }
    all
}

/// Returns the offsets of `beginning` in `bytes`.
fn positions<'a>(bytes: &'a [u8], beginning: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let first = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == beginning[0]);
    first
        .map(|(at, _)| at)
        .filter(|at| bytes[*at..].starts_with(beginning))
}

/// Returns the names of the stored items that show the secret. Decodes every picture that begins anywhere in the stored bytes.
async fn items_with_secret(app: &TestApp) -> Vec<String> {
    let all = stored(app).await;
    // On another thread, because the server runs on this one.
    tokio::task::spawn_blocking(move || find_secret(all))
        .await
        .unwrap()
}

fn find_secret(all: Vec<(String, Vec<u8>)>) -> Vec<String> {
    const BEGINNINGS: [(&[u8], ImageFormat); 3] = [
        (b"\x89PNG\r\n\x1a\n", ImageFormat::Png),
        (b"\xff\xd8\xff", ImageFormat::Jpeg),
        (b"RIFF", ImageFormat::WebP),
    ];
    let mut found = Vec::new();
    for (name, bytes) in all {
        for (beginning, format) in BEGINNINGS {
            let shows = positions(&bytes, beginning).any(|at| {
                let image = image::load_from_memory_with_format(&bytes[at..], format);
                image.is_ok_and(|image| {
                    image
                        .to_rgb8()
                        .pixels()
                        .any(|Rgb([red, green, blue])| *green > 150 && *red < 110 && *blue < 110)
                })
            });
            if shows {
                found.push(format!("{name} ({format:?})"));
            }
        }
        // A picture in Base64 is not decoded above, so look for its first letters.
        for prefix in ["iVBORw0KGgo", "/9j/4"] {
            assert_eq!(
                positions(&bytes, prefix.as_bytes()).next(),
                None,
                "{name} has a picture in Base64"
            );
        }
    }
    found
}

async fn update(ada: &Client) -> String {
    ada.update(
        json!({ "title": "T", "audience": ["ben@example.org"], "expectation": "acknowledge" }),
    )
    .await
}

/// Adds a picture with a multipart form. Returns its path.
async fn upload_by_form(ada: &Client, update: &str, name: &str, bytes: Vec<u8>) -> String {
    let added = ada
        .upload(&format!("{update}/media"), &[], &[("media", name, bytes)])
        .await
        .expect(201)
        .json();
    format!("/media/{}", added["items"][0]["id"].as_str().unwrap())
}

/// Adds a picture by tus in two requests. Returns its path.
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

/// Asserts that a PNG has only the necessary chunks and nothing after its end.
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
async fn redacted_pixels_are_in_no_stored_byte() {
    let app = start().await;
    let (ada, ben) = (app.person("Ada").await, app.person("Ben").await);
    let update = update(&ada).await;
    let mark = json!({ "kind": "step", "at": [0.9, 0.9], "number": 1 });
    for way in ["png", "jpeg", "tus"] {
        let media = match way {
            "png" => upload_by_form(&ada, &update, "secret.png", secret(ImageFormat::Png)).await,
            "jpeg" => upload_by_form(&ada, &update, "secret.jpg", secret(ImageFormat::Jpeg)).await,
            _ => upload_by_tus(&ada, &update, &secret(ImageFormat::Png)).await,
        };
        put_markup(&ada, &media, 0, json!([mark])).await.expect(200);
        app.wait_for_jobs().await;
        let before = ben.get(&media).await.json();
        assert_eq!(urls(&before).len(), 3, "{before}");
        let places = items_with_secret(&app).await;
        assert!(
            places.len() >= 3,
            "the secret is in the picture, its marked copy and its thumbnail: {places:?}"
        );
        // Unfinished files of a hide_without_deleting process.
        let old = std::time::SystemTime::UNIX_EPOCH;
        let half = [
            app.dir.path().join("tmp/killed"),
            app.dir.path().join("media/tmp/killed"),
        ];
        for path in half
            .iter()
            .filter(|path| path.parent().is_some_and(Path::exists))
        {
            std::fs::write(path, secret(ImageFormat::Png)).unwrap();
            std::fs::File::options()
                .append(true)
                .open(path)
                .unwrap()
                .set_modified(old)
                .unwrap();
        }

        let saved = put_markup(&ada, &media, 1, json!([mark, cover()]))
            .await
            .expect(200)
            .json();
        assert_eq!(
            (
                saved["revision"].clone(),
                saved["shapes"].as_array().unwrap().len()
            ),
            (json!(2), 1),
            "a redaction is not listed as a shape"
        );
        assert_eq!(
            items_with_secret(&app).await,
            [""; 0],
            "before any job has run"
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
        let bytes = original(&ben, &media).await;
        let image = image::load_from_memory(&bytes).unwrap().to_rgb8();
        let dark = |x, y| image.get_pixel(x, y).0.iter().all(|channel| *channel < 12);
        assert!(
            dark(200, 150) && dark(399, 249) && dark(198, 148),
            "the margin is covered too"
        );
        assert!(!dark(150, 120) && !dark(450, 300));
        if bytes.starts_with(b"\x89PNG") {
            assert_minimal_png(&bytes);
            assert!(!dark(196, 146));
        } else {
            assert!(
                bytes.ends_with(b"\xff\xd9") && !bytes.windows(4).any(|window| window == b"Exif")
            );
        }
    }
}

#[actix_web::test]
async fn marked_copy_that_was_rendered_during_a_redaction_is_deleted() {
    let app = start().await;
    let (ada, _) = (app.person("Ada").await, app.person("Ben").await);
    let media = upload_by_form(
        &ada,
        &update(&ada).await,
        "secret.png",
        secret(ImageFormat::Png),
    )
    .await;
    put_markup(
        &ada,
        &media,
        0,
        json!([{ "kind": "step", "at": [0.9, 0.9], "number": 1 }]),
    )
    .await
    .expect(200);
    app.wait_for_jobs().await;
    let ctx = &app.state.uploads.media;
    let task =
        json!({ "media": media.trim_start_matches("/media/"), "generation": 1, "revision": 1 })
            .to_string();
    let drawn = markup::flatten(ctx, &task)
        .await
        .unwrap()
        .expect("the picture is there");
    put_markup(&ada, &media, 1, json!([cover()]))
        .await
        .expect(200);
    assert_eq!(items_with_secret(&app).await, [""; 0]);
    // A worker stores a copy that it rendered before the redaction.
    drawn.commit(ctx).await.unwrap();
    assert_eq!(items_with_secret(&app).await, [""; 0]);
    assert!(
        markup::flatten(ctx, &task).await.unwrap().is_none(),
        "a job that starts now finds another picture"
    );
    app.wait_for_jobs().await;
    assert_eq!(urls(&ada.get(&media).await.json()).len(), 2);
}

/// Hides the picture like a request whose server is killed before it deletes anything.
async fn hide_without_deleting(app: &TestApp, ada: &Client, media: &str, shapes: Value) {
    let sent = MarkupInput::parse(&shapes, &Value::Null, &app.state.uploads.media.font).unwrap();
    let token = ada.authorization().trim_start_matches("Bearer ");
    let person = hearback::people::viewer_by_token(&app.state.db, &app.state.clock, token)
        .await
        .unwrap()
        .unwrap();
    let mut tx = app.state.db.begin().await.unwrap();
    let id = media.trim_start_matches("/media/");
    let saved = markup::put(
        &mut tx,
        &app.state.clock,
        &Viewer::Person(person),
        id,
        (0, &sent),
        None,
    )
    .await
    .unwrap();
    assert_eq!(saved, PutOutcome::Hidden);
    tx.commit().await.unwrap();
}

#[actix_web::test]
async fn picture_hidden_before_a_crash_stays_hidden_until_a_job_redacts_it() {
    let app = start().await;
    let (ada, ben) = (app.person("Ada").await, app.person("Ben").await);
    let media = upload_by_form(
        &ada,
        &update(&ada).await,
        "secret.png",
        secret(ImageFormat::Png),
    )
    .await;
    app.wait_for_jobs().await;
    let before = ben.get(&media).await.json();
    hide_without_deleting(&app, &ada, &media, json!([cover()])).await;
    let hidden = ben.get(&media).await.json();
    assert_eq!(
        (&hidden["state"], &hidden["renditions"]),
        (&json!("processing"), &json!([]))
    );
    for url in urls(&before) {
        ada.get(&url).await.problem(404);
    }
    put_markup(
        &ada,
        &media,
        0,
        json!([{ "kind": "step", "at": [0, 0], "number": 1 }]),
    )
    .await
    .problem(409);
    assert!(!items_with_secret(&app).await.is_empty());
    app.state.clock.advance(61_000);
    app.execute("UPDATE jobs SET attempts = 40 WHERE kind = 'burn'")
        .await;
    app.wait_for(&ada, &media, |media| media["state"] == "ready")
        .await;
    app.wait_for_jobs().await;
    assert_eq!(items_with_secret(&app).await, [""; 0]);
    assert_eq!(
        ada.get(&format!("{media}/markup")).await.json()["revision"],
        1
    );
    // A client that got no response repeats its request and succeeds.
    assert_eq!(
        put_markup(&ada, &media, 0, json!([cover()]))
            .await
            .expect(200)
            .json()["revision"],
        1
    );
}

#[actix_web::test]
async fn hidden_picture_leaves_nothing_when_removed() {
    let app = start().await;
    let (ada, _) = (app.person("Ada").await, app.person("Ben").await);
    let media = upload_by_form(
        &ada,
        &update(&ada).await,
        "secret.png",
        secret(ImageFormat::Png),
    )
    .await;
    app.wait_for_jobs().await;
    hide_without_deleting(&app, &ada, &media, json!([cover()])).await;
    ada.delete(&media).await.expect(204);
    app.state.clock.advance(61_000);
    app.wait_for_jobs().await;
    assert_eq!(items_with_secret(&app).await, [""; 0]);
    assert_eq!(app.count("SELECT count(*) FROM burns").await, 0);
}

#[actix_web::test]
async fn redaction_hides_the_picture_during_a_storage_outage_until_retried() {
    let (app, storage) = DetachableStorage::start().await;
    let (ada, ben) = (app.person("Ada").await, app.person("Ben").await);
    let media = upload_by_form(
        &ada,
        &update(&ada).await,
        "secret.png",
        secret(ImageFormat::Png),
    )
    .await;
    app.wait_for_jobs().await;
    let before = ben.get(&media).await.json();
    storage.detach();
    let refused = put_markup(&ada, &media, 0, json!([cover()])).await;
    let problem = refused.problem(503);
    assert!(
        problem["detail"].as_str().unwrap().contains("hidden"),
        "{problem}"
    );
    assert!(refused.header("retry-after").parse::<u64>().is_ok());
    assert_eq!(ben.get(&media).await.json()["state"], "processing");
    storage.attach();
    app.wait_until("storage is back", async || {
        ada.get("/readyz").await.status == 200
    })
    .await;
    for url in urls(&before) {
        ada.get(&url).await.problem(404);
    }
    assert_eq!(
        put_markup(&ada, &media, 0, json!([cover()]))
            .await
            .expect(200)
            .json()["revision"],
        1
    );
    app.wait_for_jobs().await;
    assert_eq!(items_with_secret(&app).await, [""; 0]);
    assert_eq!(ben.get(&media).await.json()["state"], "ready");
}

#[actix_web::test]
async fn concurrent_redactions_leave_no_redacted_pixels() {
    let app = start().await;
    let (ada, _) = (app.person("Ada").await, app.person("Ben").await);
    let update = update(&ada).await;
    for same in [true, false] {
        let media = upload_by_form(&ada, &update, "secret.png", secret(ImageFormat::Png)).await;
        app.wait_for_jobs().await;
        let more = json!({ "kind": "redaction", "box": [0.0, 0.0, 0.1, 0.1] });
        let (one, two) = (
            json!([cover()]),
            if same {
                json!([cover()])
            } else {
                json!([cover(), more])
            },
        );
        let (one, two) = futures_util::join!(
            put_markup(&ada, &media, 0, one),
            put_markup(&ada, &media, 0, two)
        );
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, if same { [200, 200] } else { [200, 409] });
        assert_eq!(ada.get(&media).await.json()["state"], "ready");
        assert_eq!(
            ada.get(&format!("{media}/markup")).await.json()["revision"],
            1
        );
    }
    app.wait_for_jobs().await;
    assert_eq!(items_with_secret(&app).await, [""; 0]);
    assert_eq!(app.count("SELECT count(*) FROM burns").await, 0);
}

#[actix_web::test]
async fn redaction_makes_acknowledgements_stale() {
    let app = start().await;
    let (ada, ben) = (app.person("Ada").await, app.person("Ben").await);
    let update = update(&ada).await;
    let media = upload_by_form(&ada, &update, "secret.png", secret(ImageFormat::Png)).await;
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
        "Something in a picture was made unreadable."
    );
    // Repeating the redaction asks nobody again.
    let revision = shown["revision"].clone();
    put_markup(&ada, &media, 0, json!([cover()]))
        .await
        .expect(200);
    assert_eq!(ben.get(&update).await.json()["revision"], revision);
}

#[actix_web::test]
async fn crop_removes_outside_pixels_and_moves_remaining_shapes_and_anchors() {
    let app = start().await;
    let (ada, ben) = (app.person("Ada").await, app.person("Ben").await);
    let update = update(&ada).await;
    let media = upload_by_form(&ada, &update, "secret.png", secret(ImageFormat::Png)).await;
    let id = media.trim_start_matches("/media/");
    let comment = async |fields: Value| {
        let mut fields = fields;
        fields["media_id"] = id.into();
        fields["body"] = "b".into();
        format!(
            "/comments/{}",
            ben.post(&format!("{update}/comments"), fields)
                .await
                .expect(201)
                .json()["id"]
                .as_str()
                .unwrap()
        )
    };
    let inside = comment(json!({ "region": { "x": 0.75, "y": 0.75, "w": 0.25, "h": 0.25 } })).await;
    let across = comment(json!({ "region": { "x": 0.25, "y": 0.5, "w": 0.5, "h": 0.5 } })).await;
    let outside = comment(json!({ "region": { "x": 0.1, "y": 0.1, "w": 0.2, "h": 0.2 } })).await;
    let drawn = comment(
        json!({ "drawing": [{ "kind": "step", "at": [0.75, 0.75], "number": 1 }, { "kind": "step", "at": [0.1, 0.1], "number": 2 }] }),
    )
    .await;
    assert!(!items_with_secret(&app).await.is_empty());
    let body = json!({ "revision": 0, "crop": [0.5, 0.5, 0.5, 0.5], "shapes": [
        { "kind": "line", "from": [0.25, 0.75], "to": [1.0, 0.75], "width": 0.004 },
        { "kind": "rectangle", "box": [0.25, 0.25, 0.5, 0.5] },
        { "kind": "text", "at": [0.1, 0.1], "text": "gone" },
        { "kind": "freehand", "points": [[0.4, 0.6], [0.6, 0.6], [0.6, 0.4], [0.7, 0.4], [0.7, 0.6]] },
    ] });
    let saved = ada
        .json("PUT", &format!("{media}/markup"), &body)
        .await
        .expect(200)
        .json();
    let pen = |shape: Value| {
        let mut shape = shape;
        shape["color"] = "red".into();
        shape["width"] = 0.008.into();
        shape
    };
    assert_eq!(
        saved,
        json!({ "revision": 1, "crop": null, "shapes": [
        pen(json!({ "kind": "line", "from": [0.0, 0.5], "to": [1.0, 0.5] })),
        pen(json!({ "kind": "rectangle", "box": [0.0, 0.0, 0.5, 0.5] })),
        pen(json!({ "kind": "freehand", "points": [[0.0, 0.2], [0.2, 0.2], [0.2, 0.0]] })),
        pen(json!({ "kind": "freehand", "points": [[0.4, 0.0], [0.4, 0.2]] })),
    ] })
    );
    assert_eq!(items_with_secret(&app).await, [""; 0]);
    let after = ben.get(&media).await.json();
    assert_eq!(
        (&after["width"], &after["height"]),
        (&json!(400), &json!(300))
    );
    let anchor = async |path: &str| ben.get(path).await.expect(200).json()["anchor"].clone();
    assert_eq!(
        anchor(&inside).await["region"],
        json!({ "x": 0.5, "y": 0.5, "w": 0.5, "h": 0.5 })
    );
    assert_eq!(
        anchor(&across).await["region"],
        json!({ "x": 0.0, "y": 0.0, "w": 0.5, "h": 1.0 })
    );
    assert_eq!(anchor(&outside).await, Value::Null);
    let left = anchor(&drawn).await["drawing"].clone();
    assert_eq!(
        left,
        json!([pen(
            json!({ "kind": "step", "at": [0.5, 0.5], "number": 1 })
        )])
    );
    assert_eq!(ben.get(&outside).await.json()["body"], "b");
    app.wait_for_jobs().await;
    assert_eq!(items_with_secret(&app).await, [""; 0]);
}

#[actix_web::test]
async fn text_outside_a_crop_is_in_no_stored_byte() {
    let app = start().await;
    let (ada, _) = (app.person("Ada").await, app.person("Ben").await);
    let media = upload_by_form(
        &ada,
        &update(&ada).await,
        "secret.png",
        secret(ImageFormat::Png),
    )
    .await;
    let written = json!([{ "kind": "text", "at": [0.1, 0.1], "text": "Kurbelwelle" }]);
    put_markup(&ada, &media, 0, written.clone())
        .await
        .expect(200);
    app.wait_for_jobs().await;
    let found = async || {
        stored(&app)
            .await
            .iter()
            .any(|(_, bytes)| positions(bytes, b"Kurbelwelle").next().is_some())
    };
    assert!(found().await);
    let cropped = json!({ "revision": 1, "crop": [0.5, 0.5, 0.5, 0.5], "shapes": written });
    ada.json("PUT", &format!("{media}/markup"), &cropped)
        .await
        .expect(200);
    app.wait_for_jobs().await;
    app.state.sweep().await.unwrap();
    assert!(!found().await);
}

#[actix_web::test]
async fn crop_is_rejected_when_it_leaves_too_few_pixels() {
    let app = start().await;
    let (ada, _) = (app.person("Ada").await, app.person("Ben").await);
    let media = upload_by_form(
        &ada,
        &update(&ada).await,
        "secret.png",
        secret(ImageFormat::Png),
    )
    .await;
    let body = json!({ "revision": 0, "crop": [0.5, 0.5, 0.00001, 0.5], "shapes": [] });
    let problem = ada
        .json("PUT", &format!("{media}/markup"), &body)
        .await
        .problem(422);
    assert!(
        problem["errors"]["crop"]
            .as_str()
            .unwrap()
            .contains("leaves less than 16 pixels"),
        "{problem}"
    );
    assert_eq!(ada.get(&media).await.json()["width"], 800);
}
