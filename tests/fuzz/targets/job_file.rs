//! Any job file: it makes a job, or a complaint that names the file.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use superoffice_export::job;

fuzz_target!(|text: &str| match job::parse(text, Path::new("job.toml"), &[]) {
    Ok(job) => assert!(!format!("{job:?}").is_empty()),
    Err(error) => assert!(error.to_string().starts_with("job.toml:")),
});
