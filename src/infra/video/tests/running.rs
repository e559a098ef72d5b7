//! How ffmpeg is found, limited and stopped.

use super::*;
use crate::infra::video::sandbox::{Limits, Sandbox};

/// Whether a process with this argument is running.
fn is_running(argument: &str) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    // A process may end before its command line is read. The command line of a zombie is empty.
    processes
        .filter_map(|process| std::fs::read(process.path().join("cmdline")).ok())
        .any(|line| {
            line.split(|byte| *byte == 0)
                .any(|word| word == argument.as_bytes())
        })
}

#[tokio::test]
async fn sandbox_kills_a_process_and_its_children_at_the_time_limit() {
    let mut sandbox = Sandbox::find(Path::new("/bin/sh")).await;
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits {
        time: std::time::Duration::from_secs(1),
        output: 1024,
        low_priority: false,
    };
    for with_bwrap in [true, false] {
        if !with_bwrap {
            sandbox.bwrap = None;
        }
        // The fractional digits make the argument of `sleep` unique, so that `is_running` finds no
        // other process.
        let duration = format!("60.{}{}", std::process::id(), u8::from(with_bwrap));
        let script = format!("sleep {duration} & sleep {duration}");
        let ran = sandbox
            .run(
                Path::new("/bin/sh"),
                &["-c".into(), script.into()],
                None,
                dir.path(),
                limits,
                |_| {},
            )
            .await;
        assert!(matches!(ran, Err(sandbox::Fault::TimedOut)), "{ran:?}");
        let gone = async {
            while is_running(&duration) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(30), gone)
            .await
            .expect("a process is still running");
    }
}

#[tokio::test]
async fn encoding_runs_at_low_priority() {
    let sandbox = Sandbox::find(Path::new("/bin/sh")).await;
    let dir = tempfile::tempdir().unwrap();
    let mut niceness = Vec::new();
    for limits in [Limits::short(), Limits::encoding(1)] {
        let script = ["-c".into(), "nice".into()];
        sandbox
            .run(
                Path::new("/bin/sh"),
                &script,
                None,
                dir.path(),
                limits,
                |line| niceness.push(line.parse::<i32>().unwrap()),
            )
            .await
            .unwrap();
    }
    assert!(niceness[1] > niceness[0], "{niceness:?}");
}

#[tokio::test]
async fn video_tools_work_without_bwrap() {
    let tools = tools().await;
    let mut toolchain = Arc::into_inner(tools.toolchain.unwrap()).unwrap();
    toolchain.sandbox.bwrap = None;
    let tools = Tools {
        toolchain: Ok(Arc::new(toolchain)),
    };
    let dir = tempfile::tempdir().unwrap();
    let input = fixture("rec-vp8-opus-3s.webm");
    let probe = tools.probe(&input).await.unwrap();
    assert_eq!(
        tools
            .seekable(&input, &probe, dir.path())
            .await
            .unwrap()
            .extension,
        "webm"
    );
    assert!(tools.describe().unwrap().contains("limited by prlimit"));
}

#[tokio::test]
async fn missing_ffmpeg_is_reported_with_the_command_that_installs_it() {
    let tools = Tools::detect(Some(Path::new("/nowhere/ffmpeg"))).await;
    assert!(tools.missing().unwrap().contains("apt-get install ffmpeg"));
    assert_eq!(
        tools.describe(),
        Err("There is no ffmpeg at /nowhere/ffmpeg.")
    );
    assert!(matches!(
        tools.probe(&fixture("moov-at-end.mov")).await,
        Err(Error::Unavailable(..))
    ));
}
