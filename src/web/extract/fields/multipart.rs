//! Forms with files, read and stored while they arrive.

use std::time::Duration;

use actix_multipart::MultipartError;
use actix_web::http::header::{self, ContentDisposition, DispositionType, HeaderMap, HeaderValue};
use actix_web::{HttpRequest, web};
use futures_util::StreamExt;
use futures_util::stream::Fuse;

use super::body::{MAX_BODY, not_text};
use crate::error::{Error, Result};
use crate::media::StoredFile;
use crate::text;
use crate::uploads::UploadService;

/// Number of bytes that are added to the size of each part when the size of a form is checked. This limits the number
/// of parts.
const PART_OVERHEAD: usize = 512;

/// Maximum time to wait for the next bytes of a form with files.
const FILE_IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// After the server refuses a file, it reads and discards up to this many bytes of files. If it closed the
/// connection earlier, the client would get a connection error instead of the response.
const MAX_DRAIN: usize = 256 << 20;

/// Which files a form may contain, and the service that stores them.
#[derive(Clone, Copy)]
pub(crate) struct FileOptions<'a> {
    /// Service that stores the files.
    pub(crate) uploads: &'a UploadService,
    /// Name of the file field.
    pub(crate) field: &'a str,
    /// Maximum number of files.
    pub(crate) max: usize,
    /// Whether only pictures are accepted.
    pub(crate) pictures: bool,
}

type Part = Fuse<actix_multipart::Field>;

/// Reads a form with files while it arrives.
pub(super) struct MultipartReader {
    parts: actix_multipart::Multipart,
    pub(super) pairs: Vec<(String, String)>,
    pub(super) files: Vec<StoredFile>,
    /// Number of bytes of refused files that may still be read and discarded.
    left: usize,
}

impl MultipartReader {
    /// Creates a reader of a `multipart/form-data` request.
    pub(super) fn new(req: &HttpRequest, payload: web::Payload) -> Self {
        Self {
            parts: actix_multipart::Multipart::new(&as_mixed(req), payload),
            pairs: Vec::new(),
            files: Vec::new(),
            left: MAX_DRAIN,
        }
    }

    /// Reads a form and returns the first error. After refusing a file, still reads the rest of the form. The later
    /// fields are then available, and the client can receive the response. If `uploads` is `None`, skips all files.
    pub(super) async fn receive(&mut self, mut uploads: Option<FileOptions<'_>>) -> Result<()> {
        let (mut room, mut refused) = (MAX_BODY, Ok(()));
        while let Some(part) = self.parts.next().await {
            // The rest of a malformed form cannot be read, so stop here.
            let part = part.and_then(|part| Ok((part_names(&part)?, part)));
            let ((name, file_name), part) = match part {
                Ok(part) => part,
                Err(error) => return refused.and(Err(multipart_error(error))),
            };
            // Count the name and an overhead for each part, because even an empty part uses memory.
            let Some(rest) = room.checked_sub(name.len() + PART_OVERHEAD) else {
                return refused.and(Err(Error::TooLarge(
                    "The form has too many parts, or the names of its parts are too long.".into(),
                )));
            };
            room = rest;
            // `skip` may read a part that has already ended. That would be an error without `fuse`.
            let mut part = part.fuse();
            let read = match (&file_name, uploads) {
                (Some(_), None) => Ok(()),
                (Some(file_name), Some(wanted)) => {
                    self.file(&mut part, &name, file_name, wanted).await
                }
                (None, _) => text(&mut part, &mut room)
                    .await
                    .map(|text| self.pairs.push((name, text))),
            };
            if let Err(error) = read {
                uploads = None;
                refused = refused.and(Err(error));
            }
            if !self.skip(part).await {
                return refused;
            }
        }
        refused
    }

