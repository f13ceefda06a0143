//! What the fetcher knows while it runs: contacts planned, waiting and in flight, and what is to be
//! done next. Time and dice are arguments; nothing here waits or sends.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use hdrhistogram::Histogram;

use crate::contact::{Answer, Ending, Outcome, Reason};
use crate::contact::{ContactId, Planned};
use crate::extract::api::client::{NoReply, Reply};
use crate::extract::api::inspect::Content;
use crate::extract::fetcher::access::{Access, Door, Sent, TurnedAway};
use crate::extract::fetcher::budget::RetryBudget;
use crate::extract::fetcher::hopeless::FirstAnswers;
use crate::extract::fetcher::outage::{Few, Gate, Meaning, Outage};
use crate::extract::fetcher::pace::Pace;
use crate::extract::fetcher::pace::limiter::Limiter;
use crate::extract::fetcher::tries::Tries;
use crate::extract::fetcher::verdict::{
    Demand, Fate, Health, Verdict, verdict, verdict_without_reply,
};
use crate::extract::fetcher::{Attempt, Chore, Done, End, Settings};
use crate::report::{Progress, Waiting};

/// Contacts that may wait for their next attempt before no new ones are begun.
const MOST_WAITING: usize = 1_000;

/// How often each of the last contacts of a run has to fail before an outage is suspected, where so
/// many attempts are allowed: before the last one.
const FAILURES_OF_FEW: u32 = 3;

/// What is to be done next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Send a request for this contact.
    Send(ContactId),
    /// Begin this, and go on.
    Begin(Chore),
    /// Wait for an answer, or until this time.
    Wait(Option<Duration>),
    /// Wait for an answer or for more of the plan.
    Plan,
    /// Stop sending.
    Stop(End),
}

pub(super) struct State {
    settings: Settings,
    planned: VecDeque<Planned>,
    /// Whether more of the plan may come.
    plan_open: bool,
    waiting: BinaryHeap<Reverse<(Duration, ContactId)>>,
    /// Contacts with at least one attempt behind them or in flight.
    tries: HashMap<ContactId, Tries>,
    limiter: Option<Limiter>,
    pace: Pace,
    budget: RetryBudget,
    outage: Outage,
    first_answers: FirstAnswers,
    /// A contact that was exported: where it cannot be had again, the fault is the server's.
    known_good: Option<ContactId>,
    access: Access,
    /// Answers as they should be.
    served: u64,
    progress: Progress,
    latency: Histogram<u64>,
}

