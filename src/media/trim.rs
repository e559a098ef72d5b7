//! Trims recordings. The author keeps the whole original; other people can fetch only the selected
//! range.

use super::attach::enqueue_processing;
use super::{Media, MediaKind, MediaState, lock_for_update, process_video};
use crate::clock::{Clock, Millis};
use crate::error::{Error, FieldErrors, Result};
use crate::events::{self, EventKind};
use crate::infra::db::Tx;
use crate::people::Viewer;
use crate::updates::{self, Content};

/// The minimum duration of a trimmed recording, in milliseconds.
pub const MIN_LENGTH: Millis = 500;

const STILL_ARRIVING: &str =
    "This recording is still being uploaded. Trim it once the upload is complete.";

/// Trims a recording to a range. `from` and `to` are milliseconds from the current start of the recording, after any
/// earlier trim. Repeating a request has no effect. If `material` is set, people who have answered must answer again.
/// They see the change note in `material`, if there is one.
pub async fn trim(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    id: &str,
    (from, to): (Millis, Millis),
    material: Option<Option<String>>,
) -> Result<()> {
    let media = lock_recording(tx, viewer, id).await?;
    let length = known_duration(&media)?;
    let base = media.trim_from_ms.unwrap_or(0);
    let is_repeat = media.trim_base_ms.is_some_and(|before| {
        media.trimmed_range() == before.checked_add(from).zip(before.checked_add(to))
    });
    if is_repeat || (from, to) == (0, length) {
        return Ok(());
    }
    check_range(from, to, length)?;
    let whole = media.whole_ms.unwrap_or(length);
    sqlx::query(
        "UPDATE media SET trim_from_ms = $1, trim_to_ms = $2, trim_base_ms = $3, whole_ms = $4
         WHERE id = $5",
    )
    .bind(base + from)
    .bind(base + to)
    .bind(base)
    .bind(whole)
    .bind(id)
    .execute(&mut **tx)
    .await?;
    start_cut(
        tx,
        clock,
        viewer,
        &media,
        (from, to - from),
        process_video::TRIM_IN_PROGRESS,
        material,
    )
    .await
}

/// Checks a range against the length of the recording, in milliseconds.
fn check_range(from: Millis, to: Millis, length: Millis) -> Result<()> {
    let mut errors = FieldErrors::new();
    if from < 0 {
        errors.insert(
            "from_ms".into(),
            "is before the start of the recording. Must be 0 or more.".into(),
        );
    }
    if to > length {
        errors.insert(
            "to_ms".into(),
            format!("is after the end of the recording. Must be at most {length} ms.").into(),
        );
    } else if to.saturating_sub(from) < MIN_LENGTH {
        errors.insert(
            "to_ms".into(),
            format!(
                "must leave at least {MIN_LENGTH} ms. Move the start and the end further apart."
            )
            .into(),
        );
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Error::Invalid(errors))
    }
}

/// Undoes the trim of a recording, so that the whole recording plays again.
pub async fn untrim(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    id: &str,
    material: Option<Option<String>>,
) -> Result<()> {
    let media = lock_recording(tx, viewer, id).await?;
    let (Some(from), Some(whole)) = (media.trim_from_ms, media.whole_ms) else {
        return Ok(());
    };
    sqlx::query(
        "UPDATE media SET trim_from_ms = NULL, trim_to_ms = NULL, trim_base_ms = NULL, whole_ms = NULL WHERE id = $1")
        .bind(id)
        .execute(&mut **tx)
        .await?;
    start_cut(
        tx,
        clock,
        viewer,
        &media,
        (-from, whole),
        process_video::UNTRIM_IN_PROGRESS,
        material,
    )
    .await
}

/// Finds a recording and locks its update until the transaction ends. Fails if the media is a
/// picture or is still being uploaded.
async fn lock_recording(tx: &mut Tx, viewer: &Viewer, id: &str) -> Result<Media> {
    let (media, ..) = lock_for_update(tx, viewer, id).await?;
    let arriving: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM uploads WHERE media_id = $1 AND finished_at IS NULL",
    )
    .bind(id)
    .fetch_one(&mut **tx)
    .await?;
    if arriving > 0 {
        return Err(Error::Conflict(STILL_ARRIVING.into()));
    }
    if media.kind != MediaKind::Video {
        return Err(Error::Conflict(
            "This is a picture. Only videos can be trimmed.".into(),
        ));
    }
    Ok(media)
}

