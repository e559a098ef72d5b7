//! Handlers for the library, which lists every update the viewer may see. The list can be searched and filtered. One of
//! the filters selects the trash.

use std::str::FromStr;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use sqlx::AnyConnection;

use crate::error::{Error, Result};
use crate::infra::db::TextEnum;
use crate::media::MediaKind;
use crate::people::{self, Account, Person};
use crate::search::SearchQuery;
use crate::state::State;
use crate::updates::UpdateState;
use crate::updates::{self, Filter, PageRequest, Row};
use crate::web::extract::context::RequestContext;
use crate::web::extract::list_query::ListQuery;
use crate::web::pages::{AuthorField, LibraryFilter, LibraryPage, NavEntry};
use crate::web::presenters;
use crate::web::responses::{HandlerResult, encode_query_value, html_page, json};
use crate::web::schema::{ListView, RowView};

/// The filters and the page that the query string requests.
struct Query {
    filter: RawFilter,
    list: ListQuery,
}

pub(crate) async fn library(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
) -> HandlerResult {
    library_page(&ctx, &state, parse_query(&req)?).await
}

pub(crate) async fn trash_page(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
) -> HandlerResult {
    let mut query = parse_query(&req)?;
    query.filter.state = UpdateState::Trashed.to_string();
    library_page(&ctx, &state, query).await
}

/// Searches for updates and returns the best matches as JSON. Only the newest 1,000 matches are ranked. A browser gets
/// the library page instead, filtered by the search text.
pub(crate) async fn search(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
) -> HandlerResult {
    let query = parse_query(&req)?;
    if ctx.wants_html {
        return library_page(&ctx, &state, query).await;
    }
    let person = ctx.person()?;
    let words = &query.filter.q;
    let mut connection = state.db.read().await?;
    let found = match SearchQuery::parse(&mut connection, words).await? {
        Some(words) => {
            let limit = query.list.page_size();
            let dialect = state.db.dialect();
            updates::best_matches(&mut connection, dialect, &person.id, &words, limit).await?
        }
        None => Vec::new(),
    };
    let items = presenters::found_row_views(&mut connection, &state, &ctx, words, found).await?;
    json(StatusCode::OK, &ListView { items, next: None })
}

/// Filters from the query string, not yet validated. An absent filter is empty.
struct RawFilter {
    q: String,
    author: String,
    audience: String,
    state: String,
    kind: String,
}

impl RawFilter {
    fn parse(self) -> Result<LibraryFilter> {
        let state = parse_choice("state", &self.state)?;
        let kind = parse_choice("kind", &self.kind)?;
        if !matches!(self.audience.as_str(), "" | "me") {
            return Err(unknown_choice("audience", &self.audience, "me"));
        }
        Ok(LibraryFilter {
            to_me: !self.audience.is_empty(),
            q: self.q,
            author: self.author,
            state,
            kind,
        })
    }
}

fn parse_choice<T: TextEnum + FromStr>(field: &str, text: &str) -> Result<Option<T>> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        let known: Vec<&str> = T::ALL.iter().map(|value| value.as_str()).collect();
        unknown_choice(field, text, &known.join(", "))
    })
}

fn unknown_choice(field: &str, text: &str, known: &str) -> Error {
    Error::invalid(field, format!("is {text:?}. Must be one of: {known}."))
}

fn parse_query(req: &HttpRequest) -> Result<Query> {
    let mut list = ListQuery::read(req, &["q", "author", "audience", "state", "kind"])?;
    let filter = RawFilter {
        q: list.take_filter("q"),
        author: list.take_filter("author"),
        audience: list.take_filter("audience"),
        state: list.take_filter("state"),
        kind: list.take_filter("kind"),
    };
    Ok(Query { filter, list })
}

