//! Access to updates. The table `update_access` has one row for each update and each principal that
//! may open it. A principal is a person, a group, or everyone with an account. Only [`refresh`]
//! writes to the table. It derives the rows from an update's audience, receipts, visibility and
//! state. Every transaction that changes one of these must call [`refresh`].
//!
//! If a group is in the audience, its members at publication get receipts, which give them access.
//! People who join the group later get access only if the author allows it (`later_members_at`). In
//! that case, the group itself is the principal, so no row has to change when people join or leave
//! the group.

use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

use super::{Content, IN_TRASH, Update, columns, lock_for_update};
use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::infra::db;
use crate::infra::db::Tx;
use crate::people::{Person, Viewer};

/// Maximum number of people in one SQL statement.
const CHUNK_SIZE: usize = 500;

/// SQL condition: a person may open the update `u`. The argument is the placeholder or column that
/// contains the person's id. The author may always open the update.
macro_rules! visible {
    ($person:literal) => {
        concat!(
            "(u.author_id = ",
            $person,
            " OR EXISTS (SELECT 1 FROM update_access x WHERE x.principal = 'everyone'
             AND x.listed_at = u.listed_at AND x.update_id = u.id)",
            " OR EXISTS (SELECT 1 FROM update_access x WHERE x.principal = ",
            $person,
            " AND x.listed_at = u.listed_at AND x.update_id = u.id)",
            " OR EXISTS (SELECT 1 FROM group_members m JOIN update_access x ON x.principal = m.group_id
             WHERE x.listed_at = u.listed_at AND x.update_id = u.id AND m.person_id = ",
            $person,
            "))"
        )
    };
}
pub(crate) use visible;

/// SQL for the access rows that the update `$1` should have. Drafts and updates in the trash have
/// none. The columns after `principal` are copies of columns of the update, so that lists can be
/// read in order and filtered by an index.
macro_rules! access_rows {
    () => {
        "SELECT d.principal, u.listed_at, u.id AS update_id, u.author_id, u.has_video, u.has_image
         FROM (SELECT 'everyone' AS principal FROM updates u
               WHERE u.id = $1 AND (u.visibility = 'workspace' OR u.everyone_at IS NOT NULL)
               UNION ALL SELECT r.person_id FROM receipts r WHERE r.update_id = $1 AND r.removed_at IS NULL
               UNION ALL SELECT g.group_id FROM group_audience g JOIN updates u ON u.id = g.update_id
               WHERE g.update_id = $1 AND u.later_members_at IS NOT NULL) AS d
         JOIN updates u ON u.id = $1 AND u.published_at IS NOT NULL AND u.trashed_at IS NULL"
    };
}

/// Finds an update. Returns [`Viewer::not_visible_error`] if the update does not exist or the viewer may not see it.
pub async fn find(connection: &mut AnyConnection, viewer: &Viewer, id: &str) -> Result<Update> {
    let found: Option<Update> = match viewer {
        Viewer::Person(person) => {
            sqlx::query_as(concat!(
                "SELECT ",
                columns!(),
                " FROM updates u JOIN people a ON a.id = u.author_id WHERE u.id = $1 AND ",
                visible!("$2")
            ))
            .bind(id)
            .bind(&person.id)
            .fetch_optional(connection)
            .await?
        }
        Viewer::Guest(_) if viewer.guest_of(id).is_some() => sqlx::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM updates u JOIN people a ON a.id = u.author_id WHERE u.id = $1 AND u.published_at IS NOT NULL
             AND u.trashed_at IS NULL"
        ))
        .bind(id)
        .fetch_optional(connection)
        .await?,
        Viewer::Guest(_) | Viewer::Nobody => None,
    };
    found.ok_or_else(|| viewer.not_visible_error())
}

/// Finds an update that the viewer may see, and locks it until the transaction ends; see
/// [`lock_for_update`].
pub async fn find_locked(tx: &mut Tx, viewer: &Viewer, id: &str) -> Result<Update> {
    lock_for_update(tx, id).await?;
    find(tx, viewer, id).await
}

/// Finds an update that the viewer may change: the viewer is its author, and it is not in the
/// trash.
pub async fn find_own(connection: &mut AnyConnection, viewer: &Viewer, id: &str) -> Result<Update> {
    let update = find(connection, viewer, id).await?;
    must_be_author(viewer, &update)?;
    if update.trashed_at.is_some() {
        return Err(Error::Conflict(IN_TRASH.into()));
    }
    Ok(update)
}

/// Returns [`Error::Forbidden`] unless the viewer is the author of the update.
pub fn must_be_author(viewer: &Viewer, update: &Update) -> Result<()> {
    match viewer {
        Viewer::Person(person) if person.id == update.author_id => Ok(()),
        _ => Err(Error::Forbidden(format!(
            "Only {} can do this.",
            update.author_name
        ))),
    }
}

