//! The audience of an update. Email addresses and group handles are resolved to people and groups.
//! At publication, these people and the members of these groups become recipients.

use std::collections::HashSet;

use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

use super::{Update, access};
use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::events::EventKind;
use crate::infra::db;
use crate::infra::db::Tx;
use crate::notifications;
use crate::notifications::{Kind, Notification};
use crate::people::{self, Person, Role, Viewer};
use crate::{events, text};

/// The people, invitations and groups that a list of addresses stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResolvedAudience {
    /// Ids of people.
    pub people: Vec<String>,
    /// Ids of pending invitations. A person who accepts an invitation becomes a recipient.
    pub invitations: Vec<String>,
    /// Ids of groups.
    pub groups: Vec<String>,
    /// Whether the audience includes everyone with an account.
    pub everyone: bool,
}

/// A person in an audience.
#[derive(Clone, Debug, FromRow)]
pub struct NamedPerson {
    /// Id of the person.
    pub id: String,
    /// Name of the person.
    pub name: String,
    /// Email address, used to fill in the form.
    pub email: String,
}

/// Maximum number of people that one call can invite. The next page receives their invitation links
/// in a cookie, and the size of a cookie is limited.
pub const MAX_INVITED: usize = 40;
/// Maximum number of people in one SQL statement.
const CHUNK_SIZE: usize = 500;
/// Maximum number of addresses in an audience. A larger audience has to be `everyone`.
const MAX_ADDRESSES: usize = 1000;

/// Resolves email addresses, `@group` handles and `everyone`. An address with a pending invitation
/// is valid. If some addresses have no account, the error lists them and says who can invite
/// people.
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
                "has {} addresses; the maximum is {MAX_ADDRESSES}. Use everyone instead.",
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
                        "There is no group called @{handle}. Use email addresses, @groups or everyone."
                    );
                    return Err(Error::invalid("audience", message));
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
                        return Err(Error::invalid(
                            "audience",
                            format!(
                                "{email} is deactivated. Leave this address out, or ask an admin to reactivate the account."
                            ),
                        ));
                    }
                    None => strangers.push(email),
                },
            }
        }
    }
    if strangers.is_empty() {
        return Ok(resolved);
    }
    let have = if strangers.len() == 1 {
        "has no account"
    } else {
        "have no account"
    };
    let way = match admin_names(connection).await? {
        _ if by.is_admin() => {
            "You can invite them: press “Invite and ask”, or add the field `invite` to the request."
                .to_owned()
        }
        admins if admins.is_empty() => {
            "There is no admin who could invite them. Ask the person who runs Hearback to add one."
                .to_owned()
        }
        admins => format!("{} can invite them.", admins.join(", ")),
    };
    Err(Error::invalid(
        "audience",
        format!("{} {have}. {way}", strangers.join(", ")),
    ))
}

/// Returns the addresses for which there is neither an account nor a pending invitation.
pub async fn unknown_addresses(
    connection: &mut AnyConnection,
    clock: &Clock,
    given: &[String],
) -> Result<Vec<String>> {
    let mut unknown = Vec::new();
    for email in given.iter().filter_map(|name| text::parse_email(name).ok()) {
        if people::by_email(connection, &email).await?.is_none()
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

/// Returns the names of at most three admins. Error messages name them as the people who can invite
/// others.
pub async fn admin_names(connection: &mut AnyConnection) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar("SELECT name FROM people WHERE role = 'admin' AND deactivated_at IS NULL ORDER BY name_key LIMIT 3")
        .fetch_all(connection)
        .await?)
}

/// Invites the addresses that have no account, so that [`resolve_addresses`] then accepts them.
/// Invites at most [`MAX_INVITED`] people at once.
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

