//! The story of a run: read the targets, plan, fetch, write, publish. Every step can be repeated
//! after a crash with the same result; stages meet only here.

mod begin;
mod fetching;
pub(crate) mod lock;
mod plan;
mod summary;
mod writing;

use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

pub use summary::Summary;

use crate::connect;
use crate::contact::{Calls, TargetCounts};
use crate::error::Error;
use crate::extract::fetcher::{End, Fetched};
use crate::extract::ids::csv::{self, Reader};
use crate::job::{Environment, Job, Place};
use crate::load::publish::{self, Partial};
use crate::report::Reporter;
use crate::store::{Plan, Run, Store};

/// How a run is started, beyond its job.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Begin a new run, even where one was cut off. Turns false once that is noted: the next start
    /// goes on with it.
    pub fresh: bool,
    /// Call nothing: make the export from what is stored.
    pub offline: bool,
    /// Plan and stop.
    pub plan_only: bool,
}

impl Options {
    /// Whether the API is called at all.
    fn calls(self) -> bool {
        !self.offline && !self.plan_only
    }
}

/// What a run ends with.
#[derive(Debug)]
pub enum Done {
    /// The plan, in a line.
    Planned(String),
    /// The summary of the export.
    Published(Box<Summary>),
}

/// Runs a job; `stop` turns true when somebody asks to stop.
///
/// # Errors
/// Where nothing is published. Answers that came are kept, and the same command goes on.
pub fn run(
    job: &Job,
    options: &mut Options,
    stop: &watch::Receiver<bool>,
    report: &mut Reporter,
) -> Result<Done, Error> {
    // What can be wrong with the input and the secrets shows before anything is written.
    let reader = Reader::open(&job.source)?;
    let sandbox = if options.calls() {
        connect::sandbox(job)?
    } else {
        None
    };
    let connection = if options.calls() {
        Some(connect::connect(job, sandbox.as_ref())?)
    } else {
        None
    };

    let _lock = lock::take(&job.output.dir)?;
    let dir = &std::fs::canonicalize(&job.output.dir).map_err(|source| Error::Output {
        path: job.output.dir.clone(),
        source,
    })?;
    publish::prepare(dir)?;
    let mut store = Store::open(&dir.join("state.sqlite"))?;
    begin::mend(dir, &mut store)?;
    let (mut run, is_new) = begin::begin(dir, &store, *options)?;

    report.say(&format!("ids come from {}", reader.column()));
    report.begin("reading", None);
    let (targets, _) = csv::read_whole(&job.source, reader, |reader| {
        read(reader, &mut store, stop, report)
    })?;
    let request_key = request_key(job);
    let plan = store.plan(request_key, fresh_since(&run, job, options.offline))?;
    if options.plan_only {
        return Ok(Done::Planned(plan::line(&plan, &job.fetch)));
    }
    tell_plan(&plan, job, (!is_new).then_some(&run), *options, report);
    if options.offline && plan.targets > 0 && plan.unanswered == plan.targets {
        return Err(Error::NothingStored);
    }
    let most_calls = if options.offline {
        0
    } else {
        job.fetch.max_calls.unwrap_or(u64::MAX)
    };
    plan::ensure_room(
        dir,
        plan::bytes_needed(&plan, store.average_body()?, most_calls, job.output.format),
    )?;
    // A rebuild shows what the last run showed: its failures, but none of those before.
    let failed_since = store
        .last_start()?
        .filter(|_| options.offline)
        .unwrap_or(run.started_at);
    if is_new {
        store.start_run(&run, options.offline)?;
        options.fresh = false;
    }

    let mut fetched = None;
    if let Some(connection) = connection.filter(|_| plan.to_fetch > 0) {
        report.begin("fetching", Some(plan.to_fetch));
        let began = Instant::now();
        let result = fetching::fetch(
            &connection,
            &job.fetch,
            &mut store,
            &run,
            request_key,
            stop,
            report,
        )?;
        report.end();
        run.calls = run.calls + calls(&result);
        run.fetch_seconds += began.elapsed().as_secs_f64();
        let result = completed(result, job)?;
        // Not an export without a single answer, where the server's absence is all the reason for
        // it.
        let nothing = result.progress.done == 0 && plan.unanswered == plan.targets;
        if result.end == End::Budget && nothing && result.progress.outages > 0 {
            return Err(Error::NothingFetched);
        }
        fetched = Some(result);
    }

    let partial = Partial::create(dir, &run.name)?;
    report.begin("writing", Some(targets.distinct + targets.rejected));
    let written = writing::write(
        job,
        &mut store,
        (request_key, failed_since),
        partial.folder(),
        stop,
        report,
    )?;
    report.end();
    if is_beyond(
        job.output.max_failed,
        written.outcomes.failed,
        targets.distinct,
    ) {
        partial.discard()?;
        summary::show_failures(&written.failures, report);
        return Err(Error::TooManyFailures {
            failed: written.outcomes.failed,
            distinct: targets.distinct,
        });
    }
    let manifest = summary::manifest(job, &run, targets, &written, fetched.as_ref(), &partial);
    ensure_going(stop)?;
    partial.publish(&manifest, job.output.format)?;
    // The export is out, so the run has done its work; the next start makes good what fails here.
    if let Err(error) = tidy_up(dir, &mut store, &run, job, *options) {
        let cause = std::error::Error::source(&error)
            .map(|cause| format!(": {cause}"))
            .unwrap_or_default();
        report.warn(&format!("published, but not tidied up: {error}{cause}"));
    }
    Ok(Done::Published(Box::new(Summary {
        manifest,
        failures: written.failures,
        progress: fetched.map(|fetched| fetched.progress),
    })))
}

