//! Files that come in: recognised by their content, streamed to storage, never whole in memory.
//!
//! A plain multipart form is one write. Resumable uploads will be many, into the same [`Taken`].

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};
use tokio::io::AsyncWriteExt;

use crate::clock::Clock;
use crate::db::{Db, Tx};
use crate::error::{Error, Result};
use crate::media::{Object, Taken, Workshop, about, loose_key, put_bytes};
use crate::video::Container;
use crate::{pictures, updates, video, words};

/// So much is looked at to recognise a file.
const HEAD: usize = 4096;
/// The largest picture file; its pixels have their own limits.
const PICTURE: u64 = 64 << 20;
/// What is taken, for whoever sent something else.
pub const TAKEN: &str = "Hearback takes PNG, JPEG, WebP and GIF pictures, and WebM, Matroska, MP4 and QuickTime video.";

/// Takes files in.
#[derive(Clone, Debug)]
pub struct Intake {
    /// Database, storage and tools.
    pub shop: Workshop,
    /// The largest file, in bytes.
    pub max: u64,
    /// Below this much free disk nothing is taken, in bytes.
    pub min_free: u64,
}

impl Intake {
    /// Refuses when the disk is nearly full, so that comments and acknowledgements can go on.
    pub fn room(&self) -> Result<()> {
        let here = rustix::fs::statvfs(&self.shop.tmp).map_err(|error| Error::internal(std::io::Error::from(error)))?;
        let mut free = here.f_bavail.saturating_mul(here.f_frsize);
        if let Some(there) = self.shop.storage.free_bytes()? {
            free = free.min(there);
        }
        if free >= self.min_free {
            return Ok(());
        }
        let text = format!(
            "The disk is nearly full ({} MiB left), so no file is taken. Comments and answers still are. Ask your admin to make room.",
            free >> 20
        );
        Err(Error::Unavailable(text, "less free disk than uploads need".into()))
    }

    /// Takes one file in: pictures are made anew at once, video is stored as it is and prepared by a job. With `pictures` only those.
    pub async fn take(&self, file_name: &str, pictures: bool, body: impl Stream<Item = Result<Bytes>> + Unpin) -> Result<Taken> {
        self.room()?;
        let file_name = words::file_name(file_name);
        let mut body = Limited { body, left: self.max, max: self.max };
        let head = head(&mut body).await?;
        if head.is_empty() {
            return Err(Error::Unsupported(format!("The file is empty. {TAKEN}")));
        }
        let whole = stream::iter([Ok(head.clone())]).chain(body);
        if pictures::sniff(&head).is_some() {
            self.take_picture(file_name, whole).await
        } else if pictures {
            Err(Error::Unsupported("This is no picture. Here only PNG, JPEG, WebP and GIF are taken.".into()))
        } else if let Some(container) = video::sniff(&head) {
            self.take_video(file_name, container, whole).await
        } else {
            Err(Error::Unsupported(format!("This is not a file we know, whatever its name says. {TAKEN}")))
        }
    }

    async fn take_picture(&self, file_name: String, body: impl Stream<Item = Result<Bytes>> + Unpin) -> Result<Taken> {
        let spool = tempfile::NamedTempFile::new_in(&self.shop.tmp)?;
        let mut file = tokio::fs::File::from_std(spool.reopen()?);
        let mut body = Limited { body, left: PICTURE.min(self.max), max: PICTURE.min(self.max) };
        while let Some(block) = body.next().await {
            file.write_all(&block?).await?;
        }
        file.flush().await?;
        let made = pictures::make(spool.path()).await?;
        let size = Some((made.width, made.height));
        let thumbnail = made.thumbnail;
        let objects = vec![
            self.store("original", made.content_type, size, made.bytes).await?,
            self.store("thumbnail", thumbnail.content_type, Some((thumbnail.width, thumbnail.height)), thumbnail.bytes).await?,
        ];
        Ok(Taken { kind: "image", file_name, state: "ready", size, objects })
    }

