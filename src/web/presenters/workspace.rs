//! Presenter for the workspace: its rules, contact and default due time.

use crate::infra::markdown;
use crate::web::schema::{ContactView, DaysView, WorkspaceView};
use crate::workspace::Workspace;

pub(crate) fn workspace_view(workspace: Workspace) -> WorkspaceView {
    WorkspaceView {
        rules_html: markdown::to_html(&workspace.rules),
        rules: workspace.rules,
        contact: workspace.contact.map(|contact| ContactView {
            id: contact.id,
            name: contact.name,
            email: contact.email,
        }),
        due: workspace
            .due_days
            .map(|working_days| DaysView { working_days }),
    }
}
