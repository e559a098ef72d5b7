//! The headers of resumable uploads, such as `Upload-Length` and `Upload-Metadata`.

use std::collections::HashSet;

use actix_web::http::header::{self, HeaderMap};
use data_encoding::BASE64;

use crate::error::{Error, Result};
use crate::text;
use crate::uploads::{Checksum, NewUpload};

/// Maximum length of `Upload-Metadata`, in bytes.
const MAX_METADATA: usize = 4096;
/// Maximum length of the `nonce` in `Upload-Metadata`, in bytes.
const MAX_NONCE: usize = 64;
/// Content type of a body that contains upload bytes.
pub(crate) const OFFSET_CONTENT_TYPE: &str = "application/offset+octet-stream";

pub(crate) fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>> {
    let mut given = headers.get_all(name);
    let Some(value) = given.next() else {
        return Ok(None);
    };
    if given.next().is_some() {
        return Err(Error::Malformed(format!(
            "{name} is given more than once. Send it once."
        )));
    }
    value.to_str().map(|text| Some(text.trim())).map_err(|_| {
        Error::Malformed(format!(
            "{name} contains characters other than printable ASCII. Leave them out."
        ))
    })
}

pub(crate) fn header_number(headers: &HeaderMap, name: &str) -> Result<Option<i64>> {
    let Some(given) = header_text(headers, name)? else {
        return Ok(None);
    };
    if given.is_empty() || !given.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Error::Malformed(format!(
            "{name}: {given:?} is not a valid number of bytes."
        )));
    }
    // A number that is too large to parse exceeds every limit anyway.
    Ok(Some(given.parse().unwrap_or(i64::MAX)))
}

pub(crate) fn is_offset_stream(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| {
        kind.as_bytes()
            .eq_ignore_ascii_case(OFFSET_CONTENT_TYPE.as_bytes())
    })
}

pub(crate) fn header_checksum(headers: &HeaderMap) -> Result<Option<Checksum>> {
    header_text(headers, "Upload-Checksum")?
        .map(Checksum::parse)
        .transpose()
}

/// Parses `Upload-Length` or `Upload-Defer-Length`. Returns `None` if the length is deferred or
/// missing.
pub(crate) fn header_length(headers: &HeaderMap) -> Result<Option<i64>> {
    let length = header_number(headers, "Upload-Length")?;
    match (length, header_text(headers, "Upload-Defer-Length")?) {
        (Some(_), Some(_)) => Err(Error::Malformed(
            "Send Upload-Length or Upload-Defer-Length, not both.".into(),
        )),
        (None, Some(other)) if other != "1" => {
            Err(Error::Malformed("Upload-Defer-Length must be 1.".into()))
        }
        _ => Ok(length),
    }
}

/// Parses the headers of a new upload.
pub(crate) fn parse_new_upload(headers: &HeaderMap) -> Result<NewUpload> {
    let length = header_length(headers)?;
    if length.is_none() && !headers.contains_key("Upload-Defer-Length") {
        return Err(Error::Malformed(
            "Upload-Length is missing. If the length is not known yet, send Upload-Defer-Length: 1."
                .into(),
        ));
    }
    if headers.contains_key("Upload-Concat") {
        return Err(Error::Malformed(
            "Upload-Concat is not supported. Send the file as one upload.".into(),
        ));
    }
    let metadata = header_text(headers, "Upload-Metadata")?.unwrap_or_default();
    if metadata.len() > MAX_METADATA {
        return Err(Error::Malformed(format!(
            "Upload-Metadata is longer than {MAX_METADATA} characters."
        )));
    }
    let mut new = NewUpload {
        metadata: metadata.to_owned(),
        length,
        ..NewUpload::default()
    };
    let mut names = HashSet::new();
    for pair in metadata
        .split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
    {
        let (name, value) = pair.split_once(' ').unwrap_or((pair, ""));
        if !names.insert(name) {
            return Err(Error::Malformed(format!(
                "Upload-Metadata: {name:?} is given more than once. Send it once."
            )));
        }
        let value = BASE64.decode(value.trim().as_bytes()).map_err(|_| {
            Error::Malformed(format!(
                "Upload-Metadata: the value after {name:?} is not base64-encoded text."
            ))
        })?;
        let value = text::decode(&value);
        if value.contains('\0') {
            return Err(Error::invalid(name, text::NUL_ERROR));
        }
        match name {
            "filename" | "name" if new.file_name.is_empty() => new.file_name = value,
            "filetype" | "type" => new.picture = value.starts_with("image/"),
            "nonce" if value.len() <= MAX_NONCE => {
                new.nonce = Some(value).filter(|nonce| !nonce.is_empty())
            }
            "update" => new.update = Some(value).filter(|id| !id.is_empty()),
            _ => {}
        }
    }
    Ok(new)
}
