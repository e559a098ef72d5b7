//! Context of the template with the threads of an update. It is a part of the update's page. Scripts also load it alone,
//! to show earlier threads or the thread that changed.

use std::collections::BTreeMap;

use askama::Template;
use serde::Serialize;

use super::Form;
use crate::comments::CommentKind;
use crate::web::filters;
use crate::web::schema::CommentView;

/// The list of threads, or some of them.
#[derive(Template)]
#[template(path = "updates/_threads.html")]
pub struct ThreadsPart {
    /// Id of the update.
    pub update: String,
    /// IANA time zone for times.
    pub zone: String,
    /// Number of recordings and pictures of the update.
    pub media: usize,
    /// The path for links to the page itself; empty if the links are relative.
    pub path: String,
    /// One page of threads, in the order of their creation.
    pub comments: Vec<CommentView>,
    /// Address of the page with earlier threads; empty if there are none.
    pub earlier: String,
    /// Address of the page with later threads; empty if there are none.
    pub later: String,
    /// Whether the viewer may comment and react.
    pub may_answer: bool,
    /// Whether the viewer is a guest.
    pub guest: bool,
    /// Whether the viewer is a guest who has not given a name yet.
    pub needs_name: bool,
    /// What the address asks to show open, for browsers without scripts.
    pub asked: Asked,
    /// Values and errors of a refused reply. Empty if a comment was refused.
    pub form: Form,
    /// The viewer's unsent replies. The keys are the ids of the threads.
    pub drafts: BTreeMap<String, String>,
    /// The numbers of comments and open questions, if scripts load the threads without the rest of
    /// the page.
    pub counts: Option<(i64, i64)>,
}

impl ThreadsPart {
    /// Returns whether the reply form of the thread is open: the address asks for it, a reply was refused, or there is
    /// an unsent reply.
    pub fn is_replying(&self, thread: &CommentView) -> bool {
        self.asked.reply == thread.id
            || self.is_refused(thread)
            || self
                .drafts
                .get(&thread.id)
                .is_some_and(|text| !text.is_empty())
    }

    /// Returns the text of the reply form: the text of a refused reply, or else the unsent text.
    pub fn reply_text(&self, thread: &CommentView) -> &str {
        if self.is_refused(thread) {
            return self.form.value("body");
        }
        self.drafts.get(&thread.id).map_or("", String::as_str)
    }

    /// Returns the error of a refused reply to the thread; empty if there is none.
    pub fn reply_error(&self, thread: &CommentView) -> String {
        if !self.is_refused(thread) {
            return String::new();
        }
        let problem = self.form.problem.as_ref();
        problem
            .or_else(|| self.form.errors.values().next())
            .cloned()
            .unwrap_or_default()
    }

    /// Returns whether the comment with this id is among the shown threads.
    pub fn shows(&self, id: &str) -> bool {
        self.comments.iter().any(|thread| contains(thread, id))
    }

    /// Returns whether the address asks to open a form or a menu in the thread.
    pub fn is_asked(&self, thread: &CommentView) -> bool {
        let Asked {
            reply,
            edit,
            react,
            more,
        } = &self.asked;
        [reply, edit, react, more]
            .iter()
            .any(|id| !id.is_empty() && contains(thread, id))
    }

    fn is_refused(&self, thread: &CommentView) -> bool {
        contains(thread, self.form.value("parent_id"))
    }
}

fn contains(thread: &CommentView, id: &str) -> bool {
    thread.id == id || thread.replies.iter().any(|reply| reply.id == id)
}

/// What the address of an update's page asks to show open. Each field is the id of a comment (`react` may be the id of
/// the update), or empty. Pages with scripts do not need these addresses.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The reply form of this thread.
    pub reply: String,
    /// The form that edits this comment.
    pub edit: String,
    /// The menu of reactions.
    pub react: String,
    /// The menu of the viewer's own comment.
    pub more: String,
}

/// The mark of a comment that is not on the page.
#[derive(Clone, Debug, Serialize)]
pub struct MarkView {
    /// Id of the comment.
    pub id: String,
    /// Id of the media.
    pub media: String,
    /// Position in the video, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
    /// End of the time range, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
    /// Left edge, top edge, width and height of the region, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<[f64; 4]>,
    /// Whether the comment has a drawing. Scripts load the thread to show it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub drawn: bool,
    /// Whether the comment is a remark or a question.
    pub kind: CommentKind,
    /// Name of the writer.
    pub author: String,
    /// The first words of the text.
    pub text: String,
    /// When the comment was written.
    pub created: String,
}
