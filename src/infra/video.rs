//! Videos from anyone: what they are, made seekable, H.264 for Safari, and a still; all by ffmpeg in a sandbox.

mod codecs;
mod convert;
mod cut;
mod detect;
mod edits;
mod frames;
mod ivf;
mod limits;
mod listing;
mod measure;
mod metadata;
mod probe;
mod sandbox;
mod selection;
mod unsupported;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};

pub use self::detect::{HEAD_BYTES, detect_container, image_brand};
pub use self::metadata::{Metadata, MetadataScan};
use self::probe::Timeline;
pub use self::selection::TextStream;
pub use self::unsupported::unsupported_format_advice;
use crate::infra::video::sandbox::{Limits, Sandbox};

/// How a file wraps its streams.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Container {
    /// Matroska, also what Chromium calls `video/x-matroska`.
    Matroska,
    /// WebM.
    WebM,
    /// MP4 and its kin.
    Mp4,
    /// QuickTime (`.mov`).
    QuickTime,
}

impl Container {
    /// The type it is served as.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Matroska => "video/x-matroska",
            Self::WebM => "video/webm",
            Self::Mp4 => "video/mp4",
            Self::QuickTime => "video/quicktime",
        }
    }

    /// The end of its name, without a dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Matroska => "mkv",
            Self::WebM => "webm",
            Self::Mp4 => "mp4",
            Self::QuickTime => "mov",
        }
    }
}

/// What a video really is, by its packets.
#[derive(Clone, PartialEq, Debug)]
pub struct Probe {
    /// How long it is as players present it, in milliseconds: edit lists applied, by its packets. `None` where no packet has a time.
    pub duration_ms: Option<i64>,
    /// In pixels, as shown: rotation and pixel shape applied.
    pub width: u32,
    /// In pixels, as shown.
    pub height: u32,
    /// The video codec: `vp8`, `vp9`, `av1`, `h264` or `hevc`.
    pub video: String,
    /// The audio codec, in ffmpeg's word. Of several audio streams that one which most browsers play.
    pub audio: Option<String>,
    /// How it is wrapped.
    pub container: Container,
    /// ffmpeg's name for how pixels are stored; browsers play `yuv420p`.
    pub pixel_format: String,
    /// Its text streams. They are in no copy: captions are to be read from them once the player shows captions.
    pub text_streams: Vec<TextStream>,
    /// Whether an edit list excludes pictures or sound that are in the file: somebody may have cut away what nobody is to see. Nobody but its
    /// author may get such a file; the copies made by [`Tools`] hold only what is presented.
    pub hides_frames: bool,
    /// What the audio is coded as, for people, where the file has audio and none of it can be read; then `audio` is `None`.
    pub lost_audio: Option<String>,
    /// All edit lists of the file last until the end of their media, without saying how long that is.
    open_edits: bool,
    video_stream: u32,
    audio_stream: Option<u32>,
    timeline: Timeline,
}

impl Probe {
    /// The same video as if it had no audio.
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

/// Who needs an H.264 copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConversionNeed {
    /// It plays everywhere.
    None,
    /// Chromium and Firefox play it; Safari does not, or not everywhere.
    ForSafari,
    /// Hardly a browser plays it: some give sound with no picture, and no error.
    ForAll,
}

/// A file that ffmpeg made.
#[derive(Clone, Debug)]
pub struct Output {
    /// In the directory that was asked for.
    pub path: PathBuf,
    /// What to serve it as.
    pub content_type: &'static str,
    /// The end of its name, without a dot.
    pub extension: &'static str,
    /// In pixels, as shown.
    pub width: u32,
    /// In pixels, as shown.
    pub height: u32,
    /// In milliseconds, if known.
    pub duration_ms: Option<i64>,
    /// What its author has to know about it.
    pub note: Option<String>,
    /// What it is, measured.
    pub probe: Probe,
}

/// ffmpeg and ffprobe, found once at the start. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tools {
    toolchain: Option<Arc<Toolchain>>,
}

#[derive(Debug)]
struct Toolchain {
    ffmpeg: PathBuf,
    ffprobe: PathBuf,
    version: String,
    sandbox: Sandbox,
}

impl Tools {
    /// Looks for ffmpeg, at `ffmpeg` if given, else in `PATH`, for ffprobe beside it, and for what can sandbox them.
    pub async fn detect(ffmpeg: Option<&Path>) -> Self {
        Self {
            toolchain: detect_toolchain(ffmpeg).await.map(Arc::new),
        }
    }

    /// What is missing, in words for pages and the doctor.
    pub fn missing(&self) -> Option<String> {
        self.toolchain.is_none().then(|| {
            "ffmpeg is not installed. What is recorded here plays, but without exact seeking, pictures, or a copy for Safari; \
             other videos play for their authors only, because their metadata cannot be removed. Your admin can mend it: \
             `apt-get install ffmpeg`."
                .into()
        })
    }

