//! Runs programs on untrusted input, without environment variables and for a limited time. If bwrap
//! is available, the programs have no network access and can access only a few files. If prlimit is
//! available, their memory and output are limited.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

use super::find_program::find_in_path;

/// The sandbox for ffmpeg. ffmpeg's options already disable playlists and the network. The sandbox
/// also protects against bugs in ffmpeg.
#[derive(Debug)]
pub(super) struct Sandbox {
    pub(super) bwrap: Option<PathBuf>,
    prlimit: Option<PathBuf>,
    nice: Option<PathBuf>,
    /// The folder that contains ffmpeg, if it is outside /usr.
    ffmpeg_dir: Option<PathBuf>,
}

/// The limits of one run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// The limit on wall-clock time and, approximately, on CPU time.
    pub(super) time: Duration,
    /// The maximum size of a written file, in bytes.
    pub(super) output: u64,
    /// Whether to run at low priority.
    pub(super) low_priority: bool,
}

/// The limit on the address space, in bytes. The libraries take 300 MB, and a 4K video takes about 500 MB.
const MAX_MEMORY: u64 = 2 * 1024 * 1024 * 1024;
/// The maximum amount read from standard output, in bytes. A packet list for a day of video fits,
/// but an endless stream does not.
const MAX_STDOUT: u64 = 2 * 1024 * 1024 * 1024;
/// How many bytes from the end of standard error are kept.
const STDERR_TAIL: usize = 2048;
/// The arguments with which bwrap separates a program from the rest of the system.
const NAMESPACES: [&str; 14] = [
    "--unshare-all",
    "--die-with-parent",
    "--new-session",
    "--cap-drop",
    "ALL",
    "--ro-bind",
    "/usr",
    "/usr",
    "--proc",
    "/proc",
    "--dev",
    "/dev",
    "--tmpfs",
    "/tmp",
];
/// The paths through which programs find shared libraries. On most systems, /lib, /lib64 and /bin
/// are links into /usr; on Debian, ffmpeg finds some libraries through /etc/alternatives.
const LIBRARY_FOLDERS: [&str; 5] = [
    "/lib",
    "/lib64",
    "/bin",
    "/etc/ld.so.cache",
    "/etc/alternatives",
];

impl Limits {
    pub(super) fn short() -> Self {
        Self {
            time: Duration::from_secs(20),
            output: 1024 * 1024,
            low_priority: false,
        }
    }

    /// Limits for encoding this many seconds of video. Encoding takes a long time, so it runs at
    /// low priority.
    pub(super) fn encoding(seconds: u64) -> Self {
        // Allow 20 Mbit/s of output. The encoded videos need far less.
        Self {
            time: Duration::from_secs(300 + 12 * seconds),
            output: 64 * 1024 * 1024 + 2_500_000 * seconds,
            low_priority: true,
        }
    }
}

/// Why a run failed.
#[derive(Debug)]
pub(super) enum Fault {
    /// The program could not be started, or its output could not be read.
    Io(std::io::Error),
    /// The program exceeded its time limit and was killed.
    TimedOut,
    /// The disk is full, or the disk quota is exceeded.
    DiskFull,
    /// The program failed. Contains the exit status and the last lines of standard error, newest
    /// first.
    Failed(String),
}

impl Sandbox {
    /// Detects the tools on this machine. Tests `bwrap` by running it, because `bwrap` may not work
    /// in a container.
    pub(super) async fn find(ffmpeg: &Path) -> Self {
        let folder = ffmpeg
            .canonicalize()
            .ok()
            .and_then(|path| path.parent().map(Path::to_owned));
        let ffmpeg_dir = folder.filter(|folder| !folder.starts_with("/usr"));
        let mut sandbox = Self {
            bwrap: find_in_path("bwrap"),
            prlimit: find_in_path("prlimit"),
            nice: find_in_path("nice"),
            ffmpeg_dir,
        };
        if sandbox.bwrap.is_some() {
            let works = match tempfile::tempdir() {
                Ok(dir) => sandbox
                    .run(
                        ffmpeg,
                        &["-version".into()],
                        None,
                        dir.path(),
                        Limits::short(),
                        |_| {},
                    )
                    .await
                    .is_ok(),
                Err(_) => false,
            };
            if !works {
                sandbox.bwrap = None;
            }
        }
        sandbox
    }

