//! Compares two HTML fragments word by word.

use std::ops::Range;
use std::time::Duration;

use similar::{ChangeTag, TextDiff};

/// Maximum duration of a comparison. After that, the result is correct but marks more than necessary.
const TIMEOUT: Duration = Duration::from_millis(200);

/// One token of the comparison: a tag, or a word with the spaces after it.
#[derive(Clone, Copy)]
struct Change<'a> {
    tag: ChangeTag,
    token: &'a str,
}

/// Returns `after` with the differences from `before`: added words are in `<ins>` and removed words in `<del>`. Both
/// arguments must be sanitized fragments, so that the result is safe, too. The outermost tags of removed elements have
/// the attribute `data-gone`.
pub fn html_diff(before: &str, after: &str) -> String {
    let (old, new) = (tokens(before), tokens(after));
    let mut config = TextDiff::configure();
    let diff = config.timeout(TIMEOUT).diff_slices(&old, &new);
    let mut changes: Vec<Change<'_>> = diff
        .iter_all_changes()
        .map(|change| Change {
            tag: change.tag(),
            token: change.value(),
        })
        .collect();
    let mut output = String::with_capacity(after.len() + after.len() / 4);
    for run in runs(&changes) {
        if changes[run.start].tag == ChangeTag::Delete {
            shift_to_whole_elements(&mut changes, run);
        }
    }
    for run in runs(&changes) {
        let run = &changes[run];
        match run[0].tag {
            ChangeTag::Equal => output.extend(run.iter().map(|change| change.token)),
            ChangeTag::Insert => push_marked(&mut output, run, "ins", true),
            ChangeTag::Delete => push_marked(&mut output, run, "del", is_whole(run)),
        }
    }
    output
}

