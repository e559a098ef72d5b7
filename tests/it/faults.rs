//! Cuts or delays the connections to PostgreSQL and S3 at a chosen request.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::app::{TestApp, authority};

/// The services whose requests are counted and whose connections are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    Database,
    Storage,
    /// Both services. A server that loses both can no longer change any stored data, as if it had been killed.
    Both,
}

/// What happens to the chosen request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The service does not receive the request.
    CutBefore,
    /// The service executes the request, but its response is lost.
    CutAfter,
    /// The request is delayed until [`Breaker::mend`] is called.
    Hold,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    Database,
    Storage,
}

impl Reach {
    fn includes(self, service: Service) -> bool {
        self == Self::Both || (self == Self::Database) == (service == Service::Database)
    }
}

#[derive(Debug)]
struct Armed {
    left: usize,
    reach: Reach,
    fault: Fault,
}

/// A proxy that makes connections fail at a chosen request. Clones share their state.
#[derive(Clone)]
pub struct Breaker {
    armed: Arc<Mutex<Option<Armed>>>,
    /// Whether the fault has happened.
    tripped: watch::Sender<bool>,
    /// Whether a request is being delayed.
    held: watch::Sender<bool>,
    database: watch::Sender<bool>,
    storage: watch::Sender<bool>,
}

impl Breaker {
    pub fn new() -> Self {
        let [tripped, held] = [(); 2].map(|()| watch::Sender::new(false));
        let [database, storage] = [(); 2].map(|()| watch::Sender::new(true));
        Self {
            armed: Arc::default(),
            tripped,
            held,
            database,
            storage,
        }
    }

    /// Makes the fault happen at a later request to the services in `reach`: at the next one if
    /// `nth` is 0, at the one after that if `nth` is 1, and so on.
    pub fn arm(&self, nth: usize, reach: Reach, fault: Fault) {
        *self.armed.lock().unwrap() = Some(Armed {
            left: nth,
            reach,
            fault,
        });
    }

    /// Removes the fault and forwards all requests again. Returns whether the fault had happened.
    pub fn mend(&self) -> bool {
        *self.armed.lock().unwrap() = None;
        self.held.send_replace(false);
        self.database.send_replace(true);
        self.storage.send_replace(true);
        self.tripped.send_replace(false)
    }

    /// Waits until the fault has happened.
    pub async fn tripped(&self) {
        self.tripped
            .subscribe()
            .wait_for(|tripped| *tripped)
            .await
            .unwrap();
    }

    fn connected(&self, service: Service) -> &watch::Sender<bool> {
        match service {
            Service::Database => &self.database,
            Service::Storage => &self.storage,
        }
    }

    /// Cuts the connections to the services in `reach`.
    fn cut(&self, reach: Reach) {
        for service in [Service::Database, Service::Storage] {
            if reach.includes(service) {
                self.connected(service).send_replace(false);
            }
        }
        self.tripped.send_replace(true);
    }

    /// Counts a request. Returns the fault if it must happen at this request.
    fn count(&self, service: Service) -> Option<(Reach, Fault)> {
        let mut armed = self.armed.lock().unwrap();
        let counted = armed
            .as_mut()
            .filter(|armed| armed.reach.includes(service))?;
        if counted.left > 0 {
            counted.left -= 1;
            return None;
        }
        armed.take().map(|armed| (armed.reach, armed.fault))
    }

    /// Starts a proxy to a PostgreSQL server. Clients must not request TLS.
    pub async fn database(&self, target: String) -> SocketAddr {
        self.listen(Service::Database, target).await
    }

    /// Starts a proxy to an S3 server.
    pub async fn storage(&self, target: String) -> SocketAddr {
        self.listen(Service::Storage, target).await
    }

