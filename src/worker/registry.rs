//! The list of all job types, and lookups by kind and by lane.

use futures_util::future::BoxFuture;
use tokio::sync::watch;

use crate::error::{Error, Result};
use crate::infra::jobs::{ClaimedJob, Job, Kinds, Lane, Outcome, Retry};
use crate::markup::{FlattenMarkup, RedactPicture};
use crate::media::{ConvertMedia, ProcessMedia};
use crate::notification_emails::SendEmails;
use crate::object_deletion::DeleteObjects;
use crate::search::{ForgetUnusedWords, ForgetUpdate, IndexFacets, IndexSubject};
use crate::state::State;
use crate::uploads::DeleteLeftovers;

/// Every type of job.
static JOBS: [JobKind; 11] = [
    JobKind::of::<DeleteObjects>(),
    JobKind::of::<DeleteLeftovers>(),
    JobKind::of::<RedactPicture>(),
    JobKind::of::<ForgetUpdate>(),
    JobKind::of::<IndexSubject>(),
    JobKind::of::<IndexFacets>(),
    JobKind::of::<ForgetUnusedWords>(),
    JobKind::of::<FlattenMarkup>(),
    JobKind::of::<SendEmails>(),
    JobKind::of::<ProcessMedia>(),
    JobKind::of::<ConvertMedia>(),
];

/// Used for stored jobs whose kind is not in [`JOBS`], for example because a newer version enqueued
/// them.
static UNKNOWN: JobKind = JobKind {
    name: "",
    lane: Lane::Light,
    retry: Retry::Limited,
    interruptible: true,
    run: |_, job, _| {
        let error = Error::internal(format!(
            "the job kind {} is unknown to this version",
            job.kind
        ));
        Box::pin(std::future::ready(Err(error)))
    },
    on_dead: |_, _| Box::pin(std::future::ready(Ok(()))),
};

type Run = for<'a> fn(
    &'a State,
    &'a ClaimedJob,
    &'a watch::Receiver<bool>,
) -> BoxFuture<'a, Result<Outcome>>;
type OnDead = for<'a> fn(&'a State, &'a ClaimedJob) -> BoxFuture<'a, Result<()>>;

/// The name, policies and functions of a type that implements [`Job`].
pub(super) struct JobKind {
    name: &'static str,
    pub(super) lane: Lane,
    pub(super) retry: Retry,
    pub(super) interruptible: bool,
    run: Run,
    on_dead: OnDead,
}

impl JobKind {
    const fn of<J: Job>() -> Self
    where
        State: AsRef<J::Context>,
    {
        Self {
            name: J::KIND,
            lane: J::LANE,
            retry: J::RETRY,
            interruptible: J::INTERRUPTIBLE,
            run: |state, job, stop| {
                Box::pin(async move {
                    J::from_payload(&job.payload)?
                        .run(state.as_ref(), stop)
                        .await
                })
            },
            on_dead: |state, job| {
                Box::pin(
                    async move { J::from_payload(&job.payload)?.on_dead(state.as_ref()).await },
                )
            },
        }
    }

    /// Returns the entry for a stored kind, or [`UNKNOWN`].
    pub(super) fn find(kind: &str) -> &'static Self {
        JOBS.iter()
            .find(|known| known.name == kind)
            .unwrap_or(&UNKNOWN)
    }

    /// Runs a job of this kind; see [`Job::run`].
    pub(super) async fn run(
        &self,
        state: &State,
        job: &ClaimedJob,
        stop: &watch::Receiver<bool>,
    ) -> Result<Outcome> {
        (self.run)(state, job, stop).await
    }

    /// Handles a job of this kind that has failed for good; see [`Job::on_dead`].
    pub(super) async fn on_dead(&self, state: &State, job: &ClaimedJob) -> Result<()> {
        (self.on_dead)(state, job).await
    }
}

