//! Facets: words in the index that say who can find a place and which filters it passes. Because they are part of the
//! index, a search never reads the places that a person may not see.
//!
//! The facets of an update apply to all its places. Each begins with a slash, which no word contains:
//!
//! | facet | places that have it |
//! | --- | --- |
//! | `/pPRINCIPAL` | a person or the later members of a group may open the update, which was not sent to everyone |
//! | `/everyone` | the update was sent to everyone |
//! | `/workspace` | everyone with an account may open the update, but it was not sent to everyone |
//! | `/oAUTHOR`, `/dAUTHOR`, `/xAUTHOR` | published, a draft, or in the trash |
//! | `/bAUTHOR` | any of these |
//! | `/video`, `/image` | the update contains a video or a picture |
//!
//! After a change, facets are outdated until a job has run. Searches therefore check their results again.

use sqlx::FromRow;

use crate::clock::Millis;
use crate::error::Result;
use crate::infra::db::{Dialect, Tx};

/// Facets that a place must or must not have.
#[derive(Clone, Debug, Default)]
pub struct RequiredFacets {
    /// For each of these groups, the place must have at least one facet.
    pub any_of: Vec<Vec<String>>,
    /// The place must have none of these.
    pub none_of: Vec<String>,
}

/// The facets of an update, and its place in the order of lists.
#[derive(Debug, FromRow)]
pub(super) struct UpdateFacets {
    /// The facets, separated by spaces.
    pub(super) facets: String,
    /// `listed_at` of the update.
    pub(super) listed_at: Millis,
}

/// Returns the facet of a person or a group that may open the update.
pub fn principal(id: &str) -> String {
    format!("/p{id}")
}

/// SQL for the facets of the update `u`. `$agg` is the engine's function that joins texts with spaces.
macro_rules! facets {
    ($aggregate:literal) => {
        concat!(
            "'/b' || u.author_id || CASE WHEN u.trashed_at IS NOT NULL THEN ' /x' WHEN u.published_at IS NULL THEN ' /d'
             ELSE ' /o' END || u.author_id || CASE WHEN u.has_video = 1 THEN ' /video' ELSE '' END
             || CASE WHEN u.has_image = 1 THEN ' /image' ELSE '' END
             || coalesce((SELECT ' ' || ",
            $aggregate,
            " FROM (SELECT CASE WHEN x.principal <> 'everyone' THEN '/p' || x.principal
                 WHEN u.everyone_at IS NOT NULL THEN '/everyone' ELSE '/workspace' END AS facet
                 FROM update_access x WHERE x.update_id = u.id
                 AND (u.everyone_at IS NULL OR x.principal = 'everyone') ORDER BY x.principal) AS f), '')"
        )
    };
}

/// Returns the facets of an update; `None` if the update does not exist.
pub(super) async fn of_update(tx: &mut Tx, update_id: &str) -> Result<Option<UpdateFacets>> {
    let statement = match tx.dialect() {
        Dialect::Sqlite => concat!(
            "SELECT ",
            facets!("group_concat(f.facet, ' ')"),
            " AS facets, u.listed_at FROM updates u WHERE u.id = $1"
        ),
        Dialect::Postgres => concat!(
            "SELECT ",
            facets!("string_agg(f.facet, ' ')"),
            " AS facets, u.listed_at FROM updates u WHERE u.id = $1"
        ),
    };
    Ok(sqlx::query_as(statement)
        .bind(update_id)
        .fetch_optional(&mut **tx)
        .await?)
}

/// Returns the SQL that derives the facets of all places.
pub(super) fn rebuild_statement(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => concat!(
            "UPDATE said SET facets = coalesce((SELECT ",
            facets!("group_concat(f.facet, ' ')"),
            " FROM updates u WHERE u.id = said.update_id), '')"
        ),
        Dialect::Postgres => concat!(
            "UPDATE said SET facets = coalesce((SELECT ",
            facets!("string_agg(f.facet, ' ')"),
            " FROM updates u WHERE u.id = said.update_id), '')"
        ),
    }
}
