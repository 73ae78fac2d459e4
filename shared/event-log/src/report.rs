//! What opening a log found and did.

use events::{PlanId, Position};
use metrics::counter;
use std::fmt;
use std::path::PathBuf;

/// What opening a log found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// The head of the log.
    pub head: Position,
    /// How many bytes of torn, never acknowledged frames were cut from the journal's end.
    pub journal_bytes_cut: u64,
    /// How many events were put back into the journal from the index or another copy.
    pub journal_events_restored: u64,
    /// The journal files that were written anew for it.
    pub journal_files_repaired: Vec<PathBuf>,
    /// The state of the index.
    pub index: IndexState,
    /// For how many events tiles of the Merkle tree were made: the index was of a version without them.
    pub tiles_made: u64,
}

/// The state in which the index was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum IndexState {
    /// It was up to the journal.
    #[default]
    Ready,
    /// It was behind and caught up.
    CaughtUp {
        /// The first position that it lacked.
        from: Position,
    },
    /// It was of no use and was made again from the journal.
    Rebuilt {
        /// What was wrong with it.
        why: String,
        /// Where the old one was moved; none if there was none.
        moved_to: Option<PathBuf>,
    },
}

impl OpenReport {
    pub(crate) fn trace(&self, plan: &PlanId) {
        counter!("planwatch_log_journal_cut_bytes_total").increment(self.journal_bytes_cut);
        counter!("planwatch_log_journal_restored_events_total").increment(self.journal_events_restored);
        let unusual = self.journal_bytes_cut > 0
            || self.journal_events_restored > 0
            || matches!(self.index, IndexState::Rebuilt { .. });
        if unusual {
            tracing::warn!(%plan, position = %self.head, "Opened the log: {self}");
        } else {
            tracing::info!(%plan, position = %self.head, "Opened the log: {self}");
        }
    }
}

impl fmt::Display for OpenReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "head {}, index {}", self.head, self.index)?;
        if self.journal_bytes_cut > 0 {
            write!(f, ", cut {} bytes of a torn commit from the journal", self.journal_bytes_cut)?;
        }
        if self.journal_events_restored > 0 {
            write!(f, ", restored {} events of the journal from another copy", self.journal_events_restored)?;
        }
        if self.tiles_made > 0 {
            write!(f, ", made the tiles of {} events that an earlier version recorded", self.tiles_made)?;
        }
        Ok(())
    }
}

impl fmt::Display for IndexState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IndexState::Ready => f.write_str("ready"),
            IndexState::CaughtUp { from } => write!(f, "caught up from position {from}"),
            IndexState::Rebuilt { why, moved_to: Some(moved_to) } => {
                write!(f, "rebuilt from the journal ({why}; the old one is in `{}`)", moved_to.display())
            }
            IndexState::Rebuilt { why, moved_to: None } => write!(f, "rebuilt from the journal ({why})"),
        }
    }
}
