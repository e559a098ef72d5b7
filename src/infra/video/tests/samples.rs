//! Makes videos for the tests. Each second starts with a beep and has its own gray level, so that a
//! test can tell from which second of the source a frame comes.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Makes an eight-second video with ten frames per second. `video` contains the options for the
/// encoders. By default, the sound is AAC, and the video is H.264 with a key frame every 3 s and
/// with B-frames, which delay the first frame by 0.2 s.
pub(super) fn source(dir: &Path, video: &[&str], name: &str) -> PathBuf {
    let path = dir.join(name);
    let pictures = "color=gray:s=64x48:r=10:d=8,format=yuv420p,geq=lum='16+219*20*(floor(T)+1)/255':cb=128:cr=128";
    let sound = "aevalsrc='if(lt(mod(t,1),0.1),0.5,0)*sin(2*PI*440*t)':d=8:s=48000";
    let mut command = vec![
        "-f", "lavfi", "-i", pictures, "-f", "lavfi", "-i", sound, "-c:a", "aac", "-b:a", "64k",
    ];
    command.extend(if video.is_empty() {
        &["-c:v", "libx264", "-g", "30", "-bf", "2"]
    } else {
        video
    });
    ffmpeg(&command, &path);
    path
}

#[track_caller]
pub(super) fn ffmpeg(args: &[&str], output: &Path) {
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-y"])
        .args(args)
        .arg(output)
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&made.stderr)
    );
}

/// An entry of an edit list: its duration and its start in the media, in seconds. An entry without
/// a start is a delay.
pub(super) type Edit = (f64, Option<f64>);

/// Writes a copy of the file with these edit lists for video and audio. The original must be fragmented or have its
/// index at the end, because the offsets of the samples must not change.
pub(super) fn with_edits(path: &Path, name: &str, video: &[Edit], audio: &[Edit]) -> PathBuf {
    let bytes = std::fs::read(path).unwrap();
    let mut out = Vec::new();
    for (kind, body) in boxes(&bytes) {
        if kind == *b"moov" {
            out.extend(boxed(kind, &edited_movie(body, video, audio)))
        } else {
            out.extend(boxed(kind, body))
        }
    }
    let to = path.with_file_name(name);
    std::fs::write(&to, out).unwrap();
    to
}

fn edited_movie(movie: &[u8], video: &[Edit], audio: &[Edit]) -> Vec<u8> {
    let timescale = number(find(movie, b"mvhd"), 12);
    let length = |edits: &[Edit]| edits.iter().map(|edit| edit.0).sum::<f64>();
    let mut out = Vec::new();
    for (kind, body) in boxes(movie) {
        match &kind {
            b"trak" => {
                let media = find(body, b"mdia");
                let edits = if &find(media, b"hdlr")[8..12] == b"vide" {
                    video
                } else {
                    audio
                };
                out.extend(boxed(kind, &edited_track(body, edits, timescale)));
            }
            b"mvhd" => {
                let mut header = body.to_vec();
                let duration = (length(video).max(length(audio)) * f64::from(timescale)) as u32;
                header[16..20].copy_from_slice(&duration.to_be_bytes());
                out.extend(boxed(kind, &header));
            }
            _ => out.extend(boxed(kind, body)),
        }
    }
    out
}

fn edited_track(track: &[u8], edits: &[Edit], movie_timescale: u32) -> Vec<u8> {
    let timescale = number(find(find(track, b"mdia"), b"mdhd"), 12);
    let ticks = |seconds: f64, scale: u32| (seconds * f64::from(scale)).round() as u32;
    let mut list = [0_u32.to_be_bytes(), (edits.len() as u32).to_be_bytes()].concat();
    for (duration, media) in edits {
        list.extend(ticks(*duration, movie_timescale).to_be_bytes());
        list.extend(
            media
                .map_or(u32::MAX, |at| ticks(at, timescale))
                .to_be_bytes(),
        );
        list.extend(0x1_0000_u32.to_be_bytes());
    }
    let mut out = Vec::new();
    for (kind, body) in boxes(track).filter(|(kind, _)| kind != b"edts") {
        out.extend(boxed(kind, body));
        if &kind == b"tkhd" && !edits.is_empty() {
            out.extend(boxed(*b"edts", &boxed(*b"elst", &list)));
        }
    }
    out
}

fn boxes(bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let size = number(bytes.get(at..at + 8)?, 0) as usize;
        let found = (
            bytes[at + 4..at + 8].try_into().unwrap(),
            &bytes[at + 8..at + size],
        );
        at += size;
        Some(found)
    })
}

fn find<'a>(bytes: &'a [u8], kind: &[u8; 4]) -> &'a [u8] {
    boxes(bytes).find(|(other, _)| other == kind).unwrap().1
}

fn boxed(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32 + 8).to_be_bytes(), &kind, body].concat()
}

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// The playback times at which beeps start, in milliseconds.
pub(super) fn beeps(path: &Path) -> Vec<i64> {
    let raw = Command::new("ffmpeg")
        .args(["-v", "error", "-copyts", "-i"])
        .arg(path)
        .args([
            "-map",
            "0:a:0",
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
        .map(|part| part.iter().any(|one| f32::from_le_bytes(*one).abs() > 0.2))
        .collect();
    (0..loud.len())
        .filter(|at| loud[*at] && (*at == 0 || !loud[at - 1]))
        .map(|at| at as i64 * 10)
        .collect()
}
