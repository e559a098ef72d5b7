//! What ffprobe reports about a file, and which files are rejected.

use super::*;

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
async fn playlist_disguised_as_a_video_cannot_make_ffmpeg_read_another_file() {
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
