//! An ffmpeg that waits before it works on a file, so that a test decides when a video is prepared.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use tempfile::TempDir;

pub struct Gate {
    dir: TempDir,
}

impl Gate {
    /// A gate that is closed.
    pub fn new() -> Self {
        let gate = Self { dir: tempfile::tempdir().unwrap() };
        let made = std::process::Command::new("mkfifo").arg(gate.fifo()).status().unwrap();
        assert!(made.success());
        let script = format!(
            "#!/bin/sh\ncase \"$*\" in *\" -i \"*) [ -p {0} ] && read word <{0};; esac\nexec /usr/bin/ffmpeg \"$@\"\n",
            gate.fifo().display()
        );
        std::fs::write(gate.ffmpeg(), script).unwrap();
        std::fs::set_permissions(gate.ffmpeg(), std::fs::Permissions::from_mode(0o755)).unwrap();
        gate
    }

    /// What to set as ffmpeg.
    pub fn ffmpeg(&self) -> PathBuf {
        self.dir.path().join("ffmpeg")
    }

    /// Lets everything through, from now on. Waits until an ffmpeg waits.
    pub async fn open(&self) {
        let fifo = self.fifo();
        let opened = move || {
            std::fs::write(&fifo, "go\n")?;
            std::fs::remove_file(&fifo)
        };
        actix_web::rt::task::spawn_blocking(opened).await.unwrap().unwrap();
    }

    fn fifo(&self) -> PathBuf {
        self.dir.path().join("gate")
    }
}