    /// What was found and how it is sandboxed, for the doctor.
    pub fn describe(&self) -> String {
        match &self.toolchain {
            Some(toolchain) => format!(
                "{} at {}, {}.",
                toolchain.version,
                toolchain.ffmpeg.display(),
                toolchain.sandbox.describe()
            ),
            None => "No ffmpeg.".into(),
        }
    }

    /// Reads every packet of `input` without decoding. `Unsupported` for what is not a video that we take.
    pub async fn probe(&self, input: &Path) -> Result<Probe> {
        probe::probe(self.toolchain()?, input).await
    }

    /// A copy in `dir` that can be seeked at once and holds what players present of `input`, from 0 on. The pictures are copied unless an edit
    /// list hides some of them; audio that browsers do not play is converted. H.264 and HEVC become MP4.
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

    /// Who needs [`Tools::h264`].
    pub fn needs_h264(probe: &Probe) -> ConversionNeed {
        let common = matches!(&*probe.pixel_format, "yuv420p" | "yuvj420p");
        match (&*probe.video, probe.audio.as_deref()) {
            ("h264", None | Some("aac" | "mp3")) if common => ConversionNeed::None,
            ("h264", _) if common => ConversionNeed::ForSafari,
            ("vp8" | "vp9" | "av1", _) => ConversionNeed::ForSafari,
            _ => ConversionNeed::ForAll,
        }
    }

    /// A copy in `dir` that plays everywhere: MP4 with H.264 and AAC, no side longer than 1920 pixels. Takes up to
    /// some times the length of the video.
    pub async fn h264(&self, input: &Path, probe: &Probe, dir: &Path) -> Result<Output> {
        convert::h264(self.toolchain()?, input, probe, dir).await
    }

    /// A copy in `dir` of the stretch between two milliseconds, and of nothing else. Where it begins at a key frame nothing is converted;
    /// else only what stands before the next one, where that can be done, or all of it.
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

    /// A JPEG in `dir` of a telling frame near the beginning, no side longer than 1280 pixels.
    pub async fn poster(&self, input: &Path, probe: &Probe, dir: &Path) -> Result<PathBuf> {
        convert::poster(self.toolchain()?, input, probe, dir).await
    }

    fn toolchain(&self) -> Result<&Toolchain> {
        let missing = || {
            Error::Unavailable(
                self.missing().unwrap_or_default(),
                "no ffmpeg or ffprobe".into(),
            )
        };
        self.toolchain.as_deref().ok_or_else(missing)
    }
}

/// All that is presented of a file: copied where that copies nothing else.
async fn copy_presented(
    toolchain: &Toolchain,
    input: &Path,
    probe: &Probe,
    dir: &Path,
) -> Result<Output> {
    if probe.timeline.is_copied_exactly() {
        match convert::seekable(toolchain, input, probe, dir).await {
            // What cannot be copied can perhaps be decoded.
            Err(Error::Unsupported(_)) => {}
            made => return made,
        }
    }
    cut::cut_to_presentation(toolchain, input, probe, dir).await
}

/// What to try without audio: a file of which no copy could be made, and whose audio has to be converted.
fn without_audio_if_failed(probe: &Probe, made: &Result<Output>) -> Option<Probe> {
    let undecodable = matches!(made, Err(Error::Unsupported(_)))
        && convert::converts_audio(probe, convert::target_container(probe));
    undecodable.then(|| probe.without_audio())
}

/// Says of a copy without audio that the original has some.
fn with_audio_note(made: Output, source: &Probe) -> Result<Output> {
    let note = source.lost_audio.as_ref().map(|codec| {
        format!("It plays without sound: its sound ({codec}) cannot be read here. Export it with AAC sound and upload it again to have it.")
    });
    Ok(Output { note, ..made })
}

async fn detect_toolchain(given: Option<&Path>) -> Option<Toolchain> {
    let ffmpeg = match given {
        Some(path) => path.to_owned(),
        None => find_in_path("ffmpeg")?,
    };
    let ffmpeg = std::path::absolute(ffmpeg).ok()?;
    let beside = ffmpeg.with_file_name("ffprobe");
    let ffprobe = if beside.is_file() {
        beside
    } else {
        find_in_path("ffprobe")?
    };
    let sandbox = Sandbox::find(&ffmpeg).await;
    let dir = tempfile::tempdir().ok()?;
    let mut version = None;
    for tool in [&ffprobe, &ffmpeg] {
        let mut take = |line: &str| {
            version = Some(line.split(" Copyright").next().unwrap_or(line).to_owned());
        };
        let args = ["-v".into(), "error".into(), "-version".into()];
        let mut first = true;
        let ran = sandbox.run(tool, &args, None, dir.path(), Limits::short(), |line| {
            if std::mem::take(&mut first) {
                take(line);
            }
        });
        if let Err(error) = ran.await {
            tracing::warn!(tool = %tool.display(), ?error, "cannot be run");
            return None;
        }
    }
    Some(Toolchain {
        ffmpeg,
        ffprobe,
        version: version?,
        sandbox,
    })
}

fn find_in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|dir| dir.join(name))
        .find(|file| file.is_absolute() && file.is_file())
}

#[cfg(test)]
mod tests;
