//! One request that brings bytes of an upload.

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};

use super::checksum::Checksum;
use super::repository::{clear_at, must_fit, must_go_on};
use super::writer::{Writer, overtaken};
use super::{Intake, PICTURE, Upload, complete, find, give_up, size};
use crate::clock::{Millis, secret};
use crate::error::{Error, Result};
use crate::people::Viewer;
use crate::{media, updates};

/// So many requests of one person bring bytes at once: each holds a buffer.
const WRITERS: usize = 16;
/// After so long a copy of which nothing was told is nobody's.
const ABANDONED: Millis = 24 * 3_600_000;

/// What a request says of the bytes that it brings.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    /// Where they go, in bytes from the beginning: where the upload stands.
    pub offset: i64,
    /// How long the whole is, where that was not known before.
    pub length: Option<i64>,
    /// What they add up to.
    pub checksum: Option<Checksum>,
}

/// Brings bytes to an upload of one's own and answers how it stands then: all below `received` is durable. With the last byte it is finished.
///
/// What came of a request that breaks off is kept, unless it has a checksum. `Conflict` where the upload stands elsewhere or somebody else
/// went on with it: then the sender asks how far it is. What is no file we take ends the upload.
pub async fn write(
    intake: &Intake,
    viewer: &Viewer,
    id: &str,
    patch: Patch,
    body: impl Stream<Item = Result<Bytes>> + Unpin,
) -> Result<Upload> {
    let Some(_turn) = intake.writing.enter(&viewer.person()?.id, WRITERS) else {
        return Err(Error::TooMany(1));
    };
    let mut upload = find(&mut *intake.shop.db.read().await?, viewer, id).await?;
    must_go_on(intake, &upload)?;
    if upload.broken_off_at.is_some() && upload.finished_at.is_none() {
        // Its page comes back while it is being finished without it.
        upload = complete::finish_if_whole(intake, upload).await?;
        if upload.finished_at.is_none() {
            return Err(overtaken());
        }
    }
    if patch.offset != upload.received {
        return Err(Error::Conflict(format!(
            "The next byte of this upload is {}, not {}.",
            upload.received, patch.offset
        )));
    }
    if upload.finished_at.is_some()
        && (upload.broken_off_at.is_none() || patch.length == upload.length)
    {
        return whole_already(intake, upload, patch, body).await;
    }
    if upload.finished_at.is_none() && upload.is_whole() {
        return finish_again(intake, upload, patch, body).await;
    }
    // Taking it over now would only undo what is nearly done.
    if intake.finishing.has(&upload.id) {
        return Err(overtaken());
    }
    intake.room()?;
    let reopened = upload.finished_at.is_some();
    announce(intake, &mut upload, patch.length, reopened)?;
    let writer = if reopened {
        reopen(intake, upload).await
    } else {
        Writer::take(intake, upload).await
    };
    let mut writer = writer.map_err(complete::there_somewhere)?;
    writer.all_at_once = patch.checksum.is_some();
    let upload = writer.upload.clone();
    let done = receive(writer, patch.checksum, body)
        .await
        .map_err(complete::there_somewhere);
    // What is no picture and no video will be none with more bytes either.
    if let Err(Error::Unsupported(_)) = &done
        && !reopened
    {
        give_up(intake, &upload).await?;
    }
    done
}

/// Told again that it is whole, it is, also where it was finished because its page seemed lost; more bytes have no place.
async fn whole_already(
    intake: &Intake,
    mut upload: Upload,
    patch: Patch,
    mut body: impl Stream<Item = Result<Bytes>> + Unpin,
) -> Result<Upload> {
    if brings_bytes(intake, &mut body).await?
        || patch
            .length
            .is_some_and(|length| Some(length) != upload.length)
    {
        return Err(Error::Gone("It has arrived as a whole already.".into()));
    }
    if upload.broken_off_at.is_some() {
        let mut tx = intake.shop.db.begin().await?;
        updates::hold(&mut tx, &upload.update_id).await?;
        let whole = sqlx::query(
            "UPDATE uploads SET broken_off_at = NULL WHERE id = $1 AND generation = $2",
        )
        .bind(&upload.id)
        .bind(upload.generation)
        .execute(&mut *tx)
        .await?;
        if whole.rows_affected() == 0 {
            return Err(overtaken());
        }
        media::mend(&mut tx, &intake.shop.clock, &upload.media_id).await?;
        tx.commit().await?;
        upload.broken_off_at = None;
    }
    Ok(upload)
}

