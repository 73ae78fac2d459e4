//! Appending to the journal: write, synchronise, or cut back to the last whole frame.

use super::{JournalMap, Segment, file_name};
use crate::files::{AppendFile, is_no_space};
use crate::frame::Header;
use events::Position;
use std::io;
use std::sync::Arc;
use thiserror::Error;

/// How much room is tried for before writing starts again after there was none.
const PROBE_BYTES: usize = 256 * 1024;
const PROBE_NAME: &str = "room.probe";

/// A frame to be appended.
pub(crate) struct NewFrame {
    pub(crate) first: Position,
    pub(crate) bytes: Vec<u8>,
}

/// Why nothing was appended.
#[derive(Debug, Error)]
pub(crate) enum JournalError {
    /// There is no room; the journal was cut back and can be tried again.
    #[error("there is no space left for the journal")]
    NoSpace(#[source] io::Error),
    /// The write failed; the journal was cut back and can be tried again.
    #[error("the journal cannot be written")]
    Write(#[source] io::Error),
    /// What is on disk is not known any more: nothing may be written until a restart.
    #[error("the journal stopped: {what}")]
    Stopped {
        what: &'static str,
        #[source]
        source: Option<io::Error>,
    },
}

/// The end of the journal, where its one writer appends.
pub(crate) struct Journal {
    map: Arc<JournalMap>,
    file: Option<Box<dyn AppendFile>>,
    size_bytes: u64,
    limit_bytes: u64,
    stopped: bool,
}

impl Journal {
    /// Opens the last file of the map for appending; its end is the end of a whole frame.
    ///
    /// A process that was killed may have left a frame that it had not synchronised. It is shown to readers from
    /// now on, so it is made durable first.
    pub(crate) fn open(map: Arc<JournalMap>, limit_bytes: u64) -> io::Result<Journal> {
        let last = map.look(|segments| segments.last().map(|segment| segment.path.clone()));
        let mut file = last.map(|path| map.files.open_append(&path)).transpose()?;
        if let Some(file) = &mut file {
            file.sync_data()?;
        }
        let size_bytes = file.as_ref().map_or(Ok(0), |file| file.size_bytes())?;
        Ok(Journal { map, file, size_bytes, limit_bytes, stopped: false })
    }

    /// Appends frames and synchronises. On an error none of them is there, as far as can be known.
    ///
    /// Several frames are synchronised one after the other: after a power cut the later of two that were
    /// written together may be there without the earlier, which would look like a damaged journal.
    pub(crate) fn append(&mut self, frames: &[NewFrame]) -> Result<(), JournalError> {
        if self.stopped {
            return Err(JournalError::Stopped { what: "an earlier failure needs a restart", source: None });
        }
        let Some(first) = frames.first() else { return Ok(()) };
        if self.file.is_none() || self.size_bytes >= self.limit_bytes {
            self.start_file(first.first).map_err(failed_write)?;
        }
        let file = self.file.as_mut().expect("a file was started where there was none");
        for (index, frame) in frames.iter().enumerate() {
            if let Err(error) = file.write_all(&frame.bytes) {
                let mut cut = file.truncate(self.size_bytes);
                if index > 0 {
                    // The frames before are on disk already and must not come back at the next start.
                    cut = cut.and_then(|()| file.sync_data());
                }
                if let Err(source) = cut {
                    self.stopped = true;
                    let what = "it could not be cut back after a failed write";
                    return Err(JournalError::Stopped { what, source: Some(source) });
                }
                return Err(failed_write(error));
            }
            if let Err(source) = file.sync_data() {
                self.stopped = true;
                // The frames were not acknowledged. Cutting them is an attempt to keep them from coming back
                // at the next start; nothing relies on it, because no synchronisation is believed any more.
                let _ = file.truncate(self.size_bytes);
                let what = "the disk did not confirm a write";
                return Err(JournalError::Stopped { what, source: Some(source) });
            }
        }
        self.map.change(|segments| {
            let segment = segments.last_mut().expect("the file being written is in the map");
            for frame in frames {
                let header = Header::read(&frame.bytes).expect("a frame that was just made has a header");
                segment.saw_frame(&header, self.size_bytes);
                self.size_bytes += frame.bytes.len() as u64;
            }
        });
        Ok(())
    }

    /// Tries whether there is room again.
    pub(crate) fn look_for_space(&self) -> io::Result<()> {
        let path = self.map.directory.join(PROBE_NAME);
        let tried = self.map.files.open_append(&path).and_then(|mut file| {
            file.write_all(&vec![0; PROBE_BYTES])?;
            file.sync_data()
        });
        let removed = self.map.files.remove(&path);
        tried.and(removed)
    }

    /// Starts the file for `first` and seals the one before it.
    fn start_file(&mut self, first: Position) -> io::Result<()> {
        let files = &self.map.files;
        let path = self.map.directory.join(file_name(first));
        let started = files.open_append(&path)?;
        files.sync_directory(&self.map.directory)?;
        let full = self.map.change(|segments| {
            let full = segments.last().map(|segment| segment.path.clone());
            segments.push(Segment::new(first, path));
            full
        });
        self.file = Some(started);
        self.size_bytes = 0;
        if let Some(full) = full {
            self.map.mark_read_only(&full);
        }
        Ok(())
    }
}

fn failed_write(error: io::Error) -> JournalError {
    if is_no_space(&error) { JournalError::NoSpace(error) } else { JournalError::Write(error) }
}
