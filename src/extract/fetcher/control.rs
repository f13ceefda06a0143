//! The control core: what the fetcher knows while it runs, and what is to be done next. Every
//! mechanism keeps its own rules in a file of its own; this one asks them in order. What an answer
//! changes is told in `settle.rs`, and what it says of the server in `accounting.rs`. Pure: time
//! and dice are arguments; nothing here waits or sends.

use std::time::Duration;

use bytes::Bytes;
use hdrhistogram::Histogram;

use crate::contact::{Answer, ContactId, Planned};
use crate::extract::api::client::Via;
use crate::extract::fetcher::access::Access;
use crate::extract::fetcher::attempt::{Send, Sending};
use crate::extract::fetcher::backlog::Backlog;
use crate::extract::fetcher::end::End;
use crate::extract::fetcher::hopeless::FirstAnswers;
use crate::extract::fetcher::next::Next;
use crate::extract::fetcher::outage::{Outage, Permit};
use crate::extract::fetcher::pace::Pace;
use crate::extract::fetcher::refusals::Refusals;
use crate::extract::fetcher::settings::Settings;
use crate::report::{Progress, Waiting};

/// The longest latency that is told apart, in microseconds: an hour, beyond any time-out.
const LONGEST_LATENCY: u64 = 3_600_000_000;

/// What the fetcher knows while it runs.
pub(super) struct Control {
    pub(super) settings: Settings,
    pub(super) backlog: Backlog,
    pub(super) pace: Pace,
    pub(super) outage: Outage,
    pub(super) refusals: Refusals,
    pub(super) first_answers: FirstAnswers,
    /// The first contact that was exported in this run.
    pub(super) exported: Option<ContactId>,
    pub(super) access: Access,
    /// Answers as they should be.
    pub(super) served: u64,
    /// Answers that are final and wait to be handed on.
    pub(super) finished: Vec<Answer<Bytes>>,
    /// Why the server did not answer as it should, when it last did not.
    pub(super) trouble: String,
    pub(super) progress: Progress,
    pub(super) latency: Histogram<u64>,
}