/// After a run is published: notes that, and removes what is no longer needed.
fn tidy_up(
    dir: &Path,
    store: &mut Store,
    run: &Run,
    job: &Job,
    options: Options,
) -> Result<(), Error> {
    store.end_run(&run.name, Timestamp::now().as_microsecond())?;
    // An offline run may be a look at part of the list; a cut-off run may still need the rest.
    if !options.offline {
        store.forget_others()?;
    }
    publish::prune(
        dir,
        usize::try_from(job.output.keep.get()).unwrap_or(usize::MAX),
    )?;
    Ok(())
}

fn tell_plan(plan: &Plan, job: &Job, cut_off: Option<&Run>, options: Options, report: &Reporter) {
    if let Some(run) = cut_off {
        report.say(&format!(
            "going on with run {}, which was cut off after {} calls",
            run.name, run.calls.attempts
        ));
    }
    report.say(&if options.offline {
        plan::offline_line(plan)
    } else {
        plan::line(plan, &job.fetch)
    });
}

/// An error where somebody asked to stop.
fn ensure_going(stop: &watch::Receiver<bool>) -> Result<(), Error> {
    if *stop.borrow() {
        Err(Error::Interrupted)
    } else {
        Ok(())
    }
}

fn read(
    reader: &mut Reader,
    store: &mut Store,
    stop: &watch::Receiver<bool>,
    report: &mut Reporter,
) -> Result<TargetCounts, Error> {
    let mut done = 0;
    let lines = reader.map(|line| {
        done += 1;
        report.advance(done);
        ensure_going(stop)?;
        Ok(line?)
    });
    // Whoever interrupts a pipeline also ends what feeds it: the list may be cut short without
    // looking so.
    let end = std::iter::once_with(|| ensure_going(stop)).filter_map(|going| going.err().map(Err));
    store.replace_targets(lines.chain(end))
}

