//! Handles untrusted videos with ffmpeg in a sandbox: probes them, makes them seekable, cuts them,
//! converts them to H.264 and extracts posters.

mod browser_support;
mod check_output;
mod codecs;
mod colors;
mod convert;
mod convert_audio;
mod cut;
mod detect_container;
mod edit_lists;
mod ffprobe_output;
mod find_program;
mod ivf;
mod limits;
mod metadata;
mod movie_headers;
mod poster;
mod probe;
mod sandbox;
mod select_streams;
mod toolchain;
mod unsupported;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};

pub use self::browser_support::ConversionNeed;
use self::colors::ColorTags;
pub use self::detect_container::{HEAD_BYTES, detect_container, image_brand};
pub use self::metadata::{Metadata, MetadataScan};
use self::probe::Timeline;
pub use self::select_streams::TextStream;
use self::toolchain::{Toolchain, detect_toolchain};
pub use self::unsupported::unsupported_format_advice;

/// Files of at least this many bytes are probed and copied at the same time. For smaller files, starting another process
/// would take longer than probing.
const LARGE_FILE: u64 = 32 * 1024 * 1024;
/// Half a millisecond, in seconds. Times that differ by less count as equal.
const TIME_EPSILON: f64 = 0.000_5;

/// The container format of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Container {
    /// Matroska, which Chromium calls `video/x-matroska`.
    Matroska,
    /// WebM.
    WebM,
    /// MP4 and related formats.
    Mp4,
    /// QuickTime (`.mov`).
    QuickTime,
}

impl Container {
    /// The content type for serving files in this container.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Matroska => "video/x-matroska",
            Self::WebM => "video/webm",
            Self::Mp4 => "video/mp4",
            Self::QuickTime => "video/quicktime",
        }
    }

    /// The file name extension, without a dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Matroska => "mkv",
            Self::WebM => "webm",
            Self::Mp4 => "mp4",
            Self::QuickTime => "mov",
        }
    }
}

/// The properties of a video, determined from its packets.
#[derive(Clone, PartialEq, Debug)]
pub struct Probe {
    /// Duration in milliseconds as players present it, with edit lists applied. `None` if no packet
    /// has a timestamp.
    pub duration_ms: Option<i64>,
    /// Displayed width in pixels, after rotation and pixel aspect ratio.
    pub width: u32,
    /// Displayed height in pixels.
    pub height: u32,
    /// The video codec: `vp8`, `vp9`, `av1`, `h264` or `hevc`.
    pub video: String,
    /// ffmpeg's name for the codec of the selected audio stream. The selected stream is the one with the best browser
    /// support.
    pub audio: Option<String>,
    /// The container format.
    pub container: Container,
    /// ffmpeg's name for the pixel format. `yuv420p` is the one that all browsers play.
    pub pixel_format: String,
    color_tags: ColorTags,
    /// The stored height in pixels, before rotation.
    stored_height: u32,
    /// The text streams, for example subtitles. Copies do not contain them, because the player does
    /// not show captions yet.
    pub text_streams: Vec<TextStream>,
    /// Whether an edit list hides content that is still in the file, for example a part that
    /// somebody cut out. Only the author may download such a file. The copies made by [`Tools`]
    /// contain only the presented content.
    pub hides_frames: bool,
    /// The name of the audio codec if none of the file's audio can be decoded. In that case,
    /// `audio` is `None`.
    pub lost_audio: Option<String>,
    /// Whether the file has edit lists and each of them is open-ended. An open-ended edit list lasts until the end of
    /// its media.
    open_edits: bool,
    video_stream: u32,
    audio_stream: Option<u32>,
    timeline: Timeline,
}

impl Probe {
    /// The duration in whole seconds; 0 if it is unknown.
    fn duration_seconds(&self) -> u64 {
        u64::try_from(self.duration_ms.unwrap_or_default() / 1000).unwrap_or_default()
    }

    /// Returns the properties of an exact copy in another container.
    fn copied_to(&self, container: Container) -> Self {
        let audio = match (&self.audio, container) {
            (Some(_), Container::Matroska | Container::WebM) => Some("opus".to_owned()),
            (Some(_), _) if convert_audio::converts_audio(self, container) => {
                Some("aac".to_owned())
            }
            (audio, _) => audio.clone(),
        };
        Self {
            audio,
            container,
            text_streams: Vec::new(),
            hides_frames: false,
            lost_audio: None,
            open_edits: false,
            video_stream: 0,
            audio_stream: self.audio_stream.map(|_| 1),
            timeline: self.timeline.copied_to(container),
            ..self.clone()
        }
    }

