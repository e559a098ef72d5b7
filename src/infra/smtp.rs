//! Sends plain-text email through one SMTP server.

use std::fmt;
use std::time::{Duration, SystemTime};

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as From, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use percent_encoding::percent_decode_str;
use url::Url;

use crate::clock::Millis;
use crate::error::{Error, Result};

/// The timeout for each step. RFC 5321 §4.5.3.2 allows minutes, but a submission server replies
/// within seconds.
const STEP_TIMEOUT: Duration = Duration::from_secs(30);

/// How the connection to the server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TlsMode {
    /// Not encrypted.
    None,
    /// Encrypted with STARTTLS if the server offers it.
    Opportunistic,
    /// Encrypted with STARTTLS. Sending fails if the server does not offer it.
    Required,
    /// Encrypted with TLS from the first byte.
    Implicit,
}

/// The mail server. Its `Debug` output contains no secrets.
#[derive(Clone, Debug)]
pub struct Server {
    host: String,
    port: u16,
    tls: TlsMode,
    credentials: Option<Credentials>,
}

impl Server {
    /// Parses `smtps://USER:PASSWORD@HOST[:PORT]` or `smtp://…[?tls=required|opportunistic]`. The
    /// error does not repeat the value.
    pub fn parse(text: &str) -> Result<Self, String> {
        const EXAMPLE: &str = "Use, for example, smtps://USER:PASSWORD@mail.example.org or smtp://mail.example.org?tls=required.";
        let url = Url::parse(text).map_err(|_| format!("is not a URL. {EXAMPLE}"))?;
        let host = url
            .host_str()
            .filter(|host| !host.is_empty())
            .ok_or_else(|| format!("has no host. {EXAMPLE}"))?;
        let tls: Vec<_> = url.query_pairs().collect();
        let (mode, port) = match (url.scheme(), tls.as_slice()) {
            ("smtps", []) => (TlsMode::Implicit, 465),
            ("smtp", []) => (TlsMode::None, 25),
            ("smtp", [(name, value)]) if name == "tls" && value == "required" => {
                (TlsMode::Required, 587)
            }
            ("smtp", [(name, value)]) if name == "tls" && value == "opportunistic" => {
                (TlsMode::Opportunistic, 587)
            }
            ("smtp", _) => {
                return Err(format!(
                    "has an unknown query string; only tls=required and tls=opportunistic are allowed. {EXAMPLE}"
                ));
            }
            ("smtps", _) => {
                return Err(format!(
                    "must not have a query string with smtps://. {EXAMPLE}"
                ));
            }
            _ => {
                return Err(format!("must start with smtps:// or smtp://. {EXAMPLE}"));
            }
        };
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(format!("must not have a path. {EXAMPLE}"));
        }
        let decoded = |part: &str| {
            percent_decode_str(part)
                .decode_utf8()
                .map(|text| text.into_owned())
                .map_err(|_| {
                    "has a user or password that is not valid percent-encoded UTF-8.".to_owned()
                })
        };
        let credentials = match (url.username(), url.password()) {
            ("", None) => None,
            (user, Some(password)) if !user.is_empty() => {
                Some(Credentials::new(decoded(user)?, decoded(password)?))
            }
            _ => {
                return Err(format!(
                    "must have both a user and a password, or neither. {EXAMPLE}"
                ));
            }
        };
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let is_local = host == "localhost"
            || host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        if credentials.is_some() && mode == TlsMode::None && !is_local {
            return Err("must not send the password unencrypted. Use, for example, smtps://… or smtp://…?tls=required.".into());
        }
        Ok(Self {
            port: url.port().unwrap_or(port),
            host,
            tls: mode,
            credentials,
        })
    }
}

/// Parses the sender: `hearback@example.org` or `Hearback <hearback@example.org>`.
pub fn parse_sender(text: &str) -> Result<Mailbox, String> {
    text.parse().map_err(|_| {
        "is not an email address. Use, for example, Hearback <hearback@example.org>.".into()
    })
}

/// One email to one person.
#[derive(Clone, Debug)]
pub struct Mail {
    /// A permanent id of letters, digits, `.`, `-` and `_`. An email that is sent again keeps its
    /// id.
    pub id: String,
    /// When the email was created.
    pub at: Millis,
    /// The name of the recipient.
    pub name: String,
    /// The address of the recipient.
    pub address: String,
    /// The subject, on one line.
    pub subject: String,
    /// The body, as plain text.
    pub text: String,
    /// The URL for one-click unsubscription (RFC 8058).
    pub unsubscribe: String,
}

