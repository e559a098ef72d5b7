//! Resolves email addresses, `@group` handles and `everyone`, and invites people without an account.

use std::collections::HashSet;

use sqlx::AnyConnection;

use super::ResolvedAudience;
use crate::clock::Clock;
use crate::error::{Error, FieldError, Result};
use crate::infra::db::Tx;
use crate::people::{self, MAX_INVITED, Person, Role};
use crate::text;

/// Maximum number of addresses in an audience. A larger audience must use groups or `everyone`.
const MAX_ADDRESSES: usize = 1000;

/// Resolves email addresses, `@group` handles and `everyone`. An address with a pending invitation
/// needs no account. If other addresses have no account, the error lists them and says who can
/// invite people.
pub async fn resolve_addresses(
    connection: &mut AnyConnection,
    clock: &Clock,
    by: &Person,
    given: &[String],
) -> Result<ResolvedAudience> {
    let mut resolved = ResolvedAudience::default();
    let mut strangers = Vec::new();
    if given.len() > MAX_ADDRESSES {
        return Err(Error::invalid(
            "audience",
            format!(
                "has {} addresses; the maximum is {MAX_ADDRESSES}. Use groups or “everyone” instead.",
                given.len()
            ),
        ));
    }
    let emails: Vec<String> = given
        .iter()
        .filter_map(|name| text::parse_email(name).ok())
        .collect();
    let known = people::ids_by_email(connection, &emails).await?;
    let mut named = HashSet::new();
    for name in given {
        if name == "everyone" {
            resolved.everyone = true;
        } else if let Some(handle) = name.strip_prefix('@') {
            match people::groups::by_name(connection, handle).await? {
                Some(group) if !resolved.groups.contains(&group) => resolved.groups.push(group),
                Some(_) => {}
                None => {
                    let message = format!(
                        "There is no group called @{handle}. Use e-mail addresses, @groups or “everyone”."
                    );
                    return Err(Error::invalid("audience", FieldError::sentence(message)));
                }
            }
        } else {
            let email =
                text::parse_email(name).map_err(|message| Error::invalid("audience", message))?;
            match known.get(&text::email_key(&email)) {
                Some(account) if named.insert(account) => resolved.people.push(account.clone()),
                Some(_) => {}
                None => match find_invitation(connection, clock, &email).await? {
                    Some(invitation) => resolved.invitations.push(invitation),
                    None if people::is_deactivated(connection, &email).await? => {
                        return Err(deactivated_error(&email));
                    }
                    None => strangers.push(email),
                },
            }
        }
    }
    if strangers.is_empty() {
        return Ok(resolved);
    }
    Err(no_account_error(connection, by, &strangers).await?)
}

fn deactivated_error(email: &str) -> Error {
    Error::invalid(
        "audience",
        FieldError::sentence(format!(
            "The account {email} is deactivated. Leave this address out, or ask an admin to \
             reactivate the account."
        )),
    )
}

/// Returns the error that lists addresses without an account and says who can invite these people.
async fn no_account_error(
    connection: &mut AnyConnection,
    by: &Person,
    strangers: &[String],
) -> Result<Error> {
    let have = text::plural_form(strangers.len(), "has no account", "have no account");
    let way = match admin_names(connection).await? {
        _ if by.is_admin() => {
            "You can invite them: press “Invite and ask”, or add the field `invite` to the request."
                .to_owned()
        }
        admins if admins.is_empty() => {
            "There is no admin who could invite them. Ask the person who runs Hearback to add one."
                .to_owned()
        }
        admins => format!("{} can invite them.", text::join_list(&admins, "or")),
    };
    Ok(Error::invalid(
        "audience",
        FieldError::sentence(format!(
            "{} {have}. {way}",
            text::join_list(strangers, "and")
        )),
    ))
}

/// Returns the addresses that have neither an active account nor a pending invitation.
pub async fn unknown_addresses(
    connection: &mut AnyConnection,
    clock: &Clock,
    given: &[String],
) -> Result<Vec<String>> {
    let mut unknown = Vec::new();
    for email in given.iter().filter_map(|name| text::parse_email(name).ok()) {
        if people::by_email(connection, &email).await?.is_none()
            && !people::is_deactivated(connection, &email).await?
            && find_invitation(connection, clock, &email).await?.is_none()
        {
            unknown.push(email);
        }
    }
    Ok(unknown)
}

async fn find_invitation(
    connection: &mut AnyConnection,
    clock: &Clock,
    email: &str,
) -> Result<Option<String>> {
    Ok(
        sqlx::query_scalar("SELECT id FROM invitations WHERE email_key = $1 AND expires_at > $2")
            .bind(text::email_key(email))
            .bind(clock.now())
            .fetch_optional(connection)
            .await?,
    )
}

/// Returns the names of at most three admins. Error messages list them as the people who can send invitations.
pub async fn admin_names(connection: &mut AnyConnection) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT name FROM people WHERE role = 'admin' AND deactivated_at IS NULL
         ORDER BY name_key LIMIT 3",
    )
    .fetch_all(connection)
    .await?)
}

/// Invites the people whose addresses [`unknown_addresses`] returns. Afterwards,
/// [`resolve_addresses`] accepts these addresses. Fails if there are more than [`MAX_INVITED`] of
/// them.
pub async fn invite_and_ask(
    tx: &mut Tx,
    clock: &Clock,
    by: &Person,
    given: &[String],
) -> Result<Vec<people::CreatedInvitation>> {
    let strangers = unknown_addresses(tx, clock, given).await?;
    if strangers.len() > MAX_INVITED {
        return Err(Error::invalid(
            "audience",
            format!(
                "has {} addresses without an account; at most {MAX_INVITED} people can be invited at once.",
                strangers.len()
            ),
        ));
    }
    let mut made = Vec::new();
    for email in strangers {
        made.push(people::invite(tx, clock, by, &email, Role::Member).await?);
    }
    Ok(made)
}
