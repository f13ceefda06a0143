//! The output folder and its state, opened for a run, or for a plan, which leaves nothing behind. What
//! is done with them is the night's matter. Also: whether they could be opened.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use reqwest::Url;

use super::{begin, lock, ours, plan};
use crate::connect;
use crate::error::Error;
use crate::job::Job;
use crate::load::publish;
use crate::store::{self, Owner, Store};

/// The name of the state in the output folder.
const STATE: &str = "state.sqlite";

/// An output folder that is open.
pub(super) struct OpenFolder {
    /// By its full name, where it is there.
    pub(super) dir: PathBuf,
    pub(super) store: Store,
    pub(super) lock: lock::Lock,
}

impl OpenFolder {
    /// Takes the lock, makes the folder ready, and completes what a dead run left.
    pub(super) fn to_write(job: &Job, at: Timestamp) -> Result<Self, Error> {
        let lock = lock::take(&job.output.dir, at)?;
        let dir = std::fs::canonicalize(&job.output.dir).map_err(|source| Error::Output {
            path: job.output.dir.clone(),
            source,
        })?;
        publish::prepare(&dir)?;
        ours::ensure_no_foreign_link(&dir.join(STATE))?;
        // Better now than after a night of calls. The state before SQLite has it open: to close any
        // descriptor of a file drops the locks on it.
        lock::try_file(&dir)?;
        ours::ensure_usable(&dir.join(STATE))?;
        let mut store = Store::open(&dir.join(STATE))?;
        // Another job's answers must not be touched, not even by what follows.
        claim(&mut store, job)?;
        begin::mend(&dir, &mut store, at)?;
        Ok(Self { dir, store, lock })
    }

    /// Only looks, also beside a run that is under way.
    pub(super) fn to_look(job: &Job) -> Result<Self, Error> {
        let dir = std::fs::canonicalize(&job.output.dir).unwrap_or_else(|_| job.output.dir.clone());
        ours::ensure_no_foreign_link(&dir.join(STATE))?;
        let mut store = Store::look(&dir.join(STATE))?;
        claim(&mut store, job)?;
        Ok(Self {
            dir,
            store,
            lock: lock::Lock::default(),
        })
    }
}

/// Tries what a run needs of its output folder, as far as that leaves nothing: that it can be made
/// and written to, has room, and holds a state that is this job's.
pub(crate) fn try_out(job: &Job) -> Result<(), Error> {
    let dir = &job.output.dir;
    lock::try_out(dir)?;
    lock::try_file(dir)?;
    // Before SQLite has it open, as in a run.
    ours::ensure_usable(&dir.join(STATE))?;
    publish::published(dir)?;
    let nearest = dir.ancestors().find(|folder| folder.exists());
    plan::ensure_room(nearest.unwrap_or(Path::new(".")), plan::BESIDES)?;
    match OpenFolder::to_look(job) {
        // A run mends that by itself.
        Err(Error::Store(store::Error::Unclean { .. })) => Ok(()),
        looked => looked.map(drop),
    }
}

/// Makes sure that the state is this job's.
fn claim(store: &mut Store, job: &Job) -> Result<(), Error> {
    let place = connect::place(job);
    let formerly = job.api.formerly.as_ref().map(Url::as_str);
    if store.owner(&place, formerly)? != Owner::Same {
        store.claim(&place, formerly)?;
    }
    Ok(())
}
