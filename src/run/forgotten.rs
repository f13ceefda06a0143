//! `forgotten.csv`, beside the state: contacts that are asked for no more, with the day on which
//! they were forgotten, and nothing else of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::contact::ContactId;
use crate::error::Error;

const NAME: &str = "forgotten.csv";
const PARTIAL: &str = "forgotten.csv.partial";
const HEADER: &str = "contact_id,day";

/// The contacts and their days.
pub(super) type Forgotten = BTreeMap<ContactId, String>;

/// Reads the contacts; none where there is no such file.
pub(super) fn read(dir: &Path) -> Result<Forgotten, Error> {
    let path = dir.join(NAME);
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Forgotten::new()),
        text => text.map_err(|source| Error::Output {
            path: path.clone(),
            source,
        })?,
    };
    let mut forgotten = Forgotten::new();
    for (line, text) in (2..).zip(text.lines().skip(1)) {
        // To pass over a line would be to ask for a contact that somebody wanted forgotten.
        let parsed = text.split_once(',').and_then(|(id, day)| {
            let id = id.parse().ok().and_then(ContactId::new)?;
            Some((id, day.to_owned()))
        });
        let (id, day) = parsed.ok_or_else(|| Error::Forgotten {
            path: path.clone(),
            line,
        })?;
        forgotten.insert(id, day);
    }
    Ok(forgotten)
}

/// Writes the contacts, whole or not at all.
pub(super) fn write(dir: &Path, forgotten: &Forgotten) -> Result<(), Error> {
    let partial = dir.join(PARTIAL);
    let mut text = format!("{HEADER}\n");
    for (id, day) in forgotten {
        writeln!(text, "{id},{day}").expect("writing to a String cannot fail");
    }
    let write = || -> io::Result<()> {
        match fs::remove_file(&partial) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&partial)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&partial, dir.join(NAME))?;
        File::open(dir)?.sync_all()
    };
    write().map_err(|source| Error::Output {
        path: dir.join(NAME),
        source,
    })
}
