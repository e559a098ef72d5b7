//! What ffmpeg and ffprobe are told before their input, so that a hostile file reaches as little of them as possible.

use std::ffi::OsString;
use std::path::Path;

use super::codecs::{audio_decoders, video_decoders};
use super::{Container, Probe};

/// The most streams that a file may have. An iPhone's recording has nine; professional cameras write up to some twenty.
pub(super) const MAX_STREAMS: usize = 64;

/// Options for ffprobe. It opens a decoder for every stream, also for those that are not used, and fails if one is forbidden. So any decoder
/// is allowed here; the sandbox and the limits on memory, pixels and streams are what protects. `open_edits` is [`Probe`]'s.
pub(super) fn probe_limit_args(container: Container, open_edits: bool) -> Vec<OsString> {
    // Both tools read an option for the format behind the name of it.
    let format = match container {
        Container::Matroska | Container::WebM => "matroska",
        Container::Mp4 | Container::QuickTime => "mov",
    };
    let args = [
        // ffprobe says with a warning which stream it could not open.
        ["-v", "warning"],
        ["-max_alloc", "536870912"],
        ["-protocol_whitelist", "file"],
        // `-protocol_whitelist` alone does not stop a playlist from reading the file beside it.
        ["-format_whitelist", "matroska,webm,mov,mp4,m4a,3gp,3g2,mj2"],
        ["-max_pixels", "36000000"],
        ["-max_streams", &MAX_STREAMS.to_string()],
        ["-threads", "1"],
        ["-f", format],
    ];
    // By default ffmpeg takes an edit of duration 0 for one that shows nothing. This way it reads of each list where the edit begins.
    let edits: &[&str] = if open_edits {
        &["-advanced_editlist", "0"]
    } else {
        &[]
    };
    args.iter()
        .flatten()
        .chain(edits)
        .map(OsString::from)
        .collect()
}

/// Options for ffmpeg: those of [`probe_limit_args`], and decoders for nothing but the two streams that are used.
pub(super) fn decode_limit_args(probe: &Probe) -> Vec<OsString> {
    let audio = probe.audio.as_deref().and_then(audio_decoders);
    let decoders: Vec<&str> = video_decoders(&probe.video)
        .into_iter()
        .chain(audio)
        .collect();
    let mut args = probe_limit_args(probe.container, probe.open_edits);
    args.extend(["-codec_whitelist".into(), decoders.join(",").into()]);
    args
}

/// `-i file:PATH`: without `file:` a name could be taken for a protocol.
pub(super) fn input_args(input: &Path) -> [OsString; 2] {
    let mut name = OsString::from("file:");
    name.push(input);
    ["-i".into(), name]
}
