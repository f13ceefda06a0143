//! Settles an attempt: applies its verdict to the run, step by step, and then to its contact. The
//! order of the steps is part of the rules, and each says why it stands where it does.

use bytes::Bytes;

use crate::contact::{Answer, Ending, Outcome};
use crate::extract::fetcher::access::{AccessHistory, Admission};
use crate::extract::fetcher::attempt::{Attempt, Judged, Send};
use crate::extract::fetcher::control::Control;
use crate::extract::fetcher::end::End;
use crate::extract::fetcher::pace::RoundTrip;
use crate::extract::fetcher::verdict::{Demand, Health};

impl Control {
    /// Applies the verdict on an attempt, where so many requests were in flight before it was done;
    /// gives the contact's answer where it is final.
    pub(super) fn settle(
        &mut self,
        attempt: Attempt,
        in_flight: usize,
        roll: f64,
    ) -> Result<Option<Answer<Bytes>>, End> {
        let judged = attempt.judge(self.settings.patience, in_flight, roll);
        // First what is measured, which is true of every answer, whatever else follows. The pace
        // learns nothing from answers of an outage, but the failure that begins one is still its
        // business: so before the circuit breaker hears of it.
        self.measure(&judged);
        // Before the login is looked at, so that no answer is kept from this count: a refusal for
        // which a login is renewed is one of the first answers, too.
        self.check_hopeless(&judged)?;
        // Before the server's health: a request that was turned away for its login or address
        // says nothing of its contact, and is no failure that could begin an outage.
        match self.admit(&judged) {
            Admission::Admitted => {}
            Admission::Resend => {
                self.resend(judged);
                return Ok(None);
            }
            Admission::LoginRefused => return Err(self.access.refused()),
        }
        // Before `Retry-After`, which puts off the probes of an outage that this answer may begin,
        // and before the contact's fate, which depends on whether the attempt counts against it.
        let counts = self.note_health(&judged);
        self.leave_alone(&judged);
        Ok(self.conclude(judged, counts))
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
            Send::Probe(_) => &mut of_probe,
        };
        self.access.admit(judged, history)
    }

    /// Sends a request again that was turned away: at once, and at no cost to its contact.
    fn resend(&mut self, judged: Judged) {
        // It begins no outage, but in one it was the probe, which has to end.
        if judged.verdict.health == Health::Well || self.outage.is_suspected() {
            self.note_health(&judged);
        }
        match judged.sent.send {
            Send::Contact(contact_id) => {
                let mut tries = self.backlog.take(contact_id);
                let done = judged.done;
                let ending = Ending {
                    outcome: Outcome::Pending,
                    http_status: None,
                    attempts: tries.sends,
                    error: judged.verdict.fate.reason(),
                    message: None,
                    fetched_at: None,
                };
                tries.last = Some(judged.into_answer(ending).ending);
                self.backlog.put_back(contact_id, done, tries);
            }
            Send::Probe(_) => {}
        }
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
            Demand::None | Demand::RenewLogin | Demand::RenewOldLogin | Demand::Rediscover => {}
        }
    }

    /// What becomes of the contact: another attempt, or its final answer. Of a probe nothing does.
    fn conclude(&mut self, judged: Judged, counts: bool) -> Option<Answer<Bytes>> {
        let contact_id = match judged.sent.send {
            Send::Contact(contact_id) => contact_id,
            Send::Probe(_) => return None,
        };
        let mut tries = self.backlog.take(contact_id);
        tries.charged += u32::from(counts);
        let (again, ending) = tries.fate(&judged, self.served, self.settings.retry);
        let done = judged.done;
        let answer = judged.into_answer(ending);
        if let Some(delay) = again {
            tries.last = Some(Ending {
                outcome: Outcome::Pending,
                ..answer.ending
            });
            self.backlog.put_back(contact_id, done + delay, tries);
            return None;
        }
        if answer.ending.outcome == Outcome::Exported {
            self.known_good.get_or_insert(contact_id);
        }
        self.progress.done += 1;
        self.progress.failed += u64::from(answer.ending.outcome == Outcome::Failed);
        Some(answer)
    }
}
