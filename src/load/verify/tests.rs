//! A sound export has no difference; every kind of damage is named.

use std::collections::BTreeMap;

use tempfile::TempDir;

use super::*;
use crate::load::Readers;
use crate::load::file::FileReport;
use crate::load::format::create;
use crate::load::manifest::ListReport;
use crate::load::manifest::tests::manifest;
use crate::load::publish::{Partial, prepare};
use crate::load::tests::generate::{AnyCell, Row, batch, sorted_rows};
use crate::schema::{TABLES, data_tables};

const RUN: &str = "20261122T020000Z";
const ENDINGS: [Outcome; 5] = [
    Outcome::Exported,
    Outcome::Missing,
    Outcome::Stale,
    Outcome::Failed,
    Outcome::Pending,
];

/// An export before it is published, so that tests can spoil it.
struct Export {
    output_dir: TempDir,
    rows: BTreeMap<&'static str, Vec<Row>>,
    counts: OutcomeCounts,
}

impl Export {
    /// Contacts 1 to 5 of different endings, rows for those that are shown, and two rejected lines.
    fn new() -> Self {
        let mut rows: BTreeMap<_, _> = data_tables()
            .map(|table| (table.name, sorted_rows(table, &[1, 3])))
            .collect();
        let mut outcomes = sorted_rows(OUTCOMES, &[1, 2, 3, 4, 5, 0, 0]);
        let mut counts = OutcomeCounts::default();
        for (index, row) in outcomes.iter_mut().enumerate() {
            let outcome = ENDINGS.get(index).copied().unwrap_or(Outcome::Rejected);
            counts.record(outcome);
            set(row, "outcome", AnyCell::Text(outcome.as_str().to_owned()));
            set(
                row,
                "input_line",
                AnyCell::Integer(2 + i64::try_from(index).unwrap()),
            );
            if outcome == Outcome::Rejected {
                set(row, "contact_id", AnyCell::Null);
            }
        }
        rows.insert(OUTCOMES.name, outcomes);
        let output_dir = tempfile::tempdir().unwrap();
        prepare(output_dir.path()).unwrap();
        Self {
            output_dir,
            rows,
            counts,
        }
    }

    fn publish(&self, format: Format, spoil: impl FnOnce(&mut Manifest)) -> PathBuf {
        let partial = Partial::create(self.output_dir.path(), RUN).unwrap();
        let write = |table: &'static Table| {
            let mut writer = create(format, partial.folder(), table, &[]).unwrap();
            writer.write(&batch(table, &self.rows[table.name])).unwrap();
            (table.name.to_owned(), writer.finish().unwrap())
        };
        let mut manifest = manifest(RUN, TABLES.iter().map(write).collect());
        manifest.targets.distinct = 5;
        manifest.targets.rejected = 2;
        manifest.outcomes = self.counts;
        spoil(&mut manifest);
        let folder = partial.destination();
        partial.publish(manifest, format, Readers::Owner).unwrap();
        folder
    }

    fn differences(&self) -> Vec<String> {
        verify(self.output_dir.path())
            .unwrap()
            .differences
            .iter()
            .map(ToString::to_string)
            .collect()
    }
}

fn set(row: &mut Row, column: &str, cell: AnyCell) {
    let index = OUTCOMES
        .columns
        .iter()
        .position(|one| one.name == column)
        .unwrap();
    row[index] = cell;
}

/// A list of so many lines, some of them blank.
fn list(lines: u64, blank: u64) -> ListReport {
    ListReport {
        path: "contacts.csv".to_owned(),
        bytes: 100,
        sha256: String::new(),
        modified_at: None,
        lines,
        blank,
    }
}

