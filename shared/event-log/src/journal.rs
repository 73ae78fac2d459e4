//! The journal: frames in files, appended and synchronised before anything is acknowledged.
//!
//! A file is named by the first position it holds (20 digits and `.journal`). Files that reached their
//! limit are sealed and kept: everything else in the directory can be made again from them. In the file being
//! written a frame is a commit; in a sealed one frames are merged ([`compact`]), with the same events.

mod append;
mod compact;
mod repair;
mod scan;

pub(crate) use append::{Journal, JournalError, NewFrame};
pub(crate) use compact::Compacted;
pub(crate) use repair::{Repair, claimed_last, cut, restore};
pub(crate) use scan::{JournalFault, Scanned, find_fault, read_frame, scan};

use crate::files::{Files, ReadFile};
use crate::frame::{self, HEADER_BYTES, Header};
use crate::stored::Stored;
use compact::Packing;
use events::Position;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use thiserror::Error;

/// How far apart the places are that the map of a file remembers: a read walks at most so far.
const MARK_EVERY_BYTES: u64 = 256 * 1024;
const SUFFIX: &str = ".journal";

/// A place in a file at which a frame starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    first: Position,
    offset: u64,
}

/// One file of the journal.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    pub(crate) first: Position,
    pub(crate) path: PathBuf,
    marks: Vec<Mark>,
    packing: Packing,
}

impl Segment {
    fn new(first: Position, path: PathBuf) -> Segment {
        Segment { first, path, marks: Vec::new(), packing: Packing::default() }
    }

    /// Takes in the next frame: remembers where it is if the last one remembered is far enough behind.
    fn saw_frame(&mut self, header: &Header, offset: u64) {
        let first = header.first;
        self.packing.saw_frame(header);
        if self.marks.last().is_none_or(|mark| offset - mark.offset >= MARK_EVERY_BYTES) {
            self.marks.push(Mark { first, offset });
        }
    }

    fn forget_frames(&mut self) {
        self.marks.clear();
        self.packing = Packing::default();
    }

    /// Whether its frames are as compaction leaves them.
    pub(crate) fn is_compact(&self) -> bool {
        self.packing.is_compact()
    }
}

/// Why the journal could not be read at a place.
#[derive(Debug, Error)]
pub enum JournalReadError {
    /// The file could not be read.
    #[error("cannot read the journal file `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file does not hold the frame that it should.
    #[error(
        "the journal file `{}` is damaged at byte {offset}, position {position}: {what}; stop the service, keep \
         a copy of the directory, and start again: it is repaired from the index if that holds the position",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in the file.
        offset: u64,
        /// The position that should be there.
        position: Position,
        /// What is wrong.
        what: String,
    },
}

/// Where positions lie in the journal's files; shared by the writer, which adds to it, and readers.
pub(crate) struct JournalMap {
    files: Arc<dyn Files>,
    directory: PathBuf,
    segments: RwLock<Vec<Segment>>,
}

impl JournalMap {
    pub(crate) fn new(files: Arc<dyn Files>, directory: PathBuf, segments: Vec<Segment>) -> JournalMap {
        JournalMap { files, directory, segments: RwLock::new(segments) }
    }

    pub(crate) fn files(&self) -> &dyn Files {
        &*self.files
    }

    fn change<T>(&self, change: impl FnOnce(&mut Vec<Segment>) -> T) -> T {
        // A panic between two changes leaves the list whole: each change is one push.
        change(&mut self.segments.write().unwrap_or_else(PoisonError::into_inner))
    }

