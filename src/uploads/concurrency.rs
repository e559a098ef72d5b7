//! Limits how many tasks with the same key run at the same time on this node, such as the requests of one person that
//! send bytes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many requests of one person can send bytes at the same time. The number is limited because
/// each request has a buffer in memory.
pub(super) const MAX_WRITERS_PER_PERSON: usize = 16;

/// Counts how many permits are held for each key. Clones share the counts.
#[derive(Clone, Debug, Default)]
pub struct KeyedLimiter(Arc<Mutex<HashMap<String, usize>>>);

/// A permit for a key. Dropping the permit releases it.
#[derive(Debug)]
pub(super) struct Permit {
    limiter: KeyedLimiter,
    key: String,
}

impl KeyedLimiter {
    fn counts(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Acquires a permit for this key. Returns `None` if `max` permits are already held.
    pub(super) fn try_acquire(&self, key: &str, max: usize) -> Option<Permit> {
        let mut counts = self.counts();
        let count = counts.entry(key.to_owned()).or_default();
        if *count >= max {
            return None;
        }
        *count += 1;
        Some(Permit {
            limiter: self.clone(),
            key: key.to_owned(),
        })
    }

    /// Whether any permit is held for this key.
    pub(super) fn is_held(&self, key: &str) -> bool {
        self.counts().contains_key(key)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut counts = self.limiter.counts();
        if let Some(count) = counts.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.key);
            }
        }
    }
}
