//! Decides which changes to a picture are material. After a material change, people who have answered must answer
//! again.

use super::MarkupInput;

/// Default change notes. They are shown to people who have already answered the update.
const REDACTED_TEXT: &str = "Part of a picture was made unreadable.";
const CROPPED_TEXT: &str = "A picture was cropped.";

/// Returns `None` if saving `input` is not a material change. Otherwise, returns `Some` with the change note, if there
/// is one. Redacting or cropping a published picture is always a material change, and gets a default note if the author
/// wrote none. For any other change, `requested` decides.
pub(super) fn material_change(
    input: &MarkupInput,
    is_published: bool,
    requested: Option<Option<String>>,
) -> Option<Option<String>> {
    if !input.is_destructive() || !is_published {
        return requested;
    }
    let default = if input.redactions.is_empty() {
        CROPPED_TEXT
    } else {
        REDACTED_TEXT
    };
    Some(requested.flatten().or_else(|| Some(default.to_owned())))
}
