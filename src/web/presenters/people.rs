//! Presenters for accounts.

use crate::clock::{Millis, rfc3339};
use crate::error::{Error, Result};
use crate::people::{self, Account, AccountFilter};
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

/// Presents one page of the accounts that match, sorted by name, and returns the cursor of the next page.
pub(crate) async fn account_page(
    state: &State,
    filter: &AccountFilter,
    query: &ListQuery,
) -> Result<(Vec<AccountView>, Option<String>)> {
    let mut connection = state.db.read().await?;
    let after = match &query.after {
        Some(after) => match people::by_id(&mut connection, &after.id).await {
            Err(Error::NotFound) => return Err(Error::invalid("after", INVALID_CURSOR)),
            found => Some(found?),
        },
        None => None,
    };
    let limit = query.query_limit();
    let mut found = people::list(&mut connection, filter, after.as_ref(), limit).await?;
    let next = query.split_page(&mut found, |account| Cursor {
        listed_at: account.created_at,
        id: account.id.clone(),
    });
    Ok((account_views(state, found), next))
}

/// Presents the accounts with these email addresses. Other entries of an audience are ignored.
pub(crate) async fn account_views_by_email(
    state: &State,
    emails: &[String],
) -> Result<Vec<AccountView>> {
    let found = people::list_by_email(&mut *state.db.read().await?, emails).await?;
    Ok(account_views(state, found))
}

fn account_views(state: &State, accounts: Vec<Account>) -> Vec<AccountView> {
    let now = state.clock.now();
    accounts
        .into_iter()
        .map(|account| account_view(account, now))
        .collect()
}
