//! The output folder: a run is made in a hidden folder, gets its name when it is whole, and only
//! then does `latest` point to it. Whatever moment the program dies at, `latest` names a complete
//! run. Whoever calls these functions holds the job's lock.

mod access;
mod folders;
mod forgetting;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

pub use self::access::Readers;
use self::folders::{partial_name, remove_folder, unless_missing};
pub(crate) use self::forgetting::KeptRun;
use super::error::{Error, storage};
use super::file::{create_folder, create_one_folder, sync_folder, write_durably};
use super::format::Format;
use super::manifest::Manifest;
use crate::schema::sql;

/// Name of the link to the newest published run.
pub(crate) const LATEST: &str = "latest";

/// Name of the script that makes a view of every table.
pub(crate) const VIEWS: &str = "views.sql";

const RUNS: &str = "runs";
const NEXT_LATEST: &str = ".latest.partial";

/// The name of a run that begins at this instant, where these names are taken.
pub(crate) fn run_name(start: Timestamp, taken: &[String]) -> String {
    let first = start.strftime("%Y%m%dT%H%M%SZ").to_string();
    let (mut name, mut number) = (first.clone(), 1);
    while taken.contains(&name) {
        number += 1;
        name = format!("{first}-{number}");
    }
    name
}

/// Where the runs are.
pub(crate) fn folder_of_runs(output_dir: &Path) -> PathBuf {
    output_dir.join(RUNS)
}

/// The names of the published runs, in the order of the names. Folders that no run made are not
/// among them, and neither are files that somebody put there.
pub(crate) fn published(output_dir: &Path) -> Result<Vec<String>, Error> {
    let runs = output_dir.join(RUNS);
    let is_folder = |name: &String| {
        let found = runs.join(name).symlink_metadata();
        found.is_ok_and(|found| found.is_dir())
    };
    let mut names: Vec<_> = entries(&runs)?
        .into_iter()
        .filter(|name| order(name).is_some() && is_folder(name))
        .collect();
    names.sort_by(|a, b| order(a).cmp(&order(b)));
    Ok(names)
}

/// Makes the output folder ready for a run: creates it, proves that it can be written to and that
/// `latest` can be pointed to the run, and removes what dead runs left.
pub(crate) fn prepare(output_dir: &Path) -> Result<(), Error> {
    create_folder(output_dir)?;
    create_folder(&output_dir.join(RUNS))?;
    let latest = output_dir.join(LATEST);
    if latest
        .symlink_metadata()
        .is_ok_and(|found| !found.is_symlink())
    {
        return Err(Error::LatestIsNoLink { path: latest });
    }
    sweep(output_dir)?;
    try_out(output_dir, NEXT_LATEST)
}

/// Proves that links can be made in a folder, and so that it can be written to. Leaves nothing, and
/// disturbs nobody who does not use this name.
pub(crate) fn try_out(folder: &Path, name: &str) -> Result<(), Error> {
    link(Path::new(RUNS), folder, name)?;
    let link = folder.join(name);
    fs::remove_file(&link).map_err(storage("remove", &link))
}

/// Removes what dead runs left: folders in the making, and a link that did not become `latest`.
pub(crate) fn sweep(output_dir: &Path) -> Result<(), Error> {
    let runs = output_dir.join(RUNS);
    for name in entries(&runs)? {
        let run = name
            .strip_prefix('.')
            .and_then(|name| name.strip_suffix(".partial"));
        if run.and_then(order).is_some() {
            remove_folder(&runs.join(name))?;
        }
    }
    remove_link(&output_dir.join(NEXT_LATEST))
}

/// Removes whole runs, the oldest first, until so many are left; never the one that `latest` names.
/// Says which.
///
/// How old a run is, `in_order` tells, the names of runs from the oldest to the newest: a name is
/// no more than what the clock said, which may have been a year ahead one night. Runs that it does
/// not name come before those that it does, by their names.
pub(crate) fn prune(
    output_dir: &Path,
    keep: usize,
    in_order: &[String],
) -> Result<Vec<String>, Error> {
    let runs = output_dir.join(RUNS);
    let latest = fs::read_link(output_dir.join(LATEST)).ok();
    let latest = latest.as_deref().and_then(Path::file_name);
    let mut old = published(output_dir)?;
    // The sort is stable: what has no place keeps the order of names. A name that was pruned may be
    // taken again within the same second, so that its last place counts.
    old.sort_by_key(|name| in_order.iter().rposition(|known| known == name));
    old.truncate(old.len().saturating_sub(keep));
    old.retain(|name| latest != Some(name.as_ref()));
    for name in &old {
        // Hidden first, so that no reader meets half a run.
        let (run, hidden) = (runs.join(name), runs.join(partial_name(name)));
        remove_folder(&hidden)?;
        fs::rename(&run, &hidden).map_err(storage("rename", &run))?;
        remove_folder(&hidden)?;
    }
    Ok(old)
}

/// Lets these readers, and no others, into every published run.
pub(crate) fn open_to(output_dir: &Path, readers: Readers) -> Result<(), Error> {
    let runs = published(output_dir)?;
    access::open_all(output_dir, &output_dir.join(RUNS), &runs, readers)
}

