//! Every video has a poster, which is black only if the whole video is black.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use super::samples::ffmpeg;
use super::*;
use crate::infra::video::sandbox::Sandbox;

#[tokio::test]
async fn poster_is_black_only_if_the_whole_video_is_black() {
    let tools = tools().await;
    let made = tempfile::tempdir().unwrap();
    // This video has one key frame, at the start. It is black except for the last half second.
    let late = made.path().join("late.mp4");
    let (black, gray) = (
        "color=black:s=64x48:r=10:d=14",
        "color=gray:s=64x48:r=10:d=0.5",
    );
    ffmpeg(
        &[
            "-f",
            "lavfi",
            "-i",
            black,
            "-f",
            "lavfi",
            "-i",
            gray,
            "-filter_complex",
            "concat=2",
            "-c:v",
            "libx264",
            "-g",
            "999",
            "-sc_threshold",
            "0",
        ],
        &late,
    );
    let dark = made.path().join("dark.mp4");
    ffmpeg(&["-f", "lavfi", "-i", black, "-c:v", "libx264"], &dark);
    for (path, is_black) in [(fixture("black4s.mp4"), false), (late, false), (dark, true)] {
        let dir = tempfile::tempdir().unwrap();
        let probe = tools.probe(&path).await.unwrap();
        let poster = tools.poster(&path, &probe, dir.path()).await.unwrap();
        let picture = image::open(&poster).unwrap().to_luma8();
        let brightest = picture.pixels().map(|pixel| pixel.0[0]).max().unwrap();
        assert_eq!(brightest < 60, is_black, "{}: {brightest}", path.display());
    }
}

#[tokio::test]
async fn very_narrow_video_has_a_poster_and_an_h264_copy() {
    let tools = tools().await;
    let dir = tempfile::tempdir().unwrap();
    let video = fixture("odd-3x2000.webm");
    let probe = tools.probe(&video).await.unwrap();
    let poster = tools.poster(&video, &probe, dir.path()).await.unwrap();
    let poster = image::open(poster).unwrap();
    assert_eq!((poster.width(), poster.height()), (2, 1280));
    let copy = tools.h264(&video, &probe, dir.path()).await.unwrap();
    assert_eq!((copy.width, copy.height), (2, 1920));
}

#[tokio::test]
async fn poster_has_the_same_size_as_the_video() {
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
async fn poster_extraction_is_not_retried_when_the_disk_is_full() {
    let made = tempfile::tempdir().unwrap();
    let program = made.path().join("ffmpeg");
    // Only the first attempt finds the disk full. Any later attempt would fail for another reason.
    let script =
        "#!/bin/sh\ncase \"$*\" in *'-t 10'*) echo 'No space left on device' >&2 ;; esac\nexit 1\n";
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    let full = Tools {
        toolchain: Ok(Arc::new(Toolchain {
            ffmpeg: program.clone(),
            ffprobe: program.clone(),
            version: String::new(),
            sandbox: Sandbox::find(&program).await,
        })),
    };
    let video = fixture("odd-3x2000.webm");
    let probe = tools().await.probe(&video).await.unwrap();
    let error = full.poster(&video, &probe, made.path()).await.unwrap_err();
    assert!(error.detail().starts_with("The disk is full"), "{error}");
}
