//! Fills a workspace with updates by SQL. The proportions do not depend on the number of updates:
//!
//! - 500 people. The number of updates that each wrote follows Zipf's law.
//! - Most updates are sent to one, three or ten people, some to a group of twenty, two to everyone.
//! - One update in a hundred is a draft, one is in the trash, and three were begun three months before publication.
//! - A member wrote 0.1% of the updates, was sent 0.7%, and may see 0.2 % as a later member of a group: 1 % in all.
//!   Another 0.1 % are the member's drafts, and another 0.1 % are in the member's trash.
//! - A newcomer sees three updates.
//! - Every second update has a comment. The frequency of words follows Zipf's law, too. The word `budget` occurs in
//!   three of ten updates, the word `quokka` in five that the member may see.
//! - Only the newest thousand updates have unread notifications and missing answers.

use hearback::infra::db::{Dialect, ReadConnection};
use hearback::search;
use sqlx::{AnyConnection, AssertSqlSafe, Executor};

use crate::app::{Client, TestApp};

/// Number of people, without the member and the newcomer.
const PEOPLE: u64 = 500;
/// Number of different words.
const WORDS: u64 = 4096;
/// The period in which the updates were published, in milliseconds.
const SPAN: [i64; 2] = [1_700_000_000_000, 1_790_000_000_000];

/// A workspace with many updates.
pub(crate) struct Workspace {
    pub(crate) app: TestApp,
    /// Sees one percent of the updates.
    pub(crate) member: Client,
    /// Sees three updates.
    pub(crate) newcomer: Client,
    /// An author whom the member knows.
    pub(crate) author: String,
}

/// SQL for a pseudo-random number below `bound`, derived from the update's number `n.i`. Each `salt`
/// gives a different sequence.
fn hash(salt: u64, bound: u64) -> String {
    format!(
        "((n.i * 2654435761 + {} * 40503) / 1024 % {bound})",
        salt * salt + 7 * salt
    )
}

/// Returns a word for a number. Its syllables are a consonant and a vowel each.
fn word(n: u64) -> String {
    let (consonants, vowels) = (b"bcdfghklmnprstvz", b"aeio");
    let syllable = |n: u64| {
        let at = usize::try_from(n % 64).unwrap();
        [consonants[at / 4], vowels[at % 4]].map(char::from)
    };
    [n, n / 64, n * 31 / 7]
        .into_iter()
        .flat_map(syllable)
        .collect()
}

/// Maps one of 10,000 equally likely slots to a rank, so that the ranks follow Zipf's law.
fn zipf(slot: u64, ranks: u64) -> u64 {
    let rank = (f64::from(u32::try_from(ranks).unwrap()))
        .powf(f64::from(u32::try_from(slot).unwrap()) / 10_000.0);
    (rank as u64).clamp(1, ranks) - 1
}

impl Workspace {
    /// Creates a workspace with about `size` updates.
    pub(crate) async fn create(app: TestApp, size: u64) -> Self {
        let (member, newcomer) = (app.person("Member").await, app.person("Newcomer").await);
        let mut tx = app.state.db.begin().await.unwrap();
        people(&mut tx).await;
        updates(&mut tx, size, &member.id, &newcomer.id).await;
        audiences(&mut tx, &member.id).await;
        answers(&mut tx, size).await;
        texts(&mut tx).await;
        let dialect = tx.dialect();
        search::rebuild(&mut tx, dialect).await.unwrap();
        for table in ["seed_updates", "seed_slots", "seed_words"] {
            run(&mut tx, format!("DROP TABLE {table}")).await;
        }
        tx.commit().await.unwrap();
        if dialect == Dialect::Postgres {
            let mut connection = app.state.db.read().await.unwrap();
            run(&mut connection, "ANALYZE".to_owned()).await;
        }
        Self {
            app,
            member,
            newcomer,
            author: "person3".to_owned(),
        }
    }
}

impl Workspace {
    /// Returns a connection to the database.
    pub(crate) async fn connection(&self) -> ReadConnection {
        self.app.state.db.read().await.unwrap()
    }

    /// Closes the database.
    pub(crate) async fn close(self) {
        self.app.state.db.close().await;
    }
}

async fn run(connection: &mut AnyConnection, statement: String) {
    connection.execute(AssertSqlSafe(statement)).await.unwrap();
}

