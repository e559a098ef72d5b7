//! An ffmpeg whose work waits until a test lets it go on.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

/// What of it can be held up; the names of pipes that the script reads a line from before it works.
pub const ENCODING: &str = "encoding";
pub const PREPARATION: &str = "preparation";

const SCRIPT: &str = r#"#!/bin/sh
here=${0%/*}
gate=
case " $* " in
  *" libx264 "*) gate=$here/encoding ;;
  *" -nostdin "*) gate=$here/preparation ;;
esac
if [ -n "$gate" ] && [ -p "$gate" ]; then read -r _ < "$gate"; fi
exec REAL "$@"
"#;

/// The folder of the script; it ends with this.
pub struct Gate {
    dir: TempDir,
    pipes: Vec<File>,
}

impl Gate {
    /// Holds up runs of these kinds.
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

    /// Lets all runs of a kind go on, those that wait and those to come.
    pub fn open(&mut self, kind: &str) {
        let path = self.dir.path().join(kind);
        // For reading as well, so that opening it does not wait for a reader.
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
