//! The line on an update's page that says who can open the update.

use crate::text;
use crate::updates::Visibility;
use crate::web::pages::AccessSummary;
use crate::web::schema::UpdateView;

/// Summarizes who can open the update. For example, the author sees "You, 6 people, 1 open link",
/// and a recipient sees "Ada, you, 5 more people".
pub(super) fn access_summary(update: &UpdateView, author: bool, links: usize) -> AccessSummary {
    let everyone = update.visibility == Visibility::Workspace || update.audience.everyone;
    let some = |count: i64, one, more| (count > 0).then(|| text::plural(count, one, more));
    let mut parts = Vec::new();
    if author {
        parts.push("You".to_owned());
    }
    if everyone {
        parts.push("everyone with an account".into());
    } else if update.my_receipt.is_some() {
        parts.push("you".into());
        parts.extend(some(
            update.counts.recipients - 1,
            "more person",
            "more people",
        ));
    } else {
        parts.extend(some(update.counts.recipients, "person", "people"));
    }
    if update.later_members && !everyone {
        parts.extend(
            update
                .audience
                .groups
                .iter()
                .map(|group| format!("people who join @{} later", group.name)),
        );
    }
    parts.extend(some(
        i64::try_from(links).unwrap_or(i64::MAX),
        "open link",
        "open links",
    ));
    if parts == ["You"] {
        parts = vec!["Only you".into()];
    }
    AccessSummary {
        author: (!author).then(|| update.author.name.clone()),
        others: parts.join(", "),
    }
}