    /// Whether a copy based on the properties `start`, which come from the start of the file, is the copy that would be
    /// made of the whole file.
    fn is_copied_like(&self, start: &Self) -> bool {
        let based_on = |probe: &Self| {
            let streams = (probe.video_stream, probe.audio_stream);
            let codecs = (probe.video.clone(), probe.audio.clone());
            (streams, codecs, probe.timeline.origin)
        };
        self.timeline.is_copied_exactly() && based_on(self) == based_on(start)
    }

    /// Returns the properties of the same video without its audio.
    fn without_audio(&self) -> Self {
        let timeline = self.timeline.without_audio();
        let lost_audio = self
            .audio
            .as_deref()
            .map(|codec| codecs::codec_label(codec, ""));
        let duration_ms = timeline.duration_ms();
        Self {
            audio: None,
            audio_stream: None,
            duration_ms,
            lost_audio,
            timeline,
            ..self.clone()
        }
    }
}

/// A file created by ffmpeg.
#[derive(Clone, Debug)]
pub struct Output {
    /// The path of the file, in the requested directory.
    pub path: PathBuf,
    /// The content type for serving the file.
    pub content_type: &'static str,
    /// The file name extension, without a dot.
    pub extension: &'static str,
    /// Displayed width in pixels.
    pub width: u32,
    /// Displayed height in pixels.
    pub height: u32,
    /// Duration in milliseconds, if it is known.
    pub duration_ms: Option<i64>,
    /// A message for the author, for example that the audio is missing.
    pub note: Option<String>,
    /// The properties of the created file, measured like those of an upload.
    pub probe: Probe,
}

/// ffmpeg and ffprobe. If they cannot be used, contains an error message for the operator instead.
/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tools {
    toolchain: Result<Arc<Toolchain>, String>,
}

impl Tools {
    /// Looks for ffmpeg, ffprobe and sandboxing tools. `ffmpeg` is the path of ffmpeg; `None` searches `PATH`.
    pub async fn detect(ffmpeg: Option<&Path>) -> Self {
        Self {
            toolchain: detect_toolchain(ffmpeg).await.map(Arc::new),
        }
    }

    /// Returns the message that pages show if ffmpeg cannot be used.
    pub fn missing(&self) -> Option<String> {
        self.toolchain.is_err().then(|| {
            "ffmpeg is not installed. Recordings made in Hearback can be played, but without exact \
             seeking, preview pictures or a copy for Safari; other videos can be played only by \
             their authors, because their metadata cannot be removed. Your admin can fix this: \
             `apt-get install ffmpeg`."
                .into()
        })
    }

    /// Describes the version of ffmpeg and how it is sandboxed, for the command `doctor`. The error
    /// names the program that is missing or cannot be run.
    pub fn describe(&self) -> Result<String, &str> {
        self.toolchain
            .as_ref()
            .map_err(String::as_str)
            .map(|toolchain| {
                format!(
                    "{} at {}, {}.",
                    toolchain.version,
                    toolchain.ffmpeg.display(),
                    toolchain.sandbox.describe()
                )
            })
    }

    /// Reads every packet of `input` without decoding. Returns `Unsupported` for a file that is not
    /// a supported video.
    pub async fn probe(&self, input: &Path) -> Result<Probe> {
        probe::probe(self.toolchain()?, input).await
    }

    /// Creates a seekable copy in `dir` with the presented content of `input`, starting at 0.
    /// Re-encodes the video only if its packets cannot be copied, for example because an edit list
    /// hides some of them. Converts audio that browsers cannot play. Puts H.264 and HEVC video into
    /// an MP4 file.
    pub async fn seekable(&self, input: &Path, probe: &Probe, dir: &Path) -> Result<Output> {
        let toolchain = self.toolchain()?;
        let made = copy_presented(toolchain, input, probe, dir).await;
        match without_audio_if_failed(probe, &made) {
            Some(silent) => with_audio_note(
                copy_presented(toolchain, input, &silent, dir).await?,
                &silent,
            ),
            None => with_audio_note(made?, probe),
        }
    }