    pub(super) fn describe(&self) -> &'static str {
        match (&self.bwrap, &self.prlimit) {
            (Some(_), Some(_)) => "sandboxed by bwrap and prlimit",
            (Some(_), None) => {
                "sandboxed by bwrap without a memory limit: install util-linux (prlimit)"
            }
            (None, Some(_)) => {
                "limited by prlimit; bwrap is missing or not permitted, so ffmpeg can read every \
                 file that Hearback can read"
            }
            (None, None) => "not sandboxed: install util-linux (prlimit) and bubblewrap (bwrap)",
        }
    }

    /// Runs `program` with write access to `dir` and read access to `input`. Calls `line` for each
    /// output line. Dropping the future kills the program.
    pub(super) async fn run(
        &self,
        program: &Path,
        args: &[OsString],
        input: Option<&Path>,
        dir: &Path,
        limits: Limits,
        mut line: impl FnMut(&str),
    ) -> Result<(), Fault> {
        let command_line = self.command_line(program, args, input, dir, limits);
        let mut words = command_line.iter();
        let mut command = Command::new(
            words
                .next()
                .map_or(program.as_os_str(), |word| word.as_os_str()),
        );
        command
            .args(words)
            .env_clear()
            .current_dir(dir)
            .process_group(0)
            .kill_on_drop(true);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(Fault::Io)?;
        let group = ProcessGroup(
            child
                .id()
                .and_then(|id| i32::try_from(id).ok())
                .and_then(Pid::from_raw),
        );
        let ended = tokio::time::timeout(limits.time, collect_output(&mut child, &mut line)).await;
        let status = match ended {
            Err(_) => return Err(Fault::TimedOut),
            Ok(Err(error)) => return Err(Fault::Io(error)),
            Ok(Ok((status, _))) if status.success() => {
                group.disarm();
                return Ok(());
            }
            Ok(Ok(ended)) => ended,
        };
        group.disarm();
        let (status, stderr) = status;
        if stderr.contains("No space left on device") || stderr.contains("Disk quota exceeded") {
            return Err(Fault::DiskFull);
        }
        let lines: Vec<&str> = stderr
            .lines()
            .rev()
            .filter(|line| !line.trim().is_empty())
            .take(3)
            .collect();
        Err(Fault::Failed(format!("{status}: {}", lines.join(" ← "))))
    }

    fn command_line(
        &self,
        program: &Path,
        args: &[OsString],
        input: Option<&Path>,
        dir: &Path,
        limits: Limits,
    ) -> Vec<OsString> {
        let mut command: Vec<OsString> = Vec::new();
        if let Some(nice) = self.nice.as_ref().filter(|_| limits.low_priority) {
            command.extend([nice.into(), "-n".into(), "15".into()]);
        }
        if let Some(prlimit) = &self.prlimit {
            command.push(prlimit.into());
            command.extend([
                format!("--as={MAX_MEMORY}").into(),
                format!("--cpu={}", limits.time.as_secs().max(1)).into(),
                format!("--fsize={}", limits.output).into(),
                "--nofile=64".into(),
                "--core=0".into(),
                "--".into(),
            ]);
        }
        if let Some(bwrap) = &self.bwrap {
            command.push(bwrap.into());
            command.extend(self.namespace_args(input, dir));
        }
        command.push(program.into());
        command.extend_from_slice(args);
        command
    }

    /// The arguments with which bwrap hides everything but the program, its libraries, `input` and `dir`.
    fn namespace_args(&self, input: Option<&Path>, dir: &Path) -> Vec<OsString> {
        let mut args = NAMESPACES.map(OsString::from).to_vec();
        for folder in LIBRARY_FOLDERS {
            args.extend(["--ro-bind-try", folder, folder].map(OsString::from));
        }
        for (flag, path) in [
            ("--ro-bind", self.ffmpeg_dir.as_deref()),
            ("--bind", Some(dir)),
            ("--ro-bind", input),
        ] {
            if let Some(path) = path {
                args.extend([flag.into(), path.into(), path.into()]);
            }
        }
        args.extend(["--chdir".into(), dir.into(), "--".into()]);
        args
    }
}

/// Reads standard output and standard error to the end, and then waits for the process to exit. If output were left
/// unread, the program would block.
async fn collect_output(
    child: &mut Child,
    line: &mut impl FnMut(&str),
) -> std::io::Result<(std::process::ExitStatus, String)> {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let lines = async {
        let Some(stdout) = stdout else { return Ok(()) };
        let mut lines = BufReader::with_capacity(64 * 1024, stdout.take(MAX_STDOUT)).lines();
        while let Some(text) = lines.next_line().await? {
            line(&text);
        }
        Ok::<_, std::io::Error>(())
    };
    let (lines, stderr) = tokio::join!(lines, read_tail(stderr));
    lines?;
    Ok((child.wait().await?, stderr))
}

async fn read_tail(from: Option<impl AsyncRead + Unpin>) -> String {
    let mut kept = Vec::new();
    if let Some(mut from) = from {
        let mut block = [0; STDERR_TAIL];
        while let Ok(read @ 1..) = from.read(&mut block).await {
            kept.extend_from_slice(&block[..read]);
            kept.drain(..kept.len().saturating_sub(STDERR_TAIL));
        }
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// Kills the process group when dropped, unless it is disarmed.
struct ProcessGroup(Option<Pid>);

impl ProcessGroup {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        if let Some(pid) = self.0 {
            // Ignore an error, because the process may have ended already.
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}
