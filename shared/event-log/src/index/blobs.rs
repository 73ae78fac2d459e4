//! The files beside sled's database, into which it writes pages of more than some 128 KiB.
//!
//! A leaf is split by its number of values, not by their size, so leaves of large values get there. sled never
//! synchronises these files: without that a page that the synchronised database points to may be empty after a
//! power cut.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The files of large pages of one database, as far as they are synchronised.
pub(super) struct Blobs {
    folder: PathBuf,
    progress: Mutex<Progress>,
}

/// A file's name is a number that only grows. One may be half written while it is looked for, but not any
/// more after the database was flushed once again.
#[derive(Default)]
struct Progress {
    /// Up to here files were whole when they were synchronised.
    durable: Option<u64>,
    /// The last one that was seen.
    seen: Option<u64>,
}

impl Blobs {
    pub(super) fn of(database: &Path) -> Blobs {
        Blobs { folder: database.join("blobs"), progress: Mutex::default() }
    }

    /// Synchronises the files that were written since the last call; to be called after a flush of the database
    /// and before it is synchronised. The first call synchronises all: a killed process may have left some.
    pub(super) fn sync(&self) -> io::Result<()> {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let mut last = progress.seen;
        let mut found = false;
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let Some(number) = entry.file_name().to_str().and_then(|name| name.parse::<u64>().ok()) else {
                continue;
            };
            if Some(number) <= progress.durable {
                continue;
            }
            match File::open(entry.path()) {
                Ok(file) => file.sync_data()?,
                // sled removes what it needs no more.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            }
            found = true;
            last = last.max(Some(number));
        }
        if found {
            File::open(&self.folder)?.sync_all()?;
        }
        progress.durable = progress.seen;
        progress.seen = last;
        Ok(())
    }
}
