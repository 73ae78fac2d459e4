//! The applier: a thread that follows the journal and keeps the index up to it.

use crate::index::{Index, IndexError, IndexOpenError, MemoryIndex, SledIndex, move_aside};
use crate::journal::JournalMap;
use crate::log::Shared;
use crate::stored::Stored;
use crate::tail::{TAKE_BYTES, Work};
use events::{PlanId, Position};
use evidence::leaf_hash;
use metrics::{counter, gauge};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// How long the applier waits for work, and before it tries a failed index again.
const PATIENCE: Duration = Duration::from_secs(1);
/// How much of the journal is gathered into one call of the index.
const CATCH_UP_BYTES: usize = 1024 * 1024;

/// How the index is opened, and opened again.
pub(crate) enum IndexHome {
    /// In memory, made anew at every start.
    Memory,
    /// In sled, in this directory.
    Sled(PathBuf),
}

impl IndexHome {
    pub(crate) fn open(&self, plan: &PlanId) -> Result<Box<dyn Index>, IndexOpenError> {
        match self {
            IndexHome::Memory => Ok(Box::new(MemoryIndex::default())),
            IndexHome::Sled(path) => Ok(Box::new(SledIndex::open(path, plan)?)),
        }
    }

    /// Moves what is there aside, and opens an empty one.
    pub(crate) fn open_anew(
        &self,
        plan: &PlanId,
    ) -> Result<(Box<dyn Index>, Option<PathBuf>), IndexOpenError> {
        let moved_to = match self {
            IndexHome::Memory => None,
            IndexHome::Sled(path) => move_aside(path).map_err(IndexOpenError::Io)?,
        };
        counter!("planwatch_log_index_rebuilds_total").increment(1);
        Ok((self.open(plan)?, moved_to))
    }
}

/// Why the index could not be brought up to the journal.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CatchUpError {
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    Journal(#[from] crate::journal::JournalReadError),
    #[error("the log is being closed")]
    Closing,
}

/// Brings the index up to a position from the journal, unless the log is closed meanwhile.
pub(crate) fn catch_up(
    index: &dyn Index,
    journal: &Arc<JournalMap>,
    until: Position,
    is_closing: impl Fn() -> bool,
) -> Result<(), CatchUpError> {
    let start = index.head().next();
    let mut frames = journal.frames(start, until);
    let mut gathered: Vec<Stored> = Vec::new();
    let mut gathered_bytes = 0;
    loop {
        let frame = frames.read_next()?;
        let ended = frame.is_none();
        for stored in frame.into_iter().flatten() {
            if stored.position >= start && stored.position <= until {
                gathered_bytes += stored.bytes.len();
                gathered.push(stored);
            }
        }
        if ended || gathered_bytes >= CATCH_UP_BYTES {
            let leaves: Vec<_> = gathered.iter().map(|stored| leaf_hash(&stored.bytes)).collect();
            index.apply(&gathered, &leaves)?;
            gathered.clear();
            gathered_bytes = 0;
        }
        if ended {
            return Ok(());
        }
        if is_closing() {
            return Err(CatchUpError::Closing);
        }
    }
}

/// Closes an index; sled may panic on what it finds while closing.
pub(crate) fn retire(index: Box<dyn Index>) {
    let _ = catch_unwind(AssertUnwindSafe(move || drop(index)));
}

/// Runs until the tail is closed and applied.
pub(crate) fn run(shared: &Shared, home: &IndexHome) {
    loop {
        if shared.index_suspect.load(Ordering::Acquire) {
            replace(shared, home);
        }
        let commits = match shared.tail.wait_for_work(TAKE_BYTES, PATIENCE) {
            Work::Closed => return,
            Work::Idle => Vec::new(),
            Work::Apply(commits) => commits,
        };
        if let Err(error) = apply(shared, &commits) {
            tracing::warn!(error = &error as &dyn std::error::Error, "Could not bring the index up to date");
            if shared.tail.is_closing() {
                // The next start catches up from the journal.
                return;
            }
            if !matches!(error, CatchUpError::Index(IndexError::Damaged(_))) {
                std::thread::sleep(PATIENCE);
            }
            reopen(shared, home);
        }
    }
}

/// Applies commits of the tail, and what lies between the index and them.
fn apply(shared: &Shared, commits: &[crate::tail::Commit]) -> Result<(), CatchUpError> {
    let index = shared.index.read().unwrap_or_else(PoisonError::into_inner);
    let Some(index) = index.as_deref() else {
        return Err(IndexError::Io(std::io::Error::other("the index is not open")).into());
    };
    let first = commits.first().and_then(|commit| commit.first()).map(|first| first.position);
    let until = first.map_or(*shared.head.borrow(), |first| Position(first.0 - 1));
    if index.head() < until {
        catch_up(index, &shared.journal, until, || shared.tail.is_closing())?;
    }
    let head = index.head();
    let stored: Vec<Stored> = commits
        .iter()
        .flat_map(|commit| commit.iter())
        .filter(|stored| stored.position > head)
        .cloned()
        .collect();
    let known = stored.first().and_then(|first| shared.tree.leaves(first.position, stored.len()));
    let leaves = known.unwrap_or_else(|| stored.iter().map(|stored| leaf_hash(&stored.bytes)).collect());
    index.apply(&stored, &leaves)?;
    let head = index.head();
    shared.tail.forget_until(head);
    shared.tree.forget_until(head);
    gauge!("planwatch_log_index_lag_events").set(lag(*shared.head.borrow(), head));
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float; nothing is decided by it")]
fn lag(head: Position, indexed: Position) -> f64 {
    head.0.saturating_sub(indexed.0) as f64
}

/// Opens the index again after it failed: sled refuses everything after one error.
fn reopen(shared: &Shared, home: &IndexHome) {
    let mut slot = shared.index.write().unwrap_or_else(PoisonError::into_inner);
    if let Some(index) = slot.take() {
        if matches!(home, IndexHome::Memory) {
            *slot = Some(index);
            return;
        }
        retire(index);
    }
    match home.open(&shared.plan) {
        Ok(index) => {
            index.tree_fault().into_iter().for_each(|why| shared.suspect_index(why));
            *slot = Some(index);
        }
        Err(IndexOpenError::Damaged(why)) => shared.suspect_index(&why),
        Err(IndexOpenError::Io(error)) => tracing::warn!(%error, "Could not open the index again"),
    }
}

/// Moves a damaged index aside and starts an empty one, which is filled from the journal meanwhile.
fn replace(shared: &Shared, home: &IndexHome) {
    let mut slot = shared.index.write().unwrap_or_else(PoisonError::into_inner);
    if let Some(index) = slot.take() {
        retire(index);
    }
    match home.open_anew(&shared.plan) {
        Ok((index, moved_to)) => {
            *slot = Some(index);
            shared.index_suspect.store(false, Ordering::Release);
            let moved_to = moved_to.unwrap_or_default();
            tracing::warn!(moved_to = %moved_to.display(), "Rebuilding the index of the log from the journal");
        }
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "Could not start a new index");
            drop(slot);
            std::thread::sleep(PATIENCE);
        }
    }
}
