//! A log in memory, and one that forks off it: their checkpoints, proofs and tiles.

use evidence::{
    AddCheckpoint, Checkpoint, ConsistencyProof, FULL_TILE_HASHES, KeyName, KeyUse, Resource, SEED_BYTES,
    SignedCheckpoint, SigningKey, TilePath, TileReader, TiledNodes, TreeHash, VerifierKey, leaf_hash,
    root_at, tile_root, write_tile,
};
use std::convert::Infallible;

/// The name of all logs made here.
pub(crate) const ORIGIN: &str = "log.example/made";

/// A log in memory.
#[derive(Debug, Clone)]
pub(crate) struct MadeLog {
    leaves: Vec<TreeHash>,
}

/// The key with which they all sign.
pub(crate) fn log_key() -> SigningKey {
    SigningKey::from_seed(KeyName::parse(ORIGIN).unwrap(), &[1; SEED_BYTES])
}

/// Its public half.
pub(crate) fn log_vkey() -> VerifierKey {
    log_key().verifier(KeyUse::Log)
}

impl MadeLog {
    /// A log of so many entries; from an entry on, if one is given, it is another history.
    pub(crate) fn of(size: u64, fork_at: Option<u64>) -> MadeLog {
        let is_other = |index: u64| fork_at.is_some_and(|at| index >= at);
        let entry = |index: u64| {
            if is_other(index) { format!("another entry {index}") } else { format!("entry {index}") }
        };
        MadeLog { leaves: (0..size).map(|index| leaf_hash(entry(index).as_bytes())).collect() }
    }

    /// The root of its first entries.
    pub(crate) fn root(&self, size: u64) -> TreeHash {
        root_at(size, &TiledNodes::new(self)).unwrap()
    }

    /// Its checkpoint when it had so many entries.
    pub(crate) fn checkpoint(&self, size: u64) -> SignedCheckpoint {
        let key = log_key();
        Checkpoint::new(key.name(), size, self.root(size)).sign(&[&key]).unwrap()
    }

    /// A request to a witness, with the proof that belongs to it, if there is one.
    pub(crate) fn request(&self, old_size: u64, size: u64) -> AddCheckpoint {
        let proof = ConsistencyProof::compute(old_size, size, &TiledNodes::new(self)).unwrap();
        let hashes = proof.map_or_else(Vec::new, |proof| proof.hashes);
        AddCheckpoint { old_size, hashes, checkpoint: self.checkpoint(size) }
    }

    /// The bytes of a tile, as a server of files has them; none if there is no such tile.
    pub(crate) fn tile_bytes(&self, path: TilePath) -> Option<Vec<u8>> {
        let Resource::Hashes { level } = path.resource else { return None };
        let first = path.index * FULL_TILE_HASHES as u64;
        let below = 256_u64.checked_pow(u32::from(level))?;
        if (first + path.width() as u64).checked_mul(below)? > self.leaves.len() as u64 {
            return None;
        }
        Some(write_tile(&self.tile(level, path.index, path.width()).unwrap()))
    }
}

impl TileReader for &MadeLog {
    type Error = Infallible;

    fn tile(&self, level: u8, index: u64, width: usize) -> Result<Vec<TreeHash>, Infallible> {
        MadeLog::tile(self, level, index, width)
    }
}

impl MadeLog {
    fn tile(&self, level: u8, index: u64, width: usize) -> Result<Vec<TreeHash>, Infallible> {
        let below = 256_usize.pow(u32::from(level));
        let first = usize::try_from(index).unwrap() * FULL_TILE_HASHES * below;
        let whole = self.leaves[first..].chunks_exact(below).take(width);
        Ok(whole.map(tile_root).collect())
    }
}
