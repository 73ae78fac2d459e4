//! The tree over what is durable: its head, and the nodes that the index does not hold yet.
//!
//! The writer computes the nodes of a commit beside it and adds them once it is durable; the applier takes the
//! leaves from here into the index, after which all but the newest are forgotten. So memory grows with the tail
//! and not with the log.

use crate::stored::Stored;
use events::Position;
use evidence::{Frontier, Node, TreeHash, leaf_hash};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many levels a tree of 64 bits has.
const LEVELS: usize = 64;
/// How many nodes of each level stay here although the index holds what is below them: a receipt proves one of
/// the newest events, and the index would read and hash up to 256 events for it. At most half a megabyte.
const NEWEST_NODES: usize = 512;

/// Size and root of the log's tree, taken together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeHead {
    /// How many events it covers: the position of the last one.
    pub size: u64,
    /// The root of the tree over them.
    pub root: TreeHash,
}

/// The tree's head and its newest nodes.
pub(crate) struct LogTree {
    held: Mutex<Held>,
}

struct Held {
    head: Frontier,
    levels: Vec<Level>,
}

/// Nodes of one level, from one on.
#[derive(Default)]
struct Level {
    first: u64,
    hashes: VecDeque<TreeHash>,
}

/// A commit's part of the tree.
pub(crate) struct Growth {
    head: Frontier,
    nodes: Vec<Node>,
}

impl Growth {
    /// Computes what events add to a tree.
    pub(crate) fn of<'a>(mut head: Frontier, stored: impl IntoIterator<Item = &'a Stored>) -> Growth {
        let mut nodes = Vec::new();
        for stored in stored {
            head.append_with(leaf_hash(&stored.bytes), |node| nodes.push(node));
        }
        Growth { head, nodes }
    }
}

