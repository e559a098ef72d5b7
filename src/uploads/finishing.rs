//! How an upload becomes media, and what happens to those that nobody goes on with.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::rows::{Upload, columns, end};
use super::store::{Writer, overtaken};
use super::{Intake, Seen, recorded};
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::media::{self, Taken, Workshop};
use crate::storage::Storage;
use crate::{jobs, updates};

/// A recording that hears nothing for so long is finished with what is there.
const PATIENCE: Millis = 3_600_000;
/// An upload that is whole and was not finished after so long is finished by others.
const FORGOTTEN: Millis = 60_000;
/// So many of each kind are seen to at once.
const AT_ONCE: i64 = 100;

/// Makes media of an upload whose last bytes are these.
pub(super) async fn finish(mut writer: Writer<'_>, left: Bytes, broken_off: bool) -> Result<Upload> {
    let (intake, clock) = (writer.intake, &writer.intake.shop.clock);
    // A key that changes while it is put together leaves its pieces where they were.
    let place = writer.upload.place();
    let seen = writer.seen(&left).await?;
    let length = writer.join(left).await?;
    let (mut upload, spare) = (writer.upload, writer.spare);
    let taken = take(intake, &upload, seen, length).await?;
    upload.received = i64::try_from(length).map_err(Error::internal)?;
    upload.length = Some(upload.received);
    upload.finished_at = Some(clock.now());
    upload.broken_off_at = broken_off.then(|| clock.now());
    let mut tx = intake.shop.db.begin().await?;
    updates::hold(&mut tx, &upload.update_id).await?;
    let done = sqlx::query(
        "UPDATE uploads SET received = $1, length = $1, multipart = NULL, key = $2, content_type = $3, touched_at = $4, finished_at = $4,
             broken_off_at = $5
         WHERE id = $6 AND generation = $7",
    )
    .bind(upload.received)
    .bind(&upload.key)
    .bind(seen.content_type)
    .bind(upload.finished_at)
    .bind(upload.broken_off_at)
    .bind(&upload.id)
    .bind(upload.generation)
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        drop(tx);
        intake.discard(&pictures_of(taken)).await?;
        return Err(overtaken());
    }
    sqlx::query("DELETE FROM upload_pieces WHERE upload_id = $1").bind(&upload.id).execute(&mut *tx).await?;
    updates::purge(&mut tx, clock, spare.as_slice()).await?;
    jobs::enqueue(&mut tx, clock, "clear", &json!({ "place": place, "key": upload.key })).await?;
    if !media::arrive(&mut tx, clock, &upload.media_id, &taken, broken_off).await? {
        drop(tx);
        intake.discard(&pictures_of(taken)).await?;
        return Err(Error::Gone("The file was removed from its update.".into()));
    }
    tx.commit().await?;
    Ok(upload)
}

async fn take(intake: &Intake, upload: &Upload, seen: Seen, length: u64) -> Result<Taken> {
    if !seen.picture {
        return Ok(recorded(upload.file_name.clone(), seen, upload.key.clone(), length));
    }
    let dir = tempfile::tempdir_in(&intake.shop.tmp)?;
    let path = intake.shop.storage.fetch(&upload.key, dir.path()).await?;
    intake.make_picture(upload.file_name.clone(), &path).await
}

/// A recording's own object goes with its upload; those made of a picture are there besides.
fn pictures_of(taken: Taken) -> Vec<Taken> {
    Some(taken).into_iter().filter(|taken| taken.kind == "image").collect()
}

/// Finishes an upload that is whole, where whoever brought the last byte could not.
pub async fn finish_if_whole(intake: &Intake, upload: Upload) -> Result<Upload> {
    if upload.finished_at.is_some() || !upload.is_whole() {
        return Ok(upload);
    }
    let known = upload.clone();
    let finished = async { finish(Writer::take(intake, upload).await?, Bytes::new(), false).await };
    end_if_refused(intake, &known, finished.await).await
}

