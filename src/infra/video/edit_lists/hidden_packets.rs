//! Which packets an edit list hides.

use crate::infra::video::TIME_EPSILON;

/// Whether an edit list hides a packet. `discarded` is the flag `D` that ffprobe reports for the
/// packet. With `excluded_before_zero`, packets that end before 0 are hidden too. Times are in
/// seconds.
pub(in crate::infra::video) fn is_hidden(
    discarded: bool,
    excluded_before_zero: bool,
    at: f64,
    duration: f64,
) -> bool {
    discarded || (excluded_before_zero && at < -TIME_EPSILON && at + duration < TIME_EPSILON)
}
