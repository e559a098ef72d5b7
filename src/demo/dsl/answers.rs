//! The steps of recipients who open and answer updates, and of authors who give verdicts.

use super::StoryBuilder;
use crate::error::Result;
use crate::receipts::{self, Answer, Verdict};
use crate::updates;

impl StoryBuilder<'_> {
    /// Records that these people opened the update.
    pub(in crate::demo) async fn open(&self, id: &str, names: &[&str]) -> Result<()> {
        for name in names {
            let mut tx = self.state.db.begin().await?;
            receipts::record_opening(&mut tx, &self.state.clock, &self.viewer(name)?, id).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Opens the update as this person and records their answer.
    pub(in crate::demo) async fn answer(&self, name: &str, id: &str, answer: Answer) -> Result<()> {
        self.open(id, &[name]).await?;
        let mut tx = self.state.db.begin().await?;
        let (clock, viewer) = (&self.state.clock, self.viewer(name)?);
        let update = updates::find_locked(&mut tx, &viewer, id).await?;
        receipts::answer(&mut tx, clock, &viewer, &update, &answer, None, None).await?;
        tx.commit().await
    }

    pub(in crate::demo) async fn acknowledge(&self, id: &str, names: &[&str]) -> Result<()> {
        for name in names {
            self.answer(name, id, Answer::Acknowledged).await?;
        }
        Ok(())
    }

    pub(in crate::demo) async fn read_back(&self, name: &str, id: &str, words: &str) -> Result<()> {
        self.answer(name, id, Answer::ReadBack(words.into())).await
    }

    pub(in crate::demo) async fn give_verdict(
        &self,
        by: &str,
        id: &str,
        of: &str,
        verdict: Verdict,
    ) -> Result<()> {
        let mut tx = self.state.db.begin().await?;
        receipts::give_verdict(
            &mut tx,
            &self.state.clock,
            &self.viewer(by)?,
            id,
            &self.person(of)?.id,
            &verdict,
            None,
        )
        .await?;
        tx.commit().await
    }

    /// Shows a recipient's readback, and the author's verdict on it, to every member who can see the
    /// update. `by` is the author and `of` is the recipient.
    pub(in crate::demo) async fn disclose(&self, by: &str, id: &str, of: &str) -> Result<()> {
        let mut tx = self.state.db.begin().await?;
        let (viewer, person) = (self.viewer(by)?, self.person(of)?);
        let clock = &self.state.clock;
        receipts::set_disclosed(&mut tx, clock, &viewer, id, &person.id, true).await?;
        tx.commit().await
    }

    pub(in crate::demo) async fn remind(&self, by: &str, id: &str) -> Result<()> {
        let mut tx = self.state.db.begin().await?;
        receipts::remind(&mut tx, &self.state.clock, &self.viewer(by)?, id).await?;
        tx.commit().await
    }
}
