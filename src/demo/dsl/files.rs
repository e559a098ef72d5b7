//! The steps that store the demo's recordings and pictures, and the marks over the pictures.

use bytes::Bytes;
use futures_util::stream;
use serde_json::Value;

use super::StoryBuilder;
use crate::demo::media as embedded;
use crate::error::{Error, Result};
use crate::markup::{self, MarkupInput, PutOutcome};
use crate::media::{self, StoredFile};

/// A file for an update. `marks` are the shapes over a picture, as in the API, or null.
pub(in crate::demo) struct StoryFile {
    stored: StoredFile,
    marks: Value,
}

impl StoryBuilder<'_> {
    /// Stores a recording of the demo.
    pub(in crate::demo) async fn recording(&self, name: &str) -> Result<StoryFile> {
        let stored = self.store(&format!("{name}.mp4")).await?;
        let marks = Value::Null;
        Ok(StoryFile { stored, marks })
    }

    /// Stores a picture of the demo that an update shows with marks. `marks` is null for none.
    pub(in crate::demo) async fn picture(&self, name: &str, marks: Value) -> Result<StoryFile> {
        let stored = self.store(&format!("{name}.png")).await?;
        Ok(StoryFile { stored, marks })
    }

    pub(super) async fn store(&self, file_name: &str) -> Result<StoredFile> {
        let body = Bytes::from_static(embedded::content(file_name)?);
        let uploads = &self.state.uploads;
        uploads
            .store_file(file_name, false, stream::iter([Ok(body)]))
            .await
    }

    /// Adds a file to a draft, and then its marks.
    pub(super) async fn attach(&self, by: &str, update_id: &str, file: StoryFile) -> Result<()> {
        let mut tx = self.state.db.begin().await?;
        let media_id =
            media::add(&mut tx, &self.state.clock, update_id, None, &file.stored).await?;
        tx.commit().await?;
        if file.marks.is_null() {
            return Ok(());
        }
        let ctx = &self.state.uploads.media;
        let input = MarkupInput::parse(&file.marks, &Value::Null, &ctx.font)
            .map_err(|errors| Error::internal(format!("invalid marks: {errors:?}")))?;
        let mut tx = self.state.db.begin().await?;
        let (clock, viewer) = (&self.state.clock, self.viewer(by)?);
        let saved = markup::put(&mut tx, clock, &viewer, &media_id, (0, &input), None).await?;
        tx.commit().await?;
        if saved == PutOutcome::Hidden {
            markup::finish_redaction(ctx, &media_id).await?;
        }
        Ok(())
    }
}
