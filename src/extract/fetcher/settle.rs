//! Settles an attempt: applies its verdict to the run, step by step, and then to its contact. The
//! order of the steps is part of the rules, and each says why it stands where it does.

use bytes::Bytes;

use crate::contact::{Answer, Ending, Outcome};
use crate::extract::fetcher::access::{AccessHistory, Admission};
use crate::extract::fetcher::attempt::{Attempt, Judged, Send};
use crate::extract::fetcher::control::Control;
use crate::extract::fetcher::end::End;
use crate::extract::fetcher::pace::RoundTrip;
use crate::extract::fetcher::refusals::{Held, LAST_LOOKS};
use crate::extract::fetcher::tries::Tries;
use crate::extract::fetcher::verdict::{Demand, Health};

impl Control {
    /// Applies the verdict on an attempt, where so many requests were in flight before it was done.
    /// Answers that are final then wait to be handed on.
    pub(super) fn settle(
        &mut self,
        attempt: Attempt,
        in_flight: usize,
        roll: f64,
    ) -> Result<(), End> {
        let judged = attempt.judge(self.settings.patience, in_flight, roll);
        // First what is measured, which is true of every answer, whatever else follows. The pace
        // learns nothing from answers of an outage, but the failure that begins one is still its
        // business: so before the circuit breaker hears of it.
        self.measure(&judged);
        // Before the login is looked at, so that no answer is kept from these: a refusal for which
        // a login is renewed is one of the first answers, too.
        if let Err(end) = self
            .check_trusted(&judged)
            .and(self.check_hopeless(&judged))
        {
            self.trouble = judged.trouble();
            self.keep_on_record(judged);
            return Err(end);
        }
        // Before the server's health: a request that was turned away for its login or address
        // says nothing of its contact, and is no failure that could begin an outage.
        match self.admit(&judged) {
            Admission::Admitted => {}
            Admission::Resend => {
                self.resend(judged);
                return Ok(());
            }
            Admission::AtTheEnd => {
                self.ask_at_the_end(judged);
                return Ok(());
            }
            Admission::LoginRefused => {
                let end = self.access.refused(401);
                self.keep_on_record(judged);
                return Err(end);
            }
        }
        // Before `Retry-After`, which puts off the probes of an outage that this answer may begin,
        // and before the contact's fate, which depends on whether the attempt counts against it.
        let counts = self.note_health(&judged);
        self.leave_alone(&judged);
        self.conclude(judged, counts);
        Ok(())
    }

    /// Latency, pace, and what the summary tells of how the server held out.
    fn measure(&mut self, judged: &Judged) {
        let health = judged.verdict.health;
        if judged.reply.is_ok() {
            let latency = judged.done.saturating_sub(judged.sent.at).as_micros();
            let latency = u64::try_from(latency).unwrap_or(u64::MAX);
            self.latency.saturating_record(latency.max(1));
        }
        if !self.outage.is_suspected() {
            self.pace.replied(&RoundTrip {
                sent: judged.sent.at,
                done: judged.done,
                in_flight: judged.in_flight,
                health,
            });
        }
        self.progress.refused += u64::from(health == Health::TooMany);
        self.progress.short += u64::from(health == Health::PushBack);
    }

