//! The steps of the checklist that call the server, and what an answer means: what a run would make
//! of it, if all its answers were so.

use std::fmt::Write as _;
use std::future::Future;

use serde::de::IgnoredAny;
use tokio::runtime::Runtime;

use super::failed_step::FailedStep;
use crate::connect;
use crate::contact::{ContactId, Reason};
use crate::error::{Error, Exit};
use crate::extract::api::cause::{Cause, listen};
use crate::extract::api::client::{NoReply, Reply};
use crate::extract::api::inspect::{Content, decode};
use crate::extract::api::tenant::NotLocated;
use crate::extract::api::zone::ZoneChoice;
use crate::extract::auth::NoLogin;
use crate::extract::connection::{Connection, RemoteApi as _};
use crate::extract::fetcher::hopeless::{FirstAnswers, Hopeless};
use crate::extract::fetcher::verdict::{Fate, verdict};
use crate::extract::waiting::{Stop, stopped};
use crate::gzip::Unpacker;
use crate::job::Job;
use crate::sandbox::Sandbox;

/// The server that the steps ask.
pub(super) struct ServerSteps<'a> {
    job: &'a Job,
    runtime: Runtime,
    /// Serves until the checklist is done.
    _sandbox: Option<Sandbox>,
    connection: Connection,
    stop: &'a Stop,
}

/// What the API says of the login. Who that is, is nobody's business here.
pub(super) enum Principal {
    /// It is let in.
    LetIn,
    /// Older servers have no such page, and neither has any other address.
    NoPage {
        /// Status of that answer.
        status: u16,
    },
}

impl<'a> ServerSteps<'a> {
    /// Reads the secrets; calls nothing.
    pub(super) fn open(job: &'a Job, runtime: Runtime, stop: &'a Stop) -> Result<Self, Error> {
        let sandbox = connect::sandbox(job)?;
        let connection = connect::connect(job, sandbox.as_ref(), stop)?;
        Ok(Self {
            job,
            runtime,
            _sandbox: sandbox,
            connection,
            stop,
        })
    }

    /// Finds out where the API is.
    pub(super) fn locate(&self) -> Result<(), FailedStep> {
        self.ask(async {
            let located = self.connection.locate().await;
            located.map(|_| ()).map_err(not_located)
        })
    }

    /// Where the API is, once it is found.
    pub(super) fn address(&self) -> String {
        let api = self.connection.api();
        api.map(|api| api.to_string()).unwrap_or_default()
    }

    /// Logs in.
    pub(super) fn log_in(&self) -> Result<(), FailedStep> {
        self.ask(async {
            let logged_in = self.connection.log_in().await;
            logged_in
                .map(|_| ())
                .map_err(|error| no_login(error, self.job))
        })
    }

    /// Asks who is logged in.
    pub(super) fn principal(&self) -> Result<Principal, FailedStep> {
        self.ask(async { principal(self.connection.principal().await, self.job) })
    }

    /// Finds out in which zone instants are asked for, and asks for them in that one.
    pub(super) fn zone(&self) -> Result<ZoneChoice, FailedStep> {
        if let Some(choice) = ZoneChoice::named(&self.job.api.time_zone) {
            self.connection.set_zone(&choice.zone);
            return Ok(choice);
        }
        self.ask(async {
            let answer = self.connection.ask_zone().await;
            let choice = ZoneChoice::of(&answer, None).map_err(|away| {
                FailedStep::unreachable(format!("the API does not tell its time zone now: {away}"))
            })?;
            self.connection.set_zone(&choice.zone);
            Ok(choice)
        })
    }

    /// Fetches one contact as a run does, once.
    pub(super) fn fetch(&self, contact_id: ContactId) -> Result<String, FailedStep> {
        self.ask(async {
            let reply = self.connection.attempt(contact_id).await;
            let reply = reply.map_err(|no_reply| no_contact(contact_id, no_reply))?;
            let content = self.connection.inspect(contact_id, &reply).await;
            contact(contact_id, reply.status, &content, self.job)
        })
    }

