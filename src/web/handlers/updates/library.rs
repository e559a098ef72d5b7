//! The library: all I may see, by filters and words; the trash is one of its filters.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};

use crate::error::{Error, Result};
use crate::people;
use crate::state::State;
use crate::updates::{self, Filter, Row};
use crate::web::extract::context::Ask;
use crate::web::extract::list_query::ListQuery;
use crate::web::pages::{LibraryFilter, LibraryPage};
use crate::web::presenters;
use crate::web::responses::{Answer, data, escape, page};
use crate::web::schema::{ListShape, PersonShape, RowShape};

/// The filters as they stand in an address, and the page that is asked for.
struct Query {
    filter: LibraryFilter,
    list: ListQuery,
}

pub(crate) async fn library(req: HttpRequest, ask: Ask, state: web::Data<State>) -> Answer {
    shown(&ask, &state, read(&req)?).await
}

pub(crate) async fn trash_page(req: HttpRequest, ask: Ask, state: web::Data<State>) -> Answer {
    let mut query = read(&req)?;
    query.filter.state = "trashed".into();
    shown(&ask, &state, query).await
}

/// Best first among the newest 1,000 places: for programs; the page is the library with these words.
pub(crate) async fn search(req: HttpRequest, ask: Ask, state: web::Data<State>) -> Answer {
    let query = read(&req)?;
    if ask.html {
        return shown(&ask, &state, query).await;
    }
    let person = ask.person()?;
    let words = &query.filter.q;
    let mut connection = state.db.read().await?;
    let mut best = updates::best(&mut connection, state.db.dialect(), &person.id, words).await?;
    best.truncate(query.list.rows());
    let mut found = updates::by_ids(&mut connection, &best).await?;
    found.sort_by_key(|row| best.iter().position(|id| *id == row.id));
    let mut items = presenters::rows(&mut connection, &state, &ask, found).await?;
    presenters::find_places(&mut connection, &state, &ask, words, &mut items).await?;
    data(StatusCode::OK, &ListShape { items, next: None })
}

fn read(req: &HttpRequest) -> Result<Query> {
    let mut list = ListQuery::read(req, &["q", "author", "audience", "state", "kind"])?;
    let filter = LibraryFilter {
        q: list.filter("q"),
        author: list.filter("author"),
        audience: list.filter("audience"),
        state: list.filter("state"),
        kind: list.filter("kind"),
    };
    Ok(Query { filter, list })
}

async fn shown(ask: &Ask, state: &State, query: Query) -> Answer {
    let person = ask.person()?;
    let (items, next) = find(state, ask, &person.id, &query).await?;
    if !ask.html {
        return data(StatusCode::OK, &ListShape { items, next });
    }
    let filter = query.filter;
    let next = next.map(|next| address(&filter, &next)).unwrap_or_default();
    let people = people::all(&mut *state.db.read().await?).await?;
    let people = people
        .into_iter()
        .map(|account| PersonShape {
            id: account.id,
            name: account.name,
        })
        .collect();
    let (title, at) = match filter.state.as_str() {
        "trashed" => ("Trash", "updates"),
        "draft" => ("Drafts", "updates"),
        _ => ("Library", "updates"),
    };
    page(
        StatusCode::OK,
        &LibraryPage {
            page: ask.page(state, title, at).await?,
            items,
            next,
            filter,
            people,
        },
    )
}

async fn find(
    state: &State,
    ask: &Ask,
    me: &str,
    query: &Query,
) -> Result<(Vec<RowShape>, Option<String>)> {
    let Query { filter, list } = query;
    let one_of = |field: &str, value: &str, known: &[&str]| {
        let fits = value.is_empty() || known.contains(&value);
        if fits {
            Ok(())
        } else {
            Err(Error::invalid(
                field,
                format!("is {value:?}. Right would be one of: {}.", known.join(", ")),
            ))
        }
    };
    one_of("state", &filter.state, &["draft", "published", "trashed"])?;
    one_of("kind", &filter.kind, &["video", "image"])?;
    one_of("audience", &filter.audience, &["me"])?;
    let wanted = Filter {
        author: if filter.author == "me" {
            me.to_owned()
        } else {
            filter.author.clone()
        },
        to_me: filter.audience == "me",
        state: filter.state.clone(),
        kind: filter.kind.clone(),
        words: filter.q.clone(),
    };
    let mut connection = state.db.read().await?;
    let mut found = updates::list(
        &mut connection,
        state.db.dialect(),
        me,
        &wanted,
        list.after.as_ref(),
        list.rows_to_read(),
    )
    .await?;
    let next = list.cut(&mut found, Row::cursor);
    let mut rows = presenters::rows(&mut connection, state, ask, found).await?;
    presenters::find_places(&mut connection, state, ask, &filter.q, &mut rows).await?;
    Ok((rows, next))
}

fn address(filter: &LibraryFilter, next: &str) -> String {
    let fields = [
        ("q", &filter.q),
        ("author", &filter.author),
        ("audience", &filter.audience),
        ("state", &filter.state),
        ("kind", &filter.kind),
    ];
    let kept = fields
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}&", escape(value)));
    format!("/updates?{}after={next}", kept.collect::<String>())
}
