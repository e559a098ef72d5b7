//! Sends several emails over one connection.

use lettre::message::Message;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail as From, Rcpt, Rset};
use lettre::transport::smtp::extension::{Extension, MailParameter};

use super::connection::{StepError, with_timeout};
use super::message::Mail;
use super::{Failure, Mailer};
use crate::error::Result;

/// A connection to the server that is reused for several emails and reopened after a failure.
pub struct MailSession<'a> {
    pub(super) mailer: &'a Mailer,
    pub(super) connection: Option<AsyncSmtpConnection>,
}

impl MailSession<'_> {
    /// Sends one email.
    pub async fn send(&mut self, mail: &Mail) -> Result<(), Failure> {
        let message = self.mailer.build_message(mail)?;
        // The server may have closed an idle connection. RSET detects this before the email is
        // sent.
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
            // The server has already replied to every email, so a failed QUIT does not matter.
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
    with_timeout(connection.command(From::new(envelope.from().cloned(), options)))
        .await
        .map_err(sender_failure)?;
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

/// Converts the error of the command that names the sender. If the server does not accept our
/// sender address now, it accepts no email, so every error counts as [`Failure::Unavailable`].
fn sender_failure(error: StepError) -> Failure {
    match error.status() {
        Some(code) if code.starts_with('5') => Failure::Unavailable(format!(
            "the server does not accept emails from HEARBACK_MAIL_FROM: {error}"
        )),
        Some(code) if code != "421" => {
            Failure::Unavailable(format!("the server does not accept emails now: {error}"))
        }
        _ => error.into_failure(),
    }
}
