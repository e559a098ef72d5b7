//! Mentions in the text of comments: `@Full Name`, `@group-handle`, or `@First` if only one person
//! has that first name. Text in code and links is not a mention. A mention is stored as it was
//! written, so that a comment does not change when a person is renamed. Mentioned people and the members
//! of mentioned groups are notified if they can open the update.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use serde::{Deserialize, Serialize};
use sqlx::AnyConnection;

use crate::error::{Error, Result};
use crate::infra::db::Tx;
use crate::infra::markdown;
use crate::people::{self, Viewer, groups};
use crate::text;

/// Maximum number of mentions that are looked up in one comment.
const MAX_MENTIONS: usize = 100;

/// A person or group that a comment mentions. Exactly one of `id` and `group` is set.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(super) struct Mention {
    /// Name as written in the comment, without the `@`.
    name: String,
    /// Id of the person; `None` if the mention names a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    /// Id of the group; `None` if the mention names a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) group: Option<String>,
}

/// Finds the people and groups that the viewer mentions in a text, without duplicates. Finds nothing if the viewer is a
/// guest, because mentions would tell the guest which people have an account.
pub(super) async fn find(tx: &mut Tx, viewer: &Viewer, body: &str) -> Result<Vec<Mention>> {
    if !body.contains('@') || !matches!(viewer, Viewer::Person(_)) {
        return Ok(Vec::new());
    }
    let directory = Directory::load(tx).await?;
    let texts = markdown::text_segments(body);
    let places = texts
        .iter()
        .flat_map(|text| mention_starts(text).map(|at| &text[at..]))
        .take(MAX_MENTIONS);
    let mut found: Vec<Mention> = Vec::new();
    for mention in places.flat_map(|rest| directory.resolve(rest)) {
        if !found.contains(&mention) {
            found.push(mention);
        }
    }
    Ok(found)
}

/// Serializes mentions for storage. Returns `None` if there are no mentions.
pub(super) fn to_json(mentions: &[Mention]) -> Result<Option<String>> {
    if mentions.is_empty() {
        Ok(None)
    } else {
        serde_json::to_string(mentions)
            .map(Some)
            .map_err(Error::internal)
    }
}

pub(super) fn from_json(stored: Option<&str>) -> Vec<Mention> {
    stored
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}

/// Returns the ids of the people to notify of these mentions, if they can open the update: the
/// mentioned people and the members of the mentioned groups, sorted and without duplicates.
pub(super) async fn mentioned_people(
    connection: &mut AnyConnection,
    mentions: &[Mention],
) -> Result<Vec<String>> {
    let mut people: Vec<String> = mentions
        .iter()
        .filter_map(|mention| mention.id.clone())
        .collect();
    for group in mentions
        .iter()
        .filter_map(|mention| mention.group.as_deref())
    {
        people.extend(groups::members(connection, group).await?);
    }
    people.sort();
    people.dedup();
    Ok(people)
}

/// Returns the ids and names of the mentioned people (`named`) who cannot open the update, sorted
/// by name. They are not notified. `seeing` contains the people who can open it.
pub(super) async fn without_access(
    connection: &mut AnyConnection,
    named: &[String],
    seeing: &HashSet<String>,
) -> Result<Vec<(String, String)>> {
    let unseen: Vec<String> = named
        .iter()
        .filter(|person| !seeing.contains(*person))
        .cloned()
        .collect();
    people::names(connection, &unseen).await
}

/// Returns a function for [`markdown::to_html_with_mentions`]. The function takes a part of the
/// comment's text and returns the byte range of each stored mention in it.
pub fn mention_ranges(stored: Option<&str>) -> impl Fn(&str) -> Vec<Range<usize>> {
    let mut names: Vec<String> = from_json(stored)
        .into_iter()
        .map(|mention| mention.name)
        .collect();
    // Try the longest names first. Otherwise, "@Ada Lovelace" would match as "@Ada".
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    move |text| {
        let named = |at: usize| {
            let rest = &text[at..];
            names
                .iter()
                .find(|name| rest.strip_prefix(name.as_str()).is_some_and(is_word_end))
                .map(|name| at - 1..at + name.len())
        };
        if names.is_empty() {
            Vec::new()
        } else {
            mention_starts(text).filter_map(named).collect()
        }
    }
}

/// Returns the byte position after each `@` that can start a mention. Skips an `@` after a letter, digit or underscore,
/// because it may be part of an email address.
fn mention_starts(text: &str) -> impl Iterator<Item = usize> {
    text.match_indices('@')
        .filter(|(at, _)| {
            !text[..*at].ends_with(|letter: char| letter.is_alphanumeric() || letter == '_')
        })
        .map(|(at, _)| at + 1)
}

/// Whether a word ends directly before `rest`, that is, whether `rest` does not start with a letter, digit or
/// underscore.
fn is_word_end(rest: &str) -> bool {
    !rest.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_')
}

