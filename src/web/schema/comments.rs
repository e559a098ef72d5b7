//! The conversation: comments, where they point, and what is in them.

use serde::Serialize;

use super::MediaView;
use crate::share_message;

/// Who wrote a comment.
#[derive(Clone, Debug, Serialize)]
pub struct AuthorView {
    /// The id; empty for someone who is no longer known.
    pub id: String,
    /// The name they go by.
    pub name: String,
    /// Known only through a share link.
    pub guest: bool,
    /// The name of the share link a guest came through; for members only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// An emoji with how many gave it.
#[derive(Clone, Debug, Serialize)]
pub struct ReactionView {
    /// The emoji itself.
    pub emoji: String,
    /// By how many.
    pub count: i64,
    /// Whether it is also mine.
    pub mine: bool,
    /// Who gave it, for the hover text; empty for guests.
    #[serde(skip)]
    pub names: String,
}

/// A part of a picture; a point has no width and height.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RegionView {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
    /// Width; 0 for a point.
    pub w: f64,
    /// Height; 0 for a point.
    pub h: f64,
}

/// Where a comment points.
#[derive(Clone, Debug, Serialize)]
pub struct AnchorView {
    /// The moment of a video.
    pub at_ms: Option<i64>,
    /// The end of a range.
    pub until_ms: Option<i64>,
    /// The spot of a picture.
    pub region: Option<RegionView>,
    /// Markup shapes.
    pub drawing: Option<serde_json::Value>,
}

impl AnchorView {
    /// `0:42` for the chip; empty for a picture.
    pub fn position(&self) -> String {
        self.at_ms
            .map(share_message::format_position)
            .unwrap_or_default()
    }
}

/// A remark, with its replies.
#[derive(Clone, Debug, Serialize)]
pub struct CommentView {
    /// The id.
    pub id: String,
    /// The update it belongs to.
    pub update_id: String,
    /// The comment it answers.
    pub parent_id: Option<String>,
    /// The media it points into.
    pub media_id: Option<String>,
    /// `comment` or `question`.
    pub kind: String,
    /// Of a question `open`, `answered` or `accepted`; of any thread `resolved`; or nothing.
    pub state: Option<String>,
    /// Whether it is the answer that was accepted.
    pub accepted: bool,
    /// Who wrote it.
    pub author: AuthorView,
    /// Markdown; empty once removed.
    pub body: String,
    /// The same as safe HTML.
    pub body_html: String,
    /// Where it points.
    pub anchor: Option<AnchorView>,
    /// The revision of the update it was written on.
    pub revision: i64,
    /// When it was written.
    pub created_at: String,
    /// When it was last changed.
    pub edited_at: Option<String>,
    /// Removed, but with replies.
    pub removed: bool,
    /// Written by who asks.
    #[serde(skip)]
    pub mine: bool,
    /// Came since the last visit of who asks.
    #[serde(skip)]
    pub new: bool,
    /// Who asks asked this question and can say that this answers it.
    #[serde(skip)]
    pub may_accept: bool,
    /// Who asks accepted this answer.
    #[serde(skip)]
    pub may_take_back: bool,
    /// Who asks may resolve the thread it begins.
    #[serde(skip)]
    pub may_resolve: bool,
    /// Earlier wordings, oldest first; the newest ten.
    #[serde(skip)]
    pub versions: Vec<VersionView>,
    /// Which piece of media it points to, counted from 1; 0 for none.
    #[serde(skip)]
    pub media_number: usize,
    /// Its permalink.
    pub url: String,
    /// Pictures pasted into it.
    pub pictures: Vec<MediaView>,
    /// Emojis.
    pub reactions: Vec<ReactionView>,
    /// Replies, oldest first.
    pub replies: Vec<CommentView>,
}

impl CommentView {
    /// Whether it is a question.
    pub fn is_question(&self) -> bool {
        self.kind == "question"
    }

    /// What a reply to the thread answers: where its beginning was removed, the last reply.
    pub fn reply_target(&self) -> &str {
        self.replies
            .last()
            .filter(|_| self.removed)
            .map_or(&self.id, |reply| &reply.id)
    }
}

/// An earlier wording of a comment.
#[derive(Clone, Debug, Serialize)]
pub struct VersionView {
    /// Markdown.
    pub body: String,
    /// The same as safe HTML.
    pub body_html: String,
    /// Until when it said so.
    pub until: String,
}
