//! Lanes separate kinds of work, so that slow jobs do not delay others.
//!
//! The type of a job determines its lane. The lane is not stored.

/// A kind of work. Each lane has its own slots on each node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Deletion and redaction. They must not wait for other work.
    Deletion,
    /// Short work in the database or on a picture, and jobs of unknown kinds.
    Light,
    /// Email. These jobs may wait a long time for a mail server.
    Mail,
    /// Jobs that make a recording seekable. This usually takes a second, and the author waits for it. A job that takes
    /// longer moves to [`Lane::Heavy`].
    Preparation,
    /// Video encoding that takes minutes.
    Heavy,
}

impl Lane {
    /// All lanes.
    pub const ALL: [Self; 5] = [
        Self::Deletion,
        Self::Light,
        Self::Mail,
        Self::Preparation,
        Self::Heavy,
    ];

    /// How many jobs of this lane a node runs at once. Each preparation and each heavy job keeps
    /// one core busy with ffmpeg; the preparation of a large file briefly keeps two busy. Heavy jobs
    /// run at low priority.
    pub fn slots(self) -> usize {
        match self {
            Self::Deletion | Self::Mail => 1,
            Self::Light | Self::Preparation | Self::Heavy => 2,
        }
    }
}

/// The kinds of jobs that may be claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kinds {
    /// Only the listed kinds.
    Only(Vec<&'static str>),
    /// All kinds except the listed ones, including kinds that this version does not know.
    Except(Vec<&'static str>),
}

impl Kinds {
    /// Whether the set matches no kind.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Only(kinds) if kinds.is_empty())
    }

    /// An SQL condition, starting with ` AND`; empty if every kind matches.
    pub(crate) fn sql_condition(&self) -> String {
        let (operator, kinds) = match self {
            Self::Only(kinds) => ("IN", kinds),
            Self::Except(kinds) if kinds.is_empty() => return String::new(),
            Self::Except(kinds) => ("NOT IN", kinds),
        };
        let names = kinds
            .iter()
            .map(|kind| format!("'{kind}'"))
            .collect::<Vec<_>>()
            .join(", ");
        format!(" AND kind {operator} ({names})")
    }
}
