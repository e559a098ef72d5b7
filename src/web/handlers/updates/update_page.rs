//! Handler for the page and the JSON of one update.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web;
use sqlx::AnyConnection;

use super::ThreadQuery;
use super::access_summary::access_summary;
use super::answer_card::answer_card;
use super::threads_part::{may_answer, present, threads_part};
use crate::error::Result;
use crate::receipts::{Reader, Receipt};
use crate::state::State;
use crate::updates::{Update, UpdateState};
use crate::web::extract::context::RequestContext;
use crate::web::pages::{
    AccessSummary, AnswerCard, Asked, Form, MarkView, NavEntry, SharePreview, UpdatePage,
};
use crate::web::presenters::{self, ThreadPage, ThreadRange, UpdateMaterial, UpdateParts};
use crate::web::responses::{HandlerResult, html_page, json, see_other};
use crate::web::schema::{
    AudienceView, GuestAnswerView, LinkView, PersonView, ReceiptView, UpdateView,
};
use crate::{comments, drafts, events, inbox, links, receipts, updates};

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
    let query = threads.into_inner();
    if query.is_part() {
        return threads_part(&state, &ctx, &update, query).await;
    }
    let (threads, asked) = query.parse()?;
    let content = PageContent {
        threads,
        asked,
        ..PageContent::default()
    };
    update_page(&state, &ctx, StatusCode::OK, &update, content).await
}

/// Content that an update's page shows in addition to the update itself.
#[derive(Debug, Default)]
pub(crate) struct PageContent {
    /// The values and errors of a refused form.
    pub(crate) form: Form,
    /// The link preview, if the page is opened at a share link.
    pub(crate) share: Option<SharePreview>,
    /// The threads to show.
    pub(crate) threads: ThreadRange,
    /// The form or menu to show open.
    pub(crate) asked: Asked,
}

/// Renders the page of an update for a member or a guest. If a comment was refused, the composer still contains its
/// text.
pub(crate) async fn update_page(
    state: &State,
    ctx: &RequestContext,
    status: StatusCode,
    update: &Update,
    content: PageContent,
) -> HandlerResult {
    let loaded = Loaded::load(state, ctx, update, &content.threads).await?;
    let Loaded {
        own, people, view, ..
    } = loaded;
    let path = page_path(update, content.share.as_ref());
    let media = view.media.len();
    let mut threads = present(ctx, update, loaded.threads, &path, media, content.asked);
    let mut form = content.form;
    // A refused reply is shown again in its thread or, if that is gone, as a new comment.
    if threads.shows(form.value("parent_id")) {
        threads.form = std::mem::take(&mut form);
    }
    let draft = own.drafts.get(drafts::COMMENT).cloned().unwrap_or_default();
    threads.drafts = own.drafts;
    let (guest, may_answer, needs_name) = (threads.guest, threads.may_answer, threads.needs_name);
    let section = (!guest).then_some(NavEntry::Library);
    let owed = own.inbox.owed_by_me;
    let shown = UpdatePage {
        page: ctx
            .page_with_count(state, view.heading(), section, owed)
            .await?,
        access_summary: people.access_summary,
        answer_card: loaded.answer_card,
        muted: own.reader.muted,
        next: owed + own.inbox.said_to_me > 0,
        mail: state.sends_mail(),
        needs_name,
        links: people.links,
        guest,
        update: view,
        threads,
        marks: loaded.marks,
        form,
        draft,
        unseen: unseen_people(ctx),
        receipts: people.receipts,
        guests: people.guests,
        author: updates::must_be_author(&ctx.viewer, update).is_ok(),
        may_answer,
        live: live_address(ctx, update),
        event: loaded.event,
        share: content.share,
    };
    html_page(status, &shown)
}

/// What the page reads from the database.
struct Loaded {
    /// The newest event before the content was read.
    event: i64,
    own: OwnParts,
    view: UpdateView,
    threads: ThreadPage,
    marks: Vec<MarkView>,
    people: PeopleParts,
    answer_card: AnswerCard,
}

impl Loaded {
    async fn load(
        state: &State,
        ctx: &RequestContext,
        update: &Update,
        range: &ThreadRange,
    ) -> Result<Self> {
        let connection = &mut *state.db.read().await?;
        // Read the event number before the content. Otherwise, the page would miss events that occur during rendering.
        let event = events::newest_number(connection).await?;
        let guest = ctx.viewer.guest_of(&update.id);
        let own = load_own_parts(connection, state, ctx, update).await?;
        let (mut threads, material) =
            presenters::threads_of_page(connection, state, ctx, update, range).await?;
        let receipts = match guest {
            Some(_) => Vec::new(),
            None => receipts::of_update(connection, &update.id).await?,
        };
        let view = load_view(connection, state, ctx, update, material, &receipts).await?;
        let media: Vec<String> = view.media.iter().map(|media| media.id.clone()).collect();
        presenters::mark_new(&mut threads.threads, own.reader.previous_visit);
        presenters::number_media(&mut threads.threads, &media);
        let people = match guest {
            Some(_) => PeopleParts::default(),
            None => load_people_parts(connection, state, ctx, update, &view, &receipts).await?,
        };
        let answer_card = if may_answer(ctx, update) {
            answer_card(connection, ctx, update, &view, &own.drafts).await?
        } else {
            AnswerCard::default()
        };
        Ok(Self {
            event,
            marks: load_marks(connection, ctx, update, &media, &threads).await?,
            own,
            view,
            threads,
            people,
            answer_card,
        })
    }
}

