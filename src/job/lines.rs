//! Where the keys of a job file stand, and the items of their lists, for complaints about what they
//! hold.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

/// The lines of the keys of a job file.
#[derive(Debug, Default)]
pub(super) struct JobLines {
    path: PathBuf,
    /// By section, key, and place in its list.
    lines: BTreeMap<(String, String, Option<usize>), usize>,
}

impl JobLines {
    /// Those of the file at this path, which has this text.
    pub(super) fn of(path: &Path, file: &DeTable<'_>, text: &str) -> Self {
        let mut lines = Self {
            path: path.to_owned(),
            lines: BTreeMap::new(),
        };
        for (section, value) in file {
            let DeValue::Table(keys) = value.get_ref() else {
                continue;
            };
            for (key, value) in keys {
                let mut note = |place, offset| {
                    let name = (
                        section.get_ref().to_string(),
                        key.get_ref().to_string(),
                        place,
                    );
                    lines.lines.insert(name, line_of(text, offset));
                };
                note(None, key.span().start);
                if let DeValue::Array(items) = value.get_ref() {
                    for (place, item) in items.iter().enumerate() {
                        note(Some(place), item.span().start);
                    }
                }
            }
        }
        lines
    }

    /// Path and line of a key, for complaints that come later.
    pub(super) fn place(&self, section: &str, key: &str) -> String {
        let path = self.path.display();
        match self.find(section, key, None) {
            Some(line) => format!("{path}:{line}"),
            None => path.to_string(),
        }
    }

    /// The line of an item, or of the key where no item is named; none for what came by a flag.
    pub(super) fn find(&self, section: &str, key: &str, item: Option<usize>) -> Option<usize> {
        let name = (section.to_owned(), key.to_owned(), item);
        self.lines.get(&name).copied()
    }
}

/// The line that this byte of a text is in, from 1.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    text.bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count()
        + 1
}
