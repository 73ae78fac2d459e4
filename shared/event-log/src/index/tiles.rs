//! The tree in sled: the hashes of every eighth level, from level 8 of the tree on.
//!
//! | key in `tiles` | value |
//! |---|---|
//! | level of tiles (1), from 1 on; place of the hash in the level (8) | a hash: the root of a full tile of the level below |
//!
//! The leaf hashes themselves are not kept: they are those of the events in `commits`, 256 of which are read
//! and hashed where a tile of level 0 is asked for, and are held against the hash above. Kept as values of
//! 8 KiB they took 113 bytes an event on disk, because sled writes a page several times. Hashes kept one by
//! one never change, so nothing is written twice as a tile grows. `tree` in `meta` holds size (8) and root
//! (32), written with the head.

use super::IndexError;
use super::sled_index::guarded;
use evidence::{
    Edge, FULL_TILE_HASHES, FullTile, TILE_HEIGHT, TILE_LEVELS, TreeHash, full_tiles, partial_width,
    tile_root,
};
use sled::{Batch, IVec, Tree};

const FULL: u64 = FULL_TILE_HASHES as u64;

fn key(level: u8, place: u64) -> [u8; 9] {
    let mut key = [0; 9];
    key[0] = level;
    key[1..].copy_from_slice(&place.to_be_bytes());
    key
}

/// Writes what stands in `meta` for an edge.
pub(super) fn mark(edge: &Edge) -> Vec<u8> {
    [edge.size().to_be_bytes().as_slice(), &edge.root().0].concat()
}

/// Reads size and root from `meta`.
pub(super) fn read_mark(value: &IVec) -> Option<(u64, TreeHash)> {
    let (size, root) = value.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*size), TreeHash(root.try_into().ok()?)))
}

/// The tree of a transaction that is being gathered.
pub(super) struct Growing {
    pub(super) batch: Batch,
    pub(super) edge: Edge,
}

impl Growing {
    /// Starts from an edge.
    pub(super) fn from(edge: Edge) -> Growing {
        Growing { batch: Batch::default(), edge }
    }

    /// Appends leaves.
    pub(super) fn append(&mut self, leaves: &[TreeHash]) {
        let Growing { batch, edge } = self;
        for leaf in leaves {
            edge.append(*leaf, |FullTile { level, index, root, .. }| {
                batch.insert(&key(level + 1, index), &root.0);
            });
        }
    }
}

/// What the tree is read from.
pub(super) struct Kept<'a, L> {
    pub(super) tiles: &'a Tree,
    /// Hashes the events behind the first so many, so many of them.
    pub(super) leaves: L,
}

impl<L: Fn(u64, usize) -> Result<Vec<TreeHash>, IndexError>> Kept<'_, L> {
    /// Takes up the tree of a size.
    pub(super) fn resume(&self, size: u64, root: TreeHash) -> Result<Option<Edge>, IndexError> {
        let mut partial = Vec::new();
        for level in 0..TILE_LEVELS {
            partial.push(self.row(level, full_tiles(size, level), partial_width(size, level))?);
        }
        Ok(Edge::resume(size, partial).filter(|edge| edge.root() == root))
    }

    /// Reads a tile of a tree, and checks it against the tile above, up to the edge, whose root is known.
    ///
    /// Empty if the tree does not reach so far.
    pub(super) fn read(&self, edge: &Edge, level: u8, index: u64) -> Result<Vec<TreeHash>, IndexError> {
        if level >= TILE_LEVELS || index > full_tiles(edge.size(), level) {
            return Ok(Vec::new());
        }
        if index == full_tiles(edge.size(), level) {
            return Ok(edge.partial(level).to_vec());
        }
        let hashes = self.row(level, index, FULL_TILE_HASHES)?;
        let above = self.read(edge, level + 1, index >> TILE_HEIGHT)?;
        let at = usize::try_from(index % FULL).expect("it is below 256");
        if hashes.len() == FULL_TILE_HASHES && above.get(at) == Some(&tile_root(&hashes)) {
            return Ok(hashes);
        }
        let first = (index << (level * TILE_HEIGHT) << TILE_HEIGHT) + 1;
        let what =
            format!("tile {index} of level {level}, from position {first} on, is not the one of its tree");
        Err(IndexError::Damaged(what))
    }

    /// The first hashes of a tile as they are, fewer if some are missing.
    fn row(&self, level: u8, index: u64, width: usize) -> Result<Vec<TreeHash>, IndexError> {
        let first = index * FULL;
        if level == 0 {
            return (self.leaves)(first, width);
        }
        guarded(|| {
            let mut row = Vec::with_capacity(width);
            let range = key(level, first)..key(level, first + width as u64);
            for (entry, place) in self.tiles.range(range).zip(first..) {
                let (found, value) = entry?;
                let Ok(hash) = value.as_ref().try_into() else { break };
                if found != key(level, place) {
                    break;
                }
                row.push(TreeHash(hash));
            }
            Ok(row)
        })
    }
}
