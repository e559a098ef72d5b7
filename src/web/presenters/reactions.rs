//! Presenter for reactions.

use super::super::schema::ReactionView;
use crate::comments::Reaction;
use crate::people::Viewer;

/// Presents the reactions to one update or comment.
pub(super) fn reaction_views(all: &[Reaction], viewer: &Viewer) -> Vec<ReactionView> {
    let me = |actor: &str| match viewer {
        Viewer::Person(person) => person.id == actor,
        Viewer::Guest(guests) => guests.iter().any(|guest| guest.id == actor),
        Viewer::Nobody => false,
    };
    let mut shapes: Vec<ReactionView> = Vec::new();
    for reaction in all {
        match shapes.iter_mut().find(|view| view.emoji == reaction.emoji) {
            Some(view) => {
                view.count += 1;
                view.mine |= me(&reaction.actor_id);
                view.names.push_str(", ");
                view.names.push_str(&reaction.name);
            }
            None => shapes.push(ReactionView {
                emoji: reaction.emoji.clone(),
                count: 1,
                mine: me(&reaction.actor_id),
                names: reaction.name.clone(),
            }),
        }
    }
    if matches!(viewer, Viewer::Guest(_)) {
        // Guests must not see who reacted.
        shapes.iter_mut().for_each(|view| view.names.clear());
    }
    shapes
}
