//! Compaction: a sealed file with the frames of commits is written anew with merged, compressed frames.
//!
//! Compressing takes longer than a writer may wait, and a commit of one event hardly compresses. Many of them in one
//! frame take a third of the room and less. The events and their bytes stay as they are, the
//! format of frames, too: any version reads the result.
//!
//! The new file is written beside the old one, synchronised, read back and compared with it event by event,
//! and only then takes its name. So at any moment, and after a power cut at any moment, one of the two is there,
//! whole.

use super::{JournalMap, Segment, remove_if_there, scan};
use crate::files::{AppendFile, Files, ReadFile};
use crate::frame::{self, Encoder, FRAME_LIMIT_EVENTS, HEADER_BYTES, Header, ROW_BYTES};
use crate::stored::Stored;
use events::Position;
use events::wire::EVENT_LIMIT_BYTES;
use std::io;
use std::path::Path;

/// How large the events of a merged frame get together, with their rows: what is decompressed to read one event, some
/// 0.3 ms. In frames of 64 KiB the events take 7 to 25 % more room, in frames of 1 MiB 6 to 10 % less.
pub(super) const MERGED_FRAME_BYTES: usize = 256 * 1024;
/// A merged frame that another one follows is at least so large: the next event did not fit.
const MERGED_FRAME_LEAST_BYTES: usize = MERGED_FRAME_BYTES - EVENT_LIMIT_BYTES - ROW_BYTES;
/// Reports with sources that differ take 10 % less than at the writer's level 1, at a quarter of its speed. Levels 2 to 4
/// take more than 1 where frames hold many small events, 7 to 12 gain 1 % more at half the speed of 6.
const MERGED_ZSTD_LEVEL: i32 = 6;
const _: () = assert!(MERGED_FRAME_BYTES / ROW_BYTES <= FRAME_LIMIT_EVENTS, "no frame has too many events");
/// Where less than one part in so many is in small frames beside each other, the file is left alone.
const LOOSE_SHARE: u64 = 16;
/// How much is written before it is synchronised: what piles up would hold up the writer's own synchronisation.
const SYNC_EVERY_BYTES: usize = 1024 * 1024;
/// How much room has to be left besides what compaction needs for a while.
const ROOM_FOR_OTHERS_BYTES: u64 = 64 * 1024 * 1024;
pub(super) const COMPACTED_NAME: &str = "compacted.tmp";

/// What compaction made of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Compacted {
    pub(crate) bytes_before: u64,
    pub(crate) bytes_after: u64,
}

/// Whether compaction has anything to do in a file: seen from the sizes of its frames alone, so that nothing has to be
/// kept about it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Packing {
    /// The size of the last frame, if the next one's events may belong into it.
    small_bytes: Option<u64>,
    raw_bytes: u64,
    loose_bytes: u64,
}

impl Packing {
    /// Takes the next frame in.
    pub(super) fn saw_frame(&mut self, header: &Header) {
        let raw_bytes = header.raw_bytes();
        self.raw_bytes += raw_bytes as u64;
        self.loose_bytes += self.small_bytes.filter(|_| !is_kept(header)).unwrap_or(0);
        self.small_bytes = None;
        if !header.is_compressed() {
            // As the writer left it.
            self.loose_bytes += raw_bytes as u64;
        } else if raw_bytes < MERGED_FRAME_LEAST_BYTES {
            self.small_bytes = Some(raw_bytes as u64);
        }
    }

    /// Whether it has nothing to do that would be worth it.
    pub(super) fn is_compact(self) -> bool {
        self.loose_bytes <= self.raw_bytes / LOOSE_SHARE
    }
}

/// Whether a frame goes over as it is: it is large and compressed, by an earlier version.
fn is_kept(header: &Header) -> bool {
    header.is_compressed() && header.raw_bytes() > MERGED_FRAME_BYTES
}

/// Events gathered until they make a merged frame.
#[derive(Default)]
pub(super) struct Run {
    events: Vec<Stored>,
    raw_bytes: usize,
}

impl Run {
    /// Takes the next event in; gives those before it where it does not fit any more.
    pub(super) fn take(&mut self, stored: Stored) -> Option<Vec<Stored>> {
        let raw_bytes = stored.bytes.len() + ROW_BYTES;
        let full = (self.raw_bytes + raw_bytes > MERGED_FRAME_BYTES).then(|| {
            self.raw_bytes = 0;
            std::mem::take(&mut self.events)
        });
        self.raw_bytes += raw_bytes;
        self.events.push(stored);
        full.filter(|events| !events.is_empty())
    }

    /// Gives the rest; none if there was nothing.
    pub(super) fn finish(self) -> Option<Vec<Stored>> {
        Some(self.events).filter(|events| !events.is_empty())
    }
}

impl JournalMap {
    /// Writes a sealed file anew with merged frames and puts it in the old one's place.
    ///
    /// `goes_on` is asked after every event or frame; it may wait. Where it says no, and where anything fails, the old file
    /// stays as it is, and there is no result.
    pub(crate) fn compact(
        &self,
        segment: &Segment,
        after: Position,
        mut goes_on: impl FnMut() -> bool,
    ) -> io::Result<Option<Compacted>> {
        let temporary = self.directory.join(COMPACTED_NAME);
        let compacted = self.compact_beside(segment, after, &temporary, &mut goes_on);
        if !matches!(compacted, Ok(Some(_))) {
            // It does no harm: nothing reads it, and the next start removes it.
            let _ = remove_if_there(self.files(), &temporary);
        }
        compacted
    }