    async fn store(&self, name: &'static str, content_type: &str, size: Option<(u32, u32)>, bytes: Vec<u8>) -> Result<Object> {
        let key = loose_key(&self.shop.db, &self.shop.clock).await?;
        let bytes = put_bytes(&self.shop.storage, &key, content_type, bytes).await?;
        Ok(Object { name, key, content_type: content_type.to_owned(), size, bytes })
    }

    async fn take_video(&self, file_name: String, container: Container, body: impl Stream<Item = Result<Bytes>> + Unpin) -> Result<Taken> {
        let (content_type, plays) = match container {
            Container::WebM => ("video/webm", true),
            Container::Mp4 => ("video/mp4", true),
            Container::Matroska => ("video/x-matroska", false),
            Container::QuickTime => ("video/quicktime", false),
        };
        let key = loose_key(&self.shop.db, &self.shop.clock).await?;
        let bytes = self.shop.storage.put(&key, &about(content_type), body).await?;
        let original = Object { name: "original", key, content_type: content_type.to_owned(), size: None, bytes };
        // Until the seekable copy is there, the raw file is what plays.
        let playable = plays.then(|| Object { name: "playable", ..original.clone() });
        Ok(Taken {
            kind: "video",
            file_name,
            state: "processing",
            size: None,
            objects: std::iter::once(original).chain(playable).collect(),
        })
    }

    /// Deletes what was taken and found no place.
    pub async fn discard(&self, taken: &[Taken]) -> Result<()> {
        let keys: Vec<String> = taken.iter().flat_map(|taken| &taken.objects).map(|object| object.key.clone()).collect();
        if keys.is_empty() {
            return Ok(());
        }
        let mut tx = self.shop.db.begin().await?;
        updates::purge(&mut tx, &self.shop.clock, &keys).await?;
        tx.commit().await
    }
}

/// A limit in words: `4 GiB`, `500 MiB`, `200 kB`.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_048_576 => format!("{} kB", bytes / 1_000),
        1_048_576..1_073_741_824 => format!("{} MiB", bytes >> 20),
        _ => format!("{} GiB", bytes >> 30),
    }
}

/// Has objects deleted that were written and belong to nothing after a day: what an upload left that broke off.
pub async fn sweep(db: &Db, clock: &Clock) -> Result<()> {
    let mut tx: Tx = db.begin().await?;
    let keys: Vec<String> = sqlx::query_scalar("DELETE FROM loose_objects WHERE since < $1 RETURNING key")
        .bind(clock.now() - 24 * 3_600_000)
        .fetch_all(&mut *tx)
        .await?;
    updates::purge(&mut tx, clock, &keys).await?;
    tx.commit().await
}

/// Deletes objects, every version of them.
pub async fn purge(shop: &Workshop, keys: &[String]) -> Result<()> {
    for key in keys {
        shop.storage.delete(key).await?;
        let mut tx = shop.db.begin().await?;
        sqlx::query("DELETE FROM loose_objects WHERE key = $1").bind(key).execute(&mut *tx).await?;
        tx.commit().await?;
    }
    Ok(())
}

async fn head(body: &mut (impl Stream<Item = Result<Bytes>> + Unpin)) -> Result<Bytes> {
    let mut head = BytesMut::new();
    while head.len() < HEAD {
        match body.next().await {
            Some(block) => head.extend_from_slice(&block?),
            None => break,
        }
    }
    Ok(head.freeze())
}

/// A stream that fails once it is longer than allowed.
struct Limited<S> {
    body: S,
    left: u64,
    max: u64,
}

impl<S: Stream<Item = Result<Bytes>> + Unpin> Stream for Limited<S> {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.body.poll_next_unpin(context);
        if let Poll::Ready(Some(Ok(block))) = &polled {
            match self.left.checked_sub(block.len() as u64) {
                Some(left) => self.left = left,
                None => {
                    let text = format!(
                        "The file is larger than {}, the most that is taken. Send a smaller one, or ask your admin.",
                        size(self.max)
                    );
                    return Poll::Ready(Some(Err(Error::TooLarge(text))));
                }
            }
        }
        polled
    }
}
