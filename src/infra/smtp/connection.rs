//! Connects to the server and signs in, with a timeout for each step.

use std::fmt;
use std::time::Duration;

use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::DEFAULT_MECHANISMS;
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;

use super::server_url::{Server, TlsMode};
use super::{Failure, Mailer};
use crate::error::Result;

/// The timeout for each step. RFC 5321 §4.5.3.2 allows minutes, but a submission server replies
/// within seconds.
const STEP_TIMEOUT: Duration = Duration::from_secs(30);

impl Mailer {
    pub(super) async fn connect(&self) -> Result<AsyncSmtpConnection, Failure> {
        let Server {
            host,
            port,
            tls: mode,
            credentials,
        } = &self.server;
        // Greet the server with the sender's domain, because our own host name is unknown.
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
                    StepError::Smtp(error) if error.status().is_some() => Failure::Unavailable(
                        "the server rejected the user name and password".into(),
                    ),
                    other => Failure::Unavailable(format!("sign-in failed: {other}")),
                })?;
        }
        Ok(connection)
    }
}

/// The failure of one step of an SMTP session.
pub(super) enum StepError {
    Smtp(SmtpError),
    TimedOut,
}

impl StepError {
    pub(super) fn status(&self) -> Option<String> {
        match self {
            Self::Smtp(error) => error.status().map(|code| code.to_string()),
            Self::TimedOut => None,
        }
    }

    /// Converts the error of one step to a [`Failure`]. Keeps only the code of the server's reply, because its text may
    /// contain the recipient's address.
    pub(super) fn into_failure(self) -> Failure {
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

pub(super) async fn with_timeout<T>(
    step: impl Future<Output = Result<T, SmtpError>>,
) -> Result<T, StepError> {
    match tokio::time::timeout(STEP_TIMEOUT, step).await {
        Ok(done) => done.map_err(StepError::Smtp),
        Err(_) => Err(StepError::TimedOut),
    }
}
