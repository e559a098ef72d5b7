//! Lanes: jobs of one kind of work never wait for those of another.
//!
//! The only place that says which job runs in which lane and how many of a lane a node runs at once. Which lane a job is in is not stored.

/// What a job's work is like. Every lane has its own slots on every node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Deletion and redaction: what was to be gone must not wait for anything.
    Deletion,
    /// Moments of work in the database or on a picture; also every kind that stands in no other lane.
    Light,
    /// Waits for a mail server, perhaps for long.
    Mail,
    /// Makes a recording seekable: mostly a second, and its author waits for it. One that takes long moves to [`Lane::Heavy`].
    Preparation,
    /// Minutes of encoding.
    Heavy,
}

impl Lane {
    /// All of them.
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

    /// How many jobs of this lane a node runs at once. ffmpeg uses a core for each of the last two; heavy ones give way to all else on the machine.
    pub fn slots(self) -> usize {
        match self {
            Self::Deletion | Self::Mail => 1,
            Self::Light | Self::Preparation | Self::Heavy => 2,
        }
    }

    /// The kinds that stand in this lane; for [`Lane::Light`] none, since it has all others.
    fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::Deletion => &["purge", "clear", "burn", "forget"],
            Self::Light => &[],
            Self::Mail => &["mail"],
            Self::Preparation => &["process"],
            Self::Heavy => &["convert"],
        }
    }

    /// An SQL condition for the jobs of these lanes, beginning with ` AND`; empty where it would admit every kind.
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
    fn kinds_that_no_lane_names_are_light() {
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
    fn conditions_admit_the_kinds_of_free_lanes_and_no_other() {
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
