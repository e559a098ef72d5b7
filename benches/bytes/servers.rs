//! The servers that are compared.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::client::{Address, Connection};
use crate::measure::Process;
use crate::recording::Recording;

/// Ends a process when it is dropped. Uses SIGTERM, so that nginx also ends its workers.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.0), Signal::TERM);
        drop(self.0.wait());
    }
}

/// A file that was uploaded to Hearback.
pub(crate) struct Media {
    /// Path and query of its signed address.
    pub(crate) path: String,
    pub(crate) length: u64,
}

impl Media {
    /// The storage key.
    pub(crate) fn key(&self) -> String {
        let key = self
            .path
            .strip_prefix("/m/")
            .unwrap()
            .split('?')
            .next()
            .unwrap();
        format!("media/{key}")
    }
}

/// A server with one person, and without ffmpeg, so that no job uses the processors.
pub(crate) struct Hearback {
    _child: Killed,
    pub(crate) process: Process,
    pub(crate) address: Address,
    media_folder: PathBuf,
    authorization: String,
}

impl Hearback {
    pub(crate) fn start(folder: &Path, settings: &[(&str, &str)]) -> Self {
        fs::create_dir_all(folder).unwrap();
        let log = fs::File::create(folder.join("log")).unwrap();
        let mut child = command(folder, settings)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let line = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .next()
            .unwrap()
            .unwrap();
        let url = line.strip_prefix("Hearback is listening on ").unwrap();
        run(
            folder,
            settings,
            &[
                "person",
                "add",
                "--email",
                "ada@example.org",
                "--name",
                "Ada",
                "--admin",
            ],
        );
        let token = run(
            folder,
            settings,
            &[
                "token",
                "add",
                "--person",
                "ada@example.org",
                "--name",
                "bench",
            ],
        );
        Self {
            process: Process {
                pids: vec![child.id()],
            },
            address: Address::of_url(url),
            media_folder: folder.join("media/media"),
            authorization: format!(
                "Authorization: Bearer {}\r\nAccept: application/json\r\n",
                token.trim()
            ),
            _child: Killed(child),
        }
    }