    fn compact_beside(
        &self,
        segment: &Segment,
        after: Position,
        temporary: &Path,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> io::Result<Option<Compacted>> {
        let files = self.files();
        let old = || Reading::open(files, &segment.path, segment.first, after);
        let bytes_before = old()?.size_bytes;
        if files.space_left(&self.directory)? < bytes_before.saturating_add(ROOM_FOR_OTHERS_BYTES) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        remove_if_there(files, temporary)?;
        if !write_merged(files, old()?, temporary, goes_on)? {
            return Ok(None);
        }
        let new = Reading::open(files, temporary, segment.first, after)?;
        let bytes_after = new.size_bytes;
        if !are_the_same(old()?, new, goes_on)? {
            return Ok(None);
        }
        self.mark_read_only(temporary);
        let mut replaced = Segment::new(segment.first, segment.path.clone());
        if !scan::mark(&*files.open_read(temporary)?, &mut replaced, after) {
            return Err(io::Error::other("the frames of the new file do not lead to its end"));
        }
        self.replace_sealed(segment.first, || {
            files.rename(temporary, &segment.path)?;
            Ok(((), replaced))
        })?;
        files.sync_directory(&self.directory)?;
        Ok(Some(Compacted { bytes_before, bytes_after }))
    }
}

/// Writes a file's events into a new one, as merged frames, and makes them durable; false if it should not go on.
fn write_merged(
    files: &dyn Files,
    mut old: Reading,
    path: &Path,
    goes_on: &mut dyn FnMut() -> bool,
) -> io::Result<bool> {
    let mut new = Writing { file: files.open_append(path)?, unsynchronised_bytes: 0 };
    let mut encoder = Encoder::at_level(MERGED_ZSTD_LEVEL);
    let mut run = Run::default();
    while let Some((header, bytes)) = old.next_frame()? {
        if is_kept(&header) {
            if let Some(events) = std::mem::take(&mut run).finish() {
                new.frame(&encoder.encode(&events))?;
            }
            new.frame(&bytes)?;
        } else {
            for stored in frame::decode(&bytes).map_err(io::Error::other)? {
                if let Some(events) = run.take(stored) {
                    new.frame(&encoder.encode(&events))?;
                }
            }
        }
        if !goes_on() {
            return Ok(false);
        }
    }
    if let Some(events) = run.finish() {
        new.frame(&encoder.encode(&events))?;
    }
    new.file.sync_data()?;
    Ok(true)
}

/// A new file, synchronised piece by piece.
struct Writing {
    file: Box<dyn AppendFile>,
    unsynchronised_bytes: usize,
}

impl Writing {
    fn frame(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.unsynchronised_bytes += bytes.len();
        if self.unsynchronised_bytes >= SYNC_EVERY_BYTES {
            self.unsynchronised_bytes = 0;
            self.file.sync_data()?;
        }
        Ok(())
    }
}

/// Compares two files event by event: position, id, recorded time, bytes; false if it should not go on.
fn are_the_same(mut old: Reading, mut new: Reading, goes_on: &mut dyn FnMut() -> bool) -> io::Result<bool> {
    loop {
        let (held, written) = (old.next_event()?, new.next_event()?);
        if held != written {
            let position = held.or(written).map_or(Position::START, |stored| stored.position);
            return Err(io::Error::other(format!("position {position} reads otherwise in the new file")));
        }
        if held.is_none() {
            return Ok(true);
        }
        if !goes_on() {
            return Ok(false);
        }
    }
}

/// A file that is read frame by frame, or event by event. Every frame is checked, and that it follows the one before.
struct Reading {
    file: Box<dyn ReadFile>,
    size_bytes: u64,
    offset: u64,
    next: Position,
    after: Position,
    events: std::vec::IntoIter<Stored>,
}

impl Reading {
    fn open(files: &dyn Files, path: &Path, first: Position, after: Position) -> io::Result<Reading> {
        let file = files.open_read(path)?;
        let size_bytes = file.size_bytes()?;
        Ok(Reading { file, size_bytes, offset: 0, next: first, after, events: Vec::new().into_iter() })
    }

    fn next_frame(&mut self) -> io::Result<Option<(Header, Vec<u8>)>> {
        if self.offset == self.size_bytes {
            let is_whole = self.next == self.after;
            return if is_whole { Ok(None) } else { Err(io::Error::other("the file ends too early")) };
        }
        let mut head = [0; HEADER_BYTES];
        let read = self.file.read_at(self.offset, &mut head)?;
        let header = Header::read(&head[..read]).map_err(io::Error::other)?;
        let mut bytes = vec![0; header.frame_bytes()];
        let read = self.file.read_at(self.offset, &mut bytes)?;
        Header::check(&bytes[..read]).map_err(io::Error::other)?;
        if header.first != self.next {
            let (found, expected) = (header.first, self.next);
            return Err(io::Error::other(format!("position {found} is here in place of {expected}")));
        }
        self.offset += bytes.len() as u64;
        self.next = header.last().next();
        Ok(Some((header, bytes)))
    }

    fn next_event(&mut self) -> io::Result<Option<Stored>> {
        if self.events.len() == 0
            && let Some((_, bytes)) = self.next_frame()?
        {
            self.events = frame::decode(&bytes).map_err(io::Error::other)?.into_iter();
        }
        Ok(self.events.next())
    }
}

#[cfg(test)]
#[path = "compact_tests.rs"]
mod tests;
