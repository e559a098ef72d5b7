//! Exact copies: their properties follow from the original, and a large file is copied while it is being probed.

use super::samples::{ffmpeg, source};
use super::*;

/// Recordings, and files of cameras and other programs, whose packets are copied.
const COPIED: [&str; 14] = [
    "rec-vp9-opus-10s.webm",
    "rec-vp8-opus-3s.webm",
    "rec-av1-opus-3s.webm",
    "rec-vp9-noaudio-4s.webm",
    "rec-mp4-avc1-opus-5s.mp4",
    "bad-truncated.webm",
    "vp9-untagged-720.webm",
    "poster-bt709.webm",
    "odd-3x2000.webm",
    "moov-at-end.mov",
    "movtext.mp4",
    "mkv-srt.mkv",
    "low5fps-bframes-aac.mp4",
    "iphone-9streams.mov",
];

/// Everything but the timeline and the duration.
fn description(probe: &Probe) -> String {
    format!(
        "{} × {} ({} stored), {}, {:?}, {:?}, {}, {:?}, {:?}, {}, {:?}, {}, streams {} and {:?}",
        probe.width,
        probe.height,
        probe.stored_height,
        probe.video,
        probe.audio,
        probe.container,
        probe.pixel_format,
        probe.color_tags,
        probe.text_streams,
        probe.hides_frames,
        probe.lost_audio,
        probe.open_edits,
        probe.video_stream,
        probe.audio_stream
    )
}

fn assert_about(name: &str, what: &str, is: f64, wanted: f64) {
    assert!(
        (is - wanted).abs() <= 0.1,
        "{name}: {what}: {is}, not {wanted}"
    );
}

#[tokio::test]
async fn properties_of_a_copy_follow_from_those_of_the_original() {
    let tools = tools().await;
    for name in COPIED {
        let dir = tempfile::tempdir().unwrap();
        let probe = tools.probe(&fixture(name)).await.unwrap();
        let made = tools
            .seekable(&fixture(name), &probe, dir.path())
            .await
            .unwrap();
        let container = made.probe.container;
        let proven = check_output::is_proven_by_header(&made.path, container, &probe).await;
        // Matroska states no decoding times, so the delay that its B-frames cause in the MP4 file is not explained.
        assert_eq!(proven.unwrap(), name != "mkv-srt.mkv", "{name}");
        let measured = tools.probe(&made.path).await.unwrap();
        assert_eq!(description(&made.probe), description(&measured), "{name}");
        let (derived, actual) = (made.probe.timeline, measured.timeline);
        assert_about(name, "origin", derived.origin, actual.origin);
        assert_about(name, "end", derived.end, actual.end);
        assert_about(name, "first frame", derived.video.first, actual.video.first);
        assert_about(name, "last frame", derived.video.last, actual.video.last);
        assert_eq!(derived.video.shown, actual.video.shown, "{name}");
        assert_eq!(
            derived.is_copied_exactly(),
            actual.is_copied_exactly(),
            "{name}"
        );
    }
}

/// Returns whether the copy that is begun early is the one that is made later.
async fn is_copied_early(tools: &Tools, path: &Path) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let early = copy_early(tools.toolchain().unwrap(), path, dir.path()).await;
    let Ok(Some((start, early))) = early else {
        return false;
    };
    let probe = tools.probe(path).await.unwrap();
    if !probe.is_copied_like(&start) {
        return false;
    }
    let out = tempfile::tempdir().unwrap();
    let late = tools.seekable(path, &probe, out.path()).await.unwrap();
    for stream in ["v:0", "a:0"] {
        assert_eq!(
            hashes(&early, stream),
            hashes(&late.path, stream),
            "{}",
            path.display()
        );
    }
    true
}

#[tokio::test]
async fn early_copy_has_the_packets_of_the_later_copy() {
    let tools = tools().await;
    for name in COPIED {
        assert!(is_copied_early(&tools, &fixture(name)).await, "{name}");
    }
}

#[tokio::test]
async fn early_copy_is_discarded_if_the_rest_of_the_file_changes_what_is_copied() {
    let tools = tools().await;
    let dir = tempfile::tempdir().unwrap();
    let plain = source(dir.path(), &[], "source.mp4");
    let late_audio = dir.path().join("late-audio.mkv");
    let plain = plain.to_str().unwrap();
    ffmpeg(
        &[
            "-i",
            plain,
            "-itsoffset",
            "5",
            "-i",
            plain,
            "-map",
            "0:v",
            "-map",
            "1:a",
            "-c",
            "copy",
        ],
        &late_audio,
    );
    for path in [
        late_audio,
        fixture("editlist-hidden5s.mp4"),
        fixture("pcm-only.mov"),
    ] {
        assert!(!is_copied_early(&tools, &path).await, "{}", path.display());
    }
}

#[tokio::test]
async fn large_file_is_probed_completely_before_its_copy_is_accepted() {
    let tools = tools().await;
    let dir = tempfile::tempdir().unwrap();
    let large = dir.path().join("large.mkv");
    let noise = "color=gray:s=1280x720:r=10:d=6,noise=alls=100:allf=t+u";
    ffmpeg(
        &[
            "-f",
            "lavfi",
            "-i",
            noise,
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-qp",
            "24",
        ],
        &large,
    );
    let length = std::fs::metadata(&large).unwrap().len();
    assert!(length >= LARGE_FILE, "{length}");
    let made = tools.probe_and_copy(&large, dir.path()).await.unwrap();
    assert_eq!((made.extension, made.duration_ms), ("mp4", Some(6_000)));
    assert_eq!(hashes(&made.path, "v:0").len(), 60);

    // The late sound is found only after the copy has begun.
    let late = dir.path().join("late.mkv");
    let sound = [
        "-itsoffset",
        "4",
        "-f",
        "lavfi",
        "-i",
        "sine=d=2",
        "-c:a",
        "aac",
    ];
    ffmpeg(
        &[
            &["-i", large.to_str().unwrap()][..],
            &sound,
            &["-c:v", "copy"],
        ]
        .concat(),
        &late,
    );
    let made = tools.probe_and_copy(&late, dir.path()).await.unwrap();
    let measured = tools.probe(&made.path).await.unwrap();
    assert_eq!(measured.audio.as_deref(), Some("aac"));
}
