//! The tree's right edge in tiles: it hands out each tile that becomes full.

use crate::frontier::Frontier;
use crate::hash::TreeHash;
use crate::tile::{LEVEL_LIMIT, TILE_HEIGHT, partial_width, tile_root};

/// A tile that became full.
#[derive(Debug, Clone, Copy)]
pub struct FullTile<'a> {
    /// Its level.
    pub level: u8,
    /// Its place within the level.
    pub index: u64,
    /// Its 256 hashes.
    pub hashes: &'a [TreeHash],
    /// The root over them, which stands in the tile above.
    pub root: TreeHash,
}

/// The tree while it grows, with its rightmost tiles: it hands out every tile that becomes full.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Edge {
    frontier: Frontier,
    /// The rightmost tile of each level, fewer than 256 hashes each.
    partial: Vec<Vec<TreeHash>>,
}

impl Edge {
    /// The edge of the empty tree.
    pub fn new() -> Edge {
        Edge::default()
    }

    /// Takes up a tree of a size again from its rightmost tiles, level 0 first. None if they have other
    /// widths than a tree of that size.
    pub fn resume(size: u64, mut partial: Vec<Vec<TreeHash>>) -> Option<Edge> {
        let fits = |(level, tile): (usize, &Vec<TreeHash>)| {
            u8::try_from(level).is_ok_and(|level| tile.len() == partial_width(size, level))
        };
        let levels = (0..=LEVEL_LIMIT / TILE_HEIGHT).filter(|level| partial_width(size, *level) > 0).max();
        let complete = levels.is_none_or(|highest| partial.len() > usize::from(highest));
        if !complete || !partial.iter().enumerate().all(fits) {
            return None;
        }
        let subtrees = partial.iter().rev().flat_map(|tile| whole_subtrees(tile)).collect();
        let frontier = Frontier::resume(size, subtrees)?;
        while partial.last().is_some_and(Vec::is_empty) {
            partial.pop();
        }
        Some(Edge { frontier, partial })
    }

    /// Appends a leaf, and hands out the tiles that it fills.
    pub fn append(&mut self, leaf: TreeHash, mut filled: impl FnMut(FullTile<'_>)) {
        let partial = &mut self.partial;
        self.frontier.append_with(leaf, |node| {
            if node.level % TILE_HEIGHT != 0 {
                return;
            }
            let level = node.level / TILE_HEIGHT;
            let at = usize::from(level);
            if partial.len() <= at {
                partial.resize(at + 1, Vec::new());
            }
            // This node is the root of the tile below, which got its last hash just now.
            if let Some(below) = level.checked_sub(1) {
                let hashes = &mut partial[usize::from(below)];
                filled(FullTile {
                    level: below,
                    index: node.index,
                    hashes: hashes.as_slice(),
                    root: node.hash,
                });
                hashes.clear();
            }
            partial[at].push(node.hash);
        });
        while self.partial.last().is_some_and(Vec::is_empty) {
            self.partial.pop();
        }
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The root.
    pub fn root(&self) -> TreeHash {
        self.frontier.root()
    }

    /// What is needed to go on without the tiles.
    pub fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// The rightmost tile of a level; empty if the level is full or does not exist.
    pub fn partial(&self, level: u8) -> &[TreeHash] {
        self.partial.get(usize::from(level)).map_or(&[], Vec::as_slice)
    }

    /// How many levels have, or had below a full one, a rightmost tile.
    pub fn levels(&self) -> u8 {
        u8::try_from(self.partial.len()).expect("a tree of 64 bits has eight levels of tiles")
    }
}

/// The roots of the largest whole subtrees over a tile's hashes, from the left.
fn whole_subtrees(tile: &[TreeHash]) -> Vec<TreeHash> {
    let mut roots = Vec::new();
    let mut rest = tile;
    while !rest.is_empty() {
        let (whole, after) = rest.split_at(1 << rest.len().ilog2());
        roots.push(tile_root(whole));
        rest = after;
    }
    roots
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::leaf_hash;

    #[test]
    fn an_edge_hands_out_full_tiles_and_resumes_from_its_partial_ones() {
        let mut edge = Edge::new();
        let mut full = Vec::new();
        for number in 0..70_000u32 {
            edge.append(leaf_hash(&number.to_be_bytes()), |tile| {
                assert_eq!(tile.hashes.len(), 256);
                assert_eq!(tile.root, tile_root(tile.hashes));
                full.push((tile.level, tile.index, tile_root(tile.hashes)));
            });
            if number % 997 == 0 {
                let tiles = (0..edge.levels()).map(|level| edge.partial(level).to_vec()).collect();
                assert_eq!(Edge::resume(edge.size(), tiles), Some(edge.clone()));
            }
        }
        assert_eq!(full.len(), 274);
        assert_eq!(edge.partial(1)[16], full.iter().rfind(|(level, ..)| *level == 0).unwrap().2);
        assert_eq!(edge.partial(2)[0], full.iter().find(|(level, ..)| *level == 1).unwrap().2);
        let widths: Vec<_> = (0..edge.levels()).map(|level| edge.partial(level).len()).collect();
        assert_eq!(widths, [112, 17, 1]);
        let tiles: Vec<_> = (0..3).map(|level| edge.partial(level).to_vec()).collect();
        assert_eq!(Edge::resume(70_001, tiles.clone()), None);
        assert_eq!(Edge::resume(70_000, tiles[..2].to_vec()), None);
    }
}
