//! The account that the sample update of a new workspace is from: nobody's. It has no address and no password, and was never active, so that
//! it signs in nowhere, stands in no list and no audience, and is told nothing.

use sqlx::AnyConnection;

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

/// The same, if this is its id.
pub async fn find_system_account(
    connection: &mut AnyConnection,
    id: &str,
) -> Result<Option<Person>> {
    let found: Option<String> =
        sqlx::query_scalar("SELECT id FROM people WHERE id = $1 AND role = 'house'")
            .bind(id)
            .fetch_optional(connection)
            .await?;
    Ok(found.map(as_person))
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
