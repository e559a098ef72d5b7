//! Sends plain-text email through one SMTP server.

mod connection;
mod message;
mod server_url;
mod session;

use std::fmt;

use lettre::message::Mailbox;

use connection::with_timeout;
pub use message::Mail;
pub use server_url::Server;
pub use session::MailSession;

use crate::error::{Error, Result};

/// Parses a sender such as `hearback@example.org` or `Hearback <hearback@example.org>`.
pub fn parse_sender(text: &str) -> Result<Mailbox, String> {
    text.parse().map_err(|_| {
        "is not an email address. For example: `Hearback <hearback@example.org>`.".into()
    })
}

/// Why sending an email failed.
#[derive(Debug)]
pub enum Failure {
    /// The server cannot be reached or rejects our connection, so for now no email can be sent.
    Unavailable(String),
    /// The server rejected this email temporarily.
    Transient(String),
    /// This email can never be sent, for example because the server rejected it or its address is
    /// invalid.
    Permanent(String),
    /// The connection broke or timed out after the DATA command. The server may have accepted the
    /// message, so a retry could deliver it twice.
    Ambiguous(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(why)
            | Self::Transient(why)
            | Self::Permanent(why)
            | Self::Ambiguous(why) => f.write_str(why),
        }
    }
}

/// Sends email.
#[derive(Clone, Debug)]
pub struct Mailer {
    server: Server,
    from: Mailbox,
}

impl Mailer {
    /// Creates a mailer that sends through `server` with the sender `from`.
    pub fn new(server: Server, from: Mailbox) -> Self {
        Self { server, from }
    }

    /// Creates a session that connects when the first email is sent.
    pub fn session(&self) -> MailSession<'_> {
        MailSession {
            mailer: self,
            connection: None,
        }
    }

    /// Connects to the server and signs in, without sending an email. Returns a description of the
    /// connection; the error says how to fix the problem.
    pub async fn check(&self) -> Result<String> {
        let Server { host, port, .. } = &self.server;
        let advise = |failure: Failure| {
            Error::Conflict(format!(
                "{host}:{port}: {failure}. Fix: check HEARBACK_SMTP_URL."
            ))
        };
        let mut connection = self.connect().await.map_err(advise)?;
        let encryption = if connection.is_encrypted() {
            "with TLS"
        } else {
            "without TLS"
        };
        let sign_in = if self.server.credentials.is_some() {
            " and accepts the user name and password"
        } else {
            ""
        };
        let _ = with_timeout(connection.quit()).await;
        Ok(format!(
            "{host}:{port} responds {encryption}{sign_in}; emails are sent from {}",
            self.from
        ))
    }
}

#[cfg(test)]
mod tests {
    use lettre::transport::smtp::authentication::Credentials;

    use super::server_url::TlsMode;
    use super::*;

    #[test]
    fn server_url_is_parsed_and_errors_omit_the_password() {
        let server = Server::parse("smtps://ada%40example.org:s%3Acret@mail.example.org").unwrap();
        assert_eq!(
            (server.host.as_str(), server.port, server.tls),
            ("mail.example.org", 465, TlsMode::Implicit)
        );
        assert_eq!(
            server.credentials,
            Some(Credentials::new("ada@example.org".into(), "s:cret".into()))
        );
        assert!(!format!("{server:?}").contains("cret"));
        assert_eq!(Server::parse("smtp://[::1]:2525").unwrap().host, "::1");
        assert_eq!(
            Server::parse("smtp://m.example.org?tls=required")
                .unwrap()
                .port,
            587
        );
        for wrong in [
            "mail.example.org",
            "http://mail.example.org",
            "smtp://u:s3cret@mail.example.org",
            "smtp://u:s3cret@mail.example.org?tls=opportunistic",
            "smtp://mail.example.org?tls=maybe",
            "smtps://mail.example.org?tls=required",
            "smtp://u@localhost",
            "smtps://",
        ] {
            let said = Server::parse(wrong).unwrap_err();
            assert!(
                said.contains("For example") && !said.contains("s3cret"),
                "{wrong}: {said}"
            );
        }
        assert!(
            parse_sender("Hearback").is_err()
                && parse_sender("Hearback <hearback@example.org>").is_ok()
        );
    }

    #[test]
    fn recipient_name_and_subject_cannot_inject_email_headers() {
        let mailer = Mailer::new(
            Server::parse("smtp://localhost").unwrap(),
            parse_sender("hearback@example.org").unwrap(),
        );
        let hostile = "a\r\nBcc: eve@example.org\u{2028}\u{202e}🎉 שלום\0\t";
        let mail = Mail {
            id: "x.1".into(),
            at: 0,
            name: format!("\" {hostile} <eve@example.org>,"),
            address: "ada@example.org".into(),
            subject: format!("{hostile}{}", "long ".repeat(60)),
            text: format!("{hostile}\r\n.\r\nQUIT\r\n{}", "é".repeat(3000)),
            unsubscribe: format!(
                "https://hearback.example.org/unsubscribe/{}",
                "x".repeat(60)
            ),
        };
        let written = String::from_utf8(mailer.build_message(&mail).unwrap().formatted()).unwrap();
        let (headers, _) = written.split_once("\r\n\r\n").unwrap();
        let names: Vec<&str> = headers
            .split("\r\n")
            .filter(|line| !line.starts_with([' ', '\t']))
            .map(|line| line.split(':').next().unwrap())
            .collect();
        assert!(
            !names.contains(&"Bcc") && names.iter().filter(|name| **name == "To").count() == 1,
            "{headers}"
        );
        assert!(
            written.is_ascii()
                && written
                    .split("\r\n")
                    .all(|line| line.len() <= 998 && !line.contains(['\r', '\n'])),
            "{written}"
        );
        assert!(
            headers.contains("Message-ID: <x.1@example.org>\r\n")
                && headers.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click")
        );
        assert_eq!(
            mailer.build_message(&mail).unwrap().envelope().to().len(),
            1
        );
    }

    #[test]
    fn email_to_an_invalid_address_fails_permanently() {
        let mailer = Mailer::new(
            Server::parse("smtp://localhost").unwrap(),
            parse_sender("hearback@example.org").unwrap(),
        );
        let mail = Mail {
            id: "x".into(),
            at: 0,
            name: "A".into(),
            address: "a\r\nRCPT TO:<b@c>@d".into(),
            subject: String::new(),
            text: String::new(),
            unsubscribe: "https://x/".into(),
        };
        assert!(matches!(
            mailer.build_message(&mail),
            Err(Failure::Permanent(_))
        ));
    }
}
