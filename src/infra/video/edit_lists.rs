//! What the edit lists of MP4 and QuickTime files hide.

pub(super) mod hidden_packets;

use super::Container;
use super::ffprobe_output::Track;

/// The maximum duration of priming samples, in seconds. Encoders put up to a tenth of a second of
/// such samples at the start of an audio stream, and an edit list skips them. If an edit list skips
/// more than this maximum, somebody cut the audio on purpose.
pub(super) const MAX_PRIMING_SECONDS: f64 = 0.25;

/// Whether files in this container can have edit lists. If so, packets that end before 0 are
/// hidden.
pub(super) fn can_occur_in(container: Container) -> bool {
    match container {
        Container::Mp4 | Container::QuickTime => true,
        Container::Matroska | Container::WebM => false,
    }
}

/// Whether an edit list hides or reorders packets that ffprobe lists.
pub(super) fn hide_listed_packets(video: &Track, audio: Option<&Track>) -> bool {
    video.hidden > 0
        || video.reordered
        || audio.is_some_and(|audio| audio.hidden_seconds > MAX_PRIMING_SECONDS)
}

/// Whether an edit list hides packets that ffprobe does not list, because these packets are far outside the range that
/// players show. Each argument is a pair: a track with its edit list applied, and the same track with its edit list
/// ignored.
pub(super) fn hide_unlisted_packets(
    (video, all_video): (&Track, Option<&Track>),
    (audio, all_audio): (Option<&Track>, Option<&Track>),
) -> bool {
    all_video.is_some_and(|all| all.shown > video.shown)
        || audio.zip(all_audio).is_some_and(|(audio, all)| {
            all.shown_seconds - audio.shown_seconds > MAX_PRIMING_SECONDS
        })
}
