//! Faults in front of any other files, for tests.

use super::{AppendFile, FileKind, FileLock, Files, ReadFile};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

/// Puts faults in front of other files; clones share them. Without a fault set it passes everything on.
#[derive(Clone)]
pub struct FaultyFiles {
    inner: Arc<dyn Files>,
    faults: Arc<Mutex<Faults>>,
}

#[derive(Default)]
struct Faults {
    space_left_bytes: Option<u64>,
    sync_fails: bool,
    write_fails: bool,
    truncate_fails: bool,
    syncs: u64,
}

impl FaultyFiles {
    /// Stands in front of `inner`.
    pub fn new(inner: Arc<dyn Files>) -> FaultyFiles {
        FaultyFiles { inner, faults: Arc::default() }
    }

    /// Leaves room for so many bytes more; a write beyond it writes what fits and fails. `None`: no bound.
    pub fn set_space_left(&self, bytes: Option<u64>) {
        self.faults().space_left_bytes = bytes;
    }

    /// Makes every `sync_data` fail, or work again.
    pub fn set_sync_fails(&self, fails: bool) {
        self.faults().sync_fails = fails;
    }

    /// Makes every write fail half way through, or work again.
    pub fn set_write_fails(&self, fails: bool) {
        self.faults().write_fails = fails;
    }

    /// Makes every truncation fail, or work again.
    pub fn set_truncate_fails(&self, fails: bool) {
        self.faults().truncate_fails = fails;
    }

    /// How often `sync_data` was called.
    pub fn syncs(&self) -> u64 {
        self.faults().syncs
    }

    fn give_back(&self, bytes: u64) {
        let mut faults = self.faults();
        faults.space_left_bytes = faults.space_left_bytes.map(|room| room.saturating_add(bytes));
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().expect("no test panics while it sets faults")
    }
}

impl Files for FaultyFiles {
    fn create_directory(&self, path: &Path) -> io::Result<()> {
        self.inner.create_directory(path)
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        Ok(Box::new(FaultyFile { inner: self.inner.open_append(path)?, files: self.clone() }))
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn ReadFile>> {
        self.inner.open_read(path)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.inner.read(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.inner.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let freed_bytes = self.inner.open_read(path).and_then(|file| file.size_bytes()).unwrap_or(0);
        self.inner.remove(path)?;
        self.give_back(freed_bytes);
        Ok(())
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        self.inner.list(directory)
    }

    fn list_below(&self, directory: &Path) -> io::Result<Vec<(PathBuf, FileKind)>> {
        self.inner.list_below(directory)
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        self.inner.sync_directory(directory)
    }

    fn space_left(&self, directory: &Path) -> io::Result<u64> {
        let left = self.faults().space_left_bytes;
        left.map_or_else(|| self.inner.space_left(directory), Ok)
    }

    fn set_read_only(&self, path: &Path) -> io::Result<()> {
        self.inner.set_read_only(path)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn FileLock>> {
        self.inner.lock(path)
    }

    fn is_locked(&self, path: &Path) -> io::Result<bool> {
        self.inner.is_locked(path)
    }
}

struct FaultyFile {
    inner: Box<dyn AppendFile>,
    files: FaultyFiles,
}

impl AppendFile for FaultyFile {
    fn size_bytes(&self) -> io::Result<u64> {
        self.inner.size_bytes()
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let (fits, failure) = {
            let mut faults = self.files.faults();
            let room =
                faults.space_left_bytes.map_or(usize::MAX, |room| room.try_into().unwrap_or(usize::MAX));
            if faults.write_fails {
                (bytes.len() / 2, Some(io::Error::other("injected failure of a write")))
            } else if room < bytes.len() {
                faults.space_left_bytes = Some(0);
                (room, Some(io::ErrorKind::StorageFull.into()))
            } else {
                faults.space_left_bytes = faults.space_left_bytes.map(|room| room - bytes.len() as u64);
                (bytes.len(), None)
            }
        };
        self.inner.write_all(&bytes[..fits])?;
        failure.map_or(Ok(()), Err)
    }

    fn sync_data(&mut self) -> io::Result<()> {
        let fails = {
            let mut faults = self.files.faults();
            faults.syncs += 1;
            faults.sync_fails
        };
        if fails {
            return Err(io::Error::other("injected failure of sync_data"));
        }
        self.inner.sync_data()
    }

    fn truncate(&mut self, size_bytes: u64) -> io::Result<()> {
        if self.files.faults().truncate_fails {
            return Err(io::Error::other("injected failure of a truncation"));
        }
        let freed_bytes = self.inner.size_bytes()?.saturating_sub(size_bytes);
        self.inner.truncate(size_bytes)?;
        self.files.give_back(freed_bytes);
        Ok(())
    }
}
