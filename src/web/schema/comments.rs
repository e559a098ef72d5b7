//! Schemas of comments and their anchors.

use serde::Serialize;

use super::MediaView;
use crate::comments::{CommentKind, ThreadState};
use crate::markup::Shape;
use crate::share_message;

/// Author of a comment.
#[derive(Clone, Debug, Serialize)]
pub struct AuthorView {
    /// Id of the person or guest; empty if the author is no longer known.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Whether the author is a guest who used a share link.
    pub guest: bool,
    /// Name of the share link that the guest used; only for members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// A reaction emoji and its count.
#[derive(Clone, Debug, Serialize)]
pub struct ReactionView {
    /// The emoji.
    pub emoji: String,
    /// Number of people who reacted with this emoji.
    pub count: i64,
    /// Whether the viewer reacted with this emoji.
    pub mine: bool,
    /// Names of the people who reacted, for the tooltip; empty for guests.
    #[serde(skip)]
    pub names: String,
}

/// A region of a picture, in coordinates from 0 to 1. The width and height of a point are 0.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RegionView {
    /// Distance from the left edge.
    pub x: f64,
    /// Distance from the top edge.
    pub y: f64,
    /// Width; 0 for a point.
    pub w: f64,
    /// Height; 0 for a point.
    pub h: f64,
}

/// Anchor of a comment.
#[derive(Clone, Debug, Serialize)]
pub struct AnchorView {
    /// Position in a video, or the start of a range, in milliseconds.
    pub at_ms: Option<i64>,
    /// End of a range, in milliseconds.
    pub until_ms: Option<i64>,
    /// Region of a picture or frame.
    pub region: Option<RegionView>,
    /// Markup shapes drawn with the comment.
    pub drawing: Option<Vec<Shape>>,
}

impl AnchorView {
    /// Returns the drawing as JSON, for the scripts of the page.
    pub fn drawing_json(&self) -> Option<String> {
        serde_json::to_string(self.drawing.as_ref()?).ok()
    }

    /// Returns the position as `0:42`; empty for a picture.
    pub fn position(&self) -> String {
        self.at_ms
            .map(share_message::format_position)
            .unwrap_or_default()
    }
}

/// A comment with its replies.
#[derive(Clone, Debug, Serialize)]
pub struct CommentView {
    /// Id of the comment.
    pub id: String,
    /// Id of the update that the comment belongs to.
    pub update_id: String,
    /// Id of the comment that this one replies to.
    pub parent_id: Option<String>,
    /// Id of the media that the anchor refers to.
    pub media_id: Option<String>,
    /// Whether the comment is a remark or a question.
    pub kind: CommentKind,
    /// State of the thread that the comment starts.
    pub state: Option<ThreadState>,
    /// Whether this comment is the accepted answer to a question.
    pub accepted: bool,
    /// Author of the comment.
    pub author: AuthorView,
    /// Body in Markdown; empty if the comment was removed.
    pub body: String,
    /// Body as sanitized HTML.
    pub body_html: String,
    /// Anchor, if there is one.
    pub anchor: Option<AnchorView>,
    /// Revision of the update when the comment was written.
    pub revision: i64,
    /// When the comment was written.
    pub created_at: String,
    /// When the comment was written, in milliseconds.
    #[serde(skip)]
    pub created_ms: i64,
    /// When the comment was last edited.
    pub edited_at: Option<String>,
    /// Whether the comment was removed. A removed comment is still shown if it has replies.
    pub removed: bool,
    /// Whether the viewer wrote the comment.
    #[serde(skip)]
    pub mine: bool,
    /// Whether the comment is new since the viewer's last visit.
    #[serde(skip)]
    pub new: bool,
    /// Whether the comment is an answer that the viewer may accept, because the viewer asked the question.
    #[serde(skip)]
    pub may_accept: bool,
    /// Whether the viewer accepted this answer and may withdraw the acceptance.
    #[serde(skip)]
    pub may_take_back: bool,
    /// Whether the viewer may resolve the thread that this comment starts.
    #[serde(skip)]
    pub may_resolve: bool,
    /// Earlier versions of the comment: the ten newest ones, sorted from oldest to newest.
    #[serde(skip)]
    pub versions: Vec<VersionView>,
    /// Position of the comment's media in the update, counted from 1; 0 if the comment refers to no media.
    #[serde(skip)]
    pub media_number: usize,
    /// Number of earlier replies that are not among `replies`.
    #[serde(skip)]
    pub hidden_replies: usize,
    /// Permalink of the comment.
    pub url: String,
    /// Pictures attached to the comment.
    pub pictures: Vec<MediaView>,
    /// Reactions to the comment.
    pub reactions: Vec<ReactionView>,
    /// Replies, oldest first.
    pub replies: Vec<CommentView>,
}

impl CommentView {
    /// Returns whether the comment is a question.
    pub fn is_question(&self) -> bool {
        self.kind == CommentKind::Question
    }

    /// Returns whether the comment is a question that nobody has answered.
    pub fn is_open_question(&self) -> bool {
        self.is_question() && self.state == Some(ThreadState::Open)
    }

    /// Returns whether the thread that the comment starts is resolved.
    pub fn is_resolved(&self) -> bool {
        self.state == Some(ThreadState::Resolved)
    }

    /// Returns the id of the comment that a new reply refers to: this comment, or its last reply if this comment
    /// was removed.
    pub fn reply_target(&self) -> &str {
        self.replies
            .last()
            .filter(|_| self.removed)
            .map_or(&self.id, |reply| &reply.id)
    }
}

/// An earlier version of a comment.
#[derive(Clone, Debug, Serialize)]
pub struct VersionView {
    /// Body in Markdown.
    pub body: String,
    /// Body as sanitized HTML.
    pub body_html: String,
    /// When this version was replaced.
    pub until: String,
}
