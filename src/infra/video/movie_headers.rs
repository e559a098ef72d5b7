//! Reads the headers of MP4 and QuickTime files: durations and edit lists (ISO/IEC 14496-12).

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::error::{Error, Result};

/// The maximum number of boxes to read. In real files, the headers of all tracks are found after fewer boxes.
const MAX_BOXES: usize = 10_000;
/// How many bytes of a box are read. Three edits and all other headers fit.
const MAX_HEADER: u64 = 8 + 3 * 20;
/// The maximum size of a movie box in which [`MovieHeaders::has_no_edits`] looks for edit lists. The movie box of a
/// fragmented file is smaller, because it describes no packets.
const MAX_SEARCHED_BYTES: u64 = 64 * 1024;

/// The headers of a file.
#[derive(Default)]
pub(super) struct MovieHeaders {
    /// The unit of edit durations: this many make one second (§8.2.2).
    pub(super) timescale: u32,
    /// The tracks, in file order.
    pub(super) tracks: Vec<TrackHeaders>,
    /// Whether the movie box is small and contains no edit lists.
    pub(super) has_no_edits: bool,
}

/// The headers of a track.
#[derive(Default)]
pub(super) struct TrackHeaders {
    /// The unit of times in the media: this many make one second (§8.4.2).
    pub(super) timescale: u32,
    /// The duration of the media.
    pub(super) duration: u64,
    /// The first edits; `None` if there is no edit list.
    pub(super) edits: Option<Vec<Edit>>,
}

/// An edit (§8.6.6).
pub(super) struct Edit {
    /// The duration, in the unit of the movie. 0 means until the end of the media.
    pub(super) duration: u64,
    /// Where the edit starts in the media, in the unit of the track; `None` for a delay.
    pub(super) begin: Option<u64>,
}

impl Edit {
    /// Parses at most three edits from the content of an edit list box. Three are enough, because lists with more than
    /// two edits are all treated alike.
    fn parse_list(content: &[u8]) -> Vec<Self> {
        let Some(([version, _, _, _, count @ ..], edits)) = content.split_first_chunk::<8>() else {
            return Vec::new();
        };
        let count = u32::from_be_bytes(*count).min(3) as usize;
        let side = if *version == 1 { 8 } else { 4 };
        let delay = if side == 8 { u64::MAX } else { u32::MAX.into() };
        let edits = edits.chunks_exact(2 * side + 4).take(count);
        edits
            .map(|edit| Self {
                duration: number(&edit[..side]),
                begin: Some(number(&edit[side..2 * side])).filter(|begin| *begin != delay),
            })
            .collect()
    }
}

impl MovieHeaders {
    /// Reads the headers of the file at `path`. Never fails because the file is damaged.
    pub(super) async fn open(path: &Path) -> Result<Self> {
        let path = path.to_owned();
        let read = tokio::task::spawn_blocking(move || Self::read(&mut File::open(path)?));
        Ok(read.await.map_err(Error::internal)??)
    }

    /// Stops at the first position that does not contain a valid box.
    pub(super) fn read(file: &mut (impl Read + Seek)) -> io::Result<Self> {
        let mut headers = Self::default();
        let end = file.seek(SeekFrom::End(0))?;
        let mut at = 0;
        for _ in 0..MAX_BOXES {
            let Some((kind, content, after)) = next_box(file, at, end)? else {
                break;
            };
            at = after;
            match &kind {
                b"moov" => {
                    headers.has_no_edits = has_no_edits(file, content, after)?;
                    at = content;
                }
                b"trak" => {
                    headers.tracks.push(TrackHeaders::default());
                    at = content;
                }
                b"edts" => at = content,
                b"mvhd" | b"elst" => headers.add(&kind, &read_header(file, content, after)?),
                // The header of the media is the first box inside.
                b"mdia" => {
                    if let Some((kind, content, after)) = next_box(file, content, after)? {
                        headers.add(&kind, &read_header(file, content, after)?);
                    }
                }
                _ => {}
            }
        }
        Ok(headers)
    }

    fn add(&mut self, kind: &[u8; 4], header: &[u8]) {
        match (kind, self.tracks.last_mut()) {
            (b"mvhd", _) => self.timescale = time_header(header).map_or(0, |(unit, _)| unit),
            (b"mdhd", Some(track)) => {
                (track.timescale, track.duration) = time_header(header).unwrap_or_default();
            }
            (b"elst", Some(track)) => track.edits = Some(Edit::parse_list(header)),
            _ => {}
        }
    }

