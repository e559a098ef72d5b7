//! Unused streams are ignored, unsupported audio is converted, and rejections name the codec.

use super::samples::{beeps, ffmpeg, source};
use super::*;

/// Probes a file and makes its playable copy. Asserts that both have the same duration, within 100 ms.
async fn playable(tools: &Tools, path: &Path) -> (Probe, Output) {
    let name = path.display();
    let probe = tools
        .probe(path)
        .await
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let dir = tempfile::tempdir().unwrap();
    let made = measured_copy(tools, path, &probe, dir.path())
        .await
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(
        (made.probe.duration_ms.unwrap() - probe.duration_ms.unwrap()).abs() <= 100,
        "{name}"
    );
    (probe, made)
}

#[tokio::test]
async fn playable_copy_has_one_playable_audio_stream_and_no_subtitles() {
    let tools = tools().await;
    for (name, audio, text) in [
        ("movtext.mp4", "aac", Some("mov_text")),
        ("mkv-srt.mkv", "aac", Some("subrip")),
        ("iphone-9streams.mov", "aac", None),
        ("apac-first.mov", "aac", None),
        ("pcm-only.mov", "aac", None),
        ("vp8-vorbis.webm", "opus", None),
    ] {
        let (probe, made) = playable(&tools, &fixture(name)).await;
        assert_eq!(made.probe.audio.as_deref(), Some(audio), "{name}");
        assert_eq!(
            probe.text_streams.first().map(|stream| &*stream.codec),
            text,
            "{name}"
        );
        assert_eq!(
            (made.probe.text_streams.len(), &made.note),
            (0, &None),
            "{name}"
        );
    }
}

#[tokio::test]
async fn unsupported_audio_is_converted_and_the_video_is_copied_without_reencoding() {
    let tools = tools().await;
    let dir = tempfile::tempdir().unwrap();
    let plain = source(dir.path(), &[], "source.mp4");
    let vp9 = source(
        dir.path(),
        &["-c:v", "libvpx-vp9", "-c:a", "libopus"],
        "source.webm",
    );
    for (from, name, encoder, audio) in [
        (&plain, "pcm24.mov", "pcm_s24le", "aac"),
        (&plain, "float.mov", "pcm_f32le", "aac"),
        (&plain, "ulaw.mov", "pcm_mulaw", "aac"),
        (&plain, "alac.mov", "alac", "aac"),
        (&plain, "ac3.mp4", "ac3", "aac"),
        (&plain, "eac3.mp4", "eac3", "aac"),
        (&plain, "mp2.mkv", "mp2", "aac"),
        (&plain, "flac.mp4", "flac", "aac"),
        (&plain, "vorbis.mkv", "libvorbis", "aac"),
        (&plain, "mp3.mp4", "libmp3lame", "mp3"),
        (&plain, "opus.mp4", "libopus", "opus"),
        (&vp9, "vorbis.webm", "libvorbis", "opus"),
        (&vp9, "pcm.mkv", "pcm_s16le", "opus"),
        (&vp9, "flac.mkv", "flac", "opus"),
        (&vp9, "vp9-ac3.mp4", "ac3", "aac"),
    ] {
        let path = dir.path().join(name);
        ffmpeg(
            &[
                "-i",
                from.to_str().unwrap(),
                "-c:v",
                "copy",
                "-c:a",
                encoder,
                "-strict",
                "-2",
            ],
            &path,
        );
        let out = tempfile::tempdir().unwrap();
        let probe = tools.probe(&path).await.unwrap();
        let made = measured_copy(&tools, &path, &probe, out.path())
            .await
            .unwrap();
        assert_eq!(made.probe.audio.as_deref(), Some(audio), "{name}");
        let (before, after) = (hashes(&path, "v:0"), hashes(&made.path, "v:0"));
        assert_eq!(before.len(), after.len(), "{name}");
        let heard = beeps(&made.path);
        assert_eq!(heard.len(), 8, "{name}: {heard:?}");
        assert!(
            heard
                .iter()
                .zip((0..8).map(|second| second * 1000))
                .all(|(is, wanted)| (is - wanted).abs() <= 50),
            "{name}: {heard:?}"
        );
    }
}

