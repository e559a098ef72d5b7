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
    /// Maximum number of members that the list of groups names.
    const MAX_LISTED: usize = 12;

    /// Returns the members that the list of groups names.
    pub fn listed_members(&self) -> &[PersonView] {
        &self.members[..self.members.len().min(Self::MAX_LISTED)]
    }

    /// Returns how many members the list of groups does not name.
    pub fn unlisted_members(&self) -> usize {
        self.members.len().saturating_sub(Self::MAX_LISTED)
    }

    /// Returns the number of members.
    pub fn size(&self) -> i64 {
        i64::try_from(self.members.len()).unwrap_or(i64::MAX)
    }
}
