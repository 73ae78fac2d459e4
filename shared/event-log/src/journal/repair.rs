//! Making a journal whole again: cutting a torn end, or putting back what another copy holds.

use super::compact::Run;
use super::{JournalFault, file_name, remove_if_there};
use crate::files::Files;
use crate::frame::{Encoder, HEADER_BYTES, Header};
use crate::stored::Stored;
use events::Position;
use std::io;
use std::path::{Path, PathBuf};

pub(super) const REPAIR_NAME: &str = "repair.tmp";

/// What was put back into the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Repair {
    pub(crate) first: Position,
    pub(crate) last: Position,
    pub(crate) file: PathBuf,
}

/// Cuts the file at a fault behind which nothing whole follows.
pub(crate) fn cut(files: &dyn Files, fault: &JournalFault) -> io::Result<()> {
    let mut file = files.open_append(&fault.path)?;
    file.truncate(fault.offset)?;
    file.sync_data()
}

/// The last position that a commit claims which is damaged or torn, where nothing follows and its header can be
/// read.
pub(crate) fn claimed_last(files: &dyn Files, fault: &JournalFault) -> Option<Position> {
    if fault.follows.is_some() || fault.rest_bytes == 0 {
        return None;
    }
    let file = files.open_read(&fault.path).ok()?;
    let mut head = [0; HEADER_BYTES];
    let read = file.read_at(fault.offset, &mut head).ok()?;
    let header = Header::read(&head[..read]).ok().filter(|header| header.first == fault.position)?;
    let mut frame = vec![0; header.frame_bytes()];
    let read = file.read_at(fault.offset, &mut frame).ok()?;
    // The claim itself may be what is damaged.
    let mended = Header::mend_count(&mut frame[..read]).unwrap_or(header);
    Some(mended.last())
}

/// Writes the faulty file anew: what is whole before the fault, the missing events, what follows.
///
/// The events start at the fault's position and end before what follows. The file is replaced in one step.
pub(crate) fn restore(
    files: &dyn Files,
    directory: &Path,
    fault: &JournalFault,
    missing: &[Stored],
) -> io::Result<Repair> {
    let (Some(first), Some(last)) = (missing.first(), missing.last()) else {
        return Err(io::Error::other("nothing to restore"));
    };
    let old = match files.read(&fault.path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        old => old?,
    };
    let offset = usize::try_from(fault.offset).map_err(io::Error::other)?;
    let follows = fault.follows.as_ref().and_then(|follows| follows.offset);
    let mut bytes = old[..offset].to_vec();
    let mut encoder = Encoder::new();
    let mut run = Run::default();
    let mut restored: Vec<_> = missing.iter().filter_map(|stored| run.take(stored.clone())).collect();
    restored.extend(run.finish());
    for events in restored {
        bytes.extend_from_slice(&encoder.encode(&events));
    }
    // A file whose start is missing gets the name of the position that it starts with now; where whole
    // files are missing the events go into a file of their own.
    let named_first = directory.join(file_name(first.position));
    let missing_file = fault.offset == 0 && follows == Some(0) && fault.path != named_first;
    let target = if missing_file { named_first } else { fault.path.clone() };
    if let (Some(follows), false) = (follows, missing_file) {
        bytes.extend_from_slice(&old[usize::try_from(follows).map_err(io::Error::other)?..]);
    }
    let temporary = directory.join(REPAIR_NAME);
    remove_if_there(files, &temporary)?;
    let mut file = files.open_append(&temporary)?;
    file.write_all(&bytes)?;
    file.sync_data()?;
    files.rename(&temporary, &target)?;
    files.sync_directory(directory)?;
    Ok(Repair { first: first.position, last: last.position, file: target })
}
