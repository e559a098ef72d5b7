//! The ranges that make up a person's list. Each range is a section of an index that is already in the order of the
//! list: what the person wrote, what everyone may see, what was sent to the person, and what later members of the
//! person's groups may see. The list is the merge of the first rows of each range, so its cost does not depend on how
//! many updates there are.
//!
//! In the SQL, `$1` is the person, `$2` and `$3` are the cursor, `$4` is the limit and `$5` is the author of the
//! filter.

use super::Filter;
use crate::infra::db::Dialect;
use crate::updates::{MediaKind, UpdateState};

/// Returns the SQL for a list without search words: the columns `listed_at` and `id` of the updates on the page.
pub(super) fn page_statement(dialect: Dialect, person_id: &str, filter: &Filter) -> String {
    let ranges: Vec<String> = ranges(dialect, person_id, filter)
        .iter()
        .map(|range| format!("SELECT * FROM ({range}) AS r"))
        .collect();
    format!(
        "SELECT merged.listed_at, merged.id FROM ({}) AS merged
         ORDER BY merged.listed_at DESC, merged.id DESC LIMIT $4",
        ranges.join(" UNION ")
    )
}

fn ranges(dialect: Dialect, person_id: &str, filter: &Filter) -> Vec<String> {
    let mine = filter.author == person_id;
    let mut ranges = Vec::new();
    if !filter.to_me && (mine || filter.author.is_empty()) {
        ranges.push(own(filter));
    }
    // Drafts and updates in the trash are visible only to their author.
    let listed = matches!(filter.state, None | Some(UpdateState::Published));
    if mine || !listed {
        // The statement needs at least one range, even for an empty list.
        if ranges.is_empty() {
            ranges.push(
                "SELECT u.listed_at, u.id FROM updates u WHERE u.id = '' AND $1 <> ''".to_owned(),
            );
        }
    } else if filter.to_me {
        ranges.push(to_everyone(filter));
        ranges.push(of_principal("$1", filter));
    } else {
        ranges.push(of_principal("'everyone'", filter));
        ranges.push(of_principal("$1", filter));
        ranges.push(of_groups(dialect, filter));
    }
    ranges
}

/// What the person wrote.
fn own(filter: &Filter) -> String {
    let state = match filter.state {
        None => "u.trashed_at IS NULL",
        Some(UpdateState::Published) => "u.trashed_at IS NULL AND u.published_at IS NOT NULL",
        Some(UpdateState::Draft) => "u.trashed_at IS NULL AND u.published_at IS NULL",
        Some(UpdateState::Trashed) => "u.trashed_at IS NOT NULL",
    };
    let kind = kind_condition("u", filter);
    updates_range(&format!("u.author_id = $1 AND {state}{kind}"))
}

/// What others sent to everyone with an account.
fn to_everyone(filter: &Filter) -> String {
    let (author, kind) = (author_condition("u", filter), kind_condition("u", filter));
    updates_range(&format!(
        "u.everyone_at IS NOT NULL AND u.published_at IS NOT NULL AND u.trashed_at IS NULL
         AND u.author_id <> $1{author}{kind}"
    ))
}

fn updates_range(condition: &str) -> String {
    format!(
        "SELECT u.listed_at, u.id FROM updates u WHERE {condition} AND (u.listed_at, u.id) < ($2, $3)
         ORDER BY u.listed_at DESC, u.id DESC LIMIT $4"
    )
}

/// What a principal may see. `principal` is an SQL expression.
fn of_principal(principal: &str, filter: &Filter) -> String {
    let (author, kind) = (author_condition("x", filter), kind_condition("x", filter));
    let others = if filter.to_me {
        " AND x.author_id <> $1"
    } else {
        ""
    };
    format!(
        "SELECT x.listed_at, x.update_id AS id FROM update_access x
         WHERE x.principal = {principal}{author}{kind}{others}
         AND (x.listed_at, x.update_id) < ($2, $3) ORDER BY x.listed_at DESC, x.update_id DESC LIMIT $4"
    )
}

/// What the person may see as a later member of groups: the first rows of each group.
fn of_groups(dialect: Dialect, filter: &Filter) -> String {
    match dialect {
        Dialect::Sqlite => {
            let (author, kind) = (author_condition("y", filter), kind_condition("y", filter));
            // SQLite has no lateral joins.
            format!(
                "SELECT x.listed_at, x.update_id AS id FROM group_members m CROSS JOIN update_access x
                 WHERE m.person_id = $1 AND x.rowid IN (SELECT y.rowid FROM update_access y
                     WHERE y.principal = m.group_id{author}{kind} AND (y.listed_at, y.update_id) < ($2, $3)
                     ORDER BY y.listed_at DESC, y.update_id DESC LIMIT $4)"
            )
        }
        Dialect::Postgres => format!(
            "SELECT g.listed_at, g.id FROM group_members m CROSS JOIN LATERAL ({}) AS g WHERE m.person_id = $1",
            of_principal("m.group_id", filter)
        ),
    }
}

fn author_condition(table: &str, filter: &Filter) -> String {
    if filter.author.is_empty() {
        String::new()
    } else {
        format!(" AND {table}.author_id = $5")
    }
}

fn kind_condition(table: &str, filter: &Filter) -> String {
    match filter.kind {
        None => String::new(),
        Some(MediaKind::Video) => format!(" AND {table}.has_video = 1"),
        Some(MediaKind::Image) => format!(" AND {table}.has_image = 1"),
    }
}
