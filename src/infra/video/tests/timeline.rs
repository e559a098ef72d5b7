//! Copies must show what players show of the original. The expected values are what Chromium shows.

use super::frames::{pictures, shown_at};
use super::samples::{Edit, beeps, ffmpeg, source, with_edits};
use super::*;

/// The media time of the first picture in seconds. B-frames delay it by two pictures.
const B: f64 = 0.2;

struct Case {
    name: &'static str,
    video: &'static [Edit],
    audio: &'static [Edit],
    /// For each second of playback: the second of the source that is visible halfway through it.
    shows: &'static [i64],
    hides: bool,
}

const CASES: &[Case] = &[
    Case {
        name: "begin.mp4",
        video: &[(3.0, Some(5.0 + B))],
        audio: &[(3.0, Some(5.0))],
        shows: &[5, 6, 7],
        hides: true,
    },
    Case {
        name: "key.mp4",
        video: &[(5.0, Some(3.0 + B))],
        audio: &[(5.0, Some(3.0))],
        shows: &[3, 4, 5, 6, 7],
        hides: true,
    },
    Case {
        name: "end.mp4",
        video: &[(4.0, Some(B))],
        audio: &[(4.0, Some(0.0))],
        shows: &[0, 1, 2, 3],
        hides: true,
    },
    Case {
        name: "two.mp4",
        video: &[(2.0, Some(1.0 + B)), (2.0, Some(5.0 + B))],
        audio: &[(2.0, Some(1.0)), (2.0, Some(5.0))],
        shows: &[1, 2, 5, 6],
        hides: true,
    },
    Case {
        name: "reorder.mp4",
        video: &[(2.0, Some(5.0 + B)), (2.0, Some(1.0 + B))],
        audio: &[(2.0, Some(5.0)), (2.0, Some(1.0))],
        shows: &[5, 6, 1, 2],
        hides: true,
    },
    Case {
        name: "repeat.mp4",
        video: &[(2.0, Some(2.0 + B)), (2.0, Some(2.0 + B))],
        audio: &[(2.0, Some(2.0)), (2.0, Some(2.0))],
        shows: &[2, 3, 2, 3],
        hides: true,
    },
    Case {
        name: "delay.mp4",
        video: &[(2.0, None), (6.0, Some(B))],
        audio: &[(2.0, None), (6.0, Some(0.0))],
        shows: &[0, 0, 0, 1, 2, 3, 4, 5],
        hides: true,
    },
    Case {
        name: "delayed-pictures.mp4",
        video: &[(2.0, None), (8.0, Some(B))],
        audio: &[(8.0, Some(0.0))],
        shows: &[0, 0, 0, 1, 2, 3, 4, 5, 6, 7],
        hides: false,
    },
    Case {
        name: "delayed-sound.mp4",
        video: &[(8.0, Some(B))],
        audio: &[(2.0, None), (8.0, Some(0.0))],
        shows: &[0, 1, 2, 3, 4, 5, 6, 7, 7, 7],
        hides: false,
    },
    Case {
        name: "sound-only.mp4",
        video: &[(8.0, Some(B))],
        audio: &[(3.0, Some(5.0))],
        shows: &[0, 1, 2, 3, 4, 5, 6, 7],
        hides: true,
    },
    Case {
        name: "priming.mp4",
        video: &[(8.0, Some(B))],
        audio: &[(7.97, Some(0.021))],
        shows: &[0, 1, 2, 3, 4, 5, 6, 7],
        hides: false,
    },
];

/// The source is white from this second on.
const WHITE: i64 = 12;

/// The seconds of the source that the file contains if edit lists are ignored.
fn seconds_inside(path: &Path) -> Vec<i64> {
    let ignoring: &[&str] = if path.extension().is_some_and(|end| end == "mp4") {
        &["-ignore_editlist", "1"]
    } else {
        &[]
    };
    let mut seconds: Vec<i64> = pictures(path, ignoring)
        .into_iter()
        .map(|(_, second)| second)
        .collect();
    seconds.sort_unstable();
    seconds.dedup();
    seconds
}

