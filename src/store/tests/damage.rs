//! State files that are cut, overwritten, replaced or of another program: reported with what to do,
//! and left as they are.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::*;

/// A state with a few hundred answers, closed as a run closes it.
fn sound() -> Scene {
    let mut scene = Scene::new();
    scene.targets(1..=500);
    let answers: Vec<_> = (1..=500)
        .map(|contact_id| exported(contact_id, contact_id))
        .collect();
    scene.record(&answers);
    let path = scene.path();
    drop(std::mem::replace(
        &mut scene.store,
        Store::open(&path.with_file_name("other.sqlite")).unwrap(),
    ));
    assert!(!path.with_extension("sqlite-wal").exists());
    scene
}

fn log(path: &Path) -> PathBuf {
    path.with_extension("sqlite-wal")
}

#[test]
fn the_file_is_private_and_whole_before_it_has_its_name() {
    let scene = Scene::new();
    assert_eq!(
        fs::metadata(scene.path()).unwrap().permissions().mode() & 0o777,
        0o600
    );
    // A start that died while it made the file.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    fs::write(folder.path().join("state.sqlite.partial"), "half").unwrap();
    fs::write(folder.path().join("state.sqlite.partial-journal"), "half").unwrap();
    Store::open(&path).unwrap();
    assert!(!folder.path().join("state.sqlite.partial").exists());
}

/// Expects that damage is told, with the file and what to do, and that the file is left as it is.
fn check(what: &str, spoil: impl FnOnce(&mut Vec<u8>), is_expected: impl Fn(&Error) -> bool) {
    let scene = sound();
    let mut bytes = fs::read(scene.path()).unwrap();
    spoil(&mut bytes);
    fs::write(scene.path(), &bytes).unwrap();
    let error = Store::open(&scene.path()).unwrap_err();
    assert!(is_expected(&error), "{what}: {error:?}");
    let text = error.to_string();
    assert!(
        text.contains("state.sqlite") && text.contains("aside"),
        "{what}: {text}"
    );
    assert_eq!(fs::read(scene.path()).unwrap(), bytes, "{what}");
}

#[test]
fn damage_is_told_and_never_mended() {
    let is_damaged = |error: &Error| matches!(error, Error::Damaged { .. });
    let is_foreign = |error: &Error| matches!(error, Error::Foreign { .. });
    check("cut to nothing", Vec::clear, is_damaged);
    check(
        "cut inside the header",
        |bytes| bytes.resize(50, 0),
        is_foreign,
    );
    check(
        "cut after a few pages",
        |bytes| bytes.resize(3 * 4_096, 0),
        is_damaged,
    );
    check(
        "cut inside the last page",
        |bytes| bytes.resize(bytes.len() - 100, 0),
        is_damaged,
    );
    check(
        "garbage at the beginning",
        |bytes| bytes[..100].fill(b'x'),
        is_foreign,
    );
    check(
        "a page of zeros",
        |bytes| bytes[4 * 4_096..5 * 4_096].fill(0),
        is_damaged,
    );
    check(
        "another application",
        |bytes| bytes[68..72].fill(1),
        is_foreign,
    );
    check(
        "a text file",
        |bytes| *bytes = b"contactId\n1\n".to_vec(),
        is_foreign,
    );
    check(
        "a newer version",
        |bytes| bytes[60..64].copy_from_slice(&[0, 0, 0, 9]),
        |error| matches!(error, Error::Newer { found: 9, .. }),
    );
}

#[test]
fn damage_that_shows_only_when_it_is_read_is_told_too() {
    let scene = sound();
    let mut store = Store::open(&scene.path()).unwrap();
    // A real file is larger than the cache.
    store
        .connection
        .execute_batch("PRAGMA shrink_memory")
        .unwrap();
    let mut bytes = fs::read(scene.path()).unwrap();
    let length = bytes.len();
    bytes[4_096..length].fill(0xA5);
    fs::write(scene.path(), bytes).unwrap();
    let error = store.walk::<Error>(&scene.terms, |_| Ok(())).unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error:?}");
}

#[test]
fn one_bit_of_a_stored_body_is_noticed() {
    let scene = sound();
    let bytes = fs::read(scene.path()).unwrap();
    let text = b"body of 250 at";
    let mut flipped = bytes.clone();
    // Pages keep copies of what was moved elsewhere.
    for (place, _) in bytes
        .windows(text.len())
        .enumerate()
        .filter(|(_, window)| *window == text)
    {
        flipped[place] ^= 1;
    }
    assert_ne!(flipped, bytes, "short bodies are kept as they are");
    fs::write(scene.path(), flipped).unwrap();
    let mut store = Store::open(&scene.path()).unwrap();
    let mut visited = 0;
    let visit = |_: Stored<'_>| {
        visited += 1;
        Ok(())
    };
    let error = store.walk::<Error>(&scene.terms, visit).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Body {
                contact_id: 250,
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(visited, 249);
    // It can be fetched anew.
    store
        .record(
            &some_run("run", 1),
            scene.terms.question,
            &[exported(250, 900)],
        )
        .unwrap();
    store.walk::<Error>(&scene.terms, |_| Ok(())).unwrap();
}

#[test]
fn a_word_of_a_newer_program_is_damage() {
    let mut scene = Scene::new();
    scene.targets([1]);
    scene.record(&[failed(1, 1)]);
    scene
        .store
        .connection
        .execute("UPDATE endings SET outcome = 'postponed'", [])
        .unwrap();
    let error = scene
        .store
        .walk::<Error>(&scene.terms, |_| Ok(()))
        .unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error:?}");
}

#[test]
fn the_log_of_a_file_that_is_gone_is_never_played_into_a_new_one() {
    let scene = Scene::new();
    // The store is open, so its log is there; the file is moved aside without it.
    assert!(
        fs::metadata(log(&scene.path())).unwrap().len() > 0
            || fs::write(log(&scene.path()), "log").is_ok()
    );
    fs::rename(scene.path(), scene.folder.path().join("aside")).unwrap();
    let error = Store::open(&scene.path()).unwrap_err();
    assert!(
        matches!(error, Error::Orphan { .. }) && error.to_string().contains("-wal"),
        "{error}"
    );
    assert!(!scene.path().exists());
    fs::remove_file(log(&scene.path())).unwrap();
    Store::open(&scene.path()).unwrap();
}

#[test]
fn nothing_is_written_to_a_file_that_was_removed_or_replaced() {
    let mut scene = Scene::new();
    scene.targets([1]);
    fs::rename(scene.path(), scene.folder.path().join("aside")).unwrap();
    let record = |scene: &mut Scene| {
        scene
            .store
            .record(&some_run("run", 1), scene.terms.question, &[exported(1, 1)])
            .unwrap_err()
    };
    assert!(matches!(record(&mut scene), Error::Gone { .. }));
    fs::write(scene.path(), "another").unwrap();
    assert!(matches!(record(&mut scene), Error::Gone { .. }));
}

#[test]
fn a_folder_that_is_not_there_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let error = Store::open(&folder.path().join("none/state.sqlite")).unwrap_err();
    assert!(matches!(error, Error::Create { .. }), "{error:?}");
}
