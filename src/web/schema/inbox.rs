//! Schemas of the inbox.

use serde::Serialize;

use super::RowView;
use crate::inbox::Reason;
use crate::updates::Expectation;

/// An entry of the inbox.
#[derive(Clone, Debug, Serialize)]
pub struct EntryView {
    /// Id of the entry: a letter for the section, followed by the update's id.
    pub id: String,
    /// Why the entry is in its section.
    pub why: Reason,
    /// The update that the entry is about.
    pub update: RowView,
    /// When the viewer's answer is due. For answers that others owe the viewer, the earliest due
    /// time of these answers. If `overdue` is among the reasons, the earliest due time of the
    /// overdue answers.
    pub due: Option<String>,
    /// Whether the due time has passed.
    pub overdue: bool,
    /// Whether the viewer opened the update.
    pub opened: bool,
    /// When the author last reminded the viewer.
    pub reminded_at: Option<String>,
    /// Number of new comments.
    pub new_comments: i64,
    /// Number of people who can now open the update because they joined a group in its audience.
    pub joined: i64,
    /// Name of the person whose action caused the entry.
    pub by: Option<String>,
    /// Further reasons why the entry is in its section, strongest first. Comments are not among them; see
    /// `new_comments`.
    pub also: Vec<Reason>,
    /// The objection in the recipient's words, if the reason is `declined`.
    pub objection: Option<String>,
    /// What the entry quotes; null if there is nothing to quote.
    pub preview: Option<PreviewView>,
    /// Names of recipients whose answers are overdue, at most five, if `overdue` is among the reasons.
    pub missing: Vec<String>,
    /// Number of recipients whose answers are overdue, if `overdue` is among the reasons.
    pub missing_count: i64,
    /// What the viewer, as the author of the update, said they would do if no answer arrived by the due time. Set only
    /// if `overdue` is among the reasons.
    pub otherwise: Option<String>,
    /// When the entry appeared in the inbox, RFC 3339.
    pub at: String,
}

/// Text that an entry of the inbox quotes.
#[derive(Clone, Debug, Serialize)]
pub struct PreviewView {
    /// Name of the person or guest who wrote the text, if known.
    pub by: Option<String>,
    /// The text without formatting, on one line. Long texts are cut, except corrections.
    pub text: String,
}

impl EntryView {
    /// Returns whether the sentence about the entry already names the writer of the preview.
    pub fn names_writer(&self, writer: &str) -> bool {
        match self.why {
            Reason::Mention | Reason::Answer => self.by.as_deref() == Some(writer),
            Reason::Comments => self.new_comments == 1,
            Reason::Readbacks | Reason::Questions => false,
            _ => self.update.author.name == writer,
        }
    }

    /// Returns whether the preview is shown in full, because it says what the viewer must do.
    pub fn shows_whole_preview(&self) -> bool {
        self.why == Reason::Corrected
    }

    /// Returns what ends a snooze without an end time.
    pub fn snooze_event(&self) -> &'static str {
        if self.is_waiting() {
            "Until someone answers"
        } else {
            "Until there’s news"
        }
    }

    /// Returns the name of the person whose action caused the entry, or `Somebody`.
    pub fn actor(&self) -> &str {
        self.by.as_deref().unwrap_or("Somebody")
    }

    /// Returns whether to show the name of the update's author. Returns `false` if the author is `me` or if the
    /// sentence about the entry already starts with the author's name.
    pub fn names_author(&self, me: &str) -> bool {
        let begins = matches!(
            self.why,
            Reason::Mention | Reason::Answer | Reason::Declined | Reason::Sent
        ) || (self.why == Reason::Comments && self.new_comments == 1);
        self.update.author.id != me
            && !(begins
                && (self.why == Reason::Sent || self.by.as_ref() == Some(&self.update.author.name)))
    }

    /// Returns the number of new comments, not counting the mention and the answer that the entry already names as
    /// reasons.
    pub fn further_comments(&self) -> i64 {
        let named = |reason: Reason| i64::from(self.why == reason || self.also.contains(&reason));
        self.new_comments - named(Reason::Mention) - named(Reason::Answer)
    }

    /// Returns the number of recipients whose answers are overdue and whose names are not in `missing`.
    pub fn further_missing(&self) -> i64 {
        self.missing_count - i64::try_from(self.missing.len()).unwrap_or_default()
    }

    /// Returns whether the viewer is a recipient who must answer the update.
    pub fn asks_for_answer(&self) -> bool {
        matches!(
            self.why,
            Reason::Acknowledge | Reason::Readback | Reason::Changed | Reason::Corrected
        ) && self.id.starts_with('b')
    }

    /// Returns whether recipients owe the viewer an answer.
    pub fn is_waiting(&self) -> bool {
        self.why == Reason::Waiting
    }

    /// Returns whether the viewer has readbacks to review.
    pub fn has_readbacks(&self) -> bool {
        self.why == Reason::Readbacks
    }

    /// Returns whether the viewer can answer by pressing a button, without entering text.
    pub fn is_one_press_answer(&self) -> bool {
        self.asks_for_answer() && self.update.expectation == Expectation::Acknowledge
    }
}

/// A snoozed entry.
#[derive(Clone, Debug, Serialize)]
pub struct SnoozedView {
    /// Id of the entry.
    pub id: String,
    /// The update that the entry is about.
    pub update: RowView,
    /// End of the snooze. If null, the entry is snoozed until someone answers.
    pub until: Option<String>,
}

impl SnoozedView {
    /// Returns whether recipients owe the viewer an answer.
    pub fn is_waiting(&self) -> bool {
        self.id.starts_with('t')
    }
}

/// The viewer's inbox.
#[derive(Clone, Debug, Serialize)]
pub struct InboxView {
    /// Entries about what the viewer owes: answers, verdicts on readbacks, and replies to questions. Entries with a
    /// reminder come first, then the others, both sorted by due time.
    pub owed_by_me: Vec<EntryView>,
    /// Entries about answers that others owe the viewer.
    pub owed_to_me: Vec<EntryView>,
    /// Entries about what is new for the viewer.
    pub said_to_me: Vec<EntryView>,
    /// Entries that the viewer snoozed.
    pub snoozed: Vec<SnoozedView>,
    /// Number of entries in each section.
    pub counts: InboxCountsView,
}

/// Number of entries in each section of the inbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct InboxCountsView {
    /// Number of entries about answers, verdicts and replies that the viewer owes.
    pub owed_by_me: i64,
    /// Number of entries about answers that others owe the viewer.
    pub owed_to_me: i64,
    /// Number of entries about what is new for the viewer.
    pub said_to_me: i64,
}
