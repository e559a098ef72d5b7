//! A property test. After each of many random operations, the table `update_access` must agree with a second, simple
//! implementation of the access rule.

mod people;
mod rule;
mod updates;

use std::collections::{BTreeMap, BTreeSet};

use hearback::ids::random;

use crate::app::{Client, TestApp, email};

/// Marsaglia's xorshift64. The same seed gives the same operations on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    /// Picks each element with a probability of one third.
    fn subset<T: Clone>(&mut self, from: &[T]) -> Vec<T> {
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
    owner: usize,
    members: BTreeSet<usize>,
}

/// The audience that the author chose. `groups` contains group ids.
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
    /// For each group, the people who received the update as members of that group.
    sent_through: BTreeMap<String, BTreeSet<usize>>,
    recipients: BTreeSet<usize>,
}

/// The server under test and the state that it should have.
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

    /// Picks a random update that satisfies the condition and whose author is active.
    fn pick(&mut self, matches: impl Fn(&Update) -> bool) -> Option<usize> {
        let found: Vec<usize> = (0..self.updates.len())
            .filter(|at| {
                matches(&self.updates[*at]) && self.members[self.updates[*at].author].active
            })
            .collect();
        if found.is_empty() {
            None
        } else {
            Some(found[self.random.below(found.len())])
        }
    }

    /// Returns the client of an update's author, and the path of the update.
    fn author(&self, at: usize) -> (&Client, String) {
        (
            &self.members[self.updates[at].author].client,
            format!("/updates/{}", self.updates[at].id),
        )
    }

    fn random_audience(&mut self) -> Audience {
        let active = self.active();
        let groups: Vec<String> = self.groups.keys().cloned().collect();
        let invited: Vec<String> = self.invitations.keys().cloned().collect();
        Audience {
            named: self.random.subset(&active).into_iter().collect(),
            invited: self.random.subset(&invited).into_iter().collect(),
            groups: self.random.subset(&groups).into_iter().collect(),
            everyone: self.random.below(6) == 0,
        }
    }

    /// Returns the audience in the format of a request: email addresses, group names and `everyone`.
    fn names(&self, audience: &Audience) -> Vec<String> {
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
            4 | 5 => self.change_audience().await,
            6 => self.change_visibility().await,
            7 => self.toggle_later_members().await,
            8 => self.undo_publication().await,
            9 => self.trash_or_restore().await,
            10 | 11 => self.change_members().await,
            12 => self.leave_group().await,
            13 => self.create_or_delete_group().await,
            14 => self.deactivate_or_activate().await,
            _ => match self.random.below(3) {
                0 => self.invite().await,
                1 => self.accept_invitation().await,
                _ => self.open().await,
            },
        }
    }
}

/// Returns the seeds: two fixed ones, plus `HEARBACK_SOAK` random ones (0 by default). A failure
/// prints its seed.
fn seeds() -> Vec<u64> {
    let more = std::env::var("HEARBACK_SOAK").map_or(0, |count| count.parse().unwrap());
    let random = (0..more).map(|_| u64::from_le_bytes(random::<8>()) | 1);
    [0x9e37_79b9_7f4a_7c15, 0xd1b5_4a32_d192_ed03]
        .into_iter()
        .chain(random)
        .collect()
}

#[actix_web::test]
async fn access_table_matches_the_access_rule_after_random_operations() {
    const STEPS: usize = 120;
    for seed in seeds() {
        let mut team = Team::new(seed).await;
        for _ in 0..2 {
            team.create_or_delete_group().await;
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
