//! The shapes of the inbox.

use serde::Serialize;

use super::RowView;

/// Something that waits in the inbox.
#[derive(Clone, Debug, Serialize)]
pub struct EntryView {
    /// The entry's id: a letter for the section, then the update's id.
    pub id: String,
    /// Owed by me: `acknowledge`, `readback`, `changed`, `corrected`, and as an author `readbacks` or `questions`. Said to me: `sent`,
    /// `comments`, `mention`, `answer`, `declined`, `confirmed`, `corrected`, `joined`, `all_heard`. Owed to me: `waiting`.
    pub why: String,
    /// What it is about.
    pub update: RowView,
    /// By when: for me, or the next of those who owe me.
    pub due: Option<String>,
    /// Whether that has passed.
    pub overdue: bool,
    /// Whether I opened it.
    pub opened: bool,
    /// When its author last reminded me.
    pub reminded_at: Option<String>,
    /// How many comments are new.
    pub new_comments: i64,
    /// How many people joined a group it was sent to, and may open it since then.
    pub joined: i64,
    /// The name of who did what is said to me.
    pub by: Option<String>,
    /// When it came to be.
    pub at: String,
}

impl EntryView {
    /// Who did it, for the beginning of a sentence.
    pub fn actor(&self) -> &str {
        self.by.as_deref().unwrap_or("Somebody")
    }

    /// Whether the name of the update's author says something to `me`: it is another's, and the words beside it do not begin with it.
    pub fn names_author(&self, me: &str) -> bool {
        let begins = matches!(self.why.as_str(), "mention" | "answer" | "declined")
            || (self.why == "comments" && self.new_comments == 1);
        self.update.author.id != me
            && !(begins && self.by.as_ref() == Some(&self.update.author.name))
    }

    /// Whether an answer of mine as a recipient is asked for.
    pub fn asks_for_answer(&self) -> bool {
        matches!(
            self.why.as_str(),
            "acknowledge" | "readback" | "changed" | "corrected"
        ) && self.id.starts_with('b')
    }

    /// Whether one press is the whole answer.
    pub fn is_one_press_answer(&self) -> bool {
        self.asks_for_answer() && self.update.expectation == "acknowledge"
    }
}

/// A row that was put off.
#[derive(Clone, Debug, Serialize)]
pub struct SnoozedView {
    /// The entry's id.
    pub id: String,
    /// What it is about.
    pub update: RowView,
    /// Until when; null for until somebody has answered.
    pub until: Option<String>,
}

/// Everything that waits for me.
#[derive(Clone, Debug, Serialize)]
pub struct InboxView {
    /// What I owe, by due time.
    pub owed_by_me: Vec<EntryView>,
    /// What others owe me.
    pub owed_to_me: Vec<EntryView>,
    /// What was said to me.
    pub said_to_me: Vec<EntryView>,
    /// What I put off.
    pub snoozed: Vec<SnoozedView>,
    /// How many of each section.
    pub counts: InboxCountsView,
}

/// How much waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct InboxCountsView {
    /// What I owe.
    pub owed_by_me: i64,
    /// What others owe me.
    pub owed_to_me: i64,
    /// What was said to me.
    pub said_to_me: i64,
}
