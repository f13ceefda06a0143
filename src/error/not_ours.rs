//! Files and folders that are not the job's own, so that it leaves them alone.

use std::path::PathBuf;

/// Why a file or folder is not used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum NotOurs {
    #[error(
        "{path} can be written to by others, who could put other answers there; run: {command}",
        path = path.display()
    )]
    OthersMayWrite { path: PathBuf, command: String },
    #[error(
        "{path} is a link where a file of this program's own belongs, and is not followed; \
         see who made it, and run: {command}",
        path = path.display()
    )]
    Link { path: PathBuf, command: String },
    #[error(
        "{path} belongs to {owner}, and this is {us}, who may not use it; run this as {owner}, or \
         give it to {us}",
        path = path.display()
    )]
    OtherUser {
        path: PathBuf,
        owner: String,
        us: String,
    },
}