/// Replaces the stored audience of an update.
pub(super) async fn save_audience(
    tx: &mut Tx,
    clock: &Clock,
    id: &str,
    resolved: &ResolvedAudience,
) -> Result<()> {
    sqlx::query("UPDATE updates SET everyone_at = CASE WHEN $1 = 0 THEN NULL ELSE coalesce(everyone_at, $2) END WHERE id = $3")
        .bind(i64::from(resolved.everyone))
        .bind(clock.now())
        .bind(id)
        .execute(&mut **tx)
        .await?;
    sqlx::query("DELETE FROM audience WHERE update_id = $1")
        .bind(id)
        .execute(&mut **tx)
        .await?;
    for some in resolved.people.chunks(CHUNK_SIZE) {
        let text = format!(
            "INSERT INTO audience (update_id, person_id) SELECT $1, id FROM people WHERE id IN ({})",
            db::placeholders(2, some.len())
        );
        let mut statement = sqlx::query(AssertSqlSafe(text)).bind(id);
        for person in some {
            statement = statement.bind(person);
        }
        statement.execute(&mut **tx).await?;
    }
    sqlx::query("DELETE FROM group_audience WHERE update_id = $1")
        .bind(id)
        .execute(&mut **tx)
        .await?;
    for group in &resolved.groups {
        sqlx::query("INSERT INTO group_audience (update_id, group_id) VALUES ($1, $2)")
            .bind(id)
            .bind(group)
            .execute(&mut **tx)
            .await?;
    }
    sqlx::query("DELETE FROM invited_audience WHERE update_id = $1")
        .bind(id)
        .execute(&mut **tx)
        .await?;
    for invitation in &resolved.invitations {
        sqlx::query("INSERT INTO invited_audience (update_id, invitation_id) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(id)
            .bind(invitation)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

/// Lists the people whom the author added to the audience, sorted by name.
pub async fn audience(connection: &mut AnyConnection, id: &str) -> Result<Vec<NamedPerson>> {
    Ok(sqlx::query_as(
        "SELECT p.id, p.name, p.email FROM audience a JOIN people p ON p.id = a.person_id WHERE a.update_id = $1 ORDER BY p.name_key, p.id",
    )
    .bind(id)
    .fetch_all(connection)
    .await?)
}

/// Lists the email addresses in the audience whose invitation is pending.
pub async fn pending_invitees(
    connection: &mut AnyConnection,
    clock: &Clock,
    id: &str,
) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT i.email FROM invited_audience a JOIN invitations i ON i.id = a.invitation_id
         WHERE a.update_id = $1 AND i.expires_at > $2 ORDER BY i.email_key",
    )
    .bind(id)
    .bind(clock.now())
    .fetch_all(connection)
    .await?)
}

/// Lists the ids and names of the groups that the author added to the audience.
pub async fn audience_groups(
    connection: &mut AnyConnection,
    id: &str,
) -> Result<Vec<(String, String)>> {
    Ok(sqlx::query_as(
        "SELECT g.id, g.name FROM group_audience a JOIN groups g ON g.id = a.group_id WHERE a.update_id = $1 ORDER BY g.name",
    )
    .bind(id)
    .fetch_all(connection)
    .await?)
}

/// Lists the ids of the groups that the author added to the audience.
pub(super) async fn audience_group_ids(
    connection: &mut AnyConnection,
    id: &str,
) -> Result<Vec<String>> {
    Ok(audience_groups(connection, id)
        .await?
        .into_iter()
        .map(|(group, _)| group)
        .collect())
}

/// SQL that inserts recipients and restores recipients who were removed. Returns the ids of these
/// people; people who already were recipients are not among them.
macro_rules! insert_recipients {
    ($who:literal) => {
        concat!(
            "INSERT INTO receipts (update_id, person_id, sent_at) ",
            $who,
            " ON CONFLICT (update_id, person_id) DO UPDATE SET removed_at = NULL WHERE receipts.removed_at IS NOT NULL RETURNING person_id"
        )
    };
}

