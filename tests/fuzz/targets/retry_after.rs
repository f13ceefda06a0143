//! Any `Retry-After`: it is read or ignored, and the delay that comes of it is kept by any policy.

#![no_main]

use std::num::NonZeroU32;
use std::time::{Duration, SystemTime};

use libfuzzer_sys::fuzz_target;
use superoffice_export::extract::api::retry_after::retry_after;
use superoffice_export::extract::fetcher::retry::{Attempts, RetryPolicy};

fuzz_target!(|input: (&str, u32, u32, u32, u64, u16)| {
    let (value, sent, counted, max_attempts, first_delay, seconds) = input;
    let now = SystemTime::UNIX_EPOCH + Duration::from_hours(seconds.into());
    let asked = retry_after(value, now);
    let max_attempts = NonZeroU32::MIN.saturating_add(max_attempts);
    let policy = RetryPolicy { max_attempts, first_delay: Duration::from_millis(first_delay) };
    match policy.delay(Attempts { sent, counted }, asked, 1.0) {
        Some(delay) => assert!(asked.is_none_or(|asked| delay >= asked)),
        None => assert!(counted >= max_attempts.get()),
    }
});
