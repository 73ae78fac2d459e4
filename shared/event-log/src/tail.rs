//! The tail: commits that are durable in the journal and not yet in the index, served from memory.

use crate::stored::{Page, Stored};
use events::{EventId, Position, Timestamp};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How much the index may lag behind before the writer waits for it.
const TAIL_LIMIT_BYTES: usize = 32 * 1024 * 1024;
/// How much is taken from the tail at once; the index splits it into transactions.
pub(crate) const TAKE_BYTES: usize = 1024 * 1024;
/// How long commits that are small are gathered for the index.
const GATHERING: Duration = Duration::from_millis(100);
/// What an event costs in memory besides its bytes.
const EVENT_OVERHEAD_BYTES: usize = 128;

/// One commit, shared between the tail and its readers.
pub(crate) type Commit = Arc<[Stored]>;

/// Commits between the journal and the index.
#[derive(Default)]
pub(crate) struct Tail {
    held: Mutex<Held>,
    changed: Condvar,
}

#[derive(Default)]
struct Held {
    commits: VecDeque<Commit>,
    positions: HashMap<EventId, Position>,
    bytes: usize,
    /// Whether there was nothing before what came last.
    was_empty: bool,
    closing: bool,
}

/// What the applier finds to do.
pub(crate) enum Work {
    /// The oldest commits.
    Apply(Vec<Commit>),
    /// Nothing for now.
    Idle,
    /// Nothing, and nothing will come.
    Closed,
}

impl Tail {
    fn lock(&self) -> MutexGuard<'_, Held> {
        // Nothing that holds the lock can panic half way through a change that matters.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a commit at the end; the applier hears of it by [`Tail::wake`].
    pub(crate) fn push(&self, commit: Commit) {
        let mut held = self.lock();
        held.was_empty |= held.commits.is_empty();
        held.bytes += weight(&commit);
        held.positions.extend(commit.iter().map(|stored| (stored.id, stored.position)));
        held.commits.push_back(commit);
    }

    /// Wakes the applier for the first commit and once enough is gathered: each time it is woken for nothing costs
    /// the writer as much as a short commit's encoding.
    ///
    /// Called once the commits' part of the tree is there, or the applier would hash their events again.
    pub(crate) fn wake(&self) {
        let mut held = self.lock();
        let was_empty = std::mem::take(&mut held.was_empty);
        let is_enough = held.bytes >= TAKE_BYTES;
        drop(held);
        if was_empty || is_enough {
            self.changed.notify_all();
        }
    }

