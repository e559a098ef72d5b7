//! These tests need ffmpeg. Each file covers one subject. Shared helpers are in this file and in `samples` and
//! `presentation`.

mod colors;
mod conversion;
mod copies;
mod edit_lists;
#[path = "../../../tests/it/frames.rs"]
mod frames;
mod inspection;
mod output_checks;
mod posters;
mod presentation;
mod probing;
mod running;
mod samples;
mod timeline;
mod trimming;

use std::process::Command;

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

/// Makes a seekable copy and measures it, instead of deriving its properties from those of the original.
async fn measured_copy(tools: &Tools, input: &Path, probe: &Probe, dir: &Path) -> Result<Output> {
    let made = tools.seekable(input, probe, dir).await?;
    let probe = tools.probe(&made.path).await?;
    Ok(Output { probe, ..made })
}

/// Returns the time in milliseconds of each packet of a stream, and the MD5 of the packet's data.
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
