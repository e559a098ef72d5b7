//! Request handlers, with one module for each kind of resource. A handler validates the request, calls the domain code
//! and presents the result.

pub(crate) mod comments;
pub(crate) mod drafts;
pub(crate) mod groups;
pub(crate) mod health;
pub(crate) mod home;
pub(crate) mod inbox;
pub(crate) mod links;
pub(crate) mod live;
pub(crate) mod markup;
pub(crate) mod me;
pub(crate) mod media;
pub(crate) mod metrics;
pub(crate) mod people;
pub(crate) mod receipts;
pub(crate) mod session;
pub(crate) mod setup;
pub(crate) mod static_files;
pub(crate) mod tokens;
pub(crate) mod unsubscribe;
pub(crate) mod updates;
pub(crate) mod uploads;
pub(crate) mod workspace;

use crate::error::Result;
use crate::state::State;

use crate::web::extract::context::RequestContext;

/// Returns an input error only to a viewer who may see the update. Other viewers get the same error as for an update
/// that does not exist.
async fn check_input(
    checked: Result<()>,
    state: &State,
    ctx: &RequestContext,
    update_id: &str,
) -> Result<()> {
    if checked.is_err() {
        crate::updates::find(&mut *state.db.read().await?, &ctx.viewer, update_id).await?;
    }
    checked
}
