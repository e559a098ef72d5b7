//! Reads the database and the stored objects of a server directly, and waits for conditions.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::Value;

use super::{Client, TestApp, s3};

/// The time that a test waits for a condition before it fails.
const TIMEOUT: Duration = Duration::from_secs(60);

impl TestApp {
    /// Repeats a GET request until the body satisfies the condition, and returns the body. Panics with the last body
    /// after 60 s.
    pub async fn wait_for(
        &self,
        client: &Client,
        path: &str,
        matches: impl Fn(&Value) -> bool,
    ) -> Value {
        let (deadline, mut changes) = (Instant::now() + TIMEOUT, self.changes());
        loop {
            let response = client.get(path).await;
            if response.status == StatusCode::OK && matches(&response.json()) {
                return response.json();
            }
            assert!(
                Instant::now() < deadline,
                "{path} never matched: {}",
                response.text()
            );
            changes.next().await;
        }
    }

    /// Waits until the condition is true. Panics with `what` after 60 s.
    pub async fn wait_until(&self, what: &str, mut condition: impl AsyncFnMut() -> bool) {
        let (deadline, mut changes) = (Instant::now() + TIMEOUT, self.changes());
        while !condition().await {
            assert!(Instant::now() < deadline, "timed out: {what}");
            changes.next().await;
        }
    }

    /// Waits until no job is pending or running. Ignores `mail` and `clear` jobs that are scheduled for later. Panics
    /// if a job has failed permanently.
    pub async fn wait_for_jobs(&self) {
        let (mut deadline, mut last_pending) = (Instant::now() + TIMEOUT, i64::MAX);
        let counts =
            "SELECT count(*) FILTER (WHERE dead_at IS NULL AND (kind NOT IN ('clear', 'forget_words',
                 'mail') OR run_at <= $1)),
             count(*) FILTER (WHERE dead_at IS NOT NULL) FROM jobs";
        let mut changes = self.changes();
        loop {
            let query = sqlx::query_as(counts).bind(self.state.clock.now());
            let (pending, dead): (i64, i64) = query
                .fetch_one(&mut *self.state.db.read().await.unwrap())
                .await
                .unwrap();
            assert_eq!(dead, 0, "a job has failed permanently");
            if pending == 0 {
                return;
            }
            if pending < last_pending {
                (deadline, last_pending) = (Instant::now() + TIMEOUT, pending);
            }
            assert!(
                Instant::now() < deadline,
                "{pending} jobs are still pending"
            );
            changes.next().await;
        }
    }

    fn changes(&self) -> Changes {
        Changes {
            commits: self.state.db.commits(),
        }
    }
}

/// Wakes a waiting test after each commit. Frequent polling would take processor time from the server.
struct Changes {
    commits: tokio::sync::watch::Receiver<()>,
}

impl Changes {
    /// Returns after this node's next commit. Returns after 50 ms at the latest, because changes on disk or on
    /// another node cause no commit here.
    async fn next(&mut self) {
        let _ = tokio::time::timeout(Duration::from_millis(50), self.commits.changed()).await;
    }
}

impl TestApp {
    /// Returns the names of all stored objects and temporary files, and the keys of unfinished multipart uploads.
    pub async fn objects(&self) -> Vec<String> {
        let mut found = files(&self.dir.path().join("tmp"));
        let Some(prefix) = &self.database else {
            found.extend(files(&self.dir.path().join("media")));
            return found;
        };
        let listed = s3()
            .list_objects_v2()
            .bucket("hearback-test")
            .prefix(prefix)
            .send()
            .await
            .unwrap();
        found.extend(
            listed
                .contents()
                .iter()
                .filter_map(|object| object.key().map(str::to_owned)),
        );
        found.extend(self.multipart_uploads().await);
        found
    }

    /// Returns the keys of multipart uploads that are neither completed nor aborted. The list is empty if files are
    /// stored on disk.
    pub async fn multipart_uploads(&self) -> Vec<String> {
        let Some(prefix) = &self.database else {
            return Vec::new();
        };
        let started = s3()
            .list_multipart_uploads()
            .bucket("hearback-test")
            .prefix(prefix)
            .send()
            .await
            .unwrap();
        started
            .uploads()
            .iter()
            .filter_map(|upload| upload.key().map(str::to_owned))
            .collect()
    }

    /// Returns the number that an SQL query selects.
    pub async fn count(&self, statement: &'static str) -> i64 {
        sqlx::query_scalar(statement)
            .fetch_one(&mut *self.state.db.read().await.unwrap())
            .await
            .unwrap()
    }

    /// Returns the kind and subject of each notification of the person with this name, sorted by subject and kind.
    /// Includes notifications that have been read.
    pub async fn notifications(&self, name: &str) -> Vec<(String, String)> {
        let rows = sqlx::query_as(
            "SELECT n.kind, n.subject_id FROM notices n JOIN people p ON p.id = n.person_id WHERE p.name = $1 \
             ORDER BY n.subject_id, n.kind",
        );
        rows.bind(name)
            .fetch_all(&mut *self.state.db.read().await.unwrap())
            .await
            .unwrap()
    }

    /// Executes an SQL statement and returns the number of changed rows.
    pub async fn execute(&self, statement: &'static str) -> u64 {
        let mut tx = self.state.db.begin().await.unwrap();
        let done = sqlx::query(statement).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        done.rows_affected()
    }
}

/// Returns the paths of all files in a folder and its subfolders.
pub fn files(folder: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path))
        } else {
            found.push(path.display().to_string())
        }
    }
    found
}
