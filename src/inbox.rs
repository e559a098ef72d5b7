//! What waits for whom. Nothing is stored: it follows from receipts, visits and comments.

use sqlx::{AnyConnection, FromRow};

use crate::clock::Millis;
use crate::error::Result;

/// Something that waits.
#[derive(Clone, Debug, FromRow)]
pub struct Waiting {
    /// The update.
    pub update_id: String,
    /// `acknowledge`, `changed`, `sent`, `comments`, `waiting`.
    pub why: String,
    /// By when.
    pub due_at: Option<Millis>,
    /// When I opened it; for `waiting` when it was published.
    pub opened_at: Option<Millis>,
    /// How many comments are new.
    pub new_comments: i64,
    /// When it came to be.
    pub at: Millis,
}

/// How many rows a section shows; the counts tell how many there are.
const SHOWN: i64 = 100;

/// What the person owes: by due time, then oldest first.
macro_rules! owed_by_me {
    () => {
        "SELECT u.id AS update_id, CASE WHEN r.answered_at IS NULL THEN 'acknowledge' ELSE 'changed' END AS why, u.due_at, r.opened_at,
         0 AS new_comments, r.sent_at AS at
         FROM receipts r JOIN updates u ON u.id = r.update_id
         WHERE r.person_id = $1 AND r.removed_at IS NULL AND u.published_at IS NOT NULL AND u.trashed_at IS NULL AND u.expectation <> 'fyi'
         AND (r.answered_revision IS NULL OR r.answered_revision < u.revision)"
    };
}

/// What was said to the person, found from what is theirs, so that it costs what they have and not what there is: updates that ask nothing
/// and were not opened (sent to them, or to everyone since they came); comments since the last visit on updates of theirs, and in threads they
/// took part in. Programs speak without a visit, so there what came after their own words is new.
macro_rules! said_to_me {
    () => {
        "SELECT s.* FROM (
         SELECT u.id AS update_id, 'sent' AS why, u.due_at, r.opened_at, 0 AS new_comments, r.sent_at AS at
         FROM receipts r JOIN updates u ON u.id = r.update_id
         WHERE r.person_id = $1 AND r.opened_at IS NULL AND r.removed_at IS NULL
         AND u.published_at IS NOT NULL AND u.trashed_at IS NULL AND u.expectation = 'fyi'
         UNION ALL
         SELECT u.id AS update_id, 'sent' AS why, u.due_at, NULL AS opened_at, 0 AS new_comments, u.published_at AS at
         FROM updates u
         WHERE u.everyone_at IS NOT NULL AND u.published_at >= (SELECT created_at FROM people WHERE id = $1)
         AND u.trashed_at IS NULL AND u.expectation = 'fyi' AND u.author_id <> $1
         AND NOT EXISTS (SELECT 1 FROM receipts r WHERE r.update_id = u.id AND r.person_id = $1 AND r.removed_at IS NULL)
         UNION ALL
         SELECT n.update_id, 'comments' AS why, NULL AS due_at, max(n.seen_at) AS opened_at, count(*) AS new_comments, max(n.at) AS at FROM (
           SELECT u.id AS update_id, c.id, v.seen_at, c.created_at AS at
           FROM updates u JOIN comments c ON c.update_id = u.id LEFT JOIN visits v ON v.update_id = u.id AND v.person_id = $1
           WHERE u.author_id = $1 AND u.published_at IS NOT NULL AND u.trashed_at IS NULL
           AND c.removed_at IS NULL AND c.created_at > coalesce(v.seen_at, 0) AND (c.person_id IS NULL OR c.person_id <> $1)
           UNION
           SELECT u.id AS update_id, c.id, v.seen_at, c.created_at AS at
           FROM (SELECT coalesce(o.parent_id, o.id) AS root, min(o.id) AS first FROM comments o WHERE o.person_id = $1
                 GROUP BY coalesce(o.parent_id, o.id)) AS mine
           JOIN comments c ON c.parent_id = mine.root JOIN updates u ON u.id = c.update_id
           LEFT JOIN visits v ON v.update_id = u.id AND v.person_id = $1
           WHERE u.author_id <> $1 AND u.published_at IS NOT NULL AND u.trashed_at IS NULL
           AND c.removed_at IS NULL AND c.created_at > coalesce(v.seen_at, 0) AND (c.person_id IS NULL OR c.person_id <> $1)
           AND (v.seen_at IS NOT NULL OR mine.first < c.id)
           AND (u.visibility = 'workspace' OR u.everyone_at IS NOT NULL
                OR EXISTS (SELECT 1 FROM receipts r WHERE r.update_id = u.id AND r.person_id = $1 AND r.removed_at IS NULL))
         ) AS n GROUP BY n.update_id) AS s"
    };
}

