//! Any input file: it is read or refused; lines only grow, ids are ids, and nothing follows an
//! error.

#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use superoffice_export::extract::ids::{Place, Reader, Source};
use superoffice_export::contact::InputLine;

fuzz_target!(|input: (Option<u8>, Option<String>, Vec<u8>)| {
    let (delimiter, column, bytes) = input;
    let source = Source { place: Place::StandardInput, column, delimiter, sheet: None };
    let Ok(mut reader) = Reader::over(&source, Box::new(Cursor::new(bytes))) else { return };
    let mut last = 0;
    while let Some(line) = reader.next() {
        match line {
            Ok(InputLine::Target { contact_id, input_line, .. }) => {
                assert!(contact_id.get() > 0 && contact_id.get() <= i64::from(i32::MAX));
                assert!(input_line > last);
                last = input_line;
            }
            Ok(InputLine::Rejected { input_line, .. }) => {
                assert!(input_line > last);
                last = input_line;
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                assert!(reader.next().is_none());
                return;
            }
        }
    }
});
