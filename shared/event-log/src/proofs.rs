//! The log's evidence: roots, proofs, tiles and entry bundles, from memory and the index alike.

use crate::log::{Log, ReadError, Shared};
use crate::stored::ReadLimit;
use crate::tree::TreeHead;
use events::Position;
use evidence::{
    ConsistencyProof, InclusionProof, NodeReader, Resource, TILE_HEIGHT, TILE_LEVELS, TileReader, TiledNodes,
    TreeHash, push_entry, root_at,
};
use thiserror::Error;

/// Why the log could not show evidence.
#[derive(Debug, Error)]
pub enum EvidenceError {
    /// It was asked about events that the log does not have, or not yet.
    #[error("position {asked} is not within the log's {size} events")]
    Beyond {
        /// What was asked about.
        asked: u64,
        /// How many events there are.
        size: u64,
    },
    /// The tree's nodes are in an index that is being made again.
    #[error("the log's index is being made again and does not hold the tree yet; try again in a moment")]
    NotReady,
    /// The events could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl Log {
    /// Size and root of the tree over everything that is durable, taken together.
    pub fn tree_head(&self) -> TreeHead {
        self.shared.tree.head()
    }

    /// How many events the tree covers.
    pub fn tree_size(&self) -> u64 {
        self.tree_head().size
    }

    /// The root of the tree over everything that is durable; see [`Log::tree_head`] for both together.
    pub fn root(&self) -> TreeHash {
        self.tree_head().root
    }

    /// The root of the tree over the events up to a position (inclusive).
    pub fn root_at(&self, position: Position) -> Result<TreeHash, EvidenceError> {
        self.within(position.0)?;
        root_at(position.0, &self.nodes())
    }

    /// Proves that the event at a position is in the log's first `size` events.
    pub fn inclusion_proof(&self, position: Position, size: u64) -> Result<InclusionProof, EvidenceError> {
        self.within(size)?;
        let beyond = EvidenceError::Beyond { asked: position.0, size };
        let Some(index) = position.0.checked_sub(1) else { return Err(beyond) };
        InclusionProof::compute(index, size, &self.nodes())?.ok_or(beyond)
    }

    /// The root over the log's first `size` events, and the proof of each of some positions in them: what many
    /// proofs have in common is read once.
    pub fn inclusion_proofs(
        &self,
        positions: &[Position],
        size: u64,
    ) -> Result<(TreeHash, Vec<InclusionProof>), EvidenceError> {
        self.within(size)?;
        let nodes = self.nodes();
        let prove = |position: &Position| {
            let beyond = EvidenceError::Beyond { asked: position.0, size };
            let Some(index) = position.0.checked_sub(1) else { return Err(beyond) };
            InclusionProof::compute(index, size, &nodes)?.ok_or(beyond)
        };
        let proofs = positions.iter().map(prove).collect::<Result<Vec<_>, _>>()?;
        Ok((root_at(size, &nodes)?, proofs))
    }

    /// Proves that the log's first `to` events begin with its first `from` events.
    pub fn consistency_proof(&self, from: u64, to: u64) -> Result<ConsistencyProof, EvidenceError> {
        self.within(to)?;
        let beyond = EvidenceError::Beyond { asked: from, size: to };
        ConsistencyProof::compute(from, to, &self.nodes())?.ok_or(beyond)
    }

    /// The bytes of a tile of hashes, or of an entry bundle; none if the log does not have it (yet).
    ///
    /// What a path leads to never changes.
    pub fn tile(&self, path: &evidence::TilePath) -> Result<Option<Vec<u8>>, EvidenceError> {
        match path.resource {
            Resource::Entries => self.entry_bundle(path.index, path.width()),
            Resource::Hashes { level } => self.hash_tile(level, path.index, path.width()),
        }
    }

    fn hash_tile(&self, level: u8, index: u64, width: usize) -> Result<Option<Vec<u8>>, EvidenceError> {
        let size = self.tree_size();
        let within = |last: u64| level < TILE_LEVELS && last <= size >> (level * TILE_HEIGHT);
        let Some(first) = index.checked_mul(256).filter(|first| within(first.saturating_add(width as u64)))
        else {
            return Ok(None);
        };
        let nodes = self.nodes();
        let hashes = (first..first + width as u64).map(|at| nodes.node(level * TILE_HEIGHT, at));
        Ok(Some(evidence::write_tile(&hashes.collect::<Result<Vec<_>, _>>()?)))
    }

    /// The events of a bundle as recorded, each behind its length; at most 15 MiB.
    fn entry_bundle(&self, index: u64, width: usize) -> Result<Option<Vec<u8>>, EvidenceError> {
        let Some(before) =
            index.checked_mul(256).filter(|before| before.saturating_add(width as u64) <= self.tree_size())
        else {
            return Ok(None);
        };
        let last = before + width as u64;
        let mut bundle = Vec::new();
        let mut next = Position(before + 1);
        while next.0 <= last {
            let events = usize::try_from(last - next.0 + 1).expect("a bundle has at most 256 events");
            for stored in self.read(next, ReadLimit { events, bytes: usize::MAX })? {
                let fits = push_entry(&mut bundle, &stored.bytes);
                assert!(fits, "an event is at most 60 KiB");
                next = stored.position.next();
            }
        }
        Ok(Some(bundle))
    }

    fn within(&self, asked: u64) -> Result<(), EvidenceError> {
        let size = self.tree_size();
        if asked <= size { Ok(()) } else { Err(EvidenceError::Beyond { asked, size }) }
    }

    fn nodes(&self) -> LogNodes<'_> {
        LogNodes { shared: &self.shared, indexed: TiledNodes::new(IndexTiles(&self.shared)) }
    }
}

/// Nodes from memory where they are new, else from the index: they leave the one only once they are in the
/// other.
struct LogNodes<'a> {
    shared: &'a Shared,
    indexed: TiledNodes<IndexTiles<'a>>,
}

impl NodeReader for LogNodes<'_> {
    type Error = EvidenceError;

    fn node(&self, level: u8, index: u64) -> Result<TreeHash, EvidenceError> {
        self.shared.tree.node(level, index).map_or_else(|| self.indexed.node(level, index), Ok)
    }
}

struct IndexTiles<'a>(&'a Shared);

impl TileReader for IndexTiles<'_> {
    type Error = EvidenceError;

    fn tile(&self, level: u8, index: u64, width: usize) -> Result<Vec<TreeHash>, EvidenceError> {
        let (tile, _) = self.0.with_index(|held| Ok((held.tile(level, index)?, held.head())));
        tile.filter(|hashes| hashes.len() >= width).ok_or(EvidenceError::NotReady)
    }
}
