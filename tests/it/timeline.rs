//! Copies of recordings follow the presentation timeline. No copy contains frames that an edit list hides. All copies
//! have the same timestamps.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::app::{Client, TestApp, email, fixture};
use crate::frames::{pictures, shown_at};

/// Publishes an update by Ada for Bob with this fixture, and waits until the fixture is processed. Returns the path of
/// the media and the JSON that Ada gets.
async fn publish(app: &TestApp, ada: &Client, name: &str) -> (String, Value) {
    let fields = [("title", "T"), ("audience", &*email("Bob"))];
    let update = ada
        .upload("/updates", &fields, &[("media", name, fixture(name))])
        .await
        .expect(201)
        .json();
    app.wait_for_jobs().await;
    let path = format!("/media/{}", update["media"][0]["id"].as_str().unwrap());
    let media = ada.get(&path).await.expect(200).json();
    assert_eq!(media["state"], "ready", "{name}: {media}");
    (path, media)
}

fn names(media: &Value) -> Vec<&str> {
    media["renditions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect()
}

/// Downloads a rendition into a file.
async fn download(app: &TestApp, media: &Value, name: &str) -> PathBuf {
    let found = media["renditions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == name);
    let address = found.unwrap_or_else(|| panic!("{name} of {media}"))["url"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = app.dir.path().join(name);
    std::fs::write(&path, app.client().get(&address).await.expect(200).body).unwrap();
    path
}

/// Returns the duration in the container's header, in milliseconds.
fn container_ms(path: &Path) -> i64 {
    let output = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-show_entries",
            "format=duration",
            "-of",
            "csv=p=0",
        ])
        .arg(path)
        .output()
        .unwrap();
    (String::from_utf8(output.stdout)
        .unwrap()
        .trim()
        .parse::<f64>()
        .unwrap()
        * 1000.0)
        .round() as i64
}

#[actix_web::test]
async fn served_copies_do_not_contain_frames_that_an_edit_list_hides() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    for (name, long) in [("editlist-hidden5s.mp4", 3_000), ("qt-trim.mov", 2_134)] {
        let (path, media) = publish(&app, &ada, name).await;
        let ms = media["duration_ms"].as_i64().unwrap();
        assert!((ms - long).abs() <= 100, "{name}: {ms} ms");
        let seen = bob.get(&path).await.expect(200).json();
        assert!(!names(&seen).contains(&"original"), "{name}: {seen}");
        for rendition in names(&seen) {
            let file = download(&app, &seen, rendition).await;
            let is_video = matches!(rendition, "playable" | "h264");
            // Ignore the edit list of the copy, so that ffmpeg also reads the frames that the edit list hides.
            let input: &[&str] = if is_video {
                &["-ignore_editlist", "1"]
            } else {
                &[]
            };
            let inside = pictures(&file, input);
            assert!(
                !inside.is_empty() && inside.iter().all(|(_, second)| (5..=7).contains(second)),
                "{name} {rendition}: {inside:?}"
            );
            if is_video {
                let shown = pictures(&file, &[]);
                assert_eq!(
                    [0.5, 1.5].map(|at| shown_at(&shown, at)),
                    [5, 6],
                    "{name} {rendition}"
                );
                assert!(
                    shown[0].0.abs() < 0.034,
                    "{name} {rendition} begins at {}",
                    shown[0].0
                );
                let says = container_ms(&file);
                assert!((says - long).abs() <= 100, "{name} {rendition}: {says} ms");
            }
        }
    }
}

#[actix_web::test]
async fn trim_times_refer_to_presentation_time_when_the_file_has_an_edit_list() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let (path, _) = publish(&app, &ada, "editlist-hidden5s.mp4").await;
    ada.json(
        "PUT",
        &format!("{path}/trim"),
        &json!({ "from_ms": 1_000, "to_ms": 2_500 }),
    )
    .await
    .expect(200);
    app.wait_for_jobs().await;
    let seen = bob.get(&path).await.expect(200).json();
    assert_eq!(
        (&seen["state"], &seen["duration_ms"]),
        (&json!("ready"), &json!(1_500))
    );
    let file = download(&app, &seen, "playable").await;
    let inside = pictures(&file, &["-ignore_editlist", "1"]);
    assert!(
        inside.iter().all(|(_, second)| [6, 7].contains(second)),
        "{inside:?}"
    );
    assert_eq!([0.5, 1.2].map(|at| shown_at(&inside, at)), [6, 7]);
    assert!((container_ms(&file) - 1_500).abs() <= 100);

    ada.delete(&format!("{path}/trim")).await.expect(200);
    app.wait_for_jobs().await;
    let seen = bob.get(&path).await.expect(200).json();
    let inside = pictures(
        &download(&app, &seen, "playable").await,
        &["-ignore_editlist", "1"],
    );
    assert!(
        inside.iter().all(|(_, second)| (5..=7).contains(second)),
        "{inside:?}"
    );
}