/// All bytes are there, but whoever brought the last of them could not finish it. Where that is still going on, on this node, it is not
/// disturbed: the answer is that all bytes are there.
async fn finish_again(
    intake: &Intake,
    mut upload: Upload,
    patch: Patch,
    mut body: impl Stream<Item = Result<Bytes>> + Unpin,
) -> Result<Upload> {
    announce(intake, &mut upload, patch.length, false)?;
    if brings_bytes(intake, &mut body).await? {
        return Err(beyond(upload.received));
    }
    if patch.checksum.is_some_and(|checksum| !checksum.holds()) {
        return Err(mismatch());
    }
    let known = upload.clone();
    let finished = complete::finish_committed(intake, upload).await;
    if let Err(Error::Unsupported(_)) = &finished {
        give_up(intake, &known).await?;
    }
    finished
}

/// Whether a body has any bytes.
async fn brings_bytes(
    intake: &Intake,
    body: &mut (impl Stream<Item = Result<Bytes>> + Unpin),
) -> Result<bool> {
    loop {
        match tokio::time::timeout(intake.pause, body.next()).await {
            Ok(Some(block)) if block.as_ref().is_ok_and(Bytes::is_empty) => {}
            Ok(Some(block)) => return block.map(|_| true),
            Ok(None) => return Ok(false),
            Err(_) => return Err(stalled(intake)),
        }
    }
}

fn stalled(intake: &Intake) -> Error {
    Error::Conflict(format!(
        "Nothing came for {} s. What came before is kept: ask with HEAD how far it is.",
        intake.pause.as_secs()
    ))
}

fn beyond(length: i64) -> Error {
    Error::TooLarge(format!(
        "These are more than the {length} bytes that this upload has."
    ))
}

fn mismatch() -> Error {
    Error::Mismatch(
        "The bytes are not the ones that Upload-Checksum was made of. Send them again.".into(),
    )
}

/// The length, where it becomes known now.
fn announce(
    intake: &Intake,
    upload: &mut Upload,
    length: Option<i64>,
    reopened: bool,
) -> Result<()> {
    if reopened {
        upload.length = None;
    }
    let Some(length) = length else { return Ok(()) };
    match upload.length {
        Some(known) if known != length => Err(Error::Malformed(format!(
            "Upload-Length: this upload has {known} bytes; that cannot become {length}."
        ))),
        _ if length < upload.received => Err(Error::Malformed(format!(
            "Upload-Length: {length} is less than the {} bytes that are there already.",
            upload.received
        ))),
        _ => {
            must_fit(intake, length)?;
            upload.length = Some(length);
            Ok(())
        }
    }
}

