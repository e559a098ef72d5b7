//! Full-text search in titles, notes, comments and text on pictures, on both database engines.
//!
//! This module splits texts into case-folded words, so that both engines give the same results. The
//! table `said` has one row for each place: an update with its title and notes, a comment, or a
//! picture with markup. Jobs write these rows. Each engine has its own full-text index over the
//! table (`engine.rs`), which can be rebuilt from the table at any time. The rows are numbered in
//! the order of lists, and the index also contains who may see a place (`facets.rs`), so that a
//! search reads only what it shows.

mod context;
mod engine;
mod facets;
mod hits;
mod index;
mod periods;
mod places;
mod query;
mod ranking;
mod tokenize;
mod unused_words;
mod vocabulary;

pub use context::SearchContext;
pub use engine::{create_engine_index, rebuild};
pub use facets::{RequiredFacets, principal as principal_facet};
pub use hits::{SearchHit, load_hits};
pub use index::{ForgetUpdate, IndexFacets, IndexSubject, enqueue_facets, forget_subject};
pub use places::{Place, after_time, newest};
pub use query::SearchQuery;
pub use ranking::best_places;
use tokenize::tokenize;
pub use unused_words::ForgetUnusedWords;

/// Whether any word of the text begins with a word in `typed`.
pub fn matches(text: &str, typed: &str) -> bool {
    let wanted = tokenize(typed);
    tokenize(text).split(' ').any(|word| {
        wanted
            .split(' ')
            .any(|wanted| !wanted.is_empty() && word.starts_with(wanted))
    })
}

/// Returns at most 24 words of a text around the first match. Adds an ellipsis at each end where
/// words were left out.
pub fn excerpt(text: &str, typed: &str) -> String {
    let wanted = tokenize(typed);
    let wanted: Vec<&str> = wanted.split(' ').collect();
    let words: Vec<&str> = text.split_whitespace().collect();
    let hit = words
        .iter()
        .position(|word| {
            tokenize(word)
                .split(' ')
                .any(|part| wanted.iter().any(|wanted| part.starts_with(wanted)))
        })
        .unwrap_or(0);
    let (from, to) = (hit.saturating_sub(8), (hit + 16).min(words.len()));
    let (before, after) = (
        if from > 0 { "… " } else { "" },
        if to < words.len() { " …" } else { "" },
    );
    format!("{before}{}{after}", words[from..to].join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpt_shows_the_text_around_the_match() {
        let text = (0..100)
            .map(|n| format!("word{n}"))
            .collect::<Vec<_>>()
            .join(" ");
        let excerpt = excerpt(&text, "WORD50");
        assert!(excerpt.starts_with("… ") && excerpt.contains("word50") && excerpt.ends_with(" …"));
    }
}
