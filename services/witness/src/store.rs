//! The witness's directory, held by one process: its key, and what it remembers of each log.
//!
//! ```text
//! witness.key         the private key, readable by its owner only
//! witness.vkey        the public key
//! logs/<hash>/        one log, by the SHA-256 of its origin
//! ```
//!
//! Key and memory lie together: a key without what it cosigned last could cosign the contrary.

use crate::folder::LogFolder;
use rustix::fs::{FlockOperation, flock};
use service::durable::{make_folder, sync_folder};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use thiserror::Error;

const LOCK_NAME: &str = "lock";
const LOGS_NAME: &str = "logs";
const OWNER_ONLY_FILE: u32 = 0o600;

/// The directory of a witness while this process holds it.
#[derive(Debug)]
pub struct Store {
    logs: PathBuf,
    _held: File,
}

/// Why a witness cannot use its directory.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Another process holds it.
    #[error("another witness runs on `{}`: two with one key could contradict each other, so stop that one first", .0.display())]
    Held(PathBuf),
    /// The disk refused.
    #[error("cannot use the witness's directory `{}`", path.display())]
    Files {
        /// Which directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Store {
    /// Takes a directory, which is there, for this process; the kernel releases it with the process.
    pub fn open(directory: &Path) -> Result<Store, StoreError> {
        let refused = |source| StoreError::Files { path: directory.to_owned(), source };
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(OWNER_ONLY_FILE)
            .open(directory.join(LOCK_NAME))
            .map_err(refused)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(StoreError::Held(directory.to_owned())),
            Err(error) => return Err(refused(error.into())),
        }
        let logs = directory.join(LOGS_NAME);
        make_folder(&logs).and_then(|()| sync_folder(directory)).map_err(refused)?;
        Ok(Store { logs, _held: lock })
    }

    /// The directory of a log.
    pub(crate) fn log(&self, origin: &str) -> LogFolder {
        LogFolder::new(&self.logs, origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_one_holder_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let held = Store::open(folder.path()).unwrap();
        assert!(matches!(Store::open(folder.path()), Err(StoreError::Held(_))));
        drop(held);
        Store::open(folder.path()).unwrap();
        assert!(matches!(Store::open(&folder.path().join("none")), Err(StoreError::Files { .. })));
    }
}
