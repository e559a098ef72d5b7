//! Posters and H.264 copies show the colors that Chromium shows. The expected values were read from
//! a canvas on which Chromium 156 had drawn the same videos.

mod expected;

use self::expected::{
    BT2020, DISPLAY_P3, HDR10_203, HDR10_1000, HLG_203, HLG_1000, MISTAKEN_FOR_BT601,
    MISTAKEN_FOR_BT709, PLAIN,
};
use super::samples::ffmpeg;
use super::*;
use crate::infra::video::colors::ColorTags;

type Rgb = [u8; 3];

/// The allowed difference per channel.
const TOLERANCE: u8 = 12;
/// The allowed difference per channel for wide-gamut and HDR videos. This tolerance is larger
/// because, without a GPU, Chromium computes blue values that are too low for BT.709 and BT.2020.
const SATURATED_TOLERANCE: u8 = 25;

/// The colors of the eight bars of [`bars`].
const BARS: [&str; 8] = [
    "0xdc2828", "0x28c83c", "0x2846dc", "0xe6dc32", "0x808080", "0xffffff", "0x101010", "0xc88ca0",
];

const VP8: &[&str] = &["-c:v", "libvpx", "-b:v", "4M"];
const VP9: &[&str] = &["-c:v", "libvpx-vp9", "-crf", "20", "-b:v", "0"];
const VP9_HDR: &[&str] = &[
    "-c:v",
    "libvpx-vp9",
    "-profile:v",
    "2",
    "-crf",
    "15",
    "-b:v",
    "0",
];
const H264: &[&str] = &["-c:v", "libx264", "-preset", "ultrafast", "-crf", "12"];
const UNTAGGED: &str =
    "setparams=range=unknown:colorspace=unknown:color_primaries=unknown:color_trc=unknown";

/// Returns the ffmpeg options that tag a video with these color properties.
fn tags<'a>(matrix: &'a str, primaries: &'a str, transfer: &'a str) -> Vec<&'a str> {
    vec![
        "-color_range",
        "tv",
        "-colorspace",
        matrix,
        "-color_primaries",
        primaries,
        "-color_trc",
        transfer,
    ]
}

/// Makes a short video of eight vertical bars. `filter` converts them from RGB.
fn bars(path: &Path, height: u32, filter: &str, encoder: &[&str], tags: &[&str]) {
    let inputs = BARS.map(|color| format!("color={color}:s=160x{height}:r=10:d=0.5"));
    let mut args: Vec<&str> = Vec::new();
    for input in &inputs {
        args.extend(["-f", "lavfi", "-i", input.as_str()]);
    }
    let graph = format!("hstack=8,{filter}");
    args.extend(["-filter_complex", &graph]);
    args.extend(encoder);
    args.extend(
        ["-deadline", "realtime", "-cpu-used", "8"]
            .iter()
            .filter(|_| encoder != H264),
    );
    args.extend(tags);
    ffmpeg(&args, path);
}

/// A filter that converts the bars with this matrix and leaves them untagged.
fn with_matrix(matrix: &str) -> String {
    format!("scale=out_color_matrix={matrix}:out_range=tv,format=yuv420p,{UNTAGGED}")
}

/// A filter that converts the bars to HDR. `white` is the luminance of white in cd/m².
fn as_hdr(transfer: &str, white: u32) -> String {
    format!(
        "format=gbrp,setparams=range=pc:colorspace=gbr:color_primaries=bt709:color_trc=iec61966-2-1,\
         zscale=t=linear:npl={white},format=gbrpf32le,\
         zscale=p=2020:t={transfer}:m=2020_ncl:r=tv:npl={white},format=yuv420p10le"
    )
}

/// Returns the color at the middle of each bar in a picture.
fn pixels(picture: &Path) -> [Rgb; 8] {
    let picture = image::open(picture).unwrap().to_rgb8();
    let (width, height) = picture.dimensions();
    std::array::from_fn(|bar| {
        let across = (2 * bar as u32 + 1) * width / 16;
        picture.get_pixel(across, height / 2).0
    })
}

/// Saves the first frame of a video. Converts its colors by matrix and range only, and ignores its
/// primaries and transfer function.
fn first_frame(video: &Path) -> PathBuf {
    let frame = video.with_extension("png");
    let path = video.to_str().unwrap();
    ffmpeg(
        &[
            "-i",
            path,
            "-frames:v",
            "1",
            "-vf",
            "scale=flags=accurate_rnd,format=rgb24",
        ],
        &frame,
    );
    frame
}

#[track_caller]
fn assert_close(actual: &[Rgb], expected: &[Rgb], tolerance: u8, what: &str) {
    for (is, wanted) in actual.iter().zip(expected) {
        let close = is
            .iter()
            .zip(wanted)
            .all(|(is, wanted)| is.abs_diff(*wanted) <= tolerance);
        assert!(close, "{what}: {actual:?} instead of {expected:?}");
    }
}

