//! A simple implementation of the access rule, and the checks that compare the server to it.

use std::collections::BTreeSet;

use super::{Team, Update};
use crate::app::{array, text};

impl Team {
    fn may_open(&self, member: usize, update: &Update) -> bool {
        let as_later_member = || {
            update.later_members
                && update
                    .audience
                    .groups
                    .iter()
                    .any(|group| self.groups[group].members.contains(&member))
        };
        let others = update.workspace
            || update.audience.everyone
            || update.recipients.contains(&member)
            || as_later_member();
        update.author == member || (update.published_at.is_some() && !update.trashed && others)
    }

    /// Returns the rows that `update_access` should have, as pairs of a principal and an update.
    fn expected_rows(&self) -> BTreeSet<(String, String)> {
        let mut rows = BTreeSet::new();
        for update in self
            .updates
            .iter()
            .filter(|update| update.published_at.is_some() && !update.trashed)
        {
            let mut add = |principal: &str| rows.insert((principal.to_owned(), update.id.clone()));
            if update.workspace || update.audience.everyone {
                add("everyone");
            }
            for member in &update.recipients {
                add(&self.members[*member].client.id);
            }
            for group in update
                .audience
                .groups
                .iter()
                .filter(|_| update.later_members)
            {
                add(group);
            }
        }
        rows
    }

    pub(super) async fn check_table(&self) {
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT principal, update_id FROM update_access")
                .fetch_all(&mut *self.app.state.db.read().await.unwrap())
                .await
                .unwrap();
        assert_eq!(
            rows.into_iter().collect::<BTreeSet<_>>(),
            self.expected_rows(),
            "{:#?}",
            self.log
        );
        let stale = "SELECT count(*) FROM update_access x JOIN updates u ON u.id = x.update_id WHERE \
                     x.listed_at <> u.listed_at";
        assert_eq!(self.app.count(stale).await, 0, "{:#?}", self.log);
    }

    /// Checks the list of updates that each active person gets. Then picks one active person at random, and checks
    /// which updates this person can open.
    pub(super) async fn check_pages(&mut self) {
        let active = self.active();
        for member in &active {
            let (member, client) = (*member, &self.members[*member].client);
            let listed = client.get("/updates?limit=100").await.expect(200).json();
            let listed: BTreeSet<&str> = array(&listed["items"])
                .iter()
                .map(|row| text(&row["id"]))
                .collect();
            let wanted = self
                .updates
                .iter()
                .filter(|update| !update.trashed && self.may_open(member, update));
            assert_eq!(
                listed,
                wanted.map(|update| update.id.as_str()).collect(),
                "library of {member}: {:#?}",
                self.log
            );
        }
        let member = active[self.random.below(active.len())];
        for (at, update) in self.updates.iter().enumerate() {
            let status = self.members[member]
                .client
                .get(&format!("/updates/{}", update.id))
                .await
                .status
                .as_u16();
            let wanted = if self.may_open(member, update) {
                200
            } else {
                404
            };
            assert_eq!(status, wanted, "{member} opens {at}: {:#?}", self.log);
        }
    }
}
