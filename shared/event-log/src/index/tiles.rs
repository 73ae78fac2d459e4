//! The tree's tiles in sled.
//!
//! Key: level (1), index (8). Value: the tile's hashes. Full tiles never change; the rightmost tiles from level
//! 1 on are written again as they grow, once for 256 events. The rightmost tile of level 0 is not stored: it
//! would be written with every transaction, and is at most 255 leaves of events that are here as well. `tree`
//! in `meta` holds size (8) and root (32), written with the head.

use super::IndexError;
use evidence::{Edge, FullTile, TILE_HEIGHT, TreeHash, partial_width, read_tile, tile_root, write_tile};
use sled::{Batch, IVec, Tree};

/// How many hashes a full tile holds.
const FULL: usize = evidence::FULL_TILE_HASHES;
/// The levels that a tree of 64 bits has.
const LEVELS: u8 = 8;

/// The key of a tile.
pub(super) fn key(level: u8, index: u64) -> [u8; 9] {
    let mut key = [0; 9];
    key[0] = level;
    key[1..].copy_from_slice(&index.to_be_bytes());
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

/// Tiles that are being gathered for a transaction.
pub(super) struct Growing {
    pub(super) batch: Batch,
    pub(super) edge: Edge,
    /// How many bytes are in the batch.
    pub(super) bytes: usize,
    /// Levels whose rightmost tile grew; level 0 is left out.
    grown: u8,
}

impl Growing {
    /// Starts from an edge.
    pub(super) fn from(edge: Edge) -> Growing {
        Growing { batch: Batch::default(), edge, bytes: 0, grown: 0 }
    }

    /// Appends leaves.
    pub(super) fn append(&mut self, leaves: &[TreeHash]) {
        let Growing { batch, edge, bytes, grown } = self;
        for leaf in leaves {
            edge.append(*leaf, |FullTile { level, index, hashes }| {
                batch.insert(&key(level, index), write_tile(hashes));
                *bytes += key(level, index).len() + size_of_val(hashes);
                *grown = (*grown).max(level + 1);
            });
        }
    }

    /// Adds the rightmost tiles that grew, once all leaves are in.
    pub(super) fn finish(mut self) -> (Batch, Edge) {
        for level in 1..=self.grown {
            let hashes = self.edge.partial(level);
            if !hashes.is_empty() {
                let index = self.edge.size() >> (level * TILE_HEIGHT) >> TILE_HEIGHT;
                self.batch.insert(&key(level, index), write_tile(hashes));
            }
        }
        (self.batch, self.edge)
    }
}

/// Takes up the tree of a size, with the leaves of its rightmost tile of level 0.
pub(super) fn resume(
    tiles: &Tree,
    size: u64,
    root: TreeHash,
    leaves: Vec<TreeHash>,
) -> sled::Result<Option<Edge>> {
    let mut partial = vec![leaves];
    for level in 1..LEVELS {
        let width = partial_width(size, level);
        let index = size >> (level * TILE_HEIGHT) >> TILE_HEIGHT;
        let stored = if width == 0 { None } else { tiles.get(key(level, index))? };
        let Ok(hashes) = read_tile(stored.as_deref().unwrap_or_default(), width) else { return Ok(None) };
        partial.push(hashes);
    }
    Ok(Edge::resume(size, partial).filter(|edge| edge.root() == root))
}

/// Reads a tile of a tree, and checks it against the tile above, up to the edge, whose root is known.
///
/// Empty if the tree does not reach so far.
pub(super) fn read(tiles: &Tree, edge: &Edge, level: u8, index: u64) -> Result<Vec<TreeHash>, IndexError> {
    if level >= LEVELS {
        return Ok(Vec::new());
    }
    let full_tiles = edge.size() >> (level * TILE_HEIGHT) >> TILE_HEIGHT;
    if index == full_tiles {
        return Ok(edge.partial(level).to_vec());
    }
    if index > full_tiles {
        return Ok(Vec::new());
    }
    let damaged = || IndexError::Damaged(format!("tile {index} of level {level} is missing or altered"));
    let stored = super::sled_index::guarded(|| tiles.get(key(level, index)))?.ok_or_else(damaged)?;
    let hashes = read_tile(&stored, FULL).map_err(|_| damaged())?;
    let above = read(tiles, edge, level + 1, index >> TILE_HEIGHT)?;
    let at = usize::try_from(index % FULL as u64).expect("it is below 256");
    if above.get(at) == Some(&tile_root(&hashes)) { Ok(hashes) } else { Err(damaged()) }
}