    async fn file(
        &mut self,
        part: &mut Part,
        name: &str,
        file_name: &str,
        wanted: FileOptions<'_>,
    ) -> Result<()> {
        let FileOptions {
            uploads,
            field: files,
            max,
            pictures,
        } = wanted;
        if name != files {
            return Err(Error::invalid(
                name,
                format!("must not contain a file. Send files in the field {files:?}."),
            ));
        }
        let at = format!("{files}[{}]", self.files.len());
        let body = futures_util::stream::unfold(part, |part| async move {
            next_block(part).await.map(|block| (block, part))
        });
        let mut body = Box::pin(body).peekable();
        // Browsers send an unused file field as a part with an empty file name and no bytes. Ignore it.
        if file_name.is_empty() && std::pin::Pin::new(&mut body).peek().await.is_none() {
            return Ok(());
        }
        if self.files.len() >= max {
            return Err(Error::invalid(
                at,
                format!(
                    "is over the limit of {max} files. Leave some files out, or send them separately."
                ),
            ));
        }
        let stored = uploads.store_file(file_name, pictures, body).await;
        // The error identifies the file by its index, which means nothing to a user. Add the file's name.
        self.files.push(stored.map_err(|error| {
            Error::InField(at, Box::new(error)).for_file(&text::clean_file_name(file_name))
        })?);
        Ok(())
    }

    /// Reads the rest of a part and discards it. Returns `false` if no further part can be read.
    async fn skip(&mut self, mut part: Part) -> bool {
        while let Some(block) = next_block(&mut part).await {
            let Ok(block) = block else { return false };
            let Some(left) = self.left.checked_sub(block.len()) else {
                return false;
            };
            self.left = left;
        }
        true
    }
}

/// Returns headers that describe the request as `multipart/mixed`, because actix rejects parts of `multipart/form-data`
/// whose names are not in UTF-8.
fn as_mixed(req: &HttpRequest) -> HeaderMap {
    let given = req.headers().get(header::CONTENT_TYPE);
    let given = given
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let parameters = given.find(';').map_or("", |at| &given[at..]);
    let value = HeaderValue::from_str(&format!("multipart/mixed{parameters}"));
    let value = value.map(|value| (header::CONTENT_TYPE, value));
    value.into_iter().collect()
}

/// Returns the field name of a part and, for a file, its file name. Old clients encode these names in Latin-1 (RFC
/// 7578, section 5.1) or send the file name as `filename*` (RFC 5987).
fn part_names(part: &actix_multipart::Field) -> Result<(String, Option<String>), MultipartError> {
    let disposition = part
        .headers()
        .get(header::CONTENT_DISPOSITION)
        .and_then(|value| HeaderValue::from_bytes(text::decode(value.as_bytes()).as_bytes()).ok())
        .and_then(|value| ContentDisposition::from_raw(&value).ok())
        .filter(|given| given.disposition == DispositionType::FormData)
        .ok_or(MultipartError::ContentDispositionMissing)?;
    let name = disposition
        .get_name()
        .ok_or(MultipartError::ContentDispositionNameMissing)?;
    let file_name = disposition.get_filename().map(str::to_owned);
    let file_name = file_name.or_else(|| {
        let extended = disposition.get_filename_ext()?;
        Some(text::decode(&extended.value))
    });
    Ok((name.to_owned(), file_name))
}

/// Reads the next block of a part. A pause longer than the idle timeout is an error.
async fn next_block(part: &mut Part) -> Option<Result<bytes::Bytes>> {
    match tokio::time::timeout(FILE_IDLE_TIMEOUT, part.next()).await {
        Ok(block) => block.map(|block| block.map_err(multipart_error)),
        Err(_) => Some(Err(Error::Malformed(format!(
            "No data arrived for more than {} s, so the upload was discarded. Send it again.",
            FILE_IDLE_TIMEOUT.as_secs()
        )))),
    }
}

async fn text(part: &mut Part, room: &mut usize) -> Result<String> {
    let mut text = Vec::new();
    while let Some(block) = next_block(part).await {
        let block = block?;
        *room = room.checked_sub(block.len()).ok_or_else(|| {
            Error::TooLarge("The form fields are larger than 1 MiB in total.".into())
        })?;
        text.extend_from_slice(&block);
    }
    String::from_utf8(text).map_err(|_| not_text())
}

fn multipart_error(error: MultipartError) -> Error {
    Error::Malformed(format!(
        "The upload was interrupted or cannot be read: {error}. It was discarded. Send it again."
    ))
}
