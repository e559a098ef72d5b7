//! Video and audio formats that are recognized but not supported, with advice for the person who
//! uploaded the file.

use super::codecs::codec_label;
use crate::error::Error;

/// Advice for videos that cannot be accepted as they are.
pub(super) const EXPORT_ADVICE: &str = "Export it as H.264 (MP4) and upload it again.";

/// The length of an MPEG transport stream packet, in bytes.
const TS_PACKET: usize = 188;

/// The error for a video in an unsupported codec.
pub(super) fn unsupported_video(codec: &str, tag: &str) -> Error {
    let label = codec_label(codec, tag);
    Error::Unsupported(format!(
        "This video uses {label}, which browsers cannot play. {EXPORT_ADVICE}"
    ))
}

enum MediaType {
    Video,
    Audio,
}

/// Explains why a file with these first bytes is rejected, and what the person who uploaded it can
/// do instead. Returns `None` if the format is unknown. Call this function only if the file is
/// neither a supported picture nor a supported video.
pub fn unsupported_format_advice(head: &[u8]) -> Option<String> {
    let (format, media_type) = recognize(head)?;
    Some(match media_type {
        MediaType::Video => {
            format!(
                "This file is in the format {format}, which Hearback cannot read. {EXPORT_ADVICE}"
            )
        }
        MediaType::Audio => format!(
            "This file contains only sound ({format}), but Hearback accepts only videos and \
             pictures. Record the sound together with your screen or camera, or add a picture to \
             it in a video editor and export the result as H.264 (MP4)."
        ),
    })
}

fn recognize(head: &[u8]) -> Option<(&'static str, MediaType)> {
    let found = match head {
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'A',
            b'V',
            b'I',
            b' ',
            ..,
        ] => ("AVI", MediaType::Video),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'A',
            b'V',
            b'E',
            ..,
        ] => ("WAV", MediaType::Audio),
        // The first half of the GUID at the start of an ASF file.
        [0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11, ..] => {
            ("Windows Media (WMV, WMA)", MediaType::Video)
        }
        [b'F', b'L', b'V', 1, ..] => ("Flash Video (FLV)", MediaType::Video),
        // A program stream (ISO/IEC 13818-1), or video without a container.
        [0, 0, 1, 0xba | 0xb3, ..] => ("MPEG", MediaType::Video),
        [b'O', b'g', b'g', b'S', rest @ ..] => ("Ogg", ogg(rest)),
        [b'I', b'D', b'3', 2..=4, ..] => ("MP3", MediaType::Audio),
        // Detect only layer III (ISO/IEC 11172-3 and 13818-3). A pattern for all layers would also match the byte order
        // mark of a text file.
        [0xff, second, ..] if second & 0b1110_0110 == 0b1110_0010 => ("MP3", MediaType::Audio),
        // ADTS (ISO/IEC 13818-7).
        [0xff, 0xf0 | 0xf1 | 0xf8 | 0xf9, ..] => ("AAC", MediaType::Audio),
        [b'f', b'L', b'a', b'C', ..] => ("FLAC", MediaType::Audio),
        _ if is_transport_stream(head) => ("MPEG transport stream", MediaType::Video),
        _ => return None,
    };
    Some(found)
}

/// Determines whether an Ogg file is video or audio from its first page, which names the first
/// stream. In a file with video, the video stream comes first.
fn ogg(after_magic: &[u8]) -> MediaType {
    let page = &after_magic[..after_magic.len().min(64)];
    let has = |name: &[u8]| page.windows(name.len()).any(|window| window == name);
    if has(b"theora") || has(b"BBCD") || has(b"fishead") {
        MediaType::Video
    } else {
        MediaType::Audio
    }
}

fn is_transport_stream(head: &[u8]) -> bool {
    [0, 1, 2]
        .iter()
        .all(|packet| head.get(packet * TS_PACKET) == Some(&0x47))
}
