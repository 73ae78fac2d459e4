//! The check of the sealed journal files: behind everyone's back, after each start and once a day.
//!
//! A start reads only the headers of sealed files, and reads are served from the index. So damage to a body
//! would lie there until the index is needed to be made again and nothing else holds the event. It is looked
//! for while both copies are there, and put right from the index. A file that was found whole is compacted, if it
//! is not yet.

use crate::files::{ReadFile, is_no_space};
use crate::frame::{HEADER_BYTES, Header};
use crate::journal::{self, Compacted, JournalFault, Repair, Segment};
use crate::log::Shared;
use crate::open::missing_events;
use crate::write_state::WriteState;
use events::Position;
use metrics::counter;
use std::io;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// How often everything is checked.
const CHECK_EVERY: Duration = Duration::from_secs(24 * 60 * 60);
/// How soon a file that became full is noticed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How much is read before the disk is left to others for a moment: at most some 200 MB a second.
const READ_AT_ONCE_BYTES: usize = 1024 * 1024;
const PAUSE: Duration = Duration::from_millis(5);
/// How long compaction works before it pauses for as long, and for longer while events are being recorded: it has at
/// most half a core, and a sixth of one under load.
const WORK: Duration = Duration::from_millis(5);
const PAUSES_UNDER_LOAD: u32 = 5;
/// How many damaged places of one file are repaired in one check.
const REPAIRS_LIMIT: usize = 64;

/// Runs until the tail is closed; compacts what it found whole, unless that is switched off.
pub(crate) fn run(shared: &Shared, compacts: bool) {
    let (mut next, mut began, mut compacting) = (Position(1), Instant::now(), compacts);
    loop {
        while let Some((segment, after)) = shared.journal.sealed_from(next) {
            let is_whole = check(shared, &segment, after);
            if shared.tail.is_closing() {
                return;
            }
            if is_whole && compacting {
                // What failed once is left alone until everything is checked again.
                compacting = compact(shared, segment.first);
            }
            next = after;
        }
        if shared.tail.wait_until_closing(LOOK_EVERY) {
            return;
        }
        if began.elapsed() >= CHECK_EVERY {
            (next, began, compacting) = (Position(1), Instant::now(), compacts);
        }
    }
}

/// Compacts one whole file; false if it could not be done and others are not to be tried for now.
fn compact(shared: &Shared, first: Position) -> bool {
    // As it is now: it may have been repaired.
    let found = shared.journal.sealed_from(first).filter(|(segment, _)| segment.first == first);
    let Some((segment, after)) = found.filter(|(segment, _)| !segment.is_compact()) else { return true };
    let state = shared.write_state.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if matches!(state, WriteState::Stopped { .. }) {
        // No synchronisation is believed any more.
        return false;
    }
    let file = segment.path.display();
    let started = Instant::now();
    let mut working_since = started;
    let mut head = *shared.head.borrow();
    let compacted = shared.journal.compact(&segment, after, || {
        let worked = working_since.elapsed();
        if worked < WORK {
            return true;
        }
        let before = std::mem::replace(&mut head, *shared.head.borrow());
        let pause = if head == before { worked } else { worked * PAUSES_UNDER_LOAD };
        let is_closing = shared.tail.wait_until_closing(pause.min(LOOK_EVERY));
        working_since = Instant::now();
        !is_closing
    });
    match compacted {
        Ok(Some(Compacted { bytes_before, bytes_after })) => {
            counter!("planwatch_log_journal_compacted_files_total").increment(1);
            counter!("planwatch_log_journal_compacted_bytes_total").increment(bytes_before);
            let freed_bytes = bytes_before.saturating_sub(bytes_after);
            counter!("planwatch_log_journal_freed_bytes_total").increment(freed_bytes);
            let seconds = started.elapsed().as_secs_f64();
            tracing::info!(%file, bytes_before, bytes_after, seconds, "Compacted a full journal file");
            true
        }
        Ok(None) => true,
        Err(error) if is_no_space(&error) => {
            tracing::warn!(%file, %error, "There is no space to compact full journal files; they stay as they are");
            false
        }
        Err(error) => {
            tracing::error!(%file, %error, "A full journal file could not be compacted; they stay as they are");
            false
        }
    }
}

/// Checks one file, and repairs it from the index; true if it is whole now, as far as it was read.
fn check(shared: &Shared, segment: &Segment, after: Position) -> bool {
    let file = segment.path.display();
    for _ in 0..REPAIRS_LIMIT {
        let fault = match first_fault(shared, segment, after) {
            Ok(None) => return true,
            Ok(Some(fault)) => fault,
            Err(error) => {
                tracing::error!(%file, %error, "A sealed journal file cannot be read");
                return false;
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
                return false;
            }
            Err(error) => {
                tracing::error!(%file, offset, %position, what, %error,
                    "A sealed journal file is damaged and could not be written anew");
                return false;
            }
        }
    }
    false
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
