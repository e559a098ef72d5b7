//! Resumable uploads with tus 1.0.0 (core, creation, creation-with-upload, creation-defer-length, checksum,
//! termination, expiration).

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use jiff::Timestamp;

use crate::clock::{Millis, rfc3339};
use crate::error::{Error, Result};
use crate::state::State;
use crate::uploads::{self, PatchRequest, Upload};
use crate::web::extract::context::RequestContext;
use crate::web::extract::upload_headers::{
    OFFSET_CONTENT_TYPE, header_checksum, header_length, header_number, header_text,
    is_offset_stream, parse_new_upload,
};
use crate::web::responses::{HandlerResult, json};
use crate::web::schema::{ListView, UploadView};

/// Version of the tus protocol.
pub(crate) const TUS_VERSION: &str = "1.0.0";
/// Supported tus extensions.
const TUS_EXTENSIONS: &str =
    "creation,creation-with-upload,creation-defer-length,checksum,termination,expiration";
/// After the server refuses or ignores a body, it reads and discards up to this many bytes of the body. If it closed the
/// connection earlier, the client would get a connection error instead of the response.
const MAX_DRAIN: usize = 64 << 20;
/// How long the server waits for more bytes of a refused body. After a longer pause, the client has probably sent
/// everything or is waiting for the response.
const DRAIN_IDLE_TIMEOUT: Duration = Duration::from_secs(2);
/// Describes the supported protocol features.
pub(crate) async fn options(state: web::Data<State>) -> HandlerResult {
    Ok(HttpResponse::NoContent()
        .insert_header(("Tus-Extension", TUS_EXTENSIONS))
        .insert_header(("Tus-Max-Size", state.uploads.max_bytes))
        .insert_header(("Tus-Checksum-Algorithm", uploads::ALGORITHMS))
        .finish())
}

/// Lists the viewer's unfinished uploads.
pub(crate) async fn list(ctx: RequestContext, state: web::Data<State>) -> HandlerResult {
    let mine = uploads::list_own(&mut *state.db.read().await?, &ctx.viewer).await?;
    let items: Vec<UploadView> = mine
        .iter()
        .map(|upload| upload_view(&ctx, upload))
        .collect();
    json(StatusCode::OK, &ListView { items, next: None })
}

/// Creates an upload and stores the bytes of the body, if there are any.
pub(crate) async fn create(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    payload: web::Payload,
) -> HandlerResult {
    check_protocol(&req, &ctx)?;
    let headers = req.headers();
    let new = parse_new_upload(headers)?;
    let has_body = is_offset_stream(headers);
    let patch = PatchRequest {
        checksum: header_checksum(headers)?,
        creates: true,
        ..PatchRequest::default()
    };
    let mut tx = state.db.begin().await?;
    let mut upload = uploads::create(&mut tx, &state.uploads, &ctx.viewer, &new).await?;
    state.uploads.check_free_space()?;
    tx.commit().await?;
    // An earlier request with the same nonce may have created this upload. If it already has bytes, append nothing
    // and respond with its offset.
    let is_new = upload.received == 0 && upload.finished_at.is_none();
    if is_new && (has_body || upload.length == Some(0)) {
        // Append even if the file is empty, so that it is refused like any other invalid file.
        upload = match append_in_task(&ctx, &state, &upload.id, patch, payload).await {
            Err(
                error @ (Error::TooLarge(_)
                | Error::ChecksumMismatch(_)
                | Error::TooManyRequests(_)),
            ) => {
                // Cancel the upload, because the client never learns its address and therefore cannot resume or cancel
                // it.
                uploads::cancel(&state.uploads, &upload).await?;
                return Err(error);
            }
            taken => taken?,
        };
    }
    let mut answer = HttpResponse::Created();
    // The address is relative, so that it works behind an HTTPS proxy even if `HEARBACK_URL` is not
    // set.
    let location = (header::LOCATION, format!("/uploads/{}", upload.id));
    set_target_headers(set_offset_headers(&mut answer, &upload), &upload).insert_header(location);
    Ok(answer.finish())
}

/// Returns the offset of an upload. Does not finish an upload that has received all its bytes; a
/// later PATCH or a background task finishes it.
pub(crate) async fn head(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    check_protocol(&req, &ctx)?;
    let upload = uploads::find(&mut *state.db.read().await?, &ctx.viewer, &id).await?;
    uploads::check_resumable(&state.uploads, &upload)?;
    let mut answer = HttpResponse::Ok();
    set_offset_headers(&mut answer, &upload).insert_header((header::CACHE_CONTROL, "no-store"));
    match upload.length {
        Some(length) => answer.insert_header(("Upload-Length", length)),
        None => answer.insert_header(("Upload-Defer-Length", "1")),
    };
    if !upload.metadata.is_empty() {
        answer.insert_header(("Upload-Metadata", upload.metadata.as_str()));
    }
    Ok(answer.finish())
}

