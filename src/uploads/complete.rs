//! How an upload becomes media, and what happens to those that nobody goes on with.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;

use super::concurrency::Inside;
use super::repository::{KEPT, Upload, clear_later, columns, end};
use super::writer::{Writer, overtaken};
use super::{Intake, Seen, recorded};
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::infra::storage::Storage;
use crate::infra::video::MetadataScan;
use crate::media::{self, Taken, Workshop};
use crate::updates;

/// A recording that hears nothing for so long is finished with what is there.
const PATIENCE: Millis = 3_600_000;
/// An upload that is whole and that nobody has worked on for so long is finished in the background.
const FORGOTTEN: Millis = 60_000;
/// How often whoever finishes an upload says so: well within [`FORGOTTEN`].
const TOUCH: Duration = Duration::from_secs(15);
/// One of which nothing that could be shown came, after so long, is thrown away.
const UNBEGUN: Millis = 24 * 3_600_000;
/// So many of each kind are seen to at once.
const AT_ONCE: i64 = 100;

/// Makes media of an upload whose last bytes these are.
pub(super) async fn finish(writer: Writer<'_>, left: Bytes) -> Result<Upload> {
    let Some(alone) = writer.intake.finishing.enter(&writer.upload.id, 1) else {
        return Err(overtaken());
    };
    finish_alone(alone, writer, left).await
}

/// Until this ends, nobody takes the upload for forgotten.
async fn finish_alone(_alone: Inside, writer: Writer<'_>, left: Bytes) -> Result<Upload> {
    let (intake, id, generation) = (
        writer.intake,
        writer.upload.id.clone(),
        writer.upload.generation,
    );
    tokio::select! {
        finished = make_media(writer, left) => finished,
        never = keep_touched(intake, &id, generation) => match never {},
    }
}

/// Says again and again that an upload is being worked on, for as long as this is polled: nodes share nothing but the database.
async fn keep_touched(intake: &Intake, id: &str, generation: i64) -> Infallible {
    loop {
        tokio::time::sleep(TOUCH).await;
        if let Err(error) = touch(intake, id, generation).await {
            tracing::warn!(%error, upload = id, "an upload that is being finished could not be touched");
        }
    }
}

