//! `HEARBACK_SMTP_URL` and `HEARBACK_MAIL_FROM`: the mail server and the sender of emails.

use super::settings_reader::SettingsReader;
use crate::infra::smtp::{self, Mailer, Server};

/// Returns the email settings. If a mail server is set, a sender and the public URL are
/// required: emails contain links, and a link needs the public URL.
pub(super) fn mail_settings(read: &mut SettingsReader) -> Option<Mailer> {
    let server = read.optional("HEARBACK_SMTP_URL", Server::parse);
    let from = read.optional("HEARBACK_MAIL_FROM", smtp::parse_sender);
    if read.is_set("HEARBACK_SMTP_URL") {
        for (name, example) in [
            ("HEARBACK_MAIL_FROM", "Hearback <hearback@example.org>"),
            ("HEARBACK_URL", "https://hearback.example.org"),
        ] {
            if !read.is_set(name) {
                read.add_error(
                    name,
                    &format!("is required if HEARBACK_SMTP_URL is set. For example: `{example}`"),
                );
            }
        }
    }
    Some(Mailer::new(server?, from?))
}