/// The folder of a published run.
pub(crate) fn folder(output_dir: &Path, run: &str) -> PathBuf {
    output_dir.join(RUNS).join(run)
}

/// The name of the run that `latest` leads to; none where it leads to none.
pub(crate) fn latest(output_dir: &Path) -> Option<String> {
    let link = fs::read_link(output_dir.join(LATEST)).ok()?;
    let name = link.file_name()?.to_str()?.to_owned();
    output_dir.join(LATEST).exists().then_some(name)
}

/// Makes `latest` point to this published run: at the end of [`Partial::publish`], or when a run
/// died just before that.
pub(crate) fn point_latest(output_dir: &Path, run: &str) -> Result<(), Error> {
    remove_link(&output_dir.join(NEXT_LATEST))?;
    link(&Path::new(RUNS).join(run), output_dir, NEXT_LATEST)?;
    let latest = output_dir.join(LATEST);
    fs::rename(output_dir.join(NEXT_LATEST), &latest)
        .map_err(storage("replace the link", &latest))?;
    sync_folder(output_dir)
}

/// A run in the making, in a folder that no reader looks into.
#[derive(Debug)]
pub(crate) struct Partial {
    output_dir: PathBuf,
    run: String,
    folder: PathBuf,
}

impl Partial {
    /// An empty folder for this run; what an earlier attempt at the same run left is removed. An
    /// output folder that has gone since it was made ready is not made again.
    pub(crate) fn create(output_dir: &Path, run: &str) -> Result<Self, Error> {
        let runs = output_dir.join(RUNS);
        let folder = runs.join(partial_name(run));
        remove_folder(&folder)?;
        create_one_folder(&folder)?;
        Ok(Self {
            output_dir: output_dir.to_owned(),
            run: run.to_owned(),
            folder,
        })
    }

    /// Where the tables' files go.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the run will be once it is published.
    pub(crate) fn destination(&self) -> PathBuf {
        self.output_dir.join(RUNS).join(&self.run)
    }

    /// Adds `views.sql` and, last, the manifest; then gives the run its name and makes `latest`
    /// point to it. Gives back the manifest, which names every file now.
    pub(crate) fn publish(
        self,
        manifest: Manifest,
        format: Format,
        readers: Readers,
    ) -> Result<Manifest, Error> {
        let destination = self.destination();
        if destination.exists() {
            return Err(Error::Taken { path: destination });
        }
        let views = sql::views(&manifest.view(), format.files());
        let views = write_durably(&self.folder.join(VIEWS), views.as_bytes())?;
        let manifest = Manifest {
            files: BTreeMap::from([(VIEWS.to_owned(), views)]),
            ..manifest
        };
        manifest.write(&self.folder)?;
        sync_folder(&self.folder)?;
        fs::rename(&self.folder, &destination).map_err(storage("rename", &self.folder))?;
        sync_folder(&self.output_dir.join(RUNS))?;
        // Closed while it was in the making, and open before anybody is led to it.
        access::open_one(&self.output_dir, &destination, readers)?;
        point_latest(&self.output_dir, &self.run)?;
        Ok(manifest)
    }

    /// Removes the folder: this run will not be published.
    pub(crate) fn discard(self) -> Result<(), Error> {
        remove_folder(&self.folder)
    }
}

/// Start and number of a run's name, by which runs are ordered; none for any other name.
fn order(name: &str) -> Option<(&str, u32)> {
    let (start, number) = match name.split_once('-') {
        None => (name, 1),
        Some((start, number)) => (start, number.parse().ok().filter(|number| *number >= 2)?),
    };
    let shape = |byte: u8| {
        if byte.is_ascii_digit() {
            '0'
        } else {
            char::from(byte)
        }
    };
    start
        .bytes()
        .map(shape)
        .eq("00000000T000000Z".chars())
        .then_some((start, number))
}

/// Creates a link of this name.
fn link(target: &Path, output_dir: &Path, name: &str) -> Result<(), Error> {
    let not_permitted = rustix::io::Errno::PERM.raw_os_error();
    symlink(target, output_dir.join(name)).map_err(|source| {
        if source.kind() == io::ErrorKind::Unsupported
            || source.raw_os_error() == Some(not_permitted)
        {
            Error::NoSymlinks {
                path: output_dir.to_owned(),
                source,
            }
        } else {
            storage("create a link", output_dir)(source)
        }
    })
}

fn remove_link(path: &Path) -> Result<(), Error> {
    fs::remove_file(path)
        .or_else(unless_missing)
        .map_err(storage("remove", path))
}

/// The names in a folder, none where it is missing. A name that is not Unicode is none of ours.
fn entries(folder: &Path) -> Result<Vec<String>, Error> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(storage("list", folder))?,
    };
    let names: io::Result<Vec<_>> = entries
        .map(|entry| entry.map(|entry| entry.file_name().into_string().ok()))
        .collect();
    Ok(names
        .map_err(storage("list", folder))?
        .into_iter()
        .flatten()
        .collect())
}

#[cfg(test)]
mod tests;
