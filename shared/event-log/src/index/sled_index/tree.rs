//! Taking up the index's tree at an opening, and reading it back from the events.

use super::{SledIndex, guarded, storage_error};
use crate::index::tiles::{self, Growing, Kept};
use crate::index::{Index, IndexError};
use crate::stored::{Page, ReadLimit};
use events::Position;
use evidence::{TreeHash, leaf_hash};
use sled::transaction::Transactional;
use std::sync::Mutex;

/// How much is read at once while leaves are made.
const LEAVES_PAGE_BYTES: usize = 4 * 1024 * 1024;
/// For how many events hashes are made before what was made is durable.
const MADE_EVENTS: u64 = 4_096;

impl SledIndex {
    /// Takes up the tree, and makes the tiles of events that came from a version without any.
    ///
    /// An index whose tree is of no use still opens: its events may be what the journal is repaired from.
    pub(super) fn with_tree(mut self) -> Result<SledIndex, IndexError> {
        match self.take_up_tree() {
            Err(IndexError::Damaged(what)) => self.tree_fault = Some(what),
            taken => taken?,
        }
        Ok(self)
    }

    fn take_up_tree(&mut self) -> Result<(), IndexError> {
        let head = self.head().0;
        let damaged = |what: &str| IndexError::Damaged(what.to_owned());
        let mark = guarded(|| self.meta.get("tree"))?;
        let mark = mark.map(|mark| tiles::read_mark(&mark).ok_or_else(|| damaged("its tree has no size")));
        let (size, root) = mark.transpose()?.unwrap_or((0, evidence::EMPTY_ROOT));
        if size > head {
            return Err(damaged("its tree is larger than what it holds"));
        }
        let edge = self.kept().resume(size, root)?;
        let edge = edge.ok_or_else(|| damaged("its tree is not that of its events"))?;
        // The newest full tile is held against its events.
        if let Some(newest) = (size >> evidence::TILE_HEIGHT).checked_sub(1) {
            self.kept().read(&edge, 0, newest)?;
        }
        self.edge = Mutex::new(edge);
        self.tiles_made = head - size;
        self.make_tiles(size, head)
    }

    /// Makes the tiles of events that it holds already, a bounded transaction at a time.
    fn make_tiles(&self, mut size: u64, head: u64) -> Result<(), IndexError> {
        while size < head {
            let until = head.min(size + MADE_EVENTS);
            let mut growing = Growing::from(self.edge().clone());
            growing.append(&self.leaves(size, usize::try_from(until - size).unwrap_or(usize::MAX))?);
            let Growing { batch, edge } = growing;
            guarded(|| {
                (&self.tiles, &self.meta)
                    .transaction(|(held, meta)| {
                        held.apply_batch(&batch)?;
                        meta.insert("tree", tiles::mark(&edge))?;
                        Ok(())
                    })
                    .map_err(storage_error)?;
                self.make_durable()
            })?;
            *self.edge() = edge;
            size = until;
        }
        Ok(())
    }

    /// Hashes events: those behind the first `from` ones, so many of them.
    fn leaves(&self, from: u64, events: usize) -> Result<Vec<TreeHash>, IndexError> {
        let mut leaves = Vec::with_capacity(events);
        while leaves.len() < events {
            let mut page = Page::new(ReadLimit { events: events - leaves.len(), bytes: LEAVES_PAGE_BYTES });
            let next = Position(from + leaves.len() as u64 + 1);
            self.read(next, &mut page)?;
            let stored = page.into_stored();
            if stored.is_empty() {
                return Err(IndexError::Damaged(format!("position {next} is missing")));
            }
            leaves.extend(stored.iter().map(|stored| leaf_hash(&stored.bytes)));
        }
        Ok(leaves)
    }

    pub(super) fn kept(&self) -> Kept<'_, impl Fn(u64, usize) -> Result<Vec<TreeHash>, IndexError>> {
        Kept { tiles: &self.tiles, leaves: |from, events| self.leaves(from, events) }
    }
}
