//! The library: all I may see, by filters and words; the trash is one of its filters.

use actix_web::http::StatusCode;
use actix_web::web;
use serde::Deserialize;

use super::super::answer::{Answer, data, escape, page};
use super::super::pages::{LibraryFilter, LibraryPage};
use super::super::shapes::{ListShape, PersonShape, RowShape};
use super::super::shaping;
use super::super::viewer::Ask;
use crate::app::State;
use crate::error::{Error, Result};
use crate::people;
use crate::updates::{self, Cursor, Filter};
use crate::words;

/// The filters as they stand in an address.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Query {
    #[serde(default)]
    q: String,
    #[serde(default)]
    author: String,
    #[serde(default)]
    audience: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    after: String,
    limit: Option<i64>,
}

pub(crate) async fn library(ask: Ask, state: web::Data<State>, query: Result<web::Query<Query>, actix_web::Error>) -> Answer {
    shown(&ask, &state, read(query)?).await
}

pub(crate) async fn trash_page(ask: Ask, state: web::Data<State>, query: Result<web::Query<Query>, actix_web::Error>) -> Answer {
    let query = Query { state: "trashed".into(), ..read(query)? };
    shown(&ask, &state, query).await
}

/// Best first among the newest 1,000 places: for programs; the page is the library with these words.
pub(crate) async fn search(ask: Ask, state: web::Data<State>, query: Result<web::Query<Query>, actix_web::Error>) -> Answer {
    let query = read(query)?;
    if ask.html {
        return shown(&ask, &state, query).await;
    }
    let person = ask.person()?;
    let limit = usize::try_from(limit(&query)?).unwrap_or(100);
    no_nul("q", &query.q)?;
    let mut connection = state.db.read().await?;
    let mut best = updates::best(&mut connection, state.db.dialect(), &person.id, &query.q).await?;
    best.truncate(limit);
    let mut found = updates::by_ids(&mut connection, &best).await?;
    found.sort_by_key(|row| best.iter().position(|id| *id == row.id));
    let mut items = shaping::rows(&mut connection, &state, &ask, found).await?;
    shaping::find_places(&mut connection, &state, &ask, &query.q, &mut items).await?;
    data(StatusCode::OK, &ListShape { items, next: None })
}

fn limit(query: &Query) -> Result<i64> {
    let limit = query.limit.unwrap_or(30);
    if (1..=100).contains(&limit) { Ok(limit) } else { Err(Error::invalid("limit", "is not from 1 to 100.")) }
}

fn no_nul(field: &str, text: &str) -> Result<()> {
    if text.contains('\0') { Err(Error::invalid(field, words::NUL)) } else { Ok(()) }
}

fn read(query: Result<web::Query<Query>, actix_web::Error>) -> Result<Query> {
    let query = query.map_err(|error| {
        Error::invalid(
            "query",
            format!(
                "is not understood: {}. Known are q, author, audience, state, kind, after, limit.",
                error.to_string().trim_start_matches("Query deserialize error: ")
            ),
        )
    })?;
    Ok(query.into_inner())
}

async fn shown(ask: &Ask, state: &State, query: Query) -> Answer {
    let person = ask.person()?;
    let (items, next) = find(state, ask, &person.id, &query).await?;
    if !ask.html {
        return data(StatusCode::OK, &ListShape { items, next });
    }
    let next = next.map(|next| address(&query, &next)).unwrap_or_default();
    let people = people::all(&mut *state.db.read().await?).await?;
    let people = people.into_iter().map(|account| PersonShape { id: account.id, name: account.name }).collect();
    let (title, at) = match query.state.as_str() {
        "trashed" => ("Trash", "updates"),
        "draft" => ("Drafts", "updates"),
        _ => ("Library", "updates"),
    };
    let filter = LibraryFilter { q: query.q, author: query.author, audience: query.audience, state: query.state, kind: query.kind };
    page(StatusCode::OK, &LibraryPage { page: ask.page(state, title, at).await?, items, next, filter, people })
}

async fn find(state: &State, ask: &Ask, me: &str, query: &Query) -> Result<(Vec<RowShape>, Option<String>)> {
    let one_of = |field: &str, value: &str, known: &[&str]| {
        let fits = value.is_empty() || known.contains(&value);
        if fits { Ok(()) } else { Err(Error::invalid(field, format!("is {value:?}. Right would be one of: {}.", known.join(", ")))) }
    };
    one_of("state", &query.state, &["draft", "published", "trashed"])?;
    one_of("kind", &query.kind, &["video", "image"])?;
    one_of("audience", &query.audience, &["me"])?;
    let limit = limit(query)?;
    no_nul("q", &query.q)?;
    no_nul("author", &query.author)?;
    let filter = Filter {
        author: if query.author == "me" { me.to_owned() } else { query.author.clone() },
        to_me: query.audience == "me",
        state: query.state.clone(),
        kind: query.kind.clone(),
        words: query.q.clone(),
    };
    let after = if query.after.is_empty() { None } else { Some(Cursor::decode(&query.after)?) };
    let mut connection = state.db.read().await?;
    let mut found = updates::list(&mut connection, state.db.dialect(), me, &filter, after.as_ref(), limit + 1).await?;
    let more = found.len() > usize::try_from(limit).unwrap_or(100);
    found.truncate(usize::try_from(limit).unwrap_or(100));
    let next = found.last().filter(|_| more).map(|row| Cursor { listed_at: row.listed_at, id: row.id.clone() }.encode());
    let mut rows = shaping::rows(&mut connection, state, ask, found).await?;
    shaping::find_places(&mut connection, state, ask, &query.q, &mut rows).await?;
    Ok((rows, next))
}

fn address(query: &Query, next: &str) -> String {
    let fields =
        [("q", &query.q), ("author", &query.author), ("audience", &query.audience), ("state", &query.state), ("kind", &query.kind)];
    let kept = fields.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| format!("{name}={}&", escape(value)));
    format!("/updates?{}after={next}", kept.collect::<String>())
}
