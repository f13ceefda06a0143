//! Access to the API: where it is (`address.rs`) and under which login (`login.rs`). Says what has
//! to be asked before requests can be sent, and whether a request was let in at all. Pure; the two
//! halves keep their own rules, and nothing is tuned here.

mod address;
mod login;
mod standing;

use std::time::Duration;

use self::address::AddressCache;
use self::login::{Login, Refused};
use self::standing::{Standing, standing};
use crate::contact::Reason;
use crate::extract::api::client::{NoReply, Reply};
use crate::extract::api::login_server::Away;
use crate::extract::api::tenant::NotLocated;
use crate::extract::auth::{Life, NoLogin};
use crate::extract::fetcher::attempt::Judged;
use crate::extract::fetcher::end::End;
use crate::extract::fetcher::verdict::{Demand, Fate, Health};

/// What has to be known before requests can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chore {
    /// Where the API is.
    Locate,
    /// A login.
    LogIn,
    /// Whether the login is good that a contact was refused under.
    WhoAmI,
}

/// What a chore came to.
pub(super) enum ChoreDone {
    Located(Result<Option<Duration>, NotLocated>),
    LoggedIn(Result<Life, NoLogin>),
    WhoAmI(Result<Reply, NoReply>),
}

impl ChoreDone {
    /// Why it has to wait, where it has to.
    pub(super) fn trouble(&self) -> Option<String> {
        match self {
            Self::Located(located) => located.as_ref().err().map(ToString::to_string),
            Self::LoggedIn(logged_in) => logged_in.as_ref().err().map(ToString::to_string),
            Self::WhoAmI(Ok(reply)) => Some(format!("status {}", reply.status)),
            Self::WhoAmI(Err(no_reply)) => Some(no_reply.to_string()),
        }
    }

    /// Whether the server's certificate was not accepted.
    pub(super) fn is_untrusted(&self) -> bool {
        match self {
            Self::Located(located) => *located == Err(NotLocated::Away(Away::Untrusted)),
            Self::LoggedIn(logged_in) => *logged_in == Err(NoLogin::Away(Away::Untrusted)),
            Self::WhoAmI(reply) => reply.as_ref().is_err_and(NoReply::is_untrusted),
        }
    }
}

/// Whether a request was let in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It was, or its failure is like any other.
    Admitted,
    /// It was not, and that is not its contact's fault: it is sent again.
    Resend,
    /// It was not, which may be its contact's fault: it is sent once more at the end of the plan.
    AtTheEnd,
    /// It was not, and no other will be.
    LoginRefused,
}

/// How often a contact was turned away for its login or address.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct AccessHistory {
    /// Logins that were refused (401).
    refusals: u32,
    /// Access was denied (403) under a login that was renewed since.
    was_denied: bool,
    /// It was sent to an address that the API had left (421).
    was_misdirected: bool,
    /// It was refused again under a login that cannot be renewed, and that is good for others.
    is_refused_alone: bool,
}

impl AccessHistory {
    /// Whether it is the contact that is refused, not the login.
    pub(super) fn is_refused_alone(self) -> bool {
        self.is_refused_alone
    }
}

/// What is known of the API's address and of the login.
#[derive(Debug)]
pub(super) struct Access {
    address: AddressCache,
    login: Login,
}

impl Access {
    pub(super) fn new() -> Self {
        Self {
            address: AddressCache::new(),
            login: Login::new(),
        }
    }

    /// What has to be begun now; the address comes first.
    pub(super) fn chore(&mut self, now: Duration) -> Option<Chore> {
        if self.address.ask(now) {
            return Some(Chore::Locate);
        }
        if !self.address.is_known() {
            return None;
        }
        if self.login.ask(now) {
            return Some(Chore::LogIn);
        }
        self.login.ask_who().then_some(Chore::WhoAmI)
    }

