//! Lanes separate kinds of work, so that slow jobs do not delay others.
//!
//! This file decides which job runs in which lane and how many run at once on a node. A job's lane
//! is not stored.

/// A kind of work. Each lane has its own slots on each node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Deletion and redaction. They must not wait for other work.
    Deletion,
    /// Short work in the database or on a picture, and every kind of job without another lane.
    Light,
    /// Email. These jobs may wait a long time for a mail server.
    Mail,
    /// Makes a recording seekable. This usually takes a second, and the author waits for it. A job
    /// that takes longer moves to [`Lane::Heavy`].
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

    /// The lane of a kind of job.
    pub fn for_kind(kind: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|lane| lane.kinds().contains(&kind))
            .unwrap_or(Self::Light)
    }

    /// How many jobs of this lane a node runs at once. In the last two lanes, ffmpeg uses one core
    /// per job; heavy jobs run at low priority.
    pub fn slots(self) -> usize {
        match self {
            Self::Deletion | Self::Mail => 1,
            Self::Light | Self::Preparation | Self::Heavy => 2,
        }
    }

    /// The kinds in this lane; empty for [`Lane::Light`], which runs all other kinds.
    fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::Deletion => &["purge", "clear", "burn", "forget"],
            Self::Light => &[],
            Self::Mail => &["mail"],
            Self::Preparation => &["process"],
            Self::Heavy => &["convert"],
        }
    }

    /// An SQL condition for the jobs of these lanes, starting with ` AND`; empty if every kind
    /// matches.
    pub(super) fn sql_condition(lanes: &[Self]) -> String {
        let all_others = lanes.contains(&Self::Light);
        let named = Self::ALL
            .into_iter()
            .filter(|lane| lanes.contains(lane) != all_others)
            .flat_map(|lane| lane.kinds());
        let names = named
            .map(|kind| format!("'{kind}'"))
            .collect::<Vec<_>>()
            .join(", ");
        if all_others && names.is_empty() {
            return names;
        }
        format!(
            " AND kind {}IN ({names})",
            if all_others { "NOT " } else { "" }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Lane;

    #[test]
    fn for_kind_returns_the_lane_of_each_kind_and_light_by_default() {
        for (kind, lane) in [
            ("burn", Lane::Deletion),
            ("purge", Lane::Deletion),
            ("index", Lane::Light),
            ("mark", Lane::Light),
            ("no such kind", Lane::Light),
            ("mail", Lane::Mail),
            ("process", Lane::Preparation),
            ("convert", Lane::Heavy),
        ] {
            assert_eq!(Lane::for_kind(kind), lane, "{kind}");
        }
    }

    #[test]
    fn sql_condition_admits_only_kinds_of_free_lanes() {
        assert_eq!(Lane::sql_condition(&Lane::ALL), "");
        assert_eq!(
            Lane::sql_condition(&[Lane::Heavy]),
            " AND kind IN ('convert')"
        );
        assert_eq!(
            Lane::sql_condition(&[Lane::Deletion, Lane::Light, Lane::Preparation]),
            " AND kind NOT IN ('mail', 'convert')"
        );
        assert_eq!(
            Lane::sql_condition(&[Lane::Light]),
            " AND kind NOT IN ('purge', 'clear', 'burn', 'forget', 'mail', 'process', 'convert')"
        );
    }
}
