//! Detects open-ended edit lists in MP4 and QuickTime files.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::error::{Error, Result};

/// The maximum number of boxes to read. In real files, all edit lists are found after fewer boxes.
const MAX_BOXES: usize = 10_000;

/// Whether the file has edit lists and all of them are open-ended. An open-ended list has a single
/// edit, which may follow one delay. The edit has duration 0, so it lasts until the end of the
/// media (ISO/IEC 14496-12 §8.6.6).
pub(in crate::infra::video) async fn all_are_open(path: &Path) -> Result<bool> {
    let path = path.to_owned();
    let found = tokio::task::spawn_blocking(move || edit_lists(&mut File::open(path)?))
        .await
        .map_err(Error::internal)??;
    Ok(!found.is_empty() && found.iter().all(|edits| is_open(edits)))
}

/// An edit (ISO/IEC 14496-12 §8.6.6).
struct Edit {
    duration: u64,
    /// Where the edit starts in the media; `None` for a delay.
    begin: Option<u64>,
}

fn is_open(edits: &[Edit]) -> bool {
    let after_delay = match edits {
        [delay, rest @ ..] if delay.begin.is_none() => rest,
        all => all,
    };
    matches!(
        after_delay,
        [Edit {
            duration: 0,
            begin: Some(_)
        }]
    )
}

/// Reads the first edits of each list. Stops at the first position that does not contain a valid box.
fn edit_lists(file: &mut (impl Read + Seek)) -> io::Result<Vec<Vec<Edit>>> {
    let mut lists = Vec::new();
    let end = file.seek(SeekFrom::End(0))?;
    let mut at = 0;
    for _ in 0..MAX_BOXES {
        let Some((kind, content, after)) = next_box(file, at, end)? else {
            break;
        };
        match &kind {
            // Continue inside these boxes, because they contain the edit lists.
            b"moov" | b"trak" | b"edts" => at = content,
            b"elst" => {
                file.seek(SeekFrom::Start(content))?;
                lists.push(read_edits(file, after - content)?);
                at = after;
            }
            _ => at = after,
        }
    }
    Ok(lists)
}

/// Returns the kind of the box that starts at `at`, the position of its content and the position of the next box.
fn next_box(
    file: &mut (impl Read + Seek),
    at: u64,
    end: u64,
) -> io::Result<Option<([u8; 4], u64, u64)>> {
    if at.saturating_add(8) > end {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(at))?;
    let mut header = Vec::new();
    file.take(16).read_to_end(&mut header)?;
    let Some(([a, b, c, d, kind @ ..], rest)) = header.split_first_chunk::<8>() else {
        return Ok(None);
    };
    let (size, head) = match (u32::from_be_bytes([*a, *b, *c, *d]), rest.first_chunk()) {
        (0, _) => (end - at, 8),
        (1, Some(large)) => (u64::from_be_bytes(*large), 16),
        (size, _) => (size.into(), 8),
    };
    let after = at.saturating_add(size).min(end);
    Ok((size >= head && at + head <= end).then_some((*kind, at + head, after)))
}

/// Reads at most three edits of a list with `length` bytes of content. Three are enough, because a
/// list with more than two edits is not open-ended.
fn read_edits(file: &mut impl Read, length: u64) -> io::Result<Vec<Edit>> {
    let mut bytes = Vec::new();
    file.take(length.min(8 + 3 * 20)).read_to_end(&mut bytes)?;
    let Some(([version, _, _, _, count @ ..], edits)) = bytes.split_first_chunk::<8>() else {
        return Ok(Vec::new());
    };
    let count = u32::from_be_bytes(*count).min(3) as usize;
    let number = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
    };
    let side = if *version == 1 { 8 } else { 4 };
    let delay = if side == 8 { u64::MAX } else { u32::MAX.into() };
    let edits = edits
        .chunks_exact(2 * side + 4)
        .take(count)
        .map(|edit| Edit {
            duration: number(&edit[..side]),
            begin: Some(number(&edit[side..2 * side])).filter(|begin| *begin != delay),
        });
    Ok(edits.collect())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        [
            &(8 + content.len() as u32).to_be_bytes(),
            kind.as_slice(),
            content,
        ]
        .concat()
    }

    /// An MP4 file with one track for each list of edits. Each edit is given as its duration and
    /// its media time; a media time of -1 makes it a delay.
    fn file(tracks: &[&[(u32, i32)]]) -> Vec<u8> {
        let tracks = tracks.iter().map(|edits| {
            let edits_in_bytes: Vec<u8> = edits
                .iter()
                .flat_map(|(duration, begin)| {
                    [duration.to_be_bytes(), begin.to_be_bytes(), [0, 1, 0, 0]].concat()
                })
                .collect();
            let list = [
                &[0; 4],
                (edits.len() as u32).to_be_bytes().as_slice(),
                &edits_in_bytes,
            ]
            .concat();
            boxed(
                b"trak",
                &[
                    boxed(b"tkhd", &[0; 84]),
                    boxed(b"edts", &boxed(b"elst", &list)),
                    boxed(b"mdia", &[0; 40]),
                ]
                .concat(),
            )
        });
        let movie = [
            boxed(b"mvhd", &[0; 100]),
            tracks.collect::<Vec<_>>().concat(),
        ]
        .concat();
        [
            boxed(b"ftyp", b"isom\0\0\0\0"),
            boxed(b"mdat", &[7; 30]),
            boxed(b"moov", &movie),
        ]
        .concat()
    }

    fn open(bytes: &[u8]) -> bool {
        let found = edit_lists(&mut Cursor::new(bytes)).unwrap();
        !found.is_empty() && found.iter().all(|edits| is_open(edits))
    }

    #[test]
    fn edit_lists_are_open_ended_if_each_has_one_edit_of_duration_0() {
        assert!(open(&file(&[&[(0, 2_048)]])));
        assert!(open(&file(&[&[(0, 2_048)], &[(500, -1), (0, 0)]])));
        for closed in [
            file(&[]),
            file(&[&[]]),
            file(&[&[(8_000, 0)]]),
            file(&[&[(0, 0)], &[(8_000, 0)]]),
            file(&[&[(2_000, 0), (0, 5_000)]]),
            file(&[&[(0, -1)]]),
            file(&[&[(500, -1), (0, 0), (0, 0)]]),
        ] {
            assert!(!open(&closed));
        }
    }

    #[test]
    fn edit_lists_with_64_bit_times_and_box_sizes_are_parsed() {
        let list = [
            [1, 0, 0, 0, 0, 0, 0, 1].as_slice(),
            &[0; 8],
            &7_u64.to_be_bytes(),
            &[0, 1, 0, 0],
        ]
        .concat();
        let track = boxed(b"trak", &boxed(b"edts", &boxed(b"elst", &list)));
        let media = [
            &1_u32.to_be_bytes(),
            b"mdat".as_slice(),
            &24_u64.to_be_bytes(),
            &[0; 8],
        ]
        .concat();
        let to_the_end = [&0_u32.to_be_bytes(), b"moov".as_slice(), &track].concat();
        assert!(open(&[media, to_the_end].concat()));
    }

    #[test]
    fn damaged_files_are_treated_as_having_no_open_ended_edit_lists() {
        let whole = file(&[&[(0, 2_048)]]);
        for end in 0..whole.len() - 60 {
            assert!(!open(&whole[..end]), "{end}");
        }
        assert!(!open(b"not an MP4 file at all"));
        assert!(!open(&[0, 0, 0, 8].repeat(40)));
    }
}
