//! What a run is about to do, in words, and whether the disk has room for it. The plan itself is
//! the store's.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use indicatif::HumanCount;

use crate::error::Error;
use crate::extract::fetcher::Settings;
use crate::load::Format;
use crate::store::Plan;

/// Size of a stored body where none is known yet. Real ones are larger (about 5 KB before they are
/// compressed): only what cannot go well is to be refused.
const SMALL_BODY: u64 = 1_000;
/// Bytes that a contact takes in the state besides its body: a row of numbers.
const ROW: u64 = 100;
/// How much larger a contact is in a text table than its stored body, which is compressed. In
/// Parquet it is about as large: columns compress about as well as bodies do.
const CSV_FACTOR: u64 = 3;
/// Bytes for the write-ahead log of the state, which SQLite empties from 4 MiB on, and for small
/// files.
pub(super) const BESIDES: u64 = 8 * 1024 * 1024;

/// The plan in a line, such as `7,112 of 48,112 to fetch, about 12 min at 10/s; 41,000 fresh`.
pub(super) fn line(plan: &Plan, fetch: &Settings) -> String {
    let mut line = format!(
        "{} of {} to fetch",
        HumanCount(plan.to_fetch),
        HumanCount(plan.targets)
    );
    let calls = fetch
        .max_calls
        .map_or(plan.to_fetch, |max| max.min(plan.to_fetch));
    if calls < plan.to_fetch {
        write!(line, ", {} calls allowed", HumanCount(calls)).expect(INFALLIBLE);
    }
    if let Some(rate) = fetch.rate.filter(|_| calls > 0) {
        let needed = rate
            .period()
            .checked_mul(u32::try_from(calls).unwrap_or(u32::MAX))
            .unwrap_or(Duration::MAX);
        write!(line, ", about {} at {}/s", in_words(needed), rate.get()).expect(INFALLIBLE);
        if let Some(most) = fetch.max_duration.filter(|most| *most < needed) {
            write!(line, ", of which {} are allowed", in_words(most)).expect(INFALLIBLE);
        }
    }
    if plan.fresh > 0 {
        write!(line, "; {} fresh", HumanCount(plan.fresh)).expect(INFALLIBLE);
    }
    line
}

/// What an offline run finds in the store.
pub(super) fn offline_line(plan: &Plan) -> String {
    format!(
        "{} of {} answered in the store, nothing is fetched",
        HumanCount(plan.targets - plan.unanswered),
        HumanCount(plan.targets)
    )
}

/// A length of time as people say it, in its two largest units at most.
fn in_words(time: Duration) -> String {
    let minutes = time.as_secs().saturating_add(30) / 60;
    match (time.as_secs(), minutes) {
        (seconds @ 0..90, _) => format!("{seconds} s"),
        (_, minutes @ ..90) => format!("{minutes} min"),
        (_, minutes) if minutes < 48 * 60 => format!("{} h {} min", minutes / 60, minutes % 60),
        (_, minutes) => format!("{} d {} h", minutes / (24 * 60), minutes / 60 % 24),
    }
}

/// Bytes that the run will add, roughly and rather too few: answers in the state, at most one for
/// each call, and the export.
pub(super) fn bytes_needed(
    plan: &Plan,
    average_body: Option<u64>,
    most_calls: u64,
    format: Format,
) -> u64 {
    let body = average_body.unwrap_or(SMALL_BODY);
    let new = plan.unanswered.min(most_calls);
    let answered = plan.targets - plan.unanswered + new;
    let per_contact = match format {
        Format::Parquet => body,
        Format::Csv { .. } => body.saturating_mul(CSV_FACTOR),
    };
    new.saturating_mul(body.saturating_add(ROW))
        .saturating_add(answered.saturating_mul(per_contact))
        .saturating_add(BESIDES)
}

/// Refuses to begin where the disk is clearly too small: better now than after a night of calls.
pub(super) fn ensure_room(dir: &Path, needed: u64) -> Result<(), Error> {
    let disk = rustix::fs::statvfs(dir).map_err(|source| Error::Output {
        path: dir.to_owned(),
        source: source.into(),
    })?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    // Some network file systems do not tell their size.
    if disk.f_blocks > 0 && free < needed {
        Err(Error::NoRoom {
            path: dir.to_owned(),
            needed,
            free,
        })
    } else {
        Ok(())
    }
}

