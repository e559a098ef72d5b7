//! Which codecs browsers play: whether a video needs an H.264 copy, and whether audio must be
//! converted.

use super::codecs::audio_decoders;
use super::{Probe, Tools};

/// Which browsers need an H.264 copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConversionNeed {
    /// No copy is needed: the original plays in every browser.
    None,
    /// Safari needs a copy: only Chromium and Firefox play the original.
    ForSafari,
    /// All browsers need a copy. Hardly any browser plays the original. Some browsers play only its
    /// sound, without reporting an error.
    ForAll,
}

impl Tools {
    /// Which browsers need a copy made by [`Tools::h264`].
    pub fn needs_h264(probe: &Probe) -> ConversionNeed {
        let common = matches!(&*probe.pixel_format, "yuv420p" | "yuvj420p");
        match (&*probe.video, probe.audio.as_deref()) {
            ("h264", None | Some("aac" | "mp3")) if common => ConversionNeed::None,
            ("h264", _) if common => ConversionNeed::ForSafari,
            ("vp8" | "vp9" | "av1", _) => ConversionNeed::ForSafari,
            _ => ConversionNeed::ForAll,
        }
    }
}

/// How well an audio codec is supported.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum AudioSupport {
    /// Browsers play the audio, so its packets are copied.
    Plays,
    /// Browsers do not play the audio, but ffmpeg can decode it, so it is converted to AAC or Opus.
    Convertible,
    /// The audio can be neither played nor decoded.
    Unreadable,
}

/// Returns how well an audio stream is supported. `profile` is the profile reported by ffprobe. It
/// matters because ffmpeg's AAC decoder and most browsers cannot read xHE-AAC.
pub(super) fn audio_support(codec: &str, profile: &str) -> AudioSupport {
    match codec {
        "aac" if profile.contains("xHE") || profile == "41" => AudioSupport::Unreadable,
        "aac" | "opus" | "mp3" => AudioSupport::Plays,
        _ if audio_decoders(codec).is_some() => AudioSupport::Convertible,
        _ => AudioSupport::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audio_support_orders_codecs_from_playable_to_unreadable() {
        assert_eq!(audio_support("aac", "LC"), AudioSupport::Plays);
        assert_eq!(audio_support("aac", "xHE-AAC"), AudioSupport::Unreadable);
        assert_eq!(
            audio_support("pcm_s24le", "unknown"),
            AudioSupport::Convertible
        );
        assert_eq!(
            audio_support("unknown", "unknown"),
            AudioSupport::Unreadable
        );
        assert!(
            AudioSupport::Plays < AudioSupport::Convertible
                && AudioSupport::Convertible < AudioSupport::Unreadable
        );
    }
}