/// Why an email was not sent.
#[derive(Debug)]
pub enum Failure {
    /// The server cannot be reached or rejects our connection, so for now no email can be sent.
    Unavailable(String),
    /// The server rejected this email temporarily.
    Transient(String),
    /// The server will never accept this email.
    Permanent(String),
    /// The connection broke after the message was sent. The server may have accepted it, so a retry
    /// could deliver it twice.
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

    /// Connects, greets and signs in without sending an email. Returns a description of what works;
    /// the error says how to fix the problem.
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
            " and accepts the user and password"
        } else {
            ""
        };
        let _ = with_timeout(connection.quit()).await;
        Ok(format!(
            "{host}:{port} responds {encryption}{sign_in}; emails are sent from {}",
            self.from
        ))
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Failure> {
        let Server {
            host,
            port,
            tls: mode,
            credentials,
        } = &self.server;
        // Our own host name is unknown; the sender's domain is the best substitute.
        let hello = ClientId::Domain(self.from.email.domain().to_owned());
        let tls = || {
            TlsParameters::new(host.clone())
                .map_err(|error| Failure::Unavailable(format!("TLS cannot be set up ({error})")))
        };
        let wrapped = if *mode == TlsMode::Implicit {
            Some(tls()?)
        } else {
            None
        };
        let connect = AsyncSmtpConnection::connect_tokio1(
            (host.as_str(), *port),
            Some(STEP_TIMEOUT),
            &hello,
            wrapped,
            None,
        );
        let mut connection = with_timeout(connect).await.map_err(|error| {
            Failure::Unavailable(format!("the server cannot be reached: {error}"))
        })?;
        match mode {
            TlsMode::Required if !connection.can_starttls() => {
                return Err(Failure::Unavailable(
                    "the server does not offer STARTTLS".into(),
                ));
            }
            TlsMode::Required | TlsMode::Opportunistic if connection.can_starttls() => {
                with_timeout(connection.starttls(tls()?, &hello))
                    .await
                    .map_err(|error| Failure::Unavailable(format!("STARTTLS failed: {error}")))?;
            }
            _ => {}
        }
        if let Some(credentials) = credentials {
            with_timeout(connection.auth(DEFAULT_MECHANISMS, credentials))
                .await
                .map_err(|error| match error {
                    // Omit the server's text, because it could repeat the credentials.
                    StepError::Smtp(error) if error.status().is_some() => {
                        Failure::Unavailable("the server rejected the user and password".into())
                    }
                    other => Failure::Unavailable(format!("sign-in failed: {other}")),
                })?;
        }
        Ok(connection)
    }

    fn build_message(&self, mail: &Mail) -> Result<Message, Failure> {
        let permanent = |error: &dyn fmt::Display| {
            Failure::Permanent(format!("the email cannot be composed ({error})"))
        };
        let address = mail
            .address
            .parse()
            .map_err(|error: lettre::address::AddressError| permanent(&error))?;
        let at =
            SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(mail.at).unwrap_or(0));
        let mut message = Message::builder()
            .date(at)
            .from(self.from.clone())
            .to(Mailbox::new(Some(header_text(&mail.name)), address))
            .subject(header_text(&mail.subject))
            .header(ContentType::TEXT_PLAIN)
            .body(mail.text.clone())
            .map_err(|error| permanent(&error))?;
        // Add these headers without folding or encoding, because both would break the ids and URLs
        // in them. The values are our own printable ASCII text.
        for (name, value) in [
            ("MIME-Version", "1.0".to_owned()),
            (
                "Message-ID",
                format!("<{}@{}>", mail.id, self.from.email.domain()),
            ),
            ("List-Unsubscribe", format!("<{}>", mail.unsubscribe)),
            (
                "List-Unsubscribe-Post",
                "List-Unsubscribe=One-Click".to_owned(),
            ),
            ("Auto-Submitted", "auto-generated".to_owned()),
        ] {
            if !value
                .bytes()
                .all(|byte| byte == b' ' || byte.is_ascii_graphic())
            {
                return Err(permanent(&format_args!("{name} is not ASCII")));
            }
            message
                .headers_mut()
                .insert_raw(HeaderValue::dangerous_new_pre_encoded(
                    HeaderName::new_from_ascii_str(name),
                    value.clone(),
                    value,
                ));
        }
        Ok(message)
    }
}

/// A connection to the server that is reused for several emails and reopened after a failure.
pub struct MailSession<'a> {
    mailer: &'a Mailer,
    connection: Option<AsyncSmtpConnection>,
}

