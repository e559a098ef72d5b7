//! Copies show each frame at the same time as players show it in the original, even if the original
//! has a low frame rate or late timestamps.

use super::frames::{pictures, shown_at};
use super::presentation::assert_presents;
use super::samples::{beeps, ffmpeg, source};
use super::*;

/// The first second in which the source is white. It stays white until the end.
const WHITE: i64 = 12;

#[tokio::test]
async fn copies_of_a_low_frame_rate_video_begin_at_0_and_show_the_same_frames_as_the_source() {
    let tools = tools().await;
    for (name, long, every) in [
        ("low1fps-bframes.mp4", 11, 1),
        ("low5fps-bframes-aac.mp4", 11, 1),
        ("sparse5s-bframes.mp4", 40, 5),
    ] {
        let probe = tools.probe(&fixture(name)).await.unwrap();
        assert!(
            (probe.duration_ms.unwrap() - long * 1000).abs() <= 100,
            "{name}: {:?}",
            probe.duration_ms
        );
        assert!(!probe.hides_frames, "{name}");
        let out = tempfile::tempdir().unwrap();
        let playable = measured_copy(&tools, &fixture(name), &probe, out.path())
            .await
            .unwrap();
        let h264 = tools
            .h264(&playable.path, &playable.probe, out.path())
            .await
            .unwrap();
        let trimmed = tools
            .cut(&fixture(name), &probe, (0, long * 1000), out.path())
            .await
            .unwrap();
        for made in [&playable, &h264, &trimmed] {
            let pictures = pictures(&made.path, &[]);
            let says = container_ms(&made.path);
            assert!(
                (says - long * 1000).abs() <= 100,
                "{name} {}: {says} ms",
                made.path.display()
            );
            for second in 0..long {
                assert_eq!(
                    shown_at(&pictures, second as f64 + 0.1),
                    (second / every * every).min(WHITE),
                    "{name} {}",
                    made.path.display()
                );
            }
        }
    }
}

#[tokio::test]
async fn trim_keeps_a_still_frame_on_screen_until_the_end() {
    let tools = tools().await;
    let dir = tempfile::tempdir().unwrap();
    let still = "color=gray:s=64x48:r=10:d=30,format=yuv420p,geq=lum='16+219*20*(floor(T/15)+1)/255':cb=128:cr=128,select='eq(mod(n,150),0)'";
    for (name, codec) in [
        ("still.mp4", ["-c:v", "libx264"]),
        ("still.webm", ["-c:v", "libvpx"]),
        ("still-vp9.webm", ["-c:v", "libvpx-vp9"]),
        ("still.mkv", ["-c:v", "libx264"]),
    ] {
        let path = dir.path().join(name);
        let every = ["-f", "lavfi", "-i", still, "-fps_mode", "vfr", "-g", "1"];
        ffmpeg(&[&every[..], &codec[..]].concat(), &path);
        let probe = tools.probe(&path).await.unwrap();
        for (stretch, shows) in [
            ((2_000, 12_000), [0, 0].as_slice()),
            ((10_000, 25_000), &[0, 1]),
            ((16_000, 26_000), &[1, 1]),
        ] {
            if stretch.1 > probe.duration_ms.unwrap() {
                continue;
            }
            let out = tempfile::tempdir().unwrap();
            let made = tools.cut(&path, &probe, stretch, out.path()).await.unwrap();
            let length = stretch.1 - stretch.0;
            for is in [made.probe.duration_ms.unwrap(), container_ms(&made.path)] {
                assert!((is - length).abs() <= 100, "{name} {stretch:?}: {is} ms");
            }
            let pictures = pictures(&made.path, &[]);
            assert_eq!(
                [1.0, length as f64 / 1000.0 - 1.0].map(|at| shown_at(&pictures, at)),
                *shows,
                "{name} {stretch:?}"
            );
        }
    }
}