/// Presents the update with what the page needs of it. The page does not show who is in the audience, except groups
/// whose later members can open the update.
async fn load_view(
    connection: &mut AnyConnection,
    state: &State,
    ctx: &RequestContext,
    update: &Update,
    material: UpdateMaterial,
    receipts: &[Receipt],
) -> Result<UpdateView> {
    let is_guest = ctx.viewer.guest_of(&update.id).is_some();
    let me = ctx.viewer.person().map_or("", |person| person.id.as_str());
    let groups = if !is_guest && update.later_members_at.is_some() {
        presenters::group_views(connection, update).await?
    } else {
        Vec::new()
    };
    let parts = UpdateParts {
        album: material.album,
        mine: receipts
            .iter()
            .find(|receipt| receipt.person_id == me)
            .cloned(),
        reactions: material.reactions,
        audience: AudienceView {
            groups,
            everyone: !is_guest && update.everyone_at.is_some(),
            ..AudienceView::default()
        },
        comments: if is_guest {
            comments::count_visible(connection, &ctx.viewer, &update.id).await?
        } else {
            (material.comments, update.open_questions)
        },
    };
    let mut view = presenters::present_update(connection, state, ctx, update, parts).await?;
    presenters::attach_markup(connection, &mut view.media).await?;
    Ok(view)
}

/// Loads the marks of the comments that the page does not show. The media shows every mark, even if its
/// comment is not on the page.
async fn load_marks(
    connection: &mut AnyConnection,
    ctx: &RequestContext,
    update: &Update,
    media: &[String],
    threads: &ThreadPage,
) -> Result<Vec<MarkView>> {
    if media.is_empty() || !threads.is_partial() {
        return Ok(Vec::new());
    }
    let marks = comments::marks(connection, &ctx.viewer, &update.id).await?;
    Ok(presenters::mark_views(marks, threads))
}

/// Returns the path for links to the page itself. A guest opens the page at the secret address of
/// the share link, not at `/updates/ID`, so these links are relative.
fn page_path(update: &Update, share: Option<&SharePreview>) -> String {
    match share {
        Some(_) => String::new(),
        None => format!("/updates/{}", update.id),
    }
}

/// Data about other people. Guests see none of it.
#[derive(Default)]
struct PeopleParts {
    receipts: Vec<ReceiptView>,
    guests: Vec<GuestAnswerView>,
    /// The share links; only for the author.
    links: Vec<LinkView>,
    access_summary: Option<AccessSummary>,
}

async fn load_people_parts(
    connection: &mut AnyConnection,
    state: &State,
    ctx: &RequestContext,
    update: &Update,
    view: &UpdateView,
    receipts: &[Receipt],
) -> Result<PeopleParts> {
    let author = updates::must_be_author(&ctx.viewer, update).is_ok();
    let links = links::of_update(connection, &update.id).await?;
    // Without share links, there are no guests.
    let guests = if links.is_empty() {
        Vec::new()
    } else {
        receipts::guest_answers(connection, &update.id).await?
    };
    let open_links = links
        .iter()
        .filter(|link| link.revoked_at.is_none())
        .count();
    Ok(PeopleParts {
        receipts: presenters::receipt_views(state, ctx, update, receipts, &[]),
        guests: guests
            .iter()
            .map(|answer| presenters::guest_view(answer, author))
            .collect(),
        links: links
            .iter()
            .filter(|_| author)
            .map(|link| presenters::link_view(ctx, link, None))
            .collect(),
        access_summary: Some(access_summary(view, author, open_links)),
    })
}

/// Data about the viewer, such as the viewer's unsent texts. Empty for guests.
#[derive(Default)]
struct OwnParts {
    reader: Reader,
    inbox: inbox::Counts,
    drafts: BTreeMap<String, String>,
}

async fn load_own_parts(
    connection: &mut AnyConnection,
    state: &State,
    ctx: &RequestContext,
    update: &Update,
) -> Result<OwnParts> {
    let Ok(person) = ctx.viewer.person() else {
        return Ok(OwnParts::default());
    };
    Ok(OwnParts {
        reader: receipts::reader(connection, &state.clock, &update.id, &person.id).await?,
        inbox: inbox::counts(connection, &state.clock, &person.id).await?,
        drafts: drafts::of_person(connection, &update.id, &person.id).await?,
    })
}

/// Returns the people whom the viewer's new comment mentions and who cannot see the update.
fn unseen_people(ctx: &RequestContext) -> Vec<PersonView> {
    ctx.flash
        .unseen
        .iter()
        .map(|(id, name)| PersonView {
            id: id.clone(),
            name: name.clone(),
        })
        .collect()
}

/// Returns the address of the page's live stream; empty if there is none.
fn live_address(ctx: &RequestContext, update: &Update) -> String {
    if update.trashed_at.is_some() || !ctx.live {
        String::new()
    } else {
        format!("/updates/{}/live", update.id)
    }
}
