//! Mail: one server to hand it to, one plain text at a time, and what became of it.

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

/// The longest that one step is waited for. RFC 5321 §4.5.3.2 would allow minutes; a server that is asked to submit mail answers in seconds.
const STEP_TIMEOUT: Duration = Duration::from_secs(30);

/// How the way to the server is kept from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TlsMode {
    /// Not at all.
    None,
    /// By STARTTLS where the server offers it.
    Opportunistic,
    /// By STARTTLS, or nothing is sent.
    Required,
    /// TLS from the first byte.
    Implicit,
}

/// The server that mail is handed to. Its `Debug` shows no secrets.
#[derive(Clone, Debug)]
pub struct Server {
    host: String,
    port: u16,
    tls: TlsMode,
    credentials: Option<Credentials>,
}

impl Server {
    /// Reads `smtps://USER:PASSWORD@HOST[:PORT]` or `smtp://…[?tls=required|opportunistic]`. The error does not repeat the value.
    pub fn parse(text: &str) -> Result<Self, String> {
        const EXAMPLE: &str = "Right would be smtps://USER:PASSWORD@mail.example.org, or smtp://mail.example.org?tls=required.";
        let url = Url::parse(text).map_err(|_| format!("is not an address. {EXAMPLE}"))?;
        let host = url
            .host_str()
            .filter(|host| !host.is_empty())
            .ok_or_else(|| format!("names no host. {EXAMPLE}"))?;
        let tls: Vec<_> = url.query_pairs().collect();
        let (privacy, port) = match (url.scheme(), tls.as_slice()) {
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
                    "has a query that is neither tls=required nor tls=opportunistic. {EXAMPLE}"
                ));
            }
            ("smtps", _) => return Err(format!("has a query; smtps:// takes none. {EXAMPLE}")),
            _ => {
                return Err(format!(
                    "begins with neither smtps:// nor smtp://. {EXAMPLE}"
                ));
            }
        };
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(format!("has a path. {EXAMPLE}"));
        }
        let decoded = |part: &str| {
            percent_decode_str(part)
                .decode_utf8()
                .map(|text| text.into_owned())
                .map_err(|_| "has a user or password that is not percent-encoded UTF-8.".to_owned())
        };
        let credentials = match (url.username(), url.password()) {
            ("", None) => None,
            (user, Some(password)) if !user.is_empty() => {
                Some(Credentials::new(decoded(user)?, decoded(password)?))
            }
            _ => return Err(format!("has a user or a password, but not both. {EXAMPLE}")),
        };
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let near = host == "localhost"
            || host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        if credentials.is_some() && privacy == TlsMode::None && !near {
            return Err("would send its password for all to read. Right would be smtps://…, or smtp://…?tls=required.".into());
        }
        Ok(Self {
            port: url.port().unwrap_or(port),
            host,
            tls: privacy,
            credentials,
        })
    }
}

/// Reads who mail is from: `hearback@example.org` or `Hearback <hearback@example.org>`.
pub fn parse_sender(text: &str) -> Result<Mailbox, String> {
    text.parse().map_err(|_| {
        "is not an e-mail address. Right would be Hearback <hearback@example.org>.".into()
    })
}

/// One mail to one person.
#[derive(Clone, Debug)]
pub struct Mail {
    /// What identifies it for ever: letters, digits, `.`, `-` and `_`. The same mail sent again has the same.
    pub id: String,
    /// When it was written.
    pub at: Millis,
    /// Whom it is for, by name.
    pub name: String,
    /// Their address.
    pub address: String,
    /// What it is about, in one line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// Where one press ends mail of this kind (RFC 8058).
    pub unsubscribe: String,
}

/// Why a mail did not go out.
#[derive(Debug)]
pub enum Failure {
    /// The server cannot be reached, or takes nothing from us: so it will be with all mail for now.
    Unavailable(String),
    /// This one is not taken now, but may be later.
    Transient(String),
    /// This one is never taken: no such address, or refused for what it is.
    Permanent(String),
    /// It broke off when all of it was handed over: it may have been taken, and sent again it could come twice.
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

/// Sends mail.
#[derive(Clone, Debug)]
pub struct Mailer {
    server: Server,
    from: Mailbox,
}

impl Mailer {
    /// Through this server, from this address.
    pub fn new(server: Server, from: Mailbox) -> Self {
        Self { server, from }
    }

    /// The way to the server, opened when the first mail goes out.
    pub fn session(&self) -> MailSession<'_> {
        MailSession {
            mailer: self,
            connection: None,
        }
    }

