//! `check`: tries everything that a run needs and makes no export. One line per step, and under a
//! step that failed, how to mend it. The steps that come after a failed one and need it are left
//! out. What an answer means is what a run would make of it, if all its answers were so.

use std::collections::BTreeSet;
use std::error::Error as _;
use std::fmt::Write as _;
use std::path::Path;

use serde::de::IgnoredAny;
use tokio::runtime::Builder;

use crate::connect;
use crate::contact::Reason;
use crate::contact::{ContactId, InputLine};
use crate::error::{Error, Exit};
use crate::extract::api::Api as _;
use crate::extract::api::cause::{Cause, listen};
use crate::extract::api::client::{NoReply, Reply};
use crate::extract::api::connection::Connection;
use crate::extract::api::inspect::{Content, decode};
use crate::extract::api::tenant::NotLocated;
use crate::extract::auth::NoLogin;
use crate::extract::fetcher::hopeless::{FirstAnswers, Hopeless};
use crate::extract::fetcher::verdict::{Fate, verdict};
use crate::extract::ids::csv::{Column, Reader, Source};
use crate::gzip::Unpacker;
use crate::job::{self, Installation, Job, Override};
use crate::run::lock;

/// Lines of the input that are read.
const LINES: usize = 1_000;

/// The checklist, as far as it has come.
struct Checklist<'a> {
    print: &'a mut dyn FnMut(&str) -> Result<(), Error>,
    /// How the first step failed that did.
    failed: Option<Exit>,
}

/// Why a step failed, and what to do about it.
struct Failure {
    exit: Exit,
    problem: String,
    hint: String,
}

/// Checks a job; `print` takes the lines of the checklist.
///
/// # Errors
/// Where a line cannot be printed. What is wrong with the job is in the checklist and in the exit.
pub fn check(
    path: &Path,
    overrides: &[Override],
    print: &mut dyn FnMut(&str) -> Result<(), Error>,
) -> Result<Exit, Error> {
    let mut checklist = Checklist {
        print,
        failed: None,
    };
    let job = job::read(path, overrides).map_err(|error| Failure::of(&error.into()));
    if let Some(job) = checklist.step("job", job, |_| path.display().to_string())? {
        let input = read_input(&job.source).map_err(|error| Failure::of(&error));
        let input = checklist.step("input", input, |input| input.describe(&job.source))?;
        let output = lock::try_out(&job.output.dir).map_err(|error| Failure::of(&error));
        checklist.step("output", output, |()| job.output.dir.display().to_string())?;
        let contact_id = input.and_then(|input| input.first);
        checklist.connection(&job, contact_id)?;
    }
    Ok(checklist.failed.unwrap_or(Exit::Published))
}

impl Checklist<'_> {
    /// Prints how a step ended; gives what it brought.
    fn step<T>(
        &mut self,
        name: &str,
        result: Result<T, Failure>,
        describe: impl FnOnce(&T) -> String,
    ) -> Result<Option<T>, Error> {
        match result {
            Ok(value) => {
                (self.print)(&format!("✓ {name:<8} {}\n", describe(&value)))?;
                Ok(Some(value))
            }
            Err(Failure {
                exit,
                problem,
                hint,
            }) => {
                (self.print)(&format!("✗ {name:<8} {problem}\n"))?;
                if !hint.is_empty() {
                    (self.print)(&format!("           → {hint}\n"))?;
                }
                self.failed.get_or_insert(exit);
                Ok(None)
            }
        }
    }

    /// Everything that calls the server.
    fn connection(&mut self, job: &Job, contact_id: Option<ContactId>) -> Result<(), Error> {
        let opened = connect::sandbox(job)
            .and_then(|sandbox| Ok((connect::connect(job, sandbox.as_ref())?, sandbox)));
        let scheme = job.api.auth.name();
        let opened = opened.map_err(|error| Failure::of(&error));
        let Some((connection, _sandbox)) = self.step("secrets", opened, |_| {
            format!("all that scheme \"{scheme}\" needs is there")
        })?
        else {
            return Ok(());
        };
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Error::System)?;

        let (located, cause) = runtime.block_on(listen(connection.locate()));
        let located = located.map_err(|error| not_located(error).because(&cause));
        let at = |_: &_| {
            connection
                .api()
                .map(|api| api.to_string())
                .unwrap_or_default()
        };
        let name = if matches!(job.api.installation, Installation::Tenant { .. }) {
            "tenant"
        } else {
            "address"
        };
        if self.step(name, located, at)?.is_none() {
            return Ok(());
        }
        let (logged_in, cause) = runtime.block_on(listen(connection.log_in()));
        let logged_in = logged_in.map_err(|error| no_login(error, job).because(&cause));
        if self
            .step("login", logged_in, |_| format!("scheme \"{scheme}\""))?
            .is_none()
        {
            return Ok(());
        }
        let (reply, cause) = runtime.block_on(listen(connection.principal()));
        match principal(reply, job).map_err(|failure| failure.because(&cause)) {
            Ok(Principal::NoPage { status }) => {
                (self.print)(&format!(
                    "? {:<8} no page here tells who is logged in (status {status}); a contact has to tell\n",
                    "access"
                ))?;
            }
            result => {
                if self
                    .step("access", result, |_| "the API lets the login in".to_owned())?
                    .is_none()
                {
                    return Ok(());
                }
            }
        }
        if let Some(contact_id) = contact_id {
            let (fetched, cause) = runtime.block_on(listen(fetch(&connection, contact_id, job)));
            self.step(
                "contact",
                fetched.map_err(|failure| failure.because(&cause)),
                Clone::clone,
            )?;
        }
        Ok(())
    }
}

