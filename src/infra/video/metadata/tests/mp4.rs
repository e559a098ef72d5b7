//! Scans a browser's MP4 recording, unchanged and with one box or size changed.

use super::*;

fn recording() -> Vec<u8> {
    fixture("rec-mp4-avc1-opus-5s.mp4")
}

fn one_box(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    [
        &(8 + content.len() as u32).to_be_bytes(),
        &kind[..],
        content,
    ]
    .concat()
}

/// Returns the start and end of the first box of this kind between two positions.
fn find(bytes: &[u8], kind: &[u8; 4], mut from: usize, to: usize) -> (usize, usize) {
    loop {
        let size = u32::from_be_bytes(*bytes[from..to].first_chunk().unwrap()) as usize;
        if bytes[from + 4..from + 8] == *kind {
            return (from, from + size);
        }
        from += size;
    }
}

/// Appends bytes to the box at this path, and increases the sizes of the boxes on the path.
fn add(path: &[&[u8; 4]], more: &[u8]) -> Vec<u8> {
    let mut bytes = recording();
    let (mut from, mut to) = (0, bytes.len());
    for kind in path {
        let found = find(&bytes, kind, from, to);
        let size = (found.1 - found.0 + more.len()) as u32;
        bytes[found.0..found.0 + 4].copy_from_slice(&size.to_be_bytes());
        (from, to) = (found.0 + 8, found.1);
    }
    bytes.splice(to..to, more.iter().copied());
    bytes
}

#[test]
fn unexpected_box_is_treated_as_possible_metadata() {
    let place = one_box(b"\xa9xyz", b"\0\x12\x15\xc7+52.5200+013.4050/");
    assert_eq!(
        scan(&add(&[b"moov"], &one_box(b"udta", &place))),
        Metadata::Possible
    );
    assert_eq!(
        scan(&add(&[b"moov"], &one_box(b"meta", b"\0\0\0\0"))),
        Metadata::Possible
    );
    assert_eq!(
        scan(&add(&[b"moov", b"trak"], &one_box(b"udta", b""))),
        Metadata::Possible
    );
    let edit = one_box(
        b"edts",
        &one_box(
            b"elst",
            &[
                0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 3, 0xe8, 0, 0, 0, 0, 0, 1, 0, 0,
            ],
        ),
    );
    assert_eq!(scan(&add(&[b"moov", b"trak"], &edit)), Metadata::Possible);
    assert_eq!(
        scan(&add(
            &[b"moov", b"trak", b"mdia"],
            &one_box(b"uuid", b"words")
        )),
        Metadata::Possible
    );
    assert_eq!(
        scan(&add(
            &[b"moov", b"trak", b"mdia", b"hdlr"],
            b"Ada's camera\0"
        )),
        Metadata::Possible
    );
    assert_eq!(
        scan(&add(&[b"moof", b"traf"], &one_box(b"uuid", b"words"))),
        Metadata::Possible
    );
    for kind in [
        b"uuid", b"udta", b"meta", b"emsg", b"prft", b"mdat", b"xxxx",
    ] {
        assert_eq!(
            scan(&add(&[], &one_box(kind, b"words that say where"))),
            Metadata::Possible,
            "{kind:?}"
        );
    }
    assert_eq!(
        scan(&add(&[], &one_box(b"free", &[0; 500]))),
        Metadata::None
    );
    assert_eq!(
        scan(&add(&[], &one_box(b"free", b"\0words"))),
        Metadata::Possible
    );
}

#[test]
fn bytes_outside_samples_are_treated_as_possible_metadata() {
    assert_eq!(scan(&add(&[b"mdat"], b"<x:xmpmeta/>")), Metadata::Possible);
    // The sample tables in `moov` must be empty, because recorders describe samples in fragments.
    assert_eq!(
        scan(&add(
            &[b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stts"],
            &[0; 8]
        )),
        Metadata::Possible
    );
    let mut bytes = recording();
    let (moov, _) = find(&bytes, b"moov", 0, bytes.len());
    let stts = bytes
        .windows(4)
        .position(|window| window == b"stts")
        .unwrap();
    assert!(stts > moov);
    bytes[stts + 11] = 1;
    assert_eq!(scan(&bytes), Metadata::Possible);
}

#[test]
fn box_with_a_wrong_size_is_treated_as_possible_metadata() {
    let whole = recording();
    for kind in [
        b"ftyp", b"moov", b"trak", b"mdia", b"stbl", b"stsd", b"hdlr", b"moof", b"traf", b"trun",
        b"mdat",
    ] {
        let at = whole.windows(4).position(|window| window == kind).unwrap() - 4;
        for by in [-1_i32, 1, 8, 1 << 20] {
            let mut bytes = whole.clone();
            let size = i32::from_be_bytes(*bytes[at..].first_chunk().unwrap()) + by;
            bytes[at..at + 4].copy_from_slice(&size.to_be_bytes());
            assert_eq!(scan(&bytes), Metadata::Possible, "{kind:?} by {by}");
        }
        for size in [0, 1, 7] {
            let mut bytes = whole.clone();
            bytes[at..at + 4].copy_from_slice(&[0, 0, 0, size]);
            assert_eq!(scan(&bytes), Metadata::Possible, "{kind:?} of {size}");
        }
    }
}

#[test]
fn truncated_recording_is_accepted_only_if_it_ends_within_sample_data() {
    let whole = recording();
    let (_, first_fragment) = find(&whole, b"moof", 0, whole.len());
    for length in (0..first_fragment).step_by(7) {
        assert_eq!(scan(&whole[..length]), Metadata::Possible, "{length}");
    }
    let (mdat, end) = find(&whole, b"mdat", 0, whole.len());
    for length in [mdat + 8, mdat + 100, end - 1, end] {
        assert_eq!(scan(&whole[..length]), Metadata::None, "{length}");
    }
    assert_eq!(scan(&whole[..end + 30]), Metadata::Possible);
}