/// Creates the people. Fills `seed_slots` with the author of each of the 10,000 slots, and
/// `seed_words` with the word of each slot.
async fn people(tx: &mut AnyConnection) {
    run(tx, format!(
        "INSERT INTO people (id, email, email_key, name, name_key, role, time_zone, created_at)
         WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {PEOPLE} - 1)
         SELECT 'person' || n.i, 'person' || n.i || '@example.org', 'person' || n.i || '@example.org',
             'Person ' || n.i, 'person ' || n.i, 'member', 'Europe/Berlin', {} FROM n",
        SPAN[0]
    ))
    .await;
    run(
        tx,
        "CREATE TABLE seed_slots (slot BIGINT PRIMARY KEY, person_id TEXT NOT NULL)".to_owned(),
    )
    .await;
    run(
        tx,
        "CREATE TABLE seed_words (slot BIGINT PRIMARY KEY, word TEXT NOT NULL)".to_owned(),
    )
    .await;
    for first in (0..10_000).step_by(1000) {
        let slots = first..first + 1000;
        let authors: Vec<String> = slots
            .clone()
            .map(|slot| format!("({slot}, 'person{}')", zipf(slot, PEOPLE)))
            .collect();
        run(
            tx,
            format!("INSERT INTO seed_slots VALUES {}", authors.join(", ")),
        )
        .await;
        let words: Vec<String> = slots
            .map(|slot| format!("({slot}, '{}')", word(zipf(slot, WORDS))))
            .collect();
        run(
            tx,
            format!("INSERT INTO seed_words VALUES {}", words.join(", ")),
        )
        .await;
    }
    run(
        tx,
        format!(
            "INSERT INTO groups (id, name, made_by, created_at)
         WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 19)
         SELECT 'group' || n.i, 'group' || n.i, 'person0', {} FROM n",
            SPAN[0]
        ),
    )
    .await;
    run(
        tx,
        "INSERT INTO group_members (group_id, person_id)
         SELECT g.id, p.id FROM groups g JOIN people p ON p.id LIKE 'person%'
         AND CAST(substr(p.id, 7) AS BIGINT) % 25 = CAST(substr(g.id, 6) AS BIGINT)"
            .to_owned(),
    )
    .await;
}

/// Creates the updates. Fills `seed_updates` with the texts and the number of recipients of each update; 20
/// recipients stand for a group.
async fn updates(tx: &mut AnyConnection, size: u64, member: &str, newcomer: &str) {
    let words = |salts: std::ops::Range<u64>| {
        let words = salts.map(|salt| {
            format!(
                "(SELECT word FROM seed_words WHERE slot = {})",
                hash(salt, 10_000)
            )
        });
        words.collect::<Vec<_>>().join(" || ' ' || ")
    };
    let quokkas: Vec<String> = (1..=5)
        .map(|n| (11 + 143 * (size / 143 * n / 6)).to_string())
        .collect();
    run(tx, "CREATE TABLE seed_updates (i BIGINT PRIMARY KEY, id TEXT NOT NULL, author_id TEXT NOT NULL,
         title TEXT NOT NULL,
         notes TEXT NOT NULL, listed_at BIGINT NOT NULL, people BIGINT NOT NULL)".to_owned()).await;
    run(tx, format!(
        "INSERT INTO seed_updates (i, id, author_id, title, notes, listed_at, people)
         WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < {size})
         SELECT n.i, '0000000000000' || (1000000000000 + n.i),
             CASE WHEN n.i % 1000 IN (3, 5, 7) THEN '{member}' ELSE (SELECT person_id FROM seed_slots
             WHERE slot = {author}) END,
             {title}, {notes} || CASE WHEN n.i % 10 IN (1, 4, 7) THEN ' budget' ELSE '' END
                 || CASE WHEN n.i IN ({quokkas}) THEN ' quokka' ELSE '' END,
             {from} + n.i * {step},
             CASE WHEN {audience} < 600 THEN 1 WHEN {audience} < 850 THEN 3 WHEN {audience} < 960 THEN 10
             ELSE 20 END FROM n",
        author = hash(1, 10_000), audience = hash(2, 1000), title = words(10..12), notes = words(12..24),
        quokkas = quokkas.join(", "), from = SPAN[0], step = (SPAN[1] - SPAN[0]) / i64::try_from(size).unwrap(),
    ))
    .await;
    run(tx,
        "INSERT INTO updates (id, author_id, title, notes, visibility, expectation, everyone_at, later_members_at,
             revision,
             version, created_at, published_at, trashed_at, listed_at, has_video, has_image)
         SELECT s.id, s.author_id, s.title, s.notes, 'audience', CASE WHEN s.i % 5 = 0 THEN 'acknowledge'
         ELSE 'fyi' END,
             CASE WHEN s.i IN (20, 40) THEN s.listed_at END, CASE WHEN s.i % 500 = 9 THEN s.listed_at END, 1, 1,
             CASE WHEN s.i % 33 = 2 THEN s.listed_at - 7776000000 ELSE s.listed_at END,
             CASE WHEN s.i % 100 <> 3 THEN s.listed_at END, CASE WHEN s.i % 100 = 5 THEN s.listed_at + 1 END,
             s.listed_at,
             CASE WHEN s.i % 3 = 0 THEN 1 ELSE 0 END, CASE WHEN s.i % 20 = 0 THEN 1 ELSE 0 END
             FROM seed_updates s".to_owned())
    .await;
    run(
        tx,
        format!(
            "INSERT INTO receipts (update_id, person_id, sent_at)
         SELECT s.id, '{newcomer}', s.listed_at FROM seed_updates s WHERE s.i = 60"
        ),
    )
    .await;
}

