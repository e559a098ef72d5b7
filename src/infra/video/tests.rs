mod colors;
#[path = "../../../tests/it/frames.rs"]
mod frames;
mod inspection;
mod posters;
mod samples;
mod timeline;

use std::process::Command;

use self::frames::numbers;
use super::*;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

async fn tools() -> Tools {
    let tools = Tools::detect(None).await;
    assert_eq!(
        tools.missing(),
        None,
        "these tests need ffmpeg: apt-get install ffmpeg"
    );
    tools
}

#[tokio::test]
async fn probe_measures_the_duration_from_packets() {
    let tools = tools().await;
    for (name, from, to, video, audio) in [
        ("rec-vp8-opus-3s.webm", 2_900, 3_000, "vp8", Some("opus")),
        ("rec-vp9-opus-10s.webm", 9_700, 10_000, "vp9", Some("opus")),
        ("rec-vp9-noaudio-4s.webm", 3_700, 4_000, "vp9", None),
        ("rec-av1-opus-3s.webm", 2_800, 3_050, "av1", Some("opus")),
        (
            "rec-mp4-avc1-opus-5s.mp4",
            4_500,
            5_200,
            "h264",
            Some("opus"),
        ),
        ("moov-at-end.mov", 3_950, 4_050, "h264", Some("aac")),
        ("bad-claims-10h.mp4", 900, 1_100, "h264", None),
        ("bad-truncated.webm", 5_800, 6_000, "vp9", Some("opus")),
    ] {
        let probe = tools.probe(&fixture(name)).await.unwrap();
        let duration = probe.duration_ms.unwrap();
        assert!((from..=to).contains(&duration), "{name}: {duration} ms");
        assert_eq!(
            (&*probe.video, probe.audio.as_deref()),
            (video, audio),
            "{name}"
        );
    }
}

#[tokio::test]
async fn probe_rejects_unsupported_files_with_a_reason() {
    let tools = tools().await;
    let sound = tools
        .probe(&fixture("rec-audio-only-3s.webm"))
        .await
        .unwrap_err();
    assert!(
        sound.detail().starts_with("This file contains only sound,"),
        "{sound}"
    );
    for name in [
        "bad-hls-named.mp4",
        "bad-zip-named.mp4",
        "bad-headerless.webm",
        "bad-zero.png",
        "alpha.png",
    ] {
        assert!(
            matches!(
                tools.probe(&fixture(name)).await,
                Err(Error::Unsupported(_))
            ),
            "{name}"
        );
    }
}

#[tokio::test]
async fn playlist_that_is_treated_as_a_video_cannot_make_ffmpeg_read_another_file() {
    let tools = tools().await;
    let dir = tempfile::tempdir().unwrap();
    let list = dir.path().join("list.mp4");
    let secret = dir.path().join("secret.mp4");
    std::fs::copy(fixture("bad-claims-10h.mp4"), &secret).unwrap();
    std::fs::write(
        &list,
        format!(
            "#EXTM3U\n#EXTINF:1,\nfile://{}\n#EXT-X-ENDLIST\n",
            secret.display()
        ),
    )
    .unwrap();
    assert!(tools.probe(&list).await.is_err());
    let claimed = tools.probe(&secret).await.unwrap();
    assert!(tools.seekable(&list, &claimed, dir.path()).await.is_err());
    assert!(tools.poster(&list, &claimed, dir.path()).await.is_err());
    let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().collect();
    assert_eq!(left.len(), 2, "unexpected files: {left:?}");
}

