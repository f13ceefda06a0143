//! `probe`: asks a live installation what no document says, and reports it without a name, text or
//! id of it, for whoever maintains this program. Some forty calls, all of which only read, one after
//! the other, through the client, login and rate of a run. This file owns their order; what is asked
//! stands in `general`, `archives` and `summaries`, each a table of questions.

mod answer;
mod archives;
mod fact;
mod general;
mod known;
mod moment;
mod question;
mod report;
mod summaries;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Instant;

use tokio::runtime::Builder;
use tokio::sync::watch;

use self::answer::ProbeAnswer;
use self::known::Learned;
use self::question::ProbeQuestion;
use self::report::{Asked, Entry, Report};
use crate::connect;
use crate::contact::InputLine;
use crate::error::{Error, Exit};
use crate::extract::api::tenant::NotLocated;
use crate::extract::auth::NoLogin;
use crate::extract::connection::{Connection, RemoteApi as _};
use crate::extract::fetcher::pace::limiter::{Limiter, Rate};
use crate::extract::ids::Reader;
use crate::extract::waiting::{Stop, stopped};
use crate::job::{self, Job, Override};
use crate::run::lock;

/// After so many questions in a row without an answer no more are asked.
const MOST_SILENT: u32 = 3;
/// Where the job sets no rate: an installation of one's own has other work to do.
const USUAL_RATE: f64 = 5.0;

/// All questions, in the order in which they are asked: what later ones need is told by earlier
/// ones.
fn questions() -> Vec<ProbeQuestion> {
    let mut questions = archives::questions();
    questions.extend(general::questions());
    questions.extend(summaries::questions());
    questions
}

/// Probes the installation of a job; `stop` turns true when somebody asks to stop, and `print` takes
/// the report.
///
/// # Errors
/// Where nothing can be asked: the job is wrong, the login refused, the server away.
pub fn probe(
    path: &Path,
    overrides: &[Override],
    is_json: bool,
    stop: &watch::Receiver<bool>,
    print: &mut dyn FnMut(&str) -> Result<(), Error>,
) -> Result<Exit, Error> {
    let job = job::read(path, overrides)?;
    let mut known = Learned {
        contact_id: first_contact(&job, stop),
        ..Learned::default()
    };
    // A login may use up the refresh token of a run.
    let _lock = if job.api.auth.uses_up_a_file() {
        lock::keep_out(&job.output.dir)?
    } else {
        lock::Lock::default()
    };
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::System)?;
    let sandbox = connect::sandbox(&job)?;
    let connection = connect::connect(&job, sandbox.as_ref(), stop)?;
    let report = runtime.block_on(async {
        tokio::select! {
            biased;
            () = stopped(stop.clone()) => Err(Error::CheckInterrupted),
            report = ask_all(&job, &connection, &mut known) => report,
        }
    })?;
    print(&if is_json {
        report.json()
    } else {
        report.text()
    })?;
    Ok(if report.has_answers() {
        Exit::Published
    } else {
        Exit::Unreachable
    })
}

/// The first contact of the job's list, where that can be read.
fn first_contact(job: &Job, stop: &Stop) -> Option<i64> {
    let mut lines = Reader::open_unless(&job.source.list, stop).ok()?.flatten();
    lines.find_map(|line| match line {
        InputLine::Target { contact_id, .. } => Some(contact_id.get()),
        InputLine::Rejected { .. } => None,
    })
}

async fn ask_all(job: &Job, connection: &Connection, known: &mut Learned) -> Result<Report, Error> {
    connection.locate().await.map_err(|error| match error {
        NotLocated::Never(unusable) => Error::Unusable(unusable),
        NotLocated::Away(_) | NotLocated::NotNow(_) => unreachable(&error),
    })?;
    connection.log_in().await.map_err(|error| match error {
        NoLogin::Refused(refusal) => Error::NoLogin(refusal),
        NoLogin::NoOther => Error::LoginRefused {
            status: 401,
            worked_before: false,
            hint: job.api.auth.hint(job.api.app_token.is_some()),
        },
        NoLogin::Away(_) => unreachable(&error),
    })?;
    let mut series = Series {
        connection,
        limiter: job
            .fetch
            .fetcher
            .rate
            .or(Rate::per_second(USUAL_RATE))
            .map(Limiter::new),
        began: Instant::now(),
        calls: 0,
        silent: 0,
        end: None,
    };
    let mut report = Report::default();
    for question in questions() {
        let outcome = series.ask(&question, known).await;
        let ProbeQuestion { name, asks, .. } = question;
        report.entries.push(Entry {
            name,
            asks,
            outcome,
        });
    }
    report.calls = series.calls;
    report.logins = connection.logins();
    Ok(report)
}

fn unreachable(cause: &dyn std::error::Error) -> Error {
    Error::Unreachable {
        done: 0,
        cause: cause.to_string(),
    }
}

/// Questions that are asked one after the other.
struct Series<'a> {
    connection: &'a Connection,
    limiter: Option<Limiter>,
    began: Instant,
    calls: u64,
    /// Questions in a row without an answer.
    silent: u32,
    /// Why no more are asked.
    end: Option<&'static str>,
}

impl Series<'_> {
    async fn ask(&mut self, question: &ProbeQuestion, known: &mut Learned) -> Asked {
        if let Some(end) = self.end {
            return Asked::Skipped(end);
        }
        let Some(inquiry) = (question.request)(known) else {
            return Asked::Skipped("no answer before told what it needs");
        };
        self.wait().await;
        self.calls += 1;
        let sent = Instant::now();
        let inquired = match self.connection.inquire(&inquiry).await {
            Ok(inquired) => inquired,
            Err(no_reply) => {
                self.silent += 1;
                if self.silent >= MOST_SILENT {
                    self.end = Some("the server has not answered several times in a row");
                }
                return Asked::Silent(no_reply.reason);
            }
        };
        self.silent = 0;
        let answer = ProbeAnswer::of(&inquired, sent.elapsed());
        if answer.asks_for_peace() {
            self.end = Some("the server asked to be left alone");
        }
        let mut facts = answer.outline();
        facts.extend((question.reading)(&answer, known));
        Asked::Answered(facts)
    }

    /// Keeps the rate of the job.
    async fn wait(&mut self) {
        let Some(limiter) = &mut self.limiter else {
            return;
        };
        let now = self.began.elapsed();
        if let Some(until) = limiter.closed_until(now) {
            tokio::time::sleep(until.saturating_sub(now)).await;
        }
        limiter.sent(self.began.elapsed());
    }
}
