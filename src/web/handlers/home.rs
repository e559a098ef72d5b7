//! Handler for the path `/`.

use crate::web::extract::context::RequestContext;
use crate::web::responses::{HandlerResult, see_other};

/// Redirects to the inbox, or to the sign-in page if nobody is signed in.
pub(crate) async fn home(ctx: RequestContext) -> HandlerResult {
    ctx.person()?;
    Ok(see_other("/inbox"))
}
