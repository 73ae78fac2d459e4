//! The last checkpoint that was signed, kept where no fault of the log takes it along.
//!
//! It lies in two places: in the log's directory, where backups and `planwatch log verify` find it, and beside
//! the keys. The second is what tells when an older copy of the log was put back under keys that have signed
//! more than it holds: a key must never sign two histories.

use event_log::{EvidenceError, Log};
use events::Position;
use evidence::{Checkpoint, CheckpointError, SignedCheckpoint};
use service::durable::{READABLE, replace_and_sync};
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// The name of the last checkpoint's file, in the log's directory and beside the keys.
pub const CHECKPOINT_NAME: &str = "checkpoint";
/// The largest file that is read as one.
const FILE_LIMIT_BYTES: u64 = 256 * 1024;

/// Why kept checkpoints cannot be used.
#[derive(Debug, Error)]
pub enum KeptError {
    /// The disk refused.
    #[error("cannot use the checkpoint `{}`", path.display())]
    Files {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The kept checkpoint is none.
    #[error(
        "the checkpoint `{}` cannot be read, so nobody can tell whether the log is still the one that was signed: \
         check the log against a checkpoint that someone else has (`planwatch log verify`), then move this file \
         aside",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        source: CheckpointError,
    },
}

/// The log is not the one that was signed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "the log is not the one that was signed: the checkpoint `{}` by `{origin}` says {what}. Nothing is recorded, \
     published or signed. Stop the service, put back a copy of the log that agrees with this checkpoint, and check it \
     with `planwatch log verify --checkpoint`; if there is none, see `Evidence` in the README",
    path.display()
)]
pub struct Contradiction {
    path: PathBuf,
    origin: String,
    what: String,
}

/// The places of the last checkpoint, and what was found there at the start.
#[derive(Debug)]
pub(crate) struct Kept {
    places: Vec<PathBuf>,
    found: Vec<(PathBuf, SignedCheckpoint)>,
}

impl Kept {
    /// Reads what is kept about a log.
    pub(crate) fn read(log_directory: &Path, keys_directory: Option<&Path>) -> Result<Kept, KeptError> {
        let directories = keys_directory.into_iter().chain([log_directory]);
        let places: Vec<PathBuf> = directories.map(|directory| directory.join(CHECKPOINT_NAME)).collect();
        let mut found = Vec::new();
        for path in &places {
            found.extend(read_kept(path)?.map(|checkpoint| (path.clone(), checkpoint)));
        }
        Ok(Kept { places, found })
    }

    /// The one that covers most.
    pub(crate) fn latest(&self) -> Option<&SignedCheckpoint> {
        self.found.iter().map(|(_, found)| found).max_by_key(|found| found.claimed().size())
    }

    /// So many events were signed, and so were durable.
    pub(crate) fn size(&self) -> Position {
        Position(self.latest().map_or(0, |latest| latest.claimed().size()))
    }

    /// Holds a log against everything that is kept.
    pub(crate) fn contradiction(&self, log: &Log) -> Result<Option<Contradiction>, EvidenceError> {
        for (path, found) in &self.found {
            let claimed = found.claimed();
            if let Some(what) = difference(log, claimed)? {
                let origin = claimed.origin().to_owned();
                return Ok(Some(Contradiction { path: path.clone(), origin, what }));
            }
        }
        Ok(None)
    }

    /// Replaces the kept checkpoint, in each place in one step. What it says is durable already.
    pub(crate) fn keep(&self, checkpoint: &SignedCheckpoint) -> Result<(), KeptError> {
        for path in &self.places {
            replace_and_sync(path, checkpoint.to_string().as_bytes(), READABLE)
                .map_err(|source| KeptError::Files { path: path.clone(), source })?;
        }
        Ok(())
    }
}

/// Reads the checkpoint in a file; none where there is no file.
pub fn read_kept(path: &Path) -> Result<Option<SignedCheckpoint>, KeptError> {
    let refused = |source| KeptError::Files { path: path.to_owned(), source };
    let damaged = |source| KeptError::Damaged { path: path.to_owned(), source };
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refused(error)),
        Ok(metadata) if metadata.len() > FILE_LIMIT_BYTES => {
            return Err(refused(io::Error::other("it is too large to be a checkpoint")));
        }
        Ok(_) => {}
    }
    let bytes = std::fs::read(path).map_err(refused)?;
    SignedCheckpoint::parse(&bytes).map(Some).map_err(damaged)
}

/// In what a log differs from what a checkpoint claims.
fn difference(log: &Log, claimed: &Checkpoint) -> Result<Option<String>, EvidenceError> {
    let (signed, size) = (claimed.size(), log.tree_size());
    if signed > size {
        let first = size + 1;
        return Ok(Some(format!(
            "{signed} events, the log ends at position {size}: positions {first} to {signed} are missing"
        )));
    }
    let root = log.root_at(Position(signed))?;
    Ok((root != claimed.root()).then(|| {
        format!(
            "that its first {signed} events have the root {}, here they have {root}: at least one event at or before \
             position {signed} is another one",
            claimed.root()
        )
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{TestLog, key, signed};

    #[test]
    fn a_log_is_held_against_both_places() {
        let folder = tempfile::tempdir().unwrap();
        let (log_directory, keys) = (folder.path().join("log"), folder.path().join("keys"));
        std::fs::create_dir(&keys).unwrap();
        let mut test = TestLog::open(&log_directory, 3);
        let nothing = Kept::read(&log_directory, Some(&keys)).unwrap();
        assert_eq!((nothing.size(), nothing.contradiction(&test.log).unwrap()), (Position::START, None));
        let early = signed(&test.log, &key(1));
        nothing.keep(&early).unwrap();
        test.append(2);
        // A process that was killed between the two places left the newer one beside the keys alone.
        std::fs::write(keys.join(CHECKPOINT_NAME), signed(&test.log, &key(1)).to_string()).unwrap();
        let kept = Kept::read(&log_directory, Some(&keys)).unwrap();
        assert_eq!((kept.size(), kept.contradiction(&test.log).unwrap()), (Position(5), None));
        // Without keys there is the one in the log's directory.
        assert_eq!(Kept::read(&log_directory, None).unwrap().size(), Position(3));

        let shorter = TestLog::open(&folder.path().join("shorter"), 4);
        let said = kept.contradiction(&shorter.log).unwrap().unwrap().to_string();
        assert!(said.contains("keys/checkpoint") && said.contains("positions 5 to 5 are missing"), "{said}");
        let mut other = TestLog::open_numbered(&folder.path().join("other"), 3, 100);
        other.append(9);
        let said = kept.contradiction(&other.log).unwrap().unwrap().to_string();
        assert!(said.contains("at or before position 5 is another one"), "{said}");
    }

    #[test]
    fn a_checkpoint_that_cannot_be_read_is_named_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(CHECKPOINT_NAME);
        let test = TestLog::open(&folder.path().join("log"), 3);
        let note = signed(&test.log, &key(1)).to_string();
        for damaged in ["", "x", &note[..note.len() - 1], &note.replace("\n3\n", "\n03\n")] {
            std::fs::write(&file, damaged).unwrap();
            let error = Kept::read(folder.path(), None).unwrap_err();
            assert!(matches!(error, KeptError::Damaged { .. }), "{damaged:?}: {error}");
            assert!(error.to_string().contains("move this file aside"), "{error}");
        }
        std::fs::write(&file, vec![b'x'; 300 * 1024]).unwrap();
        assert!(matches!(Kept::read(folder.path(), None), Err(KeptError::Files { .. })));
    }
}
