//! A mail server of a test's own: it takes mail and keeps it, or answers what the test wants.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What it answers to whom: the first rule whose verb and text fit a command is used up.
#[derive(Clone, Debug)]
struct Rule {
    verb: &'static str,
    about: String,
    answer: &'static str,
}

#[derive(Default)]
struct Seen {
    mails: Vec<Taken>,
    rules: Vec<Rule>,
    commands: Vec<String>,
}

/// A mail that was taken.
#[derive(Clone, Debug)]
pub struct Taken {
    pub to: String,
    /// As it came, dots unstuffed.
    pub raw: String,
}

impl Taken {
    /// A header, unfolded and decoded.
    pub fn header(&self, name: &str) -> String {
        let (headers, _) = self.raw.split_once("\r\n\r\n").unwrap();
        let unfolded = headers.replace("\r\n ", " ").replace("\r\n\t", " ");
        let line = unfolded
            .split("\r\n")
            .find_map(|line| line.strip_prefix(&format!("{name}: ")));
        decoded(line.unwrap_or_else(|| panic!("no {name} in {headers}")))
    }

    /// The text, decoded.
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

/// Words of RFC 2047 in base64, which is all that is written here.
fn decoded(line: &str) -> String {
    let mut out = String::new();
    for (at, part) in line.split("=?utf-8?b?").enumerate() {
        match part.split_once("?=") {
            Some((word, rest)) if at > 0 => {
                out.push_str(
                    &String::from_utf8(data_encoding::BASE64.decode(word.as_bytes()).unwrap())
                        .unwrap(),
                );
                // The space between two encoded words is none.
                out.push_str(if rest == " " { "" } else { rest });
            }
            _ => out.push_str(part),
        }
    }
    out
}

fn unquoted(text: &str) -> Vec<u8> {
    let mut parts = text.split('=');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(&part.as_bytes()[2..]);
    }
    bytes
}

/// The server.
#[derive(Clone)]
pub struct Sink {
    pub url: String,
    seen: Arc<Mutex<Seen>>,
}

impl Sink {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let sink = Self {
            url,
            seen: Arc::default(),
        };
        let seen = sink.seen.clone();
        actix_web::rt::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                actix_web::rt::spawn(serve(stream, seen.clone()));
            }
        });
        sink
    }

    /// Answers this, once, to the next command of that verb whose text holds `about`; `hang up` ends the connection without a word.
    pub fn answer(&self, verb: &'static str, about: &str, answer: &'static str) {
        self.seen.lock().unwrap().rules.push(Rule {
            verb,
            about: about.into(),
            answer,
        });
    }

    pub fn mails(&self) -> Vec<Taken> {
        self.seen.lock().unwrap().mails.clone()
    }

    /// To whom, in order.
    pub fn receivers(&self) -> Vec<String> {
        let mut to: Vec<String> = self.mails().into_iter().map(|mail| mail.to).collect();
        to.sort();
        to
    }

    pub fn heard(&self, verb: &str) -> usize {
        self.seen
            .lock()
            .unwrap()
            .commands
            .iter()
            .filter(|line| line.starts_with(verb))
            .count()
    }
}

async fn serve(stream: TcpStream, seen: Arc<Mutex<Seen>>) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read);
    let (mut to, mut line) = (String::new(), String::new());
    let _ = write.write_all(b"220 sink\r\n").await;
    loop {
        line.clear();
        if lines.read_line(&mut line).await.unwrap_or(0) == 0 {
            return;
        }
        let verb = line
            .trim_end()
            .split([' ', ':'])
            .next()
            .unwrap_or_default()
            .to_uppercase();
        seen.lock().unwrap().commands.push(line.clone());
        let mut answer = match verb.as_str() {
            "EHLO" => "250-sink\r\n250-8BITMIME\r\n250 AUTH PLAIN",
            "AUTH" => "235 ok",
            "DATA" => "354 go on",
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        if verb == "RCPT" {
            to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        }
        if let Some(rule) = rule(&seen, &verb, &line) {
            answer = rule;
        }
        if answer == "hang up"
            || write
                .write_all(format!("{answer}\r\n").as_bytes())
                .await
                .is_err()
        {
            return;
        }
        if verb == "DATA" && answer.starts_with('3') {
            let mut raw = String::new();
            loop {
                line.clear();
                if lines.read_line(&mut line).await.unwrap_or(0) == 0 {
                    return;
                }
                if line == ".\r\n" {
                    break;
                }
                raw.push_str(line.strip_prefix('.').unwrap_or(&line));
            }
            let answer = rule(&seen, "END", &to).unwrap_or("250 taken");
            if answer.starts_with('2') || answer == "hang up" {
                // Who hangs up here has taken it all the same.
                seen.lock().unwrap().mails.push(Taken {
                    to: to.clone(),
                    raw,
                });
            }
            if answer == "hang up"
                || write
                    .write_all(format!("{answer}\r\n").as_bytes())
                    .await
                    .is_err()
            {
                return;
            }
        }
    }
}

fn rule(seen: &Mutex<Seen>, verb: &str, line: &str) -> Option<&'static str> {
    let mut seen = seen.lock().unwrap();
    let at = seen
        .rules
        .iter()
        .position(|rule| rule.verb == verb && line.contains(&rule.about))?;
    Some(seen.rules.remove(at).answer)
}