/// Ids of the people and groups that can be mentioned, by case-folded name.
struct Directory {
    full_names: HashMap<String, Vec<String>>,
    first_names: HashMap<String, Vec<String>>,
    groups: HashMap<String, String>,
}

impl Directory {
    async fn load(connection: &mut AnyConnection) -> Result<Self> {
        let mut full: HashMap<String, Vec<String>> = HashMap::new();
        let mut first: HashMap<String, Vec<String>> = HashMap::new();
        for (id, key) in people::active_name_keys(connection).await? {
            if let Some((word, _)) = key.split_once(' ') {
                first.entry(word.to_owned()).or_default().push(id.clone());
            }
            full.entry(key).or_default().push(id);
        }
        let groups = groups::names(connection)
            .await?
            .into_iter()
            .map(|(id, name)| (name, id))
            .collect();
        Ok(Self {
            full_names: full,
            first_names: first,
            groups,
        })
    }

    /// Returns the people or the group that the text after an `@` names. Tries full names first,
    /// then group handles, then first names that only one person has. Among the matching names of
    /// one kind, the longest wins. If several people have the same full name, all of them are
    /// mentioned.
    fn resolve(&self, rest: &str) -> Vec<Mention> {
        let mut places: Vec<usize> = rest
            .char_indices()
            .take(text::MAX_NAME + 1)
            .take_while(|(_, letter)| *letter != '\n')
            .map(|(at, _)| at)
            .collect();
        if rest.chars().count() <= text::MAX_NAME {
            places.push(rest.len());
        }
        let names = || {
            places
                .iter()
                .rev()
                .map(|at| rest.split_at(*at))
                .filter(|(name, after)| !name.is_empty() && is_word_end(after))
                .map(|(name, _)| name)
        };
        let of = |name: &str, ids: &[String]| {
            ids.iter()
                .map(|id| Mention {
                    name: name.to_owned(),
                    id: Some(id.clone()),
                    group: None,
                })
                .collect::<Vec<_>>()
        };
        if let Some((name, ids)) =
            names().find_map(|name| Some((name, self.full_names.get(&text::fold(name))?)))
        {
            return of(name, ids);
        }
        if let Some((name, id)) =
            names().find_map(|name| Some((name, self.groups.get(&name.to_ascii_lowercase())?)))
        {
            return vec![Mention {
                name: name.to_owned(),
                id: None,
                group: Some(id.clone()),
            }];
        }
        let called = names().find_map(|name| {
            Some((
                name,
                self.first_names
                    .get(&text::fold(name))
                    .filter(|ids| ids.len() == 1)?,
            ))
        });
        called.map(|(name, ids)| of(name, ids)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let people = [
            ("ada lovelace", "1"),
            ("ada", "2"),
            ("bob o'hara", "3"),
            ("bob stone", "4"),
            ("jose nunez jr.", "5"),
            ("cyd", "6"),
        ];
        let groups = HashMap::from([("design-team".to_owned(), "g".to_owned())]);
        let mut directory = Directory {
            full_names: HashMap::new(),
            first_names: HashMap::new(),
            groups,
        };
        for (name, id) in people {
            directory
                .full_names
                .entry(name.into())
                .or_default()
                .push(id.into());
            if let Some((first, _)) = name.split_once(' ') {
                directory
                    .first_names
                    .entry(first.into())
                    .or_default()
                    .push(id.into());
            }
        }
        let texts = markdown::text_segments(text);
        let found = texts
            .iter()
            .flat_map(|text| mention_starts(text).map(|at| &text[at..]))
            .flat_map(|rest| directory.resolve(rest));
        found
            .map(|mention| format!("{}:{}", mention.name, mention.id.or(mention.group).unwrap()))
            .collect()
    }

    #[test]
    fn longest_matching_name_is_mentioned_and_email_addresses_are_not_mentions() {
        assert_eq!(
            names("@Ada Lovelace, @ada lovelaces and (@ADA)"),
            ["Ada Lovelace:1", "ada:2", "ADA:2"]
        );
        assert_eq!(
            names("@Bob: ask @Bob O'Hara. @José Núñez Jr., @jose"),
            ["Bob O'Hara:3", "José Núñez Jr.:5", "jose:5"]
        );
        assert_eq!(
            names("@design-team, @Design-Team's, @design"),
            ["design-team:g", "Design-Team:g"]
        );
        assert_eq!(
            names("cyd@cyd.org, a_@cyd, `@cyd`, [@cyd](https://e.org), @cyds, @, @@cyd"),
            ["cyd:6"]
        );
    }

    #[test]
    fn stored_mentions_are_found_in_the_text() {
        let stored = r#"[{"name":"Ada","id":"2"},{"name":"Ada Lovelace","id":"1"}]"#;
        assert_eq!(
            mention_ranges(Some(stored))("@Ada Lovelace and @Ada, @Adam x@Ada"),
            [0..13, 18..22]
        );
        assert!(mention_ranges(None)("@Ada").is_empty());
    }
}
