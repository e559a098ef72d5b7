//! Updates: the library, writing one, its page, and answering it.

mod access;
mod library;
mod write;

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use sqlx::AnyConnection;

pub(crate) use access::access;
pub(crate) use library::{library, search, trash_page};
pub(crate) use write::{create, edit, edit_page, material, new_page, publish, unpublish};

use crate::clock::rfc3339;
use crate::error::Result;
use crate::state::State;
use crate::updates::Update;
use crate::web::extract::context::{Ask, Said};
use crate::web::pages::{AnswerBar, Form, SharePreview, UpdatePage, VersionsPage};
use crate::web::presenters;
use crate::web::responses::{Answer, back, data, done, nothing, page, see_other, see_other_saying};
use crate::web::schema::{ListShape, PersonShape, UpdateShape};
use crate::{drafts, events, inbox, links, media, notifications, receipts, sample, updates};

/// One update: its page, or its JSON. The author of a draft is led to where it is edited.
pub(crate) async fn show(ask: Ask, state: web::Data<State>, id: web::Path<String>) -> Answer {
    let mut connection = state.db.read().await?;
    let update = updates::find(&mut connection, &ask.viewer, &id).await?;
    if !ask.html {
        return data(
            StatusCode::OK,
            &presenters::update(&mut connection, &state, &ask, &update).await?,
        );
    }
    drop(connection);
    if update.state() == "draft" {
        return Ok(see_other(&format!("/updates/{id}/edit")));
    }
    update_page(&state, &ask, StatusCode::OK, &update, Form::default(), None).await
}

