//! A server process whose database is on a small tmpfs.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use sqlx::Connection;
use tempfile::TempDir;

use crate::app::TestApp;

const PAGE: u64 = 4096;

/// A server whose database is on its own small disk.
pub(super) struct SmallDisk {
    server: Child,
    pub(super) base: String,
    /// The path at which the test can reach the disk. Only the server's mount namespace contains the disk, so the path
    /// leads through `/proc`.
    disk: PathBuf,
    data: TempDir,
    _mount: TempDir,
}

/// Returns whether an unprivileged process can mount a tmpfs on this machine. If not, prints that
/// the test is skipped.
pub(super) fn can_mount() -> bool {
    let dir = tempfile::tempdir().unwrap();
    let tried = Command::new("unshare")
        .args(["-rm", "mount", "-t", "tmpfs", "none"])
        .arg(dir.path())
        .output();
    let mounted = tried.as_ref().is_ok_and(|done| done.status.success());
    if !mounted {
        eprintln!(
            "SKIPPED: a tmpfs cannot be mounted in a namespace on this machine, so a full disk was NOT tested: \
             {tried:?}"
        );
    }
    mounted
}

impl SmallDisk {
    /// Copies the database of `app` to a new disk of this size, and starts a server that uses the
    /// copy.
    pub(super) async fn start(app: &TestApp, mebibytes: u32, ffmpeg: Option<&Path>) -> Self {
        let (data, mount) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let seed = data.path().join("seed.db");
        copy_database(app, &seed).await;
        let database = mount.path().join("hearback.db");
        let mut command = serve_on_tmpfs();
        command
            .env("SIZE", format!("{mebibytes}m"))
            .env("MOUNT", mount.path())
            .env("SEED", &seed)
            .env(
                "DATABASE_URL",
                format!("sqlite://{}?mode=rwc", database.display()),
            )
            .env("HEARBACK_DATA", data.path());
        if let Some(ffmpeg) = ffmpeg {
            command.env("HEARBACK_FFMPEG", ffmpeg);
        }
        let log = File::create(data.path().join("log")).unwrap();
        let mut server = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
        let line = lines.next().unwrap().unwrap();
        let base = line
            .strip_prefix("Hearback is listening on ")
            .unwrap_or_else(|| panic!("{line}"));
        // `unshare` and `sh` each replace themselves with the next program through `exec`, so the
        // server has the process id of the child.
        let disk = PathBuf::from(format!(
            "/proc/{}/root{}",
            server.id(),
            mount.path().display()
        ));
        assert!(disk.join("hearback.db").exists());
        Self {
            server,
            base: base.to_owned(),
            disk,
            data,
            _mount: mount,
        }
    }

    /// Fills the disk but leaves this number of pages free.
    pub(super) fn fill(&self, pages: u64) {
        let ballast = File::create(self.disk.join("ballast")).unwrap();
        let mut size = 0;
        for block in [256 * PAGE, PAGE] {
            let zeros = vec![0; usize::try_from(block).unwrap()];
            while let Ok(written) = ballast.write_at(&zeros, size) {
                size += u64::try_from(written).unwrap();
            }
        }
        ballast.set_len(size.saturating_sub(pages * PAGE)).unwrap();
    }

    pub(super) fn make_room(&self) {
        std::fs::remove_file(self.disk.join("ballast")).unwrap();
    }

    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.data.path().join("log")).unwrap()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Returns a command that mounts a tmpfs, copies a database to it and runs the server. The environment variables
/// `SIZE`, `MOUNT` and `SEED` must contain the size of the tmpfs, its mount point and the path of the database to copy.
fn serve_on_tmpfs() -> Command {
    let script =
        "mount -t tmpfs -o size=$SIZE none $MOUNT && cp $SEED $MOUNT/hearback.db && exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args([
        "-rm",
        "sh",
        "-c",
        script,
        "sh",
        env!("CARGO_BIN_EXE_hearback"),
        "serve",
        "--listen",
        "127.0.0.1:0",
    ]);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("HEARBACK_")) {
        command.env_remove(name);
    }
    command
}

async fn copy_database(app: &TestApp, to: &Path) {
    let url = format!("sqlite://{}/hearback.db", app.dir.path().display());
    let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
    sqlx::query("VACUUM INTO $1")
        .bind(to.display().to_string())
        .execute(&mut connection)
        .await
        .unwrap();
}
