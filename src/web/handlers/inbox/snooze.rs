//! Handlers that snooze entries of the inbox, and the times that `tomorrow` and `monday` stand for.

use actix_web::{HttpRequest, web};
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::clock::{Millis, parse_rfc3339};
use crate::infra::db::text_enum;
use crate::state::State;
use crate::web::extract::context::RequestContext;
use crate::web::extract::fields::Fields;
use crate::web::responses::{HandlerResult, no_content_or_redirect, return_path};
use crate::{events, inbox};

const CHOICES: &str =
    "Use `tomorrow`, `monday`, `answered` or a time such as 2026-11-23T08:00:00Z.";

text_enum! {
    /// A word that stands for the end of a snooze.
    enum SnoozeWord {
        /// 08:00 tomorrow.
        Tomorrow = "tomorrow",
        /// 08:00 next Monday.
        Monday = "monday",
        /// When someone answers.
        Answered = "answered",
    }
}

/// Snoozes an entry. `until` is a timestamp, `tomorrow`, `monday` or `answered`. With `tomorrow` or `monday`, the
/// snooze ends at 08:00 on that day; with `answered`, it ends when somebody answers.
pub(crate) async fn snooze(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
    payload: web::Payload,
) -> HandlerResult {
    let person = ctx.person()?;
    let mut fields = Fields::read(&req, payload).await?;
    let given = fields.optional("until", |text| Ok::<_, String>(text.to_owned()));
    let until = match given.map(|text| parse_until(&text, &person.time_zone, state.clock.now())) {
        Some(Some(until)) => until,
        Some(None) => {
            fields.add_error("until", format!("is not a valid time. {CHOICES}"));
            None
        }
        None => {
            fields.add_error("until", format!("is missing. {CHOICES}"));
            None
        }
    };
    fields.finish()?;
    let mut tx = state.db.begin().await?;
    inbox::snooze(&mut tx, &state.clock, &ctx.viewer, &id, until).await?;
    events::record_deferred(&mut tx, &state.clock).await?;
    tx.commit().await?;
    no_content_or_redirect(&ctx, &return_path(&req, "/inbox"))
}

/// Ends the snooze of an entry.
pub(crate) async fn unsnooze(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    let person = ctx.person()?;
    let mut tx = state.db.begin().await?;
    inbox::unsnooze(&mut tx, &person.id, &id).await?;
    events::record_deferred(&mut tx, &state.clock).await?;
    tx.commit().await?;
    no_content_or_redirect(&ctx, &return_path(&req, "/inbox"))
}

/// Parses the end of a snooze. Returns `Some(None)` for a snooze that lasts until someone answers, and `None` if the
/// text is invalid.
fn parse_until(text: &str, zone: &str, now: Millis) -> Option<Option<Millis>> {
    let Ok(word) = text.parse() else {
        return parse_rfc3339(text).map(Some);
    };
    match word {
        SnoozeWord::Answered => Some(None),
        SnoozeWord::Tomorrow => morning_of(zone, now, |today| today.checked_add(1.day())).map(Some),
        SnoozeWord::Monday => {
            morning_of(zone, now, |today| today.nth_weekday(1, Weekday::Monday)).map(Some)
        }
    }
}

/// Returns 08:00 on the day that `choose` selects, in the person's time zone.
fn morning_of(
    zone: &str,
    now: Millis,
    choose: impl FnOnce(Date) -> Result<Date, jiff::Error>,
) -> Option<Millis> {
    const BEGINS: i8 = 8;
    let zone = TimeZone::get(zone).ok()?;
    let today = Timestamp::from_millisecond(now)
        .ok()?
        .to_zoned(zone.clone());
    let morning = choose(today.date()).ok()?.at(BEGINS, 0, 0, 0);
    Some(morning.to_zoned(zone).ok()?.timestamp().as_millisecond())
}
