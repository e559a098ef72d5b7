//! IVF, the plainest of containers: 32 bytes of header, then for each picture its length, its time and its bytes. Two of them are put
//! together with times of our own, while each picture is looked at.

use std::fs::File;
use std::io::{BufReader, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use crate::error::Result;

/// No picture is larger.
const MAX_FRAME_BYTES: u32 = 64 << 20;

/// Joins `parts`, each with the number of pictures it should have, with these times in milliseconds. False where they are not as many, not
/// of this size, or where after the last key frame there is a picture that is not shown: it may show what lies behind the end.
pub(super) fn join(
    parts: &[(PathBuf, usize)],
    times: &[u64],
    codec: &str,
    size: (u32, u32),
    to: &Path,
) -> Result<bool> {
    let mut out = BufWriter::new(File::create(to)?);
    let (mut times, mut hidden) = (times.iter(), false);
    for (number, (path, pictures)) in parts.iter().enumerate() {
        let mut from = BufReader::new(File::open(path)?);
        let mut header = [0; 32];
        from.read_exact(&mut header)?;
        let side = |at: usize| u32::from(u16::from_le_bytes([header[at], header[at + 1]]));
        if (side(12), side(14)) != size {
            return Ok(false);
        }
        if number == 0 {
            header[16..20].copy_from_slice(&1_000_u32.to_le_bytes());
            header[20..24].copy_from_slice(&1_u32.to_le_bytes());
            header[24..28]
                .copy_from_slice(&u32::try_from(times.len()).unwrap_or(u32::MAX).to_le_bytes());
            out.write_all(&header)?;
        }
        let (mut count, mut picture) = (0, Vec::new());
        while let Some(length) = next_frame_length(&mut from)? {
            if length > MAX_FRAME_BYTES {
                return Ok(false);
            }
            picture.clear();
            from.by_ref()
                .take(length.into())
                .read_to_end(&mut picture)?;
            let Some(time) = times.next() else {
                return Ok(false);
            };
            out.write_all(&length.to_le_bytes())?;
            out.write_all(&time.to_le_bytes())?;
            out.write_all(&picture)?;
            let about = inspect_packet(codec, &picture);
            hidden = about.hidden || (hidden && !about.key);
            count += 1;
        }
        if count != *pictures {
            return Ok(false);
        }
    }
    out.flush()?;
    Ok(times.next().is_none() && !hidden)
}

/// The length of the next picture.
fn next_frame_length(from: &mut impl Read) -> Result<Option<u32>> {
    let mut head = [0; 12];
    match from.read_exact(&mut head) {
        Ok(()) => Ok(Some(u32::from_le_bytes([
            head[0], head[1], head[2], head[3],
        ]))),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error.into()),
    }
}

struct PacketInfo {
    key: bool,
    hidden: bool,
}

/// Whether a packet begins anew, and whether it holds a picture that is not shown.
fn inspect_packet(codec: &str, packet: &[u8]) -> PacketInfo {
    let (Some(first), Some(last)) = (packet.first(), packet.last()) else {
        return PacketInfo {
            key: false,
            hidden: false,
        };
    };
    match codec {
        // RFC 6386 §9.1: bit 0 is 0 for a key frame, bit 4 says that it is shown.
        "vp8" => PacketInfo {
            key: first & 1 == 0,
            hidden: first >> 4 & 1 == 0,
        },
        // VP9 §6.2 and annex B: marker 2, profile 2, show_existing_frame 1, frame_type 1; several pictures in one packet end with an index.
        "vp9" => PacketInfo {
            key: first & 0b1100 == 0,
            hidden: last & 0xe0 == 0xc0,
        },
        _ => inspect_av1(packet),
    }
}

/// AV1 §5.3: units of a type and a length; a packet with more than one picture shows only the last.
fn inspect_av1(packet: &[u8]) -> PacketInfo {
    let (mut at, mut pictures, mut key) = (0, 0, false);
    while let Some(header) = packet.get(at) {
        let kind = header >> 3 & 15;
        at += 1 + usize::from(header >> 2 & 1);
        // A sequence header stands before each key frame.
        key |= kind == 1;
        pictures += usize::from(kind == 3 || kind == 6);
        if header >> 1 & 1 == 0 {
            break;
        }
        let (mut length, mut shift) = (0_usize, 0);
        while let Some(byte) = packet.get(at) {
            length |= usize::from(byte & 0x7f) << shift;
            (at, shift) = (at + 1, shift + 7);
            if byte & 0x80 == 0 || shift > 28 {
                break;
            }
        }
        at += length;
    }
    PacketInfo {
        key,
        hidden: pictures > 1,
    }
}
