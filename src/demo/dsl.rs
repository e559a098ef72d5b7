//! The people of the demo, and a builder that performs the steps of the demo's story.

use std::collections::BTreeMap;
use std::io::Cursor;

use bytes::Bytes;
use futures_util::stream;

use crate::clock::Millis;
use crate::comments::{self, Anchor, NewComment};
use crate::error::{Error, Result};
use crate::media::{self, StoredFile};
use crate::people::{self, Grant, NewAccount, PasswordHash, Person, Role, Viewer};
use crate::receipts::{self, Answer, Verdict};
use crate::sample;
use crate::state::State;
use crate::updates::{self, Content, ResolvedAudience};

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

    pub(super) async fn video(&self) -> Result<Vec<StoredFile>> {
        Ok(vec![sample::store_video(&self.state.uploads).await?])
    }

    /// Draws a bar chart and returns the stored picture. `bars` are the heights, from 0 to 100. The
    /// last bar has a different color.
    pub(super) async fn picture(&self, bars: &[u32]) -> Result<Vec<StoredFile>> {
        let [paper, ink, heard] = [
            image::Rgb([0xfb, 0xf8, 0xf2]),
            image::Rgb([0x56, 0x4b, 0x42]),
            image::Rgb([0x18, 0x5b, 0x37]),
        ];
        let width = 120 * u32::try_from(bars.len()).unwrap_or(1) + 80;
        let picture = image::RgbImage::from_fn(width, 560, |x, y| {
            let at = usize::try_from(x.saturating_sub(60) / 120).unwrap_or(0);
            let inside = x >= 60 && (x - 60) % 120 < 80 && y < 500;
            match bars.get(at) {
                Some(height) if inside && 500 - y <= height * 4 => {
                    if at + 1 == bars.len() {
                        heard
                    } else {
                        ink
                    }
                }
                _ if (500..503).contains(&y) => ink,
                _ => paper,
            }
        });
        let mut bytes = Cursor::new(Vec::new());
        picture
            .write_to(&mut bytes, image::ImageFormat::Png)
            .map_err(Error::internal)?;
        let body = stream::iter([Ok(Bytes::from(bytes.into_inner()))]);
        Ok(vec![
            self.state
                .uploads
                .store_file("chart.png", true, body)
                .await?,
        ])
    }

    /// Creates and publishes an update and returns its id.
    pub(super) async fn publish(
        &self,
        by: &str,
        content: Content,
        files: &[StoredFile],
    ) -> Result<String> {
        let id = self.draft(by, content, files).await?;
        let mut tx = self.state.db.begin().await?;
        updates::publish(&mut tx, &self.state.clock, &self.viewer(by)?, &id).await?;
        tx.commit().await?;
        Ok(id)
    }

    pub(super) async fn draft(
        &self,
        by: &str,
        content: Content,
        files: &[StoredFile],
    ) -> Result<String> {
        let mut tx = self.state.db.begin().await?;
        let update =
            updates::create(&mut tx, &self.state.clock, self.person(by)?, &content).await?;
        for file in files {
            media::add(&mut tx, &self.state.clock, &update.id, None, file).await?;
        }
        tx.commit().await?;
        Ok(update.id)
    }

    pub(super) async fn edit(&self, by: &str, id: &str, content: Content) -> Result<()> {
        let mut tx = self.state.db.begin().await?;
        updates::edit(&mut tx, &self.state.clock, &self.viewer(by)?, id, &content).await?;
        tx.commit().await
    }

    /// Records that these people opened the update.
    pub(super) async fn open(&self, id: &str, names: &[&str]) -> Result<()> {
        for name in names {
            let mut tx = self.state.db.begin().await?;
            receipts::record_opening(&mut tx, &self.state.clock, &self.viewer(name)?, id).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Opens the update as this person and records their answer.
    pub(super) async fn answer(&self, name: &str, id: &str, answer: Answer) -> Result<()> {
        self.open(id, &[name]).await?;
        let mut tx = self.state.db.begin().await?;
        let (clock, viewer) = (&self.state.clock, self.viewer(name)?);
        let update = updates::find_locked(&mut tx, &viewer, id).await?;
        receipts::answer(&mut tx, clock, &viewer, &update, &answer, None, None).await?;
        tx.commit().await
    }

    pub(super) async fn acknowledge(&self, id: &str, names: &[&str]) -> Result<()> {
        for name in names {
            self.answer(name, id, Answer::Acknowledged).await?;
        }
        Ok(())
    }

    pub(super) async fn read_back(&self, name: &str, id: &str, words: &str) -> Result<()> {
        self.answer(name, id, Answer::ReadBack(words.into())).await
    }

    pub(super) async fn give_verdict(
        &self,
        by: &str,
        id: &str,
        of: &str,
        verdict: Verdict,
    ) -> Result<()> {
        let mut tx = self.state.db.begin().await?;
        receipts::give_verdict(
            &mut tx,
            &self.state.clock,
            &self.viewer(by)?,
            id,
            &self.person(of)?.id,
            &verdict,
            None,
        )
        .await?;
        tx.commit().await
    }

    /// Shows a recipient's readback, and the author's verdict on it, to every member who can see the
    /// update. `by` is the author and `of` is the recipient.
    pub(super) async fn disclose(&self, by: &str, id: &str, of: &str) -> Result<()> {
        let mut tx = self.state.db.begin().await?;
        let (viewer, person) = (self.viewer(by)?, self.person(of)?);
        let clock = &self.state.clock;
        receipts::set_disclosed(&mut tx, clock, &viewer, id, &person.id, true).await?;
        tx.commit().await
    }

    pub(super) async fn remind(&self, by: &str, id: &str) -> Result<()> {
        let mut tx = self.state.db.begin().await?;
        receipts::remind(&mut tx, &self.state.clock, &self.viewer(by)?, id).await?;
        tx.commit().await
    }

    /// Adds a comment, optionally anchored to a time in the video, and returns its id.
    pub(super) async fn comment(
        &self,
        by: &str,
        id: &str,
        at_ms: Option<Millis>,
        body: &str,
    ) -> Result<String> {
        let anchor = Anchor {
            at_ms,
            ..Anchor::default()
        };
        self.add_comment(
            &self.viewer(by)?,
            id,
            NewComment {
                body: body.into(),
                anchor,
                ..NewComment::default()
            },
        )
        .await
    }

    pub(super) async fn question(&self, by: &str, id: &str, body: &str) -> Result<String> {
        self.add_comment(
            &self.viewer(by)?,
            id,
            NewComment {
                body: body.into(),
                is_question: true,
                ..NewComment::default()
            },
        )
        .await
    }

    pub(super) async fn reply(&self, by: &str, id: &str, to: &str, body: &str) -> Result<String> {
        let parent_id = Some(to.to_owned());
        self.add_comment(
            &self.viewer(by)?,
            id,
            NewComment {
                body: body.into(),
                parent_id,
                ..NewComment::default()
            },
        )
        .await
    }

    pub(super) async fn add_comment(
        &self,
        viewer: &Viewer,
        id: &str,
        new: NewComment,
    ) -> Result<String> {
        let mut tx = self.state.db.begin().await?;
        let update = updates::find(&mut tx, viewer, id).await?;
        let written = comments::add(&mut tx, &self.state.clock, viewer, &update, &new).await?;
        tx.commit().await?;
        Ok(written.id)
    }

    pub(super) async fn accept(&self, by: &str, answer: &str) -> Result<()> {
        let mut tx = self.state.db.begin().await?;
        comments::accept(&mut tx, &self.state.clock, &self.viewer(by)?, answer, true).await?;
        tx.commit().await
    }

    pub(super) async fn react(&self, id: &str, given: &[(&str, &str)]) -> Result<()> {
        let mut tx = self.state.db.begin().await?;
        for (name, emoji) in given {
            comments::react(
                &mut tx,
                &self.state.clock,
                &self.viewer(name)?,
                comments::ReactionTarget::Update(id),
                emoji,
                None,
            )
            .await?;
        }
        tx.commit().await
    }
}
