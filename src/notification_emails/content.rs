//! The content of an email: the updates with waiting notifications, and what the email says about
//! each.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

use super::recipients::Notice;
use crate::clock::{Clock, Millis};
use crate::error::Result;
use crate::infra::db;
use crate::infra::db::FetchKnown;
use crate::notifications::Kind;
use crate::people;
use crate::receipts::{self, OverdueAnswers};
use crate::updates::Expectation;

/// Maximum number of updates that an email describes. For the others, the email refers to the
/// inbox.
const MAX_UPDATES: usize = 20;
/// Maximum number of names in one sentence.
const MAX_NAMES: usize = 3;
/// Maximum number of updates in one SQL statement.
const CHUNK_SIZE: usize = 500;

/// One email to one person.
#[derive(Debug)]
pub(super) struct Email {
    pub(super) person_id: String,
    pub(super) name: String,
    pub(super) address: String,
    pub(super) time_zone: String,
    /// The part of the `Message-ID` before the domain. It stays the same if the email is sent
    /// again.
    pub(super) id: String,
    /// At least one entry, sorted by due time.
    pub(super) entries: Vec<Entry>,
    /// The number of updates that did not fit into `entries`.
    pub(super) more: usize,
}

/// An update, and why it needs the person's attention.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) update: MailedUpdate,
    pub(super) matter: Matter,
}

/// Why an update needs the person's attention.
#[derive(Debug)]
pub(super) enum Matter {
    /// The person is a recipient and owes an answer. The kind is that of the newest request.
    Request(Kind),
    /// The person is the author, and others did something or missed the due time.
    News(News),
}

/// What an email tells an author about an update: what others did, and which answers are overdue.
#[derive(Debug, Default)]
pub(super) struct News {
    pub(super) objections: Names,
    pub(super) overdue: Option<OverdueAnswers>,
    pub(super) questions: Names,
    pub(super) readbacks: Names,
    pub(super) mentions: Names,
}

/// The names of people who did the same thing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    /// The names of at most [`MAX_NAMES`] of the people.
    pub(super) names: Vec<String>,
    /// The total number of these people.
    pub(super) count: usize,
}

/// The data about an update that an email needs.
#[derive(Clone, Debug, FromRow)]
pub(super) struct MailedUpdate {
    pub(super) id: String,
    pub(super) author: String,
    pub(super) title: String,
    pub(super) expectation: Expectation,
    pub(super) otherwise: Option<String>,
    /// What the author has changed since the person answered; `None` if the person has not answered
    /// yet, or if the answer is current.
    pub(super) what_changed: Option<String>,
    /// Whether the author corrected the person's readback of the current revision: 0 or 1.
    pub(super) corrected: i64,
    pub(super) length_ms: Option<i64>,
    /// When the answer is due. For the author: the earliest due time that has passed.
    pub(super) due_at: Option<Millis>,
}

/// Loads the content of a person's email about these notifications. The notifications must be sorted by time. Returns
/// `None` if there is nothing to email.
pub(super) async fn load(
    connection: &mut AnyConnection,
    clock: &Clock,
    person_id: &str,
    notices: &[Notice],
) -> Result<Option<Email>> {
    let mut by_update: BTreeMap<&str, Vec<&Notice>> = BTreeMap::new();
    for notice in notices {
        by_update.entry(&notice.update_id).or_default().push(notice);
    }
    let mut updates = updates_by_due_time(connection, clock, person_id, &by_update).await?;
    let more = updates.len().saturating_sub(MAX_UPDATES);
    updates.truncate(MAX_UPDATES);
    let Some(first) = updates
        .first()
        .and_then(|(update, _)| by_update.get(update.id.as_str())?.last())
    else {
        return Ok(None);
    };
    let id = format!(
        "{}.{}.{person_id}.{}",
        first.kind, first.subject_id, first.at
    );
    let names = actor_names(connection, &updates, &by_update).await?;
    let entries = updates
        .into_iter()
        .map(|(update, overdue)| Entry {
            matter: matter(&by_update[update.id.as_str()], overdue, &names),
            update,
        })
        .collect();
    let (name, address, time_zone) =
        sqlx::query_as("SELECT name, email, time_zone FROM people WHERE id = $1")
            .bind(person_id)
            .fetch_one(connection)
            .await?;
    Ok(Some(Email {
        person_id: person_id.to_owned(),
        name,
        address,
        time_zone,
        id,
        entries,
        more,
    }))
}

