//! An HTTP client that needs little CPU time.

use std::io::{Read, Write};
use std::net::TcpStream;

/// Host and port.
#[derive(Clone, Debug)]
pub(crate) struct Address(pub(crate) String);

impl Address {
    /// Returns the address in `http://HOST:PORT/…`.
    pub(crate) fn of_url(url: &str) -> Self {
        let rest = url.strip_prefix("http://").unwrap();
        Self(rest.split('/').next().unwrap().to_owned())
    }
}

/// A connection that is kept alive.
pub(crate) struct Connection {
    stream: TcpStream,
    host: String,
    buffer: Vec<u8>,
}

pub(crate) struct Response {
    pub(crate) status: u16,
    head: String,
    pub(crate) length: u64,
}

impl Response {
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.head);
        self
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut values = lines.filter(|(found, _)| found.eq_ignore_ascii_case(name));
        values.next().map_or("", |(_, value)| value)
    }
}

impl Connection {
    pub(crate) fn open(address: &Address) -> Self {
        let stream = TcpStream::connect(&address.0).unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            host: address.0.clone(),
            buffer: vec![0; 256 * 1024],
        }
    }

    /// Sends a request. `headers` are complete lines, each with its line break.
    pub(crate) fn send<'a>(
        &mut self,
        (method, path): (&str, &str),
        headers: &str,
        body: impl Iterator<Item = &'a [u8]>,
    ) {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n{headers}\r\n",
            self.host
        );
        self.stream.write_all(head.as_bytes()).unwrap();
        for piece in body {
            self.stream.write_all(piece).unwrap();
        }
    }

    /// Reads a response, and passes its body to `take` in pieces.
    pub(crate) fn receive(&mut self, mut take: impl FnMut(&[u8])) -> Response {
        let mut filled = 0;
        let end = loop {
            let read = self.stream.read(&mut self.buffer[filled..]).unwrap();
            assert!(read > 0, "the server closed the connection");
            filled += read;
            let head = &self.buffer[..filled];
            if let Some(at) = head.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
        };
        let head = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        let mut response = Response {
            status: head[9..12].parse().unwrap(),
            head,
            length: 0,
        };
        response.length = response.header("content-length").parse().unwrap_or(0);
        take(&self.buffer[end..filled]);
        let mut left = response.length - (filled - end) as u64;
        while left > 0 {
            let wanted = self.buffer.len().min(usize::try_from(left).unwrap());
            let read = self.stream.read(&mut self.buffer[..wanted]).unwrap();
            assert!(read > 0, "the server closed the connection");
            take(&self.buffer[..read]);
            left -= read as u64;
        }
        response
    }

    /// Requests a path and discards the body.
    pub(crate) fn get(&mut self, path: &str, headers: &str) -> Response {
        self.send(("GET", path), headers, std::iter::empty());
        self.receive(|_| {})
    }

    /// Sends a request with a small body. Returns the response and its body.
    pub(crate) fn request(
        &mut self,
        to: (&str, &str),
        headers: &str,
        body: &[u8],
    ) -> (Response, Vec<u8>) {
        let headers = format!("{headers}Content-Length: {}\r\n", body.len());
        self.send(to, &headers, std::iter::once(body));
        let mut received = Vec::new();
        let response = self.receive(|piece| received.extend_from_slice(piece));
        (response, received)
    }
}
