//! The expectation, the visibility and the state of an update, and the kinds of media that it can contain.

use crate::clock::Millis;
use crate::infra::db::text_enum;

text_enum! {
    /// What an update expects of its recipients.
    pub enum Expectation {
        /// Nothing.
        Fyi = "fyi",
        /// An acknowledgement.
        Acknowledge = "acknowledge",
        /// A readback: the content in the recipient's own words.
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

    /// Whether recipients are asked to read it back.
    pub fn asks_for_readback(self) -> bool {
        self == Self::Readback
    }
}

text_enum! {
    /// Who may open a published update.
    pub enum Visibility {
        /// The people and groups it is addressed to.
        Audience = "audience",
        /// Every member of the workspace.
        Workspace = "workspace",
    }
}

text_enum! {
    /// The state of an update, derived from its times.
    pub enum UpdateState {
        /// Not published; visible to its author only.
        Draft = "draft",
        /// Published.
        Published = "published",
        /// In the trash.
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
    /// Returns the state that follows from the two times.
    pub fn at(published_at: Option<Millis>, trashed_at: Option<Millis>) -> Self {
        match (published_at, trashed_at) {
            (_, Some(_)) => Self::Trashed,
            (Some(_), None) => Self::Published,
            (None, None) => Self::Draft,
        }
    }

    /// Whether it is a draft.
    pub fn is_draft(self) -> bool {
        self == Self::Draft
    }

    /// Whether it is published.
    pub fn is_published(self) -> bool {
        self == Self::Published
    }

    /// Whether it is in the trash.
    pub fn is_trashed(self) -> bool {
        self == Self::Trashed
    }
}
