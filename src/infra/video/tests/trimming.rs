//! Trimmed copies contain the requested frames and sound.

use std::process::Command;

use super::frames::numbers;
use super::*;

#[tokio::test]
async fn cut_contains_exactly_the_frames_of_the_requested_range() {
    let tools = tools().await;
    for (name, stretch, first, last) in [
        ("count.webm", (2_000, 5_000), 50, 124),
        ("count.webm", (2_280, 5_000), 57, 124),
        ("count.webm", (2_290, 4_997), 57, 124),
        ("count.webm", (2_285, 5_010), 57, 124),
        ("count.webm", (0, 1_530), 0, 37),
        ("count.webm", (5_040, 6_000), 126, 149),
        ("count.webm", (2_040, 2_640), 51, 65),
        ("count.mp4", (2_000, 4_000), 50, 99),
        ("count.mp4", (2_280, 5_080), 57, 126),
        ("count.mp4", (0, 3_080), 0, 76),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let probe = tools.probe(&fixture(name)).await.unwrap();
        let made = tools
            .cut(&fixture(name), &probe, stretch, dir.path())
            .await
            .unwrap();
        let numbers = numbers(&made.path);
        assert_eq!(
            numbers,
            (first..=last).collect::<Vec<_>>(),
            "{name} {stretch:?}"
        );
        let after = tools.probe(&made.path).await.unwrap();
        let (wanted, is) = (stretch.1 - stretch.0, after.duration_ms.unwrap());
        assert!((wanted - is).abs() <= 45, "{name} {stretch:?}: {is} ms");
        // Players show the duration from the container's header.
        let says = container_ms(&made.path);
        assert!(
            (wanted - says).abs() <= 45,
            "{name} {stretch:?}: {says} ms in the container"
        );
        assert_eq!(
            (made.width, made.height, made.duration_ms),
            (160, 32, Some(wanted))
        );
    }
}

#[tokio::test]
async fn cut_is_frame_accurate_when_key_frames_are_far_apart() {
    let tools = tools().await;
    let dir = tempfile::tempdir().unwrap();
    let apart = dir.path().join("apart.webm");
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(fixture("count.webm"))
        .args([
            "-c:v",
            "libvpx",
            "-b:v",
            "1M",
            "-g",
            "50",
            "-keyint_min",
            "50",
            "-auto-alt-ref",
            "0",
            "-c:a",
            "copy",
        ])
        .arg(&apart)
        .status()
        .unwrap();
    assert!(made.success());
    let probe = tools.probe(&apart).await.unwrap();
    for (stretch, first, last) in [
        ((3_000, 3_520), 75, 87),
        ((3_480, 3_960), 87, 98),
        ((5_000, 5_520), 125, 137),
        ((5_400, 5_960), 135, 148),
    ] {
        let made = tools
            .cut(&apart, &probe, stretch, dir.path())
            .await
            .unwrap();
        assert_eq!(
            numbers(&made.path),
            (first..=last).collect::<Vec<_>>(),
            "{stretch:?}"
        );
        let says = container_ms(&made.path);
        assert!(
            (stretch.1 - stretch.0 - says).abs() <= 45,
            "{stretch:?}: {says} ms in the container"
        );
    }
}

#[tokio::test]
async fn cut_copies_packets_that_do_not_need_to_be_reencoded() {
    let tools = tools().await;
    for (name, stretch, copied) in [
        ("count.webm", (2_000, 5_000), 75),
        ("count.webm", (0, 1_500), 38),
        // The 18 frames before the key frame at 3 s are re-encoded.
        ("count.webm", (2_280, 5_000), 50),
        ("count.mp4", (2_000, 4_000), 50),
        ("count.mp4", (2_280, 5_000), 0),
        ("rec-vp9-opus-10s.webm", (4_595, 9_000), usize::MAX),
        ("rec-vp8-opus-3s.webm", (0, 2_000), usize::MAX),
        ("rec-mp4-avc1-opus-5s.mp4", (1_027, 4_000), usize::MAX),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let probe = tools.probe(&fixture(name)).await.unwrap();
        let made = tools
            .cut(&fixture(name), &probe, stretch, dir.path())
            .await
            .unwrap();
        // If all frames are re-encoded, the sound is re-encoded, too. Do not compare the sound in that case: two
        // packets of silence may have equal hashes even though one of them is re-encoded.
        for (stream, copied) in [("v:0", copied), ("a:0", usize::MAX)] {
            if stream == "a:0" && name == "count.mp4" && stretch.0 == 2_280 {
                continue;
            }
            let (before, after) = (hashes(&fixture(name), stream), hashes(&made.path, stream));
            assert!(!after.is_empty(), "{name} {stretch:?}");
            let same = after
                .iter()
                .filter(|(_, hash)| before.iter().any(|(_, other)| other == hash))
                .count();
            assert_eq!(same, copied.min(after.len()), "{name} {stretch:?} {stream}");
        }
    }
}

