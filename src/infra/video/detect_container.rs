//! Detects the container of a file from its first bytes, not from its name.

use super::Container;

/// How many bytes of a file are enough to detect its container.
pub const HEAD_BYTES: usize = 4096;

/// Brands of ISO media files that contain pictures or sequences of pictures (ISO/IEC 23008-12,
/// AVIF, CR3).
const IMAGE_BRANDS: [&[u8; 4]; 14] = [
    b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"mif2", b"msf1", b"miaf",
    b"avif", b"avis", b"avio", b"crx ",
];
/// Brands of video formats. A file that lists one of them is a video, unless its major brand is a
/// picture brand.
const VIDEO_BRANDS: [&[u8; 4]; 12] = [
    b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"qt  ", b"M4V ",
    b"dash", b"cmfc",
];

/// The maximum plausible size of an ISO media box other than `mdat`, in bytes. Text is not mistaken
/// for a box, because four ASCII letters, read as a size, give a larger number.
const MAX_BOX: u64 = 0x2000_0000;

/// The content of an ISO media file.
enum IsoMedia {
    Video(Container),
    /// A picture or a sequence of pictures, with its brand.
    Image([u8; 4]),
}

/// Detects the container from the first [`HEAD_BYTES`] bytes of a file, or from all bytes of a
/// shorter file. Returns `None` for unsupported files and while `head` is too short.
pub fn detect_container(head: &[u8]) -> Option<Container> {
    let head = &head[..head.len().min(HEAD_BYTES)];
    if let Some(header) = head.strip_prefix(&[0x1a, 0x45, 0xdf, 0xa3]) {
        return doc_type(header, head.len() == HEAD_BYTES);
    }
    match iso_media(head)? {
        IsoMedia::Video(container) => Some(container),
        IsoMedia::Image(_) => None,
    }
}

/// If the file is a picture in an ISO media container, returns its brand, for example `heic` or `avif`. `head` is the
/// start of the file.
pub fn image_brand(head: &[u8]) -> Option<[u8; 4]> {
    match iso_media(&head[..head.len().min(HEAD_BYTES)])? {
        IsoMedia::Image(brand) => Some(brand),
        IsoMedia::Video(_) => None,
    }
}

/// Returns the picture brand among the brands of an `ftyp` box; `brands` starts with the major brand. If the major
/// brand is not a picture brand but any brand is a video brand, the file is a video, so the result is `None`.
fn image_among(brands: &[[u8; 4]]) -> Option<[u8; 4]> {
    let major = brands.first()?;
    let is_picture = |brand: &&[u8; 4]| IMAGE_BRANDS.contains(brand);
    if !is_picture(&major) && brands.iter().any(|brand| VIDEO_BRANDS.contains(&brand)) {
        return None;
    }
    // Prefer a brand that names the codec. General brands do not.
    let coded = brands
        .iter()
        .filter(is_picture)
        .find(|brand| !matches!(*brand, b"mif1" | b"mif2" | b"msf1" | b"miaf"));
    coded.or_else(|| brands.iter().find(is_picture)).copied()
}

/// Returns the brands in the content of an `ftyp` box: the major brand, followed by the compatible ones.
fn brands(content: &[u8]) -> Vec<[u8; 4]> {
    let brands = content.as_chunks::<4>().0;
    brands
        .iter()
        .enumerate()
        .filter(|(place, _)| *place != 1)
        .map(|(_, brand)| *brand)
        .collect()
}

/// Determines the container from the DocType of an EBML header (RFC 8794 §11.2). The DocType may be
/// at any position in the header.
///
/// If `full` is true, no more bytes will be inspected. In that case, a header that is cut off before
/// any DocType counts as Matroska, the more general format.
fn doc_type(after_magic: &[u8], full: bool) -> Option<Container> {
    let (length, after) = vint(after_magic)?;
    let cut = length.is_none_or(|length| length > after.len() as u64);
    let mut rest = if cut {
        after
    } else {
        after.split_at_checked(usize::try_from(length?).ok()?)?.0
    };
    while let Some((id, content, after)) = ebml_element(rest) {
        if id == [0x42, 0x82] {
            let name = content.split(|byte| *byte == 0).next().unwrap_or_default();
            return match name {
                b"webm" => Some(Container::WebM),
                b"matroska" => Some(Container::Matroska),
                _ => None,
            };
        }
        rest = after;
    }
    (cut && full).then_some(Container::Matroska)
}

/// The id of the first EBML element, its complete content, and the bytes after it.
pub(super) fn ebml_element(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let length = bytes.first()?.leading_zeros() as usize + 1;
    let (id, rest) = bytes.split_at_checked(length).filter(|_| length <= 4)?;
    let (size, rest) = vint(rest)?;
    let size = usize::try_from(size?).ok()?;
    Some((id, rest.get(..size)?, rest.get(size..)?))
}

