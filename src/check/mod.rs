//! `check`: tries everything that a run needs and makes no export. One line per step, and under a
//! step that failed, how to mend it. The steps that come after a failed one and need it are left
//! out. This file owns the checklist and the steps that call nothing; those that call the server
//! are in `server`.

mod failed_step;
mod readers;
mod server;

use std::collections::BTreeSet;
use std::path::Path;

use tokio::runtime::Builder;
use tokio::sync::watch;

use self::failed_step::FailedStep;
use self::server::{Principal, ServerSteps};
use crate::contact::{ContactId, InputLine};
use crate::error::{Error, Exit};
use crate::extract::api::zone::{ZoneBasis, ZoneChoice};
use crate::extract::ids::{IdColumn, Reader, Source};
use crate::job::{self, Installation, Job, Override};
use crate::run::lock::{self, Lock};
use crate::run::opened;

/// Lines of the input that are read: enough to see what column and ids are like, in no time.
const LINES: usize = 1_000;

/// The checklist, as far as it has come.
struct Checklist<'a> {
    print: &'a mut dyn FnMut(&str) -> Result<(), Error>,
    stop: &'a watch::Receiver<bool>,
    /// How the first step failed that did.
    failed: Option<Exit>,
}

/// Checks a job; `stop` turns true when somebody asks to stop, and `print` takes the lines of the
/// checklist.
///
/// # Errors
/// Where a line cannot be printed. What is wrong with the job is in the checklist and in the exit.
pub fn check(
    path: &Path,
    overrides: &[Override],
    stop: &watch::Receiver<bool>,
    print: &mut dyn FnMut(&str) -> Result<(), Error>,
) -> Result<Exit, Error> {
    let mut checklist = Checklist {
        print,
        stop,
        failed: None,
    };
    let job = job::read(path, overrides).map_err(|error| FailedStep::of(&error.into()));
    if let Some(job) = checklist.step("job", job, |_| path.display().to_string())? {
        let input = read_input(&job.source.list, stop)
            .map_err(|error| FailedStep::of(&error))
            .and_then(|input| input.with_an_id(&job.source.list));
        let input = checklist.step("input", input, |input| input.describe(&job.source.list))?;
        let output = opened::try_out(&job).map_err(|error| FailedStep::of(&error));
        let output = checklist.step("output", output, |()| job.output.dir.display().to_string())?;
        if output.is_some() {
            let readers = readers::describe(&job.output.dir, job.output.readers);
            checklist.line('✓', "readers", &readers)?;
        }
        let contact_id = input.and_then(|input| input.first);
        checklist.server(&job, contact_id)?;
    }
    Ok(checklist.failed.unwrap_or(Exit::Published))
}

