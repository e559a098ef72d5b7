//! The people who take part in the benchmark.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use hearback::people::{self, NewAccount, Role};
use serde_json::{Value, json};

use crate::CROWD;
use crate::app::{Client, Response, TestApp, email};
use crate::database::analyze;

const ZONES: [&str; 14] = [
    "Pacific/Auckland",
    "Australia/Sydney",
    "Asia/Tokyo",
    "Asia/Shanghai",
    "Asia/Kolkata",
    "Asia/Dubai",
    "Africa/Nairobi",
    "Europe/Warsaw",
    "Europe/London",
    "Atlantic/Azores",
    "America/Sao_Paulo",
    "America/New_York",
    "America/Denver",
    "America/Los_Angeles",
];

const HOURS: [Option<&str>; 4] = [
    None,
    Some(r#"{"days":[1,2,3,4,5],"from":"07:30","to":"15:30"}"#),
    Some(r#"{"days":[1,2,3,4],"from":"10:00","to":"19:00"}"#),
    Some(r#"{"days":[7,1,2,3,4],"from":"09:00","to":"18:00"}"#),
];

/// The author of the updates and 3,000 recipients. The recipients have different time zones and working hours, and
/// some of them are away.
pub(crate) struct Crowd {
    pub(crate) author: Client,
    pub(crate) browser: Client,
    pub(crate) people: Vec<Client>,
    pub(crate) reader: Client,
}

impl Crowd {
    pub(crate) async fn gather(app: &TestApp) -> Self {
        let (clock, nobody) = (&app.state.clock, app.client());
        let mut people = Vec::new();
        let mut tx = app.state.db.begin().await.unwrap();
        for n in 0..CROWD - 1 {
            let name = format!("Person {n}");
            let time_zone = ZONES[n % ZONES.len()].to_owned();
            let new = NewAccount {
                email: email(&name),
                name,
                role: Role::Member,
                password: None,
                time_zone,
            };
            let id = people::add(&mut tx, clock, &new).await.unwrap();
            sqlx::query("UPDATE people SET working_hours = $1, away_until = $2 WHERE id = $3")
                .bind(HOURS[n / ZONES.len() % HOURS.len()])
                .bind((n % 20 == 7).then(|| clock.now() + 5 * 24 * 3_600_000))
                .bind(&id)
                .execute(&mut *tx)
                .await
                .unwrap();
            let (_, token) = people::create_token(&mut tx, clock, &id, "bench")
                .await
                .unwrap();
            let mut person = nobody.clone().bearer(&token);
            person.id = id;
            people.push(person);
        }
        tx.commit().await.unwrap();
        let author = app.person("Author").await;
        // The last recipient also has a browser client, `reader`, which requests pages.
        people.push(app.person("Reader").await);
        let crowd = Self {
            author,
            browser: app.browser("Author").await,
            people,
            reader: app.browser("Reader").await,
        };
        for (name, count) in [("crowd", CROWD), ("ten", 10)] {
            let members: Vec<String> = crowd.addresses(count);
            crowd
                .author
                .post("/groups", json!({ "name": name, "members": members }))
                .await
                .expect(201);
        }
        analyze(app).await;
        crowd
    }

    /// Returns the email addresses of the `count` people who were added last.
    pub(crate) fn addresses(&self, count: usize) -> Vec<String> {
        let named = (0..CROWD - 1).rev().map(|n| format!("Person {n}"));
        std::iter::once("Reader".to_owned())
            .chain(named)
            .take(count)
            .map(|name| email(&name))
            .collect()
    }

    /// Publishes an update. Returns its path, the response to the publication, and how long it took
    /// to save the draft and to publish it.
    pub(crate) async fn publish(&self, fields: &Value) -> (String, Response, [Duration; 2]) {
        let began = Instant::now();
        let draft = self
            .author
            .post("/updates", fields.clone())
            .await
            .expect(201);
        let drafted = began.elapsed();
        let path = format!("/updates/{}", draft.json()["id"].as_str().unwrap());
        let began = Instant::now();
        let published = self
            .author
            .put(&format!("{path}/publication"))
            .await
            .expect(200);
        (path, published, [drafted, began.elapsed()])
    }

    /// Requests the inboxes of the `count` people who were added last, eight at a time. Returns how
    /// many different due times these inboxes show for the update. Panics if the update is missing
    /// from an inbox.
    pub(crate) async fn all_have(&self, path: &str, section: &str, count: usize) -> usize {
        let id = path.rsplit('/').next().unwrap();
        let asked = stream::iter(self.people.iter().rev().take(count)).map(async |person| {
            let inbox = person.get("/inbox").await.expect(200).json();
            let entry = inbox[section]
                .as_array()
                .unwrap()
                .iter()
                .find(|entry| entry["update"]["id"] == id)
                .cloned();
            entry.expect("an inbox lacks what was published")["due"].to_string()
        });
        asked
            .buffer_unordered(8)
            .collect::<BTreeSet<String>>()
            .await
            .len()
    }
}
