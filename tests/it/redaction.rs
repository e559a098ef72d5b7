//! What is redacted or cropped is gone: from the addresses at once, from every stored byte before anything is shown again.

use std::io::Cursor;
use std::path::Path;

use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use hearback::config::Place;
use hearback::markup::{self, Saved, Sent};
use hearback::people::Viewer;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};

use crate::app::{Answer, Client, TestApp, files, postgres, s3};
use crate::markup::{put, rendition};

/// A bucket that keeps every version.
const BUCKET: &str = "hearback-versioned";
/// Nothing else in these pictures has this colour, also after a JPEG has been made of them.
const SECRET: Rgb<u8> = Rgb([10, 220, 20]);

/// 800 × 600, grey, with a pattern of the secret colour at 200–400 × 150–250.
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

/// What covers the secret, to the pixel.
fn cover() -> Value {
    json!({ "kind": "redaction", "box": [0.25, 0.25, 0.25, 0.16666666666666666] })
}

/// On PostgreSQL and S3: with a bucket of its own, which keeps versions.
async fn start() -> TestApp {
    if !postgres() {
        return TestApp::start().await;
    }
    let s3 = s3();
    // There already, from another test of this run.
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
        let Place::S3 { prefix, .. } = &config.storage else {
            panic!("a bucket was asked for")
        };
        config.storage = Place::S3 {
            bucket: BUCKET.into(),
            prefix: prefix.clone(),
        };
    })
    .await
}

/// Every byte that the service stores: each file of its folder, each version of each object, each row of each table.
async fn stored(app: &TestApp) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<(String, Vec<u8>)> = files(app.dir.path())
        .into_iter()
        .map(|path| (path.clone(), std::fs::read(path).unwrap_or_default()))
        .collect();
    if postgres() {
        let Place::S3 { bucket, prefix } = &app.state.config.storage else {
            panic!("no bucket")
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
                // Deleted since it was listed.
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
        assert!(begun.uploads().is_empty(), "unfinished parts");
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

/// Where these bytes begin.
fn starts<'a>(bytes: &'a [u8], beginning: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let first = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == beginning[0]);
    first
        .map(|(at, _)| at)
        .filter(|at| bytes[*at..].starts_with(beginning))
}

/// Where the secret is still seen: every picture that begins anywhere in what is stored is decoded.
async fn seen(app: &TestApp) -> Vec<String> {
    let all = stored(app).await;
    // Not here: the server shares this thread, and would hear nothing meanwhile.
    tokio::task::spawn_blocking(move || showing(all))
        .await
        .unwrap()
}

fn showing(all: Vec<(String, Vec<u8>)>) -> Vec<String> {
    const BEGINNINGS: [(&[u8], ImageFormat); 3] = [
        (b"\x89PNG\r\n\x1a\n", ImageFormat::Png),
        (b"\xff\xd8\xff", ImageFormat::Jpeg),
        (b"RIFF", ImageFormat::WebP),
    ];
    let mut seen = Vec::new();
    for (name, bytes) in all {
        for (beginning, format) in BEGINNINGS {
            let shows = starts(&bytes, beginning).any(|at| {
                let image = image::load_from_memory_with_format(&bytes[at..], format);
                image.is_ok_and(|image| {
                    image
                        .to_rgb8()
                        .pixels()
                        .any(|Rgb([red, green, blue])| *green > 150 && *red < 110 && *blue < 110)
                })
            });
            if shows {
                seen.push(format!("{name} ({format:?})"));
            }
        }
        // Encoded in a text it would be no picture, and yet there.
        for trace in ["iVBORw0KGgo", "/9j/4"] {
            assert_eq!(
                starts(&bytes, trace.as_bytes()).next(),
                None,
                "{name} has a picture in a text"
            );
        }
    }
    seen
}

async fn update(ada: &Client) -> String {
    ada.update(
        json!({ "title": "T", "audience": ["ben@example.org"], "expectation": "acknowledge" }),
    )
    .await
}

