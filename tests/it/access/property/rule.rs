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

    /// Checks the lists that each active person gets, with and without filters and search words. Then picks one active
    /// person at random, and checks which updates this person can open.
    pub(super) async fn check_pages(&mut self) {
        self.app.wait_for_jobs().await;
        let active = self.active();
        for member in &active {
            self.check_lists(*member).await;
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

    /// Compares the lists of a person with the rule.
    async fn check_lists(&self, member: usize) {
        let listed = |update: &Update| !update.trashed && self.may_open(member, update);
        let mut lists: Vec<(String, Vec<&Update>)> = vec![
            ("".to_owned(), self.those(listed)),
            (
                "&state=published".to_owned(),
                self.those(|update| listed(update) && update.published_at.is_some()),
            ),
            (
                "&state=draft".to_owned(),
                self.those(|update| listed(update) && update.published_at.is_none()),
            ),
            (
                "&state=trashed".to_owned(),
                self.those(|update| update.trashed && update.author == member),
            ),
            (
                "&audience=me".to_owned(),
                self.those(|update| {
                    let sent = update.audience.everyone || update.recipients.contains(&member);
                    listed(update)
                        && update.author != member
                        && sent
                        && update.published_at.is_some()
                }),
            ),
        ];
        for (author, person) in self.members.iter().enumerate() {
            let of_author = self.those(|update| listed(update) && update.author == author);
            lists.push((format!("&author={}", person.client.id), of_author));
        }
        for (filter, wanted) in lists {
            let mut wanted: Vec<&str> = wanted.iter().map(|update| update.id.as_str()).collect();
            wanted.sort_unstable();
            for path in [
                format!("/updates?limit=7{filter}"),
                format!("/updates?limit=7&q=common{filter}"),
                format!("/updates?limit=7&q=comm{filter}"),
            ] {
                let mut found = self.all_pages(member, &path).await;
                found.sort_unstable();
                assert_eq!(found, wanted, "{path} of {member}: {:#?}", self.log);
            }
        }
    }

    fn those(&self, matches: impl Fn(&Update) -> bool) -> Vec<&Update> {
        self.updates
            .iter()
            .filter(|update| matches(update))
            .collect()
    }

    /// Returns the ids of the updates on all pages of a list. Checks that published updates are sorted by time.
    async fn all_pages(&self, member: usize, path: &str) -> Vec<String> {
        let (mut ids, mut times, mut after) = (Vec::new(), Vec::new(), String::new());
        loop {
            let client = &self.members[member].client;
            let page = client.get(&format!("{path}&after={after}")).await;
            let page = page.expect(200).json();
            for row in array(&page["items"]) {
                ids.push(text(&row["id"]).to_owned());
                times.extend(row["published_at"].as_str().map(str::to_owned));
            }
            match page["next"].as_str() {
                Some(next) => after = next.to_owned(),
                None => break,
            }
        }
        assert!(
            times.is_sorted_by(|newer, older| newer >= older),
            "{path} of {member}: {times:#?}"
        );
        ids
    }
}