/// Adds the recipients, and the rows that say who may see what.
async fn audiences(tx: &mut AnyConnection, member: &str) {
    let receipt = "INSERT INTO receipts (update_id, person_id, sent_at)";
    for n in 0..10 {
        run(tx, format!(
            "{receipt} SELECT n.id, 'person' || (({} + {n} * 37) % {PEOPLE}), n.listed_at FROM seed_updates n
             WHERE n.people > {n} AND n.people < 20 AND n.i % 100 <> 3 AND n.i % 500 <> 9 ON CONFLICT DO NOTHING",
            hash(3, PEOPLE)
        )).await;
    }
    run(
        tx,
        format!(
            "{receipt} SELECT n.id, m.person_id, n.listed_at FROM seed_updates n
             JOIN group_members m ON m.group_id = 'group' || {}
         WHERE n.people = 20 AND n.i % 100 <> 3 ON CONFLICT DO NOTHING",
            hash(4, 20)
        ),
    )
    .await;
    run(
        tx,
        format!(
            "{receipt} SELECT s.id, '{member}', s.listed_at FROM seed_updates s
         WHERE s.i % 143 = 11 AND s.i % 100 <> 3 ON CONFLICT DO NOTHING"
        ),
    )
    .await;
    run(
        tx,
        "DELETE FROM receipts WHERE person_id = (SELECT u.author_id FROM updates u
         WHERE u.id = receipts.update_id)"
            .to_owned(),
    )
    .await;
    run(
        tx,
        "INSERT INTO group_audience (update_id, group_id) SELECT s.id, 'group0' FROM seed_updates s
         WHERE s.i % 500 = 9"
            .to_owned(),
    )
    .await;
    run(
        tx,
        format!("INSERT INTO group_members (group_id, person_id) VALUES ('group0', '{member}')"),
    )
    .await;
    let access = "INSERT INTO update_access (principal, listed_at, update_id, author_id, has_video, has_image)";
    let seen = "u.listed_at, u.id, u.author_id, u.has_video, u.has_image FROM updates u";
    let listed = "u.published_at IS NOT NULL AND u.trashed_at IS NULL";
    run(tx, format!("{access} SELECT r.person_id, {seen} JOIN receipts r ON r.update_id = u.id WHERE {listed}")).await;
    run(
        tx,
        format!(
            "{access} SELECT g.group_id, {seen} JOIN group_audience g ON g.update_id = u.id
         WHERE {listed}"
        ),
    )
    .await;
    run(
        tx,
        format!("{access} SELECT 'everyone', {seen} WHERE {listed} AND u.everyone_at IS NOT NULL"),
    )
    .await;
}

/// Adds answers, missing answers and notifications.
async fn answers(tx: &mut AnyConnection, size: u64) {
    let newest = i64::try_from(size).unwrap() - 1000;
    run(tx, format!(
        "UPDATE receipts SET answered_at = sent_at, answered_revision = 1, answer = 'acknowledged', opened_at = sent_at
         WHERE update_id IN (SELECT id FROM seed_updates WHERE i % 5 = 0 AND i <= {newest})"
    )).await;
    run(
        tx,
        format!(
            "UPDATE receipts SET owes_since = sent_at, asked_at = sent_at
         WHERE update_id IN (SELECT id FROM seed_updates WHERE i % 5 = 0 AND i > {newest})"
        ),
    )
    .await;
    run(tx, format!(
        "UPDATE updates SET recipients = (SELECT count(*) FROM receipts r WHERE r.update_id = updates.id),
         owing = (SELECT count(*) FROM receipts r WHERE r.update_id = updates.id AND r.owes_since IS NOT NULL)
         WHERE id IN (SELECT id FROM seed_updates WHERE i > {newest})"
    )).await;
    run(tx, format!(
        "INSERT INTO notices (person_id, kind, subject_id, update_id, actor_id, at, read_at)
         SELECT r.person_id, 'sent', s.id, s.id, s.author_id, r.sent_at, CASE WHEN s.i <= {newest} THEN r.sent_at END
         FROM seed_updates s JOIN receipts r ON r.update_id = s.id WHERE s.i > {}",
        newest - i64::try_from(size / 20).unwrap()
    )).await;
}

/// Adds comments, and the rows from which the search index is built.
async fn texts(tx: &mut AnyConnection) {
    run(tx, format!(
        "INSERT INTO comments (id, update_id, person_id, body, revision, created_at)
         SELECT 'c' || n.id, n.id, 'person' || {}, n.title || ' ' || n.title, 1, n.listed_at + 60000 FROM seed_updates n
         WHERE n.i % 2 = 0 AND n.i % 100 <> 3",
        hash(5, PEOPLE)
    )).await;
    run(
        tx,
        "INSERT INTO said (n, update_id, subject_id, words)
         SELECT s.listed_at * 65536, s.id, s.id, s.title || ' ' || s.notes FROM seed_updates s"
            .to_owned(),
    )
    .await;
    run(
        tx,
        "INSERT INTO said (n, update_id, subject_id, words)
         SELECT s.listed_at * 65536 + 1, s.id, c.id, c.body FROM seed_updates s
         JOIN comments c ON c.update_id = s.id"
            .to_owned(),
    )
    .await;
}
