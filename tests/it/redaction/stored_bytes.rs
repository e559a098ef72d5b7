//! Searches all stored bytes for the secret pixels.

use aws_sdk_s3::operation::get_object::GetObjectError;
use hearback::config::StorageLocation;
use image::{DynamicImage, ImageFormat, Rgb};

use crate::app::{TestApp, files, postgres, s3};

/// Returns the names of the stored items that contain a picture with the secret. Looks for pictures at every position
/// in the stored bytes.
pub async fn items_with_secret(app: &TestApp) -> Vec<String> {
    let all = stored(app).await;
    // Search on another thread, because the server runs on this one.
    tokio::task::spawn_blocking(move || find_secret(all))
        .await
        .unwrap()
}

/// Returns all stored items with their names and bytes. The items are the files in the data folder.
/// With PostgreSQL and S3, the tables and all versions of all objects are also items.
pub async fn stored(app: &TestApp) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<(String, Vec<u8>)> = files(app.dir.path())
        .into_iter()
        .map(|path| (path.clone(), std::fs::read(path).unwrap_or_default()))
        .collect();
    if postgres() {
        all.extend(object_versions(app).await);
        all.extend(tables(app).await);
    }
    all
}

/// Returns each version of each object. Asserts that no multipart upload is unfinished.
async fn object_versions(app: &TestApp) -> Vec<(String, Vec<u8>)> {
    let StorageLocation::S3 { bucket, prefix } = &app.state.config.storage else {
        panic!("the storage is not S3")
    };
    let s3 = s3();
    let listed = s3.list_object_versions().bucket(bucket).prefix(prefix);
    let mut all = Vec::new();
    for version in listed.send().await.unwrap().versions() {
        let (key, id) = (version.key().unwrap(), version.version_id().unwrap());
        let request = s3.get_object().bucket(bucket).key(key).version_id(id);
        let object = match request.send().await {
            Ok(object) => object,
            // The object was deleted after it was listed.
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetObjectError::is_no_such_key) =>
            {
                continue;
            }
            Err(error) => panic!("{error:?}"),
        };
        let body = object.body.collect().await.unwrap();
        all.push((format!("{key} {id}"), body.into_bytes().to_vec()));
    }
    let unfinished = s3.list_multipart_uploads().bucket(bucket).prefix(prefix);
    assert!(
        unfinished.send().await.unwrap().uploads().is_empty(),
        "unfinished multipart uploads remain"
    );
    all
}

/// Returns the text of each table of the PostgreSQL database.
async fn tables(app: &TestApp) -> Vec<(String, Vec<u8>)> {
    let mut connection = app.state.db.read().await.unwrap();
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    let mut tables = Vec::new();
    for name in names {
        let rows = format!("SELECT coalesce(string_agg(r::text, ' '), '') FROM {name} r");
        let text: String = sqlx::query_scalar(sqlx::AssertSqlSafe(rows))
            .fetch_one(&mut *connection)
            .await
            .unwrap();
        tables.push((name, text.into_bytes()));
    }
    tables
}

/// Returns the offsets of `beginning` in `bytes`.
pub fn positions<'a>(bytes: &'a [u8], beginning: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let first = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == beginning[0]);
    first
        .map(|(at, _)| at)
        .filter(|at| bytes[*at..].starts_with(beginning))
}

/// The first bytes of each file format in which pictures are stored.
const BEGINNINGS: [(&[u8], ImageFormat); 3] = [
    (b"\x89PNG\r\n\x1a\n", ImageFormat::Png),
    (b"\xff\xd8\xff", ImageFormat::Jpeg),
    (b"RIFF", ImageFormat::WebP),
];

fn find_secret(all: Vec<(String, Vec<u8>)>) -> Vec<String> {
    let mut found = Vec::new();
    for (name, bytes) in all {
        for (beginning, format) in BEGINNINGS {
            let shows_secret = positions(&bytes, beginning).any(|at| {
                image::load_from_memory_with_format(&bytes[at..], format)
                    .is_ok_and(|image| has_secret_color(&image))
            });
            if shows_secret {
                found.push(format!("{name} ({format:?})"));
            }
        }
        // The search above cannot find pictures in Base64, so look for the characters with which
        // Base64-encoded pictures begin.
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

/// Returns whether the picture has a pixel whose color is close to [`super::SECRET`].
fn has_secret_color(image: &DynamicImage) -> bool {
    image
        .to_rgb8()
        .pixels()
        .any(|Rgb([red, green, blue])| *green > 150 && *red < 110 && *blue < 110)
}