/// What turns out to be no file we take ends.
async fn end_if_refused(intake: &Intake, upload: &Upload, finished: Result<Upload>) -> Result<Upload> {
    if let Err(Error::Unsupported(reason)) = &finished {
        let mut tx = intake.shop.db.begin().await?;
        media::miss(&mut tx, &intake.shop.clock, &upload.media_id, reason).await?;
        end(&mut tx, intake, upload).await?;
        tx.commit().await?;
    }
    finished
}

/// Sees to uploads that nobody goes on with: what is whole is finished, so is a recording whose page did not come back for an hour; what
/// expired, or belongs to nothing any more, is thrown away.
pub async fn sweep_uploads(intake: &Intake) -> Result<()> {
    let now = intake.shop.clock.now();
    for upload in list(intake, "o.length = o.received AND o.touched_at < $1", now - FORGOTTEN).await? {
        see_to(&upload, finish_if_whole(intake, upload.clone()).await.map(drop));
    }
    for upload in list(intake, "o.deferred_at IS NOT NULL AND o.received > 0 AND o.touched_at < $1", now - PATIENCE).await? {
        let broken_off = async { finish(Writer::take(intake, upload.clone()).await?, Bytes::new(), true).await };
        let broken_off = broken_off.await;
        see_to(&upload, end_if_refused(intake, &upload, broken_off).await.map(drop));
    }
    let over = "(o.deferred_at IS NOT NULL AND o.received = 0 AND o.touched_at < $1)
         OR NOT EXISTS (SELECT 1 FROM media m WHERE m.id = o.media_id AND $1 > 0)";
    for upload in list(intake, over, now - PATIENCE).await? {
        see_to(&upload, throw_away(intake, &upload).await);
    }
    for upload in list(intake, "o.created_at < $1", now - (Upload::kept())).await? {
        see_to(&upload, throw_away(intake, &upload).await);
    }
    let mut tx = intake.shop.db.begin().await?;
    sqlx::query("DELETE FROM uploads WHERE finished_at IS NOT NULL AND created_at < $1")
        .bind(now - Upload::kept())
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

/// One that cannot be seen to now is seen to the next time, and keeps no other from its turn.
fn see_to(upload: &Upload, done: Result<()>) {
    if let Err(error) = done {
        tracing::warn!(%error, upload = upload.id, "an upload could not be seen to");
    }
}

async fn list(intake: &Intake, rule: &'static str, since: Millis) -> Result<Vec<Upload>> {
    let statement = format!(
        concat!("SELECT ", columns!(), " FROM uploads o WHERE o.finished_at IS NULL AND ({}) ORDER BY o.touched_at LIMIT {}"),
        rule, AT_ONCE
    );
    let found = sqlx::query_as(sqlx::AssertSqlSafe(statement)).bind(since);
    Ok(found.fetch_all(&mut *intake.shop.db.read().await?).await?)
}

async fn throw_away(intake: &Intake, upload: &Upload) -> Result<()> {
    let mut tx = intake.shop.db.begin().await?;
    if upload.received > 0 {
        let reason = "The rest of it never came. What had arrived was thrown away; send the file again.";
        media::miss(&mut tx, &intake.shop.clock, &upload.media_id, reason).await?;
    }
    end(&mut tx, intake, upload).await?;
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

/// Deletes what an upload left that ended: its pieces, and the whole where nothing shows it.
pub async fn clear(shop: &Workshop, payload: &str) -> Result<()> {
    let rest: Rest = serde_json::from_str(payload).map_err(Error::internal)?;
    if let (Storage::S3(s3), Some(multipart)) = (&shop.storage, &rest.multipart) {
        s3.abort(&rest.key, multipart).await?;
    }
    shop.storage.delete_grown(&rest.place).await?;
    let shown: i64 =
        sqlx::query_scalar("SELECT count(*) FROM renditions WHERE key = $1").bind(&rest.key).fetch_one(&mut *shop.db.read().await?).await?;
    if shown == 0 {
        shop.storage.delete(&rest.key).await?;
    }
    Ok(())
}
