//! Who is at something on this node just now, and how many at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts who is inside, by name. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct KeyedLimiter(Arc<Mutex<HashMap<String, usize>>>);

/// One who is inside until this is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    limiter: KeyedLimiter,
    name: String,
}

impl KeyedLimiter {
    fn counts(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes in, unless `max` of that name are.
    pub(super) fn try_acquire(&self, name: &str, max: usize) -> Option<Permit> {
        let mut counts = self.counts();
        let count = counts.entry(name.to_owned()).or_default();
        if *count >= max {
            return None;
        }
        *count += 1;
        Some(Permit {
            limiter: self.clone(),
            name: name.to_owned(),
        })
    }

    /// Whether anybody of that name is inside.
    pub(super) fn is_held(&self, name: &str) -> bool {
        self.counts().contains_key(name)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut counts = self.limiter.counts();
        if let Some(count) = counts.get_mut(&self.name) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.name);
            }
        }
    }
}
