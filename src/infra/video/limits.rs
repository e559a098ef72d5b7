//! Options that restrict ffmpeg and ffprobe before they open a file, so that a hostile file reaches
//! as little of their code as possible.

use std::ffi::OsString;
use std::path::Path;

use super::codecs::{audio_decoders, video_decoders};
use super::{Container, Probe};

/// The maximum number of streams in a file. iPhone recordings have nine; professional cameras write about twenty.
pub(super) const MAX_STREAMS: usize = 64;

/// Options for ffprobe. All decoders are allowed here, because ffprobe opens a decoder for every
/// stream, even for unused ones, and fails if one is forbidden. The sandbox and the limits on
/// memory, pixels and streams protect against hostile files. `open_edits` has the same meaning as
/// the field of that name in [`Probe`].
pub(super) fn probe_limit_args(container: Container, open_edits: bool) -> Vec<OsString> {
    // Both tools accept the options of a format only after the name of the format.
    let format = match container {
        Container::Matroska | Container::WebM => "matroska",
        Container::Mp4 | Container::QuickTime => "mov",
    };
    let args = [
        // Show warnings, because one of them names the stream that ffprobe could not open.
        ["-v", "warning"],
        ["-max_alloc", "536870912"],
        ["-protocol_whitelist", "file"],
        // Allow only video formats. Otherwise, a playlist could make ffprobe read other files in
        // the folder, even with `-protocol_whitelist`.
        ["-format_whitelist", "matroska,webm,mov,mp4,m4a,3gp,3g2,mj2"],
        ["-max_pixels", "36000000"],
        ["-max_streams", &MAX_STREAMS.to_string()],
        ["-threads", "1"],
        ["-f", format],
    ];
    // By default, ffmpeg treats an edit of duration 0 as empty, although it lasts until the end of
    // the media. With this option, ffmpeg uses only the start of each edit list, which is enough
    // for open-ended lists.
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

/// Options for ffmpeg: those of [`probe_limit_args`], and a list that allows only the decoders of
/// the two selected streams.
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

/// The options `-i file:PATH`. Without `file:`, ffmpeg could mistake the start of a file name for a protocol.
pub(super) fn input_args(input: &Path) -> [OsString; 2] {
    let mut name = OsString::from("file:");
    name.push(input);
    ["-i".into(), name]
}
