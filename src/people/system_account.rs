//! The system account, which is the author of the sample update in a new workspace. It has no
//! usable email address, has no password and was never active. As a result, nobody can sign in to
//! it, it appears in no list or audience, and it gets no notifications.

use super::{Grant, Person, Role};
use crate::clock::Clock;
use crate::error::Result;
use crate::infra::db::Tx;

/// Display name of the system account. The account also stores this name as its email address. The
/// name is not a valid address, so it cannot equal the address of a person.
const NAME: &str = "Hearback";

/// Creates the system account if it does not exist yet.
pub async fn ensure_system_account(tx: &mut Tx, clock: &Clock) -> Result<Person> {
    sqlx::query(
        "INSERT INTO people (id, email, email_key, name, name_key, role, time_zone, created_at, deactivated_at)
         VALUES ($1, $2, $3, $2, $3, 'house', 'UTC', $4, $4) ON CONFLICT (email_key) DO NOTHING",
    )
    .bind(clock.id())
    .bind(NAME)
    .bind(NAME.to_lowercase())
    .bind(clock.now())
    .execute(&mut **tx)
    .await?;
    let id = sqlx::query_scalar("SELECT id FROM people WHERE role = 'house'")
        .fetch_one(&mut **tx)
        .await?;
    Ok(as_person(id))
}

/// Returns the system account as a person. `id` must be the id of the system account.
pub fn system_account(id: &str) -> Person {
    as_person(id.to_owned())
}

fn as_person(id: String) -> Person {
    Person {
        id,
        name: NAME.into(),
        email: String::new(),
        role: Role::System,
        time_zone: "UTC".into(),
        // The system account has no session or token, so the id is empty.
        grant: Grant::Session(String::new()),
    }
}
