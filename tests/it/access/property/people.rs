//! The random operations on groups and people.

use std::collections::BTreeSet;

use hearback::people;
use serde_json::json;

use super::{Group, Member, Team};
use crate::app::{Client, PASSWORD, array, text};

impl Team {
    pub(super) async fn change_members(&mut self) {
        let changeable: Vec<Group> = self
            .groups
            .values()
            .filter(|group| self.members[group.owner].active)
            .cloned()
            .collect();
        if changeable.is_empty() {
            return;
        }
        let group = changeable[self.random.below(changeable.len())].clone();
        let active = self.active();
        let members: BTreeSet<usize> = self.random.subset(&active).into_iter().collect();
        self.log.push(format!("@{} is {members:?}", group.name));
        let emails: Vec<&str> = members
            .iter()
            .map(|member| self.members[*member].email.as_str())
            .collect();
        self.members[group.owner]
            .client
            .patch(
                &format!("/groups/{}", group.id),
                json!({ "members": emails }),
            )
            .await
            .expect(200);
        self.groups.get_mut(&group.id).unwrap().members = members;
    }

    pub(super) async fn leave_group(&mut self) {
        let all: Vec<(String, usize)> = self
            .groups
            .values()
            .flat_map(|group| {
                group
                    .members
                    .iter()
                    .map(|member| (group.id.clone(), *member))
            })
            .collect();
        let all: Vec<(String, usize)> = all
            .into_iter()
            .filter(|(_, member)| self.members[*member].active)
            .collect();
        if all.is_empty() {
            return;
        }
        let (group, member) = all[self.random.below(all.len())].clone();
        self.log
            .push(format!("{member} leaves {}", self.groups[&group].name));
        let client = &self.members[member].client;
        client
            .delete(&format!("/groups/{group}/members/{}", client.id))
            .await
            .expect(204);
        self.groups.get_mut(&group).unwrap().members.remove(&member);
    }

    pub(super) async fn create_or_delete_group(&mut self) {
        if self.groups.len() < 2 || self.random.coin() {
            self.create_group().await;
        } else {
            self.delete_group().await;
        }
    }

    async fn create_group(&mut self) {
        let active = self.active();
        let owner = active[self.random.below(active.len())];
        let name = format!("g{}", self.log.len());
        let created = self.members[owner]
            .client
            .post("/groups", json!({ "name": name }))
            .await
            .expect(201)
            .json();
        let id = text(&created["id"]).to_owned();
        self.log.push(format!("{owner} creates @{name}"));
        let group = Group {
            id: id.clone(),
            name,
            owner,
            members: BTreeSet::new(),
        };
        self.groups.insert(id, group);
    }

    /// Deletes a group. In the audience of a published update, the server replaces the group with
    /// the recipients who received the update through it. In the audience of a draft, it replaces
    /// the group with its members.
    async fn delete_group(&mut self) {
        let groups: Vec<String> = self.groups.keys().cloned().collect();
        let id = groups[self.random.below(groups.len())].clone();
        self.log
            .push(format!("@{} is deleted", self.groups[&id].name));
        self.admin
            .delete(&format!("/groups/{id}"))
            .await
            .expect(204);
        let group = self.groups.remove(&id).unwrap();
        for update in &mut self.updates {
            if !update.audience.groups.remove(&id) {
                continue;
            }
            let sent = update.sent_through.remove(&id).unwrap_or_default();
            let named = if update.published_at.is_some() {
                &sent & &update.recipients
            } else {
                group.members.clone()
            };
            update.audience.named.extend(named);
        }
    }

    pub(super) async fn deactivate_or_activate(&mut self) {
        let member = self.random.below(self.members.len());
        let active = !self.members[member].active;
        if !active && self.active().len() < 3 {
            return;
        }
        self.log.push(format!("{member} is active: {active}"));
        let id = self.members[member].client.id.clone();
        self.admin
            .patch(&format!("/people/{id}"), json!({ "active": active }))
            .await
            .expect(200);
        self.members[member].active = active;
        if active {
            // Deactivation revoked the member's token, so the client needs a new one.
            self.members[member].client = self.sign_in(&id).await;
        }
    }

    /// Creates a new token for the person and returns a client that uses it.
    async fn sign_in(&self, id: &str) -> Client {
        let mut tx = self.app.state.db.begin().await.unwrap();
        let (_, token) = people::create_token(&mut tx, &self.app.state.clock, id, "test")
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let mut client = self.app.client().bearer(&token);
        id.clone_into(&mut client.id);
        client
    }

    pub(super) async fn invite(&mut self) {
        if self.members.len() + self.invitations.len() >= 6 {
            return;
        }
        let email = format!("new{}@example.org", self.log.len());
        self.log.push(format!("{email} is invited"));
        let created = self
            .admin
            .post("/invitations", json!({ "emails": [email] }))
            .await
            .expect(201)
            .json();
        self.invitations
            .insert(email, text(&created["items"][0]["url"]).to_owned());
    }

    pub(super) async fn accept_invitation(&mut self) {
        let Some((email, url)) = self.invitations.pop_first() else {
            return;
        };
        let member = self.members.len();
        self.log.push(format!("{email} joins as {member}"));
        self.app
            .client()
            .post(&url, json!({ "name": email, "password": PASSWORD }))
            .await
            .expect(204);
        let people = self.admin.get("/people").await.expect(200).json();
        let person = array(&people["items"])
            .iter()
            .find(|person| person["email"] == json!(email))
            .unwrap();
        let client = self.sign_in(text(&person["id"])).await;
        for update in &mut self.updates {
            if !update.audience.invited.remove(&email) {
                continue;
            }
            update.audience.named.insert(member);
            if update.published_at.is_some() {
                update.recipients.insert(member);
            }
        }
        self.members.push(Member {
            client,
            email,
            active: true,
        });
    }
}