    async fn listen(&self, service: Service, target: String) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, breaker) = (listener.local_addr().unwrap(), self.clone());
        actix_web::rt::spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                let mut connected = breaker.connected(service).subscribe();
                if !*connected.borrow() {
                    continue;
                }
                let (breaker, target) = (breaker.clone(), target.clone());
                actix_web::rt::spawn(async move {
                    let far = TcpStream::connect(target).await.unwrap();
                    tokio::select! {
                        _ = breaker.forward(service, near, far) => {}
                        _ = connected.wait_for(|connected| !connected) => {}
                    }
                });
            }
        });
        address
    }

    /// Forwards one connection until either side closes it.
    async fn forward(&self, service: Service, near: TcpStream, far: TcpStream) -> io::Result<()> {
        let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
        // If this is `Some(reach)`, the next response is dropped and the connections to the
        // services in `reach` are cut.
        let lose_response = watch::Sender::new(None);
        let requests = Requests {
            breaker: self.clone(),
            service,
            from: near_in,
            to: far_out,
            lose_response: lose_response.clone(),
        };
        let responses = self.forward_responses(far_in, near_out, lose_response);
        tokio::try_join!(requests.forward(), responses).map(drop)
    }

    async fn forward_responses(
        &self,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        lose_response: watch::Sender<Option<Reach>>,
    ) -> io::Result<()> {
        let mut buffer = vec![0; 64 << 10];
        loop {
            let length = from.read(&mut buffer).await?;
            let lost = *lose_response.borrow();
            if let Some(reach) = lost.filter(|_| !buffer.starts_with(b"HTTP/1.1 100")) {
                self.cut(reach);
            }
            if length == 0 || lost.is_some() {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            to.write_all(&buffer[..length]).await?;
        }
    }
}

/// The requests of one connection, which are counted and forwarded.
struct Requests {
    breaker: Breaker,
    service: Service,
    from: OwnedReadHalf,
    to: OwnedWriteHalf,
    lose_response: watch::Sender<Option<Reach>>,
}

impl Requests {
    async fn forward(mut self) -> io::Result<()> {
        match self.service {
            Service::Database => self.forward_statements().await,
            Service::Storage => self.forward_http().await,
        }
    }

    /// Counts a request and sends its first bytes, unless the chosen fault cuts or delays the
    /// request.
    async fn start_request(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.breaker.count(self.service) {
            Some((reach, Fault::CutBefore)) => {
                self.breaker.cut(reach);
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            Some((_, Fault::Hold)) => {
                let mut held = self.breaker.held.subscribe();
                self.breaker.held.send_replace(true);
                self.breaker.tripped.send_replace(true);
                held.wait_for(|held| !held).await.unwrap();
            }
            Some((reach, Fault::CutAfter)) => drop(self.lose_response.send_replace(Some(reach))),
            None => {}
        }
        self.to.write_all(bytes).await
    }

    /// Forwards HTTP/1.1 requests. Assumes that every request with a body has a `Content-Length`
    /// header, as the requests of the S3 SDK do.
    async fn forward_http(&mut self) -> io::Result<()> {
        let mut buffer = Vec::new();
        loop {
            let end = loop {
                if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                    break at + 4;
                }
                if self.from.read_buf(&mut buffer).await? == 0 {
                    return Ok(());
                }
            };
            let head: Vec<u8> = buffer.drain(..end).collect();
            let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
            assert!(!text.contains("transfer-encoding"), "{text}");
            let length = text
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |value| value.parse::<usize>().unwrap());
            self.start_request(&head).await?;
            let mut left = length;
            while left > 0 {
                if buffer.is_empty() && self.from.read_buf(&mut buffer).await? == 0 {
                    return Ok(());
                }
                let chunk: Vec<u8> = buffer.drain(..left.min(buffer.len())).collect();
                left -= chunk.len();
                self.to.write_all(&chunk).await?;
            }
        }
    }

    /// Forwards version 3 of PostgreSQL's protocol. Counts only reads and transactions that use
    /// upload tables. A transaction counts as one request, at its COMMIT, because a cut at an
    /// earlier statement has the same effect as a cut before the COMMIT: the transaction is rolled
    /// back.
    async fn forward_statements(&mut self) -> io::Result<()> {
        let length = self.from.read_u32().await?;
        let mut message = length.to_be_bytes().to_vec();
        message.resize(length as usize, 0);
        self.from.read_exact(&mut message[4..]).await?;
        self.to.write_all(&message).await?;
        let mut session = Session::default();
        let mut group = Vec::new();
        loop {
            let kind = self.from.read_u8().await?;
            let length = self.from.read_u32().await?;
            let mut body = vec![0; length as usize - 4];
            self.from.read_exact(&mut body).await?;
            group.push(kind);
            group.extend_from_slice(&length.to_be_bytes());
            group.extend_from_slice(&body);
            session.read(kind, &body);
            // Messages are forwarded in groups. A Query, Sync, Flush, Terminate or password message ends a group.
            if !matches!(kind, b'Q' | b'S' | b'H' | b'X' | b'p') {
                continue;
            }
            let group = std::mem::take(&mut group);
            if session
                .completed(kind)
                .is_some_and(|text| session.counts(&text))
            {
                self.start_request(&group).await?;
            } else {
                self.to.write_all(&group).await?;
            }
        }
    }
}

