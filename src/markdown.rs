//! Markdown to HTML that is safe to show: a subset, cleaned after it is made.

use std::collections::HashSet;
use std::sync::LazyLock;

use pulldown_cmark::{Event, Options, Parser, TagEnd, html};

/// Quotes in quotes, lists in lists: deeper ones are shown at this depth. Cleaning looks at all open elements for each new one, so
/// without a bound ten thousand `>` would take seconds.
const DEPTH: usize = 16;

/// No pictures: they would be requests to elsewhere. No ids and classes: they belong to the page.
static CLEANER: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let mut cleaner = ammonia::Builder::default();
    cleaner
        .tags(HashSet::from([
            "p",
            "br",
            "strong",
            "em",
            "del",
            "code",
            "pre",
            "blockquote",
            "ul",
            "ol",
            "li",
            "a",
            "h1",
            "h2",
            "h3",
            "h4",
            "hr",
            "table",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
        ]))
        .generic_attributes(HashSet::new())
        .tag_attributes([("a", HashSet::from(["href"])), ("ol", HashSet::from(["start"]))].into())
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(ammonia::UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer nofollow ugc"));
    cleaner
});

/// The HTML of a text. Tags in the text are shown as they were typed; a line break is a line break.
pub fn html(text: &str) -> String {
    let options = Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TABLES;
    let events = Parser::new_ext(text, options).map(|event| match event {
        Event::Html(raw) | Event::InlineHtml(raw) => Event::Text(raw),
        Event::SoftBreak => Event::HardBreak,
        other => other,
    });
    let mut kept = Vec::new();
    let events = events.filter(|event| match event {
        Event::Start(_) => {
            kept.push(kept.len() < DEPTH);
            kept.len() <= DEPTH
        }
        Event::End(_) => kept.pop().unwrap_or(true),
        _ => true,
    });
    let mut made = String::new();
    html::push_html(&mut made, events);
    CLEANER.clean(&made).to_string()
}

/// The words alone, on one line.
pub fn plain(text: &str) -> String {
    let words = Parser::new(text).map(|event| match event {
        Event::Text(words) | Event::Code(words) => words.into_string(),
        Event::SoftBreak | Event::HardBreak | Event::End(TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::Item) => " ".into(),
        _ => String::new(),
    });
    words.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_runs_or_fetches_survives() {
        let made =
            html("**bold**\nnext <b onclick=x>b</b> ![p](http://x/p.png) [j](javascript:x) [d](data:text/html,x)\n\n<script>x</script>");
        assert!(made.contains("<strong>bold</strong><br>"), "{made}");
        for bad in ["<script", "<b ", "<img", "javascript:", "data:"] {
            assert!(!made.contains(bad), "{bad} in {made}");
        }
        assert!(made.contains("&lt;script&gt;"), "what was typed is shown: {made}");
    }

    #[test]
    fn quotes_nest_only_so_deep_and_lose_no_words() {
        let made = html(&format!("{}deep\n\nafter", ">".repeat(9_000)));
        assert!(made.matches("<blockquote>").count() <= DEPTH && made.contains("deep") && made.contains("<p>after</p>"), "{made}");
        assert_eq!(made.matches("<blockquote>").count(), made.matches("</blockquote>").count());
    }

    #[test]
    fn a_line_for_previews_has_no_marks() {
        assert_eq!(plain("# Hello **there** [x](https://e.org)\n\n- one"), "Hello there x one");
    }
}