#[tokio::test]
async fn trimming_converts_unsupported_audio() {
    let tools = tools().await;
    let dir = tempfile::tempdir().unwrap();
    let plain = source(dir.path(), &[], "source.mp4");
    let vp8 = source(
        dir.path(),
        &[
            "-c:v",
            "libvpx",
            "-g",
            "20",
            "-auto-alt-ref",
            "0",
            "-c:a",
            "libopus",
        ],
        "source.webm",
    );
    for (from, name, encoder, audio) in [
        (&plain, "pcm.mov", "pcm_s16le", "aac"),
        (&vp8, "vorbis.webm", "libvorbis", "opus"),
    ] {
        let path = dir.path().join(name);
        ffmpeg(
            &[
                "-i",
                from.to_str().unwrap(),
                "-c:v",
                "copy",
                "-c:a",
                encoder,
            ],
            &path,
        );
        let probe = tools.probe(&path).await.unwrap();
        for stretch in [(0, 3_000), (3_000, 6_000), (3_500, 7_000)] {
            let made = tools.cut(&path, &probe, stretch, dir.path()).await.unwrap();
            assert!(
                ["aac", audio].contains(&made.probe.audio.as_deref().unwrap()),
                "{name} {stretch:?}"
            );
            let wanted: Vec<i64> = (0..8)
                .map(|second| second * 1000 - stretch.0)
                .filter(|at| *at >= 0 && *at < stretch.1 - stretch.0)
                .collect();
            let heard = beeps(&made.path);
            assert_eq!(heard.len(), wanted.len(), "{name} {stretch:?}: {heard:?}");
            assert!(
                heard
                    .iter()
                    .zip(&wanted)
                    .all(|(is, wanted)| (is - wanted).abs() <= 50),
                "{name} {stretch:?}: {heard:?}"
            );
        }
    }
}

#[tokio::test]
async fn cover_pictures_and_additional_tracks_are_ignored() {
    let tools = tools().await;
    let dir = tempfile::tempdir().unwrap();
    let plain = source(dir.path(), &[], "source.mp4");
    let plain = plain.to_str().unwrap();
    let cover = dir.path().join("cover.png");
    ffmpeg(
        &["-f", "lavfi", "-i", "color=red:s=600x600", "-frames:v", "1"],
        &cover,
    );
    let cover = cover.to_str().unwrap();
    let make = |name: &str, args: &[&str]| {
        let path = dir.path().join(name);
        ffmpeg(args, &path);
        path
    };
    let with_cover = [
        "-i",
        cover,
        "-i",
        plain,
        "-map",
        "0",
        "-map",
        "1",
        "-c",
        "copy",
        "-disposition:v:0",
        "attached_pic",
    ];
    let two_videos = [
        "-i", plain, "-map", "0:v", "-map", "0:v", "-map", "0:a", "-map", "0:a", "-c", "copy",
        "-c:v:1", "mpeg4", "-c:a:1", "ac3",
    ];
    let ac3_first = [
        "-i", plain, "-map", "0:v", "-map", "0:a", "-map", "0:a", "-c", "copy", "-c:a:0", "ac3",
    ];
    let mpeg4_first = [
        "-i", plain, "-map", "0:v", "-map", "0:v", "-map", "0:a", "-c", "copy", "-c:v:0", "mpeg4",
    ];
    let twenty: Vec<&str> = ["-i", plain, "-map", "0:v"]
        .into_iter()
        .chain(["-map", "0:a"].into_iter().cycle().take(40))
        .chain(["-c", "copy"])
        .collect();
    let paths = [
        make("cover-first.mp4", &with_cover),
        make(
            "cover.mkv",
            &[
                "-i",
                plain,
                "-c",
                "copy",
                "-attach",
                cover,
                "-metadata:s:t",
                "mimetype=image/png",
            ],
        ),
        make("two.mp4", &two_videos),
        make("two.mkv", &two_videos),
        make("ac3-first.mov", &ac3_first),
        make("mpeg4-first.mkv", &mpeg4_first),
        make("twenty.mp4", &twenty),
    ];
    for path in &paths {
        let (_, made) = playable(&tools, path).await;
        assert_eq!(
            (&*made.probe.video, made.width, made.height),
            ("h264", 64, 48),
            "{}",
            path.display()
        );
        assert_eq!(
            made.probe.audio.as_deref(),
            Some("aac"),
            "{}",
            path.display()
        );
    }
}