/// What is done to a sound export.
enum Spoil<'s> {
    Rows(&'s dyn Fn(&mut Export)),
    Manifest(&'s dyn Fn(&mut Manifest)),
    Folder(&'s dyn Fn(&Path)),
}

/// Expects just one difference, in both formats, which begins with the file and the text.
fn check(file: &str, text: &str, spoil: &Spoil<'_>) {
    for format in Format::ALL {
        let mut export = Export::new();
        if let Spoil::Rows(spoil) = spoil {
            spoil(&mut export);
        }
        let folder = export.publish(*format, |manifest| {
            if let Spoil::Manifest(spoil) = spoil {
                spoil(manifest);
            }
        });
        if let Spoil::Folder(spoil) = spoil {
            spoil(&folder);
        }
        let expected = format!("{}: {text}", file.replace('*', format.as_str()));
        let found = export.differences();
        assert!(
            found.len() == 1 && found[0].starts_with(&expected),
            "expected {expected}, found {found:?}"
        );
    }
}

fn check_rows(file: &str, text: &str, spoil: impl Fn(&mut Export)) {
    check(file, text, &Spoil::Rows(&spoil));
}

fn check_manifest(file: &str, text: &str, spoil: impl Fn(&mut Manifest)) {
    check(file, text, &Spoil::Manifest(&spoil));
}

fn check_folder(file: &str, text: &str, spoil: impl Fn(&Path)) {
    check(file, text, &Spoil::Folder(&spoil));
}

#[test]
fn a_sound_export_has_no_difference() {
    for format in Format::ALL {
        let export = Export::new();
        let folder = export.publish(*format, |_| {});
        assert_eq!(export.differences(), [""; 0], "{format:?}");
        assert_eq!(verify(&folder).unwrap().differences, []);
    }
}

#[test]
fn a_list_whose_lines_are_all_accounted_for_is_sound() {
    let export = Export::new();
    export.publish(Format::SAFE_CSV, |manifest| {
        manifest.source = Some(list(8, 1));
    });
    assert_eq!(export.differences(), [""; 0]);
}

/// Older versions made no row of a contact whose Contact was null, and did not say how many.
#[test]
fn every_contact_that_is_shown_has_its_row_where_that_was_promised() {
    for (contact_id, outcomes_row) in [(1, 1), (3, 3)] {
        let remove = |export: &mut Export| {
            let rows = export.rows.get_mut("contacts").unwrap();
            rows.retain(|row| row[0] != AnyCell::Integer(contact_id));
        };
        let text = format!("no row of the contact that row {outcomes_row} of outcomes calls");
        check_rows("contacts.*", &text, remove);
        let mut older = Export::new();
        remove(&mut older);
        older.publish(Format::SAFE_CSV, |manifest| {
            manifest.contacts_without_details = None;
        });
        assert_eq!(older.differences(), [""; 0]);
    }
    let mut without_lists = Export::new();
    without_lists.rows.get_mut("sales").unwrap().clear();
    without_lists.publish(Format::SAFE_CSV, |_| {});
    assert_eq!(without_lists.differences(), [""; 0]);
}

#[test]
fn an_export_without_rows_is_sound() {
    for format in Format::ALL {
        let mut export = Export::new();
        export.rows.values_mut().for_each(Vec::clear);
        export.counts = OutcomeCounts::default();
        export.publish(*format, |manifest| {
            manifest.targets = crate::contact::TargetCounts::default();
        });
        assert_eq!(export.differences(), [""; 0]);
    }
}

#[test]
fn damaged_files_are_named() {
    let file = |folder: &Path, name: &str| {
        let names = names(folder).unwrap();
        folder.join(names.iter().find(|found| found.starts_with(name)).unwrap())
    };
    check_folder("sales.*", "missing", |folder| {
        fs::remove_file(file(folder, "sales")).unwrap();
    });
    check_folder("views.sql", "missing", |folder| {
        fs::remove_file(folder.join("views.sql")).unwrap();
    });
    check_folder("sales.bak", "not part of the export", |folder| {
        fs::write(folder.join("sales.bak"), "").unwrap();
    });
    check_folder("views.sql", "SHA-256 ", |folder| {
        let path = folder.join("views.sql");
        let changed = fs::read_to_string(&path).unwrap().replace("'UTC'", "'CET'");
        fs::write(path, changed).unwrap();
    });
    check_folder("views.sql", "0 bytes, and ", |folder| {
        fs::write(folder.join("views.sql"), "").unwrap();
    });
    check_folder("chats.*", "SHA-256 ", |folder| {
        let path = file(folder, "chats");
        let mut content = fs::read(&path).unwrap();
        let middle = content.len() / 2;
        content[middle] ^= 1;
        fs::write(path, content).unwrap();
    });
    check_folder("outcomes.*", "0 bytes, and ", |folder| {
        fs::write(file(folder, "outcomes"), "").unwrap();
    });
}

#[test]
fn a_manifest_that_says_otherwise_is_named() {
    let report = |manifest: &mut Manifest, table: &str, spoil: fn(&mut FileReport)| {
        spoil(manifest.tables.get_mut(table).unwrap());
    };
    check_manifest("tickets.*", "2 rows, and 3 in the manifest", |manifest| {
        report(manifest, "tickets", |report| report.rows = 3);
    });
    check_manifest("outcomes.*", "7 rows, and 8 in the manifest", |manifest| {
        report(manifest, "outcomes", |report| report.rows = 8);
    });
    check_manifest("manifest.json", "7 outcomes, and 8 distinct", |manifest| {
        manifest.targets.distinct = 6;
    });
    let lines = "11 targets, duplicates, rejected and blank lines, and 12 lines";
    check_manifest("manifest.json", lines, |manifest| {
        manifest.targets.duplicates = 3;
        manifest.source = Some(list(12, 1));
    });
    for format in Format::ALL {
        let export = Export::new();
        export.publish(*format, |manifest| {
            manifest.outcomes.stale = 0;
            manifest.outcomes.rejected = 3;
        });
        let expected = [
            "manifest.json: 3 rejected outcomes, and 2 rejected lines".to_owned(),
            format!(
                "outcomes.{}: 1 rows are stale, and 0 in the manifest",
                format.as_str()
            ),
            format!(
                "outcomes.{}: 2 rows are rejected, and 3 in the manifest",
                format.as_str()
            ),
        ];
        assert_eq!(export.differences(), expected);
    }
}

#[test]
fn files_outside_the_run_are_not_opened() {
    let export = Export::new();
    let folder = export.publish(Format::SAFE_CSV, |_| {});
    let mut manifest = Manifest::read(&folder).unwrap();
    let outside = "../../latest/views.sql";
    let views = manifest.files[VIEWS].clone();
    let other = FileDigest { bytes: 0, ..views };
    manifest.files.insert(outside.to_owned(), other);
    let path = folder.join(manifest::FILE_NAME);
    fs::write(path, manifest.to_json().unwrap()).unwrap();
    let expected = Difference::Missing {
        file: outside.to_owned(),
    };
    assert_eq!(verify(&folder).unwrap().differences, [expected]);
}

#[test]
fn files_of_other_names_are_not_opened() {
    let export = Export::new();
    let folder = export.publish(Format::SAFE_CSV, |manifest| {
        manifest.tables.get_mut("chats").unwrap().file = "../../state.sqlite".to_owned();
    });
    let found = verify(&folder).unwrap().differences;
    assert!(
        found.contains(&Difference::Table {
            table: "chats".to_owned(),
            file: "../../state.sqlite".to_owned()
        }),
        "{found:?}"
    );
}

#[test]
fn rows_out_of_place_are_named() {
    let swap = |table: &'static str, a, b| {
        move |export: &mut Export| export.rows.get_mut(table).unwrap().swap(a, b)
    };
    check_rows("contacts.*", "row 2 does not sort", swap("contacts", 0, 1));
    check_rows("outcomes.*", "row 2 does not sort", swap("outcomes", 0, 1));
    check_rows("outcomes.*", "row 7 does not sort", swap("outcomes", 5, 6));
    let repeat = |table: &'static str| {
        move |export: &mut Export| {
            let rows = export.rows.get_mut(table).unwrap();
            rows[1] = rows[0].clone();
        }
    };
    check_rows("contacts.*", "row 2 does not sort", repeat("contacts"));
    check_rows("sales.*", "row 2 does not sort", repeat("sales"));
}