    /// Connects, greets and signs in, and sends nothing. The text says what was proved, the error how to mend it.
    pub async fn check(&self) -> Result<String> {
        let Server { host, port, .. } = &self.server;
        let mend = |failure: Failure| {
            Error::Conflict(format!(
                "{host}:{port}: {failure}. Mend: check HEARBACK_SMTP_URL."
            ))
        };
        let mut connection = self.connect().await.map_err(mend)?;
        let way = if connection.is_encrypted() {
            "with TLS"
        } else {
            "without TLS"
        };
        let user = if self.server.credentials.is_some() {
            " and takes the user"
        } else {
            ""
        };
        let _ = with_timeout(connection.quit()).await;
        Ok(format!(
            "{host}:{port} answers {way}{user}; mail comes from {}",
            self.from
        ))
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Failure> {
        let Server {
            host,
            port,
            tls: privacy,
            credentials,
        } = &self.server;
        // Our own name is not known; the address that mail comes from is the nearest that a server knows.
        let hello = ClientId::Domain(self.from.email.domain().to_owned());
        let tls = || {
            TlsParameters::new(host.clone())
                .map_err(|error| Failure::Unavailable(format!("TLS cannot be set up ({error})")))
        };
        let wrapped = if *privacy == TlsMode::Implicit {
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
        let mut connection = with_timeout(connect)
            .await
            .map_err(|error| Failure::Unavailable(format!("it cannot be reached: {error}")))?;
        match privacy {
            TlsMode::Required if !connection.can_starttls() => {
                return Err(Failure::Unavailable("it offers no STARTTLS".into()));
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
                    // Its words could repeat what was sent.
                    StepError::Smtp(error) if error.status().is_some() => {
                        Failure::Unavailable("it does not take this user and password".into())
                    }
                    other => Failure::Unavailable(format!("signing in failed: {other}")),
                })?;
        }
        Ok(connection)
    }

    fn build_message(&self, mail: &Mail) -> Result<Message, Failure> {
        let never = |error: &dyn fmt::Display| {
            Failure::Permanent(format!("it cannot be written ({error})"))
        };
        let address = mail
            .address
            .parse()
            .map_err(|error: lettre::address::AddressError| never(&error))?;
        let at =
            SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(mail.at).unwrap_or(0));
        let mut message = Message::builder()
            .date(at)
            .from(self.from.clone())
            .to(Mailbox::new(Some(header_text(&mail.name)), address))
            .subject(header_text(&mail.subject))
            .header(ContentType::TEXT_PLAIN)
            .body(mail.text.clone())
            .map_err(|error| never(&error))?;
        // Of our own making and within ASCII: to be folded or encoded would break them.
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
                .all(|letter| letter == b' ' || letter.is_ascii_graphic())
            {
                return Err(never(&format_args!("{name} is not ASCII")));
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

/// The way to the server: kept open from mail to mail, opened anew where it broke.
pub struct MailSession<'a> {
    mailer: &'a Mailer,
    connection: Option<AsyncSmtpConnection>,
}

impl MailSession<'_> {
    /// Hands over one mail.
    pub async fn send(&mut self, mail: &Mail) -> Result<(), Failure> {
        let message = self.mailer.build_message(mail)?;
        // One that was open may have been ended by the server meanwhile: seen before anything is sent, it costs nothing.
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

    /// Says goodbye.
    pub async fn close(mut self) {
        if let Some(connection) = &mut self.connection {
            // All mail was taken by now: whether it answers does not matter.
            let _ = with_timeout(connection.quit()).await;
        }
    }
}

async fn transmit(connection: &mut AsyncSmtpConnection, message: &Message) -> Result<(), Failure> {
    let envelope = message.envelope();
    let mut options = Vec::new();
    let beyond_ascii = |address: &lettre::Address| !AsRef::<str>::as_ref(address).is_ascii();
    if envelope
        .from()
        .into_iter()
        .chain(envelope.to())
        .any(beyond_ascii)
    {
        if !connection
            .server_info()
            .supports_feature(Extension::SmtpUtfEight)
        {
            return Err(Failure::Permanent(
                "the server takes no addresses beyond ASCII".into(),
            ));
        }
        options.push(MailParameter::SmtpUtfEight);
    }
    // What is refused here is our own address: it says nothing of the recipient.
    with_timeout(connection.command(From::new(envelope.from().cloned(), options)))
        .await
        .map_err(|error| {
            Failure::Unavailable(format!(
                "it does not take mail from HEARBACK_MAIL_FROM: {error}"
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

/// What went wrong in one step.
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

    /// As an answer to a mail and its recipient. Only the code is kept: the server's words may name the address.
    fn into_failure(self) -> Failure {
        match self.status() {
            // The server ends (RFC 5321 §4.2.3).
            Some(code) if code == "421" => Failure::Unavailable("it ended with 421".into()),
            Some(code) if code.starts_with('4') => {
                Failure::Transient(format!("it was put off with {code}"))
            }
            Some(code) => Failure::Permanent(format!("it was refused with {code}")),
            None => Failure::Unavailable(self.to_string()),
        }
    }
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Smtp(error) => error.fmt(f),
            Self::TimedOut => write!(f, "no answer within {} s", STEP_TIMEOUT.as_secs()),
        }
    }
}

async fn with_timeout<T>(step: impl Future<Output = Result<T, SmtpError>>) -> Result<T, StepError> {
    match tokio::time::timeout(STEP_TIMEOUT, step).await {
        Ok(done) => done.map_err(StepError::Smtp),
        Err(_) => Err(StepError::TimedOut),
    }
}

/// One line of a header: without what would break it or turn around what follows.
fn header_text(text: &str) -> String {
    text.chars()
        .filter(|letter| !matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
        .map(|letter| {
            if letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}') {
                ' '
            } else {
                letter
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_servers_are_read_and_what_is_wrong_is_said_without_the_password() {
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
                said.contains("Right would be") && !said.contains("s3cret"),
                "{wrong}: {said}"
            );
        }
        assert!(
            parse_sender("Hearback").is_err()
                && parse_sender("Hearback <hearback@example.org>").is_ok()
        );
    }

    #[test]
    fn no_name_and_no_title_adds_a_header() {
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
    fn an_address_that_cannot_be_written_is_never_sent() {
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