#[tokio::test]
async fn unreadable_audio_is_dropped_with_a_note_for_the_author() {
    let tools = tools().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("unknown.mov");
    // Replace the codec tag of the only audio stream with an unknown one.
    let mut bytes = std::fs::read(fixture("pcm-only.mov")).unwrap();
    let at = bytes.windows(4).rposition(|word| word == b"sowt").unwrap();
    bytes[at..at + 4].copy_from_slice(b"zz9k");
    std::fs::write(&path, bytes).unwrap();
    let (probe, made) = playable(&tools, &path).await;
    assert_eq!((probe.audio, &made.probe.audio), (None, &None));
    let note = made.note.unwrap();
    assert!(
        note.contains("without sound") && note.contains("zz9k"),
        "{note}"
    );
}

#[tokio::test]
async fn rejection_message_names_the_unsupported_codec_and_says_what_to_do() {
    let tools = tools().await;
    let dir = tempfile::tempdir().unwrap();
    for (name, args, label) in [
        (
            "prores.mov",
            ["-c:v", "prores", "-profile:v", "0"].as_slice(),
            "ProRes",
        ),
        ("divx.mp4", &["-c:v", "mpeg4"], "MPEG-4 Part 2"),
        (
            "mjpeg.mov",
            &["-c:v", "mjpeg", "-pix_fmt", "yuvj420p"],
            "Motion JPEG",
        ),
        ("theora.mkv", &["-c:v", "libtheora"], "Theora"),
        ("mpeg2.mkv", &["-c:v", "mpeg2video"], "MPEG-2"),
        ("wmv.mkv", &["-c:v", "wmv2"], "Windows Media Video"),
        ("animation.mov", &["-c:v", "qtrle"], "QuickTime Animation"),
        ("ffv1.mkv", &["-c:v", "ffv1"], "FFV1"),
    ] {
        let path = dir.path().join(name);
        ffmpeg(
            &[&["-f", "lavfi", "-i", "testsrc2=s=64x48:r=10:d=1"], args].concat(),
            &path,
        );
        let error = tools.probe(&path).await.unwrap_err();
        let said = error.detail();
        assert!(matches!(error, Error::Unsupported(_)), "{name}: {error}");
        assert!(
            said.contains(label)
                && said.contains("Export it as H.264 (MP4)")
                && !said.contains("damaged"),
            "{name}: {said}"
        );
    }
}

#[tokio::test]
async fn file_with_more_than_64_tracks_is_rejected_with_a_reason() {
    let tools = tools().await;
    let dir = tempfile::tempdir().unwrap();
    let plain = source(dir.path(), &[], "source.mp4");
    let path = dir.path().join("many.mp4");
    let many: Vec<&str> = ["-i", plain.to_str().unwrap(), "-map", "0:v"]
        .into_iter()
        .chain(["-map", "0:a"].into_iter().cycle().take(160))
        .chain(["-c", "copy", "-t", "0.2"])
        .collect();
    ffmpeg(&many, &path);
    let error = tools.probe(&path).await.unwrap_err();
    assert!(error.detail().contains("more than 64 tracks"), "{error}");
}

#[tokio::test]
async fn video_is_not_reported_as_damaged_if_ffmpeg_cannot_open_its_audio() {
    let tools = tools().await;
    let dir = tempfile::tempdir().unwrap();
    let plain = source(dir.path(), &[], "source.mp4");
    let mut bytes = std::fs::read(&plain).unwrap();
    // ISO/IEC 14496-3, AudioSpecificConfig: object type 42 is xHE-AAC, which ffmpeg 5.1 does not know.
    let at = bytes.windows(4).rposition(|word| word == b"esds").unwrap();
    let config = at
        + bytes[at..]
            .windows(4)
            .position(|word| word == [0x05, 0x80, 0x80, 0x80])
            .unwrap()
        + 5;
    bytes[config..config + 3].copy_from_slice(&[0b1111_1001, 0b0100_0110, 0b0010_0000]);
    std::fs::write(&plain, bytes).unwrap();
    match tools.probe(&plain).await {
        // ffprobe 7.1 and later can open the stream, so the video is accepted without audio.
        Ok(probe) => assert_eq!(
            (probe.audio, probe.lost_audio.as_deref()),
            (None, Some("AAC"))
        ),
        Err(error) => {
            let said = error.detail();
            assert!(
                said.contains("AAC") && said.contains("Export it") && !said.contains("damaged"),
                "{said}"
            );
        }
    }
}
