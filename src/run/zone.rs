//! In which zone a run asks for instants: that of the job, or that of the installation, which is
//! asked before the first contact. Where the installation is away it is waited for, with capped
//! exponential backoff and as long as for any outage; which zone its answer means is decided in
//! `extract::api::zone`.

use std::future::Future;
use std::num::NonZeroU32;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::{info, warn};

use crate::extract::api::tenant::NotLocated;
use crate::extract::api::zone::{ZoneAnswer, ZoneChoice, ZoneName};
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
) -> Result<ZoneChoice, End> {
    let choice = match ZoneChoice::named(&job.api.time_zone) {
        Some(choice) => choice,
        None => unless_stopped(stop, wait_for_answer(api, job, kept)).await?,
    };
    if let Some(warning) = choice.warning() {
        warn!("{warning}");
    }
    info!("instants are asked for in zone {}", choice.zone);
    api.set_zone(&choice.zone);
    Ok(choice)
}

/// Asks until there is an answer, or patience is at its end.
async fn wait_for_answer<A: RemoteApi>(
    api: &A,
    job: &Job,
    kept: Option<&ZoneName>,
) -> Result<ZoneChoice, End> {
    let settings = &job.fetch.fetcher;
    let retry = RetryPolicy {
        max_attempts: NonZeroU32::MAX,
        ..settings.retry
    };
    let patience = settings
        .max_duration
        .map_or(settings.patience, |most| most.min(settings.patience));
    let deadline = Instant::now() + patience;
    let mut asking = Asking {
        api,
        has_login: false,
    };
    for sent in 1.. {
        let answer = asking.ask().await?;
        if let Some(choice) = answer.and_then(|answer| ZoneChoice::of(&answer, kept).ok()) {
            return Ok(choice);
        }
        let attempts = Attempts { sent, counted: 0 };
        let delay = retry.delay(attempts, None, 1.0).unwrap_or_default();
        if timeout_at(deadline, sleep_until(Instant::now() + delay))
            .await
            .is_err()
        {
            break;
        }
    }
    Err(End::Unreachable)
}

/// What asking for the zone takes.
struct Asking<'a, A> {
    api: &'a A,
    has_login: bool,
}

impl<A: RemoteApi> Asking<'_, A> {
    /// Asks once; none where there is nobody to ask. A login that is refused is renewed once, since
    /// it may have ended while the installation was away.
    async fn ask(&mut self) -> Result<Option<ZoneAnswer>, End> {
        if !self.reach().await? {
            return Ok(None);
        }
        let answer = self.api.ask_zone().await;
        if answer != ZoneAnswer::LoginRefused {
            return Ok(Some(answer));
        }
        match self.api.log_in().await {
            Ok(_) => Ok(Some(self.api.ask_zone().await)),
            // There is no other; what the contacts say of it counts.
            Err(NoLogin::NoOther) => Ok(Some(answer)),
            Err(NoLogin::Refused(refusal)) => Err(End::NoLogin(refusal)),
            Err(NoLogin::Away(_)) => Ok(None),
        }
    }

    /// Finds the API and logs in; false where one of them is not to be had now. The address is
    /// asked for each time: a tenant that is away may be moving.
    async fn reach(&mut self) -> Result<bool, End> {
        match self.api.locate().await {
            Ok(_) => {}
            Err(NotLocated::Away(_) | NotLocated::NotNow(_)) => return Ok(false),
            Err(NotLocated::Never(unusable)) => return Err(End::Unusable(unusable)),
        }
        if self.has_login {
            return Ok(true);
        }
        match self.api.log_in().await {
            Ok(_) => self.has_login = true,
            Err(NoLogin::Away(_)) => {}
            Err(NoLogin::Refused(refusal)) => return Err(End::NoLogin(refusal)),
            Err(NoLogin::NoOther) => {
                return Err(End::LoginRefused {
                    status: 401,
                    worked_before: false,
                });
            }
        }
        Ok(self.has_login)
    }
}

/// What the work comes to, unless somebody asks to stop before.
async fn unless_stopped<T>(
    mut stop: watch::Receiver<bool>,
    work: impl Future<Output = Result<T, End>>,
) -> Result<T, End> {
    tokio::select! {
        biased;
        Ok(_) = stop.wait_for(|is_asked| *is_asked) => Err(End::Interrupted),
        result = work => result,
    }
}
