//! Schema of a row in a list of updates, with the places where a search text was found.

use serde::Serialize;

use super::PersonView;
use super::receipts::differs;
use super::updates::{CountsView, DueView};
use crate::infra::db::text_enum;
use crate::media::MediaKind;
use crate::share_message;
use crate::updates::{Expectation, UpdateState};

/// An update as a row of a list.
#[derive(Clone, Debug, Serialize)]
pub struct RowView {
    /// Id of the update.
    pub id: String,
    /// Address of the update's page.
    pub url: String,
    /// State of the update.
    pub state: UpdateState,
    /// Title; may be empty in a draft.
    pub title: String,
    /// Author of the update.
    pub author: PersonView,
    /// What the update expects of its recipients.
    pub expectation: Expectation,
    /// Due time.
    pub due: Option<DueView>,
    /// Earliest due time among the recipients who owe an answer; only for the author.
    #[serde(skip)]
    pub next_due: Option<String>,
    /// Time zone of the recipients whose answer is due first, if they share one. Only the overview of the viewer's own
    /// updates has it.
    #[serde(skip)]
    pub next_due_zone: Option<String>,
    /// Whether the earliest due time has passed.
    #[serde(skip)]
    pub overdue: bool,
    /// When the draft was created.
    pub created_at: String,
    /// When the update was published.
    pub published_at: Option<String>,
    /// When the update was moved to the trash.
    pub trashed_at: Option<String>,
    /// Kind of the update's first media.
    pub kind: Option<MediaKind>,
    /// Signed address of a thumbnail.
    pub thumbnail: Option<String>,
    /// Duration of the update's first video, in milliseconds.
    pub duration_ms: Option<i64>,
    /// Counts of recipients, answers and comments.
    pub counts: CountsView,
    /// Places where the search text was found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<FoundView>,
}

impl RowView {
    /// Returns the title, or "Untitled".
    pub fn heading(&self) -> &str {
        if self.title.is_empty() {
            "Untitled"
        } else {
            &self.title
        }
    }

    /// Returns the time zone of the recipients whose answer is due first, if their clock differs from the viewer's.
    pub fn other_clock(&self, zone: &str, now: &i64) -> Option<&str> {
        self.next_due_zone
            .as_deref()
            .filter(|theirs| differs(theirs, zone, now))
    }

    /// Returns whether the update's first media is a video.
    pub fn begins_with_video(&self) -> bool {
        self.kind == Some(MediaKind::Video)
    }

    /// Returns whether the update's first media is a picture.
    pub fn begins_with_picture(&self) -> bool {
        self.kind == Some(MediaKind::Image)
    }

    /// Returns the duration as `3:12`; empty for pictures.
    pub fn length(&self) -> String {
        self.duration_ms
            .map(share_message::format_length)
            .unwrap_or_default()
    }
}

text_enum! {
    /// Kind of text that matched a search.
    pub enum HitKind {
        /// The title.
        Title = "title",
        /// The notes.
        Notes = "notes",
        /// A comment.
        Comment = "comment",
        /// Text drawn over a picture.
        Markup = "markup",
    }
}

/// A place where the search text was found.
#[derive(Clone, Debug, Serialize)]
pub struct FoundView {
    /// Kind of text that matched.
    pub kind: HitKind,
    /// Text around the match.
    pub text: String,
    /// For a comment about a moment of a video: that moment, in milliseconds.
    pub at_ms: Option<i64>,
    /// Address of the place where the text was found.
    pub url: String,
}

impl FoundView {
    /// Returns whether the title matched.
    pub fn is_in_title(&self) -> bool {
        self.kind == HitKind::Title
    }
}
