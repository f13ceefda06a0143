//! Who may read published runs, as modes and groups of files. The state, the lock and runs in the
//! making are never touched here: they stay their owner's.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, lchown};
use std::path::Path;

use crate::load::error::{Error, storage};

/// Who may read published runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// The user who runs the job.
    Owner,
    /// The group of the output folder, too.
    Group,
    /// Every user of the machine.
    Everyone,
}

/// The database of all kept runs.
const HISTORY: &str = "history.sql";

/// On a folder: what is made in it gets its group.
const SET_GROUP_ID: u32 = 0o2000;

impl Readers {
    /// Every one, in the order in which they are shown.
    pub const ALL: &[Self] = &[Self::Owner, Self::Group, Self::Everyone];

    /// How it is spelled in a job.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Group => "group",
            Self::Everyone => "everyone",
        }
    }

    /// The one of that spelling.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|access| access.as_str() == word)
    }

    const fn file_mode(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::Group => 0o640,
            Self::Everyone => 0o644,
        }
    }

    const fn folder_mode(self) -> u32 {
        match self {
            Self::Owner => 0o700,
            Self::Group => 0o750,
            Self::Everyone => 0o755,
        }
    }

    /// The mode of the output folder, of which this is the mode now. Readers need to search it, and
    /// may list it where it is shared (set-group-id). What was opened here is closed again; what
    /// its owner opened stays.
    const fn output_mode(self, now: u32) -> u32 {
        let is_shared = now & SET_GROUP_ID != 0;
        match self {
            Self::Owner if now == 0o710 || now == 0o711 => 0o700,
            Self::Owner => now,
            Self::Group if now == 0o711 => 0o710,
            Self::Group if is_shared => now | 0o050,
            Self::Group => now | 0o010,
            Self::Everyone => now | 0o011,
        }
    }
}

/// Lets these readers, and no others, into every published run.
pub(super) fn open_all(
    output_dir: &Path,
    runs: &Path,
    published: &[String],
    access: Readers,
) -> Result<(), Error> {
    let output = fs::metadata(output_dir).map_err(storage("read", output_dir))?;
    let group = group_of(output_dir, access)?;
    for run in published {
        open_run(&runs.join(run), access, group)?;
    }
    let history = output_dir.join(HISTORY);
    if history
        .symlink_metadata()
        .is_ok_and(|found| found.is_file())
    {
        set(&history, access.file_mode(), group)?;
    }
    set(runs, access.folder_mode(), group)?;
    set(output_dir, access.output_mode(output.mode() & 0o7777), None)
}

/// Lets them into one run.
pub(super) fn open_one(output_dir: &Path, run: &Path, access: Readers) -> Result<(), Error> {
    open_run(run, access, group_of(output_dir, access)?)
}

/// The group that files are given to.
fn group_of(output_dir: &Path, access: Readers) -> Result<Option<u32>, Error> {
    let output = fs::metadata(output_dir).map_err(storage("read", output_dir))?;
    Ok((access == Readers::Group).then(|| output.gid()))
}

/// The folder is narrowed first and widened last, so that nobody looks in halfway.
fn open_run(run: &Path, access: Readers, group: Option<u32>) -> Result<(), Error> {
    for entry in fs::read_dir(run).map_err(storage("list", run))? {
        let entry = entry.map_err(storage("list", run))?;
        // Nothing of ours is a link or a folder.
        if entry.file_type().is_ok_and(|found| found.is_file()) {
            set(&entry.path(), access.file_mode(), group)?;
        }
    }
    set(run, access.folder_mode(), group)
}

fn set(path: &Path, mode: u32, group: Option<u32>) -> Result<(), Error> {
    let failed = |source| Error::Access {
        path: path.to_owned(),
        source,
    };
    let found = fs::symlink_metadata(path).map_err(failed)?;
    if let Some(group) = group.filter(|group| *group != found.gid()) {
        lchown(path, None, Some(group)).map_err(failed)?;
    }
    // A folder keeps its set-group-id, which whoever shares it has set.
    let mode = mode | (found.mode() & SET_GROUP_ID);
    if found.mode() & 0o7777 != mode {
        fs::set_permissions(path, Permissions::from_mode(mode)).map_err(failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    #[test]
    fn access_is_widened_and_narrowed_and_the_state_stays_closed() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        fs::set_permissions(dir, Permissions::from_mode(0o700)).unwrap();
        let (runs, run) = (dir.join("runs"), dir.join("runs/20261122T020000Z"));
        let partial = dir.join("runs/.20261123T020000Z.partial");
        let file = run.join("contacts.parquet");
        for folder in [&runs, &run, &partial] {
            fs::create_dir(folder).unwrap();
            fs::set_permissions(folder, Permissions::from_mode(0o700)).unwrap();
        }
        for file in [&file, &dir.join("state.sqlite"), &dir.join(HISTORY)] {
            fs::write(file, "").unwrap();
            fs::set_permissions(file, Permissions::from_mode(0o600)).unwrap();
        }
        let cases = [
            (Readers::Group, [0o710, 0o750, 0o750, 0o640, 0o640]),
            (Readers::Everyone, [0o711, 0o755, 0o755, 0o644, 0o644]),
            (Readers::Group, [0o710, 0o750, 0o750, 0o640, 0o640]),
            (Readers::Owner, [0o700, 0o700, 0o700, 0o600, 0o600]),
        ];
        for (access, expected) in cases {
            open_all(dir, &runs, &["20261122T020000Z".to_owned()], access).unwrap();
            let found = [dir, &runs, &run, &file, &dir.join(HISTORY)].map(mode);
            assert_eq!(found, expected, "{access:?}");
            assert_eq!(mode(&dir.join("state.sqlite")), 0o600);
            assert_eq!(mode(&partial), 0o700);
        }
    }

    #[test]
    fn the_output_folder_is_opened_as_far_as_readers_need_it() {
        let cases = [
            (Readers::Group, 0o700, 0o710),
            (Readers::Group, 0o2700, 0o2750),
            (Readers::Group, 0o2770, 0o2770),
            (Readers::Everyone, 0o700, 0o711),
            (Readers::Everyone, 0o755, 0o755),
            (Readers::Owner, 0o711, 0o700),
            (Readers::Owner, 0o755, 0o755),
            (Readers::Owner, 0o2750, 0o2750),
        ];
        for (access, now, expected) in cases {
            assert_eq!(access.output_mode(now), expected, "{access:?} {now:o}");
        }
    }
}
