//! Reads the frames of test videos with ffmpeg. The unit tests of `src/infra/video` include this file.

use std::path::Path;
use std::process::Command;

/// Returns two numbers for each frame of a test video: the time in seconds at which a player shows
/// the frame, and the second of the source video from which the frame comes. The gray value of the
/// frame encodes the latter. `input` contains ffmpeg options for the input file.
pub(crate) fn pictures(path: &Path, input: &[&str]) -> Vec<(f64, i64)> {
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-copyts"])
        .args(input)
        .arg("-i")
        .arg(path)
        .args([
            "-map",
            "0:v:0",
            "-vf",
            "crop=2:2:(iw-2)/2:(ih-2)/2,format=gray,showinfo",
            "-fps_mode",
            "passthrough",
            "-f",
            "null",
            "-",
        ])
        .output()
        .unwrap();
    let after = |line: &str, word: &str| {
        Some(
            line.split_once(word)?
                .1
                .trim_start()
                .split([' ', ']'])
                .next()?
                .to_owned(),
        )
    };
    let line = |line: &str| {
        let at: f64 = after(line, "pts_time:")?.parse().ok()?;
        let gray: f64 = after(line, "mean:[")?.parse().ok()?;
        Some((at, (gray / 20.0).round() as i64 - 1))
    };
    String::from_utf8_lossy(&output.stderr)
        .lines()
        .filter_map(line)
        .collect()
}

/// Returns which second of the source video a player shows at the time `at`.
pub(crate) fn shown_at(pictures: &[(f64, i64)], at: f64) -> i64 {
    pictures
        .iter()
        .rfind(|(begins, _)| *begins <= at)
        .unwrap_or(&pictures[0])
        .1
}

/// Returns the numbers that the frames of a `count.*` video show. `path` is the video, or a picture of one of its
/// frames. A number is drawn as ten bits, lowest bit first. Each bit is 16 pixels wide.
pub(crate) fn numbers(path: &Path) -> Vec<usize> {
    let raw = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args([
            "-map",
            "0:v",
            "-fps_mode",
            "passthrough",
            "-f",
            "rawvideo",
            "-pix_fmt",
            "gray",
            "-",
        ])
        .output()
        .unwrap();
    let bit =
        |picture: &[u8], bit: usize| usize::from(picture[16 * 160 + 16 * bit + 8] > 125) << bit;
    raw.stdout
        .chunks(160 * 32)
        .map(|picture| (0..10).map(|n| bit(picture, n)).sum())
        .collect()
}
