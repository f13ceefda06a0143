//! The control core: what the fetcher knows while it runs, and what is to be done next. Every
//! mechanism keeps its own rules in a file of its own; this one asks them in order. What an answer
//! changes is told in `settle.rs`, and what it says of the server in `accounting.rs`. Pure: time
//! and dice are arguments; nothing here waits or sends.

use std::time::Duration;

use bytes::Bytes;
use hdrhistogram::Histogram;

use crate::contact::{Answer, ContactId, Planned};
use crate::extract::fetcher::access::Access;
use crate::extract::fetcher::attempt::Send;
use crate::extract::fetcher::backlog::Backlog;
use crate::extract::fetcher::end::End;
use crate::extract::fetcher::hopeless::FirstAnswers;
use crate::extract::fetcher::next::Next;
use crate::extract::fetcher::outage::{Outage, Permit};
use crate::extract::fetcher::pace::Pace;
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
    pub(super) first_answers: FirstAnswers,
    /// A contact that was exported: where it cannot be had again, the fault is the server's.
    pub(super) known_good: Option<ContactId>,
    pub(super) access: Access,
    /// Answers as they should be.
    pub(super) served: u64,
    pub(super) progress: Progress,
    pub(super) latency: Histogram<u64>,
}

impl Control {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            pace: Pace::new(settings.max_in_flight, settings.rate),
            settings,
            backlog: Backlog::new(),
            outage: Outage::default(),
            first_answers: FirstAnswers::default(),
            known_good: None,
            access: Access::new(),
            served: 0,
            progress: Progress::default(),
            latency: Histogram::new_with_bounds(1, LONGEST_LATENCY, 3)
                .expect("the bounds are sound"),
        }
    }

    /// Takes in more of the plan, or notes that there is no more of it.
    pub(super) fn plan(&mut self, page: Option<Vec<Planned>>) {
        self.backlog.plan(page);
    }

    /// What is to be done now, with so many requests in flight.
    pub(super) fn next(&mut self, now: Duration, in_flight: usize) -> Next {
        // Whoever has nothing left to send does not care whether sending is allowed.
        if self.backlog.is_empty() {
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
        match self.known_good {
            _ if !is_probe => self.backlog.next(now),
            Some(contact_id) => Next::Send(Send::Probe(contact_id)),
            None => self.backlog.next_to_probe_with(now),
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

    /// Notes that this request is sent; gives the login that it is sent under.
    pub(super) fn sent(&mut self, send: Send, now: Duration) -> u64 {
        self.progress.attempts += 1;
        self.outage.sent(send.contact_id());
        self.pace.sent(now);
        let is_retry = match send {
            Send::Contact(contact_id) => self.backlog.sent(contact_id),
            Send::Probe(_) => true,
        };
        self.progress.retries += u64::from(is_retry);
        self.access.sent()
    }

    /// Contacts that were tried and wait for another attempt which does not come.
    pub(super) fn unfinished(&mut self) -> Vec<Answer<Bytes>> {
        self.backlog.unfinished()
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
            served: self.served,
            waiting: outage.or(pause),
            ..self.progress
        }
    }

    /// Microseconds from request to answer.
    pub(super) fn into_latency(self) -> Histogram<u64> {
        self.latency
    }
}
