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
const PATIENCE: Duration = Duration::from_secs(30);

/// How the way to the server is kept from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Privacy {
    /// Not at all.
    None,
    /// By STARTTLS where the server offers it.
    Opportunistic,
    /// By STARTTLS, or nothing is sent.
    Required,
    /// TLS from the first byte.
    Wrapped,
}

/// The server that mail is handed to. Its `Debug` shows no secrets.
#[derive(Clone, Debug)]
pub struct Server {
    host: String,
    port: u16,
    privacy: Privacy,
    credentials: Option<Credentials>,
}

impl Server {
    /// Reads `smtps://USER:PASSWORD@HOST[:PORT]` or `smtp://…[?tls=required|opportunistic]`. The error does not repeat the value.
    pub fn parse(text: &str) -> Result<Self, String> {
        const RIGHT: &str = "Right would be smtps://USER:PASSWORD@mail.example.org, or smtp://mail.example.org?tls=required.";
        let url = Url::parse(text).map_err(|_| format!("is not an address. {RIGHT}"))?;
        let host = url
            .host_str()
            .filter(|host| !host.is_empty())
            .ok_or_else(|| format!("names no host. {RIGHT}"))?;
        let tls: Vec<_> = url.query_pairs().collect();
        let (privacy, port) = match (url.scheme(), tls.as_slice()) {
            ("smtps", []) => (Privacy::Wrapped, 465),
            ("smtp", []) => (Privacy::None, 25),
            ("smtp", [(name, value)]) if name == "tls" && value == "required" => {
                (Privacy::Required, 587)
            }
            ("smtp", [(name, value)]) if name == "tls" && value == "opportunistic" => {
                (Privacy::Opportunistic, 587)
            }
            ("smtp", _) => {
                return Err(format!(
                    "has a query that is neither tls=required nor tls=opportunistic. {RIGHT}"
                ));
            }
            ("smtps", _) => return Err(format!("has a query; smtps:// takes none. {RIGHT}")),
            _ => return Err(format!("begins with neither smtps:// nor smtp://. {RIGHT}")),
        };
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(format!("has a path. {RIGHT}"));
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
            _ => return Err(format!("has a user or a password, but not both. {RIGHT}")),
        };
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let near = host == "localhost"
            || host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        if credentials.is_some() && privacy == Privacy::None && !near {
            return Err("would send its password for all to read. Right would be smtps://…, or smtp://…?tls=required.".into());
        }
        Ok(Self {
            port: url.port().unwrap_or(port),
            host,
            privacy,
            credentials,
        })
    }
}

/// Reads who mail is from: `hearback@example.org` or `Hearback <hearback@example.org>`.
pub fn sender(text: &str) -> Result<Mailbox, String> {
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
    Away(String),
    /// This one is not taken now, but may be later.
    Later(String),
    /// This one is never taken: no such address, or refused for what it is.
    Never(String),
    /// It broke off when all of it was handed over: it may have been taken, and sent again it could come twice.
    Unclear(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Away(why) | Self::Later(why) | Self::Never(why) | Self::Unclear(why) => {
                f.write_str(why)
            }
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
    pub fn post(&self) -> Post<'_> {
        Post {
            mailer: self,
            connection: None,
        }
    }

    /// Connects, greets and signs in, and sends nothing. The text says what was proved, the error how to mend it.
    pub async fn prove(&self) -> Result<String> {
        let Server { host, port, .. } = &self.server;
        let mend = |failure: Failure| {
            Error::Conflict(format!(
                "{host}:{port}: {failure}. Mend: check HEARBACK_SMTP_URL."
            ))
        };
        let mut connection = self.open().await.map_err(mend)?;
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
        let _ = within(connection.quit()).await;
        Ok(format!(
            "{host}:{port} answers {way}{user}; mail comes from {}",
            self.from
        ))
    }

    async fn open(&self) -> Result<AsyncSmtpConnection, Failure> {
        let Server {
            host,
            port,
            privacy,
            credentials,
        } = &self.server;
        // Our own name is not known; the address that mail comes from is the nearest that a server knows.
        let hello = ClientId::Domain(self.from.email.domain().to_owned());
        let tls = || {
            TlsParameters::new(host.clone())
                .map_err(|error| Failure::Away(format!("TLS cannot be set up ({error})")))
        };
        let wrapped = if *privacy == Privacy::Wrapped {
            Some(tls()?)
        } else {
            None
        };
        let connect = AsyncSmtpConnection::connect_tokio1(
            (host.as_str(), *port),
            Some(PATIENCE),
            &hello,
            wrapped,
            None,
        );
        let mut connection = within(connect)
            .await
            .map_err(|error| Failure::Away(format!("it cannot be reached: {error}")))?;
        match privacy {
            Privacy::Required if !connection.can_starttls() => {
                return Err(Failure::Away("it offers no STARTTLS".into()));
            }
            Privacy::Required | Privacy::Opportunistic if connection.can_starttls() => {
                within(connection.starttls(tls()?, &hello))
                    .await
                    .map_err(|error| Failure::Away(format!("STARTTLS failed: {error}")))?;
            }
            _ => {}
        }
        if let Some(credentials) = credentials {
            within(connection.auth(DEFAULT_MECHANISMS, credentials))
                .await
                .map_err(|wrong| match wrong {
                    // Its words could repeat what was sent.
                    Wrong::Smtp(error) if error.status().is_some() => {
                        Failure::Away("it does not take this user and password".into())
                    }
                    other => Failure::Away(format!("signing in failed: {other}")),
                })?;
        }
        Ok(connection)
    }

    fn write(&self, mail: &Mail) -> Result<Message, Failure> {
        let never =
            |error: &dyn fmt::Display| Failure::Never(format!("it cannot be written ({error})"));
        let address = mail
            .address
            .parse()
            .map_err(|error: lettre::address::AddressError| never(&error))?;
        let at =
            SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(mail.at).unwrap_or(0));
        let mut message = Message::builder()
            .date(at)
            .from(self.from.clone())
            .to(Mailbox::new(Some(plain(&mail.name)), address))
            .subject(plain(&mail.subject))
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
pub struct Post<'a> {
    mailer: &'a Mailer,
    connection: Option<AsyncSmtpConnection>,
}

