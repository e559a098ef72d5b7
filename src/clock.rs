//! The domain's only source of time. Tests can set the time.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use crate::ids::IdGenerator;

/// Milliseconds since the Unix epoch, UTC.
pub type Millis = i64;

/// How often a waiting task reads the file that sets the time in tests.
const FILE_POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The domain's clock: real time plus an offset, which tests and the demo can change. In browser
/// tests, the clock returns the time in a file instead.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    offset: Arc<AtomicI64>,
    time_file: Option<Arc<PathBuf>>,
    ids: Arc<IdGenerator>,
}

impl Clock {
    /// Creates a clock that returns the RFC 3339 time in `file`, or real time while the file is
    /// missing or invalid. For tests.
    pub fn from_file(file: PathBuf) -> Self {
        Self {
            time_file: Some(Arc::new(file)),
            ..Self::default()
        }
    }

    /// Returns the domain's current time, in milliseconds.
    pub fn now(&self) -> Millis {
        self.fixed_time()
            .unwrap_or_else(|| real_now() + self.offset.load(Ordering::Relaxed))
    }

    /// Returns the time in the file. Reads the file on each call, so that the clock changes as soon
    /// as a test has written the file.
    fn fixed_time(&self) -> Option<Millis> {
        parse_rfc3339(
            std::fs::read_to_string(self.time_file.as_deref()?)
                .ok()?
                .trim(),
        )
    }

    /// Waits for `interval`. In tests with a time file, also returns as soon as the time in the
    /// file differs from `before`.
    pub async fn sleep_or_jump(&self, interval: Duration, before: Millis) {
        let sleep = tokio::time::sleep(interval);
        if self.time_file.is_none() {
            return sleep.await;
        }
        let jump = async {
            while self.fixed_time().is_none_or(|time| time == before) {
                tokio::time::sleep(FILE_POLL_INTERVAL).await;
            }
        };
        tokio::select! {
            () = sleep => {}
            () = jump => {}
        }
    }

    /// Advances the domain's time by `by` milliseconds. Only tests and the demo do this.
    pub fn advance(&self, by: Millis) {
        self.offset.fetch_add(by, Ordering::Relaxed);
    }

    /// Returns a new id; see [`IdGenerator::next`].
    pub fn id(&self) -> String {
        self.ids.next(self.now())
    }
}

/// Returns real time, even if a test has set the domain's clock. Leases, signatures and rate limits
/// use real time.
#[allow(
    clippy::disallowed_methods,
    reason = "the only place that reads the system clock"
)]
pub fn real_now() -> Millis {
    Timestamp::now().as_millisecond()
}

/// Returns real time as a [`SystemTime`], so that it can be compared with file times.
pub fn real_time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(real_now()).unwrap_or_default())
}

/// Formats a timestamp as RFC 3339 in UTC with milliseconds.
pub fn rfc3339(at: Millis) -> String {
    match Timestamp::from_millisecond(at) {
        Ok(time) => format!("{time:.3}"),
        Err(_) => format!("{:.3}", Timestamp::UNIX_EPOCH),
    }
}

/// Parses an RFC 3339 time into milliseconds since the Unix epoch.
pub fn parse_rfc3339(text: &str) -> Option<Millis> {
    text.parse::<Timestamp>()
        .ok()
        .map(Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_26_characters_and_sort_by_creation_time() {
        let clock = Clock::default();
        let ids: Vec<String> = (0..1000).map(|_| clock.id()).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(ids.iter().all(|id| id.len() == 26));
    }

    #[test]
    fn clock_follows_the_time_in_its_file_and_ids_stay_sorted_even_if_that_time_goes_back() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let clock = Clock::from_file(file.path().to_owned());
        let mut ids = Vec::new();
        for time in [
            "2026-11-19T08:30:00.000Z",
            "2026-11-19T08:30:00.001Z",
            "2026-11-19T08:29:00.000Z",
        ] {
            std::fs::write(file.path(), format!("{time}\n")).unwrap();
            assert_eq!([clock.now(), clock.now()].map(rfc3339), [time; 2]);
            ids.extend((0..100_000).map(|_| clock.id()));
        }
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        file.close().unwrap();
        let now = clock.now();
        assert!((real_now() - 60_000..=real_now()).contains(&now));
    }

    #[test]
    fn rfc3339_timestamps_include_milliseconds_and_can_be_parsed_back() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(
            parse_rfc3339(&rfc3339(1_763_763_120_001)),
            Some(1_763_763_120_001)
        );
    }
}