/// Returns an upload as JSON.
pub(crate) async fn show(
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    let upload = uploads::find(&mut *state.db.read().await?, &ctx.viewer, &id).await?;
    json(StatusCode::OK, &upload_view(&ctx, &upload))
}

/// Appends bytes to an upload.
pub(crate) async fn patch(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
    payload: web::Payload,
) -> HandlerResult {
    check_protocol(&req, &ctx)?;
    let headers = req.headers();
    if !is_offset_stream(headers) {
        return Err(Error::Unsupported(format!(
            "Send the bytes with Content-Type: {OFFSET_CONTENT_TYPE}."
        )));
    }
    let patch = PatchRequest {
        offset: header_number(headers, "Upload-Offset")?.ok_or_else(|| {
            Error::Malformed(
                "Upload-Offset is missing. Send the offset at which the bytes start.".into(),
            )
        })?,
        length: header_length(headers)?,
        checksum: header_checksum(headers)?,
        creates: false,
    };
    let upload = append_in_task(&ctx, &state, &id, patch, payload).await?;
    let mut answer = HttpResponse::NoContent();
    set_offset_headers(&mut answer, &upload);
    Ok(answer.finish())
}

/// Cancels an upload and removes its media.
pub(crate) async fn remove(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    check_protocol(&req, &ctx)?;
    let mut tx = state.db.begin().await?;
    uploads::cancel_own(&mut tx, &state.uploads, &ctx.viewer, &id).await?;
    tx.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Appends in a separate task, so that received bytes are kept even if the client disconnects.
async fn append_in_task(
    ctx: &RequestContext,
    state: &web::Data<State>,
    id: &str,
    patch: PatchRequest,
    payload: web::Payload,
) -> Result<Upload> {
    let (viewer, state, id) = (ctx.viewer.clone(), state.clone(), id.to_owned());
    let written = actix_web::rt::spawn(async move {
        let mut body = payload.map(|block| {
            block
                .map_err(|error| Error::Malformed(format!("The request was interrupted: {error}.")))
        });
        let written = uploads::append_body(&state.uploads, &viewer, &id, patch, &mut body).await;
        // Read the rest of a body that was refused or ignored.
        drain(&mut body).await;
        written
    });
    written.await.map_err(Error::internal)?
}

async fn drain(body: &mut (impl Stream<Item = Result<Bytes>> + Unpin)) {
    let mut left = MAX_DRAIN;
    while let Ok(Some(Ok(block))) = tokio::time::timeout(DRAIN_IDLE_TIMEOUT, body.next()).await {
        left = left.saturating_sub(block.len());
        if left == 0 {
            return;
        }
    }
}

fn set_offset_headers<'a>(
    answer: &'a mut HttpResponseBuilder,
    upload: &Upload,
) -> &'a mut HttpResponseBuilder {
    answer.insert_header(("Upload-Offset", upload.received));
    if upload.finished_at.is_none() {
        answer.insert_header(("Upload-Expires", http_date(upload.expires_at())));
    }
    // A client sends no further request after its upload is complete, so this response must include the ids of the
    // update and the media.
    if upload.is_complete() {
        set_target_headers(answer, upload)
    } else {
        answer
    }
}

/// Adds headers with the ids of the update and the media.
fn set_target_headers<'a>(
    answer: &'a mut HttpResponseBuilder,
    upload: &Upload,
) -> &'a mut HttpResponseBuilder {
    answer
        .insert_header(("Hearback-Media", upload.media_id.as_str()))
        .insert_header(("Hearback-Update", upload.update_id.as_str()))
}

/// Formats a time as an HTTP date (RFC 9110 §5.6.7).
fn http_date(at: Millis) -> String {
    Timestamp::from_millisecond(at)
        .map(|at| at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
        .unwrap_or_default()
}

/// Fails unless the viewer is signed in and the request names the supported version of tus. Checks the sign-in first,
/// so that strangers learn nothing about the protocol.
fn check_protocol(req: &HttpRequest, ctx: &RequestContext) -> Result<()> {
    ctx.person()?;
    match header_text(req.headers(), "Tus-Resumable")? {
        Some(TUS_VERSION) => Ok(()),
        Some(other) => Err(Error::PreconditionFailed(format!(
            "Tus-Resumable: {other:?} is not supported. Use {TUS_VERSION}."
        ))),
        None => Err(Error::PreconditionFailed(format!(
            "Tus-Resumable is missing. Send Tus-Resumable: {TUS_VERSION}, or send the files to /updates as \
             multipart/form-data."
        ))),
    }
}

fn upload_view(ctx: &RequestContext, upload: &Upload) -> UploadView {
    UploadView {
        id: upload.id.clone(),
        url: format!("{}/uploads/{}", ctx.base_url, upload.id),
        update: upload.update_id.clone(),
        media: upload.media_id.clone(),
        file_name: upload.file_name.clone(),
        received: upload.received,
        length: upload.length,
        recording: upload.deferred_at.is_some(),
        created_at: rfc3339(upload.created_at),
        touched_at: rfc3339(upload.touched_at),
        expires_at: rfc3339(upload.expires_at()),
    }
}