/// Returns the ranges of consecutive changes of the same kind.
fn runs(changes: &[Change<'_>]) -> Vec<Range<usize>> {
    let mut start = 0;
    changes
        .chunk_by(|one, next| one.tag == next.tag)
        .map(|run| {
            let end = start + run.len();
            std::mem::replace(&mut start, end)..end
        })
        .collect()
}

/// The comparison may report that `b</li><li>` was removed instead of `<li>b</li>`. If so, moves the removed run until it
/// consists of whole elements. If no position fits, the run stays where it is.
fn shift_to_whole_elements(changes: &mut [Change<'_>], run: Range<usize>) {
    if is_whole(&changes[run.clone()]) {
        return;
    }
    let is_equal = |at: usize| {
        changes
            .get(at)
            .is_some_and(|one| one.tag == ChangeTag::Equal)
    };
    let is_same = |one: usize, other: usize| changes[one].token == changes[other].token;
    let mut left = run.clone();
    while left.start > 0 && is_equal(left.start - 1) && is_same(left.start - 1, left.end - 1) {
        left = left.start - 1..left.end - 1;
        if is_whole(&changes[left.clone()]) {
            return move_run(changes, run, left);
        }
    }
    let mut right = run.clone();
    while is_equal(right.end) && is_same(right.start, right.end) {
        right = right.start + 1..right.end + 1;
        if is_whole(&changes[right.clone()]) {
            return move_run(changes, run, right);
        }
    }
}

/// Marks the tokens of `to` as removed instead of those of `from`. The tokens in between are the same in both places.
fn move_run(changes: &mut [Change<'_>], from: Range<usize>, to: Range<usize>) {
    for change in &mut changes[from] {
        change.tag = ChangeTag::Equal;
    }
    for change in &mut changes[to] {
        change.tag = ChangeTag::Delete;
    }
}

/// Returns whether every start tag in the run has its end tag there, and the reverse.
fn is_whole(run: &[Change<'_>]) -> bool {
    is_balanced(run.iter().map(|change| change.token))
}

/// Splits sanitized HTML into tags and words. A word includes the spaces after it.
fn tokens(html: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = html;
    while !rest.is_empty() {
        let length = if rest.starts_with('<') {
            tag_length(rest)
        } else {
            word_length(rest)
        };
        let (token, after) = rest.split_at(length);
        found.push(token);
        rest = after;
    }
    found
}

/// Returns the length of the tag at the start. `>` may be part of a quoted attribute.
fn tag_length(html: &str) -> usize {
    let mut quoted = false;
    for (at, byte) in html.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'>' if !quoted => return at + 1,
            _ => {}
        }
    }
    html.len()
}

fn word_length(html: &str) -> usize {
    let text = &html[..html.find('<').unwrap_or(html.len())];
    let word = text.find(char::is_whitespace).unwrap_or(text.len());
    let spaces = text[word..].find(|letter: char| !letter.is_whitespace());
    word + spaces.unwrap_or(text.len() - word)
}

/// Returns the name of a tag without the slash of an end tag; `None` for a word.
fn tag_name(token: &str) -> Option<&str> {
    let name = token.strip_prefix('<')?.trim_start_matches('/');
    let end = name.find([' ', '>', '/']).unwrap_or(name.len());
    Some(&name[..end])
}

fn is_void(name: &str) -> bool {
    matches!(name, "br" | "hr")
}

/// Returns whether every start tag has its end tag, and the reverse.
fn is_balanced<'a>(tokens: impl Iterator<Item = &'a str>) -> bool {
    let mut open = Vec::new();
    for token in tokens {
        match tag_name(token) {
            Some(name) if is_void(name) => {}
            Some(name) if !token.starts_with("</") => open.push(name),
            Some(name) if open.pop() != Some(name) => return false,
            _ => {}
        }
    }
    open.is_empty()
}

/// Appends a run with its words inside `mark` elements. The run's tags are kept only if `with_tags`.
fn push_marked(output: &mut String, changes: &[Change<'_>], mark: &str, with_tags: bool) {
    let (mut words, mut depth) = (String::new(), 0usize);
    for Change { token, .. } in changes {
        let Some(name) = tag_name(token) else {
            words.push_str(token);
            continue;
        };
        if !with_tags {
            // Words of two removed blocks must not run together.
            if !words.is_empty() && !words.ends_with(char::is_whitespace) {
                words.push(' ');
            }
            continue;
        }
        push_words(output, &mut words, mark);
        let is_end = token.starts_with("</");
        if is_end {
            depth = depth.saturating_sub(1);
        }
        if mark == "del" && depth == 0 && !is_end {
            output.push_str(&token.replacen(name, &format!("{name} data-gone"), 1));
        } else {
            output.push_str(token);
        }
        if !is_end && !is_void(name) {
            depth += 1;
        }
    }
    push_words(output, &mut words, mark);
}

/// Appends the words in a `mark` element, and clears them. Spaces alone, such as those between blocks, are not marked.
fn push_words(output: &mut String, words: &mut String, mark: &str) {
    let text = words.trim_end();
    if text.is_empty() {
        output.push_str(words);
    } else {
        let spaces = &words[text.len()..];
        output.push_str(&format!("<{mark}>{text}</{mark}>{spaces}"));
    }
    words.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_diff_marks_removed_and_added_words() {
        assert_eq!(
            html_diff(
                "<p>We ship on <strong>Monday.</strong></p>",
                "<p>We ship on <strong>Tuesday.</strong></p>"
            ),
            "<p>We ship on <strong><del>Monday.</del><ins>Tuesday.</ins></strong></p>"
        );
        assert_eq!(html_diff("<p>Same</p>", "<p>Same</p>"), "<p>Same</p>");
    }

    #[test]
    fn html_diff_keeps_removed_elements_whole() {
        let list = |items: &[&str]| {
            let items: Vec<String> = items.iter().map(|one| format!("<li>{one}</li>")).collect();
            format!("<ol>\n{}\n</ol>", items.join("\n"))
        };
        assert_eq!(
            html_diff(
                &list(&["Freeze", "Translate", "Release"]),
                &list(&["Freeze", "Release"])
            ),
            "<ol>\n<li>Freeze</li>\n<li data-gone><del>Translate</del></li>\n<li>Release</li>\n</ol>"
        );
    }

    #[test]
    fn html_diff_finds_whole_elements_after_a_replaced_word() {
        assert_eq!(
            html_diff(
                "<ol>\n<li>On <b>Monday</b></li>\n<li>Translate</li>\n<li>Release</li>\n</ol>",
                "<ol>\n<li>On <b>Tuesday</b></li>\n<li>Release</li>\n</ol>"
            ),
            "<ol>\n<li>On <b><del>Monday</del><ins>Tuesday</ins></b></li>\n\
             <li data-gone><del>Translate</del></li>\n<li>Release</li>\n</ol>"
        );
    }

    #[test]
    fn html_diff_is_well_formed_and_drops_half_removed_elements() {
        let diff = html_diff(
            "<p>One <a href=\"https://a.example/?x>y\">two</a></p><ul><li>three</li></ul>",
            "<p>One two three &lt;four&gt;</p>",
        );
        assert!(is_balanced(tokens(&diff).into_iter()), "{diff}");
        assert!(
            diff.contains("<ins>") && diff.contains("&lt;four&gt;"),
            "{diff}"
        );
    }
}
