//! Spells in which the server serves nobody: it hangs, or drops every connection. Faults that meet
//! single requests are `faults`' matter.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::faults::FaultKind;

/// Requests from the begin of one spell to that of the next, so that a rehearsal of some thousand
/// contacts meets several.
const EVERY: u64 = 4_000;

/// How long the spells are, and the one under way. They come in turn: a server that hangs first,
/// then one that drops connections; a kind without length is left out.
#[derive(Debug)]
pub(super) struct Spells {
    kinds: Vec<(FaultKind, Duration)>,
    under_way: Mutex<Option<(FaultKind, Instant)>>,
}

impl Spells {
    pub(super) fn new(hangs: Duration, drops: Duration) -> Self {
        let all = [(FaultKind::Hang, hangs), (FaultKind::Disconnect, drops)];
        Self {
            kinds: all
                .into_iter()
                .filter(|(_, length)| !length.is_zero())
                .collect(),
            under_way: Mutex::new(None),
        }
    }

    /// What meets the request of that number, which came at that time.
    pub(super) fn of_request(&self, number: u64, now: Instant) -> Option<FaultKind> {
        let mut under_way = self
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *under_way = under_way.filter(|(_, end)| now < *end).or_else(|| {
            Some(self.beginning_at(number)?).map(|(kind, length)| (kind, now + length))
        });
        under_way.map(|(kind, _)| kind)
    }

    /// The spell that begins with the request of that number, where one does.
    fn beginning_at(&self, number: u64) -> Option<(FaultKind, Duration)> {
        if number == 0 || !number.is_multiple_of(EVERY) {
            return None;
        }
        let turn = usize::try_from(number / EVERY - 1).ok()?;
        self.kinds.get(turn.checked_rem(self.kinds.len())?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn spells_come_in_turn_and_end_with_time() {
        let (begin, spells) = (Instant::now(), Spells::new(2 * SECOND, SECOND));
        let at = |number, seconds| spells.of_request(number, begin + seconds * SECOND);
        let (hang, drop) = (Some(FaultKind::Hang), Some(FaultKind::Disconnect));
        assert_eq!([at(0, 0), at(1, 0), at(EVERY - 1, 0)], [None; 3]);
        assert_eq!(
            [at(EVERY, 0), at(EVERY + 1, 1), at(EVERY + 2, 2)],
            [hang, hang, None]
        );
        assert_eq!([at(2 * EVERY, 5), at(2 * EVERY + 1, 6)], [drop, None]);
        assert_eq!(at(3 * EVERY, 7), hang);
        // One that would begin in another one does not.
        assert_eq!([at(4 * EVERY, 8), at(4 * EVERY + 1, 9)], [hang, None]);
    }

    #[test]
    fn spells_without_length_are_none() {
        let spells = Spells::new(Duration::ZERO, Duration::ZERO);
        assert_eq!(spells.of_request(EVERY, Instant::now()), None);
        let drops = Spells::new(Duration::ZERO, SECOND);
        let kind = drops.of_request(EVERY, Instant::now());
        assert_eq!(kind, Some(FaultKind::Disconnect));
    }
}