impl Failure {
    fn of(error: &Error) -> Self {
        let mut problem = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            write!(problem, ": {cause}").expect("writing to a String cannot fail");
            source = cause.source();
        }
        Self {
            exit: error.exit(),
            problem,
            hint: error.hint().unwrap_or_default().to_owned(),
        }
    }

    /// An answer of `whom` that ends a run where the first ones are all like it.
    fn hopeless(hopeless: Hopeless, whom: &str) -> Self {
        let problem = format!("{whom}: {}", said(hopeless.reason, hopeless.status));
        Self {
            problem,
            ..Self::of(&Error::Hopeless(hopeless))
        }
    }

    fn because(mut self, cause: &Cause) -> Self {
        write!(self.problem, "{cause}").expect("writing to a String cannot fail");
        self
    }

    fn unreachable(problem: String) -> Self {
        let hint = "a run waits for that up to `fetch.patience`; if it stays so, check the address, `api.proxy` and `api.ca_file`";
        Self {
            exit: Exit::Unreachable,
            problem,
            hint: hint.to_owned(),
        }
    }
}

/// What the first lines of the input hold.
struct Input {
    column: Column,
    lines: usize,
    ids: BTreeSet<ContactId>,
    rejected: usize,
    first: Option<ContactId>,
}

fn read_input(source: &Source) -> Result<Input, Error> {
    let reader = Reader::open(source)?;
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

fn not_located(error: NotLocated) -> Failure {
    match error {
        NotLocated::Never(unusable) => Failure::of(&Error::Unusable(unusable)),
        other => Failure::unreachable(other.to_string()),
    }
}

fn no_login(error: NoLogin, job: &Job) -> Failure {
    match error {
        NoLogin::Refused(refusal) => Failure::of(&Error::NoLogin(refusal)),
        NoLogin::NoOther => refused(401, job),
        NoLogin::Away(_) => Failure::unreachable(error.to_string()),
    }
}

fn refused(status: u16, job: &Job) -> Failure {
    let hint = job.api.auth.hint(job.api.app_token.is_some());
    Failure::of(&Error::LoginRefused {
        status,
        worked_before: false,
        hint,
    })
}

/// What the API says of the login. Who that is, is nobody's business here.
enum Principal {
    /// It is let in.
    LetIn,
    /// Older servers have no such page, and neither has any other address.
    NoPage { status: u16 },
}

fn principal(reply: Result<Reply, NoReply>, job: &Job) -> Result<Principal, Failure> {
    let reply = reply
        .map_err(|no_reply| Failure::unreachable(format!("the API gave no answer ({no_reply})")))?;
    let content = content_of_principal(&reply);
    match (reply.status, hopeless(reply.status, &content)) {
        (404 | 405, _) => Ok(Principal::NoPage {
            status: reply.status,
        }),
        (status @ (401 | 403), _) => Err(refused(status, job)),
        (_, Some(hopeless)) => Err(Failure::hopeless(hopeless, "the API")),
        (200..=299, None) => Ok(Principal::LetIn),
        (status, None) => Err(Failure::unreachable(format!(
            "the API answered with status {status}"
        ))),
    }
}

/// The body of that answer, as far as it tells a web page.
fn content_of_principal(reply: &Reply) -> Content {
    let mut unpacker = Unpacker::default();
    let body = decode(reply, &mut unpacker).unwrap_or_default();
    let is_page = !body.is_empty() && serde_json::from_slice::<IgnoredAny>(body).is_err();
    if is_page {
        Content::Other(Reason::NotJson)
    } else {
        Content::Empty
    }
}

/// What would end a run whose first answers were all like this one.
fn hopeless(status: u16, content: &Content) -> Option<Hopeless> {
    let mut first = FirstAnswers::default();
    (0..=u8::MAX).find_map(|_| first.note(status, content))
}

/// Fetches one contact as a run does, once.
async fn fetch(
    connection: &Connection,
    contact_id: ContactId,
    job: &Job,
) -> Result<String, Failure> {
    let (status, content) = match connection.attempt(contact_id).await {
        Ok(reply) => (reply.status, connection.inspect(contact_id, &reply).await),
        Err(no_reply) => {
            let problem = format!("{contact_id}: {no_reply}");
            return Err(match no_reply.reason {
                Reason::BodyTooLarge => Failure {
                    exit: Exit::NotPublished,
                    problem,
                    hint: "lower `api.limit`".to_owned(),
                },
                _ => Failure::unreachable(problem),
            });
        }
    };
    match (
        status,
        hopeless(status, &content),
        verdict(status, None, &content).fate,
    ) {
        (401, ..) => Err(refused(401, job)),
        (_, Some(hopeless), _) => Err(Failure::hopeless(hopeless, &contact_id.to_string())),
        (_, None, Fate::Exported) => Ok(format!("{contact_id}: a summary, as it should be")),
        (_, None, Fate::Missing | Fate::EmptyAgain) => Ok(format!(
            "{contact_id}: no such contact (status {status}); the API answers"
        )),
        (_, None, Fate::Again { reason, .. } | Fate::Failed(reason)) => Err(Failure::unreachable(
            format!("{contact_id}: {}", said(reason, status)),
        )),
    }
}

/// What is wrong with an answer, in a few words.
fn said(reason: Reason, status: u16) -> String {
    if reason == Reason::HttpStatus {
        format!("status {status}")
    } else {
        format!("{reason} (status {status})")
    }
}
