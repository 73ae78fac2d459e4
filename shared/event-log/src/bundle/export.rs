//! Writing a bundle of an open log.

use super::writing::Writing;
use super::{FORMAT, Mark, path_in, tile_above};
use crate::files::Files;
use crate::journal_reader::JournalWalkError;
use crate::log::Log;
use crate::proofs::EvidenceError;
use events::Position;
use evidence::{Resource, SignedCheckpoint, TILE_LEVELS, TilePath, VerifierKey, full_tiles};
use std::collections::BTreeSet;
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportReport {
    /// The first and the last position whose events are in the bundle: the selection, rounded out.
    pub events: RangeInclusive<u64>,
    /// How many files were written.
    pub files: usize,
    /// How many bytes are in them.
    pub bytes: u64,
}

/// Why nothing, or only a part without its mark, was exported.
#[derive(Debug, Error)]
pub enum ExportError {
    /// Something is there already.
    #[error("`{}` is not empty; name a directory that is not there yet", .0.display())]
    NotEmpty(PathBuf),
    /// The selection is not within what the checkpoint covers.
    #[error(
        "positions {from} to {to} are not within the {size} events that the checkpoint covers; take a newer \
         checkpoint or fewer positions"
    )]
    Selection {
        /// The first position asked for.
        from: Position,
        /// The last position asked for.
        to: Position,
        /// How many events the checkpoint covers.
        size: u64,
    },
    /// The checkpoint is not of this log.
    #[error(
        "the checkpoint of {size} events by `{origin}` does not agree with this log; take one that it signed"
    )]
    OtherLog {
        /// Whose checkpoint it says it is.
        origin: String,
        /// How many events it covers.
        size: u64,
    },
    /// The log ends before the selection, or before the checkpoint's size.
    #[error("the log holds {head} whole events in a row, {size} were to be exported; take fewer")]
    Short {
        /// The head of the log.
        head: Position,
        /// How many events it should have.
        size: u64,
    },
    /// The journal was rewritten between two readings.
    #[error("the journal changed while it was exported: remove what was written and export it again")]
    Changed,
    /// An event is larger than a bundle can hold.
    #[error("the event at position {0} is larger than any that this log can have recorded")]
    TooLarge(Position),
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalWalkError),
    /// The log could not show its evidence.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// A file could not be written.
    #[error("cannot write `{}`", path.display())]
    Files {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Writes the events from one position to another (inclusive) into a directory, with everything that is needed
/// to hold them against the checkpoint. From 1 to the checkpoint's size it is the whole log.
///
/// The checkpoint has to be of this log; its signatures are not looked at here. Everything is on disk when it
/// returns; the mark comes last.
pub fn export(
    log: &Log,
    selection: RangeInclusive<Position>,
    checkpoint: &SignedCheckpoint,
    keys: &[VerifierKey],
    files: &dyn Files,
    directory: &Path,
) -> Result<ExportReport, ExportError> {
    let (from, to) = selection.into_inner();
    let size = checkpoint.claimed().size();
    if from < Position(1) || from > to || to.0 > size {
        return Err(ExportError::Selection { from, to, size });
    }
    if log.root_at(Position(size))? != checkpoint.claimed().root() {
        let origin = checkpoint.claimed().origin().to_owned();
        return Err(ExportError::OtherLog { origin, size });
    }
    let mut bundle = Writing::begin(files, directory)?;
    for path in paths(size, from.0 - 1, to.0 - 1) {
        let missing = EvidenceError::Beyond { asked: size, size: log.tree_size() };
        bundle.tile(path, &log.tile(&path)?.ok_or(missing)?)?;
    }
    let mark = Mark { format: FORMAT, plan: log.plan().clone(), from, to, unsigned: None };
    bundle.finish(keys, Some(checkpoint), size, &mark)
}

/// What has to be in a bundle of the entries from one index to another: their bundles, the tiles above them,
/// and the rightmost tile of every level.
fn paths(size: u64, first: u64, last: u64) -> Vec<TilePath> {
    let entries = tile_above(first, 0)..=tile_above(last, 0);
    let mut paths: Vec<TilePath> = entries.filter_map(|at| path_in(size, Resource::Entries, at)).collect();
    for level in 0..TILE_LEVELS {
        let above = tile_above(first, level)..=tile_above(last, level);
        let tiles: BTreeSet<u64> = above.chain([full_tiles(size, level)]).collect();
        paths.extend(tiles.into_iter().filter_map(|at| path_in(size, Resource::Hashes { level }, at)));
    }
    paths
}
