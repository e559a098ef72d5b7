//! Finds bare addresses in a text, and turns them into Markdown autolinks: `https://example.org`
//! becomes `<https://example.org>`.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use linkify::{LinkFinder, LinkKind};
use pulldown_cmark::{Event, Parser, Tag};

use super::OPTIONS;

/// The maximum length of a word that is searched for addresses, in bytes. The search is quadratic
/// in the length of a word.
const MAX_WORD: usize = 2048;

/// Characters that are removed from the end of an address, because they belong to the sentence or
/// the Markdown around it.
const TRAILING: [char; 16] = [
    '*', '_', '~', '\\', '.', ',', ':', ';', '!', '?', '…', '،', '؛', '؟', '۔', '।',
];

static FINDER: LazyLock<LinkFinder> = LazyLock::new(|| {
    let mut finder = LinkFinder::new();
    finder.kinds(&[LinkKind::Url]);
    finder
});

/// Returns the Markdown text with its bare `http` and `https` addresses as autolinks. Leaves code,
/// links, HTML and link definitions unchanged.
///
/// The addresses are replaced before the Markdown is parsed. Otherwise, the parser would interpret
/// characters of an address, such as `_`, as emphasis.
pub(super) fn autolink(text: &str) -> Cow<'_, str> {
    if !text.contains("://") {
        return text.into();
    }
    let excluded = excluded_ranges(text);
    let mut output = String::with_capacity(text.len());
    let mut end = 0;
    for url in find(text) {
        let after = excluded.partition_point(|range| range.end <= url.start);
        if excluded
            .get(after)
            .is_some_and(|range| range.start < url.end)
        {
            continue;
        }
        output.push_str(&text[end..url.start]);
        output.push('<');
        output.push_str(&text[url.clone()]);
        output.push('>');
        end = url.end;
    }
    output.push_str(&text[end..]);
    output.into()
}

/// Finds the bare addresses in plain text.
pub(super) fn find(text: &str) -> impl Iterator<Item = Range<usize>> {
    words(text).flat_map(|word| bare_urls(text, word))
}

/// The ranges in which addresses are left unchanged, in order and without overlaps.
fn excluded_ranges(text: &str) -> Vec<Range<usize>> {
    let events = Parser::new_ext(text, OPTIONS).into_offset_iter();
    let definitions = events.reference_definitions().iter();
    let mut ranges: Vec<Range<usize>> = definitions.map(|(_, link)| link.span.clone()).collect();
    ranges.extend(events.filter_map(|(event, range)| {
        let tag_is_excluded = |tag: &Tag| {
            matches!(
                tag,
                Tag::CodeBlock(_) | Tag::HtmlBlock | Tag::Link { .. } | Tag::Image { .. }
            )
        };
        let is_excluded = match &event {
            Event::Start(tag) => tag_is_excluded(tag),
            Event::Code(_) | Event::Html(_) | Event::InlineHtml(_) => true,
            _ => false,
        };
        is_excluded.then_some(range)
    }));
    ranges.sort_by_key(|range| range.start);
    ranges.dedup_by(|next, kept| {
        let overlaps = next.start < kept.end;
        if overlaps {
            kept.end = kept.end.max(next.end);
        }
        overlaps
    });
    ranges
}

/// The parts of a text between spaces, typographic quotation marks and CJK punctuation. Addresses
/// contain none of these.
fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let is_separator = |letter: char| {
        letter.is_whitespace()
            || matches!(
                letter,
                '\u{200b}' | '\u{2018}'..='\u{201f}' | '«' | '»' | '‹' | '›'
            )
            || matches!(letter, '\u{3000}'..='\u{3003}' | '\u{3008}'..='\u{3011}'
                | '\u{ff01}' | '\u{ff08}' | '\u{ff09}'
                | '\u{ff0c}' | '\u{ff1a}' | '\u{ff1b}' | '\u{ff1f}')
    };
    text.split(is_separator).map(|word| {
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        start..start + word.len()
    })
}

/// The bare addresses in one word of a text.
fn bare_urls(text: &str, word: Range<usize>) -> Vec<Range<usize>> {
    if word.len() > MAX_WORD {
        return Vec::new();
    }
    let trimmed = text[word.clone()].trim_end_matches(TRAILING);
    let ascii = with_ascii_letters(trimmed);
    let links = FINDER.links(&ascii).filter_map(|link| {
        let scheme = link.as_str().split(':').next().unwrap_or_default();
        let is_http = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
        let url = link.as_str().trim_end_matches(TRAILING);
        let start = word.start + link.start();
        is_http.then_some(start..start + url.len())
    });
    links.collect()
}

/// Replaces each non-ASCII letter or digit after `://` with as many `x` as it has bytes, because linkify does not know
/// top-level domains such as `.рф`.
fn with_ascii_letters(text: &str) -> String {
    let host = text.find("://").unwrap_or(text.len());
    let mut output = text[..host].to_owned();
    for letter in text[host..].chars() {
        if letter.is_ascii() || !letter.is_alphanumeric() {
            output.push(letter);
        } else {
            output.extend(std::iter::repeat_n('x', letter.len_utf8()));
        }
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn autolink_excludes_punctuation_after_an_address() {
        for (text, expected) in [
            (
                "see https://en.wikipedia.org/wiki/Rust_(programming_language).",
                "see <https://en.wikipedia.org/wiki/Rust_(programming_language)>.",
            ),
            ("(see http://a.org/b)", "(see <http://a.org/b>)"),
            ("HTTPS://A.org/?q=1&r=2, b", "<HTTPS://A.org/?q=1&r=2>, b"),
            (
                "**https://a.org** _https://b.org_",
                "**<https://a.org>** _<https://b.org>_",
            ),
            ("参照https://a.org/b。次", "参照<https://a.org/b>。次"),
            (
                "https://he.wikipedia.org/wiki/שלום.",
                "<https://he.wikipedia.org/wiki/שלום>.",
            ),
            ("http://localhost:8080/a", "<http://localhost:8080/a>"),
            ("https://пример.рф/а, b", "<https://пример.рф/а>, b"),
            ("“https://a.org/b”", "“<https://a.org/b>”"),
            ("»https://a.org/b«.", "»<https://a.org/b>«."),
        ] {
            assert_eq!(autolink(text), expected);
        }
    }

    #[test]
    fn autolink_leaves_links_code_and_other_schemes_unchanged() {
        for text in [
            "`https://a.org` ``` https://a.org ```",
            "    https://a.org",
            "```\nhttps://a.org\n```",
            "[a](https://a.org) <https://a.org> [https://b.org](https://a.org)",
            "[a]\n\n[a]: https://a.org/b*",
            "<div>\nhttps://a.org\n</div>",
            "ftp://a.org javascript://a.org xhttps://a.org https://",
        ] {
            assert_eq!(autolink(text), text);
        }
    }

    #[test]
    fn autolink_does_not_search_very_long_words() {
        let text = "http://a@".repeat(6_000);
        assert_eq!(autolink(&text), text);
    }
}