impl LogTree {
    /// Starts at the head of an index that holds everything, with the nodes on whose right the tree grows.
    pub(crate) fn at(head: Frontier) -> LogTree {
        let level = |level| Level { first: head.size() >> level, hashes: VecDeque::new() };
        let mut levels: Vec<Level> = (0..LEVELS).map(level).collect();
        // The whole subtrees stand beside the way up from everything that comes: no proof of it asks the index.
        let whole = (0..LEVELS).rev().filter(|level| head.size() >> level & 1 == 1);
        for (level, root) in whole.zip(head.subtrees()) {
            levels[level].first -= 1;
            levels[level].hashes.push_back(*root);
        }
        LogTree { held: Mutex::new(Held { head, levels }) }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        // Nothing that holds the lock can panic half way through a change that matters.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the next commit grows from.
    pub(crate) fn frontier(&self) -> Frontier {
        self.lock().head.clone()
    }

    /// Adds what a commit grew by, and shows the new head: nobody sees the one without the other.
    pub(crate) fn grow(&self, growth: Growth, show_head: impl FnOnce()) {
        let mut held = self.lock();
        for node in growth.nodes {
            held.levels[usize::from(node.level)].hashes.push_back(node.hash);
        }
        held.head = growth.head;
        show_head();
    }

    /// Size and root.
    pub(crate) fn head(&self) -> TreeHead {
        let head = self.frontier();
        TreeHead { size: head.size(), root: head.root() }
    }

    /// A node, if it is here: then it is not, or not yet, to be asked for elsewhere.
    pub(crate) fn node(&self, level: u8, index: u64) -> Option<TreeHash> {
        let held = self.lock();
        let level = held.levels.get(usize::from(level))?;
        level.hashes.get(usize::try_from(index.checked_sub(level.first)?).ok()?).copied()
    }

    /// The leaves of events in a row, if all of them are here.
    pub(crate) fn leaves(&self, first: Position, count: usize) -> Option<Vec<TreeHash>> {
        let held = self.lock();
        let leaves = &held.levels[0];
        let start = usize::try_from(first.0.checked_sub(1)?.checked_sub(leaves.first)?).ok()?;
        let end = start.checked_add(count)?;
        (end <= leaves.hashes.len()).then(|| leaves.hashes.range(start..end).copied().collect())
    }

    /// Forgets the nodes over events that the index holds, but for the newest ones.
    pub(crate) fn forget_until(&self, indexed: Position) {
        self.forget(indexed, NEWEST_NODES);
    }

    fn forget(&self, indexed: Position, but_newest: usize) {
        let mut held = self.lock();
        for (level, nodes) in held.levels.iter_mut().enumerate() {
            let whole = indexed.0 >> level;
            let gone = usize::try_from(whole.saturating_sub(nodes.first)).unwrap_or(usize::MAX);
            let gone = gone.min(nodes.hashes.len().saturating_sub(but_newest));
            nodes.hashes.drain(..gone);
            nodes.first += gone as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use events::Timestamp;
    use uuid::Uuid;

    fn stored(position: u64) -> Stored {
        let bytes = Bytes::from(position.to_string());
        Stored { position: Position(position), recorded_at: Timestamp::UNIX_EPOCH, id: Uuid::nil(), bytes }
    }

    #[test]
    fn nodes_stay_until_the_index_holds_all_that_is_below_them() {
        let tree = LogTree::at(Frontier::new());
        let events: Vec<Stored> = (1..=11).map(stored).collect();
        tree.grow(Growth::of(tree.frontier(), &events[..4]), || {});
        tree.grow(Growth::of(tree.frontier(), &events[4..]), || {});
        let mut whole = Frontier::new();
        events.iter().for_each(|stored| whole.append(leaf_hash(&stored.bytes)));
        assert_eq!(tree.head(), TreeHead { size: 11, root: whole.root() });
        assert_eq!(tree.leaves(Position(1), 11).unwrap().len(), 11);
        assert_eq!(tree.leaves(Position(2), 11), None);
        let (pair, four) = (tree.node(1, 3).unwrap(), tree.node(2, 1).unwrap());
        tree.forget(Position(7), 0);
        assert_eq!(tree.leaves(Position(7), 1), None);
        assert_eq!(tree.leaves(Position(8), 2).unwrap(), [leaf_hash(b"8"), leaf_hash(b"9")]);
        assert_eq!((tree.node(1, 2), tree.node(1, 3), tree.node(2, 1)), (None, Some(pair), Some(four)));
        assert_eq!(tree.node(2, 2), None);
        tree.forget(Position(11), 0);
        assert_eq!((tree.node(1, 3), tree.node(2, 1), tree.node(3, 0)), (None, None, None));
        tree.grow(Growth::of(tree.frontier(), &[stored(12)]), || {});
        assert!(tree.node(2, 2).is_some() && tree.node(1, 5).is_some() && tree.node(0, 11).is_some());
    }

    #[test]
    fn the_newest_nodes_of_each_level_stay() {
        let tree = LogTree::at(Frontier::new());
        for position in 1..=3_000 {
            tree.grow(Growth::of(tree.frontier(), &[stored(position)]), || {});
            tree.forget_until(Position(position));
        }
        let held =
            |level: u8, count: u64| (0..count).filter(|index| tree.node(level, *index).is_some()).count();
        assert_eq!([held(0, 3_000), held(1, 1_500), held(3, 375)], [NEWEST_NODES, NEWEST_NODES, 375]);
        assert!(tree.node(0, 2_999).is_some() && tree.node(0, 2_400).is_none());
        assert_eq!(tree.leaves(Position(2_900), 101).unwrap().len(), 101);
    }

    #[test]
    fn what_comes_after_a_start_is_proved_without_the_index() {
        for size in [1_u64, 2, 7, 256, 1_000, 4_096] {
            let mut head = Frontier::new();
            (1..=size).for_each(|position| head.append(leaf_hash(&stored(position).bytes)));
            let tree = LogTree::at(head.clone());
            for position in size + 1..size + 20 {
                tree.grow(Growth::of(tree.frontier(), &[stored(position)]), || {});
                // The neighbours on the way up from the last leaf: the whole subtrees of all that is before it.
                for level in (0..LEVELS).filter(|level| (position - 1) >> level & 1 == 1) {
                    let index = ((position - 1) >> level) - 1;
                    assert!(tree.node(level as u8, index).is_some(), "{size} {position} {level}");
                }
            }
        }
    }
}
