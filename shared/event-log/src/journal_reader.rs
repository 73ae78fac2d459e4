//! Reading a log's journal in order without opening the log: also while it is being written, and without an index.

use crate::directory;
use crate::files::Files;
use crate::frame::{self, End};
use crate::journal::{self, JournalReadError};
use crate::open::OpenError;
use crate::stored::Stored;
use events::{PlanId, Position};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// How often the files are listed anew because one of them went away meanwhile.
const LISTINGS_LIMIT: usize = 16;

/// Reads the events of a log from its journal's files. Changes nothing and takes no lock.
pub struct JournalReader<'a> {
    files: &'a dyn Files,
    directory: PathBuf,
    plan: PlanId,
}

/// Where a walk through a journal ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalEnd {
    /// The last position that was handed out.
    pub head: Position,
    /// What follows the last whole frame, if anything does: a commit on its way, one that was torn, or damage.
    pub torn: Option<TornEnd>,
}

/// Bytes at the end of a journal that are no whole frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TornEnd {
    /// The file.
    pub file: PathBuf,
    /// Where in the file they start.
    pub offset: u64,
    /// How many there are.
    pub bytes: u64,
    /// Why they are no frame.
    pub what: String,
}

/// Why a journal could not be read.
#[derive(Debug, Error)]
pub enum JournalWalkError {
    /// The directory is not one that this version can read.
    #[error(transparent)]
    Directory(#[from] OpenError),
    /// There is no log.
    #[error("there is no log in `{}`; name the directory that holds `format.json`", .0.display())]
    NoLog(PathBuf),
    /// A file cannot be read or is damaged.
    #[error(transparent)]
    Journal(#[from] JournalReadError),
    /// The files were replaced again and again.
    #[error("the files of `{}` are replaced faster than they can be read; try again", .0.display())]
    Changing(PathBuf),
}

impl<'a> JournalReader<'a> {
    /// Looks whose log lies in a directory.
    pub fn new(files: &'a dyn Files, directory: &Path) -> Result<JournalReader<'a>, JournalWalkError> {
        let plan = directory::read_format(files, directory)?
            .ok_or_else(|| JournalWalkError::NoLog(directory.to_owned()))?;
        Ok(JournalReader { files, directory: directory.to_owned(), plan })
    }

    /// The plan whose log it is.
    pub fn plan(&self) -> &PlanId {
        &self.plan
    }

    /// Whether somebody has the log open.
    pub fn is_in_use(&self) -> Result<bool, JournalWalkError> {
        let path = directory::lock_file(&self.directory);
        let is_locked = self.files.is_locked(&path);
        is_locked.map_err(|source| JournalReadError::Read { path, source }.into())
    }

    /// Hands out every event from position 1 on, in order, until the visitor stops or the whole frames end.
    ///
    /// Everything that was acknowledged before the call is in whole frames, unless it is damaged. Damage with
    /// whole frames behind it is an error.
    pub fn walk(
        &self,
        visit: &mut dyn FnMut(&Stored) -> ControlFlow<()>,
    ) -> Result<JournalEnd, JournalWalkError> {
        let journal = directory::journal(&self.directory);
        let mut walk = Walk { next: Position(1), visit };
        'listed: for _ in 0..LISTINGS_LIMIT {
            let listed = journal::list(self.files, &journal)
                .map_err(|source| JournalReadError::Read { path: journal.clone(), source })?;
            // Files before it were read before they were listed anew.
            let from = listed.partition_point(|(first, _)| *first <= walk.next).saturating_sub(1);
            for (index, (first, path)) in listed.iter().enumerate().skip(from) {
                if *first > walk.next {
                    return Err(walk.damaged(path, 0, format!("the file starts with position {first}")));
                }
                let bytes = match self.files.read(path) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue 'listed,
                    read => read.map_err(|source| JournalReadError::Read { path: path.clone(), source })?,
                };
                let is_last = index + 1 == listed.len();
                if let ControlFlow::Break(torn) = walk.file(path, &bytes, is_last)? {
                    return Ok(JournalEnd { head: Position(walk.next.0 - 1), torn });
                }
            }
            return Ok(JournalEnd { head: Position(walk.next.0 - 1), torn: None });
        }
        Err(JournalWalkError::Changing(self.directory.clone()))
    }
}

struct Walk<'a> {
    next: Position,
    visit: &'a mut dyn FnMut(&Stored) -> ControlFlow<()>,
}

impl Walk<'_> {
    fn damaged(&self, path: &Path, offset: usize, what: String) -> JournalWalkError {
        let (path, offset, position) = (path.to_owned(), offset as u64, self.next);
        JournalReadError::Damaged { path, offset, position, what }.into()
    }

    fn file(
        &mut self,
        path: &Path,
        bytes: &[u8],
        is_last: bool,
    ) -> Result<ControlFlow<Option<TornEnd>>, JournalWalkError> {
        let mut frames = Vec::new();
        let (length, end) = frame::walk(bytes, |offset, header| frames.push((offset, header.last())));
        for (offset, last) in frames {
            // It was handed out before the files were listed anew.
            if last < self.next {
                continue;
            }
            let stored = frame::decode(&bytes[offset..])
                .map_err(|error| self.damaged(path, offset, error.to_string()))?;
            for stored in &stored {
                if stored.position < self.next {
                    continue;
                }
                if stored.position != self.next {
                    return Err(self.damaged(path, offset, format!("position {} is here", stored.position)));
                }
                if (self.visit)(stored).is_break() {
                    self.next = self.next.next();
                    return Ok(ControlFlow::Break(None));
                }
                self.next = self.next.next();
            }
        }
        match end {
            End::Clean => Ok(ControlFlow::Continue(())),
            End::Torn { what, resumes: None } if is_last => Ok(ControlFlow::Break(Some(TornEnd {
                file: path.to_owned(),
                offset: length as u64,
                bytes: (bytes.len() - length) as u64,
                what: what.to_string(),
            }))),
            End::Torn { what, .. } => Err(self.damaged(path, length, what.to_string())),
        }
    }
}
