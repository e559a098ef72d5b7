//! Builds WebM files element by element, so that each part can be made invalid.

use super::*;

const INFO: [u8; 4] = [0x15, 0x49, 0xa9, 0x66];
const TRACKS: [u8; 4] = [0x16, 0x54, 0xae, 0x6b];
const CLUSTER: [u8; 4] = [0x1f, 0x43, 0xb6, 0x75];
const SEGMENT_UNKNOWN: [u8; 12] = [
    0x18, 0x53, 0x80, 0x67, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
];

/// An element whose size field has eight bytes.
fn element(id: &[u8], content: &[u8]) -> Vec<u8> {
    let mut size = (content.len() as u64).to_be_bytes();
    size[0] = 1;
    [id, &size, content].concat()
}

fn ebml() -> Vec<u8> {
    element(
        &[0x1a, 0x45, 0xdf, 0xa3],
        &[
            element(&[0x42, 0x86], &[1]),
            element(&[0x42, 0x82], b"webm"),
        ]
        .concat(),
    )
}

fn info(muxer: &str, writer: &str) -> Vec<u8> {
    let times = [
        element(&[0x2a, 0xd7, 0xb1], &[0x0f, 0x42, 0x40]),
        element(&[0x44, 0x89], &[0; 8]),
    ]
    .concat();
    element(
        &INFO,
        &[
            times,
            element(&[0x4d, 0x80], muxer.as_bytes()),
            element(&[0x57, 0x41], writer.as_bytes()),
        ]
        .concat(),
    )
}

fn track(more: &[u8]) -> Vec<u8> {
    let video = element(
        &[0xe0],
        &[element(&[0xb0], &[2, 0x80]), element(&[0xba], &[1, 0x90])].concat(),
    );
    let entry = [
        element(&[0xd7], &[1]),
        element(&[0x83], &[1]),
        element(&[0x86], b"V_VP8"),
        video,
        more.to_vec(),
    ]
    .concat();
    element(&TRACKS, &element(&[0xae], &entry))
}

fn cluster(more: &[u8]) -> Vec<u8> {
    element(
        &CLUSTER,
        &[
            element(&[0xe7], &[0]),
            element(&[0xa3], b"\x81\0\0\x80picture"),
            more.to_vec(),
        ]
        .concat(),
    )
}

/// A file with these elements in a segment of unknown size.
fn file(parts: &[Vec<u8>]) -> Vec<u8> {
    [ebml(), SEGMENT_UNKNOWN.to_vec(), parts.concat()].concat()
}

fn recording() -> [Vec<u8>; 3] {
    [info("Chrome", "Chrome"), track(&[]), cluster(&[])]
}

#[test]
fn firefox_and_webkit_recordings_have_no_metadata() {
    let firefox = [
        element(&[0x11, 0x4d, 0x9b, 0x74], &[]),
        info("QTmuxingAppLibWebM-0.0.1", "QTwritingAppLibWebM-0.0.1"),
        track(&element(&[0x25, 0x86, 0x88], b"VP8")),
        cluster(&[]),
    ];
    assert_eq!(scan(&file(&firefox)), Metadata::None);
    let positions = [element(&[0xf7], &[1]), element(&[0xf1], &[40])].concat();
    let cues = element(
        &[0x1c, 0x53, 0xbb, 0x6b],
        &element(
            &[0xbb],
            &[element(&[0xb3], &[0]), element(&[0xb7], &positions)].concat(),
        ),
    );
    let webkit = [
        element(&[0xec], &[0; 90]),
        info("WebKit", "WebKit"),
        track(&[]),
        cluster(&[]),
        cues,
    ];
    assert_eq!(scan(&file(&webkit)), Metadata::None);
}