/// Says what is asked, apart from the contact: answers to another question are not reused.
fn request_key(job: &Job) -> i64 {
    let question = connect::question(job);
    let place = match &job.api.place {
        Place::Sandbox => format!("sandbox {}", job.sandbox.seed),
        Place::BaseUrl(url) => url.to_string(),
        // Not the address of the API: tenants move.
        Place::Tenant {
            tenant,
            environment: Environment::Host(login),
        } => format!("{login} {tenant}"),
        Place::Tenant {
            tenant,
            environment: Environment::Sandbox,
        } => format!("sandbox {} {tenant}", job.sandbox.seed),
    };
    let mut hash = Sha256::new();
    let select = question.select.as_deref().unwrap_or_default();
    let culture = question.culture.as_deref().unwrap_or_default();
    for part in [
        place.as_str(),
        &question.limit.to_string(),
        select,
        &question.language,
        culture,
        &question.time_zone,
    ] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize()
        .first_chunk()
        .copied()
        .map(i64::from_be_bytes)
        .unwrap_or_default()
}

/// Answers are fresh from this instant on.
fn fresh_since(run: &Run, job: &Job, offline: bool) -> i64 {
    if offline {
        return i64::MIN;
    }
    run.started_at
        .saturating_sub(i64::try_from(job.max_age.as_micros()).unwrap_or(i64::MAX))
}

/// A fetch that lets the run go on; any other end is an error.
fn completed(fetched: Fetched, job: &Job) -> Result<Fetched, Error> {
    let done = fetched.progress.done;
    match fetched.end {
        End::Complete | End::Budget => Ok(fetched),
        End::Interrupted => Err(Error::Interrupted),
        End::Unreachable => Err(Error::Unreachable { done }),
        End::LoginRefused {
            status,
            worked_before,
        } => Err(Error::LoginRefused {
            status,
            worked_before,
            hint: job.api.auth.hint(job.api.app_token.is_some()),
        }),
        End::NoLogin(refusal) => Err(Error::NoLogin(refusal)),
        End::Unusable(unusable) => Err(Error::Unusable(unusable)),
        End::Hopeless(hopeless) => Err(Error::Hopeless(hopeless)),
        End::NotStored => Err(Error::Defect),
    }
}

fn calls(fetched: &Fetched) -> Calls {
    let progress = fetched.progress;
    Calls {
        attempts: progress.attempts,
        retries: progress.retries,
        logins: progress.logins,
    }
}

/// Whether more targets failed than allowed; missing ones do not count.
#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "targets are fewer than 2^31"
)]
fn is_beyond(max_failed: f64, failed: u64, distinct: u64) -> bool {
    failed as f64 > max_failed * distinct as f64
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::report::{LogFormat, ProgressMode};

    #[test]
    fn a_list_that_ends_after_a_signal_is_not_taken_for_the_whole() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("state.sqlite")).unwrap();
        let mut report = Reporter::new(ProgressMode::None, LogFormat::Text, false);
        let (stop, stopped) = watch::channel(false);
        let mut take = |text: &'static str| {
            let source = csv::Source {
                place: csv::Place::StandardInput,
                column: None,
                delimiter: None,
            };
            read(
                &mut Reader::over(&source, Box::new(Cursor::new(text))).unwrap(),
                &mut store,
                &stopped,
                &mut report,
            )
        };
        assert_eq!(take("contactId\n1\n2\n").unwrap().distinct, 2);
        stop.send_replace(true);
        // The signal also ended what fed the list, before its first id.
        assert!(matches!(take("contactId\n"), Err(Error::Interrupted)));
        assert_eq!(store.plan(0, 0).unwrap().targets, 2);
    }

    #[test]
    fn failures_are_compared_with_the_allowed_share() {
        for (max_failed, failed, distinct, expected) in [
            (0.01, 1, 100, false),
            (0.01, 2, 100, true),
            (0.0, 0, 0, false),
            (0.0, 1, 5, true),
        ] {
            assert_eq!(
                is_beyond(max_failed, failed, distinct),
                expected,
                "{failed} of {distinct}"
            );
        }
    }
}
