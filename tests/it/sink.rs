//! An SMTP server for tests. It stores the messages that it receives, and a test can script its replies.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

const HANG_UP: &str = "hang up";

/// A scripted reply to one command. The sink uses the first rule that matches the verb and the text of a command, and
/// then removes the rule.
#[derive(Clone, Debug)]
struct Rule {
    verb: &'static str,
    about: String,
    answer: &'static str,
}

#[derive(Default)]
struct Log {
    mails: Vec<ReceivedMail>,
    rules: Vec<Rule>,
    commands: Vec<String>,
}

/// A message that was received for one recipient.
#[derive(Clone, Debug)]
pub struct ReceivedMail {
    pub to: String,
    /// The headers and body of the message, without dot-stuffing.
    pub raw: String,
}

impl ReceivedMail {
    /// Returns the value of a header, unfolded and decoded. Panics if the header is missing.
    pub fn header(&self, name: &str) -> String {
        let (headers, _) = self.raw.split_once("\r\n\r\n").unwrap();
        let unfolded = headers.replace("\r\n ", " ").replace("\r\n\t", " ");
        let line = unfolded
            .split("\r\n")
            .find_map(|line| line.strip_prefix(&format!("{name}: ")));
        decoded(line.unwrap_or_else(|| panic!("no {name} in {headers}")))
    }

    /// Returns the decoded body.
    pub fn text(&self) -> String {
        let (_, body) = self.raw.split_once("\r\n\r\n").unwrap();
        let bytes = match self.header("Content-Transfer-Encoding").as_str() {
            "base64" => data_encoding::BASE64
                .decode(body.replace("\r\n", "").as_bytes())
                .unwrap(),
            "quoted-printable" => unquoted(&body.replace("=\r\n", "")),
            _ => body.as_bytes().to_vec(),
        };
        String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
    }
}

/// Decodes the encoded words of RFC 2047. Hearback encodes all of them as Base64.
fn decoded(line: &str) -> String {
    let mut out = String::new();
    for (at, part) in line.split("=?utf-8?b?").enumerate() {
        match part.split_once("?=") {
            Some((word, rest)) if at > 0 => {
                out.push_str(
                    &String::from_utf8(data_encoding::BASE64.decode(word.as_bytes()).unwrap())
                        .unwrap(),
                );
                // A space between two encoded words only separates them and is not part of the text.
                out.push_str(if rest == " " { "" } else { rest });
            }
            _ => out.push_str(part),
        }
    }
    out
}

/// Decodes quoted-printable text.
fn unquoted(text: &str) -> Vec<u8> {
    let mut parts = text.split('=');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(&part.as_bytes()[2..]);
    }
    bytes
}

/// A running SMTP server.
#[derive(Clone)]
pub struct Sink {
    pub url: String,
    log: Arc<Mutex<Log>>,
}

impl Sink {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let sink = Self {
            url,
            log: Arc::default(),
        };
        let log = sink.log.clone();
        actix_web::rt::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                actix_web::rt::spawn(serve(stream, log.clone()));
            }
        });
        sink
    }

    /// Scripts one reply. The server replies with `answer` to the next command that has this verb and contains `about`.
    /// If `answer` is `hang up`, the server closes the connection instead. If `verb` is `END`, the server replies at
    /// the end of the next message whose recipient contains `about`.
    pub fn answer(&self, verb: &'static str, about: &str, answer: &'static str) {
        self.log.lock().unwrap().rules.push(Rule {
            verb,
            about: about.into(),
            answer,
        });
    }

    pub fn mails(&self) -> Vec<ReceivedMail> {
        self.log.lock().unwrap().mails.clone()
    }

    /// Returns the recipients of all received messages, sorted.
    pub fn receivers(&self) -> Vec<String> {
        let mut to: Vec<String> = self.mails().into_iter().map(|mail| mail.to).collect();
        to.sort();
        to
    }

    /// Counts the received commands that begin with `verb`.
    pub fn heard(&self, verb: &str) -> usize {
        self.log
            .lock()
            .unwrap()
            .commands
            .iter()
            .filter(|line| line.starts_with(verb))
            .count()
    }
}

/// Replies to the commands of one connection.
async fn serve(stream: TcpStream, log: Arc<Mutex<Log>>) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read);
    let mut to = String::new();
    let _ = write.write_all(b"220 sink\r\n").await;
    while let Some(line) = next_line(&mut lines).await {
        let verb = line.trim_end().split([' ', ':']).next();
        let verb = verb.unwrap_or_default().to_uppercase();
        log.lock().unwrap().commands.push(line.clone());
        if verb == "RCPT" {
            to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        }
        let answer = take_rule(&log, &verb, &line).unwrap_or(match verb.as_str() {
            "EHLO" => "250-sink\r\n250-8BITMIME\r\n250 AUTH PLAIN",
            "AUTH" => "235 ok",
            "DATA" => "354 continue",
            "QUIT" => "221 bye",
            _ => "250 ok",
        });
        if !reply(&mut write, answer).await {
            return;
        }
        if verb == "DATA" && answer.starts_with('3') {
            let Some(raw) = read_message(&mut lines).await else {
                return;
            };
            let answer = take_rule(&log, "END", &to).unwrap_or("250 accepted");
            // A message counts as received even if the connection closes before the reply.
            if answer.starts_with('2') || answer == HANG_UP {
                let to = to.clone();
                log.lock().unwrap().mails.push(ReceivedMail { to, raw });
            }
            if !reply(&mut write, answer).await {
                return;
            }
        }
    }
}

/// Returns the next line, or `None` at the end of the connection.
async fn next_line(lines: &mut BufReader<OwnedReadHalf>) -> Option<String> {
    let mut line = String::new();
    match lines.read_line(&mut line).await {
        Ok(length) if length > 0 => Some(line),
        _ => None,
    }
}

/// Reads a message up to the line that contains only a dot. Returns `None` if the connection ends before that line.
async fn read_message(lines: &mut BufReader<OwnedReadHalf>) -> Option<String> {
    let mut raw = String::new();
    loop {
        let line = next_line(lines).await?;
        if line == ".\r\n" {
            return Some(raw);
        }
        raw.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}

/// Sends a reply. Returns whether the connection stays open.
async fn reply(write: &mut OwnedWriteHalf, answer: &str) -> bool {
    answer != HANG_UP
        && write
            .write_all(format!("{answer}\r\n").as_bytes())
            .await
            .is_ok()
}

/// Removes the first rule that matches a command, and returns the reply of this rule.
fn take_rule(log: &Mutex<Log>, verb: &str, line: &str) -> Option<&'static str> {
    let mut log = log.lock().unwrap();
    let at = log
        .rules
        .iter()
        .position(|rule| rule.verb == verb && line.contains(&rule.about))?;
    Some(log.rules.remove(at).answer)
}
