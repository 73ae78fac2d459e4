//! The disk under the measurements: what is free, what a directory takes, how fast it is by itself.

use crate::figures::per_second;
use anyhow::Context;
use rustix::fs::{SeekFrom, fstatvfs, seek};
use rustix::io::Errno;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

const BLOCK_BYTES: usize = 4096;
const SECTOR_BYTES: u64 = 512;

/// What a directory takes on disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Allocated, whether written or not.
    pub(crate) allocated_bytes: u64,
    /// Without what was allocated in advance and never written.
    pub(crate) written_bytes: u64,
}

/// Adds up everything in a directory.
pub(crate) fn taken(directory: &Path) -> anyhow::Result<Taken> {
    let mut sum = Taken::default();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        let below = if metadata.is_dir() {
            taken(&entry.path())?
        } else if metadata.is_file() {
            let allocated_bytes = metadata.blocks() * SECTOR_BYTES;
            // Delayed allocation may not have given the last bytes their blocks yet.
            let data = data_bytes(&File::open(entry.path())?, metadata.len())?;
            Taken { allocated_bytes, written_bytes: data.min(allocated_bytes.max(data)) }
        } else {
            Taken::default()
        };
        sum.allocated_bytes += below.allocated_bytes;
        sum.written_bytes += below.written_bytes;
    }
    Ok(sum)
}

/// The bytes of a file that are no holes; what was allocated and never written is one.
fn data_bytes(file: &File, size: u64) -> anyhow::Result<u64> {
    let (mut offset, mut data) = (0, 0);
    while offset < size {
        let start = match seek(file, SeekFrom::Data(offset)) {
            Ok(start) => start,
            Err(Errno::NXIO) => break,
            Err(error) => return Err(error.into()),
        };
        let end = seek(file, SeekFrom::Hole(start))?;
        data += end - start;
        offset = end;
    }
    Ok(data)
}

/// What is free on the disk that a directory is on.
pub(crate) fn free_bytes(directory: &Path) -> anyhow::Result<u64> {
    let file = File::open(directory).with_context(|| format!("cannot open `{}`", directory.display()))?;
    let status = fstatvfs(&file)?;
    Ok(status.f_bavail * status.f_frsize)
}

/// How many times in a second 4 KiB can be appended and made durable, one after the other.
pub(crate) fn rate(directory: &Path, time: Duration) -> anyhow::Result<u64> {
    let path = directory.join("disk");
    let mut file = File::options().create_new(true).append(true).open(&path)?;
    let block = [b'x'; BLOCK_BYTES];
    let begun = Instant::now();
    let mut writes = 0;
    while begun.elapsed() < time {
        file.write_all(&block)?;
        file.sync_data()?;
        writes += 1;
    }
    let elapsed_us = u64::try_from(begun.elapsed().as_micros())?;
    fs::remove_file(&path)?;
    Ok(per_second(writes, elapsed_us))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_takes_what_is_written_in_it() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("below")).unwrap();
        let file = File::create(directory.path().join("below/file")).unwrap();
        (&file).write_all(&[1; 10_000]).unwrap();
        file.sync_all().unwrap();
        let taken = taken(directory.path()).unwrap();
        assert!((10_000..=16_384).contains(&taken.written_bytes), "{taken:?}");
        assert!(taken.allocated_bytes >= taken.written_bytes, "{taken:?}");
    }

    #[test]
    fn there_is_some_room() {
        assert!(free_bytes(&std::env::temp_dir()).unwrap() > 0);
    }
}
