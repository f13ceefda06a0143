//! The pace against simulated servers on simulated time: scenarios as data, each with the range it
//! has to end in.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::num::NonZeroU32;
use std::time::Duration;

use super::{Pace, RoundTrip};
use crate::extract::fetcher::verdict::Health;

const MILLISECOND: Duration = Duration::from_millis(1);

/// A server that works on so many requests at once, each for its latency, and refuses the rest.
struct Server {
    slots: fn(u64) -> usize,
    latency: fn(u64) -> u64,
}

/// What happened from one second of the simulation on.
#[derive(Debug, Default)]
struct Measured {
    calls: f64,
    refused: f64,
    limit: f64,
}

/// Runs for so many seconds and tallies from one of them on.
fn simulate(server: &Server, max_in_flight: u32, seconds: u64, from: u64) -> Measured {
    let mut pace = Pace::new(NonZeroU32::new(max_in_flight).unwrap(), None);
    let mut in_flight: BinaryHeap<Reverse<(Duration, Duration, bool)>> = BinaryHeap::new();
    let mut working = 0;
    let mut measured = Measured::default();
    let mut samples = 0.0;
    let mut now = Duration::ZERO;
    while now < Duration::from_secs(seconds) {
        let second = now.as_secs();
        while let Some(Reverse((done, sent, refused))) = in_flight
            .peek()
            .copied()
            .filter(|Reverse((done, ..))| *done <= now)
        {
            pace.replied(&RoundTrip {
                sent,
                done,
                in_flight: in_flight.len(),
                health: if refused {
                    Health::PushBack
                } else {
                    Health::Well
                },
            });
            in_flight.pop();
            working -= usize::from(!refused);
        }
        while in_flight.len() < pace.limit() && pace.paused_until(now).is_none() {
            let refused = working >= (server.slots)(second);
            working += usize::from(!refused);
            // Refusals take a round trip too; a little spread keeps replies from coming in
            // lockstep.
            let spread = u64::try_from(in_flight.len()).unwrap() % 5;
            let latency = if refused {
                5
            } else {
                (server.latency)(second) + spread
            };
            in_flight.push(Reverse((
                now + Duration::from_millis(latency),
                now,
                refused,
            )));
            if second >= from {
                measured.calls += 1.0;
                measured.refused += f64::from(u8::from(refused));
            }
        }
        if second >= from {
            samples += 1.0;
            measured.limit += f64::from(u32::try_from(pace.limit()).unwrap());
        }
        now += MILLISECOND;
    }
    measured.limit /= samples;
    measured
}

/// A server that a pace meets for so many seconds, and what it has to come to from one of them on.
struct Scenario {
    name: &'static str,
    server: Server,
    max_in_flight: u32,
    seconds: u64,
    from: u64,
    limit: std::ops::RangeInclusive<f64>,
    refused: f64,
    at_least_per_second: f64,
}

const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "8 slots and 64 allowed: at most 3 % refused once settled",
        server: Server {
            slots: |_| 8,
            latency: |_| 50,
        },
        max_in_flight: 64,
        seconds: 300,
        from: 30,
        limit: 6.0..=9.0,
        refused: 0.03,
        at_least_per_second: 120.0,
    },
    Scenario {
        name: "room for all: the limit is reached and kept",
        server: Server {
            slots: |_| 1_000,
            latency: |_| 50,
        },
        max_in_flight: 64,
        seconds: 20,
        from: 2,
        limit: 64.0..=64.0,
        refused: 0.0,
        at_least_per_second: 1_150.0,
    },
    Scenario {
        name: "one at a time is all that the server takes",
        server: Server {
            slots: |_| 1,
            latency: |_| 20,
        },
        max_in_flight: 32,
        seconds: 200,
        from: 50,
        limit: 1.0..=2.0,
        refused: 0.1,
        at_least_per_second: 30.0,
    },
    Scenario {
        name: "a step in latency lowers the limit, and it recovers while the server stays slow",
        server: Server {
            slots: |_| 1_000,
            latency: |second| if second < 30 { 50 } else { 600 },
        },
        max_in_flight: 64,
        seconds: 600,
        from: 400,
        limit: 30.0..=64.0,
        refused: 0.0,
        at_least_per_second: 40.0,
    },
    Scenario {
        name: "capacity comes back after a lean time",
        server: Server {
            slots: |second| if second < 60 { 4 } else { 100 },
            latency: |_| 50,
        },
        max_in_flight: 64,
        seconds: 300,
        from: 200,
        limit: 60.0..=64.0,
        refused: 0.01,
        at_least_per_second: 1_000.0,
    },
];

