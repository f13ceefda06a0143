//! Which sheets a workbook has, and where its parts are.

use super::package::Package;
use super::xml::{Token, WorkbookFault};

/// The parts that matter for one sheet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) sheet: String,
    pub(super) strings: Option<String>,
    pub(super) styles: Option<String>,
    /// Days are counted from 1904.
    pub(super) is_from_1904: bool,
}

/// A sheet that there is.
struct SheetEntry {
    name: String,
    relation: String,
    is_hidden: bool,
}

/// Why there is no such sheet.
pub(super) enum NoSheet {
    Fault(WorkbookFault),
    /// The names of those that there are.
    Unknown(Vec<String>),
}

impl From<WorkbookFault> for NoSheet {
    fn from(fault: WorkbookFault) -> Self {
        Self::Fault(fault)
    }
}

/// A workbook has a few dozen sheets; what lists thousands is no list of ids.
const MOST_ENTRIES: usize = 10_000;
/// Where a package says what is in it.
const ROOT: &str = "_rels/.rels";
const NO_WORKBOOK: WorkbookFault =
    WorkbookFault::Damaged("it is a ZIP archive, but holds no Excel workbook");

/// Finds the parts of the sheet of that name; without one those of the first sheet that is not
/// hidden.
pub(super) fn parts(package: &Package, asked: Option<&str>) -> Result<Parts, NoSheet> {
    if package.has("xl/workbook.bin") {
        return Err(WorkbookFault::Damaged("it is a binary workbook (.xlsb)").into());
    }
    if package.has("content.xml") {
        return Err(WorkbookFault::Damaged("it is an OpenDocument file (.ods)").into());
    }
    if !package.has(ROOT) {
        return Err(NO_WORKBOOK.into());
    }
    let root = relations(package, ROOT, "")?;
    let workbook = target(&root, |kind, _| kind.ends_with("/officeDocument"));
    let workbook = workbook.ok_or(NO_WORKBOOK)?;
    let (folder, file) = workbook.rsplit_once('/').unwrap_or(("", &workbook));
    let related = relations(package, &format!("{folder}/_rels/{file}.rels"), folder)?;
    let (sheets, is_from_1904) = sheets(package, &workbook)?;
    let mut listed = sheets.iter();
    let found = if let Some(asked) = asked {
        listed.find(|sheet| sheet.name.trim() == asked.trim())
    } else {
        listed.find(|sheet| !sheet.is_hidden).or(sheets.first())
    };
    let Some(found) = found else {
        let names = sheets.into_iter().map(|sheet| sheet.name).collect();
        return Err(NoSheet::Unknown(names));
    };
    let sheet = target(&related, |kind, id| {
        id == found.relation && kind.ends_with("/worksheet")
    });
    Ok(Parts {
        sheet: sheet.ok_or(WorkbookFault::Damaged(
            "the sheet holds no cells, but a chart or macros",
        ))?,
        strings: target(&related, |kind, _| kind.ends_with("/sharedStrings")),
        styles: target(&related, |kind, _| kind.ends_with("/styles")),
        is_from_1904,
    })
}

/// How one part refers to another: its kind, its id, and where the other is.
type PartRelation = (String, String, String);

fn target(relations: &[PartRelation], is_meant: impl Fn(&str, &str) -> bool) -> Option<String> {
    let mut relations = relations.iter();
    relations
        .find(|(kind, id, _)| is_meant(kind, id))
        .map(|(_, _, target)| target.clone())
}

/// The relations that a part of that name lists, whose targets count from a folder.
fn relations(
    package: &Package,
    name: &str,
    folder: &str,
) -> Result<Vec<PartRelation>, WorkbookFault> {
    let mut xml = package.part(name)?;
    let (mut relations, mut memory) = (Vec::new(), Vec::new());
    loop {
        match xml.next(&mut memory)? {
            Token::Open(element) if element.is("Relationship") => {
                let attribute = |name| element.attribute(name).unwrap_or_default();
                let target = attribute("Target");
                let target = match target.strip_prefix('/') {
                    Some(absolute) => absolute.to_owned(),
                    None if folder.is_empty() => target,
                    None => format!("{folder}/{target}"),
                };
                relations.push((attribute("Type"), attribute("Id"), target));
            }
            Token::End => return Ok(relations),
            Token::Open(_) | Token::Close(_) | Token::Text(_) => {}
        }
        if relations.len() > MOST_ENTRIES {
            return Err(NO_WORKBOOK);
        }
    }
}

fn sheets(package: &Package, name: &str) -> Result<(Vec<SheetEntry>, bool), WorkbookFault> {
    let mut xml = package.part(name)?;
    let (mut sheets, mut is_from_1904, mut memory) = (Vec::new(), false, Vec::new());
    loop {
        match xml.next(&mut memory)? {
            Token::Open(element) if element.is("sheet") => {
                let state = element.attribute("state");
                sheets.push(SheetEntry {
                    name: element.attribute("name").unwrap_or_default(),
                    relation: element.attribute("id").unwrap_or_default(),
                    is_hidden: state.is_some_and(|state| state != "visible"),
                });
            }
            Token::Open(element) if element.is("workbookPr") => {
                let date1904 = element.attribute("date1904");
                is_from_1904 = date1904.is_some_and(|value| value == "1" || value == "true");
            }
            Token::End => return Ok((sheets, is_from_1904)),
            Token::Open(_) | Token::Close(_) | Token::Text(_) => {}
        }
        if sheets.len() > MOST_ENTRIES {
            return Err(NO_WORKBOOK);
        }
    }
}