fn assert_presents(name: &str, made: &Output, shows: &[i64]) {
    let pictures = pictures(&made.path, &[]);
    let is: Vec<i64> = (0..shows.len())
        .map(|second| shown_at(&pictures, second as f64 + 0.5))
        .collect();
    assert_eq!(is, shows, "{name}: {pictures:?}");
    assert!(
        pictures[0].0.abs() < 0.05,
        "{name} begins at {}",
        pictures[0].0
    );
    let (wanted, ms) = (shows.len() as i64 * 1000, made.probe.duration_ms.unwrap());
    assert!((ms - wanted).abs() <= 100, "{name}: {ms} ms");
    let says = container_ms(&made.path);
    assert!(
        (says - wanted).abs() <= 110,
        "{name}: {says} ms in the container"
    );
    let mut wanted = shows.to_vec();
    wanted.sort_unstable();
    wanted.dedup();
    assert_eq!(
        seconds_inside(&made.path),
        wanted,
        "{name}: seconds in the file"
    );
}

#[tokio::test]
async fn playable_copy_contains_only_what_the_edit_list_shows() {
    let tools = tools().await;
    let dir = tempfile::tempdir().unwrap();
    let source = source(dir.path(), &[], "source.mp4");
    for case in CASES {
        let path = with_edits(&source, case.name, case.video, case.audio);
        let probe = tools.probe(&path).await.unwrap();
        assert_eq!(probe.hides_frames, case.hides, "{}", case.name);
        let duration = probe.duration_ms.unwrap();
        assert!(
            (duration - case.shows.len() as i64 * 1000).abs() <= 100,
            "{}: {duration} ms",
            case.name
        );
        let out = tempfile::tempdir().unwrap();
        let made = tools.seekable(&path, &probe, out.path()).await.unwrap();
        assert_presents(case.name, &made, case.shows);
        let heard = beeps(&made.path);
        let wanted = beeps(&path);
        assert_eq!(
            heard.len(),
            wanted.len(),
            "{}: {heard:?}, expected {wanted:?}",
            case.name
        );
        assert!(
            heard
                .iter()
                .zip(&wanted)
                .all(|(is, wanted)| (is - wanted).abs() <= 40),
            "{}: {heard:?}, expected {wanted:?}",
            case.name
        );
    }
}

#[tokio::test]
async fn video_is_copied_without_reencoding_unless_its_edit_list_begins_between_key_frames() {
    let tools = tools().await;
    let dir = tempfile::tempdir().unwrap();
    let source = source(dir.path(), &[], "source.mp4");
    for (name, at, copied) in [
        ("whole.mp4", 0.0, true),
        ("key.mp4", 3.0, true),
        ("between.mp4", 5.0, false),
    ] {
        let path = with_edits(
            &source,
            name,
            &[(8.0 - at, Some(at + B))],
            &[(8.0 - at, Some(at))],
        );
        let probe = tools.probe(&path).await.unwrap();
        let out = tempfile::tempdir().unwrap();
        let made = tools.seekable(&path, &probe, out.path()).await.unwrap();
        let (before, after) = (hashes(&path, "v:0"), hashes(&made.path, "v:0"));
        let same = after
            .iter()
            .filter(|(_, hash)| before.iter().any(|(_, other)| other == hash))
            .count();
        // The packet of the first picture differs, because the encoder's SEI message is removed.
        assert_eq!(
            same + 1 >= after.len(),
            copied,
            "{name}: {same} of {} pictures",
            after.len()
        );
    }
}

