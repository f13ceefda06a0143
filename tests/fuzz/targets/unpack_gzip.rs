//! Any bytes as a gzip body: they unpack within the bound, twice to the same, or are refused.

#![no_main]

use libfuzzer_sys::fuzz_target;
use superoffice_export::gzip::{Error, Unpacker};

const BOUND: usize = 1 << 20;

fuzz_target!(|packed: &[u8]| {
    let mut unpacker = Unpacker::default();
    let first = unpacker.unpack(packed, BOUND).map(<[u8]>::to_vec);
    assert!(first.as_ref().map_or(true, |content| content.len() <= BOUND));
    assert_eq!(unpacker.unpack(packed, BOUND).map(<[u8]>::to_vec), first);
    if let Ok(content) = &first
        && let Some(less) = content.len().checked_sub(1)
    {
        assert_eq!(unpacker.unpack(packed, less), Err(Error::TooLarge));
    }
});