#[actix_web::test]
async fn served_copies_of_a_low_frame_rate_video_start_at_zero_and_last_as_long_as_the_api_says() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    app.person("Bob").await;
    for (name, long, every) in [
        ("low1fps-bframes.mp4", 11, 1),
        ("low5fps-bframes-aac.mp4", 11, 1),
        ("sparse5s-bframes.mp4", 40, 5),
    ] {
        let (_, media) = publish(&app, &ada, name).await;
        assert!(
            (media["duration_ms"].as_i64().unwrap() - long * 1_000).abs() <= 100,
            "{name}: {media}"
        );
        let file = download(&app, &media, "playable").await;
        let (shown, says) = (pictures(&file, &[]), container_ms(&file));
        assert!((says - long * 1_000).abs() <= 100, "{name}: {says} ms");
        for second in 0..long {
            // The brightness of a frame encodes its second. From second 12 on, all frames are white, and white stands
            // for second 12.
            assert_eq!(
                shown_at(&shown, second as f64 + 0.1),
                (second / every * every).min(12),
                "{name}"
            );
        }
    }
}

#[actix_web::test]
async fn trim_within_a_still_section_has_the_requested_length() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let (path, _) = publish(&app, &ada, "sparse5s-bframes.mp4").await;
    // The source has a single frame between 5 s and 10 s. The trim begins and ends within that span.
    let (from, to) = (5_500, 9_500);
    ada.json(
        "PUT",
        &format!("{path}/trim"),
        &json!({ "from_ms": from, "to_ms": to }),
    )
    .await
    .expect(200);
    app.wait_for_jobs().await;
    let seen = bob.get(&path).await.expect(200).json();
    assert_eq!(
        (&seen["state"], &seen["duration_ms"]),
        (&json!("ready"), &json!(to - from))
    );
    let file = download(&app, &seen, "playable").await;
    let says = container_ms(&file);
    assert!((says - (to - from)).abs() <= 100, "{says} ms");
    let shown = pictures(&file, &[]);
    assert_eq!([0.1, 3.8].map(|at| shown_at(&shown, at)), [5, 5]);
}

/// Creates an eight-second video with sound. Its edit lists begin at second 3 of the video and state a duration of
/// `seconds`.
fn video_with_edits(dir: &Path, name: &str, seconds: u32, fragmented: bool) -> Vec<u8> {
    let path = dir.join(name);
    let pictures = "color=gray:s=64x48:r=10:d=8,format=yuv420p,geq=lum='16+219*20*(floor(T)+1)/255':cb=128:cr=128";
    let words = [
        "-v", "error", "-f", "lavfi", "-i", pictures, "-f", "lavfi", "-i", "sine=d=8", "-c:v",
        "libx264", "-g", "10", "-bf", "2",
    ];
    let flags = if fragmented {
        "+frag_keyframe+delay_moov"
    } else {
        "+faststart"
    };
    let made = Command::new("ffmpeg")
        .args(words)
        .args(["-c:a", "aac", "-use_editlist", "1", "-movflags", flags])
        .arg(&path)
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let mut bytes = std::fs::read(&path).unwrap();
    let places = |kind: &[u8]| {
        (0..bytes.len() - 4)
            .filter(|at| bytes[*at..].starts_with(kind))
            .collect::<Vec<_>>()
    };
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    let (lists, media) = (places(b"elst"), places(b"mdhd"));
    let movie_scale = number(places(b"mvhd")[0] + 16);
    assert_eq!((lists.len(), media.len()), (2, 2), "{name}");
    // The position of the first entry in each edit list, and the duration and media time to write there. An `elst`
    // box has its version, flags and number of entries before the first entry (ISO/IEC 14496-12 §8.6.6).
    let edits: Vec<_> = lists
        .iter()
        .zip(&media)
        .map(|(list, media)| (list + 12, seconds * movie_scale, 3 * number(media + 16)))
        .collect();
    for (at, duration, begin) in edits {
        bytes[at..at + 8].copy_from_slice(&[duration.to_be_bytes(), begin.to_be_bytes()].concat());
    }
    bytes
}

async fn assert_presents_the_last_five_seconds(name: &str, seconds: u32, fragmented: bool) {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let bytes = video_with_edits(app.dir.path(), name, seconds, fragmented);
    let update = ada
        .upload("/updates", &[("title", "T")], &[("media", name, bytes)])
        .await
        .expect(201)
        .json();
    app.wait_for_jobs().await;
    let media = ada
        .get(&format!(
            "/media/{}",
            update["media"][0]["id"].as_str().unwrap()
        ))
        .await
        .expect(200)
        .json();
    assert_eq!(media["state"], "ready", "{name}: {media}");
    let duration = media["duration_ms"].as_i64().unwrap();
    // Decoding begins up to 0.2 s before the first shown frame, so the copy can be up to 5.2 s long.
    assert!((5_000..=5_250).contains(&duration), "{name}: {duration}");
    let file = download(&app, &media, "playable").await;
    assert!(
        (container_ms(&file) - duration).abs() <= 100,
        "{name}: {}",
        container_ms(&file)
    );
    let inside = pictures(&file, &["-ignore_editlist", "1"]);
    assert!(
        inside.iter().all(|(_, second)| (2..=7).contains(second)),
        "{name}: {inside:?}"
    );
    assert_eq!(
        [0.5, 1.5, 2.5, 3.5, 4.5].map(|at| shown_at(&inside, at)),
        [3, 4, 5, 6, 7],
        "{name}"
    );
}

#[actix_web::test]
async fn edit_list_entry_that_is_longer_than_its_media_ends_with_the_media() {
    assert_presents_the_last_five_seconds("long.mp4", 20, false).await;
}

#[actix_web::test]
async fn edit_list_entry_with_duration_zero_lasts_until_the_end_of_the_media() {
    assert_presents_the_last_five_seconds("zero.mp4", 0, false).await;
    assert_presents_the_last_five_seconds("zero-fragmented.mp4", 0, true).await;
}