/// Goes on with a recording that was finished because its page seemed lost: what is there is copied into an upload anew.
async fn reopen(intake: &Intake, upload: Upload) -> Result<Writer<'_>> {
    let (shop, key) = (&intake.shop, format!("media/{}", secret()));
    let mut tx = shop.db.begin().await?;
    let generation: Option<i64> = sqlx::query_scalar(
        "UPDATE uploads SET generation = generation + 1 WHERE id = $1 AND broken_off_at IS NOT NULL
         AND update_id IN (SELECT id FROM updates WHERE published_at IS NULL)
         AND media_id IN (SELECT id FROM media WHERE trim_from_ms IS NULL) RETURNING generation",
    )
    .bind(&upload.id)
    .fetch_optional(&mut *tx)
    .await?;
    let Some(generation) = generation else {
        return Err(Error::Gone(
            "It was trimmed or sent with what had arrived. Nothing can be added to it any more."
                .into(),
        ));
    };
    let (old, length) = (upload.key.clone(), upload.received);
    let anew = Upload {
        generation,
        key,
        multipart: None,
        stretches: None,
        content_type: None,
        received: 0,
        finished_at: None,
        broken_off_at: None,
        ..upload
    };
    // A copy that never comes to its end belongs to nothing.
    clear_at(
        &mut tx,
        &shop.clock,
        &anew.key,
        None,
        shop.clock.now() + ABANDONED,
    )
    .await?;
    tx.commit().await?;
    let mut writer = Writer::anew(intake, anew);
    let mut body = shop
        .storage
        .get(&old, 0..u64::try_from(length).unwrap_or(0))
        .await?;
    let mut buffer = BytesMut::new();
    while let Some(block) = body.next().await {
        fill(&mut writer, &mut buffer, block?).await?;
    }
    if !buffer.is_empty() {
        writer.store(buffer.freeze()).await?;
    }
    writer.tell().await?;
    Ok(writer)
}

/// Adds a block to what is to be stored, and stores what is full.
async fn fill(writer: &mut Writer<'_>, buffer: &mut BytesMut, mut block: Bytes) -> Result<()> {
    while buffer.len() + block.len() >= writer.wanted() {
        let rest = block.split_off(writer.wanted() - buffer.len());
        buffer.extend_from_slice(&block);
        writer.store(buffer.split().freeze()).await?;
        block = rest;
    }
    buffer.extend_from_slice(&block);
    Ok(())
}

async fn receive(
    mut writer: Writer<'_>,
    mut checksum: Option<Checksum>,
    mut body: impl Stream<Item = Result<Bytes>> + Unpin,
) -> Result<Upload> {
    let intake = writer.intake;
    let mut buffer = BytesMut::new();
    let broken = loop {
        let block = match tokio::time::timeout(intake.pause, body.next()).await {
            Ok(Some(Ok(block))) => block,
            Ok(None) => break None,
            Ok(Some(Err(error))) => break Some(error),
            Err(_) => break Some(stalled(intake)),
        };
        let end = writer.at + i64::try_from(buffer.len() + block.len()).map_err(Error::internal)?;
        if let Err(error) = room_for(&writer, end) {
            break Some(error);
        }
        if let Some(checksum) = &mut checksum {
            checksum.add(&block);
        }
        fill(&mut writer, &mut buffer, block).await?;
    };
    if let Some(error) = broken {
        if !writer.all_at_once && !buffer.is_empty() {
            writer.store(buffer.freeze()).await?;
        }
        return Err(error);
    }
    if checksum.is_some_and(|checksum| !checksum.holds()) {
        return Err(mismatch());
    }
    let end = writer.at + i64::try_from(buffer.len()).map_err(Error::internal)?;
    if writer.upload.length == Some(end) {
        return complete::finish(writer, buffer.freeze()).await;
    }
    let empty = buffer.is_empty();
    if !empty {
        writer.store(buffer.freeze()).await?;
    }
    // What was stored is told, unless all is to be told at once; a length that came without bytes is not yet.
    if empty || writer.all_at_once {
        writer.tell().await?;
    }
    Ok(writer.upload)
}

/// Refuses bytes beyond the end, wherever that is.
fn room_for(writer: &Writer<'_>, end: i64) -> Result<()> {
    if let Some(length) = writer.upload.length
        && end > length
    {
        return Err(beyond(length));
    }
    must_fit(writer.intake, end)?;
    let picture = writer
        .upload
        .content_type
        .as_deref()
        .is_some_and(|kind| kind.starts_with("image/"));
    if picture && u64::try_from(end).is_ok_and(|end| end > PICTURE) {
        return Err(Error::Unsupported(format!(
            "The picture is larger than {}, the most that is taken.",
            size(PICTURE)
        )));
    }
    Ok(())
}
