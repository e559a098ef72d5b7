//! Random operations of a team, and after each of them `update_access` against the plain rule, which is written here a second time.

use std::collections::{BTreeMap, BTreeSet};

use hearback::clock::random;
use hearback::people;
use serde_json::{Value, json};

use crate::app::{Client, PASSWORD, TestApp, email};

/// Marsaglia's xorshift64: the same operations for the same seed, on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }

    fn flip(&mut self) -> bool {
        self.below(2) == 0
    }

    fn some<T: Clone>(&mut self, from: &[T]) -> Vec<T> {
        from.iter()
            .filter(|_| self.below(3) == 0)
            .cloned()
            .collect()
    }
}

struct Member {
    client: Client,
    email: String,
    active: bool,
}

#[derive(Clone)]
struct Group {
    id: String,
    name: String,
    maker: usize,
    members: BTreeSet<usize>,
}

/// Whom an author names; groups by their id.
#[derive(Clone, Default)]
struct Audience {
    named: BTreeSet<usize>,
    invited: BTreeSet<String>,
    groups: BTreeSet<String>,
    everyone: bool,
}

struct Update {
    id: String,
    author: usize,
    audience: Audience,
    workspace: bool,
    later_members: bool,
    published_at: Option<i64>,
    trashed: bool,
    /// Those it was sent to through each group.
    asked: BTreeMap<String, BTreeSet<usize>>,
    recipients: BTreeSet<usize>,
}

/// What the test believes, and the program it drives.
struct Team {
    app: TestApp,
    random: Random,
    admin: Client,
    members: Vec<Member>,
    groups: BTreeMap<String, Group>,
    updates: Vec<Update>,
    invitations: BTreeMap<String, String>,
    log: Vec<String>,
}

impl Team {
    async fn new(seed: u64) -> Self {
        let app = TestApp::start().await;
        let admin = app.admin("Root").await;
        let mut members = Vec::new();
        for name in ["Ada", "Bob", "Cyd", "Dan"] {
            members.push(Member {
                client: app.person(name).await,
                email: email(name),
                active: true,
            });
        }
        let (groups, updates, invitations, log) = (
            BTreeMap::new(),
            Vec::new(),
            BTreeMap::new(),
            vec![format!("seed {seed}")],
        );
        Self {
            app,
            random: Random(seed),
            admin,
            members,
            groups,
            updates,
            invitations,
            log,
        }
    }

    fn active(&self) -> Vec<usize> {
        (0..self.members.len())
            .filter(|member| self.members[*member].active)
            .collect()
    }

    fn group_members(&self, group: &str) -> BTreeSet<usize> {
        self.groups[group].members.clone()
    }

    /// An update that fits, with an active author.
    fn pick(&mut self, fits: impl Fn(&Update) -> bool) -> Option<usize> {
        let fitting: Vec<usize> = (0..self.updates.len())
            .filter(|at| fits(&self.updates[*at]) && self.members[self.updates[*at].author].active)
            .collect();
        if fitting.is_empty() {
            None
        } else {
            Some(fitting[self.random.below(fitting.len())])
        }
    }

    fn author(&self, at: usize) -> (&Client, String) {
        (
            &self.members[self.updates[at].author].client,
            format!("/updates/{}", self.updates[at].id),
        )
    }

    fn audience(&mut self) -> Audience {
        let active = self.active();
        let groups: Vec<String> = self.groups.keys().cloned().collect();
        let invited: Vec<String> = self.invitations.keys().cloned().collect();
        Audience {
            named: self.random.some(&active).into_iter().collect(),
            invited: self.random.some(&invited).into_iter().collect(),
            groups: self.random.some(&groups).into_iter().collect(),
            everyone: self.random.below(6) == 0,
        }
    }

    fn words(&self, audience: &Audience) -> Vec<String> {
        let named = audience
            .named
            .iter()
            .map(|member| self.members[*member].email.clone());
        let groups = audience
            .groups
            .iter()
            .map(|group| format!("@{}", self.groups[group].name));
        let everyone = audience.everyone.then(|| "everyone".to_owned());
        named
            .chain(groups)
            .chain(audience.invited.iter().cloned())
            .chain(everyone)
            .collect()
    }

    async fn step(&mut self) {
        match self.random.below(16) {
            0 | 1 => self.create().await,
            2 | 3 => self.publish().await,
            4 | 5 => self.edit_audience().await,
            6 => self.edit_visibility().await,
            7 => self.edit_later_members().await,
            8 => self.undo().await,
            9 => self.trash_or_restore().await,
            10 | 11 => self.change_members().await,
            12 => self.leave().await,
            13 => self.make_or_delete_group().await,
            14 => self.deactivate_or_activate().await,
            _ => match self.random.below(3) {
                0 => self.invite().await,
                1 => self.accept().await,
                _ => self.open().await,
            },
        }
    }
}