#[tokio::test]
async fn seekable_copy_begins_with_its_index_and_has_the_duration_of_the_source() {
    let tools = tools().await;
    for (name, content_type) in [
        ("rec-vp9-opus-10s.webm", "video/webm"),
        ("rec-vp8-opus-3s.webm", "video/webm"),
        ("bad-truncated.webm", "video/webm"),
        ("rec-mp4-avc1-opus-5s.mp4", "video/mp4"),
        ("moov-at-end.mov", "video/mp4"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let before = tools.probe(&fixture(name)).await.unwrap();
        let made = tools
            .seekable(&fixture(name), &before, dir.path())
            .await
            .unwrap();
        assert_eq!(made.content_type, content_type, "{name}");
        let after = tools.probe(&made.path).await.unwrap();
        let (was, is) = (before.duration_ms.unwrap(), after.duration_ms.unwrap());
        assert!((was - is).abs() < 80, "{name}: {was} → {is}");
        assert_eq!(
            (before.width, before.height),
            (after.width, after.height),
            "{name}"
        );
        let bytes = std::fs::read(&made.path).unwrap();
        let at = |word: &[u8]| bytes.windows(word.len()).position(|window| window == word);
        let (index, pictures) = match made.extension {
            "mp4" => (at(b"moov"), at(b"mdat")),
            // These are the ids of Cues and Cluster (RFC 9559).
            _ => (at(&[0x1c, 0x53, 0xbb, 0x6b]), at(&[0x1f, 0x43, 0xb6, 0x75])),
        };
        // The SeekHead of a WebM also contains the id of the Cues, so this checks that Cues are
        // present, but not where they are.
        assert!(index.unwrap() < pictures.unwrap(), "{name}");
    }
}

#[tokio::test]
async fn h264_copy_plays_in_all_browsers_and_has_the_duration_of_the_source() {
    let tools = tools().await;
    for (name, size) in [
        ("rec-av1-opus-3s.webm", (1280, 800)),
        ("rec-mp4-avc1-opus-5s.mp4", (1280, 800)),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let before = tools.probe(&fixture(name)).await.unwrap();
        assert_eq!(Tools::needs_h264(&before), ConversionNeed::ForSafari);
        let made = tools
            .h264(&fixture(name), &before, dir.path())
            .await
            .unwrap();
        let after = tools.probe(&made.path).await.unwrap();
        assert_eq!(Tools::needs_h264(&after), ConversionNeed::None);
        assert_eq!((after.width, after.height), size);
        assert_eq!((made.width, made.height), size);
        let (was, is) = (before.duration_ms.unwrap(), after.duration_ms.unwrap());
        assert!((was - is).abs() < 150, "{name}: {was} → {is}");
    }
}

#[tokio::test]
async fn hevc_video_needs_conversion_for_all_browsers() {
    let tools = tools().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hevc.mov");
    let made = Command::new("ffmpeg")
        .args([
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            "testsrc2=s=321x181:r=10:d=1",
            "-pix_fmt",
            "yuv444p",
        ])
        .args(["-c:v", "libx265", "-x265-params", "log-level=none"])
        .arg(&path)
        .status()
        .unwrap();
    if !made.success() {
        eprintln!("this ffmpeg has no libx265; skipped");
        return;
    }
    let probe = tools.probe(&path).await.unwrap();
    assert_eq!(
        (&*probe.video, Tools::needs_h264(&probe)),
        ("hevc", ConversionNeed::ForAll)
    );
    assert_eq!(
        tools
            .seekable(&path, &probe, dir.path())
            .await
            .unwrap()
            .extension,
        "mp4"
    );
    let copy = tools.h264(&path, &probe, dir.path()).await.unwrap();
    let copy = tools.probe(&copy.path).await.unwrap();
    assert_eq!(
        (&*copy.video, &*copy.pixel_format, copy.width, copy.height),
        ("h264", "yuv420p", 320, 180)
    );
}

#[tokio::test]
async fn poster_has_the_size_of_the_video() {
    let tools = tools().await;
    for name in [
        "rec-vp9-opus-10s.webm",
        "bad-claims-10h.mp4",
        "bad-truncated.webm",
    ] {
        let dir = tempfile::tempdir().unwrap();
        let probe = tools.probe(&fixture(name)).await.unwrap();
        let path = tools
            .poster(&fixture(name), &probe, dir.path())
            .await
            .unwrap();
        let picture = image::open(path).unwrap();
        assert_eq!(
            (picture.width(), picture.height()),
            (probe.width, probe.height),
            "{name}"
        );
    }
}

#[tokio::test]
async fn sandbox_kills_a_process_and_its_children_at_the_time_limit() {
    let sandbox = Sandbox::find(Path::new("/bin/sh")).await;
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits {
        time: std::time::Duration::from_millis(200),
        output: 1024,
        low_priority: false,
    };
    let script = ["-c".into(), "sleep 60 & sleep 60".into()];
    let ran = sandbox
        .run(
            Path::new("/bin/sh"),
            &script,
            None,
            dir.path(),
            limits,
            |_| {},
        )
        .await;
    assert!(matches!(ran, Err(sandbox::Fault::TimedOut)), "{ran:?}");
}

#[tokio::test]
async fn encoding_runs_at_low_priority() {
    let sandbox = Sandbox::find(Path::new("/bin/sh")).await;
    let dir = tempfile::tempdir().unwrap();
    let mut niceness = Vec::new();
    for limits in [Limits::short(), Limits::encoding(1)] {
        let script = ["-c".into(), "nice".into()];
        sandbox
            .run(
                Path::new("/bin/sh"),
                &script,
                None,
                dir.path(),
                limits,
                |line| niceness.push(line.parse::<i32>().unwrap()),
            )
            .await
            .unwrap();
    }
    assert!(niceness[1] > niceness[0], "{niceness:?}");
}

#[tokio::test]
async fn video_tools_work_without_bwrap() {
    let tools = tools().await;
    let mut toolchain = Arc::into_inner(tools.toolchain.unwrap()).unwrap();
    toolchain.sandbox.bwrap = None;
    let tools = Tools {
        toolchain: Ok(Arc::new(toolchain)),
    };
    let dir = tempfile::tempdir().unwrap();
    let input = fixture("rec-vp8-opus-3s.webm");
    let probe = tools.probe(&input).await.unwrap();
    assert_eq!(
        tools
            .seekable(&input, &probe, dir.path())
            .await
            .unwrap()
            .extension,
        "webm"
    );
    assert!(tools.describe().unwrap().contains("limited by prlimit"));
}

#[tokio::test]
async fn missing_ffmpeg_is_reported_with_the_command_that_installs_it() {
    let tools = Tools::detect(Some(Path::new("/nowhere/ffmpeg"))).await;
    assert!(tools.missing().unwrap().contains("apt-get install ffmpeg"));
    assert_eq!(
        tools.describe(),
        Err("There is no ffmpeg at /nowhere/ffmpeg.")
    );
    assert!(matches!(
        tools.probe(&fixture("moov-at-end.mov")).await,
        Err(Error::Unavailable(..))
    ));
}

/// The time of each packet of a stream in milliseconds, and the MD5 of its data.
fn hashes(path: &Path, stream: &str) -> Vec<(i64, String)> {
    let told = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-select_streams",
            stream,
            "-show_data_hash",
            "md5",
            "-show_entries",
            "packet=pts_time,data_hash",
            "-of",
        ])
        .args(["csv=p=0"])
        .arg(path)
        .output()
        .unwrap();
    let line = |line: &str| {
        let mut parts = line.split(',');
        let at: f64 = parts.next()?.parse().ok()?;
        Some(((at * 1000.0).round() as i64, parts.next()?.to_owned()))
    };
    String::from_utf8(told.stdout)
        .unwrap()
        .lines()
        .filter_map(line)
        .collect()
}

/// The duration in the header of the container, in milliseconds.
fn container_ms(path: &Path) -> i64 {
    let told = Command::new("ffprobe")
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
    (String::from_utf8(told.stdout)
        .unwrap()
        .trim()
        .parse::<f64>()
        .unwrap()
        * 1000.0)
        .round() as i64
}

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
        // 18 pictures are encoded again, up to the key frame at 3 s.
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
        // Sound is re-encoded only together with all pictures. Skip that case, because packets of
        // silence may have equal hashes even when they are re-encoded.
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
async fn cut_keeps_sound_and_pictures_in_sync() {
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
        // The original has a tone at each full second.
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
    // Packets lose their temporal delimiter (two bytes), so their hashes differ although the pictures are the same.
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

    // The video has one picture per second. At 2.5 s, the picture that started at 2 s is still
    // visible, so a cut from 2.5 s begins with it. A copy of the last picture keeps that picture
    // visible until the end.
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
