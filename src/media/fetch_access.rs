//! Decides who may fetch which rendition.

use sqlx::{AnyConnection, FromRow};

use super::{MediaKind, MediaState, RenditionName, original_access};
use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::infra::db::FetchKnown;
use crate::infra::video::Metadata;
use crate::links::active_link;
use crate::people::{Grant, person_of_session, person_of_token, session_limits};
use crate::updates::visible;

/// The credential for which the address of an object was signed.
#[derive(Clone, Debug)]
pub enum AddressGrant {
    /// The session or token of a person.
    Person(Grant),
    /// A share link, with its id.
    ShareLink(String),
}

/// The properties of an object that are needed to send it to a browser.
#[derive(Clone, Debug, FromRow)]
pub struct ServedObject {
    /// The storage key.
    pub key: String,
    /// The MIME type of the object.
    pub content_type: String,
    /// Size in bytes.
    pub bytes: i64,
    /// The name of the uploaded file.
    pub file_name: String,
    /// Kind of media.
    pub kind: MediaKind,
    /// Duration of a video, in milliseconds.
    pub duration_ms: Option<Millis>,
    /// Nonzero if the object is the original of another person's recording; otherwise 0. The viewer
    /// can lose access to an original, so its URL must not be presigned.
    pub raw: i64,
}

/// A rendition of media that the viewer may see. `if_allowed` decides whether the viewer may also fetch the bytes of
/// the rendition.
#[derive(FromRow)]
struct Candidate {
    #[sqlx(flatten)]
    served: ServedObject,
    /// The id of the viewer; empty for guests.
    viewer_id: String,
    author_id: String,
    name: RenditionName,
    state: MediaState,
    original_metadata: Option<String>,
    /// When everyone but the author loses access to the original. Set when a copy replaces the original, so that
    /// viewers who are already playing the original can continue.
    raw_until: Option<Millis>,
}

impl Candidate {
    fn if_allowed(self, now: Millis) -> Option<ServedObject> {
        if self.viewer_id == self.author_id {
            return Some(ServedObject {
                raw: 0,
                ..self.served
            });
        }
        let metadata = self.original_metadata.as_deref().and_then(Metadata::parse);
        let lingers = self.raw_until.is_some_and(|until| until > now);
        original_access::is_open_to_others(
            self.served.raw != 0,
            self.name,
            metadata,
            self.state,
            lingers,
        )
        .then_some(self.served)
    }
}

/// Finds the object with this key, or the object that replaced it. Returns [`Error::NotFound`] if the grant is no
/// longer valid or does not give access to the object. Usually needs one statement, because players request many
/// ranges.
pub async fn find_object(
    connection: &mut AnyConnection,
    clock: &Clock,
    grant: &AddressGrant,
    key: &str,
) -> Result<ServedObject> {
    if let Some(served) = find_current(connection, clock, grant, key).await? {
        return Ok(served);
    }
    // The rendition `marked` no longer exists if all shapes were removed. The original then
    // replaces it.
    let replacement: Option<String> = sqlx::query_scalar(
        "SELECT r.key FROM former_keys f JOIN renditions r ON r.media_id = f.media_id
         AND (r.name = f.name OR (f.name = 'marked' AND r.name = 'original'))
         WHERE f.key = $1 AND f.until > $2 ORDER BY r.name LIMIT 1",
    )
    .bind(key)
    .bind(clock.now())
    .fetch_optional(&mut *connection)
    .await?;
    match replacement {
        Some(replacement) => find_current(connection, clock, grant, &replacement)
            .await?
            .ok_or(Error::NotFound),
        None => Err(Error::NotFound),
    }
}

/// SQL: the columns of [`Candidate`] for the object `$4`. The argument selects the grant `g`, if it is valid.
macro_rules! candidates {
    ($($grant:tt)+) => {
        concat!(
            "SELECT g.viewer_id, r.key, r.content_type, r.bytes, m.file_name, m.kind, m.duration_ms, u.author_id,
             r.name, m.state, m.original_metadata, m.raw_until,
             (SELECT count(*) FROM renditions o WHERE o.media_id = m.id AND o.key = r.key AND o.name = 'original'
             AND m.kind = 'video') AS raw
             FROM (",
            $($grant)+,
            ") g JOIN renditions r ON r.key = $4 JOIN media m ON m.id = r.media_id
             JOIN updates u ON u.id = m.update_id "
        )
    };
}

/// SQL: people see what they may see anyway.
macro_rules! visible_to_person {
    () => {
        concat!(
            "WHERE (u.author_id = g.viewer_id OR m.removed_at IS NULL) AND ",
            visible!("g.viewer_id")
        )
    };
}

const BY_SESSION: &str = concat!(
    candidates!("SELECT p.id AS viewer_id FROM ", person_of_session!()),
    visible_to_person!()
);
const BY_TOKEN: &str = concat!(
    candidates!("SELECT p.id AS viewer_id FROM ", person_of_token!()),
    visible_to_person!()
);
/// Guests see a comment's pictures only in threads that belong to their own share link.
const BY_SHARE_LINK: &str = concat!(
    candidates!(
        "SELECT '' AS viewer_id, l.id AS link_id, l.update_id FROM ",
        active_link!(),
        " AND $2 > 0 AND $3 > 0"
    ),
    "LEFT JOIN comments c ON c.id = m.comment_id LEFT JOIN comments t ON t.id = coalesce(c.parent_id, c.id)
     WHERE u.id = g.update_id AND u.published_at IS NOT NULL AND u.trashed_at IS NULL
     AND (m.comment_id IS NULL OR t.link_id = g.link_id) AND m.removed_at IS NULL"
);

async fn find_current(
    connection: &mut AnyConnection,
    clock: &Clock,
    grant: &AddressGrant,
    key: &str,
) -> Result<Option<ServedObject>> {
    let (query, id) = match grant {
        AddressGrant::Person(Grant::Session(id)) => (BY_SESSION, id),
        AddressGrant::Person(Grant::Token(id)) => (BY_TOKEN, id),
        AddressGrant::ShareLink(id) => (BY_SHARE_LINK, id),
    };
    let (seen_after, created_after) = session_limits(clock);
    let found: Vec<Candidate> = sqlx::query_as(query)
        .bind(id)
        .bind(seen_after)
        .bind(created_after)
        .bind(key)
        .fetch_known(connection)
        .await?;
    // Two renditions may share one object, so several rows can match. One permitted rendition is
    // enough.
    Ok(found
        .into_iter()
        .find_map(|candidate| candidate.if_allowed(clock.now())))
}
