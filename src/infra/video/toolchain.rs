//! Finds ffmpeg and ffprobe, and checks that both run in the sandbox.

use std::path::{Path, PathBuf};

use super::find_program::find_in_path;
use super::sandbox::{Limits, Sandbox};

/// The programs that handle videos, and the sandbox in which they run.
#[derive(Debug)]
pub(super) struct Toolchain {
    pub(super) ffmpeg: PathBuf,
    pub(super) ffprobe: PathBuf,
    pub(super) version: String,
    pub(super) sandbox: Sandbox,
}

/// Finds the tools and runs them once. The error names the program that is missing or cannot be run.
pub(super) async fn detect_toolchain(given: Option<&Path>) -> Result<Toolchain, String> {
    let (ffmpeg, ffprobe) = find_programs(given)?;
    let sandbox = Sandbox::find(&ffmpeg).await;
    let dir = tempfile::tempdir()
        .map_err(|error| format!("ffmpeg needs a temporary folder: {error}."))?;
    let mut version = String::new();
    for (tool, name) in [(&ffprobe, "ffprobe"), (&ffmpeg, "ffmpeg")] {
        version.clear();
        let mut set_version = |line: &str| {
            version = line.split(" Copyright").next().unwrap_or(line).to_owned();
        };
        let args = ["-v".into(), "error".into(), "-version".into()];
        let mut first = true;
        let ran = sandbox.run(tool, &args, None, dir.path(), Limits::short(), |line| {
            if std::mem::take(&mut first) {
                set_version(line);
            }
        });
        if let Err(error) = ran.await {
            tracing::warn!(tool = %tool.display(), ?error, "ffmpeg or ffprobe could not be run");
            return Err(format!("{} cannot be run.", tool.display()));
        }
        if !version.starts_with(&format!("{name} version")) {
            return Err(format!("{} is not {name}.", tool.display()));
        }
    }
    Ok(Toolchain {
        ffmpeg,
        ffprobe,
        version,
        sandbox,
    })
}

/// Returns the paths of ffmpeg (at `given` or in `PATH`) and of ffprobe (next to it or in `PATH`).
fn find_programs(given: Option<&Path>) -> Result<(PathBuf, PathBuf), String> {
    let ffmpeg = match given {
        Some(path) => path.to_owned(),
        None => find_in_path("ffmpeg").ok_or("There is no ffmpeg in PATH.")?,
    };
    let ffmpeg = std::path::absolute(&ffmpeg).unwrap_or(ffmpeg);
    if !ffmpeg.is_file() {
        return Err(format!("There is no ffmpeg at {}.", ffmpeg.display()));
    }
    let sibling = ffmpeg.with_file_name("ffprobe");
    if sibling.is_file() {
        return Ok((ffmpeg, sibling));
    }
    match find_in_path("ffprobe") {
        Some(ffprobe) => Ok((ffmpeg, ffprobe)),
        None => Err(format!(
            "There is no ffprobe at {}, and none in PATH.",
            sibling.display()
        )),
    }
}