async fn touch(intake: &Intake, id: &str, generation: i64) -> Result<()> {
    let mut tx = intake.shop.db.begin().await?;
    sqlx::query("UPDATE uploads SET touched_at = $1 WHERE id = $2 AND generation = $3")
        .bind(intake.shop.clock.now())
        .bind(id)
        .bind(generation)
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

async fn make_media(mut writer: Writer<'_>, left: Bytes) -> Result<Upload> {
    let (intake, clock) = (writer.intake, &writer.intake.shop.clock);
    let broken_off = writer.upload.broken_off_at.is_some();
    let seen = writer.seen(&left).await?;
    // What it is put together under may be another key than what it came under.
    let came = writer.upload.key.clone();
    let length = writer.join(left, seen).await?;
    let scan = writer.scan;
    let mut upload = writer.upload;
    let taken = match take(intake, &upload, seen, length, &scan).await {
        Ok(taken) => taken,
        Err(error) => {
            throw_out(intake, &came, &upload, None).await?;
            return Err(error);
        }
    };
    upload.received = i64::try_from(length).map_err(Error::internal)?;
    upload.length = Some(upload.received);
    upload.finished_at = Some(clock.now());
    let mut tx = intake.shop.db.begin().await?;
    updates::hold(&mut tx, &upload.update_id).await?;
    let done = sqlx::query(
        "UPDATE uploads SET received = $1, length = $1, multipart = NULL, stretches = NULL, key = $2, content_type = $3, touched_at = $4,
             finished_at = $4, came = $5
         WHERE id = $6 AND generation = $7",
    )
    .bind(upload.received)
    .bind(&upload.key)
    .bind(seen.content_type())
    .bind(upload.finished_at)
    .bind(&came)
    .bind(&upload.id)
    .bind(upload.generation)
    .execute(&mut *tx)
    .await?;
    let overtaken = (done.rows_affected() == 0).then(overtaken);
    sqlx::query("DELETE FROM upload_pieces WHERE upload_id = $1")
        .bind(&upload.id)
        .execute(&mut *tx)
        .await?;
    clear_later(&mut tx, clock, &came, None).await?;
    if seen == Seen::Picture {
        updates::purge(&mut tx, clock, std::slice::from_ref(&upload.key)).await?;
    }
    let lost = match overtaken {
        Some(error) => Some(error),
        None if media::arrive(&mut tx, clock, &upload.media_id, &taken, broken_off).await? => None,
        None => Some(Error::Gone("The file was removed from its update.".into())),
    };
    if let Some(error) = lost {
        drop(tx);
        throw_out(intake, &came, &upload, Some(taken)).await?;
        return Err(error);
    }
    tx.commit().await?;
    Ok(upload)
}

async fn take(
    intake: &Intake,
    upload: &Upload,
    seen: Seen,
    length: u64,
    scan: &MetadataScan,
) -> Result<Taken> {
    match seen {
        Seen::Video(container) => Ok(recorded(
            upload.file_name.clone(),
            container,
            upload.key.clone(),
            length,
            scan,
        )),
        Seen::Picture => {
            let dir = tempfile::tempdir_in(&intake.shop.tmp)?;
            let path = intake.shop.storage.fetch(&upload.key, dir.path()).await?;
            intake
                .make_picture(upload.file_name.clone(), &path, Some(&upload.media_id))
                .await
        }
    }
}

/// Deletes what was made for nothing: pictures, and what has another key than the upload came under, which goes with that.
async fn throw_out(
    intake: &Intake,
    came: &str,
    upload: &Upload,
    taken: Option<Taken>,
) -> Result<()> {
    let mut keys = vec![upload.key.clone()];
    keys.extend(
        taken
            .into_iter()
            .flat_map(|taken| taken.objects)
            .map(|object| object.key),
    );
    keys.retain(|key| key != came);
    let mut tx = intake.shop.db.begin().await?;
    updates::purge(&mut tx, &intake.shop.clock, &keys).await?;
    tx.commit().await
}

/// Finishes an upload that is whole, where whoever brought the last byte could not. What turns out to be no file we take ends.
pub(super) async fn finish_if_whole(intake: &Intake, upload: Upload) -> Result<Upload> {
    let known = upload.clone();
    let finished = finish_committed(intake, upload).await;
    if let Err(Error::Unsupported(reason)) = &finished {
        let mut tx = intake.shop.db.begin().await?;
        end(&mut tx, intake, &known, Some(reason)).await?;
        tx.commit().await?;
    }
    finished
}

/// Finishes an upload that is whole. One that is being finished on this node is returned as it is, and not disturbed.
pub(super) async fn finish_committed(intake: &Intake, upload: Upload) -> Result<Upload> {
    if upload.finished_at.is_some() || !upload.is_whole() {
        return Ok(upload);
    }
    let Some(alone) = intake.finishing.enter(&upload.id, 1) else {
        return Ok(upload);
    };
    let finished =
        async { finish_alone(alone, Writer::take(intake, upload).await?, Bytes::new()).await };
    finished.await.map_err(there_somewhere)
}

/// What was durable is there: a storage that does not find it is one that does not answer as it should.
pub(super) fn there_somewhere(error: Error) -> Error {
    match error {
        Error::NotFound => Error::Unavailable(
            "The storage does not answer as it should. What was answered before is kept; try again in a moment.".into(),
            "the storage did not find a piece of an upload".into(),
        ),
        other => other,
    }
}

/// Sees to uploads that nobody goes on with: what is whole is finished, so is a recording whose page did not come back for an hour; what
/// expired, or belongs to nothing any more, is thrown away. What arrived of a recording is never thrown away for its age.
pub(super) async fn sweep(intake: &Intake) -> Result<()> {
    let now = intake.shop.clock.now();
    let lost = "o.deferred_at IS NOT NULL AND o.length IS NULL AND o.received >= 4096 AND o.touched_at < $1";
    for upload in list(intake, lost, now - PATIENCE).await? {
        see_to(&upload, break_off(intake, &upload).await);
    }
    finish_forgotten(intake).await?;
    let over = "(o.deferred_at IS NOT NULL AND o.received < 4096 AND o.touched_at < $1)
         OR NOT EXISTS (SELECT 1 FROM media m WHERE m.id = o.media_id AND $1 > 0)";
    for upload in list(intake, over, now - UNBEGUN).await? {
        see_to(&upload, throw_away(intake, &upload).await);
    }
    for upload in list(
        intake,
        "o.deferred_at IS NULL AND o.length <> o.received AND o.created_at < $1",
        now - KEPT,
    )
    .await?
    {
        see_to(&upload, throw_away(intake, &upload).await);
    }
    let mut tx = intake.shop.db.begin().await?;
    sqlx::query("DELETE FROM uploads WHERE finished_at IS NOT NULL AND created_at < $1")
        .bind(now - KEPT)
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

/// Finishes uploads whose bytes are all there but whose last request could not: its answer was lost, or the storage was away. Nobody
/// need ask for it.
pub async fn finish_forgotten(intake: &Intake) -> Result<()> {
    for upload in list(
        intake,
        "o.length = o.received AND o.touched_at < $1",
        intake.shop.clock.now() - FORGOTTEN,
    )
    .await?
    {
        see_to(
            &upload,
            finish_if_whole(intake, upload.clone()).await.map(drop),
        );
    }
    Ok(())
}

/// A recording whose page is lost ends where it stands. That is written down before anything is put together, so that whoever comes back
/// meanwhile finds it ended.
async fn break_off(intake: &Intake, upload: &Upload) -> Result<()> {
    let now = intake.shop.clock.now();
    let mut tx = intake.shop.db.begin().await?;
    let ended = sqlx::query(
        "UPDATE uploads SET length = received, broken_off_at = $1, generation = generation + 1
         WHERE id = $2 AND generation = $3 AND received = $4 AND length IS NULL AND finished_at IS NULL",
    )
    .bind(now)
    .bind(&upload.id)
    .bind(upload.generation)
    .bind(upload.received)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    if ended.rows_affected() == 0 {
        return Ok(());
    }
    let ended = Upload {
        length: Some(upload.received),
        broken_off_at: Some(now),
        generation: upload.generation + 1,
        ..upload.clone()
    };
    finish_if_whole(intake, ended).await.map(drop)
}

/// One that cannot be seen to now is seen to the next time, and keeps no other from its turn.
fn see_to(upload: &Upload, done: Result<()>) {
    if let Err(error) = done {
        tracing::warn!(%error, upload = upload.id, "an upload could not be seen to");
    }
}

async fn list(intake: &Intake, rule: &'static str, since: Millis) -> Result<Vec<Upload>> {
    let statement = format!(
        concat!(
            "SELECT ",
            columns!(),
            " FROM uploads o WHERE o.finished_at IS NULL AND ({}) ORDER BY o.touched_at LIMIT {}"
        ),
        rule, AT_ONCE
    );
    let found = sqlx::query_as(sqlx::AssertSqlSafe(statement)).bind(since);
    Ok(found.fetch_all(&mut *intake.shop.db.read().await?).await?)
}

async fn throw_away(intake: &Intake, upload: &Upload) -> Result<()> {
    let reason =
        "The rest of it never came. What had arrived was thrown away; send the file again.";
    let mut tx = intake.shop.db.begin().await?;
    end(
        &mut tx,
        intake,
        upload,
        (upload.received > 0).then_some(reason),
    )
    .await?;
    tx.commit().await
}

/// What an upload leaves behind.
#[derive(Debug, Deserialize)]
struct Rest {
    place: String,
    key: String,
    #[serde(default)]
    multipart: Option<String>,
}

/// Deletes what an upload left that ended: its pieces, and the whole where nothing shows it. One that goes on is left alone.
pub async fn clear(shop: &Workshop, payload: &str) -> Result<()> {
    let rest: Rest = serde_json::from_str(payload).map_err(Error::internal)?;
    let (going_on, shown): (i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM uploads WHERE key = $1 AND finished_at IS NULL), (SELECT count(*) FROM renditions WHERE key = $1)",
    )
    .bind(&rest.key)
    .fetch_one(&mut *shop.db.read().await?)
    .await?;
    if going_on > 0 {
        return Ok(());
    }
    if let Storage::S3(s3) = &shop.storage {
        if let Some(multipart) = &rest.multipart {
            s3.abort(&rest.key, multipart).await?;
        }
        // Those that were begun, and never committed because the database was away.
        s3.abort_all(&rest.key).await?;
    }
    shop.storage.delete_grown(&rest.place).await?;
    if shown == 0 {
        shop.storage.delete(&rest.key).await?;
    }
    Ok(())
}
