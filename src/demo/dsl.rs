//! The people of the demo, and a builder that performs the steps of the demo's story.

mod answers;
mod discussion;
mod files;

use std::collections::BTreeMap;

use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::people::{self, Grant, NewAccount, PasswordHash, Person, Role, Viewer};
use crate::state::State;
use crate::updates::{self, Content, ResolvedAudience};

pub(super) use self::discussion::Place;
use self::files::StoryFile;

pub(super) const HOUR: Millis = 3_600_000;

/// Names and time zones of the people. The first person is the admin.
pub(super) const PEOPLE: [(&str, &str); 12] = [
    ("Ada Nowak", "Europe/Warsaw"),
    ("Piotr Zieliński", "Europe/Warsaw"),
    ("Zofia Wójcik", "Europe/Warsaw"),
    ("Jan Kowalski", "Europe/Warsaw"),
    ("Aroha Ngata", "Pacific/Auckland"),
    ("Tama Walker", "Pacific/Auckland"),
    ("Mia Chen", "Pacific/Auckland"),
    ("Sam Rivera", "America/Los_Angeles"),
    ("Grace Kim", "America/Los_Angeles"),
    ("Leo Martin", "America/Los_Angeles"),
    ("Wanjiku Mwangi", "Africa/Nairobi"),
    ("Otieno Were", "Africa/Nairobi"),
];

/// Returns the email address of a person, such as `ada@example.org` for Ada Nowak.
pub(super) fn email(name: &str) -> String {
    let first = name.split(' ').next().unwrap_or(name);
    format!("{}@example.org", crate::text::fold(first))
}

/// Performs the steps of the demo's story, each on behalf of one of the people.
pub(super) struct StoryBuilder<'a> {
    pub(super) state: &'a State,
    people: BTreeMap<&'static str, Person>,
}

impl<'a> StoryBuilder<'a> {
    /// Creates the accounts, all with the same password.
    pub(super) async fn create_accounts(state: &'a State, password: &str) -> Result<Self> {
        let password = PasswordHash::new(password, &[]).await?;
        let mut people = BTreeMap::new();
        let mut tx = state.db.begin().await?;
        for (at, (name, zone)) in PEOPLE.into_iter().enumerate() {
            let role = if at == 0 { Role::Admin } else { Role::Member };
            let new = NewAccount {
                email: email(name),
                name: name.into(),
                role,
                password: Some(password.clone()),
                time_zone: zone.into(),
            };
            let id = people::add(&mut tx, &state.clock, &new).await?;
            let grant = Grant::Session(String::new());
            people.insert(
                name,
                Person {
                    id,
                    name: new.name,
                    email: new.email,
                    role,
                    time_zone: new.time_zone,
                    grant,
                },
            );
        }
        tx.commit().await?;
        Ok(Self { state, people })
    }

    /// Advances the clock; negative hours set it back.
    pub(super) fn advance_hours(&self, hours: f64) {
        #[allow(
            clippy::cast_possible_truncation,
            reason = "the demo covers a few days, so the milliseconds fit into an i64"
        )]
        self.state.clock.advance((hours * HOUR as f64) as Millis);
    }

    /// Finds a person by first or full name.
    pub(super) fn person(&self, name: &str) -> Result<&Person> {
        let found = self
            .people
            .iter()
            .find(|(whole, _)| whole.starts_with(name))
            .map(|(_, person)| person);
        found.ok_or_else(|| Error::internal(format!("the demo has no person called {name}")))
    }

    pub(super) fn viewer(&self, name: &str) -> Result<Viewer> {
        Ok(Viewer::Person(self.person(name)?.clone()))
    }

    fn ids(&self, names: &[&str]) -> Result<Vec<String>> {
        names
            .iter()
            .map(|name| Ok(self.person(name)?.id.clone()))
            .collect()
    }

    /// Resolves an audience. Each of the `names` is the name of a person, the `@handle` of a group, or `everyone`.
    pub(super) async fn audience(&self, names: &[&str]) -> Result<Option<ResolvedAudience>> {
        let mut tx = self.state.db.begin().await?;
        let by = self.person("Ada")?;
        let given: Vec<String> = names
            .iter()
            .map(|name| {
                if name.starts_with('@') || *name == "everyone" {
                    Ok((*name).to_owned())
                } else {
                    Ok(self.person(name)?.email.clone())
                }
            })
            .collect::<Result<_>>()?;
        let addressed = updates::resolve_addresses(&mut tx, &self.state.clock, by, &given).await?;
        tx.commit().await?;
        Ok(Some(addressed))
    }

    pub(super) async fn group(&self, by: &str, name: &str, members: &[&str]) -> Result<()> {
        let members = self.ids(members)?;
        let mut tx = self.state.db.begin().await?;
        people::groups::create(&mut tx, &self.state.clock, self.person(by)?, name, &members)
            .await?;
        tx.commit().await
    }

    /// Creates and publishes an update and returns its id.
    pub(super) async fn publish(
        &self,
        by: &str,
        content: Content,
        files: Vec<StoryFile>,
    ) -> Result<String> {
        let id = self.draft(by, content, files).await?;
        let mut tx = self.state.db.begin().await?;
        updates::publish(&mut tx, &self.state.clock, &self.viewer(by)?, &id).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Creates a draft and returns its id.
    pub(super) async fn draft(
        &self,
        by: &str,
        content: Content,
        files: Vec<StoryFile>,
    ) -> Result<String> {
        let mut tx = self.state.db.begin().await?;
        let update =
            updates::create(&mut tx, &self.state.clock, self.person(by)?, &content).await?;
        tx.commit().await?;
        for file in files {
            self.attach(by, &update.id, file).await?;
        }
        Ok(update.id)
    }

    pub(super) async fn edit(&self, by: &str, id: &str, content: Content) -> Result<()> {
        let mut tx = self.state.db.begin().await?;
        updates::edit(&mut tx, &self.state.clock, &self.viewer(by)?, id, &content).await?;
        tx.commit().await
    }
}
