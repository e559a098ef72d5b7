//! A client of event streams.

use std::time::Duration;

use serde_json::Value;

use crate::app::Client;

/// An open event stream.
pub struct Stream {
    response: reqwest::Response,
    unread: String,
}

#[derive(Debug)]
pub struct Event {
    pub id: Option<i64>,
    pub kind: String,
    pub data: Value,
}

impl Stream {
    pub async fn open(client: &Client, path: &str) -> Self {
        Self::with(client.request("GET", path)).await
    }

    pub async fn with(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            unread: String::new(),
        }
    }

    /// Returns the SQL statements that the server has executed so far for this stream, from the request on. Call
    /// [`crate::counting::start`] first.
    pub fn statements(&self) -> Vec<String> {
        crate::counting::statements_of(self.response.headers()["x-request-id"].to_str().unwrap())
    }

    /// Returns the next event, or `None` at the end of the stream. Panics after a minute without data.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = parse(&self.block().await?) {
                return Some(event);
            }
        }
    }

    /// Waits for a keep-alive comment. Panics if an event arrives first.
    pub async fn keep_alive(&mut self) {
        let block = self.block().await.expect("the stream ended");
        assert!(block.starts_with(':') || block.is_empty(), "{block}");
    }

    /// Returns the next event of an update. Skips inbox events.
    pub async fn next_of_update(&mut self) -> Event {
        loop {
            let event = self.next().await.expect("the stream ended");
            if event.kind != "inbox" {
                return event;
            }
        }
    }

    /// Reads to the end of the stream. Returns the kinds of the remaining events.
    pub async fn remaining_kinds(&mut self) -> Vec<String> {
        let mut kinds = Vec::new();
        while let Some(event) = self.next().await {
            kinds.push(event.kind);
        }
        kinds
    }

    /// Returns the text up to the next empty line, or `None` at the end of the stream.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.unread.split_once("\n\n") {
                let block = block.to_owned();
                self.unread = rest.to_owned();
                return Some(block);
            }
            let chunk = tokio::time::timeout(Duration::from_secs(60), self.response.chunk())
                .await
                .expect("no data arrived for a minute");
            match chunk {
                Ok(Some(bytes)) => self.unread.push_str(std::str::from_utf8(&bytes).unwrap()),
                Ok(None) | Err(_) => return None,
            }
        }
    }
}

/// Parses a block of the stream. Returns `None` if the block is a comment.
fn parse(block: &str) -> Option<Event> {
    let field = |wanted: &str| {
        let mut fields = block.lines().filter_map(|line| line.split_once(": "));
        fields
            .find(|(name, _)| *name == wanted)
            .map(|(_, value)| value.to_owned())
    };
    Some(Event {
        kind: field("event")?,
        id: field("id").map(|id| id.parse().unwrap()),
        data: serde_json::from_str(&field("data").unwrap()).unwrap(),
    })
}