/// Parses a variable-size integer (RFC 8794 §4) and returns it with the bytes after it. The inner
/// `None` means an unknown size.
fn vint(bytes: &[u8]) -> Option<(Option<u64>, &[u8])> {
    let length = bytes.first()?.leading_zeros() as usize + 1;
    let (number, rest) = bytes.split_at_checked(length).filter(|_| length <= 8)?;
    let mask = (1_u64 << (7 * length)) - 1;
    let value = number
        .iter()
        .fold(0_u64, |value, byte| value << 8 | u64::from(*byte))
        & mask;
    Some((Some(value).filter(|value| *value != mask), rest))
}

/// Searches for `ftyp`, which may follow other boxes. Old files have no `ftyp`, and segments of
/// streams begin with `styp`. If the inspected bytes end before an `ftyp`, the boxes seen so far
/// determine the format.
fn iso_media(head: &[u8]) -> Option<IsoMedia> {
    let (mut rest, mut container) = (head, None);
    while let Some(IsoBox {
        kind,
        content,
        after,
    }) = next_box(rest)
    {
        container = match &kind {
            b"ftyp" => return file_type(content),
            b"styp" | b"sidx" | b"moof" => container.or(Some(Container::Mp4)),
            b"moov" | b"mdat" | b"wide" | b"pnot" | b"free" | b"skip" | b"uuid" => {
                container.or(Some(Container::QuickTime))
            }
            _ if container.is_some() => container,
            _ => return None,
        };
        match after {
            Some(after) => rest = after,
            None => break,
        }
    }
    container.map(IsoMedia::Video)
}

fn file_type(content: &[u8]) -> Option<IsoMedia> {
    let brands = brands(content);
    match (image_among(&brands), brands.first()?) {
        (Some(brand), _) => Some(IsoMedia::Image(brand)),
        (None, b"qt  ") => Some(IsoMedia::Video(Container::QuickTime)),
        (None, _) => Some(IsoMedia::Video(Container::Mp4)),
    }
}

/// A box (ISO/IEC 14496-12 §4.2).
struct IsoBox<'a> {
    kind: [u8; 4],
    /// The available part of the content.
    content: &'a [u8],
    /// The bytes after the box; `None` if the box is incomplete.
    after: Option<&'a [u8]>,
}

