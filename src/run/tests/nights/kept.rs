//! Scripts that failed once, each with what was wrong then: the program, or what the oracle thought
//! of it.

use super::say::Say;
use super::script::{Event, How, Moment, Script, Terms};

const TERMS: Terms = Terms {
    max_age_hours: 0,
    patience_minutes: 5,
    max_failed: 20,
    max_missing: 2,
    max_in_flight: 1,
    knows_logins: false,
};

fn script(terms: Terms, contacts: u8, events: &[(u8, Event)]) -> Script {
    Script {
        terms,
        contacts,
        seed: 0,
        events: events.to_vec(),
    }
}

pub(super) fn scripts() -> Vec<(&'static str, Script)> {
    let max_age = |max_age_hours| Terms {
        max_age_hours,
        ..TERMS
    };
    vec![
        (
            "what a stopped run found missing was believed until it was too old",
            script(
                max_age(30),
                12,
                &[
                    (0, Event::WithSales(false)),
                    (0, delete(10)),
                    (28, refusal(Say::Gone, 1, 1)),
                    (28, Event::WithSales(true)),
                ],
            ),
        ),
        (
            "a contact that always fails, alone on its night, and one that was had before and fails",
            script(
                max_age(30),
                12,
                &[
                    (0, sicken(1, Say::Broken)),
                    (11, sicken(0, Say::BadRequest)),
                ],
            ),
        ),
        (
            "two starts in a row that were killed before `latest` pointed to their export",
            script(
                max_age(75),
                17,
                &[
                    (0, delete(0)),
                    (11, delete(15)),
                    (27, again(6, How::AsAlways)),
                    (28, refusal(Say::Gone, 0, 4)),
                    (29, Event::Kill(Moment::BeforeLatest)),
                    (30, Event::Kill(Moment::BeforeLatest)),
                ],
            ),
        ),
        (
            "a start that was asked to stop gave its contact a turn",
            script(
                TERMS,
                22,
                &[
                    (0, delete(1)),
                    (0, Event::MaxCalls(Some(2))),
                    (14, Event::Stop(Moment::Request(1))),
                ],
            ),
        ),
        (
            "a clock that was set back by two days gave two answers the same time",
            script(
                TERMS,
                12,
                &[(17, refusal(Say::Gone, 0, 1)), (18, clock(-48, 2))],
            ),
        ),
        (
            "a budget that ended while one contact was tried again and again",
            script(
                max_age(30),
                12,
                &[
                    (0, Event::MaxCalls(Some(10))),
                    (0, delete(0)),
                    (18, sicken(6, Say::Broken)),
                ],
            ),
        ),
        (
            "a login that was changed and changed back",
            script(
                max_age(75),
                12,
                &[
                    (3, forbid(4)),
                    (4, Event::Login(1)),
                    (4, sicken(4, Say::Broken)),
                    (4, permit(4)),
                    (5, Event::Login(0)),
                ],
            ),
        ),
    ]
}

fn delete(first: u8) -> Event {
    Event::Delete { first, count: 1 }
}

fn forbid(first: u8) -> Event {
    Event::Forbid { first, count: 1 }
}

fn permit(first: u8) -> Event {
    Event::Permit { first, count: 1 }
}

fn sicken(contact: u8, with: Say) -> Event {
    Event::Sicken { contact, with }
}

fn refusal(say: Say, after: u8, answers: u8) -> Event {
    Event::Refusal {
        say,
        after,
        answers,
    }
}

fn again(hours: u8, how: How) -> Event {
    Event::Again { hours, how }
}

fn clock(hours: i16, nights: u8) -> Event {
    Event::Clock {
        after: 0,
        hours,
        nights,
    }
}