    /// Carries a step out, until somebody asks to stop. Where no answer came, the failure says why.
    fn ask<T>(&self, step: impl Future<Output = Result<T, FailedStep>>) -> Result<T, FailedStep> {
        let (result, cause) = self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = stopped(self.stop.clone()) => {
                    (Err(FailedStep::of(&Error::CheckInterrupted)), Cause::default())
                }
                done = listen(step) => done,
            }
        });
        result.map_err(|failed| failed.because(&cause))
    }
}

impl FailedStep {
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
        let hint = "a run waits for that up to `fetch.patience`, but not for another certificate; \
                    if it stays so, check the address, `api.proxy`, `api.ca_file` and the clock";
        Self {
            exit: Exit::Unreachable,
            problem,
            hint: hint.to_owned(),
        }
    }
}

fn not_located(error: NotLocated) -> FailedStep {
    match error {
        NotLocated::Never(unusable) => FailedStep::of(&Error::Unusable(unusable)),
        NotLocated::Away(_) | NotLocated::NotNow(_) => FailedStep::unreachable(error.to_string()),
    }
}

fn no_login(error: NoLogin, job: &Job) -> FailedStep {
    match error {
        NoLogin::Refused(refusal) => FailedStep::of(&Error::NoLogin(refusal)),
        NoLogin::NoOther => refused(401, job),
        NoLogin::Away(_) => FailedStep::unreachable(error.to_string()),
    }
}

fn refused(status: u16, job: &Job) -> FailedStep {
    let hint = job.api.auth.hint(job.api.app_token.is_some());
    FailedStep::of(&Error::LoginRefused {
        status,
        worked_before: false,
        hint,
    })
}

fn principal(reply: Result<Reply, NoReply>, job: &Job) -> Result<Principal, FailedStep> {
    let reply = reply.map_err(|no_reply| {
        FailedStep::unreachable(format!("the API gave no answer ({no_reply})"))
    })?;
    let content = content_of_principal(&reply);
    match (reply.status, hopeless(reply.status, &content)) {
        (404 | 405, _) => Ok(Principal::NoPage {
            status: reply.status,
        }),
        (status @ (401 | 403), _) => Err(refused(status, job)),
        (_, Some(hopeless)) => Err(FailedStep::hopeless(hopeless, "the API")),
        (200..=299, None) => Ok(Principal::LetIn),
        (status, None) => Err(FailedStep::unreachable(format!(
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

fn no_contact(contact_id: ContactId, no_reply: NoReply) -> FailedStep {
    let problem = format!("{contact_id}: {no_reply}");
    if no_reply.reason == Reason::BodyTooLarge {
        FailedStep {
            exit: Exit::NotPublished,
            problem,
            hint: "lower `api.limit`".to_owned(),
        }
    } else {
        FailedStep::unreachable(problem)
    }
}

/// What a run would make of the answer to this contact.
fn contact(
    contact_id: ContactId,
    status: u16,
    content: &Content,
    job: &Job,
) -> Result<String, FailedStep> {
    let fate = verdict(status, None, content).fate;
    match (status, hopeless(status, content), fate) {
        (401, ..) => Err(refused(401, job)),
        (_, Some(hopeless), _) => Err(FailedStep::hopeless(hopeless, &contact_id.to_string())),
        (_, None, Fate::Exported) => Ok(format!("{contact_id}: a summary, as it should be")),
        (_, None, Fate::Missing | Fate::EmptyAgain) => Ok(format!(
            "{contact_id}: no such contact (status {status}); the API answers"
        )),
        (_, None, Fate::Again { reason, .. } | Fate::Failed(reason)) => Err(
            FailedStep::unreachable(format!("{contact_id}: {}", said(reason, status))),
        ),
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