#[test]
fn scenarios_end_in_their_ranges() {
    for scenario in SCENARIOS {
        let measured = simulate(
            &scenario.server,
            scenario.max_in_flight,
            scenario.seconds,
            scenario.from,
        );
        let per_second = (measured.calls - measured.refused)
            / f64::from(u32::try_from(scenario.seconds - scenario.from).unwrap());
        assert!(
            scenario.limit.contains(&measured.limit),
            "{}: {measured:?}",
            scenario.name
        );
        assert!(
            measured.refused <= measured.calls * scenario.refused,
            "{}: {measured:?}",
            scenario.name
        );
        assert!(
            per_second >= scenario.at_least_per_second,
            "{}: {per_second} per second",
            scenario.name
        );
    }
}

#[test]
fn a_step_in_latency_is_noticed() {
    let slower = Server {
        slots: |_| 1_000,
        latency: |second| if second < 10 { 50 } else { 600 },
    };
    assert!(simulate(&slower, 64, 15, 14).limit < 50.0);
}

#[test]
fn one_round_trip_is_judged_once() {
    let mut pace = Pace::new(NonZeroU32::new(64).unwrap(), None);
    for _ in 0..60 {
        pace.replied(&RoundTrip {
            sent: Duration::ZERO,
            done: Duration::from_millis(50),
            in_flight: 100,
            health: Health::Well,
        });
    }
    assert_eq!(pace.limit(), 64);
    for _ in 0..64 {
        pace.replied(&RoundTrip {
            sent: Duration::from_secs(1),
            done: Duration::from_secs(2),
            in_flight: 64,
            health: Health::PushBack,
        });
    }
    assert_eq!(pace.limit(), 54);
    pace.replied(&RoundTrip {
        sent: Duration::from_secs(3),
        done: Duration::from_secs(4),
        in_flight: 54,
        health: Health::PushBack,
    });
    assert_eq!(pace.limit(), 46);
}

#[test]
fn a_pause_is_the_longest_that_was_asked_for() {
    let mut pace = Pace::new(NonZeroU32::MIN, None);
    pace.pause_until(Duration::from_secs(9));
    pace.pause_until(Duration::from_secs(3));
    assert_eq!(
        pace.paused_until(Duration::from_secs(5)),
        Some(Duration::from_secs(9))
    );
    assert_eq!(pace.paused_until(Duration::from_secs(9)), None);
}

#[test]
fn a_server_that_was_away_is_met_gently_and_its_limit_is_remembered() {
    let mut pace = Pace::new(NonZeroU32::new(64).unwrap(), None);
    let well = |pace: &mut Pace, replies: u32| {
        for _ in 0..replies {
            pace.replied(&RoundTrip {
                sent: Duration::ZERO,
                done: MILLISECOND,
                in_flight: 64,
                health: Health::Well,
            });
        }
    };
    well(&mut pace, 26);
    assert_eq!(pace.limit(), 30);
    pace.replied(&RoundTrip {
        sent: Duration::from_secs(1),
        done: Duration::from_secs(2),
        in_flight: 30,
        health: Health::PushBack,
    });
    pace.restart();
    assert_eq!(pace.limit(), 4);
    well(&mut pace, 22);
    assert_eq!(pace.limit(), 26, "it doubles each round trip at first");
    well(&mut pace, 26);
    assert_eq!(
        pace.limit(),
        26,
        "and is careful where the server pushed back"
    );
}
