//! Checks which seconds of the source a copy shows.

use super::frames::{pictures, shown_at};
use super::*;

/// The seconds of the source that the file contains if edit lists are ignored.
fn seconds_inside(path: &Path) -> Vec<i64> {
    let ignoring: &[&str] = if path.extension().is_some_and(|end| end == "mp4") {
        &["-ignore_editlist", "1"]
    } else {
        &[]
    };
    let mut seconds: Vec<i64> = pictures(path, ignoring)
        .into_iter()
        .map(|(_, second)| second)
        .collect();
    seconds.sort_unstable();
    seconds.dedup();
    seconds
}

/// Asserts that second `n` of the copy shows second `shows[n]` of the source, and that the copy contains no other
/// seconds of the source.
pub(super) fn assert_presents(name: &str, made: &Output, shows: &[i64]) {
    let pictures = pictures(&made.path, &[]);
    let is: Vec<i64> = (0..shows.len())
        .map(|second| shown_at(&pictures, second as f64 + 0.5))
        .collect();
    assert_eq!(is, shows, "{name}: {pictures:?}");
    assert!(
        pictures[0].0.abs() < 0.05,
        "{name} begins at {}",
        pictures[0].0
    );
    let (wanted, ms) = (shows.len() as i64 * 1000, made.probe.duration_ms.unwrap());
    assert!((ms - wanted).abs() <= 100, "{name}: {ms} ms");
    let says = container_ms(&made.path);
    assert!(
        (says - wanted).abs() <= 110,
        "{name}: {says} ms in the container"
    );
    let mut wanted = shows.to_vec();
    wanted.sort_unstable();
    wanted.dedup();
    assert_eq!(
        seconds_inside(&made.path),
        wanted,
        "{name}: seconds in the file"
    );
}