/// The state of a database connection.
#[derive(Default)]
struct Session {
    statements: HashMap<String, String>,
    current: Option<String>,
    in_transaction: bool,
    about_uploads: bool,
}

impl Session {
    /// Updates the session from a client message that prepares, binds or executes an SQL statement.
    fn read(&mut self, kind: u8, body: &[u8]) {
        let mut texts = body
            .split(|byte| *byte == 0)
            .map(|text| String::from_utf8_lossy(text).into_owned());
        let (first, second) = (
            texts.next().unwrap_or_default(),
            texts.next().unwrap_or_default(),
        );
        match kind {
            b'Q' => self.current = Some(first),
            b'P' => drop(self.statements.insert(first, second)),
            b'B' => self.current = self.statements.get(&second).cloned(),
            _ => {}
        }
    }

    /// Returns the current SQL statement if a message of this kind completes it.
    fn completed(&mut self, kind: u8) -> Option<String> {
        if matches!(kind, b'Q' | b'S') {
            self.current.take()
        } else {
            None
        }
    }

    /// Updates the session. Returns whether the SQL statement counts as a request.
    fn counts(&mut self, text: &str) -> bool {
        let about_uploads = ["uploads", "upload_pieces", "loose_objects"]
            .iter()
            .any(|table| text.contains(table));
        match text {
            "BEGIN" => self.in_transaction = true,
            "COMMIT" | "ROLLBACK" => {
                self.in_transaction = false;
                return std::mem::take(&mut self.about_uploads) && text == "COMMIT";
            }
            _ if self.in_transaction => self.about_uploads |= about_uploads,
            _ => return about_uploads,
        }
        false
    }
}

/// Starts a server on PostgreSQL and S3. It connects to both through a [`Breaker`], a proxy that
/// cuts or delays a chosen request.
pub async fn start() -> (TestApp, Breaker) {
    let breaker = Breaker::new();
    let database = breaker
        .database(authority(&std::env::var("HEARBACK_TEST_POSTGRES").unwrap()))
        .await;
    let storage = breaker
        .storage(authority(
            &std::env::var("HEARBACK_TEST_S3_ENDPOINT").unwrap(),
        ))
        .await;
    let app = TestApp::start_with(|config| {
        let direct = authority(&config.database_url);
        config.database_url = format!(
            "{}?sslmode=disable",
            config.database_url.replace(&direct, &database.to_string())
        );
        config.s3_endpoint = Some(format!("http://{storage}"));
        // Disable video processing, because the uploaded bytes are not real videos.
        config.ffmpeg = Some("/nonexistent/ffmpeg".into());
    })
    .await;
    (app, breaker)
}
