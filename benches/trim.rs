//! Measures how long it takes to trim a ten-minute recording at key frames and between key frames
//! and, for comparison, to make a seekable copy of the whole recording and to re-encode it. The
//! README states the results.
//!
//! Needs only ffmpeg. Run it with: `cargo bench --bench trim`
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use hearback::infra::video::Tools;

/// How many times each cut is measured. The result is the shortest time, which is the least affected by other load.
const ROUNDS: usize = 3;
/// The ranges to keep, in milliseconds. The first begins at a key frame, and the second begins between two key
/// frames. `(0, 0)` keeps the whole recording.
const CUTS: [(&str, (i64, i64)); 3] = [
    ("at key frames", (60_000, 540_000)),
    ("start between key frames", (60_450, 540_000)),
    ("seekable copy of all", (0, 0)),
];

/// Creates a ten-minute recording by repeating a twelve-second clip, which begins with a key frame.
/// The recording is 720p VP9 with Opus audio, like recordings from browsers.
fn recording(folder: &Path) -> std::path::PathBuf {
    let (part, whole) = (folder.join("part.webm"), folder.join("whole.webm"));
    let ffmpeg = |words: &[&str], to: &Path| {
        let made = Command::new("ffmpeg")
            .args(["-y", "-v", "error"])
            .args(words)
            .arg(to)
            .status()
            .unwrap();
        assert!(made.success());
    };
    let pictures = [
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=1280x720:r=30:d=12",
        "-f",
        "lavfi",
        "-i",
        "sine=f=440:d=12",
    ];
    let coding = [
        "-c:v",
        "libvpx-vp9",
        "-deadline",
        "realtime",
        "-cpu-used",
        "8",
        "-lag-in-frames",
        "0",
        "-auto-alt-ref",
        "0",
        "-g",
        "30",
    ];
    let rest = [
        "-keyint_min",
        "30",
        "-b:v",
        "1500k",
        "-c:a",
        "libopus",
        "-b:a",
        "96k",
    ];
    ffmpeg(&[pictures.as_slice(), &coding, &rest].concat(), &part);
    ffmpeg(
        &[
            "-stream_loop",
            "49",
            "-i",
            part.to_str().unwrap(),
            "-c",
            "copy",
        ],
        &whole,
    );
    whole
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let whole = recording(folder.path());
        let tools = Tools::detect(None).await;
        let probe = tools.probe(&whole).await.unwrap();
        let mut best = [Duration::MAX; CUTS.len() + 1];
        for round in 0..ROUNDS {
            for (number, (_, stretch)) in CUTS.iter().enumerate() {
                let began = Instant::now();
                match stretch {
                    (0, 0) => tools.seekable(&whole, &probe, folder.path()).await.unwrap(),
                    stretch => tools
                        .cut(&whole, &probe, *stretch, folder.path())
                        .await
                        .unwrap(),
                };
                best[number] = best[number].min(began.elapsed());
            }
            // Re-encoding takes minutes, so measure it only once.
            if round == 0 {
                let began = Instant::now();
                tools.h264(&whole, &probe, folder.path()).await.unwrap();
                best[CUTS.len()] = began.elapsed();
            }
        }
        let reencoded = best[CUTS.len()].as_secs_f64();
        let names = CUTS
            .iter()
            .map(|(name, _)| *name)
            .chain(["everything re-encoded (H.264)"]);
        for (name, took) in names.zip(best) {
            println!(
                "{name:32} {:8.2} s   1/{:.0}",
                took.as_secs_f64(),
                reencoded / took.as_secs_f64()
            );
        }
    });
}