/// The operations on updates.
impl Team {
    async fn create(&mut self) {
        let active = self.active();
        let author = active[self.random.below(active.len())];
        let audience = self.audience();
        let (workspace, later_members) = (self.random.below(4) == 0, self.random.flip());
        let fields = json!({
            "title": "T", "audience": self.words(&audience), "visibility": if workspace { "workspace" } else { "audience" }, "later_members": later_members,
        });
        self.log.push(format!("{author} creates {fields}"));
        let made = self.members[author]
            .client
            .post("/updates", fields)
            .await
            .expect(201)
            .json();
        self.updates.push(Update {
            id: made["id"].as_str().unwrap().to_owned(),
            author,
            audience,
            workspace,
            later_members,
            published_at: None,
            trashed: false,
            asked: BTreeMap::new(),
            recipients: BTreeSet::new(),
        });
    }

    /// Those who become recipients now, besides those who are.
    fn send(&mut self, at: usize, new_groups: &BTreeSet<String>) {
        let active: BTreeSet<usize> = self
            .active()
            .into_iter()
            .filter(|member| *member != self.updates[at].author)
            .collect();
        for group in new_groups {
            let asked = self
                .group_members(group)
                .intersection(&active)
                .copied()
                .collect();
            self.updates[at].asked.insert(group.clone(), asked);
        }
        let update = &mut self.updates[at];
        update
            .recipients
            .extend(update.audience.named.intersection(&active));
    }

    async fn publish(&mut self) {
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
        update.recipients.extend(update.asked.values().flatten());
    }

    async fn edit_audience(&mut self) {
        let Some(at) = self.pick(|update| !update.trashed) else {
            return;
        };
        let audience = self.audience();
        let fields = json!({ "audience": self.words(&audience) });
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
            .asked
            .retain(|group, _| groups.contains(group));
        self.send(at, &groups.difference(&before.groups).cloned().collect());
        let update = &mut self.updates[at];
        let asked: BTreeSet<usize> = update.asked.values().flatten().copied().collect();
        update.recipients.extend(&asked);
        if !update.audience.everyone {
            let named = update.audience.named.clone();
            update
                .recipients
                .retain(|member| named.contains(member) || asked.contains(member));
        }
    }

