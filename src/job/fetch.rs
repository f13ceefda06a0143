//! `[fetch]`, checked: how the API is called.

use std::time::Duration;

use super::settings::FetchSection;
use super::{ABOVE_ZERO, Installation, Problem, above_zero, above_zero_time, wrong};
use crate::extract::fetcher;
use crate::extract::fetcher::pace::limiter::Rate;
use crate::extract::fetcher::retry::RetryPolicy;

/// How the API is called.
#[derive(Debug)]
pub(crate) struct FetchSettings {
    /// What the fetcher keeps to.
    pub(crate) fetcher: fetcher::Settings,
    /// Longest wait for a whole answer.
    pub(crate) timeout: Duration,
    /// Answers younger than this are not fetched again.
    pub(crate) max_age: Duration,
    /// How long after its last answer a run is continued.
    pub(crate) resume_within: Duration,
}

/// What holds where `[fetch]` does not say it.
struct PaceDefaults {
    requests_per_second: Option<f64>,
    max_in_flight: u32,
}

/// SuperOffice's checklist for custom applications allows ten calls a second. Eight in flight
/// suffice for that as long as an answer takes no more than 800 ms.
const ONLINE: PaceDefaults = PaceDefaults {
    requests_per_second: Some(10.0),
    max_in_flight: 8,
};

/// An onsite server carries out thirty operations at once (the default of `MaxParellalThreads`), so
/// that a few more keep it busy. Nobody but its owner sets it a rate.
const ONSITE: PaceDefaults = PaceDefaults {
    requests_per_second: None,
    max_in_flight: 32,
};

impl FetchSection {
    pub(super) fn resolve(&self, installation: &Installation) -> Result<FetchSettings, Problem> {
        let pace = match installation {
            Installation::Tenant { .. } => ONLINE,
            Installation::Sandbox | Installation::BaseUrl(_) => ONSITE,
        };
        let max_in_flight = self.max_in_flight().unwrap_or(pace.max_in_flight);
        let requests_per_second = self.requests_per_second().or(pace.requests_per_second);
        Ok(FetchSettings {
            fetcher: fetcher::Settings {
                rate: requests_per_second.map(rate).transpose()?,
                max_in_flight: above_zero(max_in_flight, "fetch.max_in_flight")?,
                retry: RetryPolicy {
                    max_attempts: above_zero(self.max_attempts(), "fetch.max_attempts")?,
                    first_delay: self.retry_delay(),
                },
                patience: self.patience(),
                max_duration: self.max_duration(),
                max_calls: self.max_calls(),
                // What earlier runs found out is added by the run.
                worked_before: false,
                known_good: Vec::new(),
            },
            timeout: above_zero_time(self.timeout(), "fetch.timeout")?,
            max_age: self.max_age(),
            resume_within: self.resume_within(),
        })
    }
}

fn rate(number: f64) -> Result<Rate, Problem> {
    Rate::per_second(number).ok_or_else(|| wrong("fetch.requests_per_second", ABOVE_ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::settings::settings;

    #[test]
    fn the_doc_lines_say_what_holds_where_a_key_is_left_out() {
        let doc = |key| settings().find(|setting| setting.key == key).unwrap().doc;
        let rate = |pace: &PaceDefaults| {
            pace.requests_per_second
                .map_or("none".to_owned(), |rate| rate.to_string())
        };
        let by_place = |online, onsite| format!("default {online} with `tenant`, {onsite} with");
        assert!(doc("requests_per_second").contains(&by_place(rate(&ONLINE), rate(&ONSITE))));
        let most = |pace: &PaceDefaults| pace.max_in_flight.to_string();
        assert!(doc("max_in_flight").contains(&by_place(most(&ONLINE), most(&ONSITE))));
    }
}
