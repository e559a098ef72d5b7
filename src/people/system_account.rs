//! The system account, which is the author of the sample update in a new workspace. It has no usable address
//! and no password and was never active, so that it cannot sign in, is in no list or audience, and gets no
//! notifications.

use super::{Grant, Person, Role};
use crate::clock::Clock;
use crate::error::Result;
use crate::infra::db::Tx;

/// Display name. It is also stored as the address; as it is no valid address, it cannot collide with a real
/// one.
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

/// Returns the person for this id, which must be the id of the system account.
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
        // The server acts for this account without a credential.
        grant: Grant::Session(String::new()),
    }
}
