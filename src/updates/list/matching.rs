//! Lists of the updates that match a search.

use std::collections::{BTreeSet, HashMap};

use sqlx::{AnyConnection, AssertSqlSafe};

use super::{Filter, PageRequest, Row};
use crate::clock::Millis;
use crate::error::Result;
use crate::infra::db::{self, Dialect, FetchKnown};
use crate::search::{self, Place, RequiredFacets, SearchQuery};
use crate::updates::{MediaKind, UpdateState, visible};

/// Number of places to read at a time.
const BATCH_SIZE: usize = 64;

/// Lists the updates that contain the search words of the filter, newest first. The index contains the conditions of
/// the filter; the rows are checked again, because the index can lag behind.
pub(super) async fn list(
    connection: &mut AnyConnection,
    dialect: Dialect,
    page: PageRequest<'_>,
) -> Result<Vec<Row>> {
    let PageRequest {
        person_id,
        filter,
        after,
        limit,
    } = page;
    let Some(query) = SearchQuery::parse(connection, &filter.search_words).await? else {
        return Ok(Vec::new());
    };
    if is_always_empty(person_id, filter) {
        return Ok(Vec::new());
    }
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut matches = Matches {
        dialect,
        query,
        facets: facets(connection, person_id, filter).await?,
        below: after.map_or(Millis::MAX, |cursor| search::after_time(cursor.listed_at)),
        ended: false,
    };
    let (mut found, mut waiting): (Vec<Row>, Vec<String>) = (Vec::new(), Vec::new());
    let mut places = Places::default();
    while found.len() < wanted {
        if waiting.is_empty() {
            if matches.ended {
                break;
            }
            let next = matches.next(connection).await?;
            waiting = newest_first(&next);
            places.add(next);
        }
        let next: Vec<String> = waiting
            .drain(..waiting.len().min(wanted - found.len()))
            .collect();
        // While a job changes the facets of an update, some of its places have an earlier position.
        let mut new = rows(connection, page, &next).await?;
        new.retain(|row| found.iter().all(|earlier| earlier.id != row.id));
        found.extend(new);
    }
    places.attach_to(&mut found);
    for row in &mut found {
        // Ids sort by time.
        row.places.sort_by(|a, b| b.subject_id.cmp(&a.subject_id));
    }
    Ok(found)
}

/// Returns at most `limit` updates that match the query and that the person may see, best match first; see
/// [`search::best_places`].
pub(super) async fn best(
    connection: &mut AnyConnection,
    dialect: Dialect,
    person_id: &str,
    query: &SearchQuery,
    limit: usize,
) -> Result<Vec<Row>> {
    let page = PageRequest {
        person_id,
        filter: &Filter::default(),
        after: None,
        limit: i64::try_from(limit).unwrap_or(i64::MAX),
    };
    let facets = facets(connection, person_id, page.filter).await?;
    let best = search::best_places(connection, dialect, query, &facets, limit).await?;
    let mut ids: Vec<String> = Vec::new();
    for place in &best {
        if ids.len() < limit && !ids.contains(&place.update_id) {
            ids.push(place.update_id.clone());
        }
    }
    let mut found = rows(connection, page, &ids).await?;
    found.sort_by_key(|row| ids.iter().position(|id| *id == row.id));
    let mut places = Places::default();
    places.add(best);
    places.attach_to(&mut found);
    Ok(found)
}

/// The matching places of each update.
#[derive(Default)]
struct Places(HashMap<String, Vec<Place>>);

impl Places {
    fn add(&mut self, places: Vec<Place>) {
        for place in places {
            self.0
                .entry(place.update_id.clone())
                .or_default()
                .push(place);
        }
    }

    fn attach_to(&mut self, rows: &mut [Row]) {
        for row in rows {
            row.places = self.0.remove(&row.id).unwrap_or_default();
        }
    }
}

/// Returns the ids of the updates that contain these places, in the order of lists.
fn newest_first(places: &[Place]) -> Vec<String> {
    let updates: BTreeSet<(Millis, &str)> = places
        .iter()
        .map(|place| (place.listed_at(), &*place.update_id))
        .collect();
    updates
        .into_iter()
        .rev()
        .map(|(_, id)| id.to_owned())
        .collect()
}

/// Whether no update passes the filter. The search would otherwise read all matching places to find that out.
fn is_always_empty(person_id: &str, filter: &Filter) -> bool {
    let is_unknown_author = !filter.author.is_empty() && !is_id(&filter.author);
    let is_unsent = matches!(
        filter.state,
        Some(UpdateState::Draft | UpdateState::Trashed)
    );
    is_unknown_author || (filter.to_me && (is_unsent || filter.author == person_id))
}

/// The updates that match a query, read newest first.
struct Matches {
    dialect: Dialect,
    query: SearchQuery,
    facets: RequiredFacets,
    /// Places with this number or a higher one have already been read.
    below: i64,
    /// Whether all places have been read.
    ended: bool,
}