    async fn edit_visibility(&mut self) {
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

    async fn edit_later_members(&mut self) {
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

    async fn undo(&mut self) {
        let Some(at) = self.pick(|update| update.published_at.is_some() && !update.trashed) else {
            return;
        };
        self.log.push(format!("undoes {at}"));
        let (author, path) = self.author(at);
        let answer = author.delete(&format!("{path}/publication")).await;
        if answer.status.as_u16() == 409 {
            let published_at = self.updates[at].published_at.unwrap();
            assert!(
                self.app.state.clock.now() - published_at + 1000 > 10_000,
                "refused too early: {}",
                answer.text()
            );
            return;
        }
        answer.expect(200);
        let update = &mut self.updates[at];
        (update.published_at, update.recipients, update.asked) =
            (None, BTreeSet::new(), BTreeMap::new());
    }

    async fn trash_or_restore(&mut self) {
        let trash = self.random.flip();
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

    async fn open(&mut self) {
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

/// The operations on groups and people.
impl Team {
    async fn change_members(&mut self) {
        let mine: Vec<Group> = self
            .groups
            .values()
            .filter(|group| self.members[group.maker].active)
            .cloned()
            .collect();
        if mine.is_empty() {
            return;
        }
        let group = mine[self.random.below(mine.len())].clone();
        let active = self.active();
        let members: BTreeSet<usize> = self.random.some(&active).into_iter().collect();
        self.log.push(format!("@{} is {members:?}", group.name));
        let emails: Vec<&str> = members
            .iter()
            .map(|member| self.members[*member].email.as_str())
            .collect();
        self.members[group.maker]
            .client
            .patch(
                &format!("/groups/{}", group.id),
                json!({ "members": emails }),
            )
            .await
            .expect(200);
        self.groups.get_mut(&group.id).unwrap().members = members;
    }

    async fn leave(&mut self) {
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

    async fn make_or_delete_group(&mut self) {
        if self.groups.len() < 2 || self.random.flip() {
            let active = self.active();
            let maker = active[self.random.below(active.len())];
            let name = format!("g{}", self.log.len());
            let made = self.members[maker]
                .client
                .post("/groups", json!({ "name": name }))
                .await
                .expect(201)
                .json();
            let id = made["id"].as_str().unwrap().to_owned();
            self.log.push(format!("{maker} makes @{name}"));
            self.groups.insert(
                id.clone(),
                Group {
                    id,
                    name,
                    maker,
                    members: BTreeSet::new(),
                },
            );
            return;
        }
        let groups: Vec<String> = self.groups.keys().cloned().collect();
        let id = groups[self.random.below(groups.len())].clone();
        self.log
            .push(format!("@{} is deleted", self.groups[&id].name));
        self.admin
            .delete(&format!("/groups/{id}"))
            .await
            .expect(204);
        let group = self.groups.remove(&id).unwrap();
        for update in self
            .updates
            .iter_mut()
            .filter(|update| update.audience.groups.contains(&id))
        {
            update.audience.groups.remove(&id);
            let asked = update.asked.remove(&id).unwrap_or_default();
            let named = if update.published_at.is_some() {
                &asked & &update.recipients
            } else {
                group.members.clone()
            };
            update.audience.named.extend(named);
        }
    }

    async fn deactivate_or_activate(&mut self) {
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
            // The old token ended with the deactivation.
            self.members[member].client = self.signed_in(&id).await;
        }
    }

    async fn signed_in(&self, id: &str) -> Client {
        let mut tx = self.app.state.db.begin().await.unwrap();
        let (_, token) = people::create_token(&mut tx, &self.app.state.clock, id, "test")
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let mut client = self.app.client().bearer(&token);
        id.clone_into(&mut client.id);
        client
    }

    async fn invite(&mut self) {
        if self.members.len() + self.invitations.len() >= 6 {
            return;
        }
        let email = format!("new{}@example.org", self.log.len());
        self.log.push(format!("{email} is invited"));
        let made = self
            .admin
            .post("/invitations", json!({ "emails": [email] }))
            .await
            .expect(201)
            .json();
        self.invitations
            .insert(email, made["items"][0]["url"].as_str().unwrap().to_owned());
    }

    async fn accept(&mut self) {
        let Some((email, url)) = self.invitations.pop_first() else {
            return;
        };
        self.log
            .push(format!("{email} joins as {}", self.members.len()));
        self.app
            .client()
            .post(&url, json!({ "name": email, "password": PASSWORD }))
            .await
            .expect(204);
        let people = self.admin.get("/people").await.expect(200).json();
        let person: &Value = people["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|person| person["email"] == json!(email))
            .unwrap();
        let client = self.signed_in(person["id"].as_str().unwrap()).await;
        let member = self.members.len();
        self.members.push(Member {
            client,
            email: email.clone(),
            active: true,
        });
        for update in self
            .updates
            .iter_mut()
            .filter(|update| update.audience.invited.contains(&email))
        {
            update.audience.invited.remove(&email);
            update.audience.named.insert(member);
            if update.published_at.is_some() {
                update.recipients.insert(member);
            }
        }
    }
}

/// The plain rule, and what is compared with it.
impl Team {
    fn may_open(&self, member: usize, update: &Update) -> bool {
        let later = || {
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
            || later();
        update.author == member || (update.published_at.is_some() && !update.trashed && others)
    }

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

    async fn check_table(&self) {
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
        let stale = "SELECT count(*) FROM update_access x JOIN updates u ON u.id = x.update_id WHERE x.listed_at <> u.listed_at";
        assert_eq!(self.app.count(stale).await, 0, "{:#?}", self.log);
    }

    /// What the program answers: the library of everyone, and each update to one of them.
    async fn check_pages(&mut self) {
        let active = self.active();
        for member in &active {
            let (member, client) = (*member, &self.members[*member].client);
            let listed = client.get("/updates?limit=100").await.expect(200).json();
            let listed: BTreeSet<&str> = listed["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| row["id"].as_str().unwrap())
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

/// Two fixed seeds, and `HEARBACK_SOAK` (0) random ones. A failure prints its seed.
fn seeds() -> Vec<u64> {
    let more = std::env::var("HEARBACK_SOAK").map_or(0, |count| count.parse().unwrap());
    let random = (0..more).map(|_| u64::from_le_bytes(random::<8>()) | 1);
    [0x9e37_79b9_7f4a_7c15, 0xd1b5_4a32_d192_ed03]
        .into_iter()
        .chain(random)
        .collect()
}

#[actix_web::test]
async fn access_table_follows_the_plain_rule_through_random_operations() {
    const STEPS: usize = 120;
    for seed in seeds() {
        let mut team = Team::new(seed).await;
        for _ in 0..2 {
            team.make_or_delete_group().await;
        }
        for step in 1..=STEPS {
            team.step().await;
            team.check_table().await;
            if step % 40 == 0 {
                team.check_pages().await;
            }
        }
    }
}
