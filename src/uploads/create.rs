//! Starts uploads.

use super::UploadService;
use super::repository::{Upload, columns, find};
use super::size_limits::SizeLimit;
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::ids::secret;
use crate::infra::db::Tx;
use crate::people::Viewer;
use crate::updates::{self, Content};
use crate::{media, text};

/// Maximum number of unfinished uploads per person.
const MAX_OPEN_UPLOADS: i64 = 100;

/// The properties of a file that are known before its bytes arrive.
#[derive(Clone, Debug, Default)]
pub struct NewUpload {
    /// Name of the file.
    pub file_name: String,
    /// The `Upload-Metadata` header as the client sent it.
    pub metadata: String,
    /// Whether the client declares that the file is a picture.
    pub picture: bool,
    /// Length of the file in bytes, if known.
    pub length: Option<i64>,
    /// Id of the update that the file is added to; `None` creates a draft.
    pub update: Option<String>,
    /// An idempotency key. A repeated request with the same nonce returns the existing upload.
    pub nonce: Option<String>,
}

/// Starts the upload of a file to one of the viewer's updates or to a new draft.
pub async fn create(
    tx: &mut Tx,
    uploads: &UploadService,
    viewer: &Viewer,
    new: &NewUpload,
) -> Result<Upload> {
    let (person, clock) = (viewer.person()?, &uploads.media.clock);
    if let Some(length) = new.length {
        SizeLimit::of_files(uploads).check(length)?;
    }
    if let Some(nonce) = &new.nonce {
        // Lock the person's row, so that a concurrent request with the same nonce waits.
        sqlx::query("UPDATE people SET id = id WHERE id = $1")
            .bind(&person.id)
            .execute(&mut **tx)
            .await?;
        if let Some(upload) = find_by_nonce(tx, viewer, nonce).await? {
            return Ok(upload);
        }
    }
    check_open_uploads(tx, &person.id).await?;
    let update = match &new.update {
        Some(id) => {
            updates::lock_for_update(tx, id).await?;
            updates::find_own(tx, viewer, id).await?
        }
        None => updates::create(tx, clock, person, &Content::default()).await?,
    };
    if !new.picture {
        uploads.media.detect_tools_early();
    }
    let (id, media_id) = (clock.id(), clock.id());
    let file_name = text::clean_file_name(&new.file_name);
    insert(
        tx,
        clock.now(),
        &InsertedUpload {
            id: &id,
            person_id: &person.id,
            update_id: &update.id,
            media_id: &media_id,
            file_name: &file_name,
        },
        new,
    )
    .await?;
    media::create_pending(
        tx,
        clock,
        &media_id,
        &update.id,
        (&file_name, new.picture),
        &person.id,
    )
    .await?;
    find(tx, viewer, &id).await
}

/// Rejects another upload if the person has the maximum number of unfinished uploads.
async fn check_open_uploads(tx: &mut Tx, person_id: &str) -> Result<()> {
    let open: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM uploads WHERE person_id = $1 AND finished_at IS NULL",
    )
    .bind(person_id)
    .fetch_one(&mut **tx)
    .await?;
    if open < MAX_OPEN_UPLOADS {
        return Ok(());
    }
    Err(Error::Conflict(format!(
        "You already have {MAX_OPEN_UPLOADS} unfinished uploads. Finish or remove some of them in your drafts first. An unfinished file is deleted seven days after its upload started, and a recording is completed an hour after the last data was received."
    )))
}

/// The values of a new row that `insert` does not take from [`NewUpload`].
struct InsertedUpload<'a> {
    id: &'a str,
    person_id: &'a str,
    update_id: &'a str,
    media_id: &'a str,
    /// The cleaned file name.
    file_name: &'a str,
}

async fn insert(tx: &mut Tx, now: Millis, row: &InsertedUpload<'_>, new: &NewUpload) -> Result<()> {
    sqlx::query(
        "INSERT INTO uploads (id, person_id, nonce, update_id, media_id, made_draft_at, file_name, metadata,
             length, deferred_at, received, generation, key, parts, created_at, touched_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, 0, $11, 0, $12, $12)",
    )
    .bind(row.id)
    .bind(row.person_id)
    .bind(&new.nonce)
    .bind(row.update_id)
    .bind(row.media_id)
    .bind(new.update.is_none().then_some(now))
    .bind(row.file_name)
    .bind(&new.metadata)
    .bind(new.length)
    .bind(new.length.is_none().then_some(now))
    .bind(format!("media/{}", secret()))
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Finds the upload that an earlier request of the viewer created with this nonce. A client that received no response
/// repeats its request with the same nonce.
async fn find_by_nonce(tx: &mut Tx, viewer: &Viewer, nonce: &str) -> Result<Option<Upload>> {
    let person = viewer.person()?;
    let found = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM uploads o WHERE o.person_id = $1 AND o.nonce = $2"
    ));
    Ok(found
        .bind(&person.id)
        .bind(nonce)
        .fetch_optional(&mut **tx)
        .await?)
}
