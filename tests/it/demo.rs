//! `hearback demo`, run as a person runs it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::app::Client;

#[actix_web::test]
async fn the_demo_is_full_of_life_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut running = Command::new(env!("CARGO_BIN_EXE_hearback"))
        .arg("demo")
        // Whatever is set, it keeps to itself.
        .envs([
            ("HEARBACK_DATA", "/nowhere"),
            ("DATABASE_URL", "postgres://nobody@nowhere/x"),
            ("HEARBACK_SMTP_URL", "smtp://nowhere"),
        ])
        .env("TMPDIR", folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(running.stdout.take().unwrap()).lines();
    let said: Vec<String> = lines
        .map(Result::unwrap)
        .take_while(|line| !line.contains("Ctrl+C"))
        .collect();
    let base = said[0]
        .split(' ')
        .find(|word| word.starts_with("http://"))
        .unwrap();
    let (email, password) = (
        said[1].split(' ').nth(3).unwrap(),
        said[1].split(": ").nth(1).unwrap(),
    );

    let ada = Client::at(base).accept("text/html");
    ada.form(
        "POST",
        "/session",
        &[("email", email), ("password", password)],
    )
    .await
    .expect(303);
    let program = ada.clone().header("accept", "application/json");
    let inbox = program.get("/inbox").await.expect(200).json();
    for section in ["owed_by_me", "owed_to_me", "said_to_me"] {
        assert!(
            inbox["counts"][section].as_i64().unwrap() >= 2,
            "{section}: {inbox}"
        );
    }
    let whys: Vec<&str> = inbox["owed_by_me"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["why"].as_str().unwrap())
        .collect();
    for why in ["acknowledge", "readback", "changed", "readbacks"] {
        assert!(whys.contains(&why), "{why}: {whys:?}");
    }

    let all = program.get("/updates?limit=100").await.expect(200).json();
    let mut states = Vec::new();
    for update in all["items"].as_array().unwrap() {
        let path = format!("/updates/{}", update["id"].as_str().unwrap());
        if update["state"] == "draft" {
            ada.get(&format!("{path}/edit")).await.expect(200);
            continue;
        }
        ada.get(&path).await.expect(200);
        ada.get(&format!("{path}/receipts")).await.expect(200);
        let receipts = program
            .get(&format!("{path}/receipts"))
            .await
            .expect(200)
            .json();
        states.extend(
            receipts["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| row["state"].as_str().unwrap().to_owned()),
        );
        let update = program.get(&path).await.expect(200).json();
        for media in update["media"].as_array().unwrap() {
            for rendition in media["renditions"].as_array().unwrap() {
                let status = program
                    .get(rendition["url"].as_str().unwrap())
                    .await
                    .status
                    .as_u16();
                // One that was made anew meanwhile is gone.
                assert!(matches!(status, 200 | 404), "{status}: {rendition}");
            }
        }
    }
    for state in [
        "waiting",
        "acknowledged",
        "read_back",
        "confirmed",
        "needs_correction",
        "declined",
        "stale",
    ] {
        assert!(
            states.iter().any(|one| one == state),
            "nobody is {state}: {states:?}"
        );
    }
    for path in [
        "/inbox",
        "/updates",
        "/updates/new",
        "/receipts",
        "/people",
        "/workspace",
        "/me",
        "/trash",
        "/search?q=checkout",
    ] {
        ada.get(path).await.expect(200);
    }
    let people: Value = program.get("/people").await.expect(200).json();
    let zones: std::collections::BTreeSet<&str> = people["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|person| person["time_zone"].as_str().unwrap())
        .collect();
    assert_eq!(
        (people["items"].as_array().unwrap().len(), zones.len()),
        (12, 4)
    );

    let told = Command::new("kill")
        .args(["-TERM", &running.id().to_string()])
        .status()
        .unwrap();
    assert!(told.success());
    let ended = tokio::task::spawn_blocking(move || running.wait().unwrap())
        .await
        .unwrap();
    assert_eq!(ended.code(), Some(0));
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        0,
        "its folder is gone"
    );
}

#[actix_web::test]
async fn demo_with_keep_serves_the_same_workspace_again() {
    let folder = tempfile::tempdir().unwrap();
    let start = || {
        let mut running = Command::new(env!("CARGO_BIN_EXE_hearback"))
            .args(["demo", "--keep"])
            .arg(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(running.stdout.take().unwrap()).lines();
        let printed: Vec<String> = lines
            .map(Result::unwrap)
            .take_while(|line| !line.contains("Ctrl+C"))
            .collect();
        let base = printed[0]
            .split(' ')
            .find(|word| word.starts_with("http://"));
        (running, Client::at(base.unwrap()).accept("text/html"))
    };
    let stop = async |mut running: Child| {
        let id = running.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .unwrap()
                .success()
        );
        let ended = tokio::task::spawn_blocking(move || running.wait().unwrap());
        assert_eq!(ended.await.unwrap().code(), Some(0));
    };
    let people = async |client: &Client| {
        let form = [
            ("email", "ada@example.org"),
            ("password", "hear it back to me"),
        ];
        client.form("POST", "/session", &form).await.expect(303);
        let client = client.clone().header("accept", "application/json");
        client.get("/people").await.expect(200).json()
    };

    let (running, ada) = start();
    let before = people(&ada).await;
    stop(running).await;
    let (running, ada) = start();
    assert_eq!(people(&ada).await, before);
    stop(running).await;
}