    /// Whether the next request has to be for a contact that was had before, to find out whether
    /// the login is good.
    pub(super) fn wants_proof(&self) -> bool {
        self.login.wants_proof()
    }

    /// Whether requests can be sent.
    pub(super) fn is_open(&self) -> bool {
        self.address.is_known() && self.login.is_ready()
    }

    /// Notes what a chore came to; false where that has to wait. `can_prove` says that there is a
    /// contact that was had before.
    pub(super) fn done(
        &mut self,
        done: &ChoreDone,
        now: Duration,
        can_prove: bool,
    ) -> Result<bool, End> {
        match *done {
            ChoreDone::Located(Ok(valid_for)) => self.address.found(now, valid_for),
            ChoreDone::Located(Err(NotLocated::Never(unusable))) => {
                return Err(End::Unusable(unusable));
            }
            ChoreDone::Located(Err(NotLocated::Away(_))) => {
                return Ok(self.address.unanswered(now));
            }
            ChoreDone::Located(Err(NotLocated::NotNow(_))) => {
                self.address.not_now();
                return Ok(false);
            }
            ChoreDone::LoggedIn(Ok(life)) => self.login.had(now, life),
            ChoreDone::LoggedIn(Err(NoLogin::Refused(refusal))) => {
                return Err(End::NoLogin(refusal));
            }
            ChoreDone::LoggedIn(Err(NoLogin::NoOther)) => {
                if !self.login.no_other() {
                    return Err(self.refused(401));
                }
            }
            ChoreDone::LoggedIn(Err(NoLogin::Away(_))) => {
                self.login.not_had();
                return Ok(false);
            }
            ChoreDone::WhoAmI(ref reply) => match standing(reply) {
                Standing::LetIn => self.login.let_in(now),
                Standing::Refused { status } => return Err(self.refused(status)),
                Standing::Unsaid if can_prove => self.login.prove(),
                Standing::Unsaid => return Err(self.refused(401)),
                Standing::Away => {
                    self.login.in_doubt();
                    return Ok(false);
                }
            },
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

    /// Whether a request was let in, where its contact was turned away before as `history` says;
    /// that is kept up to date.
    pub(super) fn admit(&mut self, judged: &Judged, history: &mut AccessHistory) -> Admission {
        let sent = judged.sent;
        // Before its outcome is looked at, so that a login's first request ends its probation
        // whatever came of it.
        self.login.ended(sent);
        let is_resent = match judged.verdict.demand {
            Demand::RenewLogin => {
                let refused = self.login.refused(sent, history.refusals);
                history.refusals += 1;
                match refused {
                    Refused::Again => true,
                    Refused::Counted => false,
                    Refused::AtTheEnd => return Admission::AtTheEnd,
                    Refused::Alone => {
                        history.is_refused_alone = true;
                        false
                    }
                    Refused::Stop => return Admission::LoginRefused,
                }
            }
            Demand::RenewOldLogin => {
                let is_resent = self.login.denied(sent, judged.done, history.was_denied);
                history.was_denied |= is_resent;
                is_resent
            }
            Demand::Rediscover => {
                let is_news = self.address.misdirected(sent.at);
                let is_resent = is_news && !history.was_misdirected;
                history.was_misdirected |= is_resent;
                is_resent
            }
            Demand::Reconnect => true,
            Demand::None | Demand::Pause => {
                // A redirect may come from whatever stands before the API.
                let is_redirect = judged.verdict.fate == Fate::Failed(Reason::Redirect);
                if judged.verdict.health == Health::Well && !is_redirect {
                    self.login.worked(sent);
                    self.address.worked(sent.at);
                }
                false
            }
        };
        if is_resent {
            Admission::Resend
        } else {
            Admission::Admitted
        }
    }

    /// How a run ends whose login is refused for good, with this status.
    pub(super) fn refused(&self, status: u16) -> End {
        End::LoginRefused {
            status,
            worked_before: self.login.worked_before(),
        }
    }
}