/// Updates the recipients after a change to the audience, and notifies new recipients. Call it at
/// publication and after each edit. People who are no longer in the audience lose access, but their
/// answers are kept.
///
/// The members of a group become recipients only once: at publication, or when the group is added
/// later. For `everyone`, all accounts become recipients once the update expects an answer. People
/// who join later owe no answer. If an update to everyone expects no answer, a person gets a
/// receipt only by opening or answering the update.
///
/// `kept` contains the groups that were in the audience before the edit, or is `None` if the edit
/// does not change the audience.
pub(super) async fn add_recipients(
    tx: &mut Tx,
    clock: &Clock,
    before: &Update,
    after: &Update,
    kept: Option<&[String]>,
) -> Result<()> {
    let now = clock.now();
    let (id, author) = (&after.id, &after.author_id);
    let mut new: Vec<String> = Vec::new();
    let first = before.published_at.is_none();
    let owes_now = after.everyone_at.is_some() && after.asks_for_answer();
    let owed_before = !first && before.everyone_at.is_some() && before.asks_for_answer();
    if owes_now && !owed_before {
        let all = insert_recipients!(
            "SELECT $1, p.id, $2 FROM people p WHERE p.deactivated_at IS NULL AND p.id <> $3"
        );
        new.extend(
            sqlx::query_scalar::<_, String>(all)
                .bind(id)
                .bind(now)
                .bind(author)
                .fetch_all(&mut **tx)
                .await?,
        );
    }
    let named = insert_recipients!(
        "SELECT a.update_id, a.person_id, $2 FROM audience a JOIN people p ON p.id = a.person_id
         WHERE a.update_id = $1 AND p.deactivated_at IS NULL AND p.id <> $3"
    );
    new.extend(
        sqlx::query_scalar::<_, String>(named)
            .bind(id)
            .bind(now)
            .bind(author)
            .fetch_all(&mut **tx)
            .await?,
    );
    if let Some(kept) = kept {
        new.extend(add_group_recipients(tx, now, after, if first { &[] } else { kept }).await?);
    }
    if after.everyone_at.is_none() && kept.is_some() {
        sqlx::query(
            "UPDATE receipts SET removed_at = $2 WHERE update_id = $1 AND removed_at IS NULL
             AND person_id NOT IN (SELECT person_id FROM audience WHERE update_id = $1)
             AND person_id NOT IN (SELECT person_id FROM asked_through WHERE update_id = $1)",
        )
        .bind(id)
        .bind(now)
        .execute(&mut **tx)
        .await?;
    }
    let notification = |kind| Notification {
        kind,
        update_id: id,
        subject_id: id,
        actor_id: author,
    };
    if after.asks_for_answer() {
        // If the author changed the expectation, notify all recipients again, not only the new
        // ones.
        if !first && before.expectation != after.expectation {
            new.extend(recipient_ids(tx, id).await?);
        }
        return notifications::notify(tx, clock, notification(Kind::Asked), &new).await;
    }
    if after.everyone_at.is_some() && (first || before.everyone_at.is_none()) {
        new.extend(
            sqlx::query_scalar::<_, String>("SELECT id FROM people WHERE deactivated_at IS NULL")
                .fetch_all(&mut **tx)
                .await?,
        );
    }
    if !first && before.asks_for_answer() {
        // The update no longer expects an answer, so it leaves "To answer" in the inbox. Notify
        // recipients who have not opened it, so that they find it under "To hear".
        new.extend(unnotified_recipient_ids(tx, id).await?);
    }
    notifications::notify(tx, clock, notification(Kind::Sent), &new).await
}

