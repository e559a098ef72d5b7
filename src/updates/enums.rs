//! The expectation, the visibility and the state of an update, and the kinds of media that it can contain.

use crate::clock::Millis;
use crate::infra::db::text_enum;

text_enum! {
    /// What an update expects of its recipients.
    pub enum Expectation {
        /// The update expects no answer.
        Fyi = "fyi",
        /// The update expects an acknowledgement.
        Acknowledge = "acknowledge",
        /// The update expects a readback: its content in the recipient's own words.
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

    /// Whether recipients owe a readback.
    pub fn asks_for_readback(self) -> bool {
        self == Self::Readback
    }
}

text_enum! {
    /// Who may open a published update.
    pub enum Visibility {
        /// The people and groups in the audience may open the update.
        Audience = "audience",
        /// Every member of the workspace may open the update.
        Workspace = "workspace",
    }
}

text_enum! {
    /// The state of an update.
    pub enum UpdateState {
        /// The update is not published; only its author can see it.
        Draft = "draft",
        /// The update is published and can be seen by its audience.
        Published = "published",
        /// The update is in the trash.
        Trashed = "trashed",
    }
}

text_enum! {
    /// Kind of media.
    pub enum MediaKind {
        /// A recording.
        Video = "video",
        /// A picture.
        Image = "image",
    }
}

impl UpdateState {
    /// Derives the state from the times when the update was published and moved to the trash.
    pub fn at(published_at: Option<Millis>, trashed_at: Option<Millis>) -> Self {
        match (published_at, trashed_at) {
            (_, Some(_)) => Self::Trashed,
            (Some(_), None) => Self::Published,
            (None, None) => Self::Draft,
        }
    }

    /// Whether the update is a draft.
    pub fn is_draft(self) -> bool {
        self == Self::Draft
    }

    /// Whether the update is published.
    pub fn is_published(self) -> bool {
        self == Self::Published
    }

    /// Whether the update is in the trash.
    pub fn is_trashed(self) -> bool {
        self == Self::Trashed
    }
}