/// Recomputes the access rows of an update. Call it after every change to the data that
/// `access_rows!` reads, and update the facets of the search index too
/// ([`crate::search::enqueue_facets`], or [`super::enqueue_index`] for the update). The caller must hold
/// the lock of [`super::lock_for_update`]; otherwise simultaneous transactions could miss each
/// other's changes.
pub(super) async fn refresh(tx: &mut Tx, update_id: &str) -> Result<()> {
    refresh_rows(tx, update_id, "").await
}

/// Recomputes the access row of one person who has become a recipient of an update for everyone; see [`refresh`]. Search
/// does not distinguish between the recipients of such an update.
pub async fn refresh_person(tx: &mut Tx, update_id: &str, person_id: &str) -> Result<()> {
    refresh_rows(tx, update_id, person_id).await
}

/// Recomputes the access rows of an update for all principals or, if `principal` is not empty, for one.
async fn refresh_rows(tx: &mut Tx, update_id: &str, principal: &str) -> Result<()> {
    for statement in [
        concat!(
            "DELETE FROM update_access WHERE update_id = $1 AND ($2 = '' OR principal = $2)
             AND (principal, listed_at, has_video, has_image)
                 NOT IN (SELECT d.principal, d.listed_at, d.has_video, d.has_image FROM (",
            access_rows!(),
            ") AS d)"
        ),
        concat!(
            "INSERT INTO update_access (principal, listed_at, update_id, author_id, has_video, has_image)
             SELECT d.* FROM (",
            access_rows!(),
            ") AS d WHERE $2 = '' OR d.principal = $2 ON CONFLICT (principal, listed_at, update_id) DO NOTHING"
        ),
    ] {
        sqlx::query(statement)
            .bind(update_id)
            .bind(principal)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

/// Returns the value of `later_members_at` after an edit. Returns `None` if the new audience has no
/// groups, so that a group that is added later does not inherit the access. Otherwise,
/// `content.later_members` decides; if it is `None`, the value does not change.
pub(super) fn later_members_since(
    clock: &Clock,
    content: &Content,
    before: &Update,
) -> Option<Millis> {
    match (content.later_members, &content.audience) {
        (_, Some(addressed)) if addressed.groups.is_empty() => None,
        (Some(true), _) => before.later_members_at.or(Some(clock.now())),
        (Some(false), _) => None,
        (None, _) => before.later_members_at,
    }
}

/// Finds an update whose access list the viewer may read. Authors may read the access list of their
/// own updates. Admins may read it for every published update, even if they cannot open the update.
pub async fn find_to_audit(
    connection: &mut AnyConnection,
    viewer: &Viewer,
    id: &str,
) -> Result<Update> {
    if viewer.person().is_ok_and(Person::is_admin) {
        let published: i64 =
            sqlx::query_scalar(
                "SELECT count(*) FROM updates WHERE id = $1 AND published_at IS NOT NULL AND trashed_at IS NULL")
                .bind(id)
                .fetch_one(&mut *connection)
                .await?;
        if published == 1 {
            return super::find_as_author(connection, id).await;
        }
    }
    let update = find(connection, viewer, id).await?;
    must_be_author(viewer, &update)?;
    Ok(update)
}

/// A recipient who may open an update.
#[derive(Clone, Debug, FromRow)]
pub struct Recipient {
    /// Name of the recipient.
    pub name: String,
    /// When the update was sent to the recipient.
    pub sent_at: Millis,
}

/// Lists the active recipients who can currently open the update, sorted by name.
pub async fn recipients(connection: &mut AnyConnection, update_id: &str) -> Result<Vec<Recipient>> {
    Ok(sqlx::query_as(
        "SELECT p.name, r.sent_at FROM update_access x JOIN people p ON p.id = x.principal
         JOIN receipts r ON r.update_id = x.update_id AND r.person_id = p.id
         WHERE x.update_id = $1 AND p.deactivated_at IS NULL ORDER BY p.name_key, p.id",
    )
    .bind(update_id)
    .fetch_all(connection)
    .await?)
}

/// Returns the ids of the people in `people` who are active and can open the update.
pub async fn people_who_can_open(
    connection: &mut AnyConnection,
    update_id: &str,
    people: &[String],
) -> Result<Vec<String>> {
    let mut seeing = Vec::new();
    for chunk in people.chunks(CHUNK_SIZE) {
        let text = format!(
            concat!(
                "SELECT p.id FROM people p JOIN updates u ON u.id = $1 WHERE p.deactivated_at IS NULL AND ",
                visible!("p.id"),
                " AND p.id IN ({})"
            ),
            db::placeholders(2, chunk.len())
        );
        let mut query = sqlx::query_scalar(AssertSqlSafe(text)).bind(update_id);
        for person in chunk {
            query = query.bind(person);
        }
        seeing.extend(query.fetch_all(&mut *connection).await?);
    }
    Ok(seeing)
}