/// Returns the kinds of jobs that run in `lanes`. Unknown kinds run in [`Lane::Light`].
pub(super) fn kinds_of(lanes: &[Lane]) -> Kinds {
    let names = |wanted: bool| {
        JOBS.iter()
            .filter(|job| lanes.contains(&job.lane) == wanted)
            .map(|job| job.name)
            .collect()
    };
    if lanes.contains(&UNKNOWN.lane) {
        Kinds::Except(names(false))
    } else {
        Kinds::Only(names(true))
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;
    use crate::media::Target;

    #[test]
    fn job_kinds_are_unique_and_match_the_stored_names() {
        let mut kinds = JOBS.each_ref().map(|job| job.name);
        kinds.sort_unstable();
        let stored = [
            "burn",
            "clear",
            "convert",
            "facets",
            "forget",
            "forget_words",
            "index",
            "mail",
            "mark",
            "process",
            "purge",
        ];
        assert_eq!(kinds, stored);
    }

    fn assert_stored<J: Job + Debug>(job: &J, payload: &str) {
        assert_eq!(job.to_payload().unwrap(), payload);
        let parsed = J::from_payload(payload).unwrap();
        assert_eq!(format!("{parsed:?}"), format!("{job:?}"));
    }

    #[test]
    fn job_payloads_are_stored_in_the_same_format_as_in_earlier_versions() {
        let id = |text: &str| text.to_owned();
        let keys = vec![id("media/a"), id("media/b")];
        assert_stored(&DeleteObjects { keys }, r#"{"keys":["media/a","media/b"]}"#);
        let mut leftovers = DeleteLeftovers {
            place: id("uploads/k"),
            key: id("media/k"),
            multipart: None,
        };
        assert_stored(
            &leftovers,
            r#"{"key":"media/k","multipart":null,"place":"uploads/k"}"#,
        );
        leftovers.multipart = Some(id("part"));
        assert_stored(
            &leftovers,
            r#"{"key":"media/k","multipart":"part","place":"uploads/k"}"#,
        );
        assert_stored(&RedactPicture { media: id("m") }, r#"{"media":"m"}"#);
        assert_stored(&ForgetUpdate { update: id("u") }, r#"{"update":"u"}"#);
        assert_stored(
            &IndexSubject {
                update: id("u"),
                subject: id("s"),
            },
            r#"{"subject":"s","update":"u"}"#,
        );
        assert_stored(
            &FlattenMarkup {
                media: id("m"),
                generation: 1,
                revision: 2,
            },
            r#"{"generation":1,"media":"m","revision":2}"#,
        );
        assert_stored(&SendEmails::About { update: id("u") }, r#"{"update":"u"}"#);
        let people = vec![id("p"), id("q")];
        assert_stored(&SendEmails::To { people }, r#"{"people":["p","q"]}"#);
        let target = Target {
            media: id("m"),
            generation: 3,
        };
        let mut convert = ConvertMedia {
            target: target.clone(),
            note: None,
        };
        assert_stored(&ProcessMedia { target }, r#"{"generation":3,"media":"m"}"#);
        assert_stored(&convert, r#"{"generation":3,"media":"m","note":null}"#);
        convert.note = Some(id("n"));
        assert_stored(&convert, r#"{"generation":3,"media":"m","note":"n"}"#);
    }

    #[test]
    fn job_payloads_that_lack_optional_keys_or_have_extra_keys_are_parsed() {
        let convert = ConvertMedia::from_payload(r#"{"generation":3,"media":"m"}"#).unwrap();
        assert_eq!((convert.target.generation, convert.note), (3, None));
        let process = ProcessMedia::from_payload(r#"{"media":"m","generation":3,"note":"n"}"#);
        assert_eq!(process.unwrap().target.media, "m");
        let leftovers = DeleteLeftovers::from_payload(r#"{"place":"p","key":"k"}"#).unwrap();
        assert_eq!(leftovers.multipart, None);
        let index = IndexSubject::from_payload(r#"{"update":"u"}"#).unwrap();
        assert_eq!(index.subject, "");
        let forget = ForgetUpdate::from_payload(r#"{"update":"u","subject":"s"}"#).unwrap();
        assert_eq!(forget.update, "u");
    }

    #[test]
    fn known_job_kinds_run_in_their_lanes_and_unknown_kinds_run_in_the_light_lane() {
        for (kind, lane) in [
            ("burn", Lane::Deletion),
            ("purge", Lane::Deletion),
            ("clear", Lane::Deletion),
            ("forget", Lane::Deletion),
            ("index", Lane::Light),
            ("mark", Lane::Light),
            ("no such kind", Lane::Light),
            ("mail", Lane::Mail),
            ("process", Lane::Preparation),
            ("convert", Lane::Heavy),
        ] {
            assert_eq!(JobKind::find(kind).lane, lane, "{kind}");
        }
    }

    #[test]
    fn only_data_deletion_jobs_are_retried_forever_and_only_mail_jobs_cannot_be_interrupted() {
        let named = |wanted: fn(&JobKind) -> bool| -> Vec<&str> {
            let found = JOBS.iter().filter(|job| wanted(job));
            found.map(|job| job.name).collect()
        };
        let forever = named(|job| job.retry == Retry::Forever);
        assert_eq!(forever, ["purge", "clear", "burn"]);
        assert_eq!(named(|job| !job.interruptible), ["mail"]);
    }

    #[test]
    fn kinds_of_selects_exactly_the_job_kinds_of_the_given_lanes() {
        let condition = |lanes: &[Lane]| kinds_of(lanes).sql_condition();
        assert_eq!(condition(&Lane::ALL), "");
        assert_eq!(condition(&[Lane::Heavy]), " AND kind IN ('convert')");
        assert_eq!(
            condition(&[Lane::Deletion, Lane::Light, Lane::Preparation]),
            " AND kind NOT IN ('mail', 'convert')"
        );
        assert_eq!(
            condition(&[Lane::Light]),
            " AND kind NOT IN ('purge', 'clear', 'burn', 'forget', 'forget_words', 'mail', 'process', 'convert')"
        );
        assert_eq!(kinds_of(&[]), Kinds::Only(Vec::new()));
    }
}