impl Checklist<'_> {
    /// Prints how a step ended; gives what it brought.
    fn step<T>(
        &mut self,
        name: &str,
        result: Result<T, FailedStep>,
        describe: impl FnOnce(&T) -> String,
    ) -> Result<Option<T>, Error> {
        if *self.stop.borrow() {
            return Err(Error::CheckInterrupted);
        }
        match result {
            Ok(value) => {
                self.line('✓', name, &describe(&value))?;
                Ok(Some(value))
            }
            Err(failed) => self.fail(name, failed).map(|()| None),
        }
    }

    /// Prints that a step failed, and what to do about it.
    fn fail(&mut self, name: &str, failed: FailedStep) -> Result<(), Error> {
        let FailedStep {
            exit,
            problem,
            hint,
        } = failed;
        self.line('✗', name, &problem)?;
        if !hint.is_empty() {
            (self.print)(&format!("           → {hint}\n"))?;
        }
        self.failed.get_or_insert(exit);
        Ok(())
    }

    fn line(&mut self, mark: char, name: &str, text: &str) -> Result<(), Error> {
        (self.print)(&format!("{mark} {name:<8} {text}\n"))
    }

    /// Everything that calls the server. Each step needs the one before it.
    fn server(&mut self, job: &Job, contact_id: Option<ContactId>) -> Result<(), Error> {
        let scheme = job.api.auth.name();
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Error::System)?;
        let server =
            ServerSteps::open(job, runtime, self.stop).map_err(|error| FailedStep::of(&error));
        let Some(server) = self.step("secrets", server, |_| {
            format!("all that scheme \"{scheme}\" needs is there")
        })?
        else {
            return Ok(());
        };
        let name = match &job.api.installation {
            Installation::Tenant { .. } => "tenant",
            Installation::Sandbox | Installation::BaseUrl(_) => "address",
        };
        let Some(()) = self.step(name, server.locate(), |()| server.address())? else {
            return Ok(());
        };
        let Some(_lock) = self.keep_runs_out(job)? else {
            return Ok(());
        };
        let Some(()) = self.step("login", server.log_in(), |()| {
            format!("scheme \"{scheme}\"")
        })?
        else {
            return Ok(());
        };
        if !self.access(server.principal())? {
            return Ok(());
        }
        if !self.zone(server.zone())? {
            return Ok(());
        }
        if let Some(contact_id) = contact_id {
            self.step("contact", server.fetch(contact_id), Clone::clone)?;
        }
        Ok(())
    }

    /// Takes the lock of the job where a login may use up what a run has in its hands: many login
    /// servers take a refresh token once. None where it cannot be had.
    fn keep_runs_out(&mut self, job: &Job) -> Result<Option<Lock>, Error> {
        if !job.api.auth.uses_up_a_file() {
            return Ok(Some(Lock::default()));
        }
        match lock::keep_out(&job.output.dir) {
            Ok(lock) => Ok(Some(lock)),
            Err(error @ Error::Locked { .. }) => {
                let text =
                    format!("not tried, since it may use up the refresh token of a run: {error}");
                self.line('?', "login", &text)?;
                Ok(None)
            }
            Err(error) => {
                self.fail("login", FailedStep::of(&error))?;
                Ok(None)
            }
        }
    }

    /// Whether a contact can be asked for.
    fn access(&mut self, principal: Result<Principal, FailedStep>) -> Result<bool, Error> {
        if let Ok(Principal::NoPage { status }) = principal {
            let text = format!(
                "no page here tells who is logged in (status {status}); a contact has to tell"
            );
            self.line('?', "access", &text)?;
            return Ok(true);
        }
        let let_in = self.step("access", principal, |_| {
            "the API lets the login in".to_owned()
        })?;
        Ok(let_in.is_some())
    }

    /// Whether it is known in which zone instants are asked for.
    fn zone(&mut self, choice: Result<ZoneChoice, FailedStep>) -> Result<bool, Error> {
        if let Ok(choice) = &choice
            && let Some(warning) = choice.warning()
        {
            self.line('?', "zone", &warning)?;
            return Ok(true);
        }
        let settled = self.step("zone", choice, |ZoneChoice { zone, basis }| {
            let basis = match basis {
                ZoneBasis::Named => "as the job says",
                ZoneBasis::Found | ZoneBasis::Kept => "as the installation says",
                ZoneBasis::OfUser => {
                    "the zone of the user who is logged in; the installation does not tell its own"
                }
                ZoneBasis::Unknown => "since the installation does not tell its own",
            };
            format!("{zone}, {basis}")
        })?;
        Ok(settled.is_some())
    }
}

/// What the first lines of the input hold.
struct Input {
    column: IdColumn,
    lines: usize,
    ids: BTreeSet<ContactId>,
    rejected: usize,
    first: Option<ContactId>,
}

fn read_input(source: &Source, stop: &watch::Receiver<bool>) -> Result<Input, Error> {
    let reader = Reader::open_unless(source, stop)?;
    let mut input = Input {
        column: reader.column().clone(),
        lines: 0,
        ids: BTreeSet::new(),
        rejected: 0,
        first: None,
    };
    for line in reader.take(LINES) {
        input.lines += 1;
        match line? {
            InputLine::Target { contact_id, .. } => {
                input.first = input.first.or(Some(contact_id));
                input.ids.insert(contact_id);
            }
            InputLine::Rejected { .. } => input.rejected += 1,
        }
    }
    Ok(input)
}

impl Input {
    fn with_an_id(self, source: &Source) -> Result<Self, FailedStep> {
        match self.first {
            Some(_) => Ok(self),
            None => Err(FailedStep {
                exit: Exit::Usage,
                problem: self.describe(source),
                hint: "no contact id was found; mend the list or `source.column`".to_owned(),
            }),
        }
    }

    fn describe(&self, source: &Source) -> String {
        let first = if self.lines == LINES { "first " } else { "" };
        let Self {
            column,
            lines,
            ids,
            rejected,
            ..
        } = self;
        format!(
            "{}: {first}{lines} lines, {} contact ids, {rejected} rejected; ids come from {column}",
            source.place,
            ids.len()
        )
    }
}
