//! The first event of a log, read without opening it.

use crate::directory;
use crate::files::RealFiles;
use crate::journal;
use crate::open::OpenError;
use crate::stored::Stored;
use events::{PlanId, Position};
use std::io;
use std::path::Path;

/// What a directory begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FirstEvent {
    /// There is no log, or its journal holds nothing.
    None,
    /// This one.
    Found(Stored),
    /// Something was written, and its beginning cannot be read: opening it says what is wrong.
    Unreadable,
}

/// Looks at what the log in a directory begins with. Changes nothing and takes no lock.
pub fn first_event(directory: &Path, plan: &PlanId) -> Result<FirstEvent, OpenError> {
    let journal_directory = directory::journal(directory);
    let refused = |source| OpenError::Files { path: journal_directory.clone(), source };
    let files = match journal::list(&RealFiles, &journal_directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        listed => listed.map_err(refused)?,
    };
    match directory::read_format(&RealFiles, directory)? {
        None if files.is_empty() => return Ok(FirstEvent::None),
        None => return Err(OpenError::NoFormatMark { directory: directory.to_owned() }),
        Some(found) if found != *plan => {
            return Err(OpenError::OtherPlan { directory: directory.to_owned(), found, asked: plan.clone() });
        }
        Some(_) => {}
    }
    // Without its first file the journal is damaged, which opening it sees to.
    if files.first().is_some_and(|(first, _)| *first != Position(1)) {
        return Ok(FirstEvent::Unreadable);
    }
    for (first, path) in files {
        let metadata = std::fs::metadata(&path).map_err(refused)?;
        if metadata.len() == 0 {
            continue;
        }
        let read = journal::read_frame(&RealFiles, &path, 0).ok();
        let found =
            read.and_then(|stored| stored.into_iter().next()).filter(|stored| stored.position == first);
        return Ok(found.map_or(FirstEvent::Unreadable, FirstEvent::Found));
    }
    Ok(FirstEvent::None)
}
