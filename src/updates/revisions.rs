//! Revisions of an update. Each material edit creates a new revision and keeps the content of the
//! earlier one.

use serde::{Deserialize, Serialize};
use sqlx::{AnyConnection, FromRow};

use super::{Update, must_be_author};
use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::infra::db::Tx;
use crate::people::Viewer;

/// Maximum number of revisions of one update.
const MAX_REVISIONS: i64 = 200;

/// One revision, with the content that recipients could see.
#[derive(Clone, Debug, FromRow)]
pub struct Revision {
    /// Number of the revision, counted from 1.
    pub revision: i64,
    /// Title.
    pub title: String,
    /// Text in Markdown.
    pub notes: String,
    /// The author's description of what changed.
    pub what_changed: Option<String>,
    /// Files of the revision in order, as a JSON array of [`RevisionFile`].
    pub media: String,
    /// When the revision began.
    pub begun_at: Millis,
}

/// A recording or picture that belongs to a revision.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct RevisionFile {
    /// Id of the media. The media may no longer exist.
    pub id: String,
    /// File name in this revision.
    pub name: String,
    /// Start and end of the trimmed recording, in milliseconds from the start of the untrimmed recording. `None` if the
    /// recording was not trimmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trim: Option<(Millis, Millis)>,
}

impl Revision {
    /// Returns the recordings and pictures of the revision. The list is empty for the revision of an update that was
    /// published before Hearback stored revisions.
    pub fn files(&self) -> Vec<RevisionFile> {
        serde_json::from_str(&self.media).unwrap_or_default()
    }
}

pub(super) async fn current_files(
    connection: &mut AnyConnection,
    update_id: &str,
) -> Result<Vec<RevisionFile>> {
    let files: Vec<(String, String, Option<Millis>, Option<Millis>)> = sqlx::query_as(
        "SELECT id, file_name, trim_from_ms, trim_to_ms FROM media WHERE update_id = $1 AND comment_id IS NULL
         AND removed_at IS NULL ORDER BY position, id",
    )
    .bind(update_id)
    .fetch_all(connection)
    .await?;
    Ok(files
        .into_iter()
        .map(|(id, name, from, to)| RevisionFile {
            id,
            name,
            trim: from.zip(to),
        })
        .collect())
}

/// Stores the current content of an update as its newest revision.
pub(super) async fn record_revision(tx: &mut Tx, clock: &Clock, update: &Update) -> Result<()> {
    let media =
        serde_json::to_string(&current_files(tx, &update.id).await?).map_err(Error::internal)?;
    sqlx::query(
        "INSERT INTO revisions (update_id, revision, title, notes, what_changed, media, begun_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (update_id, revision) DO UPDATE
         SET title = excluded.title, notes = excluded.notes, media = excluded.media",
    )
    .bind(&update.id)
    .bind(update.revision)
    .bind(&update.title)
    .bind(&update.notes)
    .bind(&update.what_changed)
    .bind(media)
    .bind(clock.now())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Ends the current revision and begins the next one. Stores the final title and notes of the revision that ends,
/// because cosmetic edits may have changed them. Returns [`Error::Conflict`] if the update already has 200 revisions.
pub(super) async fn supersede(tx: &mut Tx, clock: &Clock, before: &Update) -> Result<()> {
    if before.revision >= MAX_REVISIONS {
        return Err(Error::Conflict(format!(
            "This update already has {MAX_REVISIONS} revisions, which is the maximum. Create another update."
        )));
    }
    sqlx::query(
        "UPDATE revisions SET title = $1, notes = $2 WHERE update_id = $3 AND revision = $4",
    )
    .bind(&before.title)
    .bind(&before.notes)
    .bind(&before.id)
    .bind(before.revision)
    .execute(&mut **tx)
    .await?;
    let after = super::find_as_author(tx, &before.id).await?;
    record_revision(tx, clock, &after).await
}

/// Lists all revisions of an update, newest first. Only the author may read them.
pub async fn revisions_for_author(
    connection: &mut AnyConnection,
    viewer: &Viewer,
    update: &Update,
) -> Result<Vec<Revision>> {
    must_be_author(viewer, update)?;
    revisions(connection, &update.id).await
}

/// Lists all revisions of an update, newest first.
pub(super) async fn revisions(
    connection: &mut AnyConnection,
    update_id: &str,
) -> Result<Vec<Revision>> {
    Ok(sqlx::query_as(
        "SELECT revision, title, notes, what_changed, media, begun_at FROM revisions WHERE update_id = $1
         ORDER BY revision DESC",
    )
    .bind(update_id)
    .fetch_all(connection)
    .await?)
}

/// Returns one revision, or [`Error::NotFound`].
pub async fn revision(
    connection: &mut AnyConnection,
    update_id: &str,
    revision: i64,
) -> Result<Revision> {
    let found = revisions(connection, update_id)
        .await?
        .into_iter()
        .find(|one| one.revision == revision);
    found.ok_or(Error::NotFound)
}

/// Whether any stored revision of an update contains the media.
pub async fn is_in_a_revision(
    connection: &mut AnyConnection,
    update_id: &str,
    media_id: &str,
) -> Result<bool> {
    Ok(revisions(connection, update_id)
        .await?
        .iter()
        .any(|one| one.files().iter().any(|file| file.id == media_id)))
}
