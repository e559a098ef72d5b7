//! Schema of the workspace: its rules, contact and default due time.

use serde::Serialize;

/// "How we work here": the rules and defaults of the workspace.
#[derive(Clone, Debug, Serialize)]
pub struct WorkspaceView {
    /// Rules in Markdown; empty if there are none.
    pub rules: String,
    /// Rules as sanitized HTML.
    pub rules_html: String,
    /// Person to contact with questions.
    pub contact: Option<ContactView>,
    /// Default due time for updates that have none of their own.
    pub due: Option<DaysView>,
}

/// Contact person of the workspace.
#[derive(Clone, Debug, Serialize)]
pub struct ContactView {
    /// Id of the person.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Email address of the person.
    pub email: String,
}

/// A due time in working days, counted separately for each recipient.
#[derive(Clone, Debug, Serialize)]
pub struct DaysView {
    /// Number of working days, 1 to 60.
    pub working_days: i64,
}
