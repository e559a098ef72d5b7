//! Handlers for updates: the library, writing, the update's page, and muting.

mod access;
mod answer_bar;
mod library;
mod thread_query;
mod write;

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};

pub(crate) use access::access;
use answer_bar::{answer_bar, unsent_readback};
pub(crate) use library::{library, search, trash_page};
pub(crate) use thread_query::ThreadQuery;
pub(crate) use write::{create, edit, edit_page, material, new_page, publish, unpublish};

use crate::state::State;
use crate::updates::{Update, UpdateState, Visibility};
use crate::web::extract::context::RequestContext;
use crate::web::extract::flash::Flash;
use crate::web::pages::{AnswerBar, Form, SharePreview, UpdatePage, VersionsPage};
use crate::web::presenters::{self, ThreadRange};
use crate::web::responses::{
    HandlerResult, html_page, json, json_or_redirect, no_content_or_redirect, return_path,
    see_other, see_other_with_flash,
};
use crate::web::schema::{ListView, PersonView, UpdateView};
use crate::{drafts, events, inbox, links, media, notifications, receipts, sample, updates};

/// Shows one update as a page or JSON. The author of a draft is redirected to the edit page.
pub(crate) async fn show(
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
    threads: web::Query<ThreadQuery>,
) -> HandlerResult {
    let mut connection = state.db.read().await?;
    let update = updates::find(&mut connection, &ctx.viewer, &id).await?;
    if !ctx.wants_html {
        return json(
            StatusCode::OK,
            &presenters::update_view(&mut connection, &state, &ctx, &update).await?,
        );
    }
    drop(connection);
    if update.state() == UpdateState::Draft {
        return Ok(see_other(&format!("/updates/{id}/edit")));
    }
    let content = PageContent {
        threads: threads.into_inner().range()?,
        ..PageContent::default()
    };
    update_page(&state, &ctx, StatusCode::OK, &update, content).await
}

/// What the page of an update shows in addition to the update.
#[derive(Debug, Default)]
pub(crate) struct PageContent {
    /// The typed text and the errors of a refused form.
    pub(crate) form: Form,
    /// The preview of a share link.
    pub(crate) share: Option<SharePreview>,
    /// The threads to show.
    pub(crate) threads: ThreadRange,
}