impl Post<'_> {
    /// Hands over one mail.
    pub async fn send(&mut self, mail: &Mail) -> Result<(), Failure> {
        let message = self.mailer.write(mail)?;
        // One that was open may have been ended by the server meanwhile: seen before anything is sent, it costs nothing.
        if let Some(connection) = &mut self.connection
            && within(connection.command(Rset)).await.is_err()
        {
            self.connection = None;
        }
        let connection = match &mut self.connection {
            Some(open) => open,
            none => none.insert(self.mailer.open().await?),
        };
        let sent = hand_over(connection, &message).await;
        if matches!(sent, Err(Failure::Away(_) | Failure::Unclear(_))) {
            self.connection = None;
        }
        sent
    }

    /// Says goodbye.
    pub async fn close(mut self) {
        if let Some(connection) = &mut self.connection {
            // All mail was taken by now: whether it answers does not matter.
            let _ = within(connection.quit()).await;
        }
    }
}

async fn hand_over(connection: &mut AsyncSmtpConnection, message: &Message) -> Result<(), Failure> {
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
            return Err(Failure::Never(
                "the server takes no addresses beyond ASCII".into(),
            ));
        }
        options.push(MailParameter::SmtpUtfEight);
    }
    // What is refused here is our own address: it says nothing of the recipient.
    within(connection.command(From::new(envelope.from().cloned(), options)))
        .await
        .map_err(|error| {
            Failure::Away(format!(
                "it does not take mail from HEARBACK_MAIL_FROM: {error}"
            ))
        })?;
    for recipient in envelope.to() {
        within(connection.command(Rcpt::new(recipient.clone(), Vec::new())))
            .await
            .map_err(Wrong::about_this)?;
    }
    within(connection.command(Data))
        .await
        .map_err(Wrong::about_this)?;
    match within(connection.message(&message.formatted())).await {
        Ok(_) => Ok(()),
        Err(wrong @ Wrong::Smtp(_)) if wrong.status().is_some() => Err(wrong.about_this()),
        Err(wrong) => Err(Failure::Unclear(wrong.to_string())),
    }
}

/// What went wrong in one step.
enum Wrong {
    Smtp(SmtpError),
    Late,
}

impl Wrong {
    fn status(&self) -> Option<String> {
        match self {
            Self::Smtp(error) => error.status().map(|code| code.to_string()),
            Self::Late => None,
        }
    }

    /// As an answer to a mail and its recipient. Only the code is kept: the server's words may name the address.
    fn about_this(self) -> Failure {
        match self.status() {
            // The server ends (RFC 5321 §4.2.3).
            Some(code) if code == "421" => Failure::Away("it ended with 421".into()),
            Some(code) if code.starts_with('4') => {
                Failure::Later(format!("it was put off with {code}"))
            }
            Some(code) => Failure::Never(format!("it was refused with {code}")),
            None => Failure::Away(self.to_string()),
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Smtp(error) => error.fmt(f),
            Self::Late => write!(f, "no answer within {} s", PATIENCE.as_secs()),
        }
    }
}

async fn within<T>(step: impl Future<Output = Result<T, SmtpError>>) -> Result<T, Wrong> {
    match tokio::time::timeout(PATIENCE, step).await {
        Ok(done) => done.map_err(Wrong::Smtp),
        Err(_) => Err(Wrong::Late),
    }
}

/// One line of a header: without what would break it or turn around what follows.
fn plain(text: &str) -> String {
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
            (server.host.as_str(), server.port, server.privacy),
            ("mail.example.org", 465, Privacy::Wrapped)
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
        assert!(sender("Hearback").is_err() && sender("Hearback <hearback@example.org>").is_ok());
    }

    #[test]
    fn no_name_and_no_title_adds_a_header() {
        let mailer = Mailer::new(
            Server::parse("smtp://localhost").unwrap(),
            sender("hearback@example.org").unwrap(),
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
        let written = String::from_utf8(mailer.write(&mail).unwrap().formatted()).unwrap();
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
        assert_eq!(mailer.write(&mail).unwrap().envelope().to().len(), 1);
    }

    #[test]
    fn an_address_that_cannot_be_written_is_never_sent() {
        let mailer = Mailer::new(
            Server::parse("smtp://localhost").unwrap(),
            sender("hearback@example.org").unwrap(),
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
        assert!(matches!(mailer.write(&mail), Err(Failure::Never(_))));
    }
}
