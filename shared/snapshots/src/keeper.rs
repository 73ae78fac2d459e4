//! Keeps facts as they grow: segments are written by a thread of their own, one at a time.

use crate::segments::{Loaded, SEGMENT_EVENTS, Snapshots, Written};
use event_log::{Log, ReadError, Stored};
use events::Position;
use indicators::{ApplyError, Facts, Preparer};
use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::thread::JoinHandle;
use thiserror::Error;

/// From so many events on that a start had to fold they are kept for the next one.
const WORTH_KEEPING_EVENTS: u64 = 16_384;

/// Writes what was folded since the last time, without making who folds wait for the disk.
#[derive(Debug)]
pub struct Keeper {
    snapshots: Snapshots,
    /// Up to where facts were kept, or are being kept.
    kept: Position,
    /// The segment that is being written.
    writing: Option<JoinHandle<io::Result<Written>>>,
}

impl Keeper {
    /// Goes on from facts that these snapshots gave, or from none.
    pub fn new(snapshots: Snapshots, facts: &Facts) -> Keeper {
        Keeper { snapshots, kept: facts.head(), writing: None }
    }

    /// How many events were folded since facts were last kept.
    pub fn since(&self, facts: &Facts) -> u64 {
        facts.head().0 - self.kept.0
    }

    /// Begins to write what is new; whether it did. While one segment is being written no other one is begun.
    ///
    /// The facts are only read, and for as long as this takes: a fraction of folding what is new.
    pub fn keep(&mut self, facts: &Facts, log: &Log) -> bool {
        if self.writing.as_ref().is_some_and(|writing| !writing.is_finished()) {
            return false;
        }
        self.finish();
        if facts.adopted().is_none() {
            return false;
        }
        self.kept = facts.head();
        match self.snapshots.prepare(facts, log) {
            Ok(None) => {}
            Ok(Some(pending)) => {
                match std::thread::Builder::new().name("snapshot".into()).spawn(|| pending.write()) {
                    Ok(writing) => self.writing = Some(writing),
                    Err(error) => self.not_kept(&error.to_string()),
                }
            }
            Err(error) => self.not_kept(&error.to_string()),
        }
        true
    }

    /// Waits for the segment that is being written, if one is.
    pub fn finish(&mut self) {
        let Some(writing) = self.writing.take() else { return };
        let written = writing.join().unwrap_or_else(|_| Err(io::Error::other("its thread panicked")));
        match written.and_then(|written| self.snapshots.done(written)) {
            Ok(()) => {
                metrics::counter!("planwatch_snapshots_written_total").increment(1);
                tracing::debug!(position = self.kept.0, "Wrote a snapshot of the facts");
            }
            Err(error) => self.not_kept(&error.to_string()),
        }
    }

    /// Without it a restart folds a longer tail; nothing else is lost.
    fn not_kept(&self, why: &str) {
        tracing::warn!(position = self.kept.0, "A snapshot of the facts was not written: {why}");
    }
}

/// Why a log was not folded.
#[derive(Debug, Error)]
pub enum FoldError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// An event of it cannot be folded.
    #[error(transparent)]
    Apply(#[from] ApplyError),
}

/// The facts of a log up to its head, for who keeps facts at a start only: what was kept in a directory is taken,
/// the rest is decoded ahead, folded, and kept for the next start if it was much.
///
/// `ahead` is what was loaded while the log was opened. A directory that cannot be used is said in the log lines;
/// the facts are the same without it. Where `goes_on` denies it, the facts end before the head.
pub fn fold(
    log: &Log,
    directory: &Path,
    ahead: Option<Loaded>,
    goes_on: impl Fn() -> bool,
) -> Result<Facts, FoldError> {
    let restored = Snapshots::open(directory.to_owned(), SEGMENT_EVENTS)
        .and_then(|mut snapshots| Ok((snapshots.restore(log, ahead)?, snapshots)));
    let (mut facts, mut keeper) = match restored {
        Ok((facts, snapshots)) => {
            let facts = facts.unwrap_or_default();
            let keeper = Keeper::new(snapshots, &facts);
            (facts, Some(keeper))
        }
        Err(error) => {
            tracing::warn!("The snapshots in `{}` are not used: {error}", directory.display());
            (Facts::new(), None)
        }
    };
    let preparer = Preparer::of(&facts);
    let mut applied = Ok(());
    let prepare = |run: Vec<Stored>| preparer.prepare(run.iter().map(|stored| &*stored.bytes));
    log.read_ahead(facts.head().next(), log.head(), prepare, |batch| {
        applied = facts.apply_batch(batch);
        if let Some(keeper) = &mut keeper
            && keeper.since(&facts) >= SEGMENT_EVENTS
        {
            keeper.keep(&facts, log);
        }
        if applied.is_ok() && goes_on() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    applied?;
    if let Some(mut keeper) = keeper {
        keeper.finish();
        if keeper.since(&facts) >= WORTH_KEEPING_EVENTS {
            keeper.keep(&facts, log);
            keeper.finish();
        }
    }
    Ok(facts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{NOW, log_of, plain_fold};
    use std::fs;

    fn kept_files(directory: &Path) -> usize {
        fs::read_dir(directory).map_or(0, Iterator::count)
    }

    #[test]
    fn a_fold_from_nothing_from_what_was_kept_and_from_what_was_spoilt_gives_the_same() {
        let home = tempfile::tempdir().unwrap();
        let figures: Vec<u64> = (0..WORTH_KEEPING_EVENTS).map(|number| number % 100).collect();
        let opened = log_of(home.path(), &figures, NOW);
        let plain = plain_fold(&opened.log, |_| {});
        let directory = home.path().join("snapshots");
        let folded = |ahead| {
            let facts = fold(&opened.log, &directory, ahead, || true).unwrap();
            assert_eq!((facts.head(), facts.digest()), (plain.head(), plain.digest()));
            assert_eq!(facts.walked_digest_at(facts.head()), plain.digest());
        };
        folded(None);
        assert_eq!(kept_files(&directory), 1);
        folded(None);
        folded(Snapshots::load_ahead(&directory));
        let path = fs::read_dir(&directory).unwrap().next().unwrap().unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, &bytes).unwrap();
        folded(None);
        assert_ne!(fs::read(&path).unwrap(), bytes, "it was made again");
        // A file where the directory should be.
        fs::remove_dir_all(&directory).unwrap();
        fs::write(&directory, b"").unwrap();
        folded(None);
    }

    #[test]
    fn a_short_log_is_not_kept_and_a_fold_that_is_stopped_ends_early() {
        let home = tempfile::tempdir().unwrap();
        let opened = log_of(home.path(), &[20; 2_000], NOW);
        let directory = home.path().join("snapshots");
        let stopped = fold(&opened.log, &directory, None, || false).unwrap();
        assert!(stopped.head() < opened.log.head());
        assert_eq!(fold(&opened.log, &directory, None, || true).unwrap().head(), opened.log.head());
        assert_eq!(kept_files(&directory), 0);
    }
}
