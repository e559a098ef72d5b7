//! Which streams continue, and who receives which events.

use crate::error::{Error, Result};
use crate::events::{Event, EventKind};
use crate::people::Viewer;
use crate::state::State;
use crate::web::extract::viewer::{grant, viewer_by_grant};
use crate::{comments, receipts, updates};

/// Returns whether the viewer still has access. Access ends, for example, when the link is revoked,
/// when the session ends, or when the person is removed from the audience.
pub(super) async fn still_allowed(
    state: &State,
    viewer: &Viewer,
    update: Option<&str>,
) -> Result<bool> {
    let looked = async {
        let (mut connection, grant) = (
            state.db.read().await?,
            grant(viewer, update.unwrap_or_default()),
        );
        let viewer = viewer_by_grant(&mut connection, &state.clock, &grant).await?;
        match update {
            Some(id) => updates::find(&mut connection, &viewer, id).await.map(drop),
            None => Ok(()),
        }
    };
    found(looked.await)
}

/// Returns whether the viewer may receive this event. Guests receive only events about content that
/// they can see. If a person opens the update or gets a verdict, only that person and the author
/// receive the event. Exception: if the author disclosed the person's verdict thread, every member
/// who can see the update receives the event about the verdict.
pub(super) async fn may_receive(state: &State, viewer: &Viewer, event: &Event) -> Result<bool> {
    let Some(kind) = event.kind else {
        return Ok(false);
    };
    match (viewer, kind) {
        (Viewer::Person(person), EventKind::Opening | EventKind::Verdict)
            if person.id != event.subject_id =>
        {
            let mut connection = state.db.read().await?;
            let update = updates::find(&mut connection, viewer, &event.update_id).await?;
            if updates::must_be_author(viewer, &update).is_ok() {
                return Ok(true);
            }
            let receipt =
                receipts::of_person(&mut connection, &update.id, &event.subject_id).await?;
            let is_disclosed = receipt.is_some_and(|receipt| receipt.is_disclosed());
            Ok(kind == EventKind::Verdict && is_disclosed)
        }
        (Viewer::Person(_), _) | (Viewer::Guest(_), EventKind::Update | EventKind::Media) => {
            Ok(true)
        }
        (Viewer::Guest(_), EventKind::Reaction) if event.subject_id == event.update_id => Ok(true),
        (Viewer::Guest(_), EventKind::Comment | EventKind::Reaction) => {
            let mut connection = state.db.read().await?;
            found(comments::find_visible(&mut connection, viewer, &event.subject_id).await)
        }
        (Viewer::Guest(guests), EventKind::Receipt) => {
            Ok(guests.iter().any(|guest| guest.id == event.subject_id))
        }
        _ => Ok(false),
    }
}

/// Returns `true` on success, and `false` if the error means that access is denied. Returns other errors unchanged.
fn found<T>(looked: Result<T>) -> Result<bool> {
    match looked {
        Ok(_) => Ok(true),
        Err(Error::NotFound | Error::Unauthenticated) => Ok(false),
        Err(error) => Err(error),
    }
}
