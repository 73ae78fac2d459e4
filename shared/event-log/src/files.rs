//! The file layer of the journal: what it needs of a file system, so that tests can take it away.
//!
//! [`RealFiles`] is the disk. For tests, here and in other crates, [`MemoryFiles`] keeps files in memory and
//! can lose what was not synchronised, and [`FaultyFiles`] puts faults in front of any other: no space
//! after so many bytes, a failing `sync_data`, a failing write.

mod faulty;
mod memory;
mod real;

pub use faulty::FaultyFiles;
pub use memory::MemoryFiles;
pub use real::RealFiles;

use std::io;
use std::path::{Path, PathBuf};

/// What a name below a directory stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// A plain file.
    File,
    /// A symbolic link, wherever it leads.
    Link,
    /// A device, a socket, a pipe.
    Other,
}

/// What the journal needs of a file system.
pub trait Files: Send + Sync + 'static {
    /// Makes a directory and those above it.
    fn create_directory(&self, path: &Path) -> io::Result<()>;
    /// Opens a file for appending; makes an empty one if there is none.
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn AppendFile>>;
    /// Opens a file for reading.
    fn open_read(&self, path: &Path) -> io::Result<Box<dyn ReadFile>>;
    /// Reads a whole file.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// Renames a file, replacing what has the new name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Lists the names in a directory, sorted.
    fn list(&self, directory: &Path) -> io::Result<Vec<String>>;
    /// Lists what lies below a directory, at any depth, by its path from there, sorted; directories are gone into
    /// and not listed, links are not followed.
    fn list_below(&self, directory: &Path) -> io::Result<Vec<(PathBuf, FileKind)>>;
    /// Makes names in a directory durable.
    fn sync_directory(&self, directory: &Path) -> io::Result<()>;
    /// How many bytes may still be written in a directory, as far as that is known.
    fn space_left(&self, directory: &Path) -> io::Result<u64>;
    /// Marks a file as one that is not written again.
    fn set_read_only(&self, path: &Path) -> io::Result<()>;
    /// Takes an exclusive lock on a file; [`io::ErrorKind::WouldBlock`] if someone has it.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn FileLock>>;
    /// Whether someone holds the lock.
    fn is_locked(&self, path: &Path) -> io::Result<bool>;
}

/// A file that grows at its end.
pub trait AppendFile: Send {
    /// The size in bytes.
    fn size_bytes(&self) -> io::Result<u64>;
    /// Writes all the bytes at the end; after an error some of them may be there.
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes everything that was written durable.
    fn sync_data(&mut self) -> io::Result<()>;
    /// Cuts the file to a size.
    fn truncate(&mut self, size_bytes: u64) -> io::Result<()>;
}

/// A file that is read at places.
pub trait ReadFile: Send + Sync {
    /// Reads into the buffer from a place on; fewer bytes only where the file ends.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
    /// The size in bytes.
    fn size_bytes(&self) -> io::Result<u64>;
}

/// A lock that is given back when dropped.
pub trait FileLock: Send + Sync {}

/// Whether an error says that there is no room left.
pub(crate) fn is_no_space(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