async fn library_page(ctx: &RequestContext, state: &State, query: Query) -> HandlerResult {
    let person = ctx.person()?;
    let Query { filter, list } = query;
    let mut filter = filter.parse()?;
    let author = find_author(state, &mut filter, person).await?;
    let (items, next) = find_rows(state, ctx, &person.id, &filter, &list).await?;
    if !ctx.wants_html {
        return json(StatusCode::OK, &ListView { items, next });
    }
    let next = next
        .map(|next| library_url(&filter, &next))
        .unwrap_or_default();
    let title = match filter.state {
        Some(UpdateState::Trashed) => "Trash",
        Some(UpdateState::Draft) => "Drafts",
        Some(UpdateState::Published) | None => "Library",
    };
    html_page(
        StatusCode::OK,
        &LibraryPage {
            page: ctx.page(state, title, Some(NavEntry::Library)).await?,
            items,
            next,
            filter,
            author,
        },
    )
}

/// Replaces the author filter, which is an id, `me`, an email address or a full name, by an id. If there is no such
/// person, or several people have this name, the filter stays as it is, and the list is empty.
async fn find_author(
    state: &State,
    filter: &mut LibraryFilter,
    me: &Person,
) -> Result<AuthorField> {
    if filter.author == "me" {
        filter.author.clone_from(&me.id);
    }
    let typed = filter.author.trim();
    if typed.is_empty() {
        return Ok(AuthorField::default());
    }
    let mut connection = state.db.read().await?;
    let found = find_accounts(&mut connection, typed).await?;
    let [author] = found.as_slice() else {
        return Ok(AuthorField {
            text: typed.to_owned(),
            problem: author_problem(typed, found.len()),
        });
    };
    filter.author.clone_from(&author.id);
    // The form sends the text again, so it must identify the author.
    let namesakes = people::by_name(&mut connection, &author.name).await?;
    let text = if namesakes.len() == 1 {
        &author.name
    } else {
        &author.email
    };
    Ok(AuthorField {
        text: text.clone(),
        problem: String::new(),
    })
}

/// Finds the account with this id or email address, or all accounts with this full name.
async fn find_accounts(connection: &mut AnyConnection, typed: &str) -> Result<Vec<Account>> {
    match people::by_id(connection, typed).await {
        Ok(account) => Ok(vec![account]),
        Err(Error::NotFound) if typed.contains('@') => {
            people::list_by_email(connection, &[typed.to_owned()]).await
        }
        Err(Error::NotFound) => people::by_name(connection, typed).await,
        Err(error) => Err(error),
    }
}

fn author_problem(typed: &str, found: usize) -> String {
    if found == 0 {
        format!("Nobody here has the name or e-mail address “{typed}”.")
    } else {
        format!(
            "{found} people are called “{typed}”. Choose one from the list, or type an e-mail address."
        )
    }
}

async fn find_rows(
    state: &State,
    ctx: &RequestContext,
    me: &str,
    filter: &LibraryFilter,
    list: &ListQuery,
) -> Result<(Vec<RowView>, Option<String>)> {
    let wanted = Filter {
        author: filter.author.clone(),
        to_me: filter.to_me,
        state: filter.state,
        kind: filter.kind,
        search_words: filter.q.clone(),
    };
    let mut connection = state.db.read().await?;
    let page = PageRequest {
        person_id: me,
        filter: &wanted,
        after: list.after.as_ref(),
        limit: list.query_limit(),
    };
    let mut found = updates::list(&mut connection, state.db.dialect(), page).await?;
    let next = list.split_page(&mut found, Row::cursor);
    let rows = presenters::found_row_views(&mut connection, state, ctx, &filter.q, found).await?;
    Ok((rows, next))
}

fn library_url(filter: &LibraryFilter, next: &str) -> String {
    let fields = [
        ("q", filter.q.as_str()),
        ("author", filter.author.as_str()),
        ("audience", if filter.to_me { "me" } else { "" }),
        ("state", filter.state.map_or("", UpdateState::as_str)),
        ("kind", filter.kind.map_or("", MediaKind::as_str)),
    ];
    let kept = fields
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}&", encode_query_value(value)));
    format!("/updates?{}after={next}", kept.collect::<String>())
}
