//! A copy of a file with edit lists shows the same content that players show for the file itself. The expected values
//! are what Chromium shows.

use super::presentation::assert_presents;
use super::samples::{Edit, beeps, ffmpeg, source, with_edits};
use super::*;

/// The media time of the first frame, in seconds. B-frames delay the first frame by two frame durations.
const B: f64 = 0.2;

struct Case {
    name: &'static str,
    video: &'static [Edit],
    audio: &'static [Edit],
    /// For each second of playback, the second of the source that is visible in the middle of that
    /// second.
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
        let made = measured_copy(&tools, &path, &probe, out.path())
            .await
            .unwrap();
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
        let made = measured_copy(&tools, &path, &probe, out.path())
            .await
            .unwrap();
        let (before, after) = (hashes(&path, "v:0"), hashes(&made.path, "v:0"));
        let same = after
            .iter()
            .filter(|(_, hash)| before.iter().any(|(_, other)| other == hash))
            .count();
        // The packet of the first frame differs, because the encoder's SEI message is removed.
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
        let made = measured_copy(&tools, &edited, &probe, out.path())
            .await
            .unwrap();
        assert_presents(&name, &made, &[5, 6, 7]);
        assert_eq!((made.width, made.height), size, "{name}");
    }
}

#[tokio::test]
async fn trim_times_are_measured_in_playback_time_if_the_file_has_edit_lists() {
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
