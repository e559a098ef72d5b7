//! Finds the places that match a query, newest first. A place is the title and notes of an update, a comment, or a
//! picture with markup. The places of one update are neighbors in the order.

use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

use super::facets::RequiredFacets;
use super::periods;
use super::query::SearchQuery;
use crate::clock::Millis;
use crate::error::Result;
use crate::infra::db::{self, Dialect};

/// How many places can have the same `listed_at`.
const PLACES_PER_MILLISECOND: i64 = 65_536;

/// Returns the first number of the places of an update with this `listed_at`.
pub(super) fn first_number(listed_at: Millis) -> i64 {
    listed_at * PLACES_PER_MILLISECOND
}

/// Returns a number that is greater than the number of every place with this `listed_at` or an earlier one. Accepts
/// any time.
pub fn after_time(listed_at: Millis) -> i64 {
    listed_at
        .saturating_add(1)
        .saturating_mul(PLACES_PER_MILLISECOND)
}

/// A place that matches a query.
#[derive(Clone, Debug, FromRow)]
pub struct Place {
    /// The position in the order. Later places have greater numbers.
    pub n: i64,
    /// Id of the update that contains the place.
    pub update_id: String,
    /// Id of the comment or of the picture with markup; the id of the update for its title and notes.
    pub subject_id: String,
}

/// SQL columns of [`Place`].
pub(super) const COLUMNS: &str = "s.n, s.update_id, s.subject_id";

impl Place {
    /// Returns `listed_at` of the update that contains the place.
    pub fn listed_at(&self) -> Millis {
        self.n.div_euclid(PLACES_PER_MILLISECOND)
    }
}

/// Returns the newest places that match the query, have the facets, and whose number is less than `below`.
pub async fn newest(
    connection: &mut AnyConnection,
    dialect: Dialect,
    query: &SearchQuery,
    facets: &RequiredFacets,
    below: i64,
    limit: i64,
) -> Result<Vec<Place>> {
    let matching = Matching::new(connection, dialect, query, facets, below).await?;
    let mut places = sqlx::query_as(AssertSqlSafe(matching.statement(COLUMNS, 3)))
        .bind(below)
        .bind(limit);
    if let Some(query) = &matching.query {
        places = places.bind(query);
    }
    Ok(places
        .persistent(matching.is_reusable())
        .fetch_all(connection)
        .await?)
}

/// A part of an SQL statement that selects the newest matching places.
pub(super) struct Matching {
    /// The query in the language of SQLite, to be bound as the last parameter. PostgreSQL plans a search by its words, so
    /// there, the query is part of the statement.
    pub(super) query: Option<String>,
    /// The conditions of the parts of the statement, from the newest places to the oldest.
    ranges: Vec<String>,
    from: &'static str,
    order: &'static str,
}

impl Matching {
    /// `below` is the value for `$1` of the statement; `$2` is the maximum number of places.
    pub(super) async fn new(
        connection: &mut AnyConnection,
        dialect: Dialect,
        query: &SearchQuery,
        facets: &RequiredFacets,
        below: i64,
    ) -> Result<Self> {
        let query = query.to_engine(dialect, facets);
        Ok(match dialect {
            Dialect::Sqlite => Self {
                query: Some(query),
                ranges: vec!["w.rowid < $1".to_owned()],
                from: "said_words w JOIN said s ON s.n = w.rowid",
                order: "w.rowid",
            },
            Dialect::Postgres => {
                let newest: Option<i64> =
                    sqlx::query_scalar("SELECT max(n) FROM said WHERE n < $1")
                        .bind(below)
                        .fetch_one(connection)
                        .await?;
                Self {
                    query: None,
                    ranges: Self::periods(&query, newest.unwrap_or(0)),
                    from: "said s",
                    // An expression instead of the plain column. Otherwise, PostgreSQL would read all
                    // places in this order.
                    order: "(s.n + 0)",
                }
            }
        })
    }

    /// Whether other searches execute the same statement.
    pub(super) fn is_reusable(&self) -> bool {
        self.query.is_some()
    }

    fn periods(query: &str, newest: i64) -> Vec<String> {
        let groups = periods::newest_first(newest);
        let conditions = groups.iter().map(|keys| {
            let keys: Vec<String> = keys.iter().map(|key| format!("'{key}'")).collect();
            let within = format!("({query}) & ({})", keys.join(" | "));
            format!("s.keys @@ {}::tsquery AND s.n < $1", db::literal(&within))
        });
        conditions.collect()
    }

    /// Returns the SQL that selects `columns` of at most `$2` places, newest first. `last` is the number of the last
    /// parameter, which is [`Self::query`].
    pub(super) fn statement(&self, columns: &str, last: usize) -> String {
        let (from, order) = (self.from, self.order);
        let matches = match self.query {
            Some(_) => format!("said_words MATCH ${last} AND "),
            None => String::new(),
        };
        let parts: Vec<String> = self
            .ranges
            .iter()
            .map(|range| {
                format!(
                    "SELECT * FROM (SELECT {columns} FROM {from} WHERE {matches}{range}
                     ORDER BY {order} DESC LIMIT $2) AS part"
                )
            })
            .collect();
        match parts.as_slice() {
            [part] => part.clone(),
            // The parts are read one after another, and only until there are enough places.
            _ => format!(
                "SELECT * FROM ({}) AS places LIMIT $2",
                parts.join(" UNION ALL ")
            ),
        }
    }
}
