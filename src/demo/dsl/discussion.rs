//! The steps of people who comment, ask, reply and react.

use super::StoryBuilder;
use crate::clock::Millis;
use crate::comments::{self, Anchor, NewComment, ReactionTarget};
use crate::demo::media as embedded;
use crate::error::{Error, Result};
use crate::markup::Region;
use crate::people::Viewer;
use crate::updates;

/// What a comment points to.
pub(in crate::demo) enum Place<'a> {
    /// The whole update.
    Update,
    /// A moment in a recording: the recording, words of the line that is spoken then, and how many
    /// milliseconds after the start of that line, so that its picture is complete.
    Moment(&'a str, &'a str, Millis),
    /// A region of the first picture: `[x, y, width, height]`, as in [`Region`].
    Region([f64; 4]),
}

impl Place<'_> {
    fn anchor(&self) -> Result<Anchor> {
        Ok(match *self {
            Self::Update => Anchor::default(),
            Self::Moment(recording, words, after) => Anchor {
                at_ms: Some(embedded::moment(recording, words)? + after),
                ..Anchor::default()
            },
            Self::Region([x, y, w, h]) => Anchor {
                region: Some(Region::new(x, y, w, h).map_err(Error::internal)?),
                ..Anchor::default()
            },
        })
    }
}

impl StoryBuilder<'_> {
    /// Adds a comment and returns its id.
    pub(in crate::demo) async fn comment(
        &self,
        by: &str,
        id: &str,
        place: Place<'_>,
        body: &str,
    ) -> Result<String> {
        let new = NewComment {
            body: body.into(),
            ..NewComment::default()
        };
        self.comment_at(by, id, place, new).await
    }

    /// Asks a question and returns its id.
    pub(in crate::demo) async fn question(
        &self,
        by: &str,
        id: &str,
        place: Place<'_>,
        body: &str,
    ) -> Result<String> {
        let new = NewComment {
            body: body.into(),
            is_question: true,
            ..NewComment::default()
        };
        self.comment_at(by, id, place, new).await
    }

    /// Asks a question with a picture and returns its id.
    pub(in crate::demo) async fn question_with_picture(
        &self,
        by: &str,
        id: &str,
        place: Place<'_>,
        body: &str,
        file_name: &str,
    ) -> Result<String> {
        let new = NewComment {
            body: body.into(),
            is_question: true,
            pictures: vec![self.store(file_name).await?],
            ..NewComment::default()
        };
        self.comment_at(by, id, place, new).await
    }

    async fn comment_at(
        &self,
        by: &str,
        id: &str,
        place: Place<'_>,
        new: NewComment,
    ) -> Result<String> {
        let anchor = place.anchor()?;
        self.add_comment(&self.viewer(by)?, id, NewComment { anchor, ..new })
            .await
    }

    pub(in crate::demo) async fn reply(
        &self,
        by: &str,
        id: &str,
        to: &str,
        body: &str,
    ) -> Result<String> {
        let new = NewComment {
            body: body.into(),
            parent_id: Some(to.to_owned()),
            ..NewComment::default()
        };
        self.add_comment(&self.viewer(by)?, id, new).await
    }

    pub(in crate::demo) async fn add_comment(
        &self,
        viewer: &Viewer,
        id: &str,
        new: NewComment,
    ) -> Result<String> {
        let mut tx = self.state.db.begin().await?;
        let update = updates::find(&mut tx, viewer, id).await?;
        let written = comments::add(&mut tx, &self.state.clock, viewer, &update, &new).await?;
        tx.commit().await?;
        Ok(written.id)
    }

    pub(in crate::demo) async fn accept(&self, by: &str, answer: &str) -> Result<()> {
        let mut tx = self.state.db.begin().await?;
        comments::accept(&mut tx, &self.state.clock, &self.viewer(by)?, answer, true).await?;
        tx.commit().await
    }

    /// Adds reactions. Each is the name of a person and an emoji.
    pub(in crate::demo) async fn react(
        &self,
        target: ReactionTarget<'_>,
        given: &[(&str, &str)],
    ) -> Result<()> {
        let mut tx = self.state.db.begin().await?;
        for (name, emoji) in given {
            let viewer = self.viewer(name)?;
            comments::react(&mut tx, &self.state.clock, &viewer, target, emoji, None).await?;
        }
        tx.commit().await
    }
}
