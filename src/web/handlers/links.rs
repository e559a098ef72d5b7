//! Handlers that manage share links and show the page that a share link opens.

use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};

use crate::error::Error;
use crate::infra::markdown;
use crate::links::Link;
use crate::media::RenditionName;
use crate::people::{Guest, Viewer};
use crate::state::State;
use crate::updates::{Cursor, Update};
use crate::web::extract::context::RequestContext;
use crate::web::extract::fields::Fields;
use crate::web::extract::flash::Flash;
use crate::web::extract::guest_cookie::{guest_cookie, guests_of};
use crate::web::extract::list_query::ListQuery;
use crate::web::handlers::updates::{PageContent, ThreadQuery, threads_part, update_page};
use crate::web::pages::{LinksPage, NavEntry, SharePreview};
use crate::web::presenters;
use crate::web::responses::{
    HandlerResult, html_page, json, no_content_or_redirect, return_path, see_other,
    see_other_with_flash,
};
use crate::web::schema::{ListView, UpdateView};
use crate::{links, text, updates};

/// Lists the links of one of the viewer's own updates.
pub(crate) async fn list(
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    let mut connection = state.db.read().await?;
    let update = updates::find(&mut connection, &ctx.viewer, &id).await?;
    updates::must_be_author(&ctx.viewer, &update)?;
    let items = links::of_update(&mut connection, &id)
        .await?
        .iter()
        .map(|link| presenters::link_view(&ctx, link, None))
        .collect();
    json(StatusCode::OK, &ListView { items, next: None })
}

pub(crate) async fn create(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
    payload: web::Payload,
) -> HandlerResult {
    let mut fields = Fields::read(&req, payload).await?;
    let name = fields
        .text("name", text::MAX_NAME)
        .flatten()
        .unwrap_or_default();
    let comments = fields.flag("comments").unwrap_or(false);
    fields.finish()?;
    let mut tx = state.db.begin().await?;
    let (link, secret) =
        links::create(&mut tx, &state.clock, &ctx.viewer, &id, &name, comments).await?;
    tx.commit().await?;
    let view = presenters::link_view(&ctx, &link, Some(&secret));
    if ctx.wants_html {
        let said = Flash {
            text: Some(format!(
                "The link “{}” has been created. Copy it now: it will not be shown again.",
                link.name
            )),
            link: view.url,
            ..Flash::default()
        };
        return see_other_with_flash(&state, &format!("/updates/{id}"), &said);
    }
    json(StatusCode::CREATED, &view)
}

/// Lists the share links of the workspace for admins, one page at a time, as HTML or JSON.
pub(crate) async fn all(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
) -> HandlerResult {
    let person = ctx.person()?;
    let query = ListQuery::read(&req, &[])?;
    let mut found = links::list_all(
        &mut *state.db.read().await?,
        person,
        query.after.as_ref(),
        query.query_limit(),
    )
    .await?;
    let next = query.split_page(&mut found, |link| Cursor {
        listed_at: link.created_at,
        id: link.id.clone(),
    });
    let items: Vec<_> = found
        .into_iter()
        .map(|link| presenters::listed_link_view(&ctx, link))
        .collect();
    if !ctx.wants_html {
        return json(StatusCode::OK, &ListView { items, next });
    }
    let next = next
        .map(|next| format!("/links?after={next}"))
        .unwrap_or_default();
    html_page(
        StatusCode::OK,
        &LinksPage {
            page: ctx
                .page(&state, "Share links", Some(NavEntry::ShareLinks))
                .await?,
            links: items,
            next,
        },
    )
}

pub(crate) async fn revoke(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    let mut tx = state.db.begin().await?;
    let update = links::revoke(&mut tx, &state.clock, &ctx.viewer, &id).await?;
    // Admins can revoke links to updates that they cannot open. In that case, return to the list of links.
    let page = match updates::find(&mut tx, &ctx.viewer, &update).await {
        Ok(_) => format!("/updates/{update}"),
        Err(Error::NotFound) => "/links".to_owned(),
        Err(error) => return Err(error),
    };
    tx.commit().await?;
    no_content_or_redirect(&ctx, &return_path(&req, &page))
}

