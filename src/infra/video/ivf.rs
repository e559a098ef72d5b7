//! Joins IVF files with new timestamps and checks each frame. IVF is a simple container: a header
//! of 32 bytes, then the length, timestamp and bytes of each frame.

use std::fs::File;
use std::io::{BufReader, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The maximum size of a frame, in bytes.
const MAX_FRAME_BYTES: u32 = 64 << 20;

/// Joins the IVF files `parts`, each given with its expected number of frames. The frames get the
/// timestamps `times`, in milliseconds. Returns `false` if the number of frames differs from the
/// expected one, if the picture size of a part is not `size`, or if a frame exceeds
/// [`MAX_FRAME_BYTES`]. Also returns `false` if a hidden frame follows the last key frame, because
/// the hidden frame may show content from after the cut.
pub(super) fn join(
    parts: &[(PathBuf, usize)],
    times: &[u64],
    codec: &str,
    size: (u32, u32),
    to: &Path,
) -> Result<bool> {
    let mut out = BufWriter::new(File::create(to)?);
    let (mut times, mut hidden) = (times.iter(), false);
    for (number, (path, expected)) in parts.iter().enumerate() {
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
        let (mut count, mut frame) = (0, Vec::new());
        while let Some(length) = next_frame_length(&mut from)? {
            if length > MAX_FRAME_BYTES {
                return Ok(false);
            }
            frame.resize(usize::try_from(length).map_err(Error::internal)?, 0);
            from.read_exact(&mut frame)?;
            let Some(time) = times.next() else {
                return Ok(false);
            };
            out.write_all(&length.to_le_bytes())?;
            out.write_all(&time.to_le_bytes())?;
            out.write_all(&frame)?;
            let info = inspect_packet(codec, &frame);
            hidden = info.hidden || (hidden && !info.key);
            count += 1;
        }
        if count != *expected {
            return Ok(false);
        }
    }
    out.flush()?;
    Ok(times.next().is_none() && !hidden)
}

/// Reads the header of the next frame and returns the frame's length in bytes; `None` at the end of
/// the file.
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

/// Whether a packet is a key frame, and whether it contains a hidden frame.
fn inspect_packet(codec: &str, packet: &[u8]) -> PacketInfo {
    let (Some(first), Some(last)) = (packet.first(), packet.last()) else {
        return PacketInfo {
            key: false,
            hidden: false,
        };
    };
    match codec {
        // RFC 6386 §9.1: bit 0 is 0 in a key frame, and bit 4 is 1 if the frame is shown.
        "vp8" => PacketInfo {
            key: first & 1 == 0,
            hidden: first >> 4 & 1 == 0,
        },
        // VP9 §6.2: bit 3 is show_existing_frame, and bit 2 is 0 in a key frame. Annex B: a packet
        // with several frames, some of them hidden, ends with an index whose last byte starts with
        // the bits 110.
        "vp9" => PacketInfo {
            key: first & 0b1100 == 0,
            hidden: last & 0xe0 == 0xc0,
        },
        _ => inspect_av1(packet),
    }
}

/// AV1 §5.3: a packet consists of units with a type and a length. Only the last frame of a packet
/// is shown, so a packet with several frames contains hidden ones.
fn inspect_av1(packet: &[u8]) -> PacketInfo {
    let (mut at, mut frames, mut key) = (0, 0, false);
    while let Some(header) = packet.get(at) {
        let kind = header >> 3 & 15;
        at += 1 + usize::from(header >> 2 & 1);
        // Type 1 is a sequence header, which comes before each key frame.
        key |= kind == 1;
        frames += usize::from(kind == 3 || kind == 6);
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
        hidden: frames > 1,
    }
}
