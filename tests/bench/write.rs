//! How fast rows become files, and files rows again, per format.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::convert::Infallible;
use std::path::Path;
use std::time::Instant;

use arrow_array::RecordBatch;
use superoffice_export::contact::{ContactId, Ending, Outcome, Target};
use superoffice_export::flatten::{AnswerBody, Flattener};
use superoffice_export::load::{Format, create, open};
use superoffice_export::sandbox;
use superoffice_export::schema::View;

const CONTACTS: i32 = 100_000;

fn main() {
    // `cargo test --benches` runs this too; it has nothing to say there.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let view = View::all();
    let batches = batches();
    let rows: usize = batches.iter().flatten().map(RecordBatch::num_rows).sum();
    for format in Format::ALL {
        let folder =
            std::env::temp_dir().join(format!("superoffice-export-write-{}", std::process::id()));
        std::fs::create_dir(&folder).expect("the temporary folder can be written to");
        let start = Instant::now();
        let bytes = write(*format, &folder, &view, &batches);
        println!(
            "write {}: {:.0} rows/s ({rows} rows of {CONTACTS} contacts, {bytes} bytes)",
            format.as_str(),
            to_float(rows) / start.elapsed().as_secs_f64()
        );
        let start = Instant::now();
        assert_eq!(read(*format, &folder, &view), rows);
        println!(
            "read {}: {:.0} rows/s",
            format.as_str(),
            to_float(rows) / start.elapsed().as_secs_f64()
        );
        std::fs::remove_dir_all(&folder).expect("the folder can be removed");
    }
}

/// Writes all tables; the bytes of their files.
fn write(format: Format, folder: &Path, view: &View, batches: &[Vec<RecordBatch>]) -> u64 {
    let mut writers: Vec<_> = view
        .tables()
        .map(|table| create(format, folder, table, &[]).expect("a file can be made"))
        .collect();
    for batch in batches {
        for (writer, batch) in writers.iter_mut().zip(batch) {
            writer.write(batch).expect("rows can be written");
        }
    }
    let files = writers
        .into_iter()
        .map(|writer| writer.finish().expect("a file can be completed"));
    files.map(|file| file.bytes).sum()
}

/// Reads all columns of all tables; the number of their rows.
fn read(format: Format, folder: &Path, view: &View) -> usize {
    let mut rows = 0;
    for table in view.tables() {
        let path = folder.join(format.file_name(table));
        let mut reader = open(format, &path, table, |_| true).expect("the file is a table");
        while let Some(batch) = reader.read().expect("the file can be read") {
            rows += batch.num_rows();
        }
    }
    rows
}

/// The rows of simulated contacts, in batches as a run makes them.
fn batches() -> Vec<Vec<RecordBatch>> {
    let mut flattener = Flattener::new(&View::all());
    let mut batches = Vec::new();
    for number in 1..=CONTACTS {
        let ending = Ending {
            outcome: Outcome::Exported,
            http_status: Some(200),
            attempts: 1,
            error: None,
            message: None,
            fetched_at: Some(0),
        };
        let target = Target {
            contact_id: ContactId::new(number.into()),
            input_line: 1,
            input_value: number.to_string(),
            ending,
        };
        let answer = AnswerBody {
            json: &sandbox::answer(number, 100),
            limit: 100,
            has_same_zone: true,
        };
        let mut hand_on = |full| {
            batches.push(full);
            Ok::<_, Infallible>(())
        };
        let Ok(_) = flattener.append_in_batches(target, Some(answer), &mut hand_on);
    }
    batches.push(flattener.take());
    batches
}

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "shown to a person"
)]
fn to_float(number: usize) -> f64 {
    number as f64
}