/// Renders the page of an update for a member or a guest. If a comment was refused, the composer keeps the
/// typed text.
pub(crate) async fn update_page(
    state: &State,
    ctx: &RequestContext,
    status: StatusCode,
    update: &Update,
    content: PageContent,
) -> HandlerResult {
    let PageContent {
        form,
        share,
        threads,
    } = content;
    let mut connection = state.db.read().await?;
    // Read the event number before the content. Otherwise, the page would miss events that occur during rendering.
    let event = events::newest_number(&mut connection).await?;
    let mut view = presenters::update_view(&mut connection, state, ctx, update).await?;
    presenters::attach_markup(&mut connection, &mut view.media).await?;
    let threads = presenters::thread_page(&mut connection, state, ctx, update, &threads).await?;
    let guest = ctx.viewer.guest_of(&update.id);
    if guest.is_some() {
        // Count only the comments that the guest can see.
        view.counts.comments = i64::try_from(threads.comments).unwrap_or(i64::MAX);
        view.counts.open_questions = i64::try_from(threads.open_questions).unwrap_or(i64::MAX);
    }
    let author = updates::must_be_author(&ctx.viewer, update).is_ok();
    let (mut receipts, mut guests, mut links) = (Vec::new(), Vec::new(), Vec::new());
    if guest.is_none() {
        let all = receipts::of_update(&mut connection, &update.id).await?;
        receipts = presenters::receipt_views(state, ctx, update, &all, &[]);
        guests = receipts::guest_answers(&mut connection, &update.id)
            .await?
            .iter()
            .map(|answer| presenters::guest_view(answer, author))
            .collect();
        links = links::of_update(&mut connection, &update.id).await?;
    }
    let mut bar = answer_bar(&mut connection, ctx, update, &view).await?;
    let (mut muted, mut next, mut drafts) = (false, false, BTreeMap::new());
    if let Ok(person) = ctx.viewer.person() {
        muted = notifications::is_muted(&mut connection, &person.id, &update.id).await?;
        next = inbox::next_update(&mut connection, &state.clock, &person.id, "", &[])
            .await?
            .is_some();
        drafts = drafts::of_person(&mut connection, &update.id, &person.id).await?;
        bar.draft = unsent_readback(&drafts, &bar);
        bar.reason_draft = drafts.get(drafts::DECLINE).cloned().unwrap_or_default();
    }
    drop(connection);
    let may_answer = guest.is_none_or(|guest| guest.may_comment) && update.trashed_at.is_none();
    let live = if update.trashed_at.is_some() || !ctx.live {
        String::new()
    } else {
        format!("/updates/{}/live", update.id)
    };
    let open_links = links
        .iter()
        .filter(|link| link.revoked_at.is_none())
        .count();
    // The address of a guest's page is a secret that only the browser knows, so links to the page
    // are relative.
    let path = match share {
        Some(_) => String::new(),
        None => format!("/updates/{}", update.id),
    };
    let shown = UpdatePage {
        page: ctx
            .page(
                state,
                view.heading(),
                if guest.is_some() { "" } else { "updates" },
            )
            .await?,
        access_summary: if guest.is_some() {
            String::new()
        } else {
            access_summary(&view, author, open_links)
        },
        answer_bar: if may_answer {
            bar
        } else {
            AnswerBar::default()
        },
        muted,
        next,
        mail: state.sends_mail(),
        needs_name: guest.is_some_and(|guest| guest.name.is_none()),
        links: if author {
            links
                .iter()
                .map(|link| presenters::link_view(ctx, link, None))
                .collect()
        } else {
            Vec::new()
        },
        guest: guest.is_some(),
        update: view,
        earlier: thread_link(&path, "before", threads.earlier),
        later: thread_link(&path, "after", threads.later),
        comments: threads.threads,
        form,
        drafts,
        unseen: ctx
            .flash
            .unseen
            .iter()
            .map(|(id, name)| PersonView {
                id: id.clone(),
                name: name.clone(),
            })
            .collect(),
        receipts,
        guests,
        author,
        may_answer,
        live,
        event,
        share,
    };
    html_page(status, &shown)
}

/// Returns the address of the page with earlier or later threads; empty without a cursor.
fn thread_link(path: &str, name: &str, cursor: Option<String>) -> String {
    cursor.map_or_else(String::new, |cursor| format!("{path}?{name}={cursor}"))
}

/// Summarises who can open the update. For example, the author sees "You, 6 people, 1 open link", and a recipient
/// sees "Ada, you, 5 more people".
fn access_summary(update: &UpdateView, author: bool, links: usize) -> String {
    let everyone = update.visibility == Visibility::Workspace || update.audience.everyone;
    let some = |count: i64, one: &str, more: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        count => Some(format!("{count} {more}")),
    };
    let mut parts = vec![if author {
        "You".to_owned()
    } else {
        update.author.name.clone()
    }];
    if everyone {
        parts.push("everyone with an account".into());
    } else if update.my_receipt.is_some() {
        parts.push("you".into());
        parts.extend(some(
            update.counts.recipients - 1,
            "more person",
            "more people",
        ));
    } else {
        parts.extend(some(update.counts.recipients, "person", "people"));
    }
    if update.later_members && !everyone {
        parts.extend(
            update
                .audience
                .groups
                .iter()
                .map(|group| format!("people who join @{} later", group.name)),
        );
    }
    parts.extend(some(
        i64::try_from(links).unwrap_or(i64::MAX),
        "open link",
        "open links",
    ));
    if parts.len() == 1 && author {
        "Only you".into()
    } else {
        parts.join(", ")
    }
}

pub(crate) async fn open(
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    let mut tx = state.db.begin().await?;
    receipts::record_opening(&mut tx, &state.clock, &ctx.viewer, &id).await?;
    links::record_opening(&mut tx, &state.clock, &ctx.viewer, &id).await?;
    tx.commit().await?;
    no_content_or_redirect(&ctx, &format!("/updates/{id}"))
}

