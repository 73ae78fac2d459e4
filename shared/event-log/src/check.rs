//! The check of the sealed journal files: behind everyone's back, after each start and once a day.
//!
//! A start reads only the headers of sealed files, and reads are served from the index. So damage to a body
//! would lie there until the index is needed to be made again and nothing else holds the event. It is looked
//! for while both copies are there, and put right from the index.

use crate::files::ReadFile;
use crate::frame::{HEADER_BYTES, Header};
use crate::journal::{self, JournalFault, Repair, Segment};
use crate::log::Shared;
use crate::open::missing_events;
use events::Position;
use metrics::counter;
use std::io;
use std::time::Duration;

/// How often everything is checked.
const CHECK_EVERY: Duration = Duration::from_secs(24 * 60 * 60);
/// How much is read before the disk is left to others for a moment: at most some 200 MB a second.
const READ_AT_ONCE_BYTES: usize = 1024 * 1024;
const PAUSE: Duration = Duration::from_millis(5);
/// How many damaged places of one file are repaired in one check.
const REPAIRS_LIMIT: usize = 64;

/// Runs until the tail is closed.
pub(crate) fn run(shared: &Shared) {
    loop {
        for (segment, after) in shared.journal.sealed() {
            if shared.tail.is_closing() {
                return;
            }
            check(shared, &segment, after);
        }
        if shared.tail.wait_until_closing(CHECK_EVERY) {
            return;
        }
    }
}

/// Checks one file, and repairs it from the index.
fn check(shared: &Shared, segment: &Segment, after: Position) {
    let file = segment.path.display();
    for _ in 0..REPAIRS_LIMIT {
        let fault = match first_fault(shared, segment, after) {
            Ok(None) => return,
            Ok(Some(fault)) => fault,
            Err(error) => {
                tracing::error!(%file, %error, "A sealed journal file cannot be read");
                return;
            }
        };
        let JournalFault { offset, position, what, .. } = &fault;
        counter!("planwatch_log_journal_damages_total").increment(1);
        match repair(shared, segment, after, &fault) {
            Ok(Some(repair)) => {
                let (first, last) = (repair.first, repair.last);
                counter!("planwatch_log_journal_restored_events_total").increment(last.0 - first.0 + 1);
                tracing::warn!(%file, offset, %position, what, %first, %last,
                    "A sealed journal file was damaged; its events were put back from the index");
            }
            Ok(None) => {
                tracing::error!(%file, offset, %position, what,
                    "A sealed journal file is damaged and the index does not show the events; keep a copy of \
                     the directory and put the file back from a backup");
                return;
            }
            Err(error) => {
                tracing::error!(%file, offset, %position, what, %error,
                    "A sealed journal file is damaged and could not be written anew");
                return;
            }
        }
    }
}

/// The first place at which a file is not whole; none either if the log is closed meanwhile.
fn first_fault(shared: &Shared, segment: &Segment, after: Position) -> io::Result<Option<JournalFault>> {
    let files = shared.journal.files();
    let file = files.open_read(&segment.path)?;
    match is_whole(shared, &*file, segment.first, after)? {
        Some(false) => journal::find_fault(files, segment, after),
        Some(true) | None => Ok(None),
    }
}

/// Whether every frame is whole and leads to the next one; no answer if the log is closed meanwhile.
fn is_whole(
    shared: &Shared,
    file: &dyn ReadFile,
    first: Position,
    after: Position,
) -> io::Result<Option<bool>> {
    let size_bytes = file.size_bytes()?;
    let (mut offset, mut next, mut read_bytes) = (0, first, 0);
    while offset < size_bytes {
        let mut head = [0; HEADER_BYTES];
        let read = file.read_at(offset, &mut head)?;
        let Ok(header) = Header::read(&head[..read]) else { return Ok(Some(false)) };
        let mut frame = vec![0; header.frame_bytes()];
        let read = file.read_at(offset, &mut frame)?;
        if header.first != next || Header::check(&frame[..read]).is_err() {
            return Ok(Some(false));
        }
        next = header.last().next();
        offset += frame.len() as u64;
        read_bytes += frame.len();
        if read_bytes >= READ_AT_ONCE_BYTES {
            read_bytes = 0;
            if shared.tail.wait_until_closing(PAUSE) {
                return Ok(None);
            }
        }
    }
    Ok(Some(next == after))
}

/// Puts back what the index holds of the missing events; nothing if it does not show every one of them.
fn repair(
    shared: &Shared,
    segment: &Segment,
    after: Position,
    fault: &JournalFault,
) -> io::Result<Option<Repair>> {
    let until = fault.follows.as_ref().map_or(after, |follows| follows.position);
    if until <= fault.position {
        return Ok(None);
    }
    let last = Position(until.0 - 1);
    let (missing, _) =
        shared.with_index(|index| Ok((missing_events(index, fault.position, last), index.head())));
    let Some(missing) = missing.flatten() else { return Ok(None) };
    shared.journal.repair_sealed(segment.first, after, fault, &missing).map(Some)
}
