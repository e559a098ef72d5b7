//! Handlers that snooze entries of the inbox, and the choices that the page offers.

use actix_web::{HttpRequest, web};
use sqlx::AnyConnection;

use crate::clock::{Millis, parse_rfc3339};
use crate::error::Result;
use crate::infra::db::text_enum;
use crate::people::{self, Person};
use crate::state::State;
use crate::web::extract::context::RequestContext;
use crate::web::extract::fields::Fields;
use crate::web::pages::SnoozeChoice;
use crate::web::responses::{HandlerResult, no_content_or_redirect, return_path};
use crate::working_hours::{WorkSchedule, next_week_morning, next_working_morning};
use crate::{events, inbox, share_message};

const CHOICES: &str = "Use `tomorrow`, `monday`, `answered` (until somebody answers) or a time such as \
                       2026-11-23T08:00:00Z.";

text_enum! {
    /// A word that stands for the end of a snooze.
    enum SnoozeWord {
        /// The start of the person's next working day.
        Tomorrow = "tomorrow",
        /// The start of the person's first working day of next week.
        Monday = "monday",
        /// When someone answers.
        Answered = "answered",
    }
}

/// Snoozes an entry. `until` is a timestamp, `tomorrow`, `monday` or `answered`. With `tomorrow`, the snooze ends when
/// the person's next working day begins; with `monday`, when their first working day of next week begins; with
/// `answered`, when somebody answers.
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
    let schedule = schedule_of(&mut *state.db.read().await?, person).await?;
    let until = match given.map(|text| parse_until(&text, &schedule, state.clock.now())) {
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

/// Returns the times that the page offers for the end of a snooze. Leaves out next week if the next working day is in
/// next week, because both would mean the same.
pub(super) async fn choices(
    connection: &mut AnyConnection,
    person: &Person,
    now: Millis,
) -> Result<Vec<SnoozeChoice>> {
    let schedule = schedule_of(connection, person).await?;
    let tomorrow = next_working_morning(&schedule, now);
    let monday = next_week_morning(&schedule, now).filter(|at| Some(*at) != tomorrow);
    let offered = [
        (SnoozeWord::Tomorrow, tomorrow),
        (SnoozeWord::Monday, monday),
    ];
    let choices = offered.into_iter().filter_map(|(word, at)| {
        let at = at?;
        Some(SnoozeChoice {
            until: word.as_str(),
            label: match word {
                SnoozeWord::Tomorrow => next_day_label(&schedule, now, at)?,
                SnoozeWord::Monday | SnoozeWord::Answered => "Next week".to_owned(),
            },
            time: share_message::time_text(at, now, &person.time_zone),
        })
    });
    Ok(choices.collect())
}

/// Returns `Tomorrow morning` or, if the next working day is a later day, for example `Monday morning`.
fn next_day_label(schedule: &WorkSchedule, now: Millis, at: Millis) -> Option<String> {
    const NOON: i8 = 12;
    let (today, begin) = (schedule.local(now)?.date(), schedule.local(at)?);
    let day = if today.tomorrow().ok()? == begin.date() {
        "Tomorrow".to_owned()
    } else {
        begin.strftime("%A").to_string()
    };
    Some(if begin.hour() < NOON {
        format!("{day} morning")
    } else {
        day
    })
}

async fn schedule_of(connection: &mut AnyConnection, person: &Person) -> Result<WorkSchedule> {
    let ids = [person.id.clone()];
    let known = people::work_schedules(connection, &ids).await?;
    Ok(known
        .into_values()
        .next()
        .unwrap_or_else(|| WorkSchedule::new(&person.time_zone, Default::default(), None)))
}

/// Parses the end of a snooze. Returns `Some(None)` for a snooze that lasts until someone answers, and `None` if the
/// text is invalid.
fn parse_until(text: &str, schedule: &WorkSchedule, now: Millis) -> Option<Option<Millis>> {
    let Ok(word) = text.parse() else {
        return parse_rfc3339(text).map(Some);
    };
    match word {
        SnoozeWord::Answered => Some(None),
        SnoozeWord::Tomorrow => next_working_morning(schedule, now).map(Some),
        SnoozeWord::Monday => next_week_morning(schedule, now).map(Some),
    }
}
