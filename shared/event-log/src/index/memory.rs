//! The index in memory: for tests and for logs that are small and gone with the process.

use super::{Index, IndexError};
use crate::stored::{Page, Stored};
use events::{EventId, Position, Timestamp};
use evidence::{Edge, Frontier, TILE_HEIGHT, TreeHash};
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// The index in memory.
#[derive(Default)]
pub(crate) struct MemoryIndex {
    held: RwLock<Held>,
}

#[derive(Default)]
struct Held {
    stored: Vec<Stored>,
    positions: HashMap<EventId, Position>,
    edge: Edge,
    full_tiles: HashMap<(u8, u64), Vec<TreeHash>>,
}

impl MemoryIndex {
    fn look<T>(&self, look: impl FnOnce(&Held) -> T) -> T {
        look(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Index for MemoryIndex {
    fn head(&self) -> Position {
        Position(self.look(|held| held.stored.len()) as u64)
    }

    fn apply(&self, stored: &[Stored], leaves: &[TreeHash]) -> Result<(), IndexError> {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        let Held { edge, full_tiles, .. } = &mut *held;
        for leaf in leaves {
            edge.append(*leaf, |tile| {
                full_tiles.insert((tile.level, tile.index), tile.hashes.to_vec());
            });
        }
        for event in stored {
            held.positions.insert(event.id, event.position);
            held.stored.push(event.clone());
        }
        Ok(())
    }

    fn frontier(&self) -> Frontier {
        self.look(|held| held.edge.frontier().clone())
    }

    fn tile(&self, level: u8, index: u64) -> Result<Vec<TreeHash>, IndexError> {
        Ok(self.look(|held| {
            let shift = u32::from(level) * u32::from(TILE_HEIGHT);
            let rightmost = held.edge.size().checked_shr(shift).unwrap_or(0) >> TILE_HEIGHT;
            match held.full_tiles.get(&(level, index)) {
                Some(hashes) => hashes.clone(),
                None if index == rightmost => held.edge.partial(level).to_vec(),
                None => Vec::new(),
            }
        }))
    }

    fn read(&self, from: Position, page: &mut Page) -> Result<(), IndexError> {
        self.look(|held| {
            let skipped = usize::try_from(from.0.saturating_sub(1)).unwrap_or(usize::MAX);
            let _full = held.stored.iter().skip(skipped).all(|event| page.take(event));
        });
        Ok(())
    }

    fn position_of(&self, id: &EventId) -> Result<Option<Position>, IndexError> {
        Ok(self.look(|held| held.positions.get(id).copied()))
    }

    fn run_at(&self, instant: Timestamp) -> Result<Option<Position>, IndexError> {
        let before = self.look(|held| held.stored.partition_point(|event| event.recorded_at <= instant));
        Ok((before > 0).then_some(Position(before as u64)))
    }
}
