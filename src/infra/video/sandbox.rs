//! Runs a program on hostile input: no environment, no network, few files, bounded in memory, time and output.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

/// What holds ffmpeg. The flags it is run with bar playlists and the network already; this is for its bugs.
#[derive(Debug)]
pub(super) struct Sandbox {
    pub(super) bwrap: Option<PathBuf>,
    prlimit: Option<PathBuf>,
    nice: Option<PathBuf>,
    /// The folder of an ffmpeg that is not below /usr.
    ffmpeg_dir: Option<PathBuf>,
}

/// How far one run may go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Wall clock and, less strictly, CPU.
    pub(super) time: Duration,
    /// The largest file it may write, in bytes.
    pub(super) output: u64,
    /// Whether everything else on the machine comes first.
    pub(super) last: bool,
}

/// Address space, in bytes. The libraries take 300 MB of it, 4K video some 500 MB.
const MAX_MEMORY: u64 = 2 * 1024 * 1024 * 1024;
/// What is read of standard output at most: packets of a day fit, an endless stream does not.
const MAX_STDOUT: u64 = 2 * 1024 * 1024 * 1024;
/// How much of the end of standard error is kept.
const STDERR_TAIL: usize = 2048;

impl Limits {
    pub(super) fn short() -> Self {
        Self {
            time: Duration::from_secs(20),
            output: 1024 * 1024,
            last: false,
        }
    }

    /// For making the pictures of so many seconds anew. It takes long, and whoever records or watches meanwhile must not notice.
    pub(super) fn encoding(seconds: u64) -> Self {
        // 20 Mbit/s, far above what this quality takes.
        Self {
            time: Duration::from_secs(300 + 12 * seconds),
            output: 64 * 1024 * 1024 + 2_500_000 * seconds,
            last: true,
        }
    }
}

/// Why a run did not end well.
#[derive(Debug)]
pub(super) enum Fault {
    /// It could not be started or heard.
    Io(std::io::Error),
    /// It took too long and was killed.
    TimedOut,
    /// The disk is full.
    DiskFull,
    /// It gave up; the last lines that it said, newest first.
    Failed(String),
}

impl Sandbox {
    /// Looks what this machine has. In a container `bwrap` may not be allowed to do its work: it is tried.
    pub(super) async fn find(ffmpeg: &Path) -> Self {
        let own = ffmpeg
            .canonicalize()
            .ok()
            .and_then(|path| path.parent().map(Path::to_owned));
        let own = own.filter(|folder| !folder.starts_with("/usr"));
        let mut sandbox = Self {
            bwrap: super::find_in_path("bwrap"),
            prlimit: super::find_in_path("prlimit"),
            nice: super::find_in_path("nice"),
            ffmpeg_dir: own,
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
            (Some(_), Some(_)) => "caged by bwrap and prlimit",
            (Some(_), None) => {
                "caged by bwrap; without prlimit its memory is not bounded (install util-linux)"
            }
            (None, Some(_)) => {
                "bounded by prlimit; bwrap is not installed or not allowed here, so it can read what Hearback can read"
            }
            (None, None) => "not caged: install util-linux (prlimit) and bubblewrap (bwrap)",
        }
    }

    /// Runs `program` in `dir`, which it may write, with `input`, which it may read. Dropping the future kills it.
    pub(super) async fn run(
        &self,
        program: &Path,
        args: &[OsString],
        input: Option<&Path>,
        dir: &Path,
        limits: Limits,
        mut line: impl FnMut(&str),
    ) -> Result<(), Fault> {
        let words = self.command_line(program, args, input, dir, limits);
        let mut words = words.iter();
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
        let (status, said) = status;
        if said.contains("No space left on device") || said.contains("Disk quota exceeded") {
            return Err(Fault::DiskFull);
        }
        let lines: Vec<&str> = said
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
        if let Some(nice) = self.nice.as_ref().filter(|_| limits.last) {
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
            command.extend(
                [
                    "--unshare-all",
                    "--die-with-parent",
                    "--new-session",
                    "--cap-drop",
                    "ALL",
                ]
                .map(OsString::from),
            );
            command.extend(["--ro-bind", "/usr", "/usr"].map(OsString::from));
            // Libraries: linked to /usr on most systems. Debian's ffmpeg finds some by /etc/alternatives.
            for folder in [
                "/lib",
                "/lib64",
                "/bin",
                "/etc/ld.so.cache",
                "/etc/alternatives",
            ] {
                command.extend(["--ro-bind-try", folder, folder].map(OsString::from));
            }
            command.extend(
                ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"].map(OsString::from),
            );
            for (flag, path) in [
                ("--ro-bind", self.ffmpeg_dir.as_deref()),
                ("--bind", Some(dir)),
                ("--ro-bind", input),
            ] {
                if let Some(path) = path {
                    command.extend([flag.into(), path.into(), path.into()]);
                }
            }
            command.extend(["--chdir".into(), dir.into(), "--".into()]);
        }
        command.push(program.into());
        command.extend_from_slice(args);
        command
    }
}

/// Reads both outputs to their ends, then waits: one of them unread would stop the program.
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
    let (lines, said) = tokio::join!(lines, read_tail(stderr));
    lines?;
    Ok((child.wait().await?, said))
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

/// Kills a process with all it started, unless it ended by itself.
struct ProcessGroup(Option<Pid>);

impl ProcessGroup {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        if let Some(pid) = self.0 {
            // It may be gone already.
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}
