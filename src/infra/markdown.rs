//! Converts a subset of Markdown to sanitized HTML.

mod bare_urls;

use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

use pulldown_cmark::{
    CowStr, Event, LinkType, Options, Parser, Tag, TagEnd, TextMergeStream, html,
};

const OPTIONS: Options = Options::ENABLE_STRIKETHROUGH.union(Options::ENABLE_TABLES);

/// The maximum nesting depth of elements such as quotes and lists. Deeper content is shown at this
/// depth. Without the limit, ten thousand `>` would take seconds, because the sanitizer checks all
/// open elements whenever another element opens.
const MAX_DEPTH: usize = 16;

/// The tags around a mention.
const MENTION_START: &str = "<strong class=\"mention\">";
const MENTION_END: &str = "</strong>";

/// Removes images, because they would cause requests to other servers. Removes ids and all classes except `mention`,
/// because only the page itself may set them.
static SANITIZER: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
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
        .tag_attributes(
            [
                ("a", HashSet::from(["href"])),
                ("ol", HashSet::from(["start"])),
            ]
            .into(),
        )
        .allowed_classes([("strong", HashSet::from(["mention"]))].into())
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(ammonia::UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer nofollow ugc"));
    cleaner
});

/// Converts Markdown to HTML. HTML tags are shown as text, line breaks are kept, and a bare `http` or `https` address
/// becomes a link.
pub fn to_html(text: &str) -> String {
    to_html_with_mentions(text, |_| Vec::new())
}

/// Converts plain text to HTML. Only bare `http` and `https` addresses become links.
pub fn plain_to_html(text: &str) -> String {
    let mut events = Vec::new();
    let mut end = 0;
    for url in bare_urls::find(text) {
        let address = &text[url.clone()];
        events.push(Event::Text(text[end..url.start].into()));
        events.push(Event::Start(Tag::Link {
            link_type: LinkType::Autolink,
            dest_url: address.into(),
            title: CowStr::Borrowed(""),
            id: CowStr::Borrowed(""),
        }));
        events.push(Event::Text(address.into()));
        events.push(Event::End(TagEnd::Link));
        end = url.end;
    }
    events.push(Event::Text(text[end..].into()));
    let mut output = String::new();
    html::push_html(&mut output, events.into_iter());
    SANITIZER.clean(&output).to_string()
}

/// Converts Markdown to HTML as [`to_html`] does. Also puts `<strong class="mention">` around the
/// ranges that `mark` returns for each text segment. The byte ranges must be in order and must not
/// overlap. `mark` is not called for code and links.
pub fn to_html_with_mentions(text: &str, mark: impl Fn(&str) -> Vec<Range<usize>>) -> String {
    let source = bare_urls::autolink(text);
    let mut nesting = Vec::new();
    let events = segments(&source).filter(|(event, _)| match event {
        Event::Start(_) => {
            nesting.push(nesting.len() < MAX_DEPTH);
            nesting.len() <= MAX_DEPTH
        }
        Event::End(_) => nesting.pop().unwrap_or(true),
        _ => true,
    });
    let events = events.flat_map(|(event, markable)| match event {
        Event::Text(words) if markable => mark_ranges(&words, &mark(&words)),
        Event::Html(raw) | Event::InlineHtml(raw) => vec![Event::Text(raw)],
        Event::SoftBreak => vec![Event::HardBreak],
        other => vec![other],
    });
    let events: Vec<Event<'_>> = events.collect();
    let is_simple = events.iter().all(is_simple);
    let mut output = String::new();
    html::push_html(&mut output, events.into_iter());
    if is_simple {
        // Same as the sanitizer writes it. The text cannot contain this tag, because `<` is escaped there.
        return output.replace("<br />", "<br>");
    }
    SANITIZER.clean(&output).to_string()
}