    fn json(&self, to: (&str, &str), body: &str) -> Value {
        let headers = format!("{}Content-Type: application/json\r\n", self.authorization);
        let (response, body) =
            Connection::open(&self.address).request(to, &headers, body.as_bytes());
        assert!(response.status < 300, "{}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap()
    }

    /// Creates a draft and returns its id.
    pub(crate) fn draft(&self) -> String {
        self.json(("POST", "/updates"), r#"{"title":"Bench"}"#)["id"]
            .as_str()
            .unwrap()
            .into()
    }

    /// Adds a file to an update with a form.
    pub(crate) fn post(&self, update: &str, recording: &Recording) -> Value {
        let start = "--bench\r\nContent-Disposition: form-data; name=\"media\"; filename=\"a.webm\"\r\n\
            Content-Type: video/webm\r\n\r\n";
        let end = "\r\n--bench--\r\n";
        let length = recording.len() + (start.len() + end.len()) as u64;
        let headers = format!(
            "{}Content-Type: multipart/form-data; boundary=bench\r\nContent-Length: {length}\r\n",
            self.authorization
        );
        let body = std::iter::once(start.as_bytes()).chain(recording.pieces());
        let mut connection = Connection::open(&self.address);
        let path = format!("/updates/{update}/media");
        connection.send(
            ("POST", &path),
            &headers,
            body.chain(std::iter::once(end.as_bytes())),
        );
        let mut received = Vec::new();
        connection
            .receive(|piece| received.extend_from_slice(piece))
            .expect(201);
        serde_json::from_slice(&received).unwrap()
    }

    /// Uploads a file. Only its author can fetch it, because no job has processed it.
    pub(crate) fn upload(&self, recording: &Recording) -> Media {
        let added = self.post(&self.draft(), recording);
        let url = added["items"][0]["renditions"][0]["url"].as_str().unwrap();
        Media {
            path: url[url.find("/m/").unwrap()..].into(),
            length: recording.len(),
        }
    }

    /// Starts a resumable upload and returns its path.
    pub(crate) fn create_upload(&self, recording: &Recording) -> String {
        let headers = format!(
            "{}Tus-Resumable: 1.0.0\r\nUpload-Length: {}\r\nUpload-Metadata: filename YS53ZWJt\r\n",
            self.authorization,
            recording.len()
        );
        let mut connection = Connection::open(&self.address);
        let (created, _) = connection.request(("POST", "/uploads"), &headers, b"");
        created.expect(201).header("location").into()
    }

    /// Sends all bytes of a resumable upload with one request.
    pub(crate) fn patch(&self, location: &str, recording: &Recording) {
        let headers = format!(
            "{}Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\n\
             Content-Length: {}\r\n",
            self.authorization,
            recording.len()
        );
        let mut connection = Connection::open(&self.address);
        connection.send(("PATCH", location), &headers, recording.pieces());
        connection.receive(|_| {}).expect(204);
    }

    /// The path of a stored file, if Hearback stores files in a folder.
    pub(crate) fn stored_file(&self, media: &Media) -> PathBuf {
        let key = media.key();
        let name = key.strip_prefix("media/").unwrap();
        self.media_folder.join(&name[..2]).join(name)
    }
}

fn command(folder: &Path, settings: &[(&str, &str)]) -> Command {
    let program = std::env::var("HEARBACK_BIN").unwrap_or(env!("CARGO_BIN_EXE_hearback").into());
    let mut command = Command::new(program);
    command
        .env_remove("DATABASE_URL")
        .env("HEARBACK_DATA", folder)
        .env("HEARBACK_FFMPEG", "/nonexistent/ffmpeg")
        .envs(settings.iter().copied());
    command
}

fn run(folder: &Path, settings: &[(&str, &str)], arguments: &[&str]) -> String {
    let output = command(folder, settings).args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// nginx with Debian's settings: one process per processor and `sendfile`. It stores files, serves them, and is a proxy
/// of the S3 server.
pub(crate) struct Nginx {
    _child: Killed,
    pub(crate) process: Process,
    pub(crate) address: Address,
    pub(crate) proxy: Address,
    pub(crate) root: PathBuf,
}

impl Nginx {
    pub(crate) fn start(folder: &Path, gateway: Option<&Address>) -> Self {
        let root = folder.join("root");
        fs::create_dir_all(root.join("put")).unwrap();
        let ports: Vec<Address> = free_addresses(2);
        let upstream = gateway.map_or("127.0.0.1:9", |gateway| &gateway.0);
        let settings = include_str!("nginx.conf")
            .replace("FOLDER", folder.to_str().unwrap())
            .replace("ADDRESS", &ports[0].0)
            .replace("PROXY", &ports[1].0)
            .replace("GATEWAY", upstream);
        let path = folder.join("nginx.conf");
        fs::File::create(&path)
            .unwrap()
            .write_all(settings.as_bytes())
            .unwrap();
        let child = Command::new("nginx")
            .arg("-c")
            .arg(&path)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let children = format!("/proc/{0}/task/{0}/children", child.id());
        let workers = std::thread::available_parallelism().unwrap().get();
        let pids = loop {
            let listed = fs::read_to_string(&children).unwrap();
            let pids: Vec<u32> = listed
                .split_whitespace()
                .map(|pid| pid.parse().unwrap())
                .collect();
            if pids.len() == workers {
                break pids;
            }
            thread::sleep(Duration::from_millis(20));
        };
        let [address, proxy] = ports.try_into().unwrap();
        Self {
            _child: Killed(child),
            process: Process { pids },
            address,
            proxy,
            root,
        }
    }

    /// Copies a file into the folder that nginx serves.
    pub(crate) fn copy(&self, file: &Path, name: &str) {
        fs::copy(file, self.root.join(name)).unwrap();
    }
}

fn free_addresses(count: usize) -> Vec<Address> {
    let listeners: Vec<TcpListener> = (0..count)
        .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
        .collect();
    listeners
        .iter()
        .map(|listener| Address(listener.local_addr().unwrap().to_string()))
        .collect()
}
