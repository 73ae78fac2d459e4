//! The index in memory: for tests and for logs that are small and gone with the process.

use super::{Index, IndexError};
use crate::stored::{Page, Stored};
use events::{EventId, Position, Timestamp};
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

    fn apply(&self, stored: &[Stored]) -> Result<(), IndexError> {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        for event in stored {
            held.positions.insert(event.id, event.position);
            held.stored.push(event.clone());
        }
        Ok(())
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
