//! Files and names that are on the disk when a call returns.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

const OWNER_ONLY_FOLDER: u32 = 0o700;
/// The mode of what anybody may read, where the directory lets them.
pub const READABLE: u32 = 0o644;
/// The mode of what its owner alone may read.
pub const OWNER_ONLY: u32 = 0o600;

/// Writes a new file and waits until its bytes are on the disk; its name may not be. What a killed process left
/// under that name is removed first.
pub fn write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Replaces a file: who reads it finds the old one or the new one, whole. Its name may not be on the disk yet.
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    write_new(Path::new(&beside), bytes, mode)?;
    std::fs::rename(&beside, path)
}

/// Replaces a file, and waits until the new one has its name on the disk.
pub fn replace_and_sync(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    replace(path, bytes, mode)?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// Waits until the names in a directory are on the disk.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Makes a directory and those above it, readable by their owner alone; one that is there is left as it is.
pub fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(OWNER_ONLY_FOLDER).create(path)
}

/// Reads a file that has at most so many bytes.
pub fn read_bounded(path: &Path, limit_bytes: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit_bytes as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > limit_bytes {
        let what = format!("it has more than {limit_bytes} bytes, which none of its kind has");
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    Ok(bytes)
}