const INFALLIBLE: &str = "writing to a String cannot fail";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::fetcher::pace::limiter::Rate;
    use crate::extract::fetcher::retry::RetryPolicy;

    fn settings(
        rate: Option<f64>,
        max_calls: Option<u64>,
        max_duration: Option<Duration>,
    ) -> Settings {
        Settings {
            rate: rate.map(|rate| Rate::per_second(rate).unwrap()),
            max_in_flight: 8.try_into().unwrap(),
            retry: RetryPolicy {
                max_attempts: 6.try_into().unwrap(),
                first_delay: Duration::from_secs(1),
            },
            patience: Duration::ZERO,
            max_duration,
            max_calls,
            worked_before: false,
            known_good: Vec::new(),
        }
    }

    fn plan(targets: u64, to_fetch: u64, unanswered: u64) -> Plan {
        Plan {
            targets,
            fresh: targets - to_fetch,
            to_fetch,
            unanswered,
        }
    }

    #[test]
    fn the_plan_reads_as_a_sentence() {
        let hour = Some(Duration::from_hours(1));
        let cases = [
            (
                plan(48_112, 7_112, 12),
                settings(Some(10.0), None, None),
                "7,112 of 48,112 to fetch, about 12 min at 10/s; 41,000 fresh",
            ),
            (
                plan(20, 20, 20),
                settings(None, None, None),
                "20 of 20 to fetch",
            ),
            (
                plan(20, 0, 0),
                settings(Some(10.0), None, None),
                "0 of 20 to fetch; 20 fresh",
            ),
            (
                plan(900, 900, 0),
                settings(Some(2.5), Some(100), None),
                "900 of 900 to fetch, 100 calls allowed, about 40 s at 2.5/s",
            ),
            (
                plan(1_000_000, 1_000_000, 0),
                settings(Some(10.0), None, hour),
                "1,000,000 of 1,000,000 to fetch, about 27 h 47 min at 10/s, \
                 of which 60 min are allowed",
            ),
        ];
        for (plan, settings, expected) in cases {
            assert_eq!(line(&plan, &settings), expected);
        }
        assert_eq!(
            offline_line(&plan(1_200, 200, 100)),
            "1,100 of 1,200 answered in the store, nothing is fetched"
        );
    }

    #[test]
    fn times_are_told_in_words() {
        let cases = [
            (0, "0 s"),
            (89, "89 s"),
            (90, "2 min"),
            (5_369, "89 min"),
            (5_400, "1 h 30 min"),
            (200_000, "2 d 7 h"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(in_words(Duration::from_secs(seconds)), expected);
        }
        assert!(in_words(Duration::MAX).contains(" d "));
    }

    #[test]
    fn room_is_needed_for_new_answers_and_for_the_export() {
        let all = u64::MAX;
        let cases = [
            // Nothing new: the export alone.
            (
                plan(100, 100, 0),
                Some(2_000),
                all,
                Format::Parquet,
                100 * 2_000,
            ),
            (
                plan(100, 0, 0),
                Some(2_000),
                all,
                Format::SAFE_CSV,
                100 * 6_000,
            ),
            (
                plan(100, 100, 100),
                Some(2_000),
                all,
                Format::Parquet,
                100 * 2_100 + 100 * 2_000,
            ),
            // Ten calls bring ten answers, an offline run none.
            (
                plan(100, 100, 100),
                Some(2_000),
                10,
                Format::Parquet,
                10 * 2_100 + 10 * 2_000,
            ),
            (
                plan(100, 80, 50),
                Some(2_000),
                10,
                Format::Parquet,
                10 * 2_100 + 60 * 2_000,
            ),
            (
                plan(100, 80, 50),
                Some(2_000),
                0,
                Format::Parquet,
                50 * 2_000,
            ),
            (
                plan(100, 100, 100),
                None,
                all,
                Format::Parquet,
                100 * 1_100 + 100 * 1_000,
            ),
        ];
        for (plan, body, most_calls, format, expected) in cases {
            assert_eq!(
                bytes_needed(&plan, body, most_calls, format) - BESIDES,
                expected,
                "{plan:?}"
            );
        }
        assert_eq!(
            bytes_needed(
                &plan(u64::MAX, u64::MAX, u64::MAX),
                Some(u64::MAX),
                all,
                Format::SAFE_CSV
            ),
            u64::MAX
        );
    }

    #[test]
    fn a_disk_that_is_too_small_is_refused_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        ensure_room(folder.path(), 1).unwrap();
        let error = ensure_room(folder.path(), u64::MAX).unwrap_err();
        assert_eq!(error.consequence().exit.code(), 6);
        assert!(
            error
                .to_string()
                .contains(&*folder.path().to_string_lossy()),
            "{error}"
        );
    }
}
