//! Presenter for due times.

use super::super::schema::DueView;
use crate::clock::{Millis, rfc3339};

pub(super) fn due_view(at: Option<Millis>, days: Option<i64>) -> Option<DueView> {
    match (at, days) {
        (Some(at), _) => Some(DueView::At(rfc3339(at))),
        (None, Some(working_days)) => Some(DueView::Within { working_days }),
        (None, None) => None,
    }
}
