//! The strings that people can meet, as `bin/strings` prints them.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::process::Command;

/// Strings that were replaced by clearer ones, one per line.
const REPLACED: &str = include_str!("../fixtures/replaced-words.txt");

/// Returns the place and the text of each string.
fn strings() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(root.join("bin/strings")).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let printed = String::from_utf8(output.stdout).unwrap();
    printed
        .lines()
        .map(|line| line.split_once(": ").expect(line))
        .map(|(place, text)| (place.to_owned(), text.to_owned()))
        .collect()
}

#[test]
fn strings_of_all_sources_are_printed() {
    let strings = strings();
    for (file, text) in [
        ("templates/people/sign_in.html", "Sign in"),
        ("templates/people/me.html", "Match system"),
        ("src/error.rs", "Try again in {seconds} s."),
        ("src/doctor.rs", "browser files: included in this build"),
        ("src/main.rs", "Create API tokens"),
        (
            "src/notification_emails/text.rs",
            "{} updates are waiting for you: “{first}” and {rest} more",
        ),
        (
            "browser/src/lib/offline.ts",
            "You are offline. This will be sent when you are online again, unless you change it first.",
        ),
    ] {
        assert!(
            strings
                .iter()
                .any(|(place, found)| place.starts_with(file) && found == text),
            "{file}: {text}"
        );
    }
}

#[test]
fn replaced_strings_are_not_used() {
    let plain = |text: &str| text.trim_end_matches('.').to_owned();
    let replaced: HashSet<String> = REPLACED.lines().map(plain).collect();
    let used: BTreeSet<String> = strings()
        .into_iter()
        .filter(|(_, text)| replaced.contains(&plain(text)))
        .map(|(place, text)| format!("{place}: {text}"))
        .collect();
    assert_eq!(used, BTreeSet::new());
}