impl Matches {
    /// Returns the places of the next updates. Never splits updates that have the same `listed_at`.
    async fn next(&mut self, connection: &mut AnyConnection) -> Result<Vec<Place>> {
        let mut places: Vec<Place> = Vec::new();
        loop {
            let read = search::newest(
                connection,
                self.dialect,
                &self.query,
                &self.facets,
                self.below,
                i64::try_from(BATCH_SIZE).unwrap_or(i64::MAX),
            )
            .await?;
            self.ended = read.len() < BATCH_SIZE;
            places.extend(read);
            if self.ended {
                break;
            }
            let newest = places.first().map_or(0, Place::listed_at);
            let oldest = places.last().map_or(0, Place::listed_at);
            if newest > oldest {
                self.below = search::after_time(oldest);
                places.retain(|place| place.listed_at() > oldest);
                break;
            }
            self.below = places.last().map_or(0, |place| place.n);
        }
        Ok(places)
    }
}

/// Returns the facets of the places that the person may see and that pass the filter.
async fn facets(
    connection: &mut AnyConnection,
    person_id: &str,
    filter: &Filter,
) -> Result<RequiredFacets> {
    let mut may_see = Vec::new();
    if filter.to_me {
        may_see.push("/everyone".to_owned());
        may_see.push(search::principal_facet(person_id));
    } else {
        let own = |letter: char| format!("/{letter}{person_id}");
        match filter.state {
            None => may_see.extend([own('o'), own('d')]),
            Some(UpdateState::Published) => may_see.push(own('o')),
            Some(UpdateState::Draft) => may_see.push(own('d')),
            Some(UpdateState::Trashed) => may_see.push(own('x')),
        }
        if matches!(filter.state, None | Some(UpdateState::Published)) {
            let groups: Vec<String> =
                sqlx::query_scalar("SELECT group_id FROM group_members WHERE person_id = $1")
                    .bind(person_id)
                    .fetch_all(connection)
                    .await?;
            may_see.extend(["/everyone".to_owned(), "/workspace".to_owned()]);
            may_see.push(search::principal_facet(person_id));
            may_see.extend(groups.iter().map(|group| search::principal_facet(group)));
        }
    }
    let mut required = vec![may_see];
    if !filter.author.is_empty() {
        required.push(vec![format!("/b{}", filter.author)]);
    }
    required.extend(filter.kind.map(|kind| match kind {
        MediaKind::Video => vec!["/video".to_owned()],
        MediaKind::Image => vec!["/image".to_owned()],
    }));
    let none_of = if filter.to_me {
        vec![format!("/b{person_id}")]
    } else {
        Vec::new()
    };
    Ok(RequiredFacets {
        any_of: required,
        none_of,
    })
}

/// Whether a text has the form of an id. Anything else cannot be an author's id and must not become part
/// of a query.
fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Returns the rows of the updates in `ids` that belong in the list, newest first.
async fn rows(
    connection: &mut AnyConnection,
    page: PageRequest<'_>,
    ids: &[String],
) -> Result<Vec<Row>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let text = format!(
        concat!(
            "SELECT ",
            row_columns!(),
            " FROM updates u JOIN people a ON a.id = u.author_id WHERE ",
            visible!("$1"),
            " AND (u.listed_at, u.id) < ($2, $3) AND ($4 = '' OR u.author_id = $4){} AND u.id IN ({})
             ORDER BY u.listed_at DESC, u.id DESC"
        ),
        conditions(page.filter),
        db::placeholders(5, ids.len())
    );
    let (listed_at, id) = page.start();
    let mut query = sqlx::query_as(AssertSqlSafe(text))
        .bind(page.person_id)
        .bind(listed_at)
        .bind(id)
        .bind(&page.filter.author);
    for id in ids {
        query = query.bind(id);
    }
    query.fetch_known(connection).await
}

/// Returns the SQL conditions of a filter for the update `u`, without the author. `$1` is the person.
fn conditions(filter: &Filter) -> String {
    let state = match filter.state {
        // Drafts and updates in the trash are visible only to their author.
        Some(UpdateState::Draft) => " AND u.published_at IS NULL AND u.trashed_at IS NULL",
        Some(UpdateState::Published) => " AND u.published_at IS NOT NULL AND u.trashed_at IS NULL",
        Some(UpdateState::Trashed) => " AND u.trashed_at IS NOT NULL",
        None => " AND u.trashed_at IS NULL",
    };
    let to_me = if filter.to_me {
        " AND u.author_id <> $1 AND u.published_at IS NOT NULL AND (u.everyone_at IS NOT NULL OR EXISTS
          (SELECT 1 FROM receipts r WHERE r.update_id = u.id AND r.person_id = $1 AND r.removed_at IS NULL))"
    } else {
        ""
    };
    let kind = match filter.kind {
        Some(MediaKind::Video) => " AND u.has_video = 1",
        Some(MediaKind::Image) => " AND u.has_image = 1",
        None => "",
    };
    format!("{state}{to_me}{kind}")
}
