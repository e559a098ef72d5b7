//! The subject and the text of an email.

use super::MailContext;
use super::content::{Email, Entry, MailedUpdate, Matter, Names, News};
use crate::clock::Millis;
use crate::infra::smtp::Mail;
use crate::notifications::Kind;
use crate::share_message;
use crate::text::{join_names, plural_form};

impl Email {
    pub(super) fn to_mail(&self, ctx: &MailContext) -> Mail {
        let unsubscribe = ctx.unsubscribe_url(&self.person_id);
        let now = ctx.clock.now();
        Mail {
            id: self.id.clone(),
            at: now,
            name: self.name.clone(),
            address: self.address.clone(),
            subject: self.subject(),
            text: self.text(now, &ctx.base, &unsubscribe),
            unsubscribe,
        }
    }

    /// Describes the update if there is only one. Otherwise, names the first update and says how
    /// many there are.
    fn subject(&self) -> String {
        match self.entries.as_slice() {
            [entry] => entry.subject(),
            entries => {
                let first = entries
                    .first()
                    .map(|entry| entry.update.title.as_str())
                    .unwrap_or_default();
                let rest = (entries.len() + self.more).saturating_sub(1);
                format!(
                    "{} updates are waiting for you: “{first}” and {rest} more",
                    rest + 1
                )
            }
        }
    }

    fn text(&self, now: Millis, base: &str, unsubscribe: &str) -> String {
        let paragraphs = |entry: &Entry| entry.paragraphs(now, base, &self.time_zone);
        let mut parts = match self.entries.as_slice() {
            [entry] => paragraphs(entry),
            entries => entries
                .iter()
                .map(|entry| paragraphs(entry).join("\n"))
                .collect(),
        };
        if self.more > 0 {
            parts.push(format!(
                "See {} more in your inbox: {base}/inbox",
                self.more
            ));
        }
        parts.push(format!(
            "-- \nUnsubscribe from these e-mails: {unsubscribe}"
        ));
        parts.join("\n\n") + "\n"
    }
}

impl Entry {
    fn subject(&self) -> String {
        let MailedUpdate { author, title, .. } = &self.update;
        match &self.matter {
            Matter::Request(Kind::Changed) => format!("Changed: “{title}”"),
            Matter::Request(Kind::Reminded) => format!("Reminder: “{title}”"),
            Matter::Request(Kind::Corrected) => {
                format!("{author} asks for your answer again: “{title}”")
            }
            Matter::Request(_) => format!("{author} asks for your answer: “{title}”"),
            Matter::News(news) => format!("{}: “{title}”", news.headline()),
        }
    }

    fn paragraphs(&self, now: Millis, base: &str, zone: &str) -> Vec<String> {
        let link = format!("{base}/updates/{}", self.update.id);
        match &self.matter {
            Matter::Request(_) => request(&self.update, now, zone, &link),
            Matter::News(news) => {
                let mut lines = vec![format!("Your update “{}”: {link}", self.update.title)];
                lines.extend(news.sentences());
                vec![lines.join("\n")]
            }
        }
    }
}

/// The paragraphs that ask a recipient for an answer. If the recipient has to answer again, the paragraphs say why.
fn request(update: &MailedUpdate, now: Millis, zone: &str, link: &str) -> Vec<String> {
    let MailedUpdate { author, title, .. } = update;
    let due = update.due_at.map(|due| {
        let due = share_message::due_text(due, now, zone);
        format!("{due} (your time, {zone})")
    });
    let mut parts = vec![share_message::message(
        author,
        title,
        update.expectation,
        update.length_ms,
        due.as_deref(),
        link,
    )];
    if let Some(changed) = &update.what_changed {
        parts.push(format!("What changed: {}", one_line(changed)));
    }
    if update.corrected > 0 {
        parts.push(format!(
            "What you said back wasn’t quite right. {author} explains why."
        ));
    }
    if let Some(otherwise) = &update.otherwise {
        let then = if due.is_some() { " by then" } else { "" };
        parts.push(format!(
            "If {author} doesn’t hear back{then}, they’ll: {}",
            one_line(otherwise)
        ));
    }
    parts
}

impl News {
    /// Returns the most important point, for the subject line.
    fn headline(&self) -> String {
        let Self {
            objections,
            overdue,
            questions,
            readbacks,
            mentions,
        } = self;
        if objections.count > 0 {
            objections.did("objects", "object")
        } else if overdue.is_some() {
            "Past due".to_owned()
        } else if questions.count > 0 {
            questions.did("asked a question", "asked questions")
        } else if readbacks.count > 0 {
            readbacks.did("said it back", "said it back")
        } else {
            mentions.did("mentioned you", "mentioned you")
        }
    }

    /// Returns a sentence for each point. Does not quote readbacks, questions or objections,
    /// because an email is less private than the page.
    fn sentences(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        let mut add = |people: &Names, one: &str, many: &str, todo: &str| {
            if people.count > 0 {
                sentences.push(format!("{}.{todo}", people.did(one, many)));
            }
        };
        add(&self.objections, "objects", "object", "");
        add(&self.questions, "asked a question", "asked questions", "");
        let verdict = " Confirm or correct it.";
        add(&self.readbacks, "said it back", "said it back", verdict);
        let mentioned = "mentioned you";
        add(&self.mentions, mentioned, mentioned, "");
        if let Some(overdue) = &self.overdue {
            let count = usize::try_from(overdue.count).unwrap_or_default();
            let has = plural_form(count, "has", "have");
            let who = join_names(&overdue.names, count);
            sentences.push(format!("Past due: {who} {has} not answered."));
            if let Some(otherwise) = &overdue.otherwise {
                sentences.push(format!("You said you would: {}", one_line(otherwise)));
            }
        }
        sentences
    }
}

impl Names {
    fn did(&self, one: &str, many: &str) -> String {
        let verb = plural_form(self.count, one, many);
        format!("{} {verb}", join_names(&self.names, self.count))
    }
}

/// Puts text from users on one line, so that the text cannot look like text from Hearback.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
