//! The random operations on updates.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{Team, Update};
use crate::app::text;

impl Team {
    pub(super) async fn create(&mut self) {
        let active = self.active();
        let author = active[self.random.below(active.len())];
        let audience = self.random_audience();
        let (workspace, later_members) = (self.random.below(4) == 0, self.random.coin());
        let fields = json!({
            "title": "Common words", "audience": self.names(&audience), "visibility": if workspace { "workspace" } else { "audience" }, "later_members": later_members,
        });
        self.log.push(format!("{author} creates {fields}"));
        let created = self.members[author]
            .client
            .post("/updates", fields)
            .await
            .expect(201)
            .json();
        self.updates.push(Update {
            id: text(&created["id"]).to_owned(),
            author,
            workspace,
            // An audience without groups turns the setting off.
            later_members: later_members && !audience.groups.is_empty(),
            audience,
            published_at: None,
            trashed: false,
            sent_through: BTreeMap::new(),
            recipients: BTreeSet::new(),
        });
    }

    /// Records that the update was sent to the active members of the new groups. Adds the active
    /// people whom the audience names individually to the update's recipients. Leaves out the
    /// author.
    fn send(&mut self, at: usize, new_groups: &BTreeSet<String>) {
        let active: BTreeSet<usize> = self
            .active()
            .into_iter()
            .filter(|member| *member != self.updates[at].author)
            .collect();
        for group in new_groups {
            let recipients = self
                .group_members(group)
                .intersection(&active)
                .copied()
                .collect();
            self.updates[at]
                .sent_through
                .insert(group.clone(), recipients);
        }
        let update = &mut self.updates[at];
        update
            .recipients
            .extend(update.audience.named.intersection(&active));
    }

    pub(super) async fn publish(&mut self) {
        let Some(at) = self.pick(|update| update.published_at.is_none() && !update.trashed) else {
            return;
        };
        let (author, path) = self.author(at);
        author.put(&format!("{path}/publication")).await.expect(200);
        self.log.push(format!("publishes {at}"));
        let groups = self.updates[at].audience.groups.clone();
        self.updates[at].published_at = Some(self.app.state.clock.now());
        self.send(at, &groups);
        let update = &mut self.updates[at];
        update
            .recipients
            .extend(update.sent_through.values().flatten());
    }

    pub(super) async fn change_audience(&mut self) {
        let Some(at) = self.pick(|update| !update.trashed) else {
            return;
        };
        let audience = self.random_audience();
        let fields = json!({ "audience": self.names(&audience) });
        self.log.push(format!("edits {at}: {fields}"));
        let (author, path) = self.author(at);
        author.patch(&path, fields).await.expect(200);
        let before = std::mem::replace(&mut self.updates[at].audience, audience);
        if self.updates[at].audience.groups.is_empty() {
            self.updates[at].later_members = false;
        }
        if self.updates[at].published_at.is_none() {
            return;
        }
        let groups = self.updates[at].audience.groups.clone();
        self.updates[at]
            .sent_through
            .retain(|group, _| groups.contains(group));
        self.send(at, &groups.difference(&before.groups).cloned().collect());
        let update = &mut self.updates[at];
        let through_groups: BTreeSet<usize> =
            update.sent_through.values().flatten().copied().collect();
        update.recipients.extend(&through_groups);
        if !update.audience.everyone {
            let named = update.audience.named.clone();
            update
                .recipients
                .retain(|member| named.contains(member) || through_groups.contains(member));
        }
    }

    pub(super) async fn change_visibility(&mut self) {
        let Some(at) = self.pick(|update| !update.trashed) else {
            return;
        };
        let workspace = !self.updates[at].workspace;
        self.log.push(format!("makes {at} workspace: {workspace}"));
        let (author, path) = self.author(at);
        author
            .patch(
                &path,
                json!({ "visibility": if workspace { "workspace" } else { "audience" } }),
            )
            .await
            .expect(200);
        self.updates[at].workspace = workspace;
        if self.updates[at].published_at.is_some() {
            self.send(at, &BTreeSet::new());
        }
    }

    pub(super) async fn toggle_later_members(&mut self) {
        let Some(at) = self.pick(|update| !update.trashed) else {
            return;
        };
        let later_members = !self.updates[at].later_members;
        self.log
            .push(format!("makes {at} later_members: {later_members}"));
        let (author, path) = self.author(at);
        author
            .patch(&path, json!({ "later_members": later_members }))
            .await
            .expect(200);
        self.updates[at].later_members = later_members;
        if self.updates[at].published_at.is_some() {
            self.send(at, &BTreeSet::new());
        }
    }

    pub(super) async fn undo_publication(&mut self) {
        let Some(at) = self.pick(|update| update.published_at.is_some() && !update.trashed) else {
            return;
        };
        self.log.push(format!("undoes {at}"));
        let (author, path) = self.author(at);
        let response = author.delete(&format!("{path}/publication")).await;
        if response.status.as_u16() == 409 {
            let published_at = self.updates[at].published_at.unwrap();
            assert!(
                self.app.state.clock.now() - published_at + 1000 > 10_000,
                "rejected too early: {}",
                response.text()
            );
            return;
        }
        response.expect(200);
        let update = &mut self.updates[at];
        (update.published_at, update.recipients, update.sent_through) =
            (None, BTreeSet::new(), BTreeMap::new());
    }

    pub(super) async fn trash_or_restore(&mut self) {
        let trash = self.random.coin();
        let Some(at) = self.pick(|update| update.trashed != trash) else {
            return;
        };
        self.log.push(format!("trashes {at}: {trash}"));
        let (author, path) = self.author(at);
        if trash {
            author.delete(&path).await.expect(204);
        } else {
            author.put(&format!("{path}/restoration")).await.expect(200);
        }
        self.updates[at].trashed = trash;
    }

    pub(super) async fn open(&mut self) {
        let Some(at) = self.pick(|update| {
            update.published_at.is_some() && !update.trashed && update.audience.everyone
        }) else {
            return;
        };
        let active = self.active();
        let member = active[self.random.below(active.len())];
        self.log.push(format!("{member} opens {at}"));
        self.members[member]
            .client
            .put(&format!("/updates/{}/opening", self.updates[at].id))
            .await
            .expect(204);
        if member != self.updates[at].author {
            self.updates[at].recipients.insert(member);
        }
    }
}
