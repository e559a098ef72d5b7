//! The fields of the update form.

use crate::error::Result;
use crate::infra::db::{TextEnum, Tx, text_enum};
use crate::people::{CreatedInvitation, Person};
use crate::state::State;
use crate::text;
use crate::updates::{self, Content, Expectation, Visibility};
use crate::web::extract::fields::Fields;

/// Fields of a request that writes an update. The audience is not yet resolved to people and groups.
pub(super) struct UpdateForm {
    pub(super) content: Content,
    pub(super) audience: Option<Vec<String>>,
    pub(super) invite: bool,
    pub(super) publish: Option<bool>,
}

text_enum! {
    /// Whether an edit changes the meaning of a published update.
    enum EditKind {
        /// The edit changes only the wording.
        Cosmetic = "cosmetic",
        /// The edit changes the meaning, so recipients who have answered are asked again.
        Material = "material",
    }
}

/// Reads whether an edit is material. For a material edit, returns `Some` with the author's note about what changed, if
/// there is one. For a cosmetic edit, returns `None`.
pub(crate) fn material(fields: &mut Fields) -> Option<Option<String>> {
    let material = fields.choice("change", EditKind::ALL) == Some(EditKind::Material);
    let what_changed = fields.text("what_changed", text::MAX_OTHERWISE).flatten();
    material.then_some(what_changed)
}

/// Reads the fields of an update. In a form, `publish` is the value of the submit button that was pressed.
pub(super) fn read_update_form(fields: &mut Fields, person: &Person, editing: bool) -> UpdateForm {
    let title = fields.text("title", text::MAX_TITLE).map(|title| {
        text::clean_line(title.as_deref().unwrap_or_default(), text::MAX_TITLE).unwrap_or_default()
    });
    // A new update has no earlier version and no answers, so read `change`, `what_changed` and
    // `version` only for an edit.
    let material = if editing { material(fields) } else { None };
    UpdateForm {
        content: Content {
            title,
            notes: fields
                .markdown("notes", text::MAX_NOTES)
                .map(Option::unwrap_or_default),
            visibility: fields.choice("visibility", Visibility::ALL),
            expectation: fields.choice("expectation", Expectation::ALL),
            due: fields.due("due", &person.time_zone),
            otherwise: fields.text("otherwise", text::MAX_OTHERWISE),
            prompt: fields.text("prompt", updates::MAX_PROMPT),
            audience: None,
            later_members: fields.checkbox("later_members"),
            material,
            version: if editing {
                fields.number("version")
            } else {
                None
            },
        },
        audience: fields.list("audience"),
        invite: fields.flag("invite").unwrap_or(false),
        publish: fields.flag("publish"),
    }
}

/// Resolves the audience to people and groups. If `invite` is set, also invites the people whose
/// addresses have neither an account nor a pending invitation; only admins may do this. Returns the
/// new invitations.
pub(super) async fn resolve_audience(
    tx: &mut Tx,
    state: &State,
    person: &Person,
    written: &mut UpdateForm,
) -> Result<Vec<CreatedInvitation>> {
    let Some(names) = &written.audience else {
        return Ok(Vec::new());
    };
    let invited = if written.invite {
        updates::invite_and_ask(tx, &state.clock, person, names).await?
    } else {
        Vec::new()
    };
    written.content.audience =
        Some(updates::resolve_addresses(tx, &state.clock, person, names).await?);
    Ok(invited)
}
