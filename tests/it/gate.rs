//! A replacement for ffmpeg that waits until a test lets it continue.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

/// The kinds of ffmpeg runs that a gate can block. Each constant is also the name of a pipe. The gate's script reads a
/// line from this pipe before it starts ffmpeg.
pub const ENCODING: &str = "encoding";
pub const PREPARATION: &str = "preparation";
pub const POSTER: &str = "poster";

const SCRIPT: &str = r#"#!/bin/sh
here=${0%/*}
gate=
case " $* " in
  *" libx264 "*) gate=$here/encoding ;;
  *" mjpeg "*) gate=$here/poster ;;
  *" -nostdin "*) gate=$here/preparation ;;
esac
if [ -n "$gate" ] && [ -p "$gate" ]; then read -r _ < "$gate"; fi
exec REAL "$@"
"#;

/// A script that takes the place of ffmpeg and can block its runs. Dropping the gate deletes the script.
pub struct Gate {
    dir: TempDir,
    pipes: Vec<File>,
}

impl Gate {
    /// Returns a gate that blocks these kinds of ffmpeg runs until [`Self::open`] is called for
    /// them.
    pub fn holding(kinds: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let real = |name: &str| {
            String::from_utf8(Command::new("which").arg(name).output().unwrap().stdout)
                .unwrap()
                .trim()
                .to_owned()
        };
        let script = dir.path().join("ffmpeg");
        std::fs::write(&script, SCRIPT.replace("REAL", &real("ffmpeg"))).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        symlink(real("ffprobe"), dir.path().join("ffprobe")).unwrap();
        for kind in kinds {
            assert!(
                Command::new("mkfifo")
                    .arg(dir.path().join(kind))
                    .status()
                    .unwrap()
                    .success()
            );
        }
        Self {
            dir,
            pipes: Vec::new(),
        }
    }

    pub fn ffmpeg(&self) -> PathBuf {
        self.dir.path().join("ffmpeg")
    }

    /// Releases all runs of this kind, both waiting and future ones.
    pub fn open(&mut self, kind: &str) {
        let path = self.dir.path().join(kind);
        // Open the pipe for reading and writing. Opening it only for writing blocks until a script opens it for
        // reading.
        let mut pipe = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .unwrap();
        pipe.write_all(&b"\n".repeat(100)).unwrap();
        std::fs::remove_file(path).unwrap();
        self.pipes.push(pipe);
    }
}
