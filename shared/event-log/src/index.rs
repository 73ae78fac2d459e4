//! The index: the event store that reads are served from. It can always be made again from the journal.

mod blobs;
mod id_run;
mod memory;
mod sled_index;
mod tiles;

pub(crate) use memory::MemoryIndex;
pub(crate) use sled_index::{IndexOpenError, SledIndex, directory_exists, move_aside};

use crate::stored::{Page, Stored};
use events::{EventId, Position, Timestamp};
use evidence::{Frontier, TreeHash};
use thiserror::Error;

/// Why the index did not answer.
#[derive(Debug, Error)]
pub(crate) enum IndexError {
    /// It holds something that it cannot hold: it has to be made again.
    #[error("the index is damaged: {0}")]
    Damaged(String),
    /// The disk refused.
    #[error("the index cannot be read or written")]
    Io(#[source] std::io::Error),
}

/// An event store.
pub(crate) trait Index: Send + Sync {
    /// The last position that it holds durably.
    fn head(&self) -> Position;

    /// Takes events in that continue its head, durably, with the leaf hash of each.
    fn apply(&self, stored: &[Stored], leaves: &[TreeHash]) -> Result<(), IndexError>;

    /// The tree over what it holds.
    fn frontier(&self) -> Frontier;

    /// Why its tree is of no use, if it is not: then it still gives events, and nothing may be added to it.
    fn tree_fault(&self) -> Option<&str> {
        None
    }

    /// All hashes that it has of a tile; none if the tree does not reach so far.
    fn tile(&self, level: u8, index: u64) -> Result<Vec<TreeHash>, IndexError>;

    /// For how many events, held from an earlier version, tiles were made when it was opened.
    fn tiles_made(&self) -> u64 {
        0
    }

    /// Fills a page with the events from a position on, up to its head.
    fn read(&self, from: Position, page: &mut Page) -> Result<(), IndexError>;

    /// Where the event with an id is. The caller compares the event found there: an index may be damaged.
    fn position_of(&self, id: &EventId) -> Result<Option<Position>, IndexError>;

    /// The last place known to be recorded at or before an instant: a later event that was, too, lies
    /// within the run of events that starts there.
    fn run_at(&self, instant: Timestamp) -> Result<Option<Position>, IndexError>;
}
