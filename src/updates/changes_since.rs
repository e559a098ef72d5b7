//! What has changed since an earlier revision, for those who answered it.

use sqlx::AnyConnection;

use super::Update;
use super::revisions::{RevisionFile, current_files, revisions};
use crate::error::Result;

/// The differences between the revision that a person saw and the current content.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// The author's descriptions of the changes, oldest first.
    pub said: Vec<String>,
    /// Earlier title.
    pub title: String,
    /// Earlier notes.
    pub notes: String,
    /// Names of added recordings and pictures.
    pub added: Vec<String>,
    /// Names of removed recordings and pictures.
    pub removed: Vec<String>,
    /// Recordings that are trimmed differently now.
    pub trimmed: Vec<RevisionFile>,
}

/// Returns the changes since the revision `seen`. Returns `None` if `seen` is the current revision
/// or does not exist.
pub async fn changes_since(
    connection: &mut AnyConnection,
    update: &Update,
    seen: i64,
) -> Result<Option<Changes>> {
    if seen >= update.revision {
        return Ok(None);
    }
    let all = revisions(connection, &update.id).await?;
    let Some(before) = all.iter().find(|one| one.revision == seen) else {
        return Ok(None);
    };
    let (was, is) = (before.files(), current_files(connection, &update.id).await?);
    let names = |files: &[RevisionFile], others: &[RevisionFile]| {
        files
            .iter()
            .filter(|file| others.iter().all(|other| other.id != file.id))
            .map(|file| file.name.clone())
            .collect()
    };
    Ok(Some(Changes {
        said: all
            .iter()
            .rev()
            .filter(|one| one.revision > seen)
            .filter_map(|one| one.what_changed.clone())
            .collect(),
        title: before.title.clone(),
        notes: before.notes.clone(),
        added: names(&is, &was),
        removed: names(&was, &is),
        trimmed: is
            .iter()
            .filter(|file| {
                was.iter()
                    .any(|other| other.id == file.id && other.trim != file.trim)
            })
            .cloned()
            .collect(),
    }))
}

/// Whether any media has been added, removed or trimmed since the current revision began. A different order does not
/// count.
pub async fn media_changed(connection: &mut AnyConnection, update: &Update) -> Result<bool> {
    let begun: Option<String> =
        sqlx::query_scalar("SELECT media FROM revisions WHERE update_id = $1 AND revision = $2")
            .bind(&update.id)
            .bind(update.revision)
            .fetch_optional(&mut *connection)
            .await?;
    let Some(begun) = begun.and_then(|text| serde_json::from_str::<Vec<RevisionFile>>(&text).ok())
    else {
        return Ok(false);
    };
    let in_order_of_ids = |mut files: Vec<RevisionFile>| {
        files.sort_by(|a, b| a.id.cmp(&b.id));
        files
    };
    let current = current_files(connection, &update.id).await?;
    Ok(in_order_of_ids(begun) != in_order_of_ids(current))
}