impl MailSession<'_> {
    /// Sends one email.
    pub async fn send(&mut self, mail: &Mail) -> Result<(), Failure> {
        let message = self.mailer.build_message(mail)?;
        // The server may have closed an idle connection. RSET detects this before anything is sent.
        if let Some(connection) = &mut self.connection
            && with_timeout(connection.command(Rset)).await.is_err()
        {
            self.connection = None;
        }
        let connection = match &mut self.connection {
            Some(open) => open,
            none => none.insert(self.mailer.connect().await?),
        };
        let sent = transmit(connection, &message).await;
        if matches!(sent, Err(Failure::Unavailable(_) | Failure::Ambiguous(_))) {
            self.connection = None;
        }
        sent
    }

    /// Closes the connection.
    pub async fn close(mut self) {
        if let Some(connection) = &mut self.connection {
            // The server has already accepted every email, so a failed QUIT does not matter.
            let _ = with_timeout(connection.quit()).await;
        }
    }
}

async fn transmit(connection: &mut AsyncSmtpConnection, message: &Message) -> Result<(), Failure> {
    let envelope = message.envelope();
    let mut options = Vec::new();
    let is_not_ascii = |address: &lettre::Address| !AsRef::<str>::as_ref(address).is_ascii();
    if envelope
        .from()
        .into_iter()
        .chain(envelope.to())
        .any(is_not_ascii)
    {
        if !connection
            .server_info()
            .supports_feature(Extension::SmtpUtfEight)
        {
            return Err(Failure::Permanent(
                "the server does not support non-ASCII addresses".into(),
            ));
        }
        options.push(MailParameter::SmtpUtfEight);
    }
    // If the server rejects our sender address, it rejects every email, so this counts as
    // `Unavailable`.
    with_timeout(connection.command(From::new(envelope.from().cloned(), options)))
        .await
        .map_err(|error| {
            Failure::Unavailable(format!(
                "the server does not accept emails from HEARBACK_MAIL_FROM: {error}"
            ))
        })?;
    for recipient in envelope.to() {
        with_timeout(connection.command(Rcpt::new(recipient.clone(), Vec::new())))
            .await
            .map_err(StepError::into_failure)?;
    }
    with_timeout(connection.command(Data))
        .await
        .map_err(StepError::into_failure)?;
    match with_timeout(connection.message(&message.formatted())).await {
        Ok(_) => Ok(()),
        Err(error @ StepError::Smtp(_)) if error.status().is_some() => Err(error.into_failure()),
        Err(error) => Err(Failure::Ambiguous(error.to_string())),
    }
}

/// The failure of one step of an SMTP session.
enum StepError {
    Smtp(SmtpError),
    TimedOut,
}

impl StepError {
    fn status(&self) -> Option<String> {
        match self {
            Self::Smtp(error) => error.status().map(|code| code.to_string()),
            Self::TimedOut => None,
        }
    }

    /// Maps a reply to a [`Failure`]. Keeps only the code, because the server's text may contain
    /// the recipient's address.
    fn into_failure(self) -> Failure {
        match self.status() {
            // The server is shutting down (RFC 5321 §4.2.3).
            Some(code) if code == "421" => {
                Failure::Unavailable("the server closed the connection with code 421".into())
            }
            Some(code) if code.starts_with('4') => {
                Failure::Transient(format!("the server deferred the email with code {code}"))
            }
            Some(code) => {
                Failure::Permanent(format!("the server rejected the email with code {code}"))
            }
            None => Failure::Unavailable(self.to_string()),
        }
    }
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Smtp(error) => error.fmt(f),
            Self::TimedOut => write!(f, "no reply within {} s", STEP_TIMEOUT.as_secs()),
        }
    }
}

async fn with_timeout<T>(step: impl Future<Output = Result<T, SmtpError>>) -> Result<T, StepError> {
    match tokio::time::timeout(STEP_TIMEOUT, step).await {
        Ok(done) => done.map_err(StepError::Smtp),
        Err(_) => Err(StepError::TimedOut),
    }
}

/// Cleans a header value: replaces line breaks and control characters, and removes bidirectional
/// controls.
fn header_text(text: &str) -> String {
    text.chars()
        .filter(|c| !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
        .map(|c| {
            if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
                ' '
            } else {
                c
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
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
            "smtp://mail.example.org?tls=maybe",
            "smtps://mail.example.org?tls=required",
            "smtp://u@localhost",
            "smtps://",
        ] {
            let said = Server::parse(wrong).unwrap_err();
            assert!(
                said.contains("for example") && !said.contains("s3cret"),
                "{wrong}: {said}"
            );
        }
        assert!(
            parse_sender("Hearback").is_err()
                && parse_sender("Hearback <hearback@example.org>").is_ok()
        );
    }

    #[test]
    fn name_and_subject_cannot_inject_headers() {
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
    fn invalid_address_is_a_permanent_failure() {
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
