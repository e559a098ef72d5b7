//! Imports go one way; see `src/lib.rs`.

use std::fs;
use std::path::Path;

/// The domain, each file importing only what stands before it.
const DOMAIN: &[&str] = &[
    "text",
    "share_message",
    "people",
    "workspace",
    "events",
    "notifications",
    "search",
    "updates",
    "media",
    "uploads",
    "markup",
    "drafts",
    "receipts",
    "notification_emails",
    "comments",
    "links",
    "inbox",
    "sample",
];
/// What the domain stands on.
const GROUND: [&str; 5] = ["clock", "working_hours", "error", "infra", "text"];

fn imports(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]").next().unwrap();
    let mut found = Vec::new();
    for statement in code
        .split(';')
        .filter_map(|part| part.split("use crate::").nth(1))
    {
        let names = statement
            .trim_start_matches('{')
            .split(['}', '\n'])
            .next()
            .unwrap();
        let group = statement.starts_with('{');
        for name in if group {
            names.split(',').collect::<Vec<_>>()
        } else {
            vec![names]
        } {
            found.push(name.trim().split("::").next().unwrap().to_owned());
        }
    }
    found.extend(code.match_indices("crate::").map(|(at, _)| {
        code[at + 7..]
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .next()
            .unwrap()
            .to_owned()
    }));
    found.retain(|name| !name.is_empty());
    found
}

fn files(module: &str) -> Vec<std::path::PathBuf> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = vec![src.join(format!("{module}.rs"))];
    let mut folders = vec![src.join(module)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path)
            } else {
                found.push(path)
            }
        }
    }
    found
}

#[test]
fn the_domain_imports_only_what_stands_above_it() {
    for (at, module) in DOMAIN.iter().enumerate() {
        for file in files(module) {
            for import in imports(&file) {
                let allowed = import == *module
                    || DOMAIN[..at].contains(&import.as_str())
                    || GROUND.contains(&import.as_str());
                assert!(
                    allowed,
                    "{} imports {import}, which does not stand above {module}",
                    file.display()
                );
            }
        }
    }
}

#[test]
fn the_outside_world_knows_nothing_of_the_domain() {
    for module in [
        "storage", "pictures", "video", "mail", "markdown", "clock", "working", "error",
    ] {
        for file in files(module) {
            for import in imports(&file) {
                assert!(
                    import == module || ["error", "clock"].contains(&import.as_str()),
                    "{} imports {import}",
                    file.display()
                );
            }
        }
    }
}