/// Whether the HTML of the event is the same before and after the sanitizer. Most comments consist of such events only,
/// and the sanitizer needs more time than everything else, because it parses HTML.
fn is_simple(event: &Event<'_>) -> bool {
    let is_plain = |letter: char| {
        matches!(letter, '\n' | '\t') || !(letter.is_control() || letter == '\u{a0}')
    };
    match event {
        Event::Text(words) | Event::Code(words) => words.chars().all(is_plain),
        Event::HardBreak => true,
        // HTML in the text has become text, so these are the tags of a mention.
        Event::InlineHtml(html) => matches!(&**html, MENTION_START | MENTION_END),
        Event::Start(Tag::Paragraph | Tag::Strong | Tag::Emphasis)
        | Event::End(TagEnd::Paragraph | TagEnd::Strong | TagEnd::Emphasis) => true,
        _ => false,
    }
}

/// The segments for which [`to_html_with_mentions`] calls `mark`.
pub fn text_segments(text: &str) -> Vec<String> {
    let source = bare_urls::autolink(text);
    let segments = segments(&source).filter_map(|(event, markable)| match event {
        Event::Text(words) if markable => Some(words.into_string()),
        _ => None,
    });
    segments.collect()
}

/// The Markdown events of a text, with adjacent text merged. The flag is false for events inside
/// code blocks, links and images.
fn segments(text: &str) -> impl Iterator<Item = (Event<'_>, bool)> {
    let mut depth = 0_usize;
    let is_excluded = |tag: &Tag| {
        matches!(
            tag,
            Tag::CodeBlock(_) | Tag::Link { .. } | Tag::Image { .. }
        )
    };
    TextMergeStream::new(Parser::new_ext(text, OPTIONS)).map(move |event| {
        match &event {
            Event::Start(tag) if is_excluded(tag) => depth += 1,
            Event::End(TagEnd::CodeBlock | TagEnd::Link | TagEnd::Image) => {
                depth = depth.saturating_sub(1)
            }
            _ => {}
        }
        (event, depth == 0)
    })
}

fn mark_ranges<'a>(words: &str, ranges: &[Range<usize>]) -> Vec<Event<'a>> {
    let text = |range: Range<usize>| {
        Event::Text(CowStr::from(
            words.get(range).unwrap_or_default().to_owned(),
        ))
    };
    let mut events = Vec::new();
    let mut at = 0;
    for range in ranges {
        events.push(text(at..range.start));
        events.push(Event::InlineHtml(MENTION_START.into()));
        events.push(text(range.clone()));
        events.push(Event::InlineHtml(MENTION_END.into()));
        at = range.end;
    }
    events.push(text(at..words.len()));
    events
}

