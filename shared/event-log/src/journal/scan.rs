//! Reading through the journal at a start: what is there, and where it stops being whole.

use super::{Segment, list};
use crate::files::{Files, ReadFile};
use crate::frame::{self, End, HEADER_BYTES, Header};
use crate::stored::Stored;
use events::Position;
use std::io;
use std::path::{Path, PathBuf};

/// What the journal's files hold.
pub(crate) struct Scanned {
    /// The files, up to the first fault.
    pub(crate) segments: Vec<Segment>,
    /// The last position before the first fault.
    pub(crate) head: Position,
    /// The size of the last file.
    pub(crate) size_bytes: u64,
    /// The event at the head.
    pub(crate) last: Option<Stored>,
    /// Where it stops being whole.
    pub(crate) fault: Option<JournalFault>,
}

/// A place from which on the journal is not whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JournalFault {
    pub(crate) path: PathBuf,
    /// Where in the file the whole frames end.
    pub(crate) offset: u64,
    /// How many bytes the file holds from there on.
    pub(crate) rest_bytes: u64,
    /// The position that should be there.
    pub(crate) position: Position,
    pub(crate) what: String,
    /// What follows, if anything whole does.
    pub(crate) follows: Option<Follows>,
}

/// What follows a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Follows {
    /// The first position that is whole again.
    pub(crate) position: Position,
    /// Where in the same file it is; none if it is the start of the next file.
    pub(crate) offset: Option<u64>,
}

/// Reads through the journal. The last file is checked frame by frame; of sealed ones only the headers are
/// read, and the rest if those do not fit together.
pub(crate) fn scan(files: &dyn Files, directory: &Path) -> io::Result<Scanned> {
    let found = list(files, directory)?;
    let mut scanned =
        Scanned { segments: Vec::new(), head: Position::START, size_bytes: 0, last: None, fault: None };
    let mut last_frame = None;
    for (index, (first, path)) in found.iter().enumerate() {
        let next_file = found.get(index + 1).map(|(first, _)| *first);
        let next = scanned.head.next();
        if *first != next {
            let follows = Some(Follows { position: *first, offset: Some(0) });
            scanned.fault = Some(JournalFault {
                path: path.clone(),
                offset: 0,
                rest_bytes: 0,
                position: next,
                what: format!("the file should start with position {next}"),
                follows,
            });
            break;
        }
        let mut segment = Segment::new(*first, path.clone());
        let sealed = next_file.and_then(|after| {
            let file = files.open_read(path).ok()?;
            walk_headers(&*file, &mut segment, after)
        });
        let (head, frame) = match sealed {
            Some(frame) => (next_file.map(|after| Position(after.0 - 1)), Some(frame)),
            None => {
                segment.forget_frames();
                let (head, frame, fault) = walk_frames(files, &mut segment, next_file)?;
                scanned.fault = fault;
                (head, frame)
            }
        };
        scanned.head = head.unwrap_or(scanned.head);
        if let Some(offset) = frame {
            last_frame = Some((path.clone(), offset));
        }
        scanned.segments.push(segment);
        if scanned.fault.is_some() {
            break;
        }
    }
    if let Some(last) = scanned.segments.last() {
        scanned.size_bytes = files.open_read(&last.path)?.size_bytes()?;
    }
    if let Some((path, offset)) = last_frame {
        scanned.last = read_frame(files, &path, offset)?.pop();
    }
    Ok(scanned)
}

/// Where a sealed file stops being whole, if it does.
pub(crate) fn find_fault(
    files: &dyn Files,
    segment: &Segment,
    after: Position,
) -> io::Result<Option<JournalFault>> {
    let mut walked = Segment::new(segment.first, segment.path.clone());
    walk_frames(files, &mut walked, Some(after)).map(|(_, _, fault)| fault)
}

/// Takes in the frames of a sealed file of which nothing is known yet; false if they do not lead to its end.
pub(super) fn mark(file: &dyn ReadFile, segment: &mut Segment, after: Position) -> bool {
    let is_whole = walk_headers(file, segment, after).is_some();
    if !is_whole {
        segment.forget_frames();
    }
    is_whole
}

/// Walks the headers of a sealed file; gives the offset of its last frame, or nothing if they do not lead
/// exactly to the file's end and to the position before `after`.
fn walk_headers(file: &dyn ReadFile, segment: &mut Segment, after: Position) -> Option<u64> {
    let size_bytes = file.size_bytes().ok()?;
    let (mut offset, mut next, mut last) = (0, segment.first, None);
    while offset < size_bytes {
        let mut head = [0; HEADER_BYTES];
        file.read_at(offset, &mut head).ok().filter(|read| *read == HEADER_BYTES)?;
        let header = Header::read(&head).ok().filter(|header| header.first == next)?;
        segment.saw_frame(&header, offset);
        last = Some(offset);
        next = header.last().next();
        offset += header.frame_bytes() as u64;
    }
    last.filter(|_| offset == size_bytes && next == after)
}

type Walked = (Option<Position>, Option<u64>, Option<JournalFault>);

/// Checks every frame of a file; gives the last position, the last frame's offset, and the fault.
fn walk_frames(files: &dyn Files, segment: &mut Segment, next_file: Option<Position>) -> io::Result<Walked> {
    let bytes = files.read(&segment.path)?;
    let mut next = segment.first;
    let mut last_frame = None;
    let mut jump = None;
    let (mut end_offset, end) = frame::walk(&bytes, |offset, header| {
        if jump.is_some() {
            return;
        }
        if header.first == next {
            segment.saw_frame(header, offset as u64);
            last_frame = Some(offset as u64);
            next = header.last().next();
        } else {
            jump = Some((offset, header.first));
        }
    });
    let fault = |offset: usize, what: String, follows: Option<Follows>| JournalFault {
        path: segment.path.clone(),
        offset: offset as u64,
        rest_bytes: (bytes.len() - offset) as u64,
        position: next,
        what,
        follows,
    };
    let next_file_follows = next_file.map(|position| Follows { position, offset: None });
    let found = if let Some((offset, first)) = jump {
        end_offset = offset;
        let follows = Follows { position: first, offset: Some(end_offset as u64) };
        Some(fault(end_offset, format!("position {first} is here in place of {next}"), Some(follows)))
    } else {
        match end {
            End::Torn { what, resumes } => {
                let resumes = resumes
                    .map(|(offset, header)| Follows { position: header.first, offset: Some(offset as u64) });
                Some(fault(end_offset, what.to_string(), resumes.or(next_file_follows)))
            }
            End::Clean if next_file.is_some_and(|first| first != next) => {
                Some(fault(end_offset, "the file ends too early".to_owned(), next_file_follows))
            }
            End::Clean => None,
        }
    };
    Ok((last_frame.map(|_| Position(next.0 - 1)), last_frame, found))
}

/// Reads one frame.
pub(crate) fn read_frame(files: &dyn Files, path: &Path, offset: u64) -> io::Result<Vec<Stored>> {
    let file = files.open_read(path)?;
    let mut head = [0; HEADER_BYTES];
    let read = file.read_at(offset, &mut head)?;
    let header = Header::read(&head[..read]).map_err(io::Error::other)?;
    let mut bytes = vec![0; header.frame_bytes()];
    let read = file.read_at(offset, &mut bytes)?;
    frame::decode(&bytes[..read]).map_err(io::Error::other)
}