#[tokio::test]
async fn hidden_frames_are_removed_from_every_kind_of_mp4_file() {
    let tools = tools().await;
    let dir = tempfile::tempdir().unwrap();
    let plain = source(dir.path(), &[], "source.mp4");
    let fragments = dir.path().join("fragments.mp4");
    ffmpeg(
        &[
            "-i",
            plain.to_str().unwrap(),
            "-c",
            "copy",
            "-movflags",
            "frag_keyframe+empty_moov+delay_moov",
        ],
        &fragments,
    );
    let turned = dir.path().join("turned.mp4");
    ffmpeg(
        &[
            "-i",
            plain.to_str().unwrap(),
            "-c",
            "copy",
            "-metadata:s:v:0",
            "rotate=90",
        ],
        &turned,
    );
    let hevc = source(
        dir.path(),
        &[
            "-c:v",
            "libx265",
            "-x265-params",
            "log-level=none:keyint=30",
            "-tag:v",
            "hvc1",
        ],
        "hevc.mp4",
    );
    for (path, size) in [(fragments, (64, 48)), (turned, (48, 64)), (hevc, (64, 48))] {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let edited = with_edits(
            &path,
            &format!("edited-{name}"),
            &[(3.0, Some(5.0 + B))],
            &[(3.0, Some(5.0))],
        );
        let probe = tools.probe(&edited).await.unwrap();
        assert!(probe.hides_frames, "{name}");
        assert_eq!((probe.width, probe.height), size, "{name}");
        let out = tempfile::tempdir().unwrap();
        let made = tools.seekable(&edited, &probe, out.path()).await.unwrap();
        assert_presents(&name, &made, &[5, 6, 7]);
        assert_eq!((made.width, made.height), size, "{name}");
    }
}

#[tokio::test]
async fn trim_times_refer_to_presentation_time_when_the_file_has_edit_lists() {
    let tools = tools().await;
    let dir = tempfile::tempdir().unwrap();
    let source = source(dir.path(), &[], "source.mp4");
    let begin = with_edits(
        &source,
        "begin.mp4",
        &[(6.0, Some(2.0 + B))],
        &[(6.0, Some(2.0))],
    );
    let two = with_edits(
        &source,
        "two.mp4",
        &[(2.0, Some(1.0 + B)), (3.0, Some(5.0 + B))],
        &[(2.0, Some(1.0)), (3.0, Some(5.0))],
    );
    for (path, stretch, shows) in [
        (&begin, (1_000, 4_000), [3, 4, 5].as_slice()),
        (&begin, (0, 2_000), &[2, 3]),
        (&begin, (4_000, 6_000), &[6, 7]),
        (&two, (1_000, 4_000), &[2, 5, 6]),
    ] {
        let probe = tools.probe(path).await.unwrap();
        let out = tempfile::tempdir().unwrap();
        let made = tools.cut(path, &probe, stretch, out.path()).await.unwrap();
        assert_presents(&format!("{} {stretch:?}", path.display()), &made, shows);
    }
}

#[tokio::test]
async fn converted_copies_of_a_low_frame_rate_video_begin_at_0_and_show_the_source_frames() {
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
        let playable = tools
            .seekable(&fixture(name), &probe, out.path())
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
    // The header and the second segment of a live stream, whose times continue from the first segment.
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
    let made = tools.seekable(&live, &probe, dir.path()).await.unwrap();
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
        let made = tools.seekable(&path, &probe, dir.path()).await.unwrap();
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

#[tokio::test]
async fn converted_copy_of_the_wrong_length_is_rejected() {
    let tools = tools().await;
    let toolchain = tools.toolchain().unwrap();
    let path = fixture("count.mp4");
    let length = tools.probe(&path).await.unwrap().duration_ms.unwrap();
    for (expected, good) in [
        (length, true),
        (length + 90, true),
        (length + 150, false),
        (length - 150, false),
    ] {
        let made =
            check_output::checked_output(toolchain, path.clone(), Container::Mp4, Some(expected))
                .await;
        assert_eq!(made.is_ok(), good, "{expected}: {made:?}");
    }
}

#[tokio::test]
async fn converted_copy_is_rejected_when_its_edit_list_hides_frames() {
    let tools = tools().await;
    let path = fixture("editlist-hidden5s.mp4");
    let made = check_output::checked_output(
        tools.toolchain().unwrap(),
        path,
        Container::Mp4,
        Some(3_000),
    )
    .await;
    assert!(matches!(made, Err(Error::Unsupported(_))), "{made:?}");
}
