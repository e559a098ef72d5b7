//! `hearback doctor`, which checks an installation and says how to fix it.

use super::{command_for, hearback, run, utf8};
use crate::app::TestApp;

#[actix_web::test]
async fn doctor_checks_every_part_of_a_working_installation() {
    let app = TestApp::start().await;
    let done = run(command_for(&app, &["doctor"]), "").await;
    let printed = utf8(&done.stdout);
    for part in ["database", "storage", "video", "disk"] {
        assert!(
            printed
                .lines()
                .any(|line| line.starts_with("ok") && line.contains(part)),
            "{part}: {printed}"
        );
    }
    // The doctor reports missing browser files if `cargo test` runs without `bin/build-browser`. Ignore that failure.
    let others: Vec<&str> = printed
        .lines()
        .filter(|line| line.starts_with("FAIL") && !line.contains("browser files"))
        .collect();
    assert_eq!(others, [""; 0]);
    assert_eq!(
        done.status.code(),
        Some(i32::from(printed.contains("FAIL")))
    );
    assert_eq!(
        app.objects().await,
        [""; 0],
        "the doctor deletes its test object"
    );
}

#[test]
fn doctor_explains_that_storage_is_unreachable() {
    let dir = tempfile::tempdir().unwrap();
    let dead = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string();
    let data = dir.path().join("data");
    let settings = [
        ("HEARBACK_DATA", data.to_str().unwrap().to_owned()),
        ("HEARBACK_STORAGE", "s3://bucket".into()),
        ("HEARBACK_S3_ENDPOINT", format!("http://{dead}")),
        ("AWS_ACCESS_KEY_ID", "k".into()),
        ("AWS_SECRET_ACCESS_KEY", "s".into()),
    ];
    let settings: Vec<(&str, &str)> = settings
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let done = hearback(&settings, &["doctor"]).output().unwrap();
    let printed = utf8(&done.stdout);
    assert_eq!(done.status.code(), Some(1), "{printed}");
    let line = printed
        .lines()
        .find(|line| line.starts_with("FAIL storage"))
        .unwrap_or_else(|| panic!("{printed}"));
    assert!(line.contains("endpoint"), "{line}");
    for once in ["Bucket bucket:", "Nothing responds at the endpoint"] {
        assert_eq!(printed.matches(once).count(), 1, "{printed}");
    }
}

/// Runs `hearback doctor` with a new data folder and these settings. Returns its exit code and the line about `part`.
fn doctor_line(part: &str, settings: &[(&str, &str)]) -> (Option<i32>, String) {
    let dir = tempfile::tempdir().unwrap();
    let data = [("HEARBACK_DATA", dir.path().to_str().unwrap())];
    let settings = [&data[..], settings].concat();
    let done = hearback(&settings, &["doctor"]).output().unwrap();
    let printed = utf8(&done.stdout);
    let line = printed
        .lines()
        .find(|line| line.get(5..).is_some_and(|text| text.starts_with(part)));
    let line = line.unwrap_or_else(|| panic!("{part}: {printed}"));
    (done.status.code(), line.to_owned())
}

#[test]
fn doctor_says_that_recording_needs_https_unless_the_address_is_local() {
    for (url, allowed) in [
        ("http://localhost:8080", true),
        ("http://127.0.0.1:8080", true),
        ("http://[::1]:8080", true),
        ("https://hearback.example.org", true),
        ("http://hearback.example.org", false),
        ("http://localhost.example.org", false),
    ] {
        let (_, line) = doctor_line("address", &[("HEARBACK_URL", url)]);
        assert!(line.starts_with(&format!("ok   address: {url}")), "{line}");
        assert_eq!(!line.contains("only over https"), allowed, "{line}");
    }
}

#[test]
fn doctor_names_the_path_at_which_ffmpeg_or_ffprobe_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("ffmpeg");
    let missing = missing.to_str().unwrap();
    let (code, line) = doctor_line("video", &[("HEARBACK_FFMPEG", missing)]);
    let named = format!("FAIL video: There is no ffmpeg at {missing}. Fix: set HEARBACK_FFMPEG");
    assert!(code == Some(1) && line.starts_with(&named), "{line}");

    let empty = dir.path().to_str().unwrap();
    let (_, line) = doctor_line("video", &[("PATH", empty)]);
    let named = "FAIL video: There is no ffmpeg in PATH. Fix: apt-get install ffmpeg";
    assert!(line.starts_with(named), "{line}");

    std::fs::write(missing, "").unwrap();
    let settings = [("HEARBACK_FFMPEG", missing), ("PATH", empty)];
    let (_, line) = doctor_line("video", &settings);
    let named = format!("FAIL video: There is no ffprobe at {empty}/ffprobe, and none in PATH.");
    assert!(line.starts_with(&named), "{line}");
}

#[test]
fn doctor_says_that_the_database_file_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("hearback.db"),
        "not a database ".repeat(1000),
    )
    .unwrap();
    let settings = [("HEARBACK_DATA", dir.path().to_str().unwrap())];
    let done = hearback(&settings, &["doctor"]).output().unwrap();
    let printed = utf8(&done.stdout);
    let line = printed
        .lines()
        .find(|line| line.starts_with("FAIL database"))
        .unwrap_or_else(|| panic!("{printed}"));
    assert!(
        line.contains("file is not a database") && line.contains("restore a backup"),
        "{line}"
    );
    assert!(
        !line.contains("server") && !line.contains("request id"),
        "{line}"
    );
}

#[test]
fn doctor_and_serve_say_what_is_wrong_with_the_data_folder() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let file = file.to_str().unwrap();
    let is_a_file = format!("HEARBACK_DATA: {file} is not a folder.");
    for (folder, fault) in [
        (file, is_a_file.as_str()),
        (&format!("{file}/below"), &is_a_file),
        // Nobody can create files in `/proc`, not even root.
        (
            "/proc/hearback",
            "HEARBACK_DATA: cannot create the folder /proc/hearback: ",
        ),
        ("/proc", "HEARBACK_DATA: cannot create a file in /proc: "),
    ] {
        let settings = [("HEARBACK_DATA", folder)];
        let done = hearback(&settings, &["doctor"]).output().unwrap();
        let printed = utf8(&done.stdout);
        let failures: Vec<&str> = printed
            .lines()
            .filter(|line| line.starts_with("FAIL") && !line.contains("browser files"))
            .collect();
        assert_eq!(failures.len(), 1, "{folder}: {printed}");
        assert!(failures[0].contains(fault), "{folder}: {printed}");
        assert_eq!(done.status.code(), Some(1));
        let done = hearback(&settings, &["serve"]).output().unwrap();
        assert!(
            utf8(&done.stderr).contains(fault),
            "{folder}: {}",
            utf8(&done.stderr)
        );
    }
}
