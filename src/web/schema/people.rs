//! Schemas of accounts and invitations.

use serde::Serialize;

use crate::people::Role;
use crate::working_hours::WorkingHours;

/// An account, as members see it.
#[derive(Clone, Debug, Serialize)]
pub struct AccountView {
    /// Id of the account.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Email address used to sign in.
    pub email: String,
    /// Role of the account.
    pub role: Role,
    /// IANA time zone name.
    pub time_zone: String,
    /// `{"days":[1..7],"from":"09:00","to":"17:00"}`; `None` means Monday to Friday, 09:00 to 17:00.
    pub working_hours: Option<WorkingHours>,
    /// End of the current absence; `None` if the person is not away.
    pub away_until: Option<String>,
    /// Current time, to show the person's local time on the page.
    #[serde(skip)]
    pub now: String,
    /// When the account was created.
    pub created_at: String,
    /// When the account was deactivated; `None` while it is active.
    pub deactivated_at: Option<String>,
}

impl AccountView {
    /// Returns whether the account belongs to an admin.
    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin
    }
}

/// The viewer's own account.
#[derive(Clone, Debug, Serialize)]
pub struct MeView {
    /// The account as other members see it.
    #[serde(flatten)]
    pub account: AccountView,
    /// Notification settings.
    pub notify: NotifyView,
}

/// Notification settings of a person.
#[derive(Clone, Debug, Serialize)]
pub struct NotifyView {
    /// Whether the person gets email.
    pub mail: bool,
}

/// A pending invitation.
#[derive(Clone, Debug, Serialize)]
pub struct InvitationView {
    /// Id of the invitation.
    pub id: String,
    /// Email address of the invited person.
    pub email: String,
    /// Role of the account that the invitation creates.
    pub role: Role,
    /// When the invitation was created.
    pub created_at: String,
    /// When the invitation expires.
    pub expires_at: String,
    /// Link to pass on; only in the response that creates the invitation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl InvitationView {
    /// Returns whether the invitation creates an admin.
    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin
    }
}
