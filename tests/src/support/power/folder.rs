//! Where power is cut: in memory, if there is room, because the real disk is not what is tested.

use std::path::Path;
use tempfile::TempDir;

const MEMORY: &str = "/dev/shm";
/// In less than this the tests would get into each other's way.
const LEAST_BYTES: u64 = 1024 * 1024 * 1024;

/// A temporary directory whose synchronisations cost next to nothing.
pub fn quick_folder() -> TempDir {
    let room = rustix::fs::statvfs(MEMORY).map_or(0, |state| state.f_bavail * state.f_frsize);
    if room >= LEAST_BYTES
        && let Ok(folder) = tempfile::tempdir_in(Path::new(MEMORY))
    {
        return folder;
    }
    tempfile::tempdir().expect("a temporary directory")
}