    /// Probes `input` and creates its seekable copy in `dir`; see [`Tools::probe`] and [`Tools::seekable`]. Probes and
    /// copies a large file at the same time.
    pub async fn probe_and_copy(&self, input: &Path, dir: &Path) -> Result<Output> {
        let toolchain = self.toolchain()?;
        if tokio::fs::metadata(input).await?.len() < LARGE_FILE {
            return self.seekable(input, &self.probe(input).await?, dir).await;
        }
        let (probe, copy) = tokio::try_join!(probe::probe(toolchain, input), async {
            Ok(copy_early(toolchain, input, dir).await)
        })?;
        if let Ok(Some((start, path))) = copy
            && probe.is_copied_like(&start)
        {
            let container = convert::target_container(&probe);
            let made = check_output::checked_copy(toolchain, path, container, &probe).await;
            if !matches!(made, Err(Error::Unsupported(_))) {
                return with_audio_note(made?, &probe);
            }
        }
        self.seekable(input, &probe, dir).await
    }

    /// Creates a copy in `dir` that plays everywhere: MP4 with H.264 and AAC, at most 1920 pixels
    /// per side, with color tags if the video is re-encoded. HDR is mapped to SDR. May take several
    /// times the duration of the video.
    pub async fn h264(&self, input: &Path, probe: &Probe, dir: &Path) -> Result<Output> {
        convert::h264(self.toolchain()?, input, probe, dir).await
    }

    /// Creates a copy in `dir` that contains only the range between two times in milliseconds.
    /// Copies packets if the range starts at a key frame. Otherwise, re-encodes the part before the
    /// next key frame if possible, or else the whole range.
    pub async fn cut(
        &self,
        input: &Path,
        probe: &Probe,
        range: (i64, i64),
        dir: &Path,
    ) -> Result<Output> {
        let toolchain = self.toolchain()?;
        let made = cut::cut(toolchain, input, probe, range, dir).await;
        match without_audio_if_failed(probe, &made) {
            Some(silent) => with_audio_note(
                cut::cut(toolchain, input, &silent, range, dir).await?,
                &silent,
            ),
            None => with_audio_note(made?, probe),
        }
    }

    /// Saves a representative frame from near the beginning as a JPEG in `dir`, at most 1280 pixels
    /// per side, in the colors that browsers show. Uses a black frame only if it finds no other.
    pub async fn poster(&self, input: &Path, probe: &Probe, dir: &Path) -> Result<PathBuf> {
        poster::poster(self.toolchain()?, input, probe, dir).await
    }

    fn toolchain(&self) -> Result<&Toolchain> {
        self.toolchain.as_deref().map_err(|problem| {
            Error::Unavailable(self.missing().unwrap_or_default(), problem.as_str().into())
        })
    }
}

/// Starts to copy a file before it has been probed completely. Returns the copy, and the properties on which the copy is
/// based. Returns `None` if the file cannot be copied without its duration being known.
async fn copy_early(
    toolchain: &Toolchain,
    input: &Path,
    dir: &Path,
) -> Result<Option<(Probe, PathBuf)>> {
    let start = probe::probe_start(toolchain, input).await?;
    if convert_audio::converts_audio(&start, convert::target_container(&start)) {
        return Ok(None);
    }
    let path = convert::seekable(toolchain, input, &start, dir).await?;
    Ok(Some((start, path)))
}

/// Copies all presented content. If a plain copy would include hidden content or is impossible,
/// cuts the video to its presented content instead.
async fn copy_presented(
    toolchain: &Toolchain,
    input: &Path,
    probe: &Probe,
    dir: &Path,
) -> Result<Output> {
    if probe.timeline.is_copied_exactly() {
        let copied = async {
            let path = convert::seekable(toolchain, input, probe, dir).await?;
            check_output::checked_copy(toolchain, path, convert::target_container(probe), probe)
                .await
        };
        match copied.await {
            // Do not fail yet: a file that cannot be copied may still be decodable.
            Err(Error::Unsupported(_)) => {}
            made => return made,
        }
    }
    cut::cut_to_presentation(toolchain, input, probe, dir).await
}

/// If the first attempt had to convert the audio and failed, returns the properties of the video
/// without its audio for a second attempt. The audio may be undecodable.
fn without_audio_if_failed(probe: &Probe, made: &Result<Output>) -> Option<Probe> {
    let undecodable = matches!(made, Err(Error::Unsupported(_)))
        && convert_audio::converts_audio(probe, convert::target_container(probe));
    undecodable.then(|| probe.without_audio())
}

/// Adds a note if the copy lacks the audio of the original.
fn with_audio_note(made: Output, source: &Probe) -> Result<Output> {
    let note = source.lost_audio.as_ref().map(|codec| {
        format!(
            "This video plays without sound, because Hearback cannot read its audio ({codec}). \
             To keep the sound, export the video with AAC audio and upload it again."
        )
    });
    Ok(Output { note, ..made })
}

#[cfg(test)]
mod tests;
