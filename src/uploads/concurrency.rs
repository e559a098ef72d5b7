//! Who is at something on this node just now, and how many at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts who is inside, by name. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Busy(Arc<Mutex<HashMap<String, usize>>>);

/// One who is inside until this is dropped.
#[derive(Debug)]
pub(super) struct Inside {
    busy: Busy,
    name: String,
}

impl Busy {
    fn counts(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes in, unless `most` of that name are.
    pub(super) fn enter(&self, name: &str, most: usize) -> Option<Inside> {
        let mut counts = self.counts();
        let count = counts.entry(name.to_owned()).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Inside {
            busy: self.clone(),
            name: name.to_owned(),
        })
    }

    /// Whether anybody of that name is inside.
    pub(super) fn has(&self, name: &str) -> bool {
        self.counts().contains_key(name)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let mut counts = self.busy.counts();
        if let Some(count) = counts.get_mut(&self.name) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.name);
            }
        }
    }
}