/// Parses the first box.
fn next_box(bytes: &[u8]) -> Option<IsoBox<'_>> {
    let short = u32::from_be_bytes(*bytes.first_chunk()?);
    let kind: [u8; 4] = *bytes.get(4..)?.first_chunk()?;
    let (size, header) = match short {
        // Size 0 means that the box extends to the end of the file.
        0 => (u64::MAX, 8),
        1 => (u64::from_be_bytes(*bytes.get(8..)?.first_chunk()?), 16),
        short => (u64::from(short), 8),
    };
    let plausible = size >= header as u64 && (size < MAX_BOX || kind == *b"mdat");
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let content = bytes
        .get(header..size.min(bytes.len()))
        .filter(|_| plausible)?;
    Some(IsoBox {
        kind,
        content,
        after: bytes.get(size..),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(name: &str) -> Vec<u8> {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures")
            .join(name);
        let mut bytes = std::fs::read(path).unwrap();
        bytes.truncate(HEAD_BYTES);
        bytes
    }

    fn one_box(kind: &str, content: &[u8]) -> Vec<u8> {
        [
            &(8 + content.len() as u32).to_be_bytes(),
            kind.as_bytes(),
            content,
        ]
        .concat()
    }

    fn file_type(brands: &[&str]) -> Vec<u8> {
        let (major, compatible) = brands.split_first().unwrap();
        one_box(
            "ftyp",
            &[major.as_bytes(), &[0; 4], compatible.concat().as_bytes()].concat(),
        )
    }

    fn ebml(elements: &[(&[u8], &[u8])]) -> Vec<u8> {
        let element = |(id, content): &(&[u8], &[u8])| {
            let size = [0x40 | (content.len() >> 8) as u8, content.len() as u8];
            [*id, &size, *content].concat()
        };
        let content: Vec<u8> = elements.iter().flat_map(element).collect();
        element(&(&[0x1a, 0x45, 0xdf, 0xa3], &content))
    }

    #[test]
    fn recordings_are_detected_by_their_first_bytes() {
        for (name, container) in [
            ("rec-vp9-opus-10s.webm", Container::WebM),
            ("rec-mp4-avc1-opus-5s.mp4", Container::Mp4),
            ("moov-at-end.mov", Container::QuickTime),
        ] {
            assert_eq!(
                detect_container(&fixture(name)[..64]),
                Some(container),
                "{name}"
            );
        }
    }

    #[test]
    fn doc_type_is_found_at_any_position_in_a_matroska_header() {
        /// The id of an element, and its content.
        type Element<'a> = (&'a [u8], &'a [u8]);
        let (webm, version): (Element, Element) = ((&[0x42, 0x82], b"webm"), (&[0x42, 0x86], &[1]));
        let (void, crc): (Element, Element) =
            ((&[0xec], &[0; 3_000]), (&[0xbf], &[0x42, 0x82, 0x84, 9]));
        for elements in [
            vec![webm, version],
            vec![crc, void, version, webm],
            vec![void, webm, void],
        ] {
            assert_eq!(detect_container(&ebml(&elements)), Some(Container::WebM));
        }
        assert_eq!(
            detect_container(&ebml(&[version, (&[0x42, 0x82], b"matroska\0\0")])),
            Some(Container::Matroska)
        );
        assert_eq!(
            detect_container(&ebml(&[version, (&[0x42, 0x82], b"webmaster")])),
            None
        );
        assert_eq!(detect_container(&ebml(&[version])), None);
        // This header is longer than the inspected bytes.
        let mut long = ebml(&[(&[0xec], &[0; 5_000]), webm]);
        assert_eq!(
            detect_container(&long[..HEAD_BYTES]),
            Some(Container::Matroska)
        );
        long.truncate(100);
        assert_eq!(detect_container(&long), None, "too short to detect");
        assert_eq!(
            detect_container(&fixture("ebml-void-first.webm")),
            Some(Container::WebM)
        );
    }

    #[test]
    fn boxes_before_the_file_type_box_are_skipped() {
        for kind in [
            "styp", "uuid", "free", "skip", "wide", "moov", "mdat", "pnot",
        ] {
            for length in [0, 20, 1_000] {
                let before = one_box(kind, &vec![0; length]);
                let with = |brands: &[&str]| {
                    [before.clone(), one_box("free", b""), file_type(brands)].concat()
                };
                assert_eq!(
                    detect_container(&with(&["isom", "mp42"])),
                    Some(Container::Mp4),
                    "{kind} of {length}"
                );
                assert_eq!(
                    detect_container(&with(&["qt  "])),
                    Some(Container::QuickTime),
                    "{kind} of {length}"
                );
                assert_eq!(
                    detect_container(&with(&["heic", "mif1"])),
                    None,
                    "{kind} of {length}"
                );
                assert_eq!(
                    image_brand(&with(&["heic", "mif1"])),
                    Some(*b"heic"),
                    "{kind} of {length}"
                );
            }
            // This box is longer than the inspected bytes.
            assert!(
                detect_container(&one_box(kind, &[0; 9_000])[..HEAD_BYTES]).is_some(),
                "{kind}"
            );
        }
        let long = [
            &[0, 0, 0, 1][..],
            b"mdat",
            &(1_u64 << 40).to_be_bytes(),
            b"pictures",
        ]
        .concat();
        assert_eq!(detect_container(&long), Some(Container::QuickTime));
    }

    #[test]
    fn pictures_are_distinguished_from_videos_by_the_brands_in_the_file_type_box() {
        for (brands, brand) in [
            (&["heic", "mif1", "heic"][..], Some(b"heic")),
            (&["mif1", "heic", "iso8"], Some(b"heic")),
            (&["mif1", "avif", "miaf"], Some(b"avif")),
            (&["avis", "msf1", "iso8", "avif"], Some(b"avis")),
            (&["MA1B", "avif"], Some(b"avif")),
            (&["crx ", "isom"], Some(b"crx ")),
            (&["isom", "mif1", "mp42"], None),
            (&["mp42", "heic", "isom"], None),
            (&["qt  "], None),
        ] {
            assert_eq!(
                image_brand(&file_type(brands)).as_ref(),
                brand,
                "{brands:?}"
            );
            assert_eq!(
                detect_container(&file_type(brands)).is_none(),
                brand.is_some(),
                "{brands:?}"
            );
        }
    }

    #[test]
    fn files_that_are_not_videos_are_not_detected_as_videos() {
        for text in [
            "#EXTM3U\n#EXT-X-VERSION:3\nfile.ts",
            "Too free a text",
            "All wide open",
            "\0\0\0\x01free",
            "",
            "\x1a",
            "GIF89a\0free",
        ] {
            assert_eq!(detect_container(text.as_bytes()), None, "{text}");
        }
        for name in [
            "bad-hls-named.mp4",
            "bad-zip-named.mp4",
            "bad-headerless.webm",
            "bad-zero.png",
            "bad-onebyte.png",
            "bad-html-named.png",
            "shot-1280x800.png",
        ] {
            assert_eq!(detect_container(&fixture(name)), None, "{name}");
        }
    }
}
