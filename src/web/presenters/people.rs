//! Presenters for accounts.

use crate::clock::{Millis, rfc3339};
use crate::error::Result;
use crate::people::{self, Account};
use crate::state::State;
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