    fn look<T>(&self, look: impl FnOnce(&[Segment]) -> T) -> T {
        look(&self.segments.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The first file that starts at or after a position and is not written any more, with the position after
    /// its last one.
    pub(crate) fn sealed_from(&self, from: Position) -> Option<(Segment, Position)> {
        self.look(|segments| {
            let index = segments.partition_point(|segment| segment.first < from);
            Some((segments.get(index)?.clone(), segments.get(index + 1)?.first))
        })
    }

    /// Whether the frames of all files that are not written any more are as compaction leaves them.
    pub(crate) fn is_compact(&self) -> bool {
        self.look(|segments| {
            segments.split_last().is_none_or(|(_, sealed)| sealed.iter().all(Segment::is_compact))
        })
    }

    /// Puts another file in a sealed one's place, with the places of its frames; nobody opens it meanwhile.
    fn replace_sealed<T>(
        &self,
        first: Position,
        replace: impl FnOnce() -> io::Result<(T, Segment)>,
    ) -> io::Result<T> {
        self.change(|segments| {
            let replaced = replace();
            if let Some(segment) = segments.iter_mut().find(|segment| segment.first == first) {
                match &replaced {
                    Ok((_, with)) => segment.clone_from(with),
                    // Either may be there now; in both a read finds its way from the start.
                    Err(_) => segment.marks.clear(),
                }
            }
            replaced.map(|(replaced, _)| replaced)
        })
    }

    /// Writes a sealed file anew with the events that it lacks; nobody opens it meanwhile.
    pub(crate) fn repair_sealed(
        &self,
        first: Position,
        after: Position,
        fault: &JournalFault,
        missing: &[Stored],
    ) -> io::Result<Repair> {
        self.replace_sealed(first, || {
            let repaired = restore(self.files(), &self.directory, fault, missing)?;
            self.mark_read_only(&repaired.file);
            let mut segment = Segment::new(first, fault.path.clone());
            // Where that is not whole yet, a read walks from the start of the file.
            let _ = scan::mark(&*self.files.open_read(&segment.path)?, &mut segment, after);
            Ok((repaired, segment))
        })
    }

    /// Marks a file that is not written any more; nothing relies on it.
    fn mark_read_only(&self, path: &Path) {
        if let Err(error) = self.files.set_read_only(path) {
            tracing::warn!(file = %path.display(), %error, "Could not mark a full journal file as read-only");
        }
    }

    /// Reads frames from the one that holds `from`, up to and including the one that holds `until`.
    pub(crate) fn frames(self: &Arc<Self>, from: Position, until: Position) -> Frames {
        Frames { map: Arc::clone(self), open: None, next: from.max(Position(1)), until }
    }
}

/// Frames in order, read from the journal's files.
pub(crate) struct Frames {
    map: Arc<JournalMap>,
    open: Option<OpenSegment>,
    next: Position,
    until: Position,
}

struct OpenSegment {
    path: PathBuf,
    file: Box<dyn ReadFile>,
    offset: u64,
}

impl Frames {
    /// Reads the next frame: every event of it, also those before the position asked for.
    pub(crate) fn read_next(&mut self) -> Result<Option<Vec<Stored>>, JournalReadError> {
        while self.next <= self.until {
            if self.open.is_none() {
                self.open = Some(self.open_segment()?);
            }
            let open = self.open.as_mut().expect("it was opened just now");
            let damaged = |what: String| JournalReadError::Damaged {
                path: open.path.clone(),
                offset: open.offset,
                position: self.next,
                what,
            };
            let read_error = |source| JournalReadError::Read { path: open.path.clone(), source };
            let mut head = [0; HEADER_BYTES];
            let read = open.file.read_at(open.offset, &mut head).map_err(read_error)?;
            if read == 0 {
                // The file ends here; the next one starts with the next position, or this one is short.
                let follows = self.map.look(|segments| segments.iter().any(|other| other.first == self.next));
                if !follows {
                    return Err(damaged("the file ends too early".to_owned()));
                }
                self.open = None;
                continue;
            }
            let header = Header::read(&head[..read]).map_err(|error| damaged(error.to_string()))?;
            if header.last() < self.next {
                open.offset += header.frame_bytes() as u64;
                continue;
            }
            if header.first > self.next {
                return Err(damaged(format!("position {} is here", header.first)));
            }
            let mut bytes = vec![0; header.frame_bytes()];
            let read = open.file.read_at(open.offset, &mut bytes).map_err(read_error)?;
            let stored = frame::decode(&bytes[..read]).map_err(|error| damaged(error.to_string()))?;
            open.offset += bytes.len() as u64;
            self.next = header.last().next();
            return Ok(Some(stored));
        }
        Ok(None)
    }

    /// Opens the file that holds the next position, at the last frame known to start at or before it.
    fn open_segment(&self) -> Result<OpenSegment, JournalReadError> {
        let next = self.next;
        let found = self.map.look(|segments| {
            let index = segments.partition_point(|segment| segment.first <= next).checked_sub(1)?;
            let segment = &segments[index];
            let mark = segment.marks.partition_point(|mark| mark.first <= next).checked_sub(1);
            let offset = mark.map_or(0, |mark| segment.marks[mark].offset);
            // Opened while the list is held: a repair puts another file in its place, with other marks.
            Some((segment.path.clone(), offset, self.map.files.open_read(&segment.path)))
        });
        let Some((path, offset, file)) = found else {
            return Err(JournalReadError::Damaged {
                path: self.map.directory.clone(),
                offset: 0,
                position: next,
                what: "no file holds it".to_owned(),
            });
        };
        match file {
            Ok(file) => Ok(OpenSegment { path, file, offset }),
            Err(source) => Err(JournalReadError::Read { path, source }),
        }
    }
}

/// The name of the file that starts with a position.
pub(crate) fn file_name(first: Position) -> String {
    format!("{:020}{SUFFIX}", first.0)
}

/// The first position of a journal file, by its name.
fn first_of_name(name: &str) -> Option<Position> {
    let digits = name.strip_suffix(SUFFIX)?;
    let all_digits = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| all_digits).map(Position)
}

/// The journal's files, in order of position.
pub(crate) fn list(files: &dyn Files, directory: &Path) -> io::Result<Vec<(Position, PathBuf)>> {
    let names = match files.list(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        names => names?,
    };
    let known = names.iter().filter_map(|name| Some((first_of_name(name)?, directory.join(name))));
    let mut found: Vec<_> = known.collect();
    found.sort();
    Ok(found)
}

/// Removes the files that a process which ended early was about to put in another's place.
pub(crate) fn remove_unfinished(files: &dyn Files, directory: &Path) -> io::Result<()> {
    for name in [compact::COMPACTED_NAME, repair::REPAIR_NAME] {
        remove_if_there(files, &directory.join(name))?;
    }
    Ok(())
}

fn remove_if_there(files: &dyn Files, path: &Path) -> io::Result<()> {
    match files.remove(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