    /// Whether there are edit lists and all of them are open-ended. An open-ended list has a single edit, which may
    /// follow one delay. The edit has duration 0, so it lasts until the end of the media.
    pub(super) fn all_edits_are_open(&self) -> bool {
        let lists = self
            .tracks
            .iter()
            .filter_map(|track| track.edits.as_deref());
        let mut lists = lists.peekable();
        lists.peek().is_some() && lists.all(is_open)
    }
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

/// Reads the start of a box that has this content.
fn read_header(file: &mut (impl Read + Seek), content: u64, after: u64) -> io::Result<Vec<u8>> {
    let mut header = Vec::new();
    file.seek(SeekFrom::Start(content))?;
    file.take((after - content).min(MAX_HEADER))
        .read_to_end(&mut header)?;
    Ok(header)
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

/// Whether a movie box is small and contains neither an edit list nor compressed boxes, at any depth.
fn has_no_edits(file: &mut (impl Read + Seek), content: u64, after: u64) -> io::Result<bool> {
    if after - content > MAX_SEARCHED_BYTES {
        return Ok(false);
    }
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(content))?;
    file.take(after - content).read_to_end(&mut bytes)?;
    Ok(!bytes
        .windows(4)
        .any(|kind| kind == b"elst" || kind == b"cmov"))
}

/// Returns the timescale and the duration in the content of a movie or media header (§8.2.2, §8.4.2).
fn time_header(content: &[u8]) -> Option<(u32, u64)> {
    let (times, side) = match *content.first()? {
        1 => (4 + 2 * 8, 8),
        _ => (4 + 2 * 4, 4),
    };
    let timescale = u32::from_be_bytes(*content.get(times..)?.first_chunk()?);
    Some((timescale, number(content.get(times + 4..times + 4 + side)?)))
}

fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
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
        let headers = MovieHeaders::read(&mut Cursor::new(bytes)).unwrap();
        headers.all_edits_are_open()
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

    #[test]
    fn movie_has_no_edits_only_if_its_whole_box_is_small_and_contains_no_list() {
        let has_none = |movie: &[u8]| {
            let bytes = [boxed(b"ftyp", b"isom\0\0\0\0"), boxed(b"moov", movie)].concat();
            let headers = MovieHeaders::read(&mut Cursor::new(bytes)).unwrap();
            headers.has_no_edits
        };
        let track = boxed(b"trak", &boxed(b"mdia", &[0; 40]));
        assert!(has_none(&track));
        let list = boxed(b"edts", &boxed(b"elst", &[0; 8]));
        for unusual in [
            boxed(b"trak", &boxed(b"mdia", &list)),
            boxed(b"udta", &list),
            boxed(b"cmov", &[0; 8]),
            boxed(b"free", &[0; MAX_SEARCHED_BYTES as usize]),
        ] {
            assert!(!has_none(&[&track[..], &unusual].concat()));
        }
        let no_movie = MovieHeaders::read(&mut Cursor::new(&boxed(b"mdat", &[0; 8]))).unwrap();
        assert!(!no_movie.has_no_edits);
    }

    #[test]
    fn durations_are_read_from_headers_of_both_versions() {
        let times = |version: u8, side: usize, unit: u32, duration: u64| {
            let duration = &duration.to_be_bytes()[8 - side..];
            [
                &[version, 0, 0, 0][..],
                &vec![0; 2 * side],
                &unit.to_be_bytes(),
                duration,
                &[0; 8],
            ]
            .concat()
        };
        let movie = |version, side| {
            let media = boxed(b"mdhd", &times(version, side, 48_000, 96_000));
            let track = boxed(b"trak", &boxed(b"mdia", &media));
            boxed(
                b"moov",
                &[boxed(b"mvhd", &times(version, side, 1_000, 2_000)), track].concat(),
            )
        };
        for bytes in [movie(0, 4), movie(1, 8)] {
            let headers = MovieHeaders::read(&mut Cursor::new(bytes)).unwrap();
            let track = &headers.tracks[0];
            assert_eq!(
                (headers.timescale, track.timescale, track.duration),
                (1_000, 48_000, 96_000)
            );
        }
    }
}
