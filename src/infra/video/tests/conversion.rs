//! Seekable copies and H.264 copies.

use std::process::Command;

use super::*;

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
        // The SeekHead of a WebM also contains the id of the Cues. For WebM, this assertion therefore checks only that
        // Cues exist, not where they are.
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
async fn hevc_video_is_converted_for_all_browsers() {
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
