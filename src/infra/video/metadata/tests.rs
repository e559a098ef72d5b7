use std::path::Path;

use super::*;

mod mp4;
mod webm;

const RECORDINGS: [&str; 9] = [
    "rec-audio-only-3s.webm",
    "rec-av1-opus-3s.webm",
    "rec-mp4-avc1-opus-5s.mp4",
    "rec-vp8-opus-3s.webm",
    // This recording has an alpha channel.
    "rec-vp9-bubble-4s.webm",
    "rec-vp9-noaudio-4s.webm",
    "rec-vp9-opus-10s.webm",
    // This recording is truncated.
    "bad-truncated.webm",
    "bad-claims-10h.mp4",
];

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures")
            .join(name),
    )
    .unwrap()
}

fn scan(bytes: &[u8]) -> Metadata {
    in_pieces(bytes, |left| left)
}

/// Feeds `bytes` to a scan in pieces. `length` receives the number of remaining bytes and returns
/// the length of the next piece.
fn in_pieces(mut bytes: &[u8], mut length: impl FnMut(usize) -> usize) -> Metadata {
    let mut scan = MetadataScan::default();
    while !bytes.is_empty() {
        let (piece, rest) = bytes.split_at(length(bytes.len()).clamp(1, bytes.len()));
        scan.feed(piece);
        bytes = rest;
    }
    scan.finish()
}

/// Pseudorandom numbers, which are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % limit.max(1)
    }
}

#[test]
fn scan_in_chunks_of_any_size_finds_no_metadata_in_a_browser_recording() {
    for name in &RECORDINGS[..8] {
        let bytes = fixture(name);
        assert_eq!(scan(&bytes), Metadata::None, "{name}");
        let mut numbers = Numbers(1);
        assert_eq!(in_pieces(&bytes, |_| 1), Metadata::None, "{name}");
        assert_eq!(
            in_pieces(&bytes, |_| numbers.below(3_000)),
            Metadata::None,
            "{name}"
        );
    }
}

#[test]
fn files_not_recorded_by_a_browser_are_treated_as_possibly_containing_metadata() {
    for name in [
        "count.mp4",
        "count.webm",
        "moov-at-end.mov",
        "bad-claims-10h.mp4",
        "ebml-void-first.webm",
        "alpha.png",
        "bad-hls-named.mp4",
    ] {
        assert_eq!(scan(&fixture(name)), Metadata::Possible, "{name}");
    }
    assert_eq!(scan(b""), Metadata::Possible);
}

#[test]
fn scan_can_be_resumed_only_at_the_position_where_it_stopped() {
    let bytes = fixture("rec-mp4-avc1-opus-5s.mp4");
    for cut in [0, 3, 40, 700, 1_300, 50_000, bytes.len()] {
        let mut first = MetadataScan::default();
        first.feed(&bytes[..cut]);
        let stored = first.to_json().unwrap();
        let mut next = MetadataScan::resume(Some(&stored), cut as u64);
        next.feed(&bytes[cut..]);
        assert_eq!(next.finish(), Metadata::None, "{cut}");

        let mut elsewhere = MetadataScan::resume(Some(&stored), cut as u64 + 1);
        elsewhere.feed(&bytes[cut..]);
        assert_eq!(elsewhere.finish(), Metadata::Possible, "{cut}");
        let mut unknown = MetadataScan::resume(None, cut as u64);
        unknown.feed(&bytes[cut..]);
        assert_eq!(
            unknown.finish(),
            if cut == 0 {
                Metadata::None
            } else {
                Metadata::Possible
            },
            "{cut}"
        );
    }
}

#[test]
fn chunk_size_does_not_change_the_scan_result_of_a_damaged_file() {
    let mut numbers = Numbers(11);
    for name in RECORDINGS {
        let mut whole = fixture(name);
        whole.truncate(60_000);
        for _ in 0..300 {
            let mut bytes = whole.clone();
            for _ in 0..=numbers.below(4) {
                // In two out of three cases, damage the start of the file, because its headers
                // contain the sizes of the elements.
                let within = if numbers.below(3) == 0 {
                    bytes.len()
                } else {
                    bytes.len().min(1_500)
                };
                let at = numbers.below(within);
                match numbers.below(5) {
                    0 => bytes[at] ^= 1 << numbers.below(8),
                    1 => bytes[at] = [0, 0xff, 0x80, 0x01][numbers.below(4)],
                    2 => drop(bytes.drain(at..(at + numbers.below(20)).min(bytes.len()))),
                    3 => bytes.insert(at, numbers.below(256) as u8),
                    _ => bytes.truncate(at + 1),
                }
            }
            let (mut once, mut resumed) = (MetadataScan::default(), MetadataScan::default());
            once.feed(&bytes);
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let (piece, left) = rest.split_at((numbers.below(2_000) + 1).min(rest.len()));
                resumed.feed(piece);
                assert!(resumed.pending.len() <= MAX_ELEMENT);
                resumed = MetadataScan::resume(Some(&resumed.to_json().unwrap()), resumed.fed());
                rest = left;
            }
            assert_eq!(once.finish(), resumed.finish(), "{name}");
        }
    }
}
