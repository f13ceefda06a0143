//! The way in: where the API is and under which login. What has to be asked before requests can be
//! sent, and whether a request came in at all. Pure; the two halves keep their own rules.

mod address;
mod login;

use std::time::Duration;

pub(super) use self::login::Sent;
use self::login::{Login, Refused};
use crate::contact::Reason;
use crate::extract::api::tenant::NotLocated;
use crate::extract::auth::NoLogin;
use crate::extract::fetcher::access::address::Address;
use crate::extract::fetcher::verdict::{Demand, Fate, Health, Verdict};
use crate::extract::fetcher::{Chore, Done, End};

/// What is known of the way in.
#[derive(Debug)]
pub(super) struct Access {
    address: Address,
    login: Login,
}

/// Whether a request came in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Door {
    /// It did, or its failure is like any other.
    Open,
    /// It did not, and that is not its contact's fault: it is sent again.
    Again,
    /// It did not, and no other will.
    Stop,
}

/// How often a contact was turned away at the door.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct TurnedAway {
    refusals: u32,
    /// Access was denied under a login that was renewed since.
    was_denied: bool,
    /// It was sent to a place that the API had left.
    was_misdirected: bool,
}

impl Access {
    pub(super) fn new() -> Self {
        Self {
            address: Address::new(),
            login: Login::new(),
        }
    }

    /// What has to be begun now; the address comes first.
    pub(super) fn chore(&mut self, now: Duration) -> Option<Chore> {
        if self.address.ask(now) {
            return Some(Chore::Locate);
        }
        (self.address.is_known() && self.login.ask(now)).then_some(Chore::LogIn)
    }

    /// Whether requests can be sent.
    pub(super) fn is_open(&self) -> bool {
        self.address.is_known() && self.login.is_ready()
    }

    /// Notes what a chore came to; false where that has to wait.
    pub(super) fn done(&mut self, done: &Done, now: Duration) -> Result<bool, End> {
        match *done {
            Done::Located(Ok(valid_for)) => self.address.found(now, valid_for),
            Done::Located(Err(NotLocated::Never(unusable))) => return Err(End::Unusable(unusable)),
            Done::Located(Err(NotLocated::Away(_))) => return Ok(self.address.unanswered(now)),
            Done::Located(Err(NotLocated::NotNow(_))) => {
                self.address.not_now();
                return Ok(false);
            }
            Done::LoggedIn(Ok(life)) => self.login.had(now, life),
            Done::LoggedIn(Err(NoLogin::Refused(refusal))) => return Err(End::NoLogin(refusal)),
            Done::LoggedIn(Err(NoLogin::NoOther)) => return Err(self.refused()),
            Done::LoggedIn(Err(NoLogin::Away(_))) => {
                self.login.not_had();
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Asks for the address again before anything else is sent.
    pub(super) fn doubt_address(&mut self) {
        self.address.doubt();
    }

    /// Notes that a request is sent; gives the login that it is sent under.
    pub(super) fn sent(&mut self) -> u64 {
        self.login.sent()
    }

    /// Whether a request came in at all.
    pub(super) fn door(
        &mut self,
        sent: Sent,
        turned_away: &mut TurnedAway,
        verdict: &Verdict,
        now: Duration,
    ) -> Door {
        self.login.ended(sent);
        let again = match verdict.demand {
            Demand::RenewLogin => {
                let refused = self.login.refused(sent, turned_away.refusals);
                turned_away.refusals += 1;
                match refused {
                    Refused::Again => true,
                    Refused::Counted => false,
                    Refused::Stop => return Door::Stop,
                }
            }
            Demand::RenewOldLogin => {
                let again = self.login.denied(sent, now, turned_away.was_denied);
                turned_away.was_denied |= again;
                again
            }
            Demand::Rediscover => {
                let again = self.address.misdirected(sent.at) && !turned_away.was_misdirected;
                turned_away.was_misdirected |= again;
                again
            }
            Demand::None | Demand::Pause(_) => {
                // A redirect may come from whatever stands before the API.
                if verdict.health == Health::Well && verdict.fate != Fate::Failed(Reason::Redirect)
                {
                    self.login.worked(sent);
                    self.address.worked(sent.at);
                }
                false
            }
        };
        if again { Door::Again } else { Door::Open }
    }

    /// How a run ends whose login is refused for good.
    pub(super) fn refused(&self) -> End {
        End::LoginRefused {
            status: 401,
            worked_before: self.login.worked_before(),
        }
    }
}
