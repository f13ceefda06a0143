//! A cache of one entry, the API's address, with a time to live: while requests go on it is
//! refreshed when its time is up, and the old entry serves on where the refresh finds nobody
//! (stale-while-revalidate and stale-if-error, RFC 5861). After an answer from the wrong address,
//! and before each probe of an outage, it is asked anew before anything else is sent. Pure.

use std::time::Duration;

/// How soon a question is repeated that found nobody, where the old answer still serves. Set by
/// hand, to the shortest time that a tenant's state is believed (`api/tenant.rs`).
const REPEAT: Duration = Duration::from_mins(1);

/// What is known of the API's address.
#[derive(Debug)]
pub(super) struct AddressCache {
    validity: Validity,
    /// Whether the question is under way.
    is_asking: bool,
    /// When the address was found.
    found_at: Duration,
    /// When its time is up, where it has one.
    ask_at: Option<Duration>,
    /// Whether an answer came from there since.
    worked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Validity {
    /// There is no address yet.
    Unknown,
    /// There was one; it is asked for again before anything is sent.
    Doubted,
    /// Requests can be sent there.
    Valid,
}

impl AddressCache {
    /// One that is not known yet.
    pub(super) fn new() -> Self {
        Self {
            validity: Validity::Unknown,
            is_asking: false,
            found_at: Duration::ZERO,
            ask_at: None,
            worked: false,
        }
    }

    /// Whether requests can be sent there.
    pub(super) fn is_known(&self) -> bool {
        self.validity == Validity::Valid
    }

    /// Asks before anything else is sent.
    pub(super) fn doubt(&mut self) {
        if self.validity == Validity::Valid {
            self.validity = Validity::Doubted;
        }
    }

    /// Whether to ask now; the question is then under way.
    pub(super) fn ask(&mut self, now: Duration) -> bool {
        let is_due = !self.is_known() || self.ask_at.is_some_and(|at| at <= now);
        let ask = is_due && !self.is_asking;
        self.is_asking |= ask;
        ask
    }

    /// Notes an answer to the question, and how long it holds.
    pub(super) fn found(&mut self, now: Duration, valid_for: Option<Duration>) {
        let ask_at = valid_for.map(|valid_for| now.saturating_add(valid_for));
        *self = Self {
            validity: Validity::Valid,
            is_asking: false,
            found_at: now,
            ask_at,
            worked: false,
        };
    }

    /// Notes that the question found nobody; true where the last answer serves on.
    pub(super) fn unanswered(&mut self, now: Duration) -> bool {
        self.is_asking = false;
        if self.validity == Validity::Doubted {
            self.validity = Validity::Valid;
        }
        self.ask_at = Some(now.saturating_add(REPEAT));
        self.is_known()
    }

    /// Notes that the API cannot be used now.
    pub(super) fn not_now(&mut self) {
        self.is_asking = false;
        self.doubt();
    }

    /// Notes an answer of the API to a request sent then.
    pub(super) fn worked(&mut self, sent: Duration) {
        self.worked |= sent >= self.found_at;
    }

    /// Notes that the API is not there, where a request was sent then; true where that is news, and
    /// nobody's fault.
    pub(super) fn misdirected(&mut self, sent: Duration) -> bool {
        let is_news = !self.is_known() || sent < self.found_at || self.worked;
        if sent >= self.found_at {
            self.doubt();
        }
        is_news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn found_at(now: Duration) -> AddressCache {
        let mut address = AddressCache::new();
        assert!(!address.is_known() && address.ask(now) && !address.ask(now));
        address.found(now, Some(seconds(600)));
        assert!(address.is_known());
        address
    }

    #[test]
    fn it_is_asked_again_when_its_time_is_up_while_requests_go_on() {
        let mut address = found_at(seconds(10));
        assert!(!address.ask(seconds(609)));
        assert!(address.ask(seconds(610)) && address.is_known());
        assert!(address.unanswered(seconds(620)) && address.is_known());
        assert!(!address.ask(seconds(679)) && address.ask(seconds(680)));
        let mut fixed = AddressCache::new();
        fixed.found(seconds(0), None);
        assert!(!fixed.ask(Duration::MAX));
    }

    #[test]
    fn without_a_first_answer_there_is_no_address() {
        let mut address = AddressCache::new();
        assert!(address.ask(seconds(0)));
        assert!(!address.unanswered(seconds(1)) && !address.is_known());
        assert!(address.ask(seconds(2)));
    }

    #[test]
    fn a_move_is_news_once() {
        let mut address = found_at(seconds(10));
        address.worked(seconds(11));
        assert!(address.misdirected(seconds(20)));
        assert!(!address.is_known() && address.misdirected(seconds(20)));
        assert!(address.ask(seconds(21)));
        address.found(seconds(22), None);
        address.worked(seconds(20));
        assert!(
            address.misdirected(seconds(21)),
            "it was sent to the old address"
        );
        assert!(address.is_known());
        assert!(
            !address.misdirected(seconds(23)),
            "the new address is wrong too"
        );
        assert!(!address.is_known());
    }

    #[test]
    fn an_outage_asks_first() {
        let mut address = found_at(seconds(10));
        address.doubt();
        assert!(address.ask(seconds(11)));
        address.not_now();
        assert!(!address.is_known() && address.ask(seconds(12)));
        address.found(seconds(13), None);
        assert!(address.is_known());
    }
}