/// Returns the text without formatting, on one line.
pub fn plain_text(text: &str) -> String {
    let words = Parser::new(text).map(|event| match event {
        Event::Text(words) | Event::Code(words) => words.into_string(),
        Event::SoftBreak
        | Event::HardBreak
        | Event::End(TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::Item) => " ".into(),
        _ => String::new(),
    });
    words
        .collect::<String>()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The places of `@Ada` in a text.
    fn ada(text: &str) -> Vec<Range<usize>> {
        text.match_indices("@Ada")
            .map(|(at, word)| at..at + word.len())
            .collect()
    }

    #[test]
    fn to_html_keeps_formatting_and_removes_unsafe_content() {
        let made = to_html(
            "**bold**\nnext <b onclick=x>b</b> ![p](http://x/p.png) [j](javascript:x) \
             [d](data:text/html,x)\n\n<script>x</script>",
        );
        assert!(made.contains("<strong>bold</strong><br>"), "{made}");
        for bad in ["<script", "<b ", "<img", "javascript:", "data:"] {
            assert!(!made.contains(bad), "{bad} in {made}");
        }
        assert!(
            made.contains("&lt;script&gt;"),
            "HTML tags are not shown as text: {made}"
        );
    }

    #[test]
    fn mentions_in_code_and_links_are_not_marked_and_cannot_be_forged() {
        let made = to_html_with_mentions(
            "*@Ada* <strong class=mention>x</strong> `@Ada` [@Ada](https://e.org) <@Ada>\n\n    @Ada\n\n@Ada & @Ada",
            ada,
        );
        assert_eq!(
            made.matches("<strong class=\"mention\">@Ada</strong>")
                .count(),
            4,
            "{made}"
        );
        assert_eq!(made.matches("<strong").count(), 4, "{made}");
        assert_eq!(
            text_segments("a\\_b & `c` [d](https://e.org)"),
            ["a_b & ", " "]
        );
    }

    #[test]
    fn sanitizer_changes_nothing_in_the_html_of_simple_text() {
        let texts = [
            "Plain words, \"quoted\" and 'quoted', a & b < c > d; 100 % — “so”.",
            "First line\nsecond line  \nthird\\\nfourth\n\nNew paragraph",
            "*a **b** c* ***d*** __e__ _f_ `g < \"h\" & i` ``j ` k``",
            "<script>alert(1)</script> <b>x</b> <strong class=\"mention\">@Eve</strong> </p> <!-- c -->",
            "&amp; &lt;b&gt; &quot; &copy; &nbsp; &#0; &#65; &#x200f;",
            "\u{202e}rtl שלום \u{feff}\u{200d}👩\u{200d}💻 \u{2028}\u{a0}\u{0}\u{b}\u{c}\u{7f}\u{85} end",
            "***a** b*** *c **d* e** *`f*` **g",
            "@Ada and *@Ada*",
            "",
        ];
        for text in texts {
            let made = to_html_with_mentions(text, ada);
            assert_eq!(SANITIZER.clean(&made).to_string(), made, "{text}");
        }
        assert_eq!(
            to_html("a \"<b>\" & *c*\nd"),
            "<p>a \"&lt;b&gt;\" &amp; <em>c</em><br>\nd</p>\n"
        );
    }

    #[test]
    fn bare_addresses_with_markdown_characters_become_links() {
        let made = to_html("https://e.org/a_(b)_c and https://e.org/d_(e)_f.");
        assert_eq!(
            made,
            "<p><a href=\"https://e.org/a_(b)_c\" rel=\"noopener noreferrer nofollow ugc\">https://e.org/a_(b)_c</a> and \
             <a href=\"https://e.org/d_(e)_f\" rel=\"noopener noreferrer nofollow ugc\">https://e.org/d_(e)_f</a>.</p>\n"
        );
        assert_eq!(text_segments("@Ada https://e.org/@Bo"), ["@Ada "]);
    }

    #[test]
    fn plain_to_html_escapes_everything_and_links_bare_addresses() {
        assert_eq!(
            plain_to_html("*a* <b>\n(https://e.org/a_b?q=1&r=2)."),
            "*a* &lt;b&gt;\n(<a href=\"https://e.org/a_b?q=1&amp;r=2\" rel=\"noopener noreferrer nofollow \
             ugc\">https://e.org/a_b?q=1&amp;r=2</a>)."
        );
        assert_eq!(plain_to_html("javascript:alert(1)"), "javascript:alert(1)");
    }

    #[test]
    fn nesting_of_quotes_is_limited_without_losing_text() {
        let made = to_html(&format!("{}deep\n\nafter", ">".repeat(9_000)));
        assert!(
            made.matches("<blockquote>").count() <= MAX_DEPTH
                && made.contains("deep")
                && made.contains("<p>after</p>"),
            "{made}"
        );
        assert_eq!(
            made.matches("<blockquote>").count(),
            made.matches("</blockquote>").count()
        );
    }

    #[test]
    fn plain_text_removes_markdown_syntax() {
        assert_eq!(
            plain_text("# Hello **there** [x](https://e.org)\n\n- one"),
            "Hello there x one"
        );
    }
}
