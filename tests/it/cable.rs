//! Connections and storage that a test can disconnect.

use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::app::{TestApp, authority, postgres};

/// A TCP proxy in front of a server. A test can cut it: all open connections are then closed, and new ones are closed
/// immediately.
pub struct Cable {
    pub address: SocketAddr,
    connected: watch::Sender<bool>,
}

impl Cable {
    /// Starts a proxy to a host and port.
    pub async fn to(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connected = watch::Sender::new(true);
        actix_web::rt::spawn(forward(listener, target, connected.subscribe()));
        Self { address, connected }
    }

    pub fn cut(&self) {
        self.connected.send_replace(false);
    }

    pub fn mend(&self) {
        self.connected.send_replace(true);
    }
}

async fn forward(listener: TcpListener, target: String, connected: watch::Receiver<bool>) {
    loop {
        let (mut near, _) = listener.accept().await.unwrap();
        let (mut connected, target) = (connected.clone(), target.clone());
        if !*connected.borrow() {
            continue;
        }
        actix_web::rt::spawn(async move {
            let mut far = TcpStream::connect(target).await.unwrap();
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                _ = connected.wait_for(|connected| !connected) => {}
            }
        });
    }
}

/// The storage of a server. A test can make it unavailable by cutting the connection to the bucket or by renaming the
/// folder.
pub enum DetachableStorage {
    Bucket(Cable),
    Folder { media: PathBuf, hidden: PathBuf },
}

impl DetachableStorage {
    /// Starts a server with detachable storage.
    pub async fn start() -> (TestApp, Self) {
        if postgres() {
            let endpoint = std::env::var("HEARBACK_TEST_S3_ENDPOINT").unwrap();
            let cable = Cable::to(authority(&endpoint)).await;
            let endpoint = format!("http://{}", cable.address);
            let app = TestApp::start_with(|config| config.s3_endpoint = Some(endpoint)).await;
            return (app, Self::Bucket(cable));
        }
        let app = TestApp::start().await;
        let storage = Self::Folder {
            media: app.dir.path().join("media"),
            hidden: app.dir.path().join("hidden"),
        };
        (app, storage)
    }

    pub fn detach(&self) {
        match self {
            Self::Bucket(cable) => cable.cut(),
            Self::Folder { media, hidden } => std::fs::rename(media, hidden).unwrap(),
        }
    }

    pub fn attach(&self) {
        match self {
            Self::Bucket(cable) => cable.mend(),
            Self::Folder { media, hidden } => std::fs::rename(hidden, media).unwrap(),
        }
    }
}
