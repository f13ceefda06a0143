//! Any page of an archive: it is refused, or its keys ascend beyond the one that was asked for.

#![no_main]

use libfuzzer_sys::fuzz_target;
use superoffice_export::changes::Kind;
use superoffice_export::extract::api::archive::{Archive, read_page};

fuzz_target!(|input: (u8, i64, &[u8])| {
    let (kind, after, body) = input;
    let kind = Kind::ALL[usize::from(kind) % Kind::ALL.len()];
    if let Ok(page) = read_page(Archive::of(kind), after, body) {
        let keys = page.rows.iter().map(|row| row.key);
        assert!(keys.clone().all(|key| key > after.max(0)));
        assert!(keys.is_sorted_by(|one, next| one < next));
    }
});
