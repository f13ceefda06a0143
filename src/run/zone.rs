//! In which zone a run asks for instants: that of the job, or that of the installation, which is
//! asked before the first contact. Where the installation is away it is waited for, with capped
//! exponential backoff and as long as for any outage; which zone its answer means is decided in
//! `extract::api::zone`.

use std::future::pending;
use std::num::NonZeroU32;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tracing::{info, warn};

use crate::contact::Reason;
use crate::extract::api::login_server::Away;
use crate::extract::api::tenant::NotLocated;
use crate::extract::api::zone::{ZoneAnswer, ZoneBasis, ZoneChoice, ZoneName};
use crate::extract::auth::NoLogin;
use crate::extract::connection::RemoteApi;
use crate::extract::fetcher::End;
use crate::extract::fetcher::retry::{Attempts, RetryPolicy};
use crate::job::Job;

/// Sets the zone in which the API is asked for instants, and gives it; `kept` is what an earlier
/// start was told. Any end is that of the run.
pub(super) async fn settle<A: RemoteApi>(
    api: &A,
    job: &Job,
    kept: Option<&ZoneName>,
    stop: watch::Receiver<bool>,
) -> Result<ZoneChoice, NoZone> {
    let choice = match ZoneChoice::named(&job.api.time_zone) {
        Some(choice) => choice,
        None => wait_for_answer(api, job, kept, stop).await?,
    };
    match choice.warning() {
        Some(warning) => warn!("{warning}"),
        None if choice.basis == ZoneBasis::Named => {}
        None => info!("instants are asked for in zone {}", choice.zone),
    }
    api.set_zone(&choice.zone);
    Ok(choice)
}

/// Asks until there is an answer, or patience is at its end, or somebody asks to stop.
async fn wait_for_answer<A: RemoteApi>(
    api: &A,
    job: &Job,
    kept: Option<&ZoneName>,
    mut stop: watch::Receiver<bool>,
) -> Result<ZoneChoice, NoZone> {
    let settings = &job.fetch.fetcher;
    let retry = RetryPolicy {
        max_attempts: NonZeroU32::MAX,
        ..settings.retry
    };
    let began = Instant::now();
    let patience = settings
        .max_duration
        .map_or(settings.patience, |most| most.min(settings.patience));
    let mut asking = Asking {
        api,
        has_login: false,
    };
    let mut sent = 0;
    loop {
        let asked = tokio::select! {
            biased;
            () = stopped(&mut stop) => return Err(End::Interrupted.into()),
            asked = asking.ask() => asked?,
        };
        let trouble = match asked.and_then(|answer| Ok(ZoneChoice::of(&answer, kept)?)) {
            Ok(choice) => return Ok(choice),
            Err(trouble) => trouble,
        };
        let no_zone = |end| NoZone {
            end,
            cause: format!("{}{}", trouble.words, api.cause()),
        };
        // Nothing was served in this start, so waiting would not make it another certificate.
        if trouble.is_untrusted {
            return Err(no_zone(End::Untrusted));
        }
        let left = patience.saturating_sub(began.elapsed());
        if left.is_zero() {
            return Err(no_zone(End::Unreachable));
        }
        sent += 1;
        let delay = retry.delay(Attempts { sent, counted: 0 }, None, 1.0);
        let pause = delay.unwrap_or_default().min(left);
        if timeout(pause, stopped(&mut stop)).await.is_ok() {
            return Err(End::Interrupted.into());
        }
    }
}

/// Why there is no zone to ask in, which ends the run.
#[derive(Debug)]
pub(super) struct NoZone {
    pub(super) end: End,
    /// What was in the way at last.
    pub(super) cause: String,
}

impl From<End> for NoZone {
    fn from(end: End) -> Self {
        Self {
            end,
            cause: String::new(),
        }
    }
}

/// Why nobody tells the zone at this moment.
struct Trouble {
    words: String,
    is_untrusted: bool,
}

impl From<Away> for Trouble {
    fn from(away: Away) -> Self {
        let is_untrusted = away == Away::Untrusted;
        Self {
            // The error that this ends in says it already.
            words: if is_untrusted {
                Reason::Connection.to_string()
            } else {
                away.to_string()
            },
            is_untrusted,
        }
    }
}

/// Waits until somebody asks to stop.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|is_asked| *is_asked).await.is_err() {
        // Nobody is left who could.
        pending::<()>().await;
    }
}

/// What asking for the zone takes.
struct Asking<'a, A> {
    api: &'a A,
    has_login: bool,
}

impl<A: RemoteApi> Asking<'_, A> {
    /// Asks once. A login that is refused is renewed once, since it may have ended while the
    /// installation was away.
    async fn ask(&mut self) -> Result<Result<ZoneAnswer, Trouble>, End> {
        if let Err(trouble) = self.reach().await? {
            return Ok(Err(trouble));
        }
        let answer = self.api.ask_zone().await;
        if answer != ZoneAnswer::LoginRefused {
            return Ok(Ok(answer));
        }
        match self.api.log_in().await {
            Ok(_) => Ok(Ok(self.api.ask_zone().await)),
            // There is no other; what the contacts say of it counts.
            Err(NoLogin::NoOther) => Ok(Ok(answer)),
            Err(NoLogin::Refused(refusal)) => Err(End::NoLogin(refusal)),
            Err(NoLogin::Away(away)) => Ok(Err(away.into())),
        }
    }

    /// Finds the API and logs in. The address is asked for each time: a tenant that is away may be
    /// moving.
    async fn reach(&mut self) -> Result<Result<(), Trouble>, End> {
        match self.api.locate().await {
            Ok(_) => {}
            Err(NotLocated::Away(away)) => return Ok(Err(away.into())),
            Err(not_now @ NotLocated::NotNow(_)) => {
                return Ok(Err(Trouble {
                    words: not_now.to_string(),
                    is_untrusted: false,
                }));
            }
            Err(NotLocated::Never(unusable)) => return Err(End::Unusable(unusable)),
        }
        if self.has_login {
            return Ok(Ok(()));
        }
        match self.api.log_in().await {
            Ok(_) => {
                self.has_login = true;
                Ok(Ok(()))
            }
            Err(NoLogin::Away(away)) => Ok(Err(away.into())),
            Err(NoLogin::Refused(refusal)) => Err(End::NoLogin(refusal)),
            Err(NoLogin::NoOther) => Err(End::LoginRefused {
                status: 401,
                worked_before: false,
            }),
        }
    }
}
