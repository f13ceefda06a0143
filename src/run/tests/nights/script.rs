//! A script of sixty nights: what happens on which night, as data that can be generated, shrunk and
//! kept. What is to be made of it is `play`'s matter.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::say::{OUTAGES, REFUSALS, SICKNESSES, Say};

pub(super) const NIGHTS: u8 = 60;

/// What happens, and on which night.
#[derive(Debug, Clone)]
pub(super) struct Script {
    pub(super) terms: Terms,
    /// Contacts on the first list: 1 to this.
    pub(super) contacts: u8,
    /// Seed of the backoff's dice.
    pub(super) seed: u64,
    pub(super) events: Vec<(u8, Event)>,
}

/// The keys of the job that stay as they are, or begin so.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    pub(super) max_age_hours: u16,
    pub(super) patience_minutes: u8,
    /// In percent, as the next one.
    pub(super) max_failed: u8,
    pub(super) max_missing: u8,
    pub(super) max_in_flight: u8,
    /// Whether the server can say who is logged in.
    pub(super) knows_logins: bool,
}

/// Something that happens on a night, before its first start unless it says otherwise. Contacts are
/// named by a number of which the id is made.
#[derive(Debug, Clone, Copy)]
pub(super) enum Event {
    /// A block of contacts is deleted.
    Delete {
        first: u8,
        count: u8,
    },
    /// Deleted contacts are there again.
    Restore {
        first: u8,
        count: u8,
    },
    /// A block of contacts may no longer be read.
    Forbid {
        first: u8,
        count: u8,
    },
    /// It may be read again.
    Permit {
        first: u8,
        count: u8,
    },
    /// A contact fails from now on.
    Sicken {
        contact: u8,
        with: Say,
    },
    /// All that failed work again.
    Heal,
    /// New contacts are on the list.
    Join {
        count: u8,
    },
    /// A block of contacts leaves the list.
    Leave {
        first: u8,
        count: u8,
    },
    /// The list of the night before lies there still.
    ListLate,
    /// The list ends after this share of its bytes.
    ListCut {
        percent: u8,
    },
    /// So many lines of the list are spoilt.
    ListSpoilt {
        lines: u8,
    },
    /// The list has a heading and no line.
    ListEmpty,
    /// There is no list.
    ListGone,
    /// From this request on the server is away, for so long.
    Outage {
        say: Say,
        after: u8,
        minutes: u16,
    },
    /// From this request on the server says this to so many.
    Refusal {
        say: Say,
        after: u8,
        answers: u8,
    },
    /// From this request on the clock is wrong, for so many nights.
    Clock {
        after: u8,
        hours: i16,
        nights: u8,
    },
    /// The first start is killed.
    Kill(Moment),
    /// The first start is asked to stop.
    Stop(Moment),
    /// It is started again, so long after the first start has ended.
    Again {
        hours: u8,
        how: How,
    },
    /// The job is changed, from now on.
    Limit(u8),
    Language(u8),
    WithSales(bool),
    Login(u8),
    MaxCalls(Option<u8>),
    MaxAge {
        hours: u16,
    },
}

impl Event {
    /// What happens, in a word for the tally.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Delete { .. } => "Delete",
            Self::Restore { .. } => "Restore",
            Self::Forbid { .. } => "Forbid",
            Self::Permit { .. } => "Permit",
            Self::Sicken { .. } => "Sicken",
            Self::Heal => "Heal",
            Self::Join { .. } => "Join",
            Self::Leave { .. } => "Leave",
            Self::ListLate => "ListLate",
            Self::ListCut { .. } => "ListCut",
            Self::ListSpoilt { .. } => "ListSpoilt",
            Self::ListEmpty => "ListEmpty",
            Self::ListGone => "ListGone",
            Self::Outage { .. } => "Outage",
            Self::Refusal { .. } => "Refusal",
            Self::Clock { .. } => "Clock",
            Self::Kill(_) => "Kill",
            Self::Stop(_) => "Stop",
            Self::Again { .. } => "Again",
            Self::Limit(_) => "Limit",
            Self::Language(_) => "Language",
            Self::WithSales(_) => "WithSales",
            Self::Login(_) => "Login",
            Self::MaxCalls(_) => "MaxCalls",
            Self::MaxAge { .. } => "MaxAge",
        }
    }
}

/// A moment of a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// When the clock is read for the nth time, which is between the steps of a run.
    Clock(u8),
    /// When the nth request is sent.
    Request(u8),
    /// When the export is published, and not tidied up yet.
    Published,
    /// The same, but `latest` does not point to it yet.
    BeforeLatest,
}

/// How a job is started by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    AsAlways,
    Fresh,
    Offline,
}

