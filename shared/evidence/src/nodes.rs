//! Reading the nodes that a proof or a root needs, from wherever the tree is kept.

use crate::hash::TreeHash;
use crate::tile::{FULL_TILE_HASHES, TILE_HEIGHT, tile_root};
use std::cell::RefCell;

/// The largest tree whose nodes are addressed: node numbers stay within 64 bits.
pub(crate) const SIZE_LIMIT: u64 = 1 << 62;
/// How many tiles one reading remembers; a proof in a log of 2^32 events touches fewer.
const REMEMBERED_TILES: usize = 16;

/// Gives the nodes of a tree.
pub trait NodeReader {
    /// Why a node could not be read.
    type Error;

    /// The root of the leaves `index << level` until `(index + 1) << level`. It is only asked for nodes that
    /// are whole in the tree in question.
    fn node(&self, level: u8, index: u64) -> Result<TreeHash, Self::Error>;
}

/// Gives tiles.
pub trait TileReader {
    /// Why a tile could not be read.
    type Error;

    /// At least the first `width` hashes of the tile at a level and index.
    fn tile(&self, level: u8, index: u64, width: usize) -> Result<Vec<TreeHash>, Self::Error>;
}

/// Nodes read out of tiles. It remembers a few tiles: make one for each proof.
pub struct TiledNodes<T> {
    tiles: T,
    remembered: RefCell<Vec<(u8, u64, Vec<TreeHash>)>>,
}

impl<T: TileReader> TiledNodes<T> {
    /// Reads from these tiles.
    pub fn new(tiles: T) -> TiledNodes<T> {
        TiledNodes { tiles, remembered: RefCell::default() }
    }
}

impl<T: TileReader> NodeReader for TiledNodes<T> {
    type Error = T::Error;

    fn node(&self, level: u8, index: u64) -> Result<TreeHash, T::Error> {
        let (tile_level, above) = (level / TILE_HEIGHT, level % TILE_HEIGHT);
        let first = index << above;
        let tile_index = first >> TILE_HEIGHT;
        let start = usize::try_from(first % FULL_TILE_HASHES as u64).expect("it is below 256");
        let end = start + (1 << above);
        let mut remembered = self.remembered.borrow_mut();
        let known = remembered.iter().find(|(level, index, hashes)| {
            (*level, *index) == (tile_level, tile_index) && hashes.len() >= end
        });
        if let Some((.., hashes)) = known {
            return Ok(tile_root(&hashes[start..end]));
        }
        let hashes = self.tiles.tile(tile_level, tile_index, end)?;
        let node = tile_root(&hashes[start..end]);
        if remembered.len() == REMEMBERED_TILES {
            remembered.remove(0);
        }
        remembered.push((tile_level, tile_index, hashes));
        Ok(node)
    }
}

/// The root of the tree's first `size` leaves.
///
/// # Panics
///
/// If the size is above 2^62.
pub fn root_at<N: NodeReader>(size: u64, nodes: &N) -> Result<TreeHash, N::Error> {
    assert!(size <= SIZE_LIMIT, "no log has 2^62 events");
    reading(nodes, |reader| tlog_tiles::tree_hash(size, reader)).map(TreeHash::from)
}

/// Lets `tlog_tiles` compute something over nodes, and keeps the reader's own error.
pub(crate) fn reading<N: NodeReader, T>(
    nodes: &N,
    compute: impl FnOnce(&Reading<'_, N>) -> Result<T, tlog_tiles::Error>,
) -> Result<T, N::Error> {
    let reader = Reading { nodes, failed: RefCell::new(None) };
    let computed = compute(&reader);
    match reader.failed.into_inner() {
        Some(error) => Err(error),
        None => Ok(computed.expect("only the reader fails: sizes and indexes were checked before")),
    }
}

pub(crate) struct Reading<'a, N: NodeReader> {
    nodes: &'a N,
    failed: RefCell<Option<N::Error>>,
}

impl<N: NodeReader> tlog_tiles::HashReader for Reading<'_, N> {
    fn read_hashes(&self, numbers: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        let read = |number: &u64| {
            let (level, index) = tlog_tiles::split_stored_hash_index(*number);
            self.nodes.node(level, index).map(tlog_tiles::Hash::from)
        };
        numbers.iter().map(read).collect::<Result<_, _>>().map_err(|error| {
            *self.failed.borrow_mut() = Some(error);
            tlog_tiles::Error::InvalidInput("a node could not be read".to_owned())
        })
    }
}