/// Asserts that the poster of a video has the expected colors.
async fn assert_poster(tools: &Tools, video: &Path, expected: &[Rgb; 8], tolerance: u8) {
    let dir = tempfile::tempdir().unwrap();
    let probe = tools.probe(video).await.unwrap();
    let poster = tools.poster(video, &probe, dir.path()).await.unwrap();
    let what = format!("poster of {}", video.display());
    assert_close(&pixels(&poster), expected, tolerance, &what);
}

/// Makes an H.264 copy of a video and returns the color tags of the copy. Asserts that the copy has
/// the expected colors, unless the player must convert its primaries.
async fn assert_copy(tools: &Tools, video: &Path, expected: &[Rgb; 8], tolerance: u8) -> ColorTags {
    let dir = tempfile::tempdir().unwrap();
    let probe = tools.probe(video).await.unwrap();
    let copy = tools.h264(video, &probe, dir.path()).await.unwrap();
    assert_eq!(copy.probe.pixel_format, "yuv420p");
    let tags = copy.probe.color_tags;
    if matches!(tags.primaries.as_deref(), Some("bt709" | "smpte170m")) {
        let what = format!("H.264 copy of {}", video.display());
        assert_close(
            &pixels(&first_frame(&copy.path)),
            expected,
            tolerance,
            &what,
        );
    }
    tags
}

fn tagged(matrix: &str, primaries: &str, transfer: &str) -> ColorTags {
    ColorTags {
        range: Some("tv".into()),
        matrix: Some(matrix.into()),
        primaries: Some(primaries.into()),
        transfer: Some(transfer.into()),
    }
}

#[tokio::test]
async fn posters_and_h264_copies_follow_the_color_tags_of_the_video() {
    let tools = tools().await;
    let dir = tempfile::tempdir().unwrap();
    let (bt601, bt709) = (["smpte170m", "smpte170m", "bt709"], ["bt709"; 3]);
    for (name, encoder, filter, [matrix, primaries, transfer]) in [
        ("bt709.webm", VP9, "bt709", bt709),
        ("bt709-vp8.webm", VP8, "bt709", bt709),
        ("bt709.mp4", H264, "bt709", bt709),
        ("bt601.webm", VP9, "bt601", bt601),
        ("bt601.mp4", H264, "bt601", bt601),
    ] {
        let video = dir.path().join(name);
        bars(
            &video,
            720,
            &with_matrix(filter),
            encoder,
            &tags(matrix, primaries, transfer),
        );
        assert_poster(&tools, &video, &PLAIN, TOLERANCE).await;
        let copy = assert_copy(&tools, &video, &PLAIN, TOLERANCE).await;
        assert_eq!(copy, tagged(matrix, primaries, transfer), "{name}");
    }
}

#[tokio::test]
async fn untagged_colors_are_guessed_as_in_chromium() {
    let tools = tools().await;
    let dir = tempfile::tempdir().unwrap();
    for (name, height, encoder, matrix, expected) in [
        ("vp9-200.webm", 200, VP9, "bt601", PLAIN),
        ("vp9-720.webm", 720, VP9, "bt601", PLAIN),
        ("vp8-576.webm", 576, VP8, "bt601", PLAIN),
        ("vp8-720.webm", 720, VP8, "bt601", MISTAKEN_FOR_BT709),
        ("h264-576.mp4", 576, H264, "bt601", PLAIN),
        ("h264-720.mp4", 720, H264, "bt601", MISTAKEN_FOR_BT709),
        ("h264-hd.mp4", 720, H264, "bt709", PLAIN),
    ] {
        let video = dir.path().join(name);
        bars(&video, height, &with_matrix(matrix), encoder, &[]);
        assert_poster(&tools, &video, &expected, TOLERANCE).await;
        // Skip H.264 videos, because their packets are copied unchanged.
        if encoder != H264 {
            let copy = assert_copy(&tools, &video, &expected, TOLERANCE).await;
            assert!(copy.primaries.is_some(), "{name}: {copy:?}");
        }
    }
    // Chromium ignores the tags of an H.264 video if they are incomplete.
    let partly = dir.path().join("partly.mp4");
    let matrix = ["-colorspace", "bt709"];
    bars(&partly, 200, &with_matrix("bt709"), H264, &matrix);
    assert_poster(&tools, &partly, &MISTAKEN_FOR_BT601, TOLERANCE).await;
}

#[tokio::test]
async fn full_range_is_converted_to_limited_range() {
    let tools = tools().await;
    let dir = tempfile::tempdir().unwrap();
    let untagged =
        "setparams=range=pc:colorspace=unknown:color_primaries=unknown:color_trc=unknown";
    let h264 = dir.path().join("full.mp4");
    let filter = format!("scale=out_color_matrix=bt601:out_range=pc,format=yuvj420p,{untagged}");
    bars(&h264, 720, &filter, H264, &[]);
    assert_poster(&tools, &h264, &PLAIN, TOLERANCE).await;
    let vp9 = dir.path().join("full.webm");
    let filter = format!("scale=out_color_matrix=bt709:out_range=pc,format=yuv420p,{untagged}");
    let mut tags = tags("bt709", "bt709", "bt709");
    tags[1] = "pc";
    bars(&vp9, 200, &filter, VP9, &tags);
    assert_poster(&tools, &vp9, &PLAIN, TOLERANCE).await;
    let copy = assert_copy(&tools, &vp9, &PLAIN, TOLERANCE).await;
    assert_eq!(copy, tagged("bt709", "bt709", "bt709"));
}