impl Control {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            pace: Pace::new(settings.max_in_flight, settings.rate),
            first_answers: FirstAnswers::new(settings.worked_before),
            settings,
            backlog: Backlog::new(),
            outage: Outage::default(),
            refusals: Refusals::default(),
            exported: None,
            access: Access::new(),
            served: 0,
            finished: Vec::new(),
            trouble: String::new(),
            progress: Progress::default(),
            latency: Histogram::new_with_bounds(1, LONGEST_LATENCY, 3)
                .expect("the bounds are sound"),
        }
    }

    /// Takes in more of the plan, or notes that there is no more of it.
    pub(super) fn plan(&mut self, page: Option<Vec<Planned>>) {
        self.backlog.plan(page);
    }

    /// Whether the next page of the plan is wanted.
    pub(super) fn wants_plan(&self) -> bool {
        self.backlog.wants_plan()
    }

    /// A contact that was had before: where it cannot be had again, the fault is the server's. One
    /// of this run comes first, since one of an earlier run may be gone since.
    pub(super) fn known_good(&self) -> Option<ContactId> {
        self.known_goods().next()
    }

    fn known_goods(&self) -> impl Iterator<Item = ContactId> {
        let all = self.exported.iter().chain(&self.settings.known_good);
        all.copied()
    }

    /// The contact that proves a login good: not one whose own request was turned away just now,
    /// where there is another.
    fn proof(&self) -> Option<ContactId> {
        let is_at_rest = |contact_id: &ContactId| !self.backlog.was_begun(*contact_id);
        self.known_goods()
            .find(is_at_rest)
            .or_else(|| self.known_good())
    }

    /// What is to be done now, with so many requests in flight.
    pub(super) fn next(&mut self, now: Duration, in_flight: usize) -> Next {
        // Whoever has nothing left to send does not care whether sending is allowed.
        let is_suspicious = self.outage.is_suspected() && self.refusals.holds_any();
        if self.backlog.is_empty() && !is_suspicious {
            return if in_flight == 0 {
                Next::Stop(End::Complete)
            } else {
                Next::Wait(None)
            };
        }
        // What ends the run comes before what makes it wait: no wait may hold the end up.
        if self.is_over_budget(now) {
            return Next::Stop(End::Budget);
        }
        if self.is_out_of_patience(now) {
            return Next::Stop(End::Unreachable);
        }
        // In an outage nobody asks even for the address or a login before the next probe is due.
        let is_probe = match self.outage.permit(now) {
            Permit::Send => false,
            Permit::Probe => true,
            Permit::WaitForProbe => return Next::Wait(None),
            Permit::WaitUntil(until) => return Next::Wait(Some(until)),
        };
        // Address and login are asked for beside requests that are in flight, whatever the pace.
        if let Some(chore) = self.access.chore(now) {
            return Next::Begin(chore);
        }
        if !self.access.is_open() || in_flight >= self.pace.limit() {
            return Next::Wait(None);
        }
        if let Some(until) = self.pace.closed_until(now) {
            return Next::Wait(Some(until));
        }
        // The request may go; which one it is comes last, since choosing draws on the retry budget.
        match self.proof() {
            Some(contact_id) if self.access.wants_proof() => Next::Send(Send::Proof(contact_id)),
            _ if is_probe => self.probe(now),
            _ => self.backlog.next(now),
        }
    }

    /// The request that finds out whether the server is back: for a contact that was had before, or
    /// for one of the plan where there is none, or where the last one was refused.
    fn probe(&mut self, now: Duration) -> Next {
        // One of several in turn: each of them may be gone, or fail by its own fault, since.
        let turn = self.outage.probes_of_known_good() % self.known_goods().count().max(1);
        let known_good = self.known_goods().nth(turn);
        if let Some(contact_id) = known_good
            && !self.outage.probes_another()
        {
            return Next::Send(Send::Probe(contact_id));
        }
        match (self.backlog.next_to_probe_with(now), known_good) {
            (Next::Wait(_), Some(contact_id)) => Next::Send(Send::Probe(contact_id)),
            (Next::Wait(None), None) if !self.wants_plan() => {
                // Nobody is left but those whose refusals are in doubt.
                if let Some(held) = self.refusals.take_one() {
                    self.put_back(held, now);
                }
                self.backlog.next_to_probe_with(now)
            }
            (next, _) => next,
        }
    }

    fn is_over_budget(&self, now: Duration) -> bool {
        self.settings
            .max_calls
            .is_some_and(|max| self.progress.attempts >= max)
            || self.settings.max_duration.is_some_and(|max| now >= max)
    }

    fn is_out_of_patience(&self, now: Duration) -> bool {
        self.outage
            .since()
            .is_some_and(|since| now.saturating_sub(since) > self.settings.patience)
    }

    /// Notes that this request is sent, and says how.
    pub(super) fn sent(&mut self, send: Send, now: Duration) -> Sending {
        self.progress.attempts += 1;
        // An answer on an old connection may come from a machine that others are not sent to.
        let is_probe = self.outage.is_suspected();
        self.outage.sent(send.contact_id());
        self.pace.sent(now);
        let (is_retry, was_dropped) = match send {
            Send::Contact(contact_id) => self.backlog.sent(contact_id),
            Send::Probe(_) | Send::Proof(_) => (true, false),
        };
        self.progress.retries += u64::from(is_retry);
        Sending {
            login: self.access.sent(),
            via: if is_probe || was_dropped {
                Via::NewConnection
            } else {
                Via::AnyConnection
            },
        }
    }

    /// The answers that are final since this was asked last.
    pub(super) fn take_finished(&mut self) -> Vec<Answer<Bytes>> {
        std::mem::take(&mut self.finished)
    }

    /// Ends everything as it stands at this time: refusals that were held back are final unless
    /// they are in doubt, and whoever else was tried is pending, so that every attempt is on
    /// record.
    pub(super) fn end(&mut self, now: i64) {
        let is_in_doubt = self.outage.is_suspected();
        for held in self.refusals.take() {
            if is_in_doubt {
                self.put_back(held, Duration::ZERO);
            } else {
                self.finish(held.answer);
            }
        }
        for answer in self.backlog.unfinished(now) {
            self.finish(answer);
        }
    }

    /// How fetching stands.
    pub(super) fn progress(&self, now: Duration, in_flight: usize, logins: u64) -> Progress {
        let pause = self
            .pace
            .paused_until(now)
            .map(|until| Waiting::Pause(until.saturating_sub(now)));
        let outage = self
            .outage
            .since()
            .map(|since| Waiting::Outage(now.saturating_sub(since)));
        Progress {
            in_flight,
            logins,
            limit: self.pace.limit(),
            slow_downs: self.pace.slow_downs(),
            waiting: outage.or(pause),
            ..self.progress
        }
    }

    /// Microseconds from request to answer.
    pub(super) fn into_latency(self) -> Histogram<u64> {
        self.latency
    }
}
