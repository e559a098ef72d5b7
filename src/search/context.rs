//! The context of the jobs of the search index.

use crate::clock::Clock;
use crate::infra::db::Db;

/// The context of the jobs of the search index.
#[derive(Clone, Debug)]
pub struct SearchContext {
    /// The database.
    pub db: Db,
    /// The clock of this node.
    pub clock: Clock,
}
