//! Files in memory, for tests: quick, and able to lose what was not synchronised.

use super::{AppendFile, FileKind, FileLock, Files, ReadFile};
use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

/// Files in memory; clones share them.
#[derive(Debug, Clone, Default)]
pub struct MemoryFiles {
    content: Arc<Mutex<Content>>,
}

#[derive(Debug, Default)]
struct Content {
    files: BTreeMap<PathBuf, MemoryFile>,
    locks: HashSet<PathBuf>,
}

#[derive(Debug, Clone, Default)]
struct MemoryFile {
    bytes: Arc<Mutex<FileBytes>>,
}

#[derive(Debug, Default)]
struct FileBytes {
    bytes: Vec<u8>,
    durable_bytes: usize,
}

impl MemoryFiles {
    /// Makes an empty file system.
    pub fn new() -> MemoryFiles {
        MemoryFiles::default()
    }

    /// Loses what was written but not synchronised, as a power cut would.
    pub fn lose_power(&self) {
        for file in self.content().files.values() {
            let mut file = file.lock();
            let durable_bytes = file.durable_bytes;
            file.bytes.truncate(durable_bytes);
        }
    }

    /// Replaces the bytes of a file, making it if there is none.
    pub fn put(&self, path: &Path, bytes: Vec<u8>) {
        let file = MemoryFile::default();
        *file.lock() = FileBytes { durable_bytes: bytes.len(), bytes };
        self.content().files.insert(path.to_owned(), file);
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().expect("no test panics while it holds the files")
    }

    fn file(&self, path: &Path) -> io::Result<MemoryFile> {
        self.content().files.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl MemoryFile {
    fn lock(&self) -> MutexGuard<'_, FileBytes> {
        self.bytes.lock().expect("no test panics while it holds a file")
    }
}

struct MemoryLock {
    files: MemoryFiles,
    path: PathBuf,
}

impl FileLock for MemoryLock {}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        self.files.content().locks.remove(&self.path);
    }
}

impl Files for MemoryFiles {
    fn create_directory(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        Ok(Box::new(self.content().files.entry(path.to_owned()).or_default().clone()))
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn ReadFile>> {
        Ok(Box::new(self.file(path)?))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        Ok(self.file(path)?.lock().bytes.clone())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut content = self.content();
        let file = content.files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        content.files.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.content().files.remove(path).map(|_| ()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        let content = self.content();
        let inside = content.files.keys().filter(|path| path.parent() == Some(directory));
        Ok(inside.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned())).collect())
    }

    fn list_below(&self, directory: &Path) -> io::Result<Vec<(PathBuf, FileKind)>> {
        let content = self.content();
        let below = content.files.keys().filter_map(|path| path.strip_prefix(directory).ok());
        Ok(below.map(|path| (path.to_owned(), FileKind::File)).collect())
    }

    fn sync_directory(&self, _directory: &Path) -> io::Result<()> {
        Ok(())
    }

    fn space_left(&self, _directory: &Path) -> io::Result<u64> {
        Ok(u64::MAX)
    }

    fn set_read_only(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn FileLock>> {
        if !self.content().locks.insert(path.to_owned()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(MemoryLock { files: self.clone(), path: path.to_owned() }))
    }

    fn is_locked(&self, path: &Path) -> io::Result<bool> {
        Ok(self.content().locks.contains(path))
    }
}

impl AppendFile for MemoryFile {
    fn size_bytes(&self) -> io::Result<u64> {
        Ok(self.lock().bytes.len() as u64)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.lock().bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn sync_data(&mut self) -> io::Result<()> {
        let mut file = self.lock();
        file.durable_bytes = file.bytes.len();
        Ok(())
    }

    fn truncate(&mut self, size_bytes: u64) -> io::Result<()> {
        let mut file = self.lock();
        let size = usize::try_from(size_bytes).map_err(io::Error::other)?;
        file.bytes.truncate(size);
        file.durable_bytes = file.durable_bytes.min(size);
        Ok(())
    }
}

impl ReadFile for MemoryFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let file = self.lock();
        let start = usize::try_from(offset).map_err(io::Error::other)?.min(file.bytes.len());
        let read = buffer.len().min(file.bytes.len() - start);
        buffer[..read].copy_from_slice(&file.bytes[start..start + read]);
        Ok(read)
    }

    fn size_bytes(&self) -> io::Result<u64> {
        Ok(self.lock().bytes.len() as u64)
    }
}