/// Adds a picture as a form does.
async fn added(ada: &Client, update: &str, name: &str, bytes: Vec<u8>) -> String {
    let added = ada
        .upload(&format!("{update}/media"), &[], &[("media", name, bytes)])
        .await
        .expect(201)
        .json();
    format!("/media/{}", added["items"][0]["id"].as_str().unwrap())
}

/// Adds a picture by tus, in two requests.
async fn uploaded(ada: &Client, update: &str, bytes: &[u8]) -> String {
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
    let begun = Answer::of(begun.body(first.to_vec())).await.expect(201);
    let path = format!(
        "/uploads/{}",
        begun.header("location").rsplit_once('/').unwrap().1
    );
    Answer::of(
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

/// Nothing stands behind the end of a PNG, and nothing in it but what it needs.
fn bare(png: &[u8]) {
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
async fn no_pixel_of_what_was_redacted_is_left_in_any_stored_byte() {
    let app = start().await;
    let (ada, ben) = (app.person("Ada").await, app.person("Ben").await);
    let update = update(&ada).await;
    let mark = json!({ "kind": "step", "at": [0.9, 0.9], "number": 1 });
    for way in ["png", "jpeg", "tus"] {
        let media = match way {
            "png" => added(&ada, &update, "secret.png", secret(ImageFormat::Png)).await,
            "jpeg" => added(&ada, &update, "secret.jpg", secret(ImageFormat::Jpeg)).await,
            _ => uploaded(&ada, &update, &secret(ImageFormat::Png)).await,
        };
        put(&ada, &media, 0, json!([mark])).await.expect(200);
        app.jobs_done().await;
        let before = ben.get(&media).await.json();
        assert_eq!(urls(&before).len(), 3, "{before}");
        let places = seen(&app).await;
        assert!(
            places.len() >= 3,
            "the secret is in the picture, what is drawn of it and its thumbnail: {places:?}"
        );
        // What a process that was killed leaves: half-made files, and an object that a job was about to tell of.
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

        let saved = put(&ada, &media, 1, json!([mark, cover()]))
            .await
            .expect(200)
            .json();
        assert_eq!(
            (
                saved["revision"].clone(),
                saved["shapes"].as_array().unwrap().len()
            ),
            (json!(2), 1),
            "a redaction is in no list"
        );
        assert_eq!(seen(&app).await, [""; 0], "before any job has run");
        app.jobs_done().await;
        assert_eq!(seen(&app).await, [""; 0]);
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
            "the margin too"
        );
        assert!(!dark(150, 120) && !dark(450, 300));
        if bytes.starts_with(b"\x89PNG") {
            bare(&bytes);
            assert!(!dark(196, 146));
        } else {
            assert!(
                bytes.ends_with(b"\xff\xd9") && !bytes.windows(4).any(|window| window == b"Exif")
            );
        }
    }
}

#[actix_web::test]
async fn a_picture_that_was_being_drawn_on_meanwhile_is_deleted_when_it_comes() {
    let app = start().await;
    let (ada, _) = (app.person("Ada").await, app.person("Ben").await);
    let media = added(
        &ada,
        &update(&ada).await,
        "secret.png",
        secret(ImageFormat::Png),
    )
    .await;
    put(
        &ada,
        &media,
        0,
        json!([{ "kind": "step", "at": [0.9, 0.9], "number": 1 }]),
    )
    .await
    .expect(200);
    app.jobs_done().await;
    let shop = &app.state.intake.shop;
    let task =
        json!({ "media": media.trim_start_matches("/media/"), "generation": 1, "revision": 1 })
            .to_string();
    let drawn = markup::draw(shop, &task)
        .await
        .unwrap()
        .expect("the picture is there");
    put(&ada, &media, 1, json!([cover()])).await.expect(200);
    assert_eq!(seen(&app).await, [""; 0]);
    // What a worker had in hand and stores only now.
    drawn.commit(shop).await.unwrap();
    assert_eq!(seen(&app).await, [""; 0]);
    assert!(
        markup::draw(shop, &task).await.unwrap().is_none(),
        "and what begins only now finds another picture"
    );
    app.jobs_done().await;
    assert_eq!(urls(&ada.get(&media).await.json()).len(), 2);
}

/// Hides the picture as a request does that is killed before it has destroyed anything.
async fn killed(app: &TestApp, ada: &Client, media: &str, shapes: Value) {
    let sent = Sent::read(&shapes, &Value::Null, &app.state.intake.shop.font).unwrap();
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
    assert_eq!(saved, Saved::Hidden);
    tx.commit().await.unwrap();
}

#[actix_web::test]
async fn what_a_killed_server_had_hidden_stays_hidden_until_a_job_has_destroyed_it() {
    let app = start().await;
    let (ada, ben) = (app.person("Ada").await, app.person("Ben").await);
    let media = added(
        &ada,
        &update(&ada).await,
        "secret.png",
        secret(ImageFormat::Png),
    )
    .await;
    app.jobs_done().await;
    let before = ben.get(&media).await.json();
    killed(&app, &ada, &media, json!([cover()])).await;
    let hidden = ben.get(&media).await.json();
    assert_eq!(
        (&hidden["state"], &hidden["renditions"]),
        (&json!("processing"), &json!([]))
    );
    for url in urls(&before) {
        ada.get(&url).await.problem(404);
    }
    put(
        &ada,
        &media,
        0,
        json!([{ "kind": "step", "at": [0, 0], "number": 1 }]),
    )
    .await
    .problem(409);
    assert!(!seen(&app).await.is_empty());
    app.state.clock.advance(61_000);
    app.execute("UPDATE jobs SET attempts = 40 WHERE kind = 'burn'")
        .await;
    app.wait_for(&ada, &media, |media| media["state"] == "ready")
        .await;
    app.jobs_done().await;
    assert_eq!(seen(&app).await, [""; 0]);
    assert_eq!(
        ada.get(&format!("{media}/markup")).await.json()["revision"],
        1
    );
    // Whoever asked and heard nothing asks again: it is done.
    assert_eq!(
        put(&ada, &media, 0, json!([cover()]))
            .await
            .expect(200)
            .json()["revision"],
        1
    );
}

#[actix_web::test]
async fn a_hidden_picture_that_is_removed_leaves_nothing() {
    let app = start().await;
    let (ada, _) = (app.person("Ada").await, app.person("Ben").await);
    let media = added(
        &ada,
        &update(&ada).await,
        "secret.png",
        secret(ImageFormat::Png),
    )
    .await;
    app.jobs_done().await;
    killed(&app, &ada, &media, json!([cover()])).await;
    ada.delete(&media).await.expect(204);
    app.state.clock.advance(61_000);
    app.jobs_done().await;
    assert_eq!(seen(&app).await, [""; 0]);
    assert_eq!(app.count("SELECT count(*) FROM burns").await, 0);
}

#[actix_web::test]
async fn while_storage_is_away_the_picture_is_hidden_and_the_same_request_finishes_it() {
    let (app, away, back) = crate::failures::with_loose_storage().await;
    let (ada, ben) = (app.person("Ada").await, app.person("Ben").await);
    let media = added(
        &ada,
        &update(&ada).await,
        "secret.png",
        secret(ImageFormat::Png),
    )
    .await;
    app.jobs_done().await;
    let before = ben.get(&media).await.json();
    away(&app);
    let refused = put(&ada, &media, 0, json!([cover()])).await;
    let problem = refused.problem(503);
    assert!(
        problem["detail"].as_str().unwrap().contains("hidden"),
        "{problem}"
    );
    assert!(refused.header("retry-after").parse::<u64>().is_ok());
    assert_eq!(ben.get(&media).await.json()["state"], "processing");
    back(&app);
    app.until("storage is back", async || {
        ada.get("/readyz").await.status == 200
    })
    .await;
    for url in urls(&before) {
        ada.get(&url).await.problem(404);
    }
    assert_eq!(
        put(&ada, &media, 0, json!([cover()]))
            .await
            .expect(200)
            .json()["revision"],
        1
    );
    app.jobs_done().await;
    assert_eq!(seen(&app).await, [""; 0]);
    assert_eq!(ben.get(&media).await.json()["state"], "ready");
}

#[actix_web::test]
async fn of_redactions_at_once_one_is_done_and_nothing_of_any_is_left() {
    let app = start().await;
    let (ada, _) = (app.person("Ada").await, app.person("Ben").await);
    let update = update(&ada).await;
    for same in [true, false] {
        let media = added(&ada, &update, "secret.png", secret(ImageFormat::Png)).await;
        app.jobs_done().await;
        let more = json!({ "kind": "redaction", "box": [0.0, 0.0, 0.1, 0.1] });
        let (one, two) = (
            json!([cover()]),
            if same {
                json!([cover()])
            } else {
                json!([cover(), more])
            },
        );
        let (one, two) = futures_util::join!(put(&ada, &media, 0, one), put(&ada, &media, 0, two));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, if same { [200, 200] } else { [200, 409] });
        assert_eq!(ada.get(&media).await.json()["state"], "ready");
        assert_eq!(
            ada.get(&format!("{media}/markup")).await.json()["revision"],
            1
        );
    }
    app.jobs_done().await;
    assert_eq!(seen(&app).await, [""; 0]);
    assert_eq!(app.count("SELECT count(*) FROM burns").await, 0);
}

#[actix_web::test]
async fn redacting_what_was_answered_asks_again() {
    let app = start().await;
    let (ada, ben) = (app.person("Ada").await, app.person("Ben").await);
    let update = update(&ada).await;
    let media = added(&ada, &update, "secret.png", secret(ImageFormat::Png)).await;
    ben.put(&format!("{update}/acknowledgement"))
        .await
        .expect(200);
    put(&ada, &media, 0, json!([cover()])).await.expect(200);
    let shown = ben.get(&update).await.json();
    assert_eq!(shown["my_receipt"]["state"], "stale");
    assert_eq!(
        shown["what_changed"],
        "Something in a picture was made unreadable."
    );
    // Said again, nobody is asked again.
    let revision = shown["revision"].clone();
    put(&ada, &media, 0, json!([cover()])).await.expect(200);
    assert_eq!(ben.get(&update).await.json()["revision"], revision);
}

#[actix_web::test]
async fn a_crop_destroys_what_is_outside_and_moves_what_is_left() {
    let app = start().await;
    let (ada, ben) = (app.person("Ada").await, app.person("Ben").await);
    let update = update(&ada).await;
    let media = added(&ada, &update, "secret.png", secret(ImageFormat::Png)).await;
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
    assert!(!seen(&app).await.is_empty());
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
    assert_eq!(seen(&app).await, [""; 0]);
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
    app.jobs_done().await;
    assert_eq!(seen(&app).await, [""; 0]);
}

#[actix_web::test]
async fn what_was_written_outside_a_crop_is_in_no_stored_byte() {
    let app = start().await;
    let (ada, _) = (app.person("Ada").await, app.person("Ben").await);
    let media = added(
        &ada,
        &update(&ada).await,
        "secret.png",
        secret(ImageFormat::Png),
    )
    .await;
    let written = json!([{ "kind": "text", "at": [0.1, 0.1], "text": "Kurbelwelle" }]);
    put(&ada, &media, 0, written.clone()).await.expect(200);
    app.jobs_done().await;
    let found = async || {
        stored(&app)
            .await
            .iter()
            .any(|(_, bytes)| starts(bytes, b"Kurbelwelle").next().is_some())
    };
    assert!(found().await);
    let cropped = json!({ "revision": 1, "crop": [0.5, 0.5, 0.5, 0.5], "shapes": written });
    ada.json("PUT", &format!("{media}/markup"), &cropped)
        .await
        .expect(200);
    app.jobs_done().await;
    app.state.sweep().await.unwrap();
    assert!(!found().await);
}

#[actix_web::test]
async fn a_crop_that_leaves_next_to_nothing_is_refused() {
    let app = start().await;
    let (ada, _) = (app.person("Ada").await, app.person("Ben").await);
    let media = added(
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