#[tokio::test]
async fn trimmed_slideshow_without_sound_keeps_its_codec_and_shows_its_last_frame_until_the_end() {
    let tools = tools().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("page.webm");
    let page = "color=gray:s=64x48:r=10:d=20,format=yuv420p,geq=lum='16+219*20*(floor(T/4)+1)/255':cb=128:cr=128,select='eq(mod(n,40),0)'";
    ffmpeg(
        &[
            "-f",
            "lavfi",
            "-i",
            page,
            "-fps_mode",
            "vfr",
            "-c:v",
            "libvpx",
            "-g",
            "2",
            "-auto-alt-ref",
            "0",
        ],
        &path,
    );
    let probe = tools.probe(&path).await.unwrap();
    let made = tools
        .cut(&path, &probe, (8_000, 15_000), dir.path())
        .await
        .unwrap();
    assert_eq!((&*made.probe.video, made.extension), ("vp8", "webm"));
    assert!(
        (made.probe.duration_ms.unwrap() - 7_000).abs() <= 100,
        "{:?}",
        made.probe.duration_ms
    );
    let pictures = pictures(&made.path, &[]);
    assert_eq!(
        [0.5, 4.5, 6.99].map(|at| shown_at(&pictures, at)),
        [2, 3, 3]
    );
}

#[tokio::test]
async fn converted_copies_begin_at_0_even_if_the_timestamps_of_the_recording_start_later() {
    let tools = tools().await;
    let dir = tempfile::tempdir().unwrap();
    let source = source(dir.path(), &[], "source.mp4");
    let late = dir.path().join("late.mkv");
    ffmpeg(
        &[
            "-i",
            source.to_str().unwrap(),
            "-c",
            "copy",
            "-output_ts_offset",
            "5",
        ],
        &late,
    );
    let webm = dir.path().join("late.webm");
    ffmpeg(
        &[
            "-i",
            source.to_str().unwrap(),
            "-c:v",
            "libvpx",
            "-c:a",
            "libopus",
            "-output_ts_offset",
            "5",
        ],
        &webm,
    );
    // Make a file from the header and the second segment of a live stream. The segment's timestamps continue those of
    // the first segment.
    let parts = [
        "-c",
        "copy",
        "-f",
        "hls",
        "-hls_segment_type",
        "fmp4",
        "-hls_time",
        "3",
        "-hls_playlist_type",
        "vod",
    ];
    ffmpeg(
        &[&["-i", source.to_str().unwrap()], &parts[..]].concat(),
        &dir.path().join("live.m3u8"),
    );
    let part = ["init.mp4", "live1.m4s"]
        .map(|name| std::fs::read(dir.path().join(name)).unwrap())
        .concat();
    let live = dir.path().join("live.mp4");
    std::fs::write(&live, part).unwrap();
    let probe = tools.probe(&live).await.unwrap();
    let made = measured_copy(&tools, &live, &probe, dir.path())
        .await
        .unwrap();
    assert!(
        (made.probe.duration_ms.unwrap() - 3_000).abs() <= 250,
        "{:?}",
        made.probe.duration_ms
    );
    assert_eq!(
        [0.5, 1.5, 2.5].map(|at| shown_at(&pictures(&made.path, &[]), at)),
        [3, 4, 5]
    );

    for path in [late, webm] {
        let probe = tools.probe(&path).await.unwrap();
        let made = measured_copy(&tools, &path, &probe, dir.path())
            .await
            .unwrap();
        let h264 = tools
            .h264(&made.path, &made.probe, dir.path())
            .await
            .unwrap();
        for made in [made, h264] {
            let name = made.path.display().to_string();
            assert_presents(&name, &made, &[0, 1, 2, 3, 4, 5, 6, 7]);
            let heard = beeps(&made.path);
            assert!(
                heard
                    .iter()
                    .zip((0..8).map(|second| second * 1000))
                    .all(|(is, wanted)| (is - wanted).abs() <= 60),
                "{name}: {heard:?}"
            );
        }
    }
}
