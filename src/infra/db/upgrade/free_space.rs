//! Refuses to upgrade a SQLite database if its disk has too little free space for the copy made before the upgrade.

use std::path::Path;

use super::with_suffix;
use crate::error::{Error, Result};
use crate::infra::db::health::free_space;

/// The margin of the free-space check, in bytes. The check requires free space of 1.25 times the
/// size of the database plus this margin.
const FREE_SPACE_MARGIN: u64 = 4 * MEBIBYTE;
/// One MiB, in bytes.
const MEBIBYTE: u64 = 1024 * 1024;

/// Fails with [`Error::Conflict`] if there is not enough free space to copy the database `file`.
pub(super) fn check_free_space(file: &Path) -> Result<()> {
    let mut size = std::fs::metadata(file)?.len();
    // Add the size of the write-ahead log, because the copy also contains the pages that are only in the log.
    size += std::fs::metadata(with_suffix(file, "-wal")).map_or(0, |log| log.len());
    let (needed, free) = (size + size / 4 + FREE_SPACE_MARGIN, free_space(file)?);
    if free >= needed {
        return Ok(());
    }
    let folder = file.parent().unwrap_or(Path::new("."));
    Err(not_enough_space(folder, needed, free))
}

/// The error for a folder with too little free space. Rounds the needed space up and the free space
/// down, so that the numbers never suggest that there is enough space.
fn not_enough_space(folder: &Path, needed: u64, free: u64) -> Error {
    Error::Conflict(format!(
        "There is not enough space to copy the database before the upgrade: the copy needs {} in {}, but only \
         {} are free. Free up some space there, then restart Hearback. Nothing was changed.",
        format_mebibytes((needed * 10).div_ceil(MEBIBYTE)),
        folder.display(),
        format_mebibytes(free * 10 / MEBIBYTE)
    ))
}

/// Formats a size in tenths of a MiB, for example as `1.9 MiB`.
fn format_mebibytes(tenths: u64) -> String {
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needed_space_is_rounded_up_and_free_space_is_rounded_down() {
        for (needed, free, text) in [
            (
                2 * MEBIBYTE,
                2 * MEBIBYTE - 1,
                "2.0 MiB in /data, but only 1.9 MiB",
            ),
            (
                2 * MEBIBYTE + 1,
                2 * MEBIBYTE,
                "2.1 MiB in /data, but only 2.0 MiB",
            ),
            (11 * MEBIBYTE - 1, 0, "11.0 MiB in /data, but only 0.0 MiB"),
        ] {
            let detail = not_enough_space(Path::new("/data"), needed, free).detail();
            assert!(detail.contains(text), "{detail}");
        }
    }
}
