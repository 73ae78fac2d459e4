//! What lies in a log's directory: its format mark, its lock, the time of day last taken as right.

use crate::clock::{Clock, KeptClock};
use crate::files::{FileLock, Files};
use crate::open::OpenError;
use events::PlanId;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

/// The format of the directory that this version writes. Older ones are opened, newer ones refused.
const FORMAT: u32 = 1;
const FORMAT_NAME: &str = "format.json";
const LOCK_NAME: &str = "lock";
const CLOCK_NAME: &str = "clock";

#[derive(Serialize, Deserialize)]
struct FormatMark {
    format: u32,
    plan: PlanId,
}

/// Where the journal's files are.
pub(crate) fn journal(directory: &Path) -> PathBuf {
    directory.join("journal")
}

/// Where the index is.
pub(crate) fn index(directory: &Path) -> PathBuf {
    directory.join("index")
}

/// The file that a held lock is on.
pub(crate) fn lock_file(directory: &Path) -> PathBuf {
    directory.join(LOCK_NAME)
}

/// Takes the lock that keeps a second writer out.
pub(crate) fn lock(files: &dyn Files, directory: &Path) -> Result<Box<dyn FileLock>, OpenError> {
    let path = lock_file(directory);
    files.lock(&path).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => OpenError::InUse { directory: directory.to_owned() },
        _ => OpenError::Files { path, source: error },
    })
}

/// Reads the plan that a directory belongs to; none if the directory is fresh.
pub(crate) fn read_format(files: &dyn Files, directory: &Path) -> Result<Option<PlanId>, OpenError> {
    let path = directory.join(FORMAT_NAME);
    let bytes = match files.read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(OpenError::Files { path, source }),
        Ok(bytes) => bytes,
    };
    // The number alone is read first: a newer format may hold anything else.
    #[derive(Deserialize)]
    struct Number {
        format: u32,
    }
    let malformed = |source| OpenError::FormatMark { path: path.clone(), source };
    let Number { format } = serde_json::from_slice(&bytes).map_err(malformed)?;
    if format == 0 {
        let source = serde::de::Error::custom("there is no format 0");
        return Err(malformed(source));
    }
    if format > FORMAT {
        return Err(OpenError::Newer { directory: directory.to_owned(), found: format, known: FORMAT });
    }
    let mark: FormatMark = serde_json::from_slice(&bytes).map_err(malformed)?;
    Ok(Some(mark.plan))
}

/// Makes a fresh directory durable in those above it, as far up as this process may open them.
pub(crate) fn sync_above(files: &dyn Files, directory: &Path) -> Result<(), OpenError> {
    let directory = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
    for above in directory.ancestors().skip(1) {
        match files.sync_directory(above) {
            // Nor did it make anything in there.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => break,
            synced => synced.map_err(|source| OpenError::Files { path: above.to_owned(), source })?,
        }
    }
    Ok(())
}

/// Marks a fresh directory as belonging to a plan.
pub(crate) fn write_format(files: &dyn Files, directory: &Path, plan: &PlanId) -> Result<(), OpenError> {
    let path = directory.join(FORMAT_NAME);
    let mark = FormatMark { format: FORMAT, plan: plan.clone() };
    let mut bytes = serde_json::to_vec(&mark).expect("a number and a slug serialise");
    bytes.push(b'\n');
    write_whole(files, &path, &bytes).map_err(|source| OpenError::Files { path, source })
}

/// Takes the clock as right, as it is: for a log that stopped writing because the clock leapt ahead.
///
/// Works on a stopped directory, and on one in use, where it is seen within a second. From then on the clock is
/// judged from there: what it accepts is this time and what passes after it, not whatever a clock may say later.
pub fn accept_clock(directory: &Path, clock: &dyn Clock) -> io::Result<()> {
    let kept = KeptClock::at(clock.now(), clock.elapsed(), clock.epoch());
    keep_clock(&crate::files::RealFiles, directory, &kept)
}

/// Keeps the last time of day that was taken as right, for the next start.
pub(crate) fn keep_clock(files: &dyn Files, directory: &Path, kept: &KeptClock) -> io::Result<()> {
    let mut line = serde_json::to_string(kept).expect("times and numbers serialise");
    line.push('\n');
    let checksum = crc32c::crc32c(line.as_bytes());
    write_whole(files, &directory.join(CLOCK_NAME), format!("{line}{checksum:08x}\n").as_bytes())
}

/// The last time of day that was taken as right, by the log while it ran or by a person.
pub(crate) fn kept_clock(files: &dyn Files, directory: &Path) -> Option<KeptClock> {
    let path = directory.join(CLOCK_NAME);
    let bytes = files.read(&path).ok()?;
    let kept = std::str::from_utf8(&bytes).ok().and_then(read_clock);
    if kept.is_none() {
        // Nothing rests on it alone: without it the clock is judged from the last recorded time.
        tracing::warn!(file = %path.display(), "The kept time of day cannot be read and is left aside");
    }
    kept
}

/// Reads a kept time of day: a line of JSON, and one with the CRC32C of that line.
fn read_clock(text: &str) -> Option<KeptClock> {
    let (line, checksum) = text.split_at(text.find('\n')? + 1);
    let expected = format!("{:08x}\n", crc32c::crc32c(line.as_bytes()));
    (checksum == expected).then(|| serde_json::from_str(line).ok())?
}

/// Writes a small file in one step and makes it durable.
fn write_whole(files: &dyn Files, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    match files.remove(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = files.open_append(&temporary)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    files.rename(&temporary, path)?;
    path.parent().map_or(Ok(()), |directory| files.sync_directory(directory))
}