#[test]
fn unexpected_element_is_treated_as_possible_metadata() {
    let [info_, track_, cluster_] = recording();
    assert_eq!(scan(&file(&recording())), Metadata::None);
    let with = |place: usize, part: Vec<u8>| {
        let mut parts = recording().to_vec();
        parts.insert(place, part);
        scan(&file(&parts))
    };
    for place in 0..=3 {
        let simple = element(
            &[0x67, 0xc8],
            &[
                element(&[0x45, 0xa3], b"TITLE"),
                element(&[0x44, 0x87], b"Secret"),
            ]
            .concat(),
        );
        assert_eq!(
            with(
                place,
                element(&[0x12, 0x54, 0xc3, 0x67], &element(&[0x73, 0x73], &simple))
            ),
            Metadata::Possible,
            "tags at {place}"
        );
        assert_eq!(
            with(place, element(&[0x19, 0x41, 0xa4, 0x69], b"attachment")),
            Metadata::Possible,
            "attachment at {place}"
        );
        assert_eq!(
            with(place, element(&[0x10, 0x43, 0xa7, 0x70], b"chapters")),
            Metadata::Possible,
            "chapters at {place}"
        );
        assert_eq!(
            with(place, element(&[0x1a, 0xbc, 0xde, 0xf0], b"?")),
            Metadata::Possible,
            "unknown id at {place}"
        );
        assert_eq!(
            with(place, element(&[0xec], &[0; 300])),
            Metadata::None,
            "empty void at {place}"
        );
        assert_eq!(
            with(place, element(&[0xec], b"\0\0\0GPS")),
            Metadata::Possible,
            "void with text at {place}"
        );
        assert_eq!(
            with(place, ebml()),
            Metadata::Possible,
            "another header at {place}"
        );
    }
    for more in [
        element(&[0x53, 0x6e], b"Name"),
        element(&[0x22, 0xb5, 0x9c], b"bar"),
        element(&[0x63, 0xa2], b"Secret words"),
    ] {
        assert_eq!(
            scan(&file(&[info_.clone(), track(&more), cluster_.clone()])),
            Metadata::Possible,
            "{more:x?}"
        );
    }
    for more in [
        element(&[0xa3], b"\x82\0\0\x80of no track"),
        element(&[0xa3], b"\x81"),
        element(&[0xec], b"x"),
        info("Chrome", "Chrome"),
    ] {
        assert_eq!(
            scan(&file(&[info_.clone(), track_.clone(), cluster(&more)])),
            Metadata::Possible,
            "{more:x?}"
        );
    }
    for (muxer, writer) in [
        ("Lavf59.27.100", "Lavf59.27.100"),
        ("Chrome", "Ada's telephone"),
        ("libwebm-Ada", "Chrome"),
        ("Chrome", "Chrome\0GPS"),
    ] {
        assert_eq!(
            scan(&file(&[
                info(muxer, writer),
                track_.clone(),
                cluster_.clone()
            ])),
            Metadata::Possible,
            "{muxer} {writer}"
        );
    }
    let date = element(&INFO, &element(&[0x44, 0x61], &[0; 8]));
    assert_eq!(
        scan(&file(&[date, track_.clone(), cluster_.clone()])),
        Metadata::Possible
    );
    // A file without a track or without a cluster cannot be played.
    assert_eq!(scan(&file(&[info_.clone(), track_])), Metadata::Possible);
    assert_eq!(scan(&file(&[info_, cluster_])), Metadata::Possible);
}

#[test]
fn element_with_a_wrong_size_is_treated_as_possible_metadata() {
    let whole = file(&recording());
    for id in [&INFO[..], &TRACKS, &[0x4d, 0x80], &[0xae], &[0xe0], &[0xb0]] {
        let at = whole
            .windows(id.len() + 1)
            .position(|window| window[..id.len()] == *id && window[id.len()] == 1)
            .unwrap();
        let size = at + id.len() + 7;
        for wrong in [
            whole[size].wrapping_add(1),
            whole[size].wrapping_sub(1),
            0xff,
            0,
        ] {
            let mut bytes = whole.clone();
            bytes[size] = wrong;
            assert_eq!(scan(&bytes), Metadata::Possible, "{id:x?} with {wrong}");
        }
        let mut bytes = whole.clone();
        bytes[size - 7..=size].copy_from_slice(&[1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe]);
        assert_eq!(scan(&bytes), Metadata::Possible, "{id:x?}, huge");
    }
}

#[test]
fn truncated_recording_is_accepted_only_if_it_ends_within_a_cluster() {
    let whole = file(&recording());
    let cluster = whole
        .windows(4)
        .position(|window| window == CLUSTER)
        .unwrap();
    for length in 0..whole.len() {
        let expected = if length < cluster + 12 {
            Metadata::Possible
        } else {
            Metadata::None
        };
        assert_eq!(
            scan(&whole[..length]),
            expected,
            "{length} of {}",
            whole.len()
        );
    }
    // Bytes after the last element are treated as possible metadata.
    assert_eq!(
        scan(&[whole.clone(), b"trailing words".to_vec()].concat()),
        Metadata::Possible
    );
}