#[tokio::test]
async fn wide_gamut_colors_are_converted_in_posters_and_tagged_in_copies() {
    let tools = tools().await;
    let dir = tempfile::tempdir().unwrap();
    let to_bt2020 = "format=gbrp,setparams=range=pc:colorspace=gbr:color_primaries=bt709:color_trc=iec61966-2-1,\
        zscale=p=2020:t=2020_10:m=2020_ncl:r=tv,format=yuv420p";
    for (name, filter, matrix, primaries, expected) in [
        (
            "p3.webm",
            &*with_matrix("bt709"),
            "bt709",
            "smpte432",
            DISPLAY_P3,
        ),
        ("bt2020.webm", to_bt2020, "bt2020nc", "bt2020", BT2020),
    ] {
        let video = dir.path().join(name);
        bars(&video, 200, filter, VP9, &tags(matrix, primaries, "bt709"));
        assert_poster(&tools, &video, &expected, SATURATED_TOLERANCE).await;
        let copy = assert_copy(&tools, &video, &expected, SATURATED_TOLERANCE).await;
        assert_eq!(copy, tagged(matrix, primaries, "bt709"), "{name}");
    }
}

#[tokio::test]
async fn hdr_is_mapped_to_sdr_in_posters_and_h264_copies() {
    let tools = tools().await;
    let dir = tempfile::tempdir().unwrap();
    for (name, transfer, white, expected) in [
        ("hdr10-203.webm", "smpte2084", 203, HDR10_203),
        ("hdr10-1000.webm", "smpte2084", 1000, HDR10_1000),
        ("hlg-203.webm", "arib-std-b67", 203, HLG_203),
        ("hlg-1000.webm", "arib-std-b67", 1000, HLG_1000),
    ] {
        let video = dir.path().join(name);
        let tags = tags("bt2020nc", "bt2020", transfer);
        bars(&video, 200, &as_hdr(transfer, white), VP9_HDR, &tags);
        assert_poster(&tools, &video, &expected, SATURATED_TOLERANCE).await;
        let copy = assert_copy(&tools, &video, &expected, SATURATED_TOLERANCE).await;
        assert_eq!(copy, tagged("bt709", "bt709", "bt709"), "{name}");
    }
}

#[tokio::test]
async fn copied_packets_keep_their_color_tags() {
    let tools = tools().await;
    let dir = tempfile::tempdir().unwrap();
    for (name, filter, encoder, tags) in [
        (
            "hdr.webm",
            as_hdr("smpte2084", 203),
            VP9_HDR,
            tags("bt2020nc", "bt2020", "smpte2084"),
        ),
        (
            "vp8.webm",
            with_matrix("bt709"),
            VP8,
            tags("bt709", "bt709", "bt709"),
        ),
        ("untagged.webm", with_matrix("bt601"), VP9, Vec::new()),
    ] {
        let video = dir.path().join(name);
        bars(&video, 200, &filter, encoder, &tags);
        let before = tools.probe(&video).await.unwrap();
        let out = tempfile::tempdir().unwrap();
        let seekable = measured_copy(&tools, &video, &before, out.path())
            .await
            .unwrap();
        let cut = tools
            .cut(&video, &before, (0, 250), out.path())
            .await
            .unwrap();
        for copy in [seekable, cut] {
            let after = copy.probe;
            assert_eq!(
                (&after.video, &after.color_tags),
                (&before.video, &before.color_tags),
                "{name}"
            );
        }
    }
}

/// The pixels near the corners of a picture.
fn corners(picture: &Path) -> [Rgb; 4] {
    let picture = image::open(picture).unwrap().to_rgb8();
    let (right, bottom) = (picture.width() - 100, picture.height() - 100);
    [(100, 100), (right, 100), (100, bottom), (right, bottom)]
        .map(|(x, y)| picture.get_pixel(x, y).0)
}

#[tokio::test]
async fn poster_and_h264_copy_of_a_recording_have_the_colors_that_the_browser_shows() {
    let tools = tools().await;
    let expected = [[220, 40, 40], [40, 200, 60], [40, 60, 216], [230, 220, 46]];
    for name in ["poster-bt709.webm", "vp9-untagged-720.webm"] {
        let dir = tempfile::tempdir().unwrap();
        let probe = tools.probe(&fixture(name)).await.unwrap();
        let poster = tools
            .poster(&fixture(name), &probe, dir.path())
            .await
            .unwrap();
        assert_close(&corners(&poster), &expected, TOLERANCE, name);
        let copy = tools
            .h264(&fixture(name), &probe, dir.path())
            .await
            .unwrap();
        assert_close(
            &corners(&first_frame(&copy.path)),
            &expected,
            TOLERANCE,
            name,
        );
        assert!(copy.probe.color_tags.matrix.is_some(), "{name}");
    }
}
