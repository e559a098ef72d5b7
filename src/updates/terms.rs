//! What an update asks, who may open it, and its state.

use crate::clock::Millis;
use crate::infra::db::text_enum;

text_enum! {
    /// What an update asks of its recipients.
    pub enum Expectation {
        /// Nothing.
        Fyi = "fyi",
        /// One press.
        Acknowledge = "acknowledge",
        /// To say it back in their own words.
        Readback = "readback",
    }
}

impl Expectation {
    /// Whether recipients owe an answer.
    pub fn asks_for_answer(self) -> bool {
        match self {
            Self::Fyi => false,
            Self::Acknowledge | Self::Readback => true,
        }
    }
}

text_enum! {
    /// Who may open a published update.
    pub enum Visibility {
        /// Its audience.
        Audience = "audience",
        /// Every member of the workspace.
        Workspace = "workspace",
    }
}

text_enum! {
    /// The state of an update, which follows from its times.
    pub enum UpdateState {
        /// Only its author sees it.
        Draft = "draft",
        /// It was sent.
        Published = "published",
        /// It is in the trash.
        Trashed = "trashed",
    }
}

impl UpdateState {
    /// The state that the two times give.
    pub fn at(published_at: Option<Millis>, trashed_at: Option<Millis>) -> Self {
        match (published_at, trashed_at) {
            (_, Some(_)) => Self::Trashed,
            (Some(_), None) => Self::Published,
            (None, None) => Self::Draft,
        }
    }
}
