//! Schema of an update with its audience, due time and counts.

use serde::Serialize;

use super::PersonView;
use super::comments::ReactionView;
use super::media::MediaView;
use super::receipts::ReceiptView;
use crate::updates::{DEFAULT_PROMPT, Expectation, UpdateState, Visibility};

/// A complete update.
#[derive(Clone, Debug, Serialize)]
pub struct UpdateView {
    /// Id of the update.
    pub id: String,
    /// Address of the update's page.
    pub url: String,
    /// State of the update.
    pub state: UpdateState,
    /// Title; may be empty in a draft.
    pub title: String,
    /// Notes in Markdown.
    pub notes: String,
    /// Notes as sanitized HTML.
    pub notes_html: String,
    /// Author of the update.
    pub author: PersonView,
    /// Revision of the content.
    pub revision: i64,
    /// Increases with each edit. A client sends this number with its own edit. If the update has
    /// been edited in the meantime, the server rejects the edit with 409.
    pub version: i64,
    /// What the last material edit changed, in the author's words.
    pub what_changed: Option<String>,
    /// Who may open the update.
    pub visibility: Visibility,
    /// What the update expects of its recipients.
    pub expectation: Expectation,
    /// Due time.
    pub due: Option<DueView>,
    /// What the author will do if there is no answer by the due time.
    pub otherwise: Option<String>,
    /// Readback prompt; null means the default prompt.
    pub prompt: Option<String>,
    /// Message with a link to the update, for the author to send; only for the author of a published update.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When the draft was created.
    pub created_at: String,
    /// When the update was published.
    pub published_at: Option<String>,
    /// When the update was last edited after publication.
    pub edited_at: Option<String>,
    /// When the update was moved to the trash.
    pub trashed_at: Option<String>,
    /// Audience; empty for guests.
    pub audience: AudienceView,
    /// Whether people who later join a group in the audience may open the update.
    pub later_members: bool,
    /// Media of the update, in the author's order.
    pub media: Vec<MediaView>,
    /// Counts of recipients, answers and comments.
    pub counts: CountsView,
    /// Reactions to the update.
    pub reactions: Vec<ReactionView>,
    /// The viewer's receipt, if the viewer is a recipient.
    pub my_receipt: Option<ReceiptView>,
}

impl UpdateView {
    /// Returns the readback prompt of the update or, if it has none, the default prompt.
    pub fn readback_prompt(&self) -> &str {
        self.prompt.as_deref().unwrap_or(DEFAULT_PROMPT)
    }

    /// Returns the title, or "Untitled".
    pub fn heading(&self) -> &str {
        if self.title.is_empty() {
            "Untitled"
        } else {
            &self.title
        }
    }
}

/// Counts of an update. If the viewer may not see that a readback was corrected, the readback counts as not corrected.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CountsView {
    /// Number of recipients.
    pub recipients: i64,
    /// Number of recipients in `acknowledged` who opened the current revision. The arc of the logo shows this number.
    pub heard: i64,
    /// Number of recipients who opened the update; only for the author.
    pub opened: Option<i64>,
    /// Number of recipients whose acknowledgement or readback of the current content stands.
    pub acknowledged: i64,
    /// Number of recipients in `acknowledged` who have not opened the current revision; only for the
    /// author.
    pub answered_unopened: Option<i64>,
    /// Number of recipients who object to the current content.
    pub objections: i64,
    /// Number of recipients who still owe an answer.
    pub owing: i64,
    /// Number of readbacks without a verdict; only for the author.
    pub unheard: Option<i64>,
    /// Number of comments and replies, without removed ones.
    pub comments: i64,
    /// Number of questions without an answer.
    pub open_questions: i64,
}

impl CountsView {
    /// Returns the number of readbacks that are waiting for the viewer's verdict.
    pub fn readbacks_to_review(&self) -> i64 {
        self.unheard.unwrap_or_default()
    }

    /// Returns the number of recipients whose answer to the current content stands.
    pub fn answered(&self) -> i64 {
        self.acknowledged + self.objections
    }
}

/// Audience of an update.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AudienceView {
    /// People whom the author named.
    pub people: Vec<PersonView>,
    /// Groups that the author named.
    pub groups: Vec<PersonView>,
    /// Whether the update is for everyone with an account.
    pub everyone: bool,
}

/// A due time.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum DueView {
    /// A fixed time, RFC 3339.
    At(String),
    /// A number of working days, counted separately for each recipient.
    Within {
        /// The number of days, at least 1.
        working_days: i64,
    },
}
