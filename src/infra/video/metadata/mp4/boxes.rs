//! Checks the content of the MP4 boxes in browser recordings.

/// The maximum size of a codec's configuration record, in bytes.
const MAX_CONFIGURATION: usize = 256;
/// The size of the fixed fields in the sample description of a video track, in bytes. [`AUDIO_ENTRY_BYTES`] is the
/// corresponding size for an audio track.
const VISUAL_ENTRY_BYTES: usize = 78;
const AUDIO_ENTRY_BYTES: usize = 28;

/// Reads the big-endian 32-bit number at `at`.
pub(super) fn number(content: &[u8], at: usize) -> Option<u32> {
    content
        .get(at..)?
        .first_chunk()
        .map(|bytes| u32::from_be_bytes(*bytes))
}

/// Accepts a file type box with up to 16 compatible brands. Rejects the major brand of QuickTime, which no recorder
/// writes.
pub(super) fn is_file_type(content: &[u8]) -> bool {
    let printable = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
    let brands = [
        content.get(..4).unwrap_or_default(),
        content.get(8..).unwrap_or_default(),
    ];
    (8..=72).contains(&content.len())
        && content.len().is_multiple_of(4)
        && brands.concat().iter().all(printable)
        && brands[0] != b"qt  "
}

/// Accepts a media header whose language is undetermined or a default that common recorders write.
pub(super) fn is_media_header(content: &[u8]) -> bool {
    let language = match content.len() {
        24 => content.get(20..22),
        36 => content.get(32..34),
        _ => None,
    };
    matches!(language, Some([0x55, 0xc4] | [0x15, 0xc7] | [0, 0]))
}

/// Accepts handlers for video or sound that have one of the default names of common recorders.
pub(super) fn is_handler(content: &[u8]) -> bool {
    const NAMES: [&[u8]; 5] = [
        b"",
        b"VideoHandler",
        b"SoundHandler",
        b"Core Media Video",
        b"Core Media Audio",
    ];
    let (Some(kind), Some(name)) = (content.get(8..12), content.get(24..)) else {
        return false;
    };
    let name = name.strip_suffix(&[0]).unwrap_or(name);
    matches!(kind, b"vide" | b"soun") && content[12..24] == [0; 12] && NAMES.contains(&name)
}

/// Accepts a data reference box with a single entry, which must say that the samples are in this file.
pub(super) fn is_own_data(content: &[u8]) -> bool {
    let is_self_reference = content
        .get(12..20)
        .is_some_and(|entry| entry == b"url \0\0\0\x01");
    let one = number(content, 4) == Some(1)
        && number(content, 8).is_some_and(|size| size as usize == content.len() - 8);
    is_self_reference && one && content.len() <= 21 && content[20..].iter().all(|byte| *byte == 0)
}

/// Accepts a sample description box with a single entry, whose codec must be one that recorders use.
pub(super) fn is_description(content: &[u8]) -> bool {
    let Some(entry) = content.get(8..).filter(|_| number(content, 4) == Some(1)) else {
        return false;
    };
    let Some((kind, body)) = one_box(entry).filter(|(_, body)| body.len() + 8 == entry.len())
    else {
        return false;
    };
    let start = match &kind {
        b"avc1" | b"avc3" | b"hvc1" | b"hev1" | b"vp08" | b"vp09" | b"av01"
            if is_compressor(body.get(42..74)) =>
        {
            VISUAL_ENTRY_BYTES
        }
        // Accept only version 0. QuickTime writes later versions.
        b"mp4a" | b"Opus" if body.get(8..16) == Some(&[0; 8]) => AUDIO_ENTRY_BYTES,
        _ => return false,
    };
    let Some(mut rest) = body.get(start..) else {
        return false;
    };
    while !rest.is_empty() {
        match one_box(rest) {
            Some((kind, body)) if is_configuration(kind, body) => rest = &rest[body.len() + 8..],
            _ => return false,
        }
    }
    true
}

/// Accepts default compressor names. The field is one length byte followed by 31 bytes.
fn is_compressor(name: Option<&[u8]>) -> bool {
    const NAMES: [&[u8]; 7] = [
        b"",
        b"AVC1 Coding",
        b"AVC Coding",
        b"HEVC Coding",
        b"VPC Coding",
        b"AV1 Coding",
        b"AOM Coding",
    ];
    let Some((length, name)) = name.and_then(<[u8]>::split_first) else {
        return false;
    };
    let Some((name, rest)) = name.split_at_checked(usize::from(*length)) else {
        return false;
    };
    NAMES.contains(&name) && rest.iter().all(|byte| *byte == 0)
}

/// Accepts codec configuration boxes. A color box may contain only numbers, because an ICC profile
/// contains text.
fn is_configuration(kind: [u8; 4], body: &[u8]) -> bool {
    match &kind {
        b"avcC" | b"hvcC" | b"vpcC" | b"av1C" => body.len() <= MAX_CONFIGURATION,
        b"esds" | b"dOps" => body.len() <= 64,
        b"pasp" | b"btrt" | b"fiel" => body.len() <= 12,
        b"colr" => body.len() <= 11 && matches!(body.get(..4), Some(b"nclx" | b"nclc")),
        _ => false,
    }
}

/// The kind and the content of the first box.
fn one_box(bytes: &[u8]) -> Option<([u8; 4], &[u8])> {
    let size = usize::try_from(number(bytes, 0)?).ok()?;
    Some((*bytes.get(4..)?.first_chunk()?, bytes.get(8..size)?))
}

/// The track number of a `tfhd` box and its default sample size in bytes, if it has one.
pub(super) fn fragment_header(content: &[u8]) -> Option<(u32, Option<u32>)> {
    let flags = number(content, 0)? & 0x00ff_ffff;
    let mut at = 8;
    let mut size = None;
    for (flag, length) in [(0x1, 8), (0x2, 4), (0x8, 4), (0x10, 4), (0x20, 4)] {
        if flags & flag != 0 {
            if flag == 0x10 {
                size = Some(number(content, at)?);
            }
            at += length;
        }
    }
    (at == content.len()).then_some((number(content, 4)?, size))
}

/// The total size of the samples of a `trun` box, in bytes. `sample_size` is the size of each
/// sample if the box lists no sizes.
pub(super) fn run_bytes(content: &[u8], sample_size: u32) -> Option<u64> {
    let (flags, count) = (number(content, 0)? & 0x00ff_ffff, number(content, 4)?);
    let head = 8 + 4 * [0x1, 0x4].iter().filter(|flag| flags & *flag != 0).count();
    let fields: Vec<u32> = [0x100, 0x200, 0x400, 0x800]
        .into_iter()
        .filter(|flag| flags & flag != 0)
        .collect();
    let each = 4 * fields.len();
    let length = usize::try_from(count)
        .ok()?
        .checked_mul(each)?
        .checked_add(head)?;
    if length != content.len() {
        return None;
    }
    match fields.iter().position(|flag| *flag == 0x200) {
        None => Some(u64::from(count) * u64::from(sample_size)),
        Some(place) => content[head..]
            .chunks_exact(each)
            .map(|sample| number(sample, 4 * place).map(u64::from))
            .sum(),
    }
}
