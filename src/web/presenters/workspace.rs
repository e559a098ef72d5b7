//! The workspace's own page: its rules, whom to ask, and when answers are due.

use crate::infra::markdown;
use crate::web::schema::{ContactShape, DaysShape, WorkspaceShape};
use crate::workspace::Workspace;

pub(crate) fn workspace_shape(workspace: Workspace) -> WorkspaceShape {
    WorkspaceShape {
        rules_html: markdown::html(&workspace.rules),
        rules: workspace.rules,
        contact: workspace.contact.map(|contact| ContactShape {
            id: contact.id,
            name: contact.name,
            email: contact.email,
        }),
        due: workspace
            .due_days
            .map(|working_days| DaysShape { working_days }),
    }
}