impl State {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            limiter: settings.rate.map(Limiter::new),
            pace: Pace::new(settings.max_in_flight),
            settings,
            planned: VecDeque::new(),
            plan_open: true,
            waiting: BinaryHeap::new(),
            tries: HashMap::new(),
            budget: RetryBudget::default(),
            outage: Outage::default(),
            first_answers: FirstAnswers::default(),
            known_good: None,
            access: Access::new(),
            served: 0,
            progress: Progress::default(),
            latency: Histogram::new_with_bounds(1, 3_600_000_000, 3).expect("the bounds are sound"),
        }
    }

    /// Takes in more of the plan.
    pub(super) fn plan(&mut self, page: Vec<Planned>) {
        self.planned.extend(page);
    }

    /// The next contact of the plan.
    fn begin(&mut self) -> Option<ContactId> {
        let Planned {
            contact_id,
            failed_before,
        } = self.planned.pop_front()?;
        self.tries.insert(contact_id, Tries::new(failed_before));
        Some(contact_id)
    }

    pub(super) fn into_latency(self) -> Histogram<u64> {
        self.latency
    }

    /// What is to be done now, with so many requests in flight.
    pub(super) fn next(&mut self, now: Duration, in_flight: usize, plan_open: bool) -> Next {
        self.plan_open = plan_open;
        let nothing_to_send = !plan_open && self.planned.is_empty() && self.waiting.is_empty();
        if nothing_to_send {
            return if in_flight == 0 {
                Next::Stop(End::Complete)
            } else {
                Next::Wait(None)
            };
        }
        if self.is_over_budget(now) {
            return Next::Stop(End::Budget);
        }
        if let Some(since) = self.outage.since()
            && now.saturating_sub(since) > self.settings.patience
        {
            return Next::Stop(End::Unreachable);
        }
        let gate = self.outage.gate(now);
        match gate {
            Gate::Open | Gate::Probe => {}
            Gate::Closed => return Next::Wait(None),
            Gate::ClosedUntil(until) => return Next::Wait(Some(until)),
        }
        if let Some(chore) = self.access.chore(now) {
            return Next::Begin(chore);
        }
        if !self.access.is_open() || in_flight >= self.pace.limit() {
            return Next::Wait(None);
        }
        let closed_until = self
            .limiter
            .as_ref()
            .and_then(|limiter| limiter.closed_until(now));
        if let Some(until) = self.pace.closed_until(now).max(closed_until) {
            return Next::Wait(Some(until));
        }
        if gate == Gate::Probe {
            self.probe(now, plan_open)
        } else {
            self.next_contact(now, plan_open)
        }
    }

    /// Applies what a chore came to.
    pub(super) fn done(&mut self, done: &Done, now: Duration, roll: f64) -> Result<(), End> {
        if !self.access.done(done, now)? {
            let meaning = self.outage.away(now, roll);
            self.note_outage(meaning);
        }
        Ok(())
    }

    fn next_contact(&mut self, now: Duration, plan_open: bool) -> Next {
        let due = self.waiting.peek().map(|Reverse((due, _))| *due);
        let mut wake = due;
        if due.is_some_and(|due| due <= now) {
            match self.budget.draw(now) {
                Ok(()) => {
                    return self
                        .waiting
                        .pop()
                        .map_or(Next::Wait(None), |Reverse((_, contact_id))| {
                            Next::Send(contact_id)
                        });
                }
                Err(until) => wake = Some(until),
            }
        }
        if self.waiting.len() < MOST_WAITING {
            if let Some(contact_id) = self.begin() {
                return Next::Send(contact_id);
            }
            if plan_open {
                return Next::Plan;
            }
        }
        Next::Wait(wake)
    }

    /// The contact to ask for while the server is away. One that waits comes last: it may fail by
    /// its own fault for ever.
    fn probe(&mut self, now: Duration, plan_open: bool) -> Next {
        if let Some(contact_id) = self.known_good.or_else(|| self.begin()) {
            return Next::Send(contact_id);
        }
        if plan_open {
            return Next::Plan;
        }
        match self.waiting.peek() {
            Some(Reverse((due, _))) if *due > now => Next::Wait(Some(*due)),
            _ => self
                .waiting
                .pop()
                .map_or(Next::Wait(None), |Reverse((_, contact_id))| {
                    Next::Send(contact_id)
                }),
        }
    }

    fn is_over_budget(&self, now: Duration) -> bool {
        self.settings
            .max_calls
            .is_some_and(|max| self.progress.attempts >= max)
            || self.settings.max_duration.is_some_and(|max| now >= max)
    }

    /// Notes that the request for this contact was sent; gives the login that it is sent under.
    pub(super) fn sent(&mut self, contact_id: ContactId, now: Duration) -> u64 {
        self.progress.attempts += 1;
        self.outage.sent(contact_id);
        self.pace.sent(now);
        if let Some(limiter) = &mut self.limiter {
            limiter.sent(now);
        }
        if self.known_good == Some(contact_id) {
            self.progress.retries += 1;
            return self.access.sent();
        }
        let tries = self.tries.entry(contact_id).or_default();
        tries.sends += 1;
        if tries.sends > 1 {
            self.progress.retries += 1;
        } else {
            self.budget.earn();
        }
        self.access.sent()
    }

    /// Applies the verdict on an attempt; gives the contact's answer where it is final.
    pub(super) fn settle(
        &mut self,
        contact_id: ContactId,
        attempt: Attempt,
        in_flight: usize,
        roll: f64,
    ) -> Result<Option<Answer<Bytes>>, End> {
        let Attempt {
            login,
            sent,
            done,
            at,
            reply,
        } = attempt;
        if reply.is_ok() {
            let latency = u64::try_from(done.saturating_sub(sent).as_micros()).unwrap_or(u64::MAX);
            self.latency.saturating_record(latency.max(1));
        }
        let verdict = match &reply {
            Ok((reply, content)) => verdict(reply.status, reply.retry_after, content),
            Err(no_reply) => verdict_without_reply(*no_reply),
        };
        if !self.outage.is_suspected() {
            self.pace.replied(done, sent, in_flight, verdict.health);
        }
        self.progress.refused += u64::from(verdict.health == Health::TooMany);
        self.progress.short += u64::from(verdict.health == Health::PushBack);
        // Those that failed on an earlier night say nothing of the job.
        if let Ok((reply, content)) = &reply
            && !self
                .tries
                .get(&contact_id)
                .is_some_and(|tries| tries.failed_before)
            && let Some(hopeless) = self.first_answers.note(reply.status, content)
        {
            return Err(End::Hopeless(hopeless));
        }
        match self.door(
            Sent {
                contact_id,
                login,
                at: sent,
            },
            &verdict,
            done,
        ) {
            Door::Open => {}
            Door::Again => {
                self.turned_away(contact_id, &verdict, in_flight, done, roll);
                if self.known_good != Some(contact_id) {
                    self.waiting.push(Reverse((done, contact_id)));
                }
                if let Some(tries) = self.tries.get_mut(&contact_id) {
                    let error = verdict.fate.reason();
                    let ending = Ending {
                        outcome: Outcome::Pending,
                        http_status: None,
                        attempts: tries.sends,
                        error,
                        message: None,
                        fetched_at: Some(at),
                    };
                    tries.last = Some(answer(contact_id, ending, reply).ending);
                }
                return Ok(None);
            }
            Door::Stop => return Err(self.access.refused()),
        }
        let counted = self.note_health(contact_id, &verdict, in_flight, done, roll);
        if let Fate::Again {
            not_before: Some(wait),
            ..
        } = verdict.fate
        {
            let until = done + wait.min(self.settings.patience);
            self.outage.put_off(until);
            if matches!(verdict.demand, Demand::Pause(_)) {
                self.progress.pauses += u64::from(self.pace.paused_until(done).is_none());
                self.pace.pause_until(until);
            }
        }
        if self.known_good == Some(contact_id) {
            return Ok(None);
        }
        let (again, ending) = self.fate(contact_id, &verdict, counted, roll);
        let answer = answer(
            contact_id,
            Ending {
                fetched_at: Some(at),
                ..ending
            },
            reply,
        );
        if let Some(delay) = again {
            self.waiting.push(Reverse((done + delay, contact_id)));
            if let Some(tries) = self.tries.get_mut(&contact_id) {
                tries.last = Some(Ending {
                    outcome: Outcome::Pending,
                    ..answer.ending
                });
            }
            return Ok(None);
        }
        if answer.ending.outcome == Outcome::Exported {
            self.known_good.get_or_insert(contact_id);
        }
        self.progress.done += 1;
        self.progress.failed += u64::from(answer.ending.outcome == Outcome::Failed);
        Ok(Some(answer))
    }

    fn door(&mut self, sent: Sent, verdict: &Verdict, now: Duration) -> Door {
        let mut none = TurnedAway::default();
        let turned_away = self
            .tries
            .get_mut(&sent.contact_id)
            .map_or(&mut none, |tries| &mut tries.turned_away);
        self.access.door(sent, turned_away, verdict, now)
    }

    /// A request that did not come in is no contact's fault; as a probe it has ended all the same.
    fn turned_away(
        &mut self,
        contact_id: ContactId,
        verdict: &Verdict,
        in_flight: usize,
        now: Duration,
        roll: f64,
    ) {
        if verdict.health == Health::Well {
            self.note_health(contact_id, verdict, in_flight, now, roll);
        } else if self.outage.is_suspected() {
            let meaning =
                self.outage
                    .failed(contact_id, self.few(verdict.health, in_flight), now, roll);
            self.note_outage(meaning);
        }
    }

    /// Contacts that wait for another attempt which does not come: pending, but tried.
    pub(super) fn unfinished(&mut self) -> Vec<Answer<Bytes>> {
        let tried = std::mem::take(&mut self.tries).into_iter();
        tried
            .filter_map(|(contact_id, tries)| {
                Some(Answer {
                    contact_id,
                    ending: tries.last?,
                    body: None,
                })
            })
            .collect()
    }

    /// Tells the outage how the server fares; false where the attempt does not count against its
    /// contact.
    fn note_health(
        &mut self,
        contact_id: ContactId,
        verdict: &Verdict,
        in_flight: usize,
        now: Duration,
        roll: f64,
    ) -> bool {
        if verdict.health == Health::Well {
            self.served += 1;
            if self.outage.answered() {
                self.pace.restart();
            }
            return true;
        }
        let is_web_page = matches!(
            verdict.fate,
            Fate::Again {
                reason: Reason::NotJson,
                ..
            }
        );
        if is_web_page && self.first_answers.undecided() && !self.outage.is_suspected() {
            return true;
        }
        let few = self.few(verdict.health, in_flight);
        let meaning = if verdict.health == Health::TooMany {
            self.outage.refused(contact_id, few, now, roll)
        } else {
            self.outage.failed(contact_id, few, now, roll)
        };
        self.note_outage(meaning)
    }

    /// How few contacts make an outage when no others are left. With a contact that is known to be
    /// good it can be found out whether it is one.
    fn few(&self, health: Health, in_flight: usize) -> Few {
        let open = if self.plan_open {
            usize::MAX
        } else {
            self.planned.len() + self.waiting.len() + in_flight
        };
        let failures = match (health, self.known_good) {
            (Health::Away, _) => 1,
            (_, Some(_)) => FAILURES_OF_FEW
                .min(self.settings.retry.max_attempts.get() - 1)
                .max(1),
            (_, None) => u32::MAX,
        };
        Few { open, failures }
    }

    /// Applies what a failure means; false where it does not count against its contact.
    fn note_outage(&mut self, meaning: Meaning) -> bool {
        if meaning != Meaning::Own {
            // Each probe asks first where the API is now.
            self.access.doubt_address();
        }
        match meaning {
            Meaning::Own | Meaning::Suspicion => true,
            Meaning::Outage => false,
            Meaning::Confirms => {
                self.progress.outages += 1;
                for (contact_id, failures) in self.outage.streak() {
                    if let Some(tries) = self.tries.get_mut(&contact_id) {
                        tries.forgive(failures);
                    }
                }
                false
            }
        }
    }

    /// After which delay the contact is tried again, if it is, and how this attempt ended.
    fn fate(
        &mut self,
        contact_id: ContactId,
        verdict: &Verdict,
        counted: bool,
        roll: f64,
    ) -> (Option<Duration>, Ending) {
        let mut tries = self.tries.remove(&contact_id).unwrap_or_default();
        tries.charged += u32::from(counted);
        let (again, ending) = tries.fate(
            verdict,
            self.served,
            self.settings.retry,
            self.settings.patience,
            roll,
        );
        if again.is_some() {
            self.tries.insert(contact_id, tries);
        }
        (again, ending)
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
}

fn answer(
    contact_id: ContactId,
    mut ending: Ending,
    reply: Result<(Reply, Content), NoReply>,
) -> Answer<Bytes> {
    let body;
    (ending.http_status, ending.message, body) = match reply {
        Ok((reply, Content::Summary(body))) => (Some(reply.status), None, Some(body)),
        Ok((reply, Content::ErrorObject(message))) => (Some(reply.status), message, None),
        Ok((reply, _)) => (Some(reply.status), None, None),
        Err(no_reply) => (no_reply.status, None, None),
    };
    let body = body.filter(|_| ending.outcome == Outcome::Exported);
    Answer {
        contact_id,
        ending,
        body,
    }
}
