//! Converts what a person typed to a full-text query for each database engine.

use sqlx::AnyConnection;

use super::facets::RequiredFacets;
use super::{tokenize, vocabulary};
use crate::error::Result;
use crate::infra::db::Dialect;

/// Maximum number of words in a query. Additional words are ignored.
const MAX_WORDS: usize = 12;

/// The last word is replaced by the words that begin with it, if there are at most this many.
const MAX_COMPLETIONS: usize = 64;

/// Maximum length of a short word. If the last word is short, it matches longer words only if few words begin with it.
/// Otherwise, it would match almost every place. This limit does not apply to languages such as Chinese, which do not
/// separate words.
const MAX_SHORT_WORD: usize = 2;

/// The words of a search. A place matches if it contains all of them. The last word may be the beginning of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchQuery {
    /// All words but the last.
    whole: Vec<String>,
    last: LastWord,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum LastWord {
    /// Each of these words matches. The first is the typed word.
    AnyOf(Vec<String>),
    /// Every word that begins with this matches.
    Prefix(String),
}

impl SearchQuery {
    /// Parses a query, and looks up the words that begin with its last word. Returns `None` if `typed` contains
    /// no word.
    pub async fn parse(connection: &mut AnyConnection, typed: &str) -> Result<Option<Self>> {
        let mut whole: Vec<String> = split(typed).take(MAX_WORDS).collect();
        let Some(last) = whole.pop() else {
            return Ok(None);
        };
        let completions = vocabulary::completions(connection, &last, MAX_COMPLETIONS + 1).await?;
        let last = if completions.len() <= MAX_COMPLETIONS {
            LastWord::AnyOf(std::iter::once(last).chain(completions).collect())
        } else if last.is_ascii() && last.len() <= MAX_SHORT_WORD {
            LastWord::AnyOf(vec![last])
        } else {
            LastWord::Prefix(last)
        };
        Ok(Some(Self { whole, last }))
    }

    /// A query for the places that contain exactly this word.
    pub(super) fn of_word(word: &str) -> Self {
        Self {
            whole: Vec::new(),
            last: LastWord::AnyOf(vec![word.to_owned()]),
        }
    }

    /// Returns the words with the spaces around them, as they occur in a text that begins and ends with a space and
    /// has one space between its words. There is no space after a word that can be followed by more letters.
    pub(super) fn needles(&self) -> Vec<String> {
        let last = match &self.last {
            LastWord::AnyOf(words) => words.first(),
            LastWord::Prefix(word) => Some(word),
        };
        let whole = self.whole.iter().map(|word| format!(" {word} "));
        whole.chain(last.map(|word| format!(" {word}"))).collect()
    }

    /// Returns the query in the language of the engine: an FTS5 expression or the text of a `tsquery`. The words and
    /// facets contain only letters, digits and the slash, so nothing has to be escaped.
    pub(super) fn to_engine(&self, dialect: Dialect, facets: &RequiredFacets) -> String {
        match dialect {
            Dialect::Sqlite => {
                let words = groups(
                    &self.groups(|word| format!("\"{word}\""), |word| format!("\"{word}\" *")),
                    " OR ",
                    " AND ",
                );
                let mut text = format!("words : ({words})");
                if !facets.any_of.is_empty() {
                    let any_of = groups(&quoted(&facets.any_of, '"'), " OR ", " AND ");
                    text = format!("({text}) AND (facets : ({any_of}))");
                }
                for facet in &facets.none_of {
                    text = format!("({text}) NOT (facets : (\"{facet}\"))");
                }
                text
            }
            Dialect::Postgres => {
                let mut all = self.groups(|word| format!("'{word}'"), |word| format!("'{word}':*"));
                all.extend(quoted(&facets.any_of, '\''));
                all.extend(
                    facets
                        .none_of
                        .iter()
                        .map(|facet| vec![format!("!'{facet}'")]),
                );
                groups(&all, " | ", " & ")
            }
        }
    }

    fn groups(
        &self,
        word: impl Fn(&String) -> String,
        prefix: impl Fn(&String) -> String,
    ) -> Vec<Vec<String>> {
        let last = match &self.last {
            LastWord::AnyOf(words) => words.iter().map(&word).collect(),
            LastWord::Prefix(beginning) => vec![prefix(beginning)],
        };
        self.whole
            .iter()
            .map(|one| vec![word(one)])
            .chain([last])
            .collect()
    }
}

/// Joins alternatives with `or` and groups with `and`.
fn groups(groups: &[Vec<String>], or: &str, and: &str) -> String {
    let joined = groups.iter().map(|any| format!("({})", any.join(or)));
    joined.collect::<Vec<_>>().join(and)
}

fn quoted(groups: &[Vec<String>], quote: char) -> Vec<Vec<String>> {
    let quoted = |any: &Vec<String>| {
        any.iter()
            .map(|facet| format!("{quote}{facet}{quote}"))
            .collect()
    };
    groups.iter().map(quoted).collect()
}

fn split(typed: &str) -> impl Iterator<Item = String> {
    let words = tokenize(typed);
    let words: Vec<String> = words
        .split(' ')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    words.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(whole: &[&str], last: LastWord) -> SearchQuery {
        SearchQuery {
            whole: whole.iter().map(|word| (*word).to_owned()).collect(),
            last,
        }
    }

    #[test]
    fn operators_are_plain_words() {
        let words: Vec<String> = split("O'Brien \"x\" OR café | !b").collect();
        assert_eq!(words, ["o", "brien", "x", "or", "cafe", "b"]);
    }

    #[test]
    fn query_requires_all_words_and_one_facet_of_each_group() {
        let last = LastWord::AnyOf(vec!["plan".into(), "plans".into()]);
        let facets = RequiredFacets {
            any_of: vec![
                vec!["/everyone".into(), "/pada".into()],
                vec!["/video".into()],
            ],
            none_of: vec!["/bada".into()],
        };
        let query = query(&["the"], last);
        assert_eq!(
            query.to_engine(Dialect::Sqlite, &facets),
            "((words : ((\"the\") AND (\"plan\" OR \"plans\"))) AND (facets : ((\"/everyone\" OR \"/pada\") AND (\"/video\")))) \
             NOT (facets : (\"/bada\"))"
        );
        assert_eq!(
            query.to_engine(Dialect::Postgres, &facets),
            "('the') & ('plan' | 'plans') & ('/everyone' | '/pada') & ('/video') & (!'/bada')"
        );
    }

    #[test]
    fn prefix_query_has_the_syntax_of_each_engine() {
        let query = query(&[], LastWord::Prefix("pla".into()));
        let none = RequiredFacets::default();
        assert_eq!(
            query.to_engine(Dialect::Sqlite, &none),
            "words : ((\"pla\" *))"
        );
        assert_eq!(query.to_engine(Dialect::Postgres, &none), "('pla':*)");
    }
}
