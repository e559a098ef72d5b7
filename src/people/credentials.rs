//! Functions for both sessions and API tokens. Only hashes of their secrets are stored.

use sha2::{Digest, Sha256};
use sqlx::FromRow;

use super::{Grant, Person, Role};
use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::infra::db::{Db, Tx};

/// How precisely the time of a credential's last use is stored, in milliseconds. Each credential causes at most one
/// write per minute, instead of one write per request.
const LAST_USED_PRECISION: Millis = 60_000;

/// Returns the SHA-256 hash of a secret in hexadecimal. The hash needs no salt, because secrets are
/// random. Without a salt, the database can look up the hash in an index.
pub(crate) fn hash(secret: &str) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(secret.as_bytes()))
}

/// Locks the account until the transaction ends. Fails if the account is deactivated.
///
/// Call it before creating a session, token or link. The account may have been deactivated after
/// the request was authenticated, and the new credential would work if the account were
/// reactivated.
pub async fn must_be_active(tx: &mut Tx, person_id: &str) -> Result<()> {
    let active = sqlx::query(
        "UPDATE people SET deactivated_at = NULL WHERE id = $1 AND deactivated_at IS NULL",
    )
    .bind(person_id)
    .execute(&mut **tx)
    .await?;
    if active.rows_affected() == 1 {
        Ok(())
    } else {
        Err(Error::Unauthenticated)
    }
}

#[derive(FromRow)]
pub(super) struct CredentialRow {
    id: String,
    name: String,
    email: String,
    role: Role,
    time_zone: String,
    door: String,
    used_at: Option<Millis>,
}

impl CredentialRow {
    pub(super) fn into_person(self, grant: impl FnOnce(String) -> Grant) -> Person {
        Person {
            id: self.id,
            name: self.name,
            email: self.email,
            role: self.role,
            time_zone: self.time_zone,
            grant: grant(self.door),
        }
    }
}

/// Records that a credential was used. If the write fails, logs the error instead of returning it,
/// so that requests that only read still succeed.
pub(super) async fn record_use(
    db: &Db,
    clock: &Clock,
    statement: &'static str,
    known: &CredentialRow,
) {
    let now = clock.now();
    if known
        .used_at
        .is_some_and(|at| at > now - LAST_USED_PRECISION)
    {
        return;
    }
    let written = async {
        let mut tx = db.begin().await?;
        sqlx::query(statement)
            .bind(now)
            .bind(&known.door)
            .execute(&mut *tx)
            .await?;
        tx.commit().await
    };
    if let Err(error) = written.await {
        tracing::warn!(%error, "could not record when a session or API token was last used");
    }
}
