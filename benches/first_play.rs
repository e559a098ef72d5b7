//! Measures how long it takes from a finished upload of a recording until the seekable copy can be played, compared
//! with a bare `ffmpeg -c copy` of the same file. The recordings resemble those of browsers: WebM without a duration
//! and an index, and fragmented MP4.
//!
//! Needs only ffmpeg. Run it with: `cargo bench --bench first_play`
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    unused_imports,
    unreachable_pub,
    missing_docs
)]

#[path = "../tests/it/app/mod.rs"]
mod app;
mod peer;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use app::{Client, TestApp};
use peer::{Pair, median};

/// How many times each recording is uploaded.
const ROUNDS: usize = 7;
/// The recordings: how many ten-second parts they consist of, and their name.
const RECORDINGS: [(u32, &str); 3] = [(1, "10 s"), (12, "2 min"), (180, "30 min")];
/// The longest acceptable time is the peer's time multiplied by this factor, plus [`ALLOWED_SECONDS`].
const ALLOWED_FACTOR: f64 = 1.3;
const ALLOWED_SECONDS: f64 = 0.15;

/// Counts the recordings whose upload was replaced by a seekable copy. There is only one recording at a time.
const COPIED: &str = "SELECT count(*) FROM renditions p JOIN renditions o ON o.media_id = p.media_id \
    AND o.name = 'original' AND o.key <> p.key WHERE p.name = 'playable'";

/// How the recordings of a container are encoded, and how ffmpeg writes them as a browser does.
struct Format {
    extension: &'static str,
    encode: &'static [&'static str],
    write: &'static [&'static str],
}

#[rustfmt::skip]
const FORMATS: [Format; 2] = [
    Format {
        extension: "webm",
        encode: &["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-lag-in-frames", "0",
            "-auto-alt-ref", "0", "-g", "100", "-b:v", "1000k", "-c:a", "libopus", "-b:a", "96k"],
        write: &["-live", "1"],
    },
    Format {
        extension: "mp4",
        encode: &["-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "30", "-b:v", "1000k",
            "-maxrate", "1000k", "-bufsize", "2000k", "-c:a", "aac", "-b:a", "96k"],
        write: &["-movflags", "+frag_keyframe+empty_moov+default_base_moof"],
    },
];

#[actix_web::main]
async fn main() {
    let app = TestApp::start().await;
    // Keep the H.264 copies from being made, because they would take minutes of processor time.
    app.execute(
        "CREATE TRIGGER no_conversion AFTER INSERT ON jobs WHEN new.kind = 'convert'
         BEGIN DELETE FROM jobs WHERE id = new.id; END",
    )
    .await;
    let ada = app.person("Ada").await;
    println!(
        "\n{:14} {:22} {:22} {:20}  allowed",
        "recording", "  first play", "  ffmpeg -c copy", "  ratio"
    );
    for format in FORMATS {
        let part = encode_part(app.dir.path(), &format);
        for (parts, name) in RECORDINGS {
            let recording = repeat(&part, parts, &format);
            let mut pair = Pair::default();
            // The first round only warms up caches.
            for round in 0..=ROUNDS {
                let (ours, peer) = (
                    first_play(&app, &ada, &recording).await,
                    copy(&recording, app.dir.path()),
                );
                if round > 0 {
                    pair.ours.push(ours);
                    pair.peers.push(peer);
                }
            }
            let allowed = ALLOWED_FACTOR * median(&pair.peers) + ALLOWED_SECONDS;
            let name = format!("{name}, {}", format.extension);
            println!("{name:14} {}   {allowed:.2} s", pair.row());
            std::fs::remove_file(recording).unwrap();
        }
    }
}

fn ffmpeg(words: &[&str], output: &Path) {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-y", "-v", "error"]);
    let status = command.args(words).arg(output).status().unwrap();
    assert!(status.success());
}

fn encode_part(dir: &Path, format: &Format) -> PathBuf {
    let part = dir.join("part").with_extension(format.extension);
    let pictures = ["-f", "lavfi", "-i", "testsrc2=s=1280x720:r=30:d=10"];
    let sound = ["-f", "lavfi", "-i", "sine=f=440:d=10"];
    ffmpeg(&[&pictures[..], &sound, format.encode].concat(), &part);
    part
}

/// Makes a recording that consists of this number of copies of `part`.
fn repeat(part: &Path, number: u32, format: &Format) -> PathBuf {
    let recording = part
        .with_file_name("recording")
        .with_extension(format.extension);
    let repetitions = (number - 1).to_string();
    let input = [
        "-stream_loop",
        &repetitions,
        "-i",
        part.to_str().unwrap(),
        "-c",
        "copy",
    ];
    ffmpeg(&[&input[..], format.write].concat(), &recording);
    recording
}

/// Uploads the recording, and returns the seconds from the response until the seekable copy has replaced the upload.
async fn first_play(app: &TestApp, author: &Client, recording: &Path) -> f64 {
    let name = recording.file_name().unwrap().to_str().unwrap();
    let file = ("media", name, std::fs::read(recording).unwrap());
    let response = author
        .upload("/updates", &[("title", "Recording")], &[file])
        .await;
    let began = Instant::now();
    let update = response.expect(201).json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    app.wait_until("seekable copy", async || app.count(COPIED).await > 0)
        .await;
    let seconds = began.elapsed().as_secs_f64();
    app.wait_for_jobs().await;
    author.delete(&format!("/updates/{update}")).await;
    app.execute("UPDATE updates SET trashed_at = 1 WHERE trashed_at IS NOT NULL")
        .await;
    app.state.sweep().await.unwrap();
    app.wait_for_jobs().await;
    seconds
}

/// Copies the recording with ffmpeg, and returns how many seconds it takes.
fn copy(recording: &Path, dir: &Path) -> f64 {
    let output = dir
        .join("copy")
        .with_extension(recording.extension().unwrap());
    let began = Instant::now();
    ffmpeg(&["-i", recording.to_str().unwrap(), "-c", "copy"], &output);
    let seconds = began.elapsed().as_secs_f64();
    std::fs::remove_file(output).unwrap();
    seconds
}