    /// Waits until there is room for another commit; false if there is none within the time.
    pub(crate) fn wait_for_room(&self, patience: Duration) -> bool {
        let held = self.lock();
        let full = |held: &mut Held| held.bytes >= TAIL_LIMIT_BYTES;
        let waited = self.changed.wait_timeout_while(held, patience, full);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Waits for commits to apply: the oldest ones, some `bytes` of them.
    ///
    /// Small commits are waited with for a moment, so that many go into the index at once.
    pub(crate) fn wait_for_work(&self, bytes: usize, patience: Duration) -> Work {
        let held = self.lock();
        let idle = |held: &mut Held| held.commits.is_empty() && !held.closing;
        let held = self.changed.wait_timeout_while(held, patience, idle);
        let held = held.unwrap_or_else(PoisonError::into_inner).0;
        let few = |held: &mut Held| !held.commits.is_empty() && held.bytes < bytes && !held.closing;
        let held = self.changed.wait_timeout_while(held, GATHERING, few);
        let held = held.unwrap_or_else(PoisonError::into_inner).0;
        let mut taken = Vec::new();
        let mut taken_bytes = 0;
        for commit in &held.commits {
            if taken_bytes >= bytes {
                break;
            }
            taken_bytes += weight(commit);
            taken.push(Arc::clone(commit));
        }
        match (taken.is_empty(), held.closing) {
            (false, _) => Work::Apply(taken),
            (true, true) => Work::Closed,
            (true, false) => Work::Idle,
        }
    }

    /// Forgets the commits that the index holds.
    pub(crate) fn forget_until(&self, head: Position) {
        // One at a time, and given back behind the lock: the writer must not wait for many.
        while let Some(commit) = self.forget_first(head) {
            drop(commit);
        }
        self.changed.notify_all();
    }

    fn forget_first(&self, head: Position) -> Option<Commit> {
        let mut held = self.lock();
        let is_held = |commit: &Commit| commit.last().is_none_or(|last| last.position <= head);
        if !held.commits.front().is_some_and(is_held) {
            return None;
        }
        let commit = held.commits.pop_front()?;
        held.bytes -= weight(&commit);
        for stored in commit.iter() {
            held.positions.remove(&stored.id);
        }
        Some(commit)
    }

    /// Lets the applier end once it has applied what is there.
    pub(crate) fn close(&self) {
        self.lock().closing = true;
        self.changed.notify_all();
    }

    /// Waits until nothing more will come; false if that is not so within the time.
    pub(crate) fn wait_until_closing(&self, patience: Duration) -> bool {
        let held = self.lock();
        let waited = self.changed.wait_timeout_while(held, patience, |held| !held.closing);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Whether nothing more will come.
    pub(crate) fn is_closing(&self) -> bool {
        self.lock().closing
    }

    /// The first position held.
    pub(crate) fn first(&self) -> Option<Position> {
        Some(self.lock().commits.front()?.first()?.position)
    }

    /// Fills a page from a position on; false if the tail does not reach back to it.
    pub(crate) fn read(&self, from: Position, page: &mut Page) -> bool {
        let commits = {
            let held = self.lock();
            let after = held.commits.partition_point(|commit| starts_at_or_before(commit, from));
            let Some(index) = after.checked_sub(1) else { return false };
            held.commits.iter().skip(index).cloned().collect::<Vec<_>>()
        };
        let events = commits.iter().flat_map(|commit| commit.iter());
        let _full = events.skip_while(|stored| stored.position < from).all(|stored| page.take(stored));
        true
    }

    /// Where the event with an id is, if it is here.
    pub(crate) fn position_of(&self, id: &EventId) -> Option<Position> {
        self.lock().positions.get(id).copied()
    }

    /// One of the ids whose event is here, if there is any.
    pub(crate) fn first_known<'a>(&self, ids: impl IntoIterator<Item = &'a EventId>) -> Option<EventId> {
        let held = self.lock();
        ids.into_iter().copied().find(|id| held.positions.contains_key(id))
    }

    /// The last event here that was recorded at or before an instant.
    pub(crate) fn last_recorded_by(&self, instant: Timestamp) -> Option<Position> {
        let held = self.lock();
        let after = held
            .commits
            .partition_point(|commit| commit.first().is_some_and(|first| first.recorded_at <= instant));
        let commit = held.commits.get(after.checked_sub(1)?)?;
        let within = commit.partition_point(|stored| stored.recorded_at <= instant);
        Some(commit.get(within.checked_sub(1)?)?.position)
    }
}

fn starts_at_or_before(commit: &Commit, position: Position) -> bool {
    commit.first().is_some_and(|first| first.position <= position)
}

fn weight(commit: &Commit) -> usize {
    commit.iter().map(|stored| stored.bytes.len() + EVENT_OVERHEAD_BYTES).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use uuid::Uuid;

    fn commit(position: u64, bytes: usize) -> Commit {
        let stored = Stored {
            position: Position(position),
            recorded_at: Timestamp::UNIX_EPOCH,
            id: Uuid::from_u128(u128::from(position)),
            bytes: Bytes::from(vec![b' '; bytes]),
        };
        Arc::new([stored])
    }

    #[test]
    fn a_full_tail_holds_the_writer_until_the_index_has_caught_up() {
        let tail = Tail::default();
        tail.push(commit(1, TAIL_LIMIT_BYTES / 2));
        assert!(tail.wait_for_room(Duration::ZERO));
        tail.push(commit(2, TAIL_LIMIT_BYTES / 2));
        assert!(!tail.wait_for_room(Duration::ZERO));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| tail.wait_for_room(Duration::from_secs(60)));
            tail.forget_until(Position(1));
            assert!(waiting.join().unwrap());
        });
        assert_eq!(tail.first(), Some(Position(2)));
        assert_eq!(tail.position_of(&Uuid::from_u128(1)), None);
        assert_eq!(tail.position_of(&Uuid::from_u128(2)), Some(Position(2)));
    }

    #[test]
    fn an_applier_that_waits_is_woken_for_the_first_commit() {
        let tail = Tail::default();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| tail.wait_for_work(1, Duration::from_secs(60)));
            tail.push(commit(1, 10));
            tail.wake();
            assert!(matches!(waiting.join().unwrap(), Work::Apply(commits) if commits.len() == 1));
        });
    }

    #[test]
    fn a_closed_tail_is_emptied_first() {
        let tail = Tail::default();
        tail.push(commit(1, 10));
        tail.close();
        assert!(matches!(tail.wait_for_work(1, Duration::ZERO), Work::Apply(commits) if commits.len() == 1));
        tail.forget_until(Position(1));
        assert!(matches!(tail.wait_for_work(1, Duration::ZERO), Work::Closed));
    }
}
