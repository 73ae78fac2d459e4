//! Writing a bundle straight from a journal's files: of a log that is not opened here, stopped or running.

use super::export::{ExportError, ExportReport};
use super::shape::is_tile_of;
use super::writing::Writing;
use super::{FORMAT, Mark, UnsignedHead, path_in};
use crate::files::Files;
use crate::journal_reader::JournalReader;
use events::Position;
use evidence::{
    Checkpoint, EMPTY_ROOT, Edge, FULL_TILE_HASHES, Frontier, Resource, SignedCheckpoint, TILE_LEVELS,
    TilePath, TreeHash, VerifierKey, full_tiles, leaf_hash, push_entry, write_tile,
};
use std::ops::{ControlFlow, RangeInclusive};
use std::path::Path;

/// What an exported bundle is to be held against.
#[derive(Debug, Clone, Copy)]
pub enum BundleHead<'a> {
    /// A checkpoint that covers everything in it.
    Signed(&'a SignedCheckpoint),
    /// The tree over the first `size` events, which nobody signed.
    Unsigned {
        /// How many events.
        size: u64,
        /// A checkpoint of no more events, which goes along.
        older: Option<&'a SignedCheckpoint>,
    },
}

impl<'a> BundleHead<'a> {
    fn checkpoint(&self) -> Option<&'a SignedCheckpoint> {
        match self {
            BundleHead::Signed(checkpoint) => Some(checkpoint),
            BundleHead::Unsigned { older, .. } => *older,
        }
    }

    fn size(&self) -> u64 {
        match self {
            BundleHead::Signed(checkpoint) => checkpoint.claimed().size(),
            BundleHead::Unsigned { size, .. } => *size,
        }
    }
}

/// Writes the events from one position to another (inclusive) into a directory, as [`export`](super::export)
/// does, and reads the journal for it: once to hold it against the checkpoint before anything is written, once
/// to write.
///
/// Neither the log's lock nor its index is needed, and memory is bounded by one journal file. `progress` is told
/// how many events were written.
pub fn export_journal(
    journal: &JournalReader<'_>,
    selection: RangeInclusive<Position>,
    head: BundleHead<'_>,
    keys: &[VerifierKey],
    files: &dyn Files,
    directory: &Path,
    progress: &mut dyn FnMut(u64),
) -> Result<ExportReport, ExportError> {
    let (from, to) = selection.into_inner();
    let (size, checkpoint) = (head.size(), head.checkpoint());
    if from < Position(1) || from > to || to.0 > size {
        return Err(ExportError::Selection { from, to, size });
    }
    let mut bundle = Bundle {
        writing: Writing::begin(files, directory)?,
        size,
        first: from.0 - 1,
        last: to.0 - 1,
        edge: Edge::new(),
        entries: Vec::new(),
    };
    let root = root_of(journal, size, checkpoint.map(SignedCheckpoint::claimed))?;
    let mut outcome = Ok(());
    journal.walk(&mut |stored| {
        outcome = bundle.append(stored.position, &stored.bytes);
        progress(bundle.edge.size());
        if outcome.is_ok() && bundle.edge.size() < size {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    outcome?;
    if (bundle.edge.size(), bundle.edge.root()) != (size, root) {
        return Err(ExportError::Changed);
    }
    bundle.write_edge()?;
    let unsigned = match head {
        BundleHead::Signed(_) => None,
        BundleHead::Unsigned { .. } => Some(UnsignedHead { size, root: root.to_string() }),
    };
    let mark = Mark { format: FORMAT, plan: journal.plan().clone(), from, to, unsigned };
    bundle.writing.finish(keys, checkpoint, size, &mark)
}

/// The root over the first events of a journal, once it agrees with what a checkpoint claims.
fn root_of(
    journal: &JournalReader<'_>,
    size: u64,
    claimed: Option<&Checkpoint>,
) -> Result<TreeHash, ExportError> {
    let mut tree = Frontier::new();
    let mut covered = claimed.filter(|claimed| claimed.size() == 0).map(|_| EMPTY_ROOT);
    journal.walk(&mut |stored| {
        tree.append(leaf_hash(&stored.bytes));
        if claimed.is_some_and(|claimed| claimed.size() == tree.size()) {
            covered = Some(tree.root());
        }
        if tree.size() < size { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    if tree.size() < size {
        return Err(ExportError::Short { head: Position(tree.size()), size });
    }
    match claimed {
        Some(claimed) if covered != Some(claimed.root()) => {
            Err(ExportError::OtherLog { origin: claimed.origin().to_owned(), size: claimed.size() })
        }
        _ => Ok(tree.root()),
    }
}

/// A bundle while the events go by.
struct Bundle<'a> {
    writing: Writing<'a>,
    size: u64,
    first: u64,
    last: u64,
    edge: Edge,
    /// The entry bundle that is being filled.
    entries: Vec<u8>,
}

impl Bundle<'_> {
    fn append(&mut self, position: Position, bytes: &[u8]) -> Result<(), ExportError> {
        if !push_entry(&mut self.entries, bytes) {
            return Err(ExportError::TooLarge(position));
        }
        let (size, first, last, writing) = (self.size, self.first, self.last, &mut self.writing);
        let mut outcome = Ok(());
        self.edge.append(leaf_hash(bytes), |tile| {
            let path = TilePath::full(Resource::Hashes { level: tile.level }, tile.index);
            if outcome.is_ok() && is_tile_of(path, size, first, last) {
                outcome = writing.tile(path, &write_tile(tile.hashes));
            }
        });
        outcome?;
        let index = position.0 - 1;
        let is_last_of_bundle = position.0.is_multiple_of(FULL_TILE_HASHES as u64) || position.0 == self.size;
        if !is_last_of_bundle {
            return Ok(());
        }
        let entries = std::mem::take(&mut self.entries);
        let path = path_in(self.size, Resource::Entries, index / FULL_TILE_HASHES as u64);
        match path.filter(|path| is_tile_of(*path, self.size, self.first, self.last)) {
            Some(path) => self.writing.tile(path, &entries),
            None => Ok(()),
        }
    }

    /// Writes the rightmost tile of every level.
    fn write_edge(&mut self) -> Result<(), ExportError> {
        for level in 0..TILE_LEVELS {
            let hashes = self.edge.partial(level);
            let path = path_in(self.size, Resource::Hashes { level }, full_tiles(self.size, level));
            if let Some(path) = path.filter(|_| !hashes.is_empty()) {
                self.writing.tile(path, &write_tile(hashes))?;
            }
        }
        Ok(())
    }
}
