//! Publishing, pruning and dying at every step, in folders of their own.

use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::*;
use crate::load::format::create;
use crate::load::manifest::tests::manifest;
use crate::load::tests::generate::{batch, some_rows};
use crate::schema::{OUTCOMES, TABLES};

const FIRST: &str = "20261122T020000Z";
const SECOND: &str = "20261123T020000Z";

fn output_dir() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path()).unwrap();
    folder
}

fn publish(output_dir: &Path, run: &str) -> PathBuf {
    let partial = Partial::create(output_dir, run).unwrap();
    let tables = TABLES.iter().map(|table| {
        let writer = create(Format::SAFE_CSV, partial.folder(), table, &[]).unwrap();
        (table.name.to_owned(), writer.finish().unwrap())
    });
    let manifest = manifest(run, tables.collect::<BTreeMap<_, _>>());
    let folder = partial.destination();
    partial
        .publish(manifest, Format::SAFE_CSV, Readers::Owner)
        .unwrap();
    folder
}

/// The run that `latest` names, which must be complete.
fn latest(output_dir: &Path) -> String {
    Manifest::read(&output_dir.join(LATEST)).unwrap().run
}

#[test]
fn a_run_is_named_by_its_start_and_a_number_where_that_is_taken() {
    let start: Timestamp = "2026-11-22T02:00:00.75Z".parse().unwrap();
    let cases: &[(&[&str], &str)] = &[
        (&[], "20261122T020000Z"),
        (&["20261121T020000Z"], "20261122T020000Z"),
        (&["20261122T020000Z"], "20261122T020000Z-2"),
        (
            &["20261122T020000Z", "20261122T020000Z-2"],
            "20261122T020000Z-3",
        ),
        (&["20261122T020000Z-2"], "20261122T020000Z"),
    ];
    for (taken, expected) in cases {
        let taken: Vec<_> = taken.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(run_name(start, &taken), *expected, "{taken:?}");
        assert!(order(expected).is_some());
    }
}

#[test]
fn only_names_that_runs_have_are_runs() {
    for foreign in [
        "",
        "backup",
        "20261122T020000Z-1",
        "20261122T020000Z-x",
        "20261122T020000",
        ".20261122T020000Z.partial",
        "2026112æT02000Z",
    ] {
        assert_eq!(order(foreign), None, "{foreign}");
    }
}

#[test]
fn a_published_run_is_complete_private_and_latest() {
    let folder = output_dir();
    let run = publish(folder.path(), FIRST);
    assert_eq!(run, folder.path().join("runs").join(FIRST));
    assert_eq!(latest(folder.path()), FIRST);
    assert_eq!(
        fs::read_link(folder.path().join(LATEST)).unwrap(),
        Path::new("runs").join(FIRST)
    );
    assert_eq!(entries(&folder.path().join(RUNS)).unwrap(), [FIRST]);
    assert_eq!(
        fs::metadata(&run).unwrap().permissions().mode() & 0o777,
        0o700
    );
    let names = entries(&run).unwrap();
    assert_eq!(names.len(), TABLES.len() + 2);
    for name in names {
        assert_eq!(
            fs::metadata(run.join(&name)).unwrap().permissions().mode() & 0o777,
            0o600,
            "{name}"
        );
    }
    assert!(
        fs::read_to_string(run.join(VIEWS))
            .unwrap()
            .contains("contacts.csv")
    );
}

/// Expects that a run which dies like this leaves the old run latest and complete, and that the
/// next start goes on.
fn check_death(step: &str, die: impl FnOnce(&Path)) {
    let folder = output_dir();
    publish(folder.path(), FIRST);
    die(folder.path());
    assert_eq!(latest(folder.path()), FIRST, "{step}");
    prepare(folder.path()).unwrap();
    let names: Vec<_> = [folder.path(), &folder.path().join(RUNS)]
        .iter()
        .flat_map(|folder| entries(folder).unwrap())
        .collect();
    assert!(
        !names.iter().any(|name| name.starts_with('.')),
        "{step}: {names:?}"
    );
    if names.contains(&SECOND.to_owned()) {
        point_latest(folder.path(), SECOND).unwrap();
    } else {
        publish(folder.path(), SECOND);
    }
    assert_eq!(latest(folder.path()), SECOND, "{step}");
}

