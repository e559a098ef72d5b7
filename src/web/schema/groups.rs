//! Schema of a group.

use serde::Serialize;

use super::PersonView;

/// A group of people.
#[derive(Clone, Debug, Serialize)]
pub struct GroupView {
    /// Id of the group.
    pub id: String,
    /// Name without the `@`.
    pub name: String,
    /// Members, sorted by name.
    pub members: Vec<PersonView>,
    /// Person who created the group.
    pub made_by: PersonView,
    /// Email addresses of the members, for the form.
    #[serde(skip)]
    pub emails: String,
    /// Whether the viewer may change the group.
    #[serde(skip)]
    pub mine: bool,
    /// Whether the viewer is a member.
    #[serde(skip)]
    pub member: bool,
}

impl GroupView {
    /// Returns the members' names as `Ada, Bob and 3 more`, with at most twelve names.
    pub fn names(&self) -> String {
        const SHOWN: usize = 12;
        let names: Vec<&str> = self
            .members
            .iter()
            .take(SHOWN)
            .map(|member| member.name.as_str())
            .collect();
        match (names.split_last(), self.members.len().saturating_sub(SHOWN)) {
            (None, _) => "Nobody yet.".into(),
            (_, more @ 1..) => format!("{} and {more} more", names.join(", ")),
            (Some((last, [])), 0) => (*last).to_owned(),
            (Some((last, others)), 0) => format!("{} and {last}", others.join(", ")),
        }
    }

    /// Returns the number of members.
    pub fn size(&self) -> i64 {
        i64::try_from(self.members.len()).unwrap_or(i64::MAX)
    }
}
