//! Comparing two checkpoints of a log over its tiles: does the larger one continue the smaller one?

use crate::source::{FetchError, Source};
use evidence::{
    Checkpoint, ConsistencyProof, FULL_TILE_HASHES, Resource, TileError, TilePath, TileReader, TiledNodes,
    TreeHash, full_tiles, partial_width, read_tile, root_at,
};
use std::cell::Cell;
use thiserror::Error;

/// The largest log that is compared.
const SIZE_LIMIT: u64 = 1 << 62;
/// The most tiles that one comparison reads: three ways up a tree of that size need fewer.
const TILES_LIMIT: u32 = 96;

/// What the tiles show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Compared {
    /// The larger continues the smaller; the proof says so to anyone.
    Continues(Vec<TreeHash>),
    /// It does not: in the larger one's tree the first entries have another root than the smaller one says.
    Contradicts {
        /// The root that they have.
        root: TreeHash,
        /// The proof that leads from that root to the larger one's.
        hashes: Vec<TreeHash>,
    },
}

/// Why it cannot be told.
#[derive(Debug, Error)]
pub(crate) enum NotCompared {
    /// A tile could not be had.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// A tile is none.
    #[error("the tile `{path}` is none")]
    Tile {
        path: TilePath,
        #[source]
        source: TileError,
    },
    /// There is no such tile in a tree of that size.
    #[error("a tree of {size} events has no tile {index} at level {level}")]
    NoSuchTile { size: u64, level: u8, index: u64 },
    /// More tiles were needed than any tree has on the way.
    #[error("the comparison needed more than {TILES_LIMIT} tiles")]
    TooManyTiles,
    /// The tiles are not those of the larger checkpoint.
    #[error(
        "the tiles do not have the root of the checkpoint of {size} events: they are of another moment or another \
         log, or damaged"
    )]
    OtherTree { size: u64 },
    /// The log is larger than what is compared.
    #[error("the checkpoint is of {size} events, more than any log has")]
    TooLarge { size: u64 },
}

/// Compares two checkpoints over the tiles of the larger one. The tiles are believed only if they have its root.
pub(crate) fn compare(
    small: &Checkpoint,
    large: &Checkpoint,
    source: &dyn Source,
) -> Result<Compared, NotCompared> {
    let size = large.size();
    if size > SIZE_LIMIT {
        return Err(NotCompared::TooLarge { size });
    }
    let nodes = TiledNodes::new(Tiles { source, size, read: Cell::new(0) });
    if root_at(size, &nodes)? != large.root() {
        return Err(NotCompared::OtherTree { size });
    }
    let proof = ConsistencyProof::compute(small.size(), size, &nodes)?;
    let proof = proof.expect("the smaller one is not larger");
    let root = root_at(small.size(), &nodes)?;
    // Tiles read twice may differ; what is claimed of a log has to hold for anyone.
    if proof.verify(root, large.root()).is_err() {
        return Err(NotCompared::OtherTree { size });
    }
    let hashes = proof.hashes;
    Ok(if root == small.root() {
        Compared::Continues(hashes)
    } else {
        Compared::Contradicts { root, hashes }
    })
}

/// The tiles of a tree of a size.
struct Tiles<'a> {
    source: &'a dyn Source,
    size: u64,
    read: Cell<u32>,
}

impl TileReader for Tiles<'_> {
    type Error = NotCompared;

    fn tile(&self, level: u8, index: u64, width: usize) -> Result<Vec<TreeHash>, NotCompared> {
        let full = full_tiles(self.size, level);
        let there = match index.cmp(&full) {
            std::cmp::Ordering::Less => FULL_TILE_HASHES,
            std::cmp::Ordering::Equal => partial_width(self.size, level),
            std::cmp::Ordering::Greater => 0,
        };
        let resource = Resource::Hashes { level };
        let path = TilePath::of_width(resource, index, there).filter(|_| width <= there);
        let path = path.ok_or(NotCompared::NoSuchTile { size: self.size, level, index })?;
        self.read.set(self.read.get() + 1);
        if self.read.get() > TILES_LIMIT {
            return Err(NotCompared::TooManyTiles);
        }
        match self.hashes(path) {
            // A log need not keep a partial tile once it is full.
            Err(NotCompared::Fetch(error)) if error.is_not_found() && !path.is_full() => {
                self.hashes(TilePath::full(resource, index))
            }
            hashes => hashes,
        }
    }
}

impl Tiles<'_> {
    fn hashes(&self, path: TilePath) -> Result<Vec<TreeHash>, NotCompared> {
        let bytes = self.source.tile(path)?;
        read_tile(&bytes, path.width()).map_err(|source| NotCompared::Tile { path, source })
    }
}
