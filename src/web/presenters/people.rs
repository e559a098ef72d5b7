//! Presenters for accounts.

use crate::clock::{Millis, rfc3339};
use crate::error::{Error, Result};
use crate::people::{self, Account};
use crate::state::State;
use crate::updates::Cursor;
use crate::web::extract::list_query::{INVALID_CURSOR, ListQuery};
use crate::web::schema::AccountView;

/// Presents an account.
pub(crate) fn account_view(account: Account, now: Millis) -> AccountView {
    let hours = people::hours_or_default(account.working_hours.as_deref());
    AccountView {
        working_hours: account.working_hours.is_some().then_some(hours),
        away_until: account.away_until.filter(|until| *until > now).map(rfc3339),
        now: rfc3339(now),
        id: account.id,
        name: account.name,
        email: account.email,
        role: account.role,
        time_zone: account.time_zone,
        created_at: rfc3339(account.created_at),
        deactivated_at: account.deactivated_at.map(rfc3339),
    }
}

/// Presents one page of accounts, sorted by name, and returns the cursor of the next page.
pub(crate) async fn account_page(
    state: &State,
    query: &ListQuery,
) -> Result<(Vec<AccountView>, Option<String>)> {
    let mut everyone = people::all(&mut *state.db.read().await?).await?;
    if let Some(after) = &query.after {
        let last = everyone.iter().position(|account| account.id == after.id);
        let last = last.ok_or_else(|| Error::invalid("after", INVALID_CURSOR))?;
        everyone.drain(..=last);
    }
    let next = query.split_page(&mut everyone, |account| Cursor {
        listed_at: account.created_at,
        id: account.id.clone(),
    });
    let now = state.clock.now();
    let views = everyone
        .into_iter()
        .map(|account| account_view(account, now));
    Ok((views.collect(), next))
}

/// Presents every account.
pub(crate) async fn account_views(state: &State) -> Result<Vec<AccountView>> {
    let (everyone, now) = (
        people::all(&mut *state.db.read().await?).await?,
        state.clock.now(),
    );
    Ok(everyone
        .into_iter()
        .map(|account| account_view(account, now))
        .collect())
}
