//! Builds the message of an email.

use std::fmt;
use std::time::{Duration, SystemTime};

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};

use super::{Failure, Mailer};
use crate::clock::Millis;
use crate::error::Result;

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

impl Mailer {
    pub(super) fn build_message(&self, mail: &Mail) -> Result<Message, Failure> {
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
                return Err(permanent(&format_args!(
                    "the header {name} contains characters other than printable ASCII"
                )));
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

/// Cleans a header value: replaces line breaks and control characters with spaces, and removes bidirectional controls.
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
