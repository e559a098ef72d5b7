//! The threads on the page of an update. Scripts load them alone to show earlier threads, or a thread that changed.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;

use super::ThreadQuery;
use crate::people::Viewer;
use crate::state::State;
use crate::updates::Update;
use crate::web::extract::context::RequestContext;
use crate::web::pages::{Asked, Form, ThreadsPart};
use crate::web::presenters::{self, ThreadPage};
use crate::web::responses::{HandlerResult, html_page};
use crate::{comments, drafts, media, receipts};

/// Responds with the threads that the query selects, as a part of the page.
pub(crate) async fn threads_part(
    state: &State,
    ctx: &RequestContext,
    update: &Update,
    query: ThreadQuery,
) -> HandlerResult {
    let (range, asked) = query.parse()?;
    let mut connection = state.db.read().await?;
    let media = media::ids_of_update(&mut connection, &update.id).await?;
    let mut threads = presenters::thread_page(&mut connection, state, ctx, update, &range).await?;
    let mut drafts = BTreeMap::new();
    if let Viewer::Person(person) = &ctx.viewer {
        let clock = &state.clock;
        let seen = receipts::previous_visit(&mut connection, clock, &update.id, &person.id).await?;
        presenters::mark_new(&mut threads.threads, seen);
        drafts = drafts::of_person(&mut connection, &update.id, &person.id).await?;
    }
    presenters::number_media(&mut threads.threads, &media);
    let (written, open) = comments::count_visible(&mut connection, &ctx.viewer, &update.id).await?;
    drop(connection);
    let open = match ctx.viewer.guest_of(&update.id) {
        Some(_) => open,
        None => update.open_questions,
    };
    let part = ThreadsPart {
        counts: Some((written, open)),
        drafts,
        ..present(ctx, update, threads, "", media.len(), asked)
    };
    html_page(StatusCode::OK, &part)
}

/// Builds the context of the template. `path` is the path for links to the page itself; it is empty if the links are
/// relative.
pub(super) fn present(
    ctx: &RequestContext,
    update: &Update,
    threads: ThreadPage,
    path: &str,
    media: usize,
    asked: Asked,
) -> ThreadsPart {
    let guest = ctx.viewer.guest_of(&update.id);
    ThreadsPart {
        update: update.id.clone(),
        zone: ctx.zone().to_owned(),
        media,
        comments: threads.threads,
        path: path.to_owned(),
        earlier: thread_link(path, "before", threads.earlier),
        later: thread_link(path, "after", threads.later),
        may_answer: may_answer(ctx, update),
        guest: guest.is_some(),
        needs_name: guest.is_some_and(|guest| guest.name.is_none()),
        asked,
        form: Form::default(),
        drafts: BTreeMap::new(),
        counts: None,
    }
}

/// Whether the viewer may comment, react and answer.
pub(super) fn may_answer(ctx: &RequestContext, update: &Update) -> bool {
    let guest = ctx.viewer.guest_of(&update.id);
    guest.is_none_or(|guest| guest.may_comment) && update.trashed_at.is_none()
}

/// Returns the address of the page with earlier or later threads, or an empty string if there is no cursor.
fn thread_link(path: &str, name: &str, cursor: Option<String>) -> String {
    cursor.map_or_else(String::new, |cursor| format!("{path}?{name}={cursor}"))
}