#[tokio::test]
async fn cut_keeps_audio_and_video_in_sync() {
    let tools = tools().await;
    for (name, stretch) in [
        ("count.webm", (2_000, 5_000)),
        ("count.webm", (2_280, 5_300)),
        ("count.mp4", (2_000, 4_000)),
        ("count.mp4", (2_280, 5_080)),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let probe = tools.probe(&fixture(name)).await.unwrap();
        let made = tools
            .cut(&fixture(name), &probe, stretch, dir.path())
            .await
            .unwrap();
        let raw = Command::new("ffmpeg")
            .args(["-v", "error", "-i"])
            .arg(&made.path)
            .args([
                "-af",
                "aresample=async=1:first_pts=0",
                "-f",
                "f32le",
                "-ac",
                "1",
                "-ar",
                "48000",
                "-",
            ])
            .output()
            .unwrap();
        let loud: Vec<bool> = raw
            .stdout
            .as_chunks::<4>()
            .0
            .chunks(480)
            .map(|part| part.iter().any(|one| f32::from_le_bytes(*one).abs() > 0.1))
            .collect();
        // The original contains a tone at the start of each second.
        let begins: Vec<i64> = (1..loud.len())
            .filter(|at| loud[*at] && !loud[at - 1])
            .map(|at| at as i64 * 10)
            .filter(|at| *at > 50)
            .collect();
        let wanted: Vec<i64> = (1..6)
            .map(|second| second * 1000 - stretch.0)
            .filter(|at| *at > 50 && *at + 50 < stretch.1 - stretch.0)
            .collect();
        assert_eq!(begins.len(), wanted.len(), "{name} {stretch:?}: {begins:?}");
        for (is, wanted) in begins.iter().zip(&wanted) {
            assert!(
                (is - wanted).abs() <= 30,
                "{name} {stretch:?}: {begins:?}, expected {wanted:?}"
            );
        }
    }
}

#[tokio::test]
async fn cut_copies_av1_without_reencoding_and_keeps_still_frames_on_screen() {
    let tools = tools().await;
    let dir = tempfile::tempdir().unwrap();
    let probe = tools.probe(&fixture("rec-av1-opus-3s.webm")).await.unwrap();
    // Do not compare hashes: copied packets lose their temporal delimiter (two bytes), so their hashes differ although
    // the frames are the same.
    let made = tools
        .cut(
            &fixture("rec-av1-opus-3s.webm"),
            &probe,
            (0, 2_000),
            dir.path(),
        )
        .await
        .unwrap();
    assert_eq!(tools.probe(&made.path).await.unwrap().video, "av1");

    // The video has one frame per second. At 2.5 s, the frame that started at 2 s is still visible, so a cut from 2.5 s
    // begins with that frame. A copy of the last frame keeps it visible until the end.
    let still = dir.path().join("still.webm");
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i"])
        .arg("color=black:s=160x32:r=1:d=5,format=yuv420p,geq=lum='if(mod(floor(N/pow(2,floor(X/16))),2),235,16)':cb=128:cr=128")
        .args(["-c:v", "libvpx", "-g", "2", "-b:v", "200k", "-auto-alt-ref", "0"])
        .arg(&still)
        .status()
        .unwrap();
    assert!(made.success());
    let probe = tools.probe(&still).await.unwrap();
    for (stretch, wanted) in [
        ((2_500, 4_500), [2, 3, 4, 4].as_slice()),
        ((1_500, 3_500), &[1, 2, 3, 3]),
        ((3_100, 3_700), &[3]),
    ] {
        let made = tools
            .cut(&still, &probe, stretch, dir.path())
            .await
            .unwrap();
        assert_eq!(numbers(&made.path), wanted, "{stretch:?}");
        let long = container_ms(&made.path);
        assert!(
            (long - (stretch.1 - stretch.0)).abs() <= 45,
            "{stretch:?}: {long}"
        );
    }
}
