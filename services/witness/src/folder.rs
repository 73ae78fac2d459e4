//! One log's directory: what is remembered of it, replaced in one step, and what was found about it.
//!
//! ```text
//! record      the last checkpoint that was cosigned
//! findings/   signed proof that the log misbehaved
//! ```
//!
//! The directory is made with a record in it, so one without is damage, not a beginning.

use crate::record::{self, Damaged, Record};
use evidence::NOTE_LIMIT_BYTES;
use service::durable::{READABLE, make_folder, read_bounded, sync_folder, write_new};
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

const RECORD_NAME: &str = "record";
const NEXT_RECORD_NAME: &str = "record.new";
const FINDINGS_NAME: &str = "findings";
/// The largest record: a signed note, and four lines.
const RECORD_LIMIT_BYTES: usize = NOTE_LIMIT_BYTES + 4 * 1024;

/// The directory of one log.
#[derive(Debug, Clone)]
pub(crate) struct LogFolder {
    origin: String,
    path: PathBuf,
}

/// Why what is remembered of a log cannot be used. The log is not cosigned until a person has decided.
#[derive(Debug, Error)]
pub enum FolderError {
    /// The disk refused.
    #[error("cannot read or make `{}`: put that right and start the witness again", path.display())]
    Files {
        /// What was used.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is a directory, but no record in it.
    #[error(
        "`{}` holds no record of the last cosigned checkpoint: bring the file back as it was last; from an older \
         copy this key could cosign what contradicts what it cosigned already, so if the last one is lost, remove \
         the witness's whole directory and begin with a new key",
        .0.display()
    )]
    Missing(PathBuf),
    /// The record is damaged.
    #[error(
        "`{}` is damaged: bring the file back as it was last; from an older copy this key could cosign what \
         contradicts what it cosigned already, so if the last one is lost, remove the witness's whole directory and \
         begin with a new key",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Damaged,
    },
}

/// Why what is to be remembered is not on the disk.
#[derive(Debug, Error)]
pub enum SaveError {
    /// The old record stands. Trying again can help.
    #[error("the checkpoint could not be written down, so it is not cosigned")]
    NotSaved(#[source] io::Error),
    /// Which of the two records stands after a power cut is not known: nothing is cosigned until a restart.
    #[error("the disk did not confirm what is remembered of the log: nothing is cosigned until a restart")]
    Uncertain(#[source] io::Error),
}

impl LogFolder {
    /// Names the directory of a log without looking at it.
    pub(crate) fn new(logs: &Path, origin: &str) -> LogFolder {
        LogFolder { origin: origin.to_owned(), path: logs.join(record::hex_sha256(origin.as_bytes())) }
    }

    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// Where what was found about the log is kept.
    pub(crate) fn findings(&self) -> PathBuf {
        self.path.join(FINDINGS_NAME)
    }

    /// Reads what is remembered. A log that has no directory yet gets one in which nothing is remembered.
    pub(crate) fn load(&self) -> Result<Option<Record>, FolderError> {
        let refused = |source| FolderError::Files { path: self.path.clone(), source };
        if !self.path.try_exists().map_err(refused)? {
            self.begin().map_err(refused)?;
            tracing::warn!(
                log = self.origin,
                "Nothing is remembered of the log `{}`: the first checkpoint that it signed is believed",
                self.origin
            );
            return Ok(None);
        }
        let path = self.path.join(RECORD_NAME);
        let bytes = match read_bounded(&path, RECORD_LIMIT_BYTES) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(FolderError::Missing(path)),
            Err(source) => return Err(FolderError::Files { path, source }),
        };
        record::read(&self.origin, &bytes).map_err(|source| FolderError::Damaged { path, source })
    }

    /// Makes the directory beside its place and moves it there whole.
    fn begin(&self) -> io::Result<()> {
        let beside = self.path.with_extension("new");
        make_folder(&beside)?;
        make_folder(&beside.join(FINDINGS_NAME))?;
        write_new(&beside.join(RECORD_NAME), record::write(&self.origin, None).as_bytes(), READABLE)?;
        sync_folder(&beside)?;
        std::fs::rename(&beside, &self.path)?;
        sync_folder(self.path.parent().expect("a log's directory lies in the witness's"))
    }

    /// Replaces what is remembered; when it returns, the new record is on the disk under its name.
    pub(crate) fn save(&self, record: &Record) -> Result<(), SaveError> {
        let next = self.path.join(NEXT_RECORD_NAME);
        let text = record::write(&self.origin, Some(record));
        write_new(&next, text.as_bytes(), READABLE).map_err(SaveError::NotSaved)?;
        std::fs::rename(&next, self.path.join(RECORD_NAME))
            .and_then(|()| sync_folder(&self.path))
            .map_err(SaveError::Uncertain)
    }
}
