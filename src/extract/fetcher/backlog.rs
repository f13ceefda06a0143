//! A work queue with delayed retries: the contacts that are planned, those that wait for their next
//! attempt, ordered by when that is due, and what is known of each. A contact that waits holds no
//! slot. Whether anything may be sent at all is decided before it is asked.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;

use crate::contact::{Answer, ContactId, Planned};
use crate::extract::fetcher::attempt::Send;
use crate::extract::fetcher::budget::RetryBudget;
use crate::extract::fetcher::next::Next;
use crate::extract::fetcher::tries::Tries;

/// Contacts that may wait for their next attempt before no new ones are begun. It bounds the memory
/// that a sick server can make us spend. Set by hand, at twice the retry budget's burst: where the
/// budget holds retries back, this is what then holds new contacts back.
const MOST_WAITING: usize = 1_000;

/// The contacts that have no final answer yet, without those in flight.
#[derive(Debug)]
pub(super) struct Backlog {
    planned: VecDeque<Planned>,
    /// Whether more of the plan may come.
    plan_open: bool,
    waiting: BinaryHeap<Reverse<(Duration, ContactId)>>,
    /// Contacts with at least one attempt behind them or in flight.
    tries: HashMap<ContactId, Tries>,
    budget: RetryBudget,
}

impl Backlog {
    /// An empty one, whose plan is still to come.
    pub(super) fn new() -> Self {
        Self {
            planned: VecDeque::new(),
            plan_open: true,
            waiting: BinaryHeap::new(),
            tries: HashMap::new(),
            budget: RetryBudget::default(),
        }
    }

    /// Takes in more of the plan, or notes that there is no more of it.
    pub(super) fn plan(&mut self, page: Option<Vec<Planned>>) {
        match page {
            Some(page) => self.planned.extend(page),
            None => self.plan_open = false,
        }
    }

    /// Whether nothing is left that could be sent.
    pub(super) fn is_empty(&self) -> bool {
        !self.plan_open && self.planned.is_empty() && self.waiting.is_empty()
    }

    /// How many contacts have no final answer yet, with those in flight. While more of the plan may
    /// come that is any number.
    pub(super) fn unanswered(&self, in_flight: usize) -> usize {
        if self.plan_open {
            usize::MAX
        } else {
            self.planned.len() + self.waiting.len() + in_flight
        }
    }

    /// The contact to ask for now: one whose retry is due, as far as the retry budget allows, or
    /// else a new one.
    pub(super) fn next(&mut self, now: Duration) -> Next {
        let due = self.waiting.peek().map(|Reverse((due, _))| *due);
        let mut wake = due;
        if due.is_some_and(|due| due <= now) {
            match self.budget.draw(now) {
                Ok(()) => return self.take_waiting(),
                Err(until) => wake = Some(until),
            }
        }
        if self.waiting.len() < MOST_WAITING {
            if let Some(contact_id) = self.begin() {
                return Next::Send(Send::Contact(contact_id));
            }
            if self.plan_open {
                return Next::Plan;
            }
        }
        Next::Wait(wake)
    }

    /// The contact to ask for to find out whether the server is back, where none is known to be
    /// good. A new one comes first: one that waits may fail by its own fault for ever.
    pub(super) fn next_to_probe_with(&mut self, now: Duration) -> Next {
        if let Some(contact_id) = self.begin() {
            return Next::Send(Send::Contact(contact_id));
        }
        if self.plan_open {
            return Next::Plan;
        }
        match self.waiting.peek() {
            Some(Reverse((due, _))) if *due > now => Next::Wait(Some(*due)),
            _ => self.take_waiting(),
        }
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

    fn take_waiting(&mut self) -> Next {
        match self.waiting.pop() {
            Some(Reverse((_, contact_id))) => Next::Send(Send::Contact(contact_id)),
            None => Next::Wait(None),
        }
    }

    /// Notes that a contact of the plan is asked for; true where it was before.
    pub(super) fn sent(&mut self, contact_id: ContactId) -> bool {
        let tries = self.tries.entry(contact_id).or_default();
        tries.sends += 1;
        let is_retry = tries.sends > 1;
        if !is_retry {
            self.budget.earn();
        }
        is_retry
    }

    /// What is known of a contact that was asked for.
    pub(super) fn tries(&mut self, contact_id: ContactId) -> Option<&mut Tries> {
        self.tries.get_mut(&contact_id)
    }

    /// What is known of a contact that was asked for, which is forgotten here.
    pub(super) fn take(&mut self, contact_id: ContactId) -> Tries {
        self.tries.remove(&contact_id).unwrap_or_default()
    }

    /// Lets a contact wait until its next attempt is due.
    pub(super) fn put_back(&mut self, contact_id: ContactId, due: Duration, tries: Tries) {
        self.tries.insert(contact_id, tries);
        self.waiting.push(Reverse((due, contact_id)));
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
}
