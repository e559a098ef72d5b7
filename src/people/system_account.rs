//! The account that the sample update of a new workspace is from: nobody's. It has no address and no password, and was never active, so that
//! it signs in nowhere, stands in no list and no audience, and is told nothing.

use super::{Grant, Person, Role};
use crate::clock::Clock;
use crate::error::Result;
use crate::infra::db::Tx;

/// What it is called. Also in the place of its address, which is none, so that no address can be the same.
const NAME: &str = "Hearback";

/// Makes it; there already, it stays.
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

/// The account with this id, which must be the system account's.
pub fn system_account(id: &str) -> Person {
    as_person(id.to_owned())
}

/// Whether a stored role is that of the system account.
pub(crate) fn is_system_role(role: &str) -> bool {
    role == "house"
}

fn as_person(id: String) -> Person {
    Person {
        id,
        name: NAME.into(),
        email: String::new(),
        role: Role::Member,
        time_zone: "UTC".into(),
        // It asks by none: what is done in its name is done by this program.
        grant: Grant::Session(String::new()),
    }
}
