//! The list of accounts: paged, and searched by name and email address.

use sqlx::{AnyConnection, AssertSqlSafe};

use super::Account;
use crate::error::Result;
use crate::infra::db::{self, FetchKnown};
use crate::text;

/// Maximum number of words that a search uses. Further words are ignored.
const MAX_WORDS: usize = 10;

/// Which accounts [`list`] returns.
#[derive(Clone, Debug, Default)]
pub struct AccountFilter {
    /// The account matches if each of these words begins a word of its name or its email address. Case and accents do
    /// not matter. An empty text matches all accounts.
    pub words: String,
    /// `Some(true)` leaves out deactivated accounts, `Some(false)` all others.
    pub active: Option<bool>,
}

/// SQL condition: the word in parameter `{n}` begins a word of a name or an email address. The parameter `{n}`
/// contains the word as a `LIKE` pattern. Languages such as Chinese do not separate words, so a word that is not ASCII
/// can also be in the middle.
fn word_condition(n: usize, word: &str) -> String {
    if word.is_ascii() {
        format!(
            " AND (name_key LIKE ${n} || '%' ESCAPE '\\' OR name_key LIKE '% ' || ${n} || '%' ESCAPE '\\'
             OR name_key LIKE '%-' || ${n} || '%' ESCAPE '\\' OR email_key LIKE ${n} || '%' ESCAPE '\\'
             OR email_key LIKE '%.' || ${n} || '%' ESCAPE '\\')"
        )
    } else {
        format!(" AND name_key LIKE '%' || ${n} || '%' ESCAPE '\\'")
    }
}

/// Escapes a text for `LIKE … ESCAPE '\'`.
fn escape_like(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_")
}

/// Returns at most `limit` accounts, sorted by name, except the system account. `after` is the account before the
/// first one. Reads all accounts, which costs little for 3,000 people.
pub async fn list(
    connection: &mut AnyConnection,
    filter: &AccountFilter,
    after: Option<&Account>,
    limit: i64,
) -> Result<Vec<Account>> {
    let folded = text::fold(&filter.words);
    let words: Vec<&str> = folded.split_whitespace().take(MAX_WORDS).collect();
    let active = match filter.active {
        None => "",
        Some(true) => " AND deactivated_at IS NULL",
        Some(false) => " AND deactivated_at IS NOT NULL",
    };
    let conditions: String = words
        .iter()
        .enumerate()
        .map(|(at, word)| word_condition(at + 4, word))
        .collect();
    let text = format!(
        "SELECT id, email, name, role, time_zone, working_hours, away_until, mail_off_at, created_at, deactivated_at
         FROM people WHERE role <> 'house' AND (name_key > $1 OR (name_key = $1 AND id > $2)){active}{conditions}
         ORDER BY name_key, id LIMIT $3"
    );
    let (name_key, id) = after.map_or_else(Default::default, |account| {
        (text::fold(&account.name), account.id.clone())
    });
    // The text is safe to use as SQL: it contains placeholders but no input.
    let mut statement = sqlx::query_as(AssertSqlSafe(text))
        .bind(name_key)
        .bind(id)
        .bind(limit);
    for word in words {
        // An email address has at most 254 characters, and engines limit the length of patterns.
        let word: String = word.chars().take(254).collect();
        statement = statement.bind(escape_like(&word));
    }
    statement.fetch_known(connection).await
}

/// Returns the accounts with this full name. Case and accents do not matter.
pub async fn by_name(connection: &mut AnyConnection, name: &str) -> Result<Vec<Account>> {
    sqlx::query_as(
        "SELECT id, email, name, role, time_zone, working_hours, away_until, mail_off_at, created_at, deactivated_at
         FROM people WHERE role <> 'house' AND name_key = $1 ORDER BY id",
    )
    .bind(text::fold(name))
    .fetch_known(connection)
    .await
}

/// Returns the accounts with these email addresses, sorted by name.
pub async fn list_by_email(
    connection: &mut AnyConnection,
    emails: &[String],
) -> Result<Vec<Account>> {
    const CHUNK_SIZE: usize = 500;
    let mut found: Vec<Account> = Vec::new();
    for some in emails.chunks(CHUNK_SIZE) {
        let text = format!(
            "SELECT id, email, name, role, time_zone, working_hours, away_until, mail_off_at, created_at,
             deactivated_at FROM people WHERE role <> 'house' AND email_key IN ({})",
            db::placeholders(1, some.len())
        );
        let mut statement = sqlx::query_as(AssertSqlSafe(text));
        for email in some {
            statement = statement.bind(text::email_key(email));
        }
        found.extend(statement.fetch_known(&mut *connection).await?);
    }
    found.sort_by_cached_key(|account| (text::fold(&account.name), account.id.clone()));
    Ok(found)
}