pub(super) fn script() -> impl Strategy<Value = Script> {
    let events = vec((0..NIGHTS, event()), 0..60);
    (terms(), 12_u8..40, any::<u64>(), events).prop_map(|(terms, contacts, seed, mut events)| {
        events.sort_by_key(|(night, _)| *night);
        Script {
            terms,
            contacts,
            seed,
            events,
        }
    })
}

fn terms() -> impl Strategy<Value = Terms> {
    let terms = (
        max_age(),
        select(vec![5_u8, 15]),
        select(vec![1_u8, 20, 20]),
        select(vec![2_u8, 10, 30]),
        1_u8..10,
        any::<bool>(),
    );
    terms.prop_map(|terms| Terms {
        max_age_hours: terms.0,
        patience_minutes: terms.1,
        max_failed: terms.2,
        max_missing: terms.3,
        max_in_flight: terms.4,
        knows_logins: terms.5,
    })
}

fn max_age() -> impl Strategy<Value = u16> {
    select(vec![0_u16, 0, 20, 30, 75])
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => truth(),
        4 => list(),
        5 => server(),
        2 => clock(),
        4 => process(),
        3 => job(),
    ]
}

fn truth() -> impl Strategy<Value = Event> {
    let block = || (0_u8..50, prop_oneof![3 => 1_u8..4, 1 => 4_u8..30]);
    prop_oneof![
        3 => block().prop_map(|(first, count)| Event::Delete { first, count }),
        1 => block().prop_map(|(first, count)| Event::Restore { first, count }),
        1 => block().prop_map(|(first, count)| Event::Forbid { first, count }),
        1 => block().prop_map(|(first, count)| Event::Permit { first, count }),
        1 => (0_u8..50, select(SICKNESSES))
            .prop_map(|(contact, with)| Event::Sicken { contact, with }),
        1 => Just(Event::Heal),
    ]
}

fn list() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => (1_u8..8).prop_map(|count| Event::Join { count }),
        2 => (0_u8..50, 1_u8..12).prop_map(|(first, count)| Event::Leave { first, count }),
        1 => Just(Event::ListLate),
        2 => (1_u8..100).prop_map(|percent| Event::ListCut { percent }),
        1 => (1_u8..8).prop_map(|lines| Event::ListSpoilt { lines }),
        1 => Just(Event::ListEmpty),
        1 => Just(Event::ListGone),
    ]
}

fn server() -> impl Strategy<Value = Event> {
    let after = || prop_oneof![1 => Just(0_u8), 1 => 0_u8..50];
    let minutes = prop_oneof![3 => 1_u16..40, 1 => 60_u16..1_000, 1 => 1_440_u16..6_000];
    let answers = prop_oneof![1 => 1_u8..4, 1 => 1_u8..100];
    prop_oneof![
        (select(OUTAGES), after(), minutes).prop_map(|(say, after, minutes)| Event::Outage {
            say,
            after,
            minutes
        }),
        (select(REFUSALS), after(), answers).prop_map(|(say, after, answers)| Event::Refusal {
            say,
            after,
            answers
        }),
    ]
}

fn clock() -> impl Strategy<Value = Event> {
    let hours = select(vec![-720_i16, -48, -25, -3, -1, 1, 5, 26, 200, 720]);
    (0_u8..30, hours, 1_u8..4).prop_map(|(after, hours, nights)| Event::Clock {
        after,
        hours,
        nights,
    })
}

fn process() -> impl Strategy<Value = Event> {
    let how = select(vec![
        How::AsAlways,
        How::AsAlways,
        How::AsAlways,
        How::Fresh,
        How::Offline,
    ]);
    let moment = || {
        prop_oneof![
            1 => (1_u8..7).prop_map(Moment::Clock),
            3 => (1_u8..60).prop_map(Moment::Request),
            1 => Just(Moment::Published),
        ]
    };
    prop_oneof![
        2 => moment().prop_map(Event::Kill),
        1 => Just(Event::Kill(Moment::BeforeLatest)),
        1 => moment().prop_map(Event::Stop),
        4 => (select(vec![1_u8, 6, 13]), how).prop_map(|(hours, how)| Event::Again { hours, how }),
    ]
}

fn job() -> impl Strategy<Value = Event> {
    let calls = prop_oneof![1 => Just(None), 1 => (1_u8..40).prop_map(Some)];
    prop_oneof![
        select(vec![2_u8, 100]).prop_map(Event::Limit),
        (0_u8..2).prop_map(Event::Language),
        any::<bool>().prop_map(Event::WithSales),
        (0_u8..2).prop_map(Event::Login),
        calls.prop_map(Event::MaxCalls),
        max_age().prop_map(|hours| Event::MaxAge { hours }),
    ]
}
