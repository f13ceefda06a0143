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

/// The contacts that have no final answer yet. Of those in flight only the earlier attempts are here.
#[derive(Debug)]
pub(super) struct Backlog {
    planned: VecDeque<Planned>,
    /// Whether more of the plan may come.
    plan_open: bool,
    waiting: BinaryHeap<Reverse<(Duration, ContactId)>>,
    /// Contacts whose request is repeated before anything else, since it was not taken in.
    at_once: VecDeque<ContactId>,
    /// Contacts that are asked for once more when the plan is at its end.
    last: VecDeque<ContactId>,
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
            at_once: VecDeque::new(),
            last: VecDeque::new(),
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

    /// Whether the next page of the plan is wanted. It is taken in as soon as the last one is
    /// begun, so that the end of the plan is known in time.
    pub(super) fn wants_plan(&self) -> bool {
        self.plan_open && self.planned.is_empty()
    }

    /// Whether nothing is left that could be sent.
    pub(super) fn is_empty(&self) -> bool {
        !self.plan_open && self.left() == 0
    }

    fn left(&self) -> usize {
        self.planned.len() + self.waiting.len() + self.at_once.len() + self.last.len()
    }

    /// How many contacts have no final answer yet, with those in flight. While more of the plan may
    /// come that is any number.
    pub(super) fn unanswered(&self, in_flight: usize) -> usize {
        if self.plan_open {
            usize::MAX
        } else {
            self.left() + in_flight
        }
    }

    /// The contact to ask for now: one whose retry is due, as far as the retry budget allows, or
    /// else a new one.
    pub(super) fn next(&mut self, now: Duration) -> Next {
        if let Some(contact_id) = self.at_once.pop_front() {
            return Next::Send(Send::Contact(contact_id));
        }
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
            if let Some(contact_id) = self.take_last() {
                return Next::Send(Send::Contact(contact_id));
            }
        }
        Next::Wait(wake)
    }

    /// The contact to ask for to find out whether the server is back, where none is known to be
    /// good, or the one that was has just been refused itself. A new one comes first: one that waits may fail by its own fault for ever.
    pub(super) fn next_to_probe_with(&mut self, now: Duration) -> Next {
        if let Some(contact_id) = self.begin() {
            return Next::Send(Send::Contact(contact_id));
        }
        if self.plan_open {
            return Next::Wait(None);
        }
        match self.waiting.peek() {
            Some(Reverse((due, _))) if *due <= now => return self.take_waiting(),
            Some(_) | None => {}
        }
        let other = self.at_once.pop_front().or_else(|| self.take_last());
        other.map_or_else(
            || Next::Wait(self.waiting.peek().map(|Reverse((due, _))| *due)),
            |contact_id| Next::Send(Send::Contact(contact_id)),
        )
    }

    /// The next contact that is asked for once more, where nothing else of the plan is left.
    fn take_last(&mut self) -> Option<ContactId> {
        let is_time = !self.plan_open && self.planned.is_empty();
        is_time.then(|| self.last.pop_front()).flatten()
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

    /// Notes that a contact of the plan is asked for; tells whether it was before, and whether a
    /// connection was lost under it then.
    pub(super) fn sent(&mut self, contact_id: ContactId) -> (bool, bool) {
        let tries = self.tries.entry(contact_id).or_default();
        tries.sends += 1;
        let is_retry = tries.sends > 1;
        if !is_retry {
            self.budget.earn();
        }
        (is_retry, tries.was_dropped)
    }

    /// What is known of a contact that was asked for.
    pub(super) fn tries(&mut self, contact_id: ContactId) -> Option<&mut Tries> {
        self.tries.get_mut(&contact_id)
    }

    /// Whether a contact was asked for and has no final answer yet.
    pub(super) fn was_begun(&self, contact_id: ContactId) -> bool {
        self.tries.contains_key(&contact_id)
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

    /// Repeats a contact's request before anything else. It draws on no budget: the server did not
    /// take it in.
    pub(super) fn put_first(&mut self, contact_id: ContactId, tries: Tries) {
        self.tries.insert(contact_id, tries);
        self.at_once.push_back(contact_id);
    }

    /// Lets a contact wait until the plan is at its end.
    pub(super) fn put_last(&mut self, contact_id: ContactId, tries: Tries) {
        self.tries.insert(contact_id, tries);
        self.last.push_back(contact_id);
    }

    /// How many contacts wait for the end of the plan.
    pub(super) fn waiting_for_the_end(&self) -> usize {
        self.last.len()
    }

    /// How the contacts stand that wait for another attempt or for an answer, neither of which
    /// comes any more; this is the time.
    pub(super) fn unfinished(&mut self, now: i64) -> Vec<Answer<Bytes>> {
        let tried = std::mem::take(&mut self.tries).into_iter();
        tried
            .map(|(contact_id, tries)| Answer {
                contact_id,
                ending: tries.unfinished(now),
                body: None,
            })
            .collect()
    }
}