#[test]
fn death_at_any_step_leaves_the_old_run_latest() {
    check_death("while tables are written", |folder| {
        let partial = Partial::create(folder, SECOND).unwrap();
        let mut writer = create(Format::Parquet, partial.folder(), OUTCOMES, &[]).unwrap();
        writer
            .write(&batch(OUTCOMES, &some_rows(OUTCOMES, 3)))
            .unwrap();
    });
    check_death("before the link is made", |folder| {
        let elsewhere = output_dir();
        fs::rename(
            publish(elsewhere.path(), SECOND),
            folder.join(RUNS).join(SECOND),
        )
        .unwrap();
    });
    check_death("before the link becomes latest", |folder| {
        link(&Path::new(RUNS).join(SECOND), folder, NEXT_LATEST).unwrap();
    });
    check_death("while an old run is removed", |folder| {
        create_folder(&folder.join(RUNS).join(partial_name(FIRST))).unwrap();
    });
}

#[test]
fn prune_removes_the_oldest_runs_but_not_latest_nor_foreign_folders() {
    let runs = [
        "20261120T020000Z",
        "20261121T020000Z",
        "20261121T020000Z-2",
        "20261121T020000Z-10",
        "20261122T020000Z",
    ];
    let cases: &[(usize, &str, &[&str])] = &[
        (14, runs[4], &[]),
        (5, runs[4], &[]),
        (3, runs[4], &runs[..2]),
        (1, runs[4], &runs[..4]),
        (0, runs[4], &runs[..4]),
        (2, runs[0], &runs[1..3]),
    ];
    for (keep, newest, removed) in cases {
        let folder = output_dir();
        for run in runs {
            publish(folder.path(), run);
        }
        point_latest(folder.path(), newest).unwrap();
        fs::create_dir(folder.path().join("runs/backup")).unwrap();
        fs::write(folder.path().join("runs/20261119T020000Z"), "stray").unwrap();
        assert_eq!(
            prune(folder.path(), *keep, &[]).unwrap(),
            *removed,
            "keep {keep}"
        );
        let left: Vec<_> = runs.iter().filter(|run| !removed.contains(run)).collect();
        assert!(
            published(folder.path()).unwrap().iter().eq(left),
            "keep {keep}"
        );
        assert!(folder.path().join("runs/backup").exists());
        assert_eq!(latest(folder.path()), *newest);
    }
}

#[test]
fn prune_goes_by_the_order_of_the_runs_and_not_by_what_the_clock_said() {
    let folder = output_dir();
    let [unknown, ahead, earlier, later] = [
        "20261119T020000Z",
        "20271120T020000Z",
        "20261121T020000Z",
        "20261122T020000Z",
    ];
    for run in [unknown, ahead, earlier, later] {
        publish(folder.path(), run);
    }
    point_latest(folder.path(), later).unwrap();
    let in_order = [later, ahead, earlier, later].map(str::to_owned);
    assert_eq!(prune(folder.path(), 3, &in_order).unwrap(), [unknown]);
    assert_eq!(prune(folder.path(), 2, &in_order).unwrap(), [ahead]);
    assert_eq!(published(folder.path()).unwrap(), [earlier, later]);
}

#[test]
fn a_run_is_never_replaced_and_a_discarded_one_leaves_nothing() {
    let folder = output_dir();
    publish(folder.path(), FIRST);
    let again = Partial::create(folder.path(), FIRST).unwrap();
    let error = again
        .publish(
            manifest(FIRST, BTreeMap::new()),
            Format::SAFE_CSV,
            Readers::Owner,
        )
        .unwrap_err();
    assert!(matches!(error, Error::Taken { .. }));
    Partial::create(folder.path(), FIRST)
        .unwrap()
        .discard()
        .unwrap();
    assert_eq!(entries(&folder.path().join(RUNS)).unwrap(), [FIRST]);
}

#[test]
fn an_output_folder_that_is_none_is_a_storage_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("exports");
    fs::write(&path, "").unwrap();
    let error = prepare(&path).unwrap_err();
    assert!(
        matches!(error, Error::Storage { .. }) && error.to_string().contains("exports"),
        "{error}"
    );
    fs::remove_file(&path).unwrap();
    prepare(&path).unwrap();
    fs::create_dir(path.join(LATEST)).unwrap();
    let Error::LatestIsNoLink { path: latest } = prepare(&path).unwrap_err() else {
        panic!("a folder is no link");
    };
    assert!(latest.ends_with("exports/latest"));
    let partial = Partial::create(&path, FIRST).unwrap();
    assert!(matches!(
        partial.publish(
            manifest(FIRST, BTreeMap::new()),
            Format::SAFE_CSV,
            Readers::Owner
        ),
        Err(Error::Storage { .. })
    ));
}