/// Makes the members of newly added groups recipients. Forgets who became a recipient through a
/// group that is no longer in the audience. Returns the ids of the new recipients.
async fn add_group_recipients(
    tx: &mut Tx,
    now: Millis,
    update: &Update,
    kept: &[String],
) -> Result<Vec<String>> {
    let id = &update.id;
    sqlx::query(
        "DELETE FROM asked_through WHERE update_id = $1 AND group_id NOT IN (SELECT group_id FROM group_audience WHERE update_id = $1)",
    )
    .bind(id)
    .execute(&mut **tx)
    .await?;
    for group in audience_group_ids(tx, id)
        .await?
        .iter()
        .filter(|group| !kept.contains(group))
    {
        sqlx::query(
            "INSERT INTO asked_through (update_id, group_id, person_id)
             SELECT $1, m.group_id, m.person_id FROM group_members m JOIN people p ON p.id = m.person_id
             WHERE m.group_id = $2 AND p.deactivated_at IS NULL AND p.id <> $3 ON CONFLICT DO NOTHING",
        )
        .bind(id)
        .bind(group)
        .bind(&update.author_id)
        .execute(&mut **tx)
        .await?;
    }
    let members = insert_recipients!(
        "SELECT DISTINCT t.update_id, t.person_id, $2 FROM asked_through t WHERE t.update_id = $1"
    );
    Ok(sqlx::query_scalar(members)
        .bind(id)
        .bind(now)
        .fetch_all(&mut **tx)
        .await?)
}

async fn recipient_ids(tx: &mut Tx, id: &str) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT person_id FROM receipts WHERE update_id = $1 AND removed_at IS NULL",
    )
    .bind(id)
    .fetch_all(&mut **tx)
    .await?)
}

async fn unnotified_recipient_ids(tx: &mut Tx, id: &str) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT person_id FROM receipts WHERE update_id = $1 AND removed_at IS NULL AND opened_at IS NULL AND answered_at IS NULL",
    )
    .bind(id)
    .fetch_all(&mut **tx)
    .await?)
}

/// Adds one person to the audience of the viewer's own draft or published update. Does nothing if
/// the person is already in the audience.
pub async fn add_recipient(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    id: &str,
    person_id: &str,
) -> Result<Update> {
    super::lock_for_update(tx, id).await?;
    let before = super::find_own(tx, viewer, id).await?;
    let person = people::by_id(tx, person_id).await?;
    if person.deactivated_at.is_some() {
        return Err(Error::Conflict(format!(
            "{} is deactivated and cannot sign in.",
            person.name
        )));
    }
    if person.id == before.author_id {
        return Err(Error::Conflict(
            "You are the author of this update, so you can already see it.".into(),
        ));
    }
    add_invited_recipient(tx, clock, person_id, &[id.to_owned()]).await?;
    super::find_as_author(tx, id).await
}

/// Makes a person a recipient of each of these updates, for example after the person accepted an
/// invitation.
pub async fn add_invited_recipient(
    tx: &mut Tx,
    clock: &Clock,
    person_id: &str,
    updates: &[String],
) -> Result<()> {
    let mut updates = updates.to_vec();
    updates.sort();
    for id in &updates {
        super::lock_for_update(tx, id).await?;
        sqlx::query(
            "INSERT INTO audience (update_id, person_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        )
        .bind(id)
        .bind(person_id)
        .execute(&mut **tx)
        .await?;
        let update = super::find_as_author(tx, id).await?;
        if update.published_at.is_none() {
            continue;
        }
        let new: Vec<String> = sqlx::query_scalar(insert_recipients!(
            "SELECT $1, p.id, $2 FROM people p WHERE p.id = $3"
        ))
        .bind(id)
        .bind(clock.now())
        .bind(person_id)
        .fetch_all(&mut **tx)
        .await?;
        access::refresh(tx, id, Some(person_id)).await?;
        super::refresh_obligations(tx, clock, id, Some(person_id)).await?;
        let kind = if update.asks_for_answer() {
            Kind::Asked
        } else {
            Kind::Sent
        };
        notifications::notify(
            tx,
            clock,
            Notification {
                kind,
                update_id: id,
                subject_id: id,
                actor_id: &update.author_id,
            },
            &new,
        )
        .await?;
    }
    // Record the events after all other writes. Recording locks the counter of event numbers until
    // the transaction ends.
    for id in &updates {
        events::record(tx, clock, EventKind::Receipt, id, person_id, person_id).await?;
    }
    Ok(())
}
