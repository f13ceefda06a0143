//! The list of a night, as well or badly as its writer writes it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::script::Event;

/// The list as it was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct List {
    pub(super) ids: BTreeSet<i64>,
    pub(super) lines: usize,
    pub(super) rejected: usize,
    /// Whether it names the contacts that it should.
    pub(super) is_right: bool,
}

impl List {
    /// Writes tonight's list of these contacts, with these faults.
    pub(super) fn write(&mut self, path: &Path, right: &BTreeSet<i64>, faults: &[Event]) {
        let is_late = faults.iter().any(|fault| matches!(fault, Event::ListLate));
        if is_late && path.exists() {
            self.is_right = self.rejected == 0 && self.ids == *right;
            return;
        }
        let mut lines: Vec<_> = right.iter().map(i64::to_string).collect();
        let mut is_gone = false;
        let mut percent = 100;
        for fault in faults {
            match *fault {
                Event::ListSpoilt { lines: spoilt } => {
                    let spoilt = lines.iter_mut().rev().take(usize::from(spoilt));
                    spoilt.for_each(|line| *line = format!("#{line}"));
                }
                Event::ListCut { percent: left } => percent = usize::from(left),
                Event::ListEmpty => lines.clear(),
                Event::ListGone => is_gone = true,
                _ => {}
            }
        }
        let text = lines
            .iter()
            .fold("contactId\n".to_owned(), |mut text, line| {
                writeln!(text, "{line}").unwrap();
                text
            });
        let heading = "contactId\n".len();
        // A file cut somewhere in its middle.
        let cut = heading + (text.len() - heading) * percent / 100;
        let text = text.get(..cut).expect("it is ASCII");
        let lines: Vec<_> = text.lines().skip(1).collect();
        let ids = lines.iter().filter_map(|line| line.parse::<i64>().ok());
        let rejected = lines.len() - ids.clone().count();
        let ids: BTreeSet<_> = ids.collect();
        *self = Self {
            is_right: !is_gone && ids == *right && rejected == 0,
            ids,
            lines: lines.len(),
            rejected,
        };
        if is_gone {
            drop(fs::remove_file(path));
        } else {
            fs::write(path, text).unwrap();
        }
    }
}
