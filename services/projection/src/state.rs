//! What the fold and the questions share: the facts, and how far they have got.

use crate::digests::Digests;
use events::Position;
use indicators::Facts;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::sync::watch;

/// The facts behind a lock: questions read them at once, the fold takes them for a page of events at a time.
#[derive(Debug)]
pub(crate) struct State {
    facts: RwLock<Facts>,
    visible: watch::Sender<Position>,
    pub(crate) digests: Digests,
}

impl State {
    pub(crate) fn new(facts: Facts) -> State {
        let visible = watch::channel(facts.head()).0;
        State { facts: RwLock::new(facts), visible, digests: Digests::default() }
    }

    pub(crate) fn facts(&self) -> RwLockReadGuard<'_, Facts> {
        // A fold that panicked stops; what it had folded before is still what the log says.
        self.facts.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn facts_mut(&self) -> RwLockWriteGuard<'_, Facts> {
        self.facts.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The position up to which answers rest on the log.
    pub(crate) fn visible(&self) -> watch::Receiver<Position> {
        self.visible.subscribe()
    }

    pub(crate) fn publish(&self, position: Position) {
        self.visible.send_replace(position);
    }
}
