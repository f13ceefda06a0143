//! How many cells a line of this file has, and which lines are not like that: an unquoted delimiter
//! inside a cell shifts all cells after it, and another number lies where the id should. Pure
//! comparisons; leaves the quotes to the records.

use std::mem;

use super::super::cell::is_blank;
use super::cells::Cells;
use super::records::Records;

/// The cells that the headings announce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ExpectedCells {
    /// Headings, but for empty ones at the end.
    headings: usize,
    /// Empty cells after the last heading that this file has anyway: many programs end each line
    /// with a delimiter.
    usual_excess: usize,
}

impl ExpectedCells {
    /// The shape that the headings announce, and that the lines after them in the sample are used
    /// to.
    pub(super) fn new(headings: &Cells, sample: Records<&[u8]>) -> Self {
        let filled = headings.iter().enumerate();
        let last = filled.filter(|(_, cell)| !is_blank(cell)).last();
        let count = last.map_or(1, |(index, _)| index + 1);
        let announced = headings.len().saturating_sub(count);
        Self {
            headings: count,
            usual_excess: announced.max(usual_excess(sample, count)),
        }
    }

    /// Whether the line may have been shifted: it has text beyond the last heading, or empty cells
    /// there that other lines have not, since the last columns of a shifted line may be empty. An
    /// id in the first column is not safe from it: `1,234` may be cut in two.
    ///
    /// Too few cells are no sign of it: spreadsheets leave out empty cells at the end.
    pub(super) fn is_ragged(&self, cells: &Cells) -> bool {
        let excess = cells.len().saturating_sub(self.headings);
        let mut beyond = cells.iter().skip(self.headings);
        excess > self.usual_excess || beyond.any(|cell| !is_blank(cell))
    }

    /// Whether the line has a cell for each heading, and none that is more.
    pub(super) fn is_full(&self, cells: &Cells) -> bool {
        cells.len() >= self.headings && !self.is_ragged(cells)
    }

    /// Whether the line could be a record of its own; a single cell among several columns is rather
    /// a line of text.
    pub(super) fn is_record(&self, cells: &Cells) -> bool {
        !self.is_ragged(cells) && (cells.len() > 1 || self.headings == 1)
    }
}

/// How many cells too many every line has that is not too short; a single line proves nothing.
fn usual_excess(mut sample: Records<&[u8]>, headings: usize) -> usize {
    let (mut least, mut lines) = (usize::MAX, 0);
    // The first record is that of the headings. An error is found again, and reported, when the
    // record is read in earnest.
    let mut is_heading = true;
    while matches!(sample.advance(), Ok(true)) {
        if mem::take(&mut is_heading) {
            continue;
        }
        if let Some(excess) = sample.cells().len().checked_sub(headings) {
            least = least.min(excess);
            lines += 1;
        }
    }
    if lines > 1 { least } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::ids::Place;

    fn cells(line: &str) -> Cells {
        let mut cells = Cells::new(Some(b';'));
        cells.push_line(line.as_bytes());
        cells
    }

    fn shape(file: &'static str) -> ExpectedCells {
        let sample = Records::new(file.as_bytes(), Some(b';'), Place::StandardInput);
        ExpectedCells::new(&cells(file.lines().next().unwrap()), sample)
    }

    #[test]
    fn a_line_with_more_than_the_headings_announce_is_ragged() {
        let heading = "Name;Zip;contactId\n";
        let announcing = "Name;Zip;contactId;\n";
        let used_to = "Name;Zip;contactId\na;1;2;\nb;3;4;\nc\n";
        let shown_once = "Name;Zip;contactId\na;1;2;\n";
        let differing = "Name;Zip;contactId\na;1;2;\nb;3;4;\nc;5;6\n";
        let cases = [
            (heading, "Fjord;5003;11", false),
            (heading, "Berg; Dal og Co;4020;12", true),
            (heading, "Berg; Dal;4020;", true),
            (heading, "Fjord;5003;11; ", true),
            (heading, "Fjord;5003", false),
            (heading, "", false),
            (announcing, "Fjord;5003;11;", false),
            (announcing, "Fjord;5003;11", false),
            (announcing, "Berg; Dal og Co;4020;12", true),
            (announcing, "Berg; Dal;4020;;", true),
            (used_to, "Fjord;5003;11;", false),
            (used_to, "Berg; Dal;4020;;", true),
            (used_to, "Berg; Dal;4020;12;", true),
            (shown_once, "Fjord;5003;11;", true),
            (differing, "Fjord;5003;11;", true),
        ];
        for (file, line, expected) in cases {
            let is_ragged = shape(file).is_ragged(&cells(line));
            assert_eq!(is_ragged, expected, "{file:?} {line:?}");
        }
    }

    #[test]
    fn a_record_of_several_columns_has_several_cells() {
        let wide = shape("Name;contactId");
        let narrow = shape("contactId");
        let cases = [
            (wide, "a", false, false),
            (wide, "a;1", true, true),
            (wide, "a;1;2", false, false),
            (narrow, "1", true, true),
            (narrow, "1;2", false, false),
        ];
        for (shape, line, is_full, is_record) in cases {
            let cells = cells(line);
            assert_eq!(shape.is_full(&cells), is_full, "{line}");
            assert_eq!(shape.is_record(&cells), is_record, "{line}");
        }
    }
}