    /// Ends the run where the server's certificate is not accepted, unless it was before: then that
    /// may pass.
    fn check_trusted(&self, judged: &Judged) -> Result<(), End> {
        match &judged.reply {
            Err(no_reply) if no_reply.is_untrusted() && self.served == 0 => Err(End::Untrusted),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Ends the run where its first answers are all one refusal. Contacts that failed on an earlier
    /// night say nothing of the job.
    fn check_hopeless(&mut self, judged: &Judged) -> Result<(), End> {
        let Ok((reply, content)) = &judged.reply else {
            return Ok(());
        };
        let failed_before = self
            .backlog
            .tries(judged.contact_id())
            .is_some_and(|tries| tries.failed_before);
        if failed_before {
            return Ok(());
        }
        match self.first_answers.note(reply.status, content) {
            Some(hopeless) => Err(End::Hopeless(hopeless)),
            None => Ok(()),
        }
    }

    /// Whether the request was let in, as far as login and address go.
    fn admit(&mut self, judged: &Judged) -> Admission {
        // Nothing is kept of a probe: it is sent again in any case.
        let mut of_probe = AccessHistory::default();
        let history = match judged.sent.send {
            Send::Contact(contact_id) => self
                .backlog
                .tries(contact_id)
                .map_or(&mut of_probe, |tries| &mut tries.access),
            Send::Probe(_) | Send::Proof(_) => &mut of_probe,
        };
        self.access.admit(judged, history)
    }

    /// Sends a request again that was turned away: at once, and at no cost to its contact.
    fn resend(&mut self, judged: Judged) {
        let contact_id = judged.contact_id();
        let is_reconnected = judged.verdict.demand == Demand::Reconnect;
        if self.outage.is_suspected() {
            // It was the probe, or one of those that were under way when it began. A login that has
            // ended says that a server is there, but not that it does its work.
            match judged.verdict.health {
                Health::Well => self.outage.probe_void(contact_id),
                Health::TooMany | Health::PushBack | Health::Sick | Health::Away => {
                    self.note_health(&judged);
                }
            }
        }
        let done = judged.done;
        if let Some(mut tries) = self.keep(judged) {
            if is_reconnected {
                tries.was_dropped = true;
                self.backlog.put_first(contact_id, tries);
            } else {
                self.backlog.put_back(contact_id, done, tries);
            }
        }
    }

    /// Sends a request once more at the end of the plan that was turned away under a login that
    /// cannot be renewed. Where too many wait for that already, it is judged at once like any failure,
    /// so that the list of those who wait stays bounded.
    fn ask_at_the_end(&mut self, judged: Judged) {
        let contact_id = judged.contact_id();
        self.note_health(&judged);
        if self.backlog.waiting_for_the_end() >= LAST_LOOKS {
            self.conclude(judged, true);
        } else if let Some(tries) = self.keep(judged) {
            self.backlog.put_last(contact_id, tries);
        }
    }

    /// Keeps how an attempt went that ends the run.
    fn keep_on_record(&mut self, judged: Judged) {
        let contact_id = judged.contact_id();
        if let Some(tries) = self.keep(judged) {
            self.backlog.put_last(contact_id, tries);
        }
    }

    /// Keeps how an attempt went that is not the contact's last, or that ends the run. Gives what
    /// is known of the contact, which is to be put back; nothing for a probe.
    fn keep(&mut self, judged: Judged) -> Option<Tries> {
        let contact_id = match judged.sent.send {
            Send::Contact(contact_id) => contact_id,
            Send::Probe(_) | Send::Proof(_) => return None,
        };
        let mut tries = self.backlog.take(contact_id);
        let ending = Ending {
            outcome: Outcome::Pending,
            http_status: None,
            attempts: tries.sends,
            error: judged.verdict.fate.reason(),
            message: None,
            fetched_at: None,
        };
        tries.last = Some(judged.into_answer(ending).ending);
        Some(tries)
    }

    /// Keeps off as long as the server asked for: the next probe, and after a 429 everybody. The
    /// contact's own wait is part of its fate.
    fn leave_alone(&mut self, judged: &Judged) {
        let Some(wait) = judged.verdict.not_before else {
            return;
        };
        let until = judged.done + wait;
        self.outage.put_off(until);
        match judged.verdict.demand {
            Demand::Pause => {
                self.progress.pauses += u64::from(self.pace.paused_until(judged.done).is_none());
                self.pace.pause_until(until);
            }
            Demand::None
            | Demand::RenewLogin
            | Demand::RenewOldLogin
            | Demand::Rediscover
            | Demand::Reconnect => {}
        }
    }

    /// What becomes of the contact: another attempt, or its final answer, which is held back where
    /// it may be an outage's. Of a probe nothing does.
    fn conclude(&mut self, judged: Judged, counts: bool) {
        let contact_id = match judged.sent.send {
            Send::Contact(contact_id) => contact_id,
            Send::Probe(_) | Send::Proof(_) => return,
        };
        let in_row = judged
            .refusal()
            .filter(|refusal| self.is_in_row(&judged, *refusal));
        let mut tries = self.backlog.take(contact_id);
        tries.charged += u32::from(counts);
        let (again, ending) = tries.fate(&judged, self.served, self.settings.retry);
        let (sent, done) = (judged.sent.at, judged.done);
        let answer = judged.into_answer(ending);
        match (again, in_row) {
            (Some(delay), _) => {
                tries.last = Some(Ending {
                    outcome: Outcome::Pending,
                    ..answer.ending
                });
                self.backlog.put_back(contact_id, done + delay, tries);
            }
            (None, Some(refusal)) => self.refusals.hold(Held {
                refusal,
                sent,
                answer,
                tries,
            }),
            (None, None) => self.finish(answer),
        }
    }

    /// Hands on how a contact ended.
    pub(super) fn finish(&mut self, answer: Answer<Bytes>) {
        let outcome = answer.ending.outcome;
        if outcome == Outcome::Exported {
            self.exported.get_or_insert(answer.contact_id);
        }
        self.progress.done += u64::from(outcome != Outcome::Pending);
        self.progress.failed += u64::from(outcome == Outcome::Failed);
        self.progress.served += u64::from(outcome == Outcome::Missing);
        self.finished.push(answer);
    }
}