/// Returns the current duration of the recording, after any trim, in milliseconds. Fails if the
/// duration is unknown or the recording cannot be played.
fn known_duration(media: &Media) -> Result<Millis> {
    let message = match (media.state, media.duration_ms) {
        (MediaState::Uploading, _) => STILL_ARRIVING,
        (MediaState::Failed, _) if media.whole_ms.is_none() => {
            "This recording cannot be played, so it cannot be trimmed."
        }
        (_, Some(length)) => return Ok(length),
        (MediaState::Processing, None) => {
            "The length of this recording is not known yet. Try again in a moment."
        }
        (MediaState::Ready | MediaState::Failed, None) => {
            "The length of this recording is unknown, so it cannot be trimmed. Ask your admin to install ffmpeg."
        }
    };
    Err(Error::Conflict(message.into()))
}

/// Enqueues the job that cuts the new range. Also removes all renditions of the previous range and
/// revokes their URLs, because the renditions may show content that has been trimmed away.
async fn start_cut(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    media: &Media,
    (by, length): (Millis, Millis),
    progress: &'static str,
    material: Option<Option<String>>,
) -> Result<()> {
    let person = viewer.person()?;
    sqlx::query(
        "UPDATE media SET generation = generation + 1, state = 'processing', reason = $1, duration_ms = $2,
         raw_until = NULL WHERE id = $3",
    )
    .bind(progress)
    .bind(length)
    .bind(&media.id)
    .execute(&mut **tx)
    .await?;
    let keys: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT r.key FROM renditions r WHERE r.media_id = $1
         AND NOT EXISTS (SELECT 1 FROM renditions o WHERE o.key = r.key AND o.name = 'original')",
    )
    .bind(&media.id)
    .fetch_all(&mut **tx)
    .await?;
    sqlx::query("DELETE FROM renditions WHERE media_id = $1 AND name <> 'original'")
        .bind(&media.id)
        .execute(&mut **tx)
        .await?;
    updates::enqueue_purge(tx, clock, &keys).await?;
    for lost in shift_positions(tx, &media.id, by, length).await? {
        updates::enqueue_index(tx, clock, &media.update_id, &lost).await?;
    }
    enqueue_processing(tx, clock, &media.id, media.generation + 1).await?;
    if material.is_some() {
        updates::edit(
            tx,
            clock,
            viewer,
            &media.update_id,
            &Content {
                material,
                ..Content::default()
            },
        )
        .await?;
    }
    events::record(
        tx,
        clock,
        EventKind::Media,
        &media.update_id,
        &media.id,
        &person.id,
    )
    .await
}

/// Adjusts all positions in a recording to its new range. The start moved by `by` milliseconds, and the new duration is
/// `length`. Shortens time ranges that extend beyond the recording. Removes anchors that are outside the recording, but
/// keeps the text of their comments. Returns the ids of the comments that lost their anchor and drawing. If new kinds
/// of positions are introduced (captions, watched ranges), adjust them here, too.
async fn shift_positions(
    tx: &mut Tx,
    media_id: &str,
    by: Millis,
    length: Millis,
) -> Result<Vec<String>> {
    let lost = sqlx::query_scalar(
        "UPDATE comments SET at_ms = NULL, until_ms = NULL, region = NULL, drawing = NULL, drawn = NULL, media_id = NULL
         WHERE media_id = $1 AND at_ms IS NOT NULL AND (at_ms - $2 > $3 OR coalesce(until_ms, at_ms) - $2 < 0)
         RETURNING id",
    )
    .bind(media_id)
    .bind(by)
    .bind(length)
    .fetch_all(&mut **tx)
    .await?;
    sqlx::query(
        "UPDATE comments SET at_ms = CASE WHEN at_ms < $2 THEN 0 ELSE at_ms - $2 END,
             until_ms = CASE WHEN until_ms - $2 > $3 THEN $3 ELSE until_ms - $2 END
         WHERE media_id = $1 AND at_ms IS NOT NULL",
    )
    .bind(media_id)
    .bind(by)
    .bind(length)
    .execute(&mut **tx)
    .await?;
    Ok(lost)
}
