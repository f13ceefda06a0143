//! Rows in slices of a fixed length, or shorter where rows are long, wherever the batches end in
//! which they come: the slices are a function of the rows alone, and so are the bytes of a file
//! that is made of them.

use std::mem;

use arrow_array::cast::AsArray as _;
use arrow_array::{Array, RecordBatch};
use arrow_schema::{ArrowError, DataType, SchemaRef};
use arrow_select::concat::concat_batches;

/// Most rows of a slice.
pub(super) const ROWS: usize = 1024;

/// A slice ends with the row that brings its text to so many bytes.
const TEXT: usize = 4 << 20;

/// Collects rows until they make a slice.
#[derive(Debug)]
pub(super) struct Slices {
    schema: SchemaRef,
    pieces: Vec<RecordBatch>,
    rows: usize,
    text: usize,
}

impl Slices {
    /// None yet, of this schema.
    pub(super) fn new(schema: SchemaRef) -> Self {
        Self {
            schema,
            pieces: Vec::new(),
            rows: 0,
            text: 0,
        }
    }

    /// Takes in rows, and gives the slices that are complete.
    pub(super) fn push(&mut self, batch: &RecordBatch) -> Result<Vec<RecordBatch>, ArrowError> {
        let mut complete = Vec::new();
        let mut begin = 0;
        while begin < batch.num_rows() {
            let rest = batch.slice(begin, batch.num_rows() - begin);
            let (rows, text) = self.fitting(&rest);
            self.pieces.push(rest.slice(0, rows));
            self.rows += rows;
            self.text += text;
            begin += rows;
            if self.rows >= ROWS || self.text >= TEXT {
                complete.push(self.take()?);
            }
        }
        Ok(complete)
    }

    /// The rows that are left, which make a shorter slice; none where there are none.
    pub(super) fn finish(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        (self.rows > 0).then(|| self.take()).transpose()
    }

    fn take(&mut self) -> Result<RecordBatch, ArrowError> {
        self.rows = 0;
        self.text = 0;
        match mem::take(&mut self.pieces).as_slice() {
            [one] => Ok(one.clone()),
            pieces => concat_batches(&self.schema, pieces),
        }
    }

    /// How many of these rows go into the slice, and the text in them.
    fn fitting(&self, batch: &RecordBatch) -> (usize, usize) {
        let most = batch.num_rows().min(ROWS - self.rows);
        let text = text_in(&batch.slice(0, most));
        if self.text + text < TEXT {
            return (most, text);
        }
        let mut sum = 0;
        for row in 0..most {
            sum += text_in(&batch.slice(row, 1));
            if self.text + sum >= TEXT {
                return (row + 1, sum);
            }
        }
        (most, sum)
    }
}

/// Bytes of text in these rows.
fn text_in(batch: &RecordBatch) -> usize {
    let texts = batch
        .columns()
        .iter()
        .filter(|column| *column.data_type() == DataType::Utf8);
    let lengths = texts.filter_map(|column| {
        let offsets = column.as_string::<i32>().value_offsets();
        usize::try_from(offsets.last()? - offsets.first()?).ok()
    });
    lengths.sum()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Int64Array, StringArray};
    use arrow_schema::{Field, Schema};
    use proptest::prelude::*;

    use super::*;

    fn batch(lengths: &[usize]) -> RecordBatch {
        let schema = Schema::new(vec![
            Field::new("id", DataType::Int64, false),
            Field::new("text", DataType::Utf8, true),
        ]);
        let ids = Int64Array::from_iter_values(0..i64::try_from(lengths.len()).unwrap());
        let texts: StringArray = lengths
            .iter()
            .map(|length| Some("x".repeat(*length)))
            .collect();
        RecordBatch::try_new(Arc::new(schema), vec![Arc::new(ids), Arc::new(texts)]).unwrap()
    }

    /// Row counts of the slices.
    fn cut(batch: &RecordBatch, rows_per_batch: usize) -> Vec<usize> {
        let mut slices = Slices::new(batch.schema());
        let mut cut = Vec::new();
        for begin in (0..batch.num_rows()).step_by(rows_per_batch) {
            let piece = batch.slice(begin, rows_per_batch.min(batch.num_rows() - begin));
            cut.extend(
                slices
                    .push(&piece)
                    .unwrap()
                    .iter()
                    .map(RecordBatch::num_rows),
            );
        }
        cut.extend(slices.finish().unwrap().map(|slice| slice.num_rows()));
        cut
    }

    #[test]
    fn slices_are_of_one_length_but_for_the_last() {
        assert_eq!(
            cut(&batch(&vec![3; 2_500]), 7),
            [ROWS, ROWS, 2_500 - 2 * ROWS]
        );
        assert_eq!(cut(&batch(&[]), 7), [0_usize; 0]);
    }

    #[test]
    fn long_rows_make_short_slices() {
        assert_eq!(
            cut(&batch(&[TEXT / 2, TEXT / 2, 1, TEXT, 5 * TEXT, 1, 1]), 3),
            [2, 2, 1, 2]
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn slices_do_not_depend_on_batches(
            lengths in proptest::collection::vec(prop_oneof![9 => 0..9_usize, 1 => 0..TEXT], 1..20),
            one in 1..20_usize,
            other in 1..20_usize,
        ) {
            let batch = batch(&lengths);
            prop_assert_eq!(cut(&batch, one), cut(&batch, other));
        }
    }
}