/// What others owe the person.
macro_rules! owed_to_me {
    () => {
        "SELECT u.id AS update_id, 'waiting' AS why, u.due_at, u.published_at AS opened_at, 0 AS new_comments, u.published_at AS at
         FROM updates u WHERE u.author_id = $1 AND u.published_at IS NOT NULL AND u.trashed_at IS NULL AND u.expectation <> 'fyi'
         AND EXISTS (SELECT 1 FROM receipts r JOIN people p ON p.id = r.person_id WHERE r.update_id = u.id AND r.removed_at IS NULL
                     AND p.deactivated_at IS NULL
                     AND (r.answered_revision IS NULL OR r.answered_revision < u.revision))"
    };
}

/// What I owe, what others owe me, what was said to me; at most 100 of each.
#[derive(Clone, Debug, Default)]
pub struct Inbox {
    /// To answer.
    pub owed_by_me: Vec<Waiting>,
    /// Waiting on others.
    pub owed_to_me: Vec<Waiting>,
    /// To hear.
    pub said_to_me: Vec<Waiting>,
}

/// How much waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromRow)]
pub struct Counts {
    /// To answer.
    pub owed_by_me: i64,
    /// Waiting on others.
    pub owed_to_me: i64,
    /// To hear.
    pub said_to_me: i64,
}

/// The person's inbox.
pub async fn of(connection: &mut AnyConnection, person_id: &str) -> Result<Inbox> {
    Ok(Inbox {
        owed_by_me: sqlx::query_as(concat!(owed_by_me!(), " ORDER BY coalesce(u.due_at, 9223372036854775807), r.sent_at, u.id LIMIT $2"))
            .bind(person_id)
            .bind(SHOWN)
            .fetch_all(&mut *connection)
            .await?,
        owed_to_me: sqlx::query_as(concat!(
            owed_to_me!(),
            " ORDER BY coalesce(u.due_at, 9223372036854775807), u.published_at, u.id LIMIT $2"
        ))
        .bind(person_id)
        .bind(SHOWN)
        .fetch_all(&mut *connection)
        .await?,
        said_to_me: sqlx::query_as(concat!(said_to_me!(), " ORDER BY s.at DESC, s.update_id LIMIT $2"))
            .bind(person_id)
            .bind(SHOWN)
            .fetch_all(&mut *connection)
            .await?,
    })
}

/// How much waits for the person.
pub async fn counts(connection: &mut AnyConnection, person_id: &str) -> Result<Counts> {
    Ok(sqlx::query_as(concat!(
        "SELECT (SELECT count(*) FROM (",
        owed_by_me!(),
        ") AS a) AS owed_by_me, (SELECT count(*) FROM (",
        owed_to_me!(),
        ") AS b) AS owed_to_me, (SELECT count(*) FROM (",
        said_to_me!(),
        ") AS c) AS said_to_me"
    ))
    .bind(person_id)
    .fetch_one(connection)
    .await?)
}

/// How much the person owes: what every page says.
pub async fn owed(connection: &mut AnyConnection, person_id: &str) -> Result<i64> {
    Ok(sqlx::query_scalar(concat!("SELECT count(*) FROM (", owed_by_me!(), ") AS a")).bind(person_id).fetch_one(connection).await?)
}