pub(crate) async fn trash(
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    let mut tx = state.db.begin().await?;
    updates::trash(&mut tx, &state.clock, &ctx.viewer, &id).await?;
    tx.commit().await?;
    if ctx.wants_html {
        return see_other_with_flash(
            &state,
            "/trash",
            &Flash::text(
                "The update is in the trash. It will be permanently deleted after 30 days.",
            ),
        );
    }
    no_content_or_redirect(&ctx, "/trash")
}

pub(crate) async fn restore(
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    let mut tx = state.db.begin().await?;
    let update = updates::restore(&mut tx, &state.clock, &ctx.viewer, &id).await?;
    tx.commit().await?;
    let view = presenters::update_view(&mut *state.db.read().await?, &state, &ctx, &update).await?;
    json_or_redirect(&ctx, StatusCode::OK, &format!("/updates/{id}"), &view)
}

/// Permanently deletes one update from the viewer's trash. Does nothing if the update is not in the trash.
pub(crate) async fn delete(
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    delete_from_trash(&ctx, &state, Some(&id)).await
}

/// Permanently deletes everything in the viewer's trash.
pub(crate) async fn empty_trash(ctx: RequestContext, state: web::Data<State>) -> HandlerResult {
    delete_from_trash(&ctx, &state, None).await
}

async fn delete_from_trash(
    ctx: &RequestContext,
    state: &State,
    one: Option<&str>,
) -> HandlerResult {
    let mut tx = state.db.begin().await?;
    updates::empty_trash(&mut tx, &state.clock, ctx.person()?, one).await?;
    tx.commit().await?;
    no_content_or_redirect(ctx, "/trash")
}

/// Adds one recipient: a person who was mentioned in a comment and cannot see the update. Only the author may
/// do this.
pub(crate) async fn add_recipient(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
) -> HandlerResult {
    let (id, person) = at.into_inner();
    let mut tx = state.db.begin().await?;
    let update = updates::add_recipient(&mut tx, &state.clock, &ctx.viewer, &id, &person).await?;
    state.enqueue_mail(&mut tx, &id).await?;
    tx.commit().await?;
    if ctx.wants_html {
        return Ok(see_other(&return_path(&req, &format!("/updates/{id}"))));
    }
    json(
        StatusCode::OK,
        &presenters::update_view(&mut *state.db.read().await?, &state, &ctx, &update).await?,
    )
}

/// Lists the versions of an update, for its author.
pub(crate) async fn versions(
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    let mut connection = state.db.read().await?;
    let update = updates::find(&mut connection, &ctx.viewer, &id).await?;
    updates::must_be_author(&ctx.viewer, &update)?;
    let there: Vec<_> = media::of_versions(&mut connection, &id)
        .await?
        .iter()
        .map(|entry| presenters::media_view(&state, &ctx, true, entry))
        .collect();
    let items: Vec<_> = updates::revisions(&mut connection, &id)
        .await?
        .iter()
        .map(|one| presenters::revision_view(one, &there))
        .collect();
    if !ctx.wants_html {
        return json(StatusCode::OK, &ListView { items, next: None });
    }
    let view = presenters::update_view(&mut connection, &state, &ctx, &update).await?;
    drop(connection);
    let title = format!("Versions of “{}”", view.heading());
    html_page(
        StatusCode::OK,
        &VersionsPage {
            page: ctx.page(&state, title, "updates").await?,
            update: view,
            items,
        },
    )
}

/// Mutes an update for the viewer. Notifications that directly concern the viewer are still sent.
pub(crate) async fn mute(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    set_muted(&req, &ctx, &state, &id, true).await
}

pub(crate) async fn unmute(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    set_muted(&req, &ctx, &state, &id, false).await
}

async fn set_muted(
    req: &HttpRequest,
    ctx: &RequestContext,
    state: &State,
    id: &str,
    muted: bool,
) -> HandlerResult {
    let person = ctx.person()?;
    let mut tx = state.db.begin().await?;
    let update = updates::find(&mut tx, &ctx.viewer, id).await?;
    if muted {
        sample::before_mute(&mut tx, &state.clock, &update).await?;
    }
    notifications::set_muted(&mut tx, &state.clock, &person.id, id, muted).await?;
    tx.commit().await?;
    no_content_or_redirect(ctx, &return_path(req, &format!("/updates/{id}")))
}