/// Loads the updates and their overdue answers. Sorts them by due time, then by the time of the
/// first notification. Updates without a due time come last.
async fn updates_by_due_time(
    connection: &mut AnyConnection,
    clock: &Clock,
    person_id: &str,
    notices: &BTreeMap<&str, Vec<&Notice>>,
) -> Result<Vec<(MailedUpdate, Option<OverdueAnswers>)>> {
    let ids: Vec<String> = notices.keys().map(|&id| id.to_owned()).collect();
    let mut updates: Vec<MailedUpdate> = Vec::new();
    let mut overdue = HashMap::new();
    for ids in ids.chunks(CHUNK_SIZE) {
        updates.extend(load_updates(connection, person_id, ids).await?);
        let late: Vec<String> = ids
            .iter()
            .filter(|id| {
                notices[id.as_str()]
                    .iter()
                    .any(|notice| notice.kind == Kind::Overdue)
            })
            .cloned()
            .collect();
        overdue.extend(receipts::overdue_answers(connection, clock, &late).await?);
    }
    let mut sorted: Vec<(MailedUpdate, Option<OverdueAnswers>)> = updates
        .into_iter()
        .map(|mut update| {
            let overdue = overdue.remove(&update.id);
            update.due_at = update
                .due_at
                .or(overdue.as_ref().map(|answers| answers.due_at));
            (update, overdue)
        })
        .collect();
    sorted.sort_by_key(|(update, _)| {
        let first = notices[update.id.as_str()].first().map(|notice| notice.at);
        (update.due_at.unwrap_or(Millis::MAX), first)
    });
    Ok(sorted)
}

async fn load_updates(
    connection: &mut AnyConnection,
    person_id: &str,
    ids: &[String],
) -> Result<Vec<MailedUpdate>> {
    let text = format!(
        "SELECT u.id, a.name AS author, u.title, u.expectation, u.otherwise, r.due_at,
             CASE WHEN r.answered_revision < u.revision THEN u.what_changed END AS what_changed,
             CASE WHEN r.verdict = 'corrected' AND r.answered_revision >= u.revision THEN 1 ELSE 0 END AS corrected,
             (SELECT max(m.duration_ms) FROM media m WHERE m.update_id = u.id AND m.comment_id IS NULL
             AND m.removed_at IS NULL) AS length_ms
         FROM updates u JOIN people a ON a.id = u.author_id LEFT JOIN receipts r ON r.update_id = u.id
         AND r.person_id = $1
         WHERE u.id IN ({}) ORDER BY u.id",
        db::placeholders(2, ids.len())
    );
    let mut statement = sqlx::query_as(AssertSqlSafe(text)).bind(person_id);
    for id in ids {
        statement = statement.bind(id);
    }
    statement.fetch_known(connection).await
}

/// Returns the names of the people and guests whom the email can name, by id.
async fn actor_names(
    connection: &mut AnyConnection,
    updates: &[(MailedUpdate, Option<OverdueAnswers>)],
    notices: &BTreeMap<&str, Vec<&Notice>>,
) -> Result<HashMap<String, String>> {
    let ids: Vec<&str> = updates
        .iter()
        .flat_map(|(update, _)| {
            NAMED.iter().flat_map(|kind| {
                actors(&notices[update.id.as_str()], *kind)
                    .into_iter()
                    .take(MAX_NAMES)
            })
        })
        .collect();
    people::names_by_id(connection, &ids).await
}

/// The kinds of notifications for which the email names the people who caused them.
const NAMED: [Kind; 4] = [
    Kind::Declined,
    Kind::Questioned,
    Kind::ReadBack,
    Kind::Mentioned,
];

/// Returns the ids of the people and guests who caused notifications of this kind, without
/// duplicates.
fn actors<'a>(notices: &[&'a Notice], kind: Kind) -> Vec<&'a str> {
    let mut seen = BTreeSet::new();
    notices
        .iter()
        .filter(|notice| notice.kind == kind)
        .map(|notice| notice.actor_id.as_str())
        .filter(|actor| seen.insert(*actor))
        .collect()
}

/// Returns the reason why an update needs the person's attention. A request for an answer takes
/// precedence over everything else. If there are several requests, the newest one counts.
fn matter(
    notices: &[&Notice],
    overdue: Option<OverdueAnswers>,
    names: &HashMap<String, String>,
) -> Matter {
    let request = notices.iter().rev().find(|notice| {
        matches!(
            notice.kind,
            Kind::Asked | Kind::Changed | Kind::Reminded | Kind::Corrected
        )
    });
    if let Some(request) = request {
        return Matter::Request(request.kind);
    }
    let by = |kind| {
        let actors = actors(notices, kind);
        let known = actors.iter().take(MAX_NAMES);
        Names {
            names: known.filter_map(|id| names.get(*id).cloned()).collect(),
            count: actors.len(),
        }
    };
    Matter::News(News {
        objections: by(Kind::Declined),
        overdue,
        questions: by(Kind::Questioned),
        readbacks: by(Kind::ReadBack),
        mentions: by(Kind::Mentioned),
    })
}
