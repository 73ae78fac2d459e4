//! Making a log from a bundle that verified completely.

use super::report::{BundleError, BundleReport};
use super::verify::{verify_bundle, walk_bundle};
use crate::files::Files;
use crate::log::ReadError;
use crate::open::{OpenError, Opened, open};
use crate::options::Options;
use crate::proofs::EvidenceError;
use crate::stored::Copied;
use crate::verify::Problem;
use crate::writer::{AppendError, Writer};
use bytes::Bytes;
use events::{Position, Timestamp};
use evidence::{TreeHash, VerifierKey};
use std::path::Path;
use thiserror::Error;

/// How much is gathered for one commit.
const COMMIT_EVENTS: usize = 4_096;
const COMMIT_BYTES: usize = 4 * 1024 * 1024;

/// What was imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportReport {
    /// What the check of the bundle found: nothing wrong.
    pub bundle: BundleReport,
    /// The head of the log.
    pub head: Position,
    /// When its last event was recorded.
    pub recorded_at: Option<Timestamp>,
    /// Its root, which is that of the bundle.
    pub root: TreeHash,
}

/// Why a log was not made from a bundle.
#[derive(Debug, Error)]
pub enum ImportError {
    /// The bundle could not be checked. Nothing was written.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// Something is wrong with the bundle. Nothing was written.
    #[error(
        "the bundle is not whole: {} problems, the first at position {} in `{}`: {}; nothing was imported",
        problems,
        first.position,
        first.file.display(),
        first.what
    )]
    NotWhole {
        /// How many problems there are.
        problems: u64,
        /// The first one.
        first: Box<Problem>,
    },
    /// The bundle does not start at position 1. Nothing was written.
    #[error(
        "the bundle starts at position {from}: a log is made of one that starts at position 1, export it from there"
    )]
    Selection {
        /// Where it starts.
        from: u64,
    },
    /// The directory holds more than the bundle.
    #[error("the directory holds {head} events, the bundle {to}; name a fresh directory")]
    HoldsMore {
        /// The head of what is there.
        head: Position,
        /// The last position of the bundle.
        to: u64,
    },
    /// The log did not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// An event could not be written; importing again goes on from there.
    #[error("the import stopped at position {head}; import again to go on")]
    Append {
        /// How far it got.
        head: Position,
        /// Why.
        source: AppendError,
    },
    /// What was written could not be read again.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The root of what was written could not be computed.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// The bundle changed while it was read.
    #[error(
        "the bundle changed while it was imported: what was written has another root; remove the directory, import again"
    )]
    Changed,
}

/// Makes a log in a fresh directory from a bundle that starts at position 1.
///
/// The bundle is verified completely before anything is written. An import that was cut short is continued by
/// the next one: what is there already is compared with the bundle.
pub fn import(
    files: &dyn Files,
    bundle: &Path,
    keys: &[VerifierKey],
    directory: &Path,
    options: Options,
) -> Result<ImportReport, ImportError> {
    let report = verify_bundle(files, bundle, keys)?;
    if let Some(first) = report.problems.first() {
        let problems = report.problems.len() as u64 + report.further_problems;
        return Err(ImportError::NotWhole { problems, first: Box::new(first.clone()) });
    }
    let (from, to) = report.selected.clone().into_inner();
    let (1, Some(root)) = (from, report.root) else { return Err(ImportError::Selection { from }) };
    let Opened { log, writer, .. } = open(directory, &report.plan, options)?;
    if log.head().0 > to {
        return Err(ImportError::HoldsMore { head: log.head(), to });
    }
    let mut copying = Copying { writer, gathered: Vec::new(), bytes: 0, outcome: Ok(()) };
    let again = walk_bundle(files, bundle, keys, &mut |position, bytes| copying.take(position, bytes))?;
    copying.write();
    let head = log.head();
    copying.outcome.map_err(|source| ImportError::Append { head, source })?;
    if !again.is_ok() || head.0 != to || log.root_at(head)? != root {
        return Err(ImportError::Changed);
    }
    let recorded_at = log.event_at(head)?.map(|last| last.recorded_at);
    Ok(ImportReport { bundle: report, head, recorded_at, root })
}

/// Gathers events into commits; after a failure the rest is passed over.
struct Copying {
    writer: Writer,
    gathered: Vec<Copied>,
    bytes: usize,
    outcome: Result<(), AppendError>,
}

impl Copying {
    fn take(&mut self, position: Position, bytes: Bytes) {
        self.bytes += bytes.len();
        // The slice would keep its whole entry bundle in memory.
        self.gathered.push(Copied { position, bytes: Bytes::copy_from_slice(&bytes) });
        if self.gathered.len() >= COMMIT_EVENTS || self.bytes >= COMMIT_BYTES {
            self.write();
        }
    }

    fn write(&mut self) {
        self.bytes = 0;
        let gathered = std::mem::take(&mut self.gathered);
        if self.outcome.is_ok() {
            self.outcome = self.writer.append_copy(gathered).map(drop);
        }
    }
}