/// Shows the update to a guest. A signed-in person who has access without the link sees the update under their own
/// account.
pub(crate) async fn open(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    secret: web::Path<String>,
    threads: web::Query<ThreadQuery>,
) -> HandlerResult {
    let query = threads.into_inner();
    // Read the guests before taking a database connection. A request that holds one connection must never wait for
    // another, because such requests can deadlock.
    let guests = guests_of(&state, &req).await?;
    let mut connection = state.db.read().await?;
    let link = links::by_secret(&mut connection, &secret)
        .await?
        .ok_or(Error::NotFound)?;
    let has_own_access = ctx.viewer.person().is_ok()
        && updates::find(&mut connection, &ctx.viewer, &link.update_id)
            .await
            .is_ok();
    if has_own_access && ctx.wants_html {
        return Ok(see_other(&format!("/updates/{}", link.update_id)));
    }
    let known = guests.into_iter().find(|guest| guest.link_id == link.id);
    let is_new = known.is_none();
    let (cookie, new_id) = guest_cookie(&state, &link.id);
    let ctx = as_guest(ctx, known.unwrap_or_else(|| new_guest(new_id, &link)));
    let update = updates::find(&mut connection, &ctx.viewer, &link.update_id).await?;
    drop(connection);
    let mut answer = guest_response(&req, &ctx, &state, &update, &secret, query).await?;
    if is_new && *req.method() == Method::GET {
        answer.add_cookie(&cookie).map_err(Error::internal)?;
    }
    keep_address_secret(&mut answer);
    Ok(answer)
}

/// Responds with the update as the guest sees it: as JSON, as a page, or with a part of the page.
async fn guest_response(
    req: &HttpRequest,
    ctx: &RequestContext,
    state: &State,
    update: &Update,
    secret: &str,
    query: ThreadQuery,
) -> HandlerResult {
    if query.is_part() {
        return threads_part(state, ctx, update, query).await;
    }
    let mut connection = state.db.read().await?;
    let view = presenters::update_view(&mut connection, state, ctx, update).await?;
    drop(connection);
    if wants_json(req) {
        return json(StatusCode::OK, &view);
    }
    let (threads, asked) = query.parse()?;
    let content = PageContent {
        share: Some(share_preview(ctx, secret, &view)),
        threads,
        asked,
        ..PageContent::default()
    };
    update_page(state, ctx, StatusCode::OK, update, content).await
}

fn new_guest(id: String, link: &Link) -> Guest {
    Guest {
        id,
        name: None,
        link_id: link.id.clone(),
        update_id: link.update_id.clone(),
        may_comment: link.comments_at.is_some(),
        is_program: false,
    }
}

/// Keeps the secret address out of search engines and out of the Referer headers of requests to
/// other sites.
fn keep_address_secret(answer: &mut HttpResponse) {
    let headers = answer.headers_mut();
    headers.insert(
        HeaderName::from_static("x-robots-tag"),
        HeaderValue::from_static("noindex, nofollow"),
    );
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    );
}

/// Replaces the viewer in the request context with this guest.
fn as_guest(ctx: RequestContext, guest: Guest) -> RequestContext {
    // Do not let a signed-in person comment, react or answer here: the request would come from
    // their account, which has no access to this update.
    let signed_in = ctx.viewer.person().is_ok();
    let guest = Guest {
        may_comment: guest.may_comment && !signed_in,
        ..guest
    };
    RequestContext {
        viewer: Viewer::Guest(vec![guest]),
        live: !signed_in,
        ..ctx
    }
}

/// Builds the preview that chat programs show for a share link.
fn share_preview(ctx: &RequestContext, secret: &str, view: &UpdateView) -> SharePreview {
    let image = view.media.first().map_or("", |media| {
        if media.has(RenditionName::Poster) {
            media.poster()
        } else {
            media.thumbnail()
        }
    });
    SharePreview {
        url: format!("{}/s/{secret}", ctx.base_url),
        image: image.to_owned(),
        description: markdown::plain_text(&view.notes)
            .chars()
            .take(200)
            .collect(),
    }
}

/// Returns whether the client explicitly asks for JSON. Link previews send `Accept: */*` and get the page.
fn wants_json(req: &HttpRequest) -> bool {
    let accept = req
        .headers()
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    accept.contains("application/json") && !crate::web::extract::accept::wants_html(req.headers())
}
