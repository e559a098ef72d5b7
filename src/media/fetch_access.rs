//! Decides who may fetch which rendition.

use sqlx::{AnyConnection, FromRow};

use super::{MediaKind, MediaState, RenditionName, original_access};
use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::infra::db::FetchKnown;
use crate::infra::video::Metadata;
use crate::people::Viewer;
use crate::updates::visible;

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
    author_id: String,
    name: RenditionName,
    state: MediaState,
    original_metadata: Option<String>,
    /// When everyone but the author loses access to the original. Set when a copy replaces the original, so that
    /// viewers who are already playing the original can continue.
    raw_until: Option<Millis>,
}

impl Candidate {
    fn if_allowed(self, viewer: &Viewer, now: Millis) -> Option<ServedObject> {
        if viewer
            .person()
            .is_ok_and(|person| person.id == self.author_id)
        {
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

/// Finds the object with this key, or the object that replaced it. Returns [`Error::NotFound`] if the viewer may not
/// fetch it.
pub async fn find_object(
    connection: &mut AnyConnection,
    clock: &Clock,
    viewer: &Viewer,
    key: &str,
) -> Result<ServedObject> {
    if let Some(served) = find_current(connection, clock, viewer, key).await? {
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
        Some(replacement) => find_current(connection, clock, viewer, &replacement)
            .await?
            .ok_or(Error::NotFound),
        None => Err(Error::NotFound),
    }
}

async fn find_current(
    connection: &mut AnyConnection,
    clock: &Clock,
    viewer: &Viewer,
    key: &str,
) -> Result<Option<ServedObject>> {
    macro_rules! candidates {
        () => {
            "SELECT r.key, r.content_type, r.bytes, m.file_name, m.kind, m.duration_ms, u.author_id, r.name, m.state,
             m.original_metadata, m.raw_until,
             (SELECT count(*) FROM renditions o WHERE o.media_id = m.id AND o.key = r.key AND o.name = 'original'
             AND m.kind = 'video') AS raw
             FROM renditions r JOIN media m ON m.id = r.media_id JOIN updates u ON u.id = m.update_id "
        };
    }
    let found: Vec<Candidate> = match viewer {
        Viewer::Person(person) => {
            let query = concat!(
                candidates!(),
                "WHERE r.key = $1 AND (u.author_id = $2 OR m.removed_at IS NULL) AND ",
                visible!("$2")
            );
            sqlx::query_as(query)
                .bind(key)
                .bind(&person.id)
                .fetch_known(connection)
                .await?
        }
        Viewer::Guest(guests) => {
            let Some(guest) = guests.first() else {
                return Ok(None);
            };
            // Guests see a comment's pictures only in threads that belong to their own share link.
            let query = concat!(
                candidates!(),
                "LEFT JOIN comments c ON c.id = m.comment_id LEFT JOIN comments t ON t.id = coalesce(c.parent_id, c.id)
                 WHERE r.key = $1 AND u.id = $2 AND u.published_at IS NOT NULL AND u.trashed_at IS NULL
                 AND (m.comment_id IS NULL OR t.link_id = $3) AND m.removed_at IS NULL"
            );
            sqlx::query_as(query)
                .bind(key)
                .bind(&guest.update_id)
                .bind(&guest.link_id)
                .fetch_known(connection)
                .await?
        }
        Viewer::Nobody => return Ok(None),
    };
    // Two renditions may share one object, so several rows can match. One permitted rendition is
    // enough.
    Ok(found
        .into_iter()
        .find_map(|candidate| candidate.if_allowed(viewer, clock.now())))
}