/// The page of an update for a member or a guest, with what was typed into its composer if that was refused.
pub(crate) async fn update_page(
    state: &State,
    ask: &Ask,
    status: StatusCode,
    update: &Update,
    form: Form,
    share: Option<SharePreview>,
) -> Answer {
    let mut connection = state.db.read().await?;
    // Read first: what happens while the page is made comes again as an event, and is never missed.
    let event = events::newest(&mut connection).await?;
    let mut shape = presenters::update(&mut connection, state, ask, update).await?;
    presenters::lay(&mut connection, &mut shape.media).await?;
    let comments = presenters::threads(&mut connection, state, ask, update).await?;
    let guest = ask.viewer.guest_of(&update.id);
    if guest.is_some() {
        // A guest's number is that of the threads a guest sees.
        let seen = comments
            .iter()
            .map(|thread| thread.replies.len() + usize::from(!thread.removed))
            .sum::<usize>();
        shape.counts.comments = i64::try_from(seen).unwrap_or(i64::MAX);
        let open = comments
            .iter()
            .filter(|thread| thread.state.as_deref() == Some("open"))
            .count();
        shape.counts.open_questions = i64::try_from(open).unwrap_or(i64::MAX);
    }
    let author = updates::must_be_author(&ask.viewer, update).is_ok();
    let (mut receipts, mut guests, mut links) = (Vec::new(), Vec::new(), Vec::new());
    if guest.is_none() {
        let all = receipts::of(&mut connection, &update.id).await?;
        receipts = presenters::receipt_shapes(state, ask, update, &all, &[]);
        guests = receipts::of_guests(&mut connection, &update.id)
            .await?
            .iter()
            .map(|answer| presenters::guest_shape(answer, author))
            .collect();
        links = links::of(&mut connection, &update.id).await?;
    }
    let mut bar = answer_bar(&mut connection, ask, update, &shape).await?;
    let (mut muted, mut next, mut drafts) = (false, false, BTreeMap::new());
    if let Ok(person) = ask.viewer.person() {
        muted = notifications::muted(&mut connection, &person.id, &update.id).await?;
        next = inbox::next(&mut connection, &state.clock, &person.id, "", &[])
            .await?
            .is_some();
        drafts = drafts::of(&mut connection, &update.id, &person.id).await?;
        bar.draft = drafts.get(drafts::READBACK).cloned().unwrap_or_default();
        bar.reason_draft = drafts.get(drafts::DECLINE).cloned().unwrap_or_default();
    }
    drop(connection);
    let may_answer = guest.is_none_or(|guest| guest.comments) && update.trashed_at.is_none();
    let live = if update.trashed_at.is_some() || !ask.live {
        String::new()
    } else {
        format!("/updates/{}/live", update.id)
    };
    let open_links = links
        .iter()
        .filter(|link| link.revoked_at.is_none())
        .count();
    let shown = UpdatePage {
        page: ask
            .page(
                state,
                shape.heading(),
                if guest.is_some() { "" } else { "updates" },
            )
            .await?,
        who: if guest.is_some() {
            String::new()
        } else {
            who(&shape, author, open_links)
        },
        bar: if may_answer {
            bar
        } else {
            AnswerBar::default()
        },
        muted,
        next,
        mail: state.mails(),
        needs_name: guest.is_some_and(|guest| guest.name.is_none()),
        links: if author {
            links
                .iter()
                .map(|link| presenters::link_shape(ask, link, None))
                .collect()
        } else {
            Vec::new()
        },
        guest: guest.is_some(),
        update: shape,
        comments,
        form,
        drafts,
        unseen: ask
            .said
            .unseen
            .iter()
            .map(|(id, name)| PersonShape {
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
    page(status, &shown)
}

/// What is asked of who looks, and what they answered.
async fn answer_bar(
    connection: &mut AnyConnection,
    ask: &Ask,
    update: &Update,
    shape: &UpdateShape,
) -> Result<AnswerBar> {
    if let Some(guest) = ask.viewer.guest_of(&update.id) {
        let answer = receipts::of_guest(connection, &guest.id)
            .await?
            .filter(|(_, seen, _)| *seen >= update.revision);
        return Ok(match answer {
            Some((at, _, words)) => AnswerBar {
                state: if words.is_some() {
                    "read_back"
                } else {
                    "acknowledged"
                }
                .into(),
                at: rfc3339(at),
                words: words.unwrap_or_default(),
                ..AnswerBar::default()
            },
            None => AnswerBar {
                asked: update.asks(),
                ..AnswerBar::default()
            },
        });
    }
    let Some(receipt) = &shape.my_receipt else {
        return Ok(AnswerBar::default());
    };
    let exchange = receipts::exchanges(connection, &ask.viewer, update).await?;
    let changes = match receipt.revision {
        Some(seen) => updates::changes_since(connection, update, seen).await?,
        None => None,
    };
    Ok(AnswerBar {
        asked: receipt.owes,
        state: receipt.state.clone(),
        at: receipt.answered_at.clone().unwrap_or_default(),
        words: receipt
            .readback
            .clone()
            .or(receipt.reason.clone().filter(|_| !receipt.owes))
            .unwrap_or_default(),
        correction: receipt.correction.clone().unwrap_or_default(),
        due: receipt.due.clone(),
        overdue: receipt.overdue,
        changes: changes.map(|changes| presenters::changes(update, changes)),
        exchange: exchange
            .iter()
            .filter(|one| one.person_id == receipt.person.id)
            .map(presenters::exchange_shape)
            .collect(),
        disclosed: receipt.disclosed,
        ..AnswerBar::default()
    })
}

/// Who can open it: "You, 6 people, 1 open link", or for one of them "Ada, you, 5 more people".
fn who(update: &UpdateShape, author: bool, links: usize) -> String {
    let everyone = update.visibility == "workspace" || update.audience.everyone;
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
                .map(|group| format!("whoever joins @{} later", group.name)),
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

pub(crate) async fn open(ask: Ask, state: web::Data<State>, id: web::Path<String>) -> Answer {
    let mut tx = state.db.begin().await?;
    receipts::open(&mut tx, &state.clock, &ask.viewer, &id).await?;
    links::record_opening(&mut tx, &state.clock, &ask.viewer, &id).await?;
    tx.commit().await?;
    nothing(&ask, &format!("/updates/{id}"))
}

pub(crate) async fn trash(ask: Ask, state: web::Data<State>, id: web::Path<String>) -> Answer {
    let mut tx = state.db.begin().await?;
    updates::trash(&mut tx, &state.clock, &ask.viewer, &id).await?;
    tx.commit().await?;
    if ask.html {
        return see_other_saying(
            &state,
            "/trash",
            &Said::text("It is in the trash. It is deleted for good after 30 days."),
        );
    }
    nothing(&ask, "/trash")
}

pub(crate) async fn restore(ask: Ask, state: web::Data<State>, id: web::Path<String>) -> Answer {
    let mut tx = state.db.begin().await?;
    let update = updates::restore(&mut tx, &state.clock, &ask.viewer, &id).await?;
    tx.commit().await?;
    let shape = presenters::update(&mut *state.db.read().await?, &state, &ask, &update).await?;
    done(&ask, StatusCode::OK, &format!("/updates/{id}"), &shape)
}

/// Deletes one update from my trash for good; one that is not there is left alone.
pub(crate) async fn delete(ask: Ask, state: web::Data<State>, id: web::Path<String>) -> Answer {
    empty(&ask, &state, Some(&id)).await
}

/// Deletes all of my trash for good.
pub(crate) async fn empty_trash(ask: Ask, state: web::Data<State>) -> Answer {
    empty(&ask, &state, None).await
}

async fn empty(ask: &Ask, state: &State, one: Option<&str>) -> Answer {
    let mut tx = state.db.begin().await?;
    updates::empty_trash(&mut tx, &state.clock, ask.person()?, one).await?;
    tx.commit().await?;
    nothing(ask, "/trash")
}

/// The author adds one person: who was named in a comment and cannot see it.
pub(crate) async fn add_recipient(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
) -> Answer {
    let (id, person) = at.into_inner();
    let mut tx = state.db.begin().await?;
    let update = updates::add_recipient(&mut tx, &state.clock, &ask.viewer, &id, &person).await?;
    state.mail(&mut tx, &id).await?;
    tx.commit().await?;
    if ask.html {
        return Ok(see_other(&back(&req, &format!("/updates/{id}"))));
    }
    data(
        StatusCode::OK,
        &presenters::update(&mut *state.db.read().await?, &state, &ask, &update).await?,
    )
}

/// The versions of an update: for its author.
pub(crate) async fn versions(ask: Ask, state: web::Data<State>, id: web::Path<String>) -> Answer {
    let mut connection = state.db.read().await?;
    let update = updates::find(&mut connection, &ask.viewer, &id).await?;
    updates::must_be_author(&ask.viewer, &update)?;
    let there: Vec<_> = media::of_versions(&mut connection, &id)
        .await?
        .iter()
        .map(|entry| presenters::media_shape(&state, &ask, true, entry))
        .collect();
    let items: Vec<_> = updates::revisions(&mut connection, &id)
        .await?
        .iter()
        .map(|one| presenters::revision_shape(one, &there))
        .collect();
    if !ask.html {
        return data(StatusCode::OK, &ListShape { items, next: None });
    }
    let shape = presenters::update(&mut connection, &state, &ask, &update).await?;
    drop(connection);
    let title = format!("Versions of “{}”", shape.heading());
    page(
        StatusCode::OK,
        &VersionsPage {
            page: ask.page(&state, title, "updates").await?,
            update: shape,
            items,
        },
    )
}

/// Wants to hear nothing of it that does not concern them.
pub(crate) async fn mute(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    id: web::Path<String>,
) -> Answer {
    set_muted(&req, &ask, &state, &id, true).await
}

pub(crate) async fn unmute(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    id: web::Path<String>,
) -> Answer {
    set_muted(&req, &ask, &state, &id, false).await
}

async fn set_muted(req: &HttpRequest, ask: &Ask, state: &State, id: &str, muted: bool) -> Answer {
    let person = ask.person()?;
    let mut tx = state.db.begin().await?;
    updates::find(&mut tx, &ask.viewer, id).await?;
    if muted {
        sample::put_away(&mut tx, &state.clock, &ask.viewer, id).await?;
    }
    notifications::mute(&mut tx, &state.clock, &person.id, id, muted).await?;
    tx.commit().await?;
    nothing(ask, &back(req, &format!("/updates/{id}")))
}