#[test]
fn rows_of_contacts_that_are_not_exported_are_named() {
    for (contact_id, row) in [(0, 1), (2, 2), (4, 2), (9, 2)] {
        check_rows(
            "chats.*",
            &format!("row {row} belongs to no contact"),
            move |export| {
                let row = &mut export.rows.get_mut("chats").unwrap()[row - 1];
                row[0] = AnyCell::Integer(contact_id);
            },
        );
    }
}

#[test]
fn other_columns_and_other_content_are_named() {
    let spoil = |folder: &Path, format: Format, content: &[u8]| {
        let path = folder.join(format.file_name(&TABLES[0]));
        fs::write(&path, content).unwrap();
        let mut manifest = Manifest::read(folder).unwrap();
        let report = manifest.tables.get_mut("contacts").unwrap();
        let FileDigest { bytes, sha256 } = digest(&path).unwrap();
        (report.bytes, report.sha256) = (bytes, sha256);
        fs::write(
            folder.join(manifest::FILE_NAME),
            manifest.to_json().unwrap(),
        )
        .unwrap();
    };
    let header: Vec<_> = TABLES[0].columns.iter().map(|column| column.name).collect();
    let cases = [
        (
            Format::Parquet,
            "PAR1 and no more".to_owned(),
            "cannot be read as a table, after 0 rows",
        ),
        (
            Format::SAFE_CSV,
            "contact_id,name\n".to_owned(),
            "the columns are not those",
        ),
        (
            Format::SAFE_CSV,
            format!("{}\nx,y\n", header.join(",")),
            "cannot be read as a table, after 0 rows",
        ),
    ];
    for (format, content, text) in cases {
        let export = Export::new();
        spoil(&export.publish(format, |_| {}), format, content.as_bytes());
        let found = export.differences();
        assert!(found.len() == 1 && found[0].contains(text), "{found:?}");
    }
}

#[test]
fn a_folder_without_an_export_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(
        verify(folder.path()).unwrap_err(),
        Error::NoExport { .. }
    ));
    assert!(matches!(
        verify(&folder.path().join("none")).unwrap_err(),
        Error::NoExport { .. }
    ));
}

#[test]
fn an_unknown_outcome_is_named_once() {
    let mut export = Export::new();
    let mut rows = sorted_rows(OUTCOMES, &[1, 2]);
    for row in &mut rows {
        set(row, "outcome", AnyCell::Text("lost".to_owned()));
    }
    export.rows.insert(OUTCOMES.name, rows);
    export.publish(Format::Parquet, |_| {});
    let found = export.differences();
    assert_eq!(
        found
            .iter()
            .filter(|difference| difference.contains("no known outcome"))
            .count(),
        1,
        "{found:?}"
    );
}
