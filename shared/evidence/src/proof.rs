//! Proofs of inclusion and of consistency: computed over nodes, verified over nothing but hashes.

use crate::hash::TreeHash;
use crate::nodes::{NodeReader, SIZE_LIMIT, reading};
use thiserror::Error;

/// The most hashes of a proof: one for each level, and one more for consistency.
pub const PROOF_LIMIT_HASHES: usize = 65;

/// Why a proof does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProofError {
    /// The entry would lie outside the tree.
    #[error(
        "there is no entry {index} in a tree of {size}: the proof and the checkpoint do not belong together"
    )]
    OutOfRange {
        /// The entry's index: its position less one.
        index: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The proof is of a tree that shrank.
    #[error("a log of {to} cannot continue one of {from}: the two were exchanged, or the log was cut back")]
    Shrunk {
        /// The earlier size.
        from: u64,
        /// The later size.
        to: u64,
    },
    /// There are more hashes than any tree has levels.
    #[error("the proof has {hashes} hashes, no proof has more than {PROOF_LIMIT_HASHES}")]
    TooLong {
        /// How many.
        hashes: usize,
    },
    /// The hashes do not lead from the entry to the root.
    #[error(
        "the proof does not lead from entry {index} to the root of the tree of {size}: the entry, the proof or \
         the checkpoint was altered, or they do not belong together"
    )]
    NotIncluded {
        /// The entry's index: its position less one.
        index: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The hashes do not lead to both roots.
    #[error(
        "the proof does not show that the log of {to} continues that of {from}: history was rewritten, or the \
         proof does not belong to these two checkpoints"
    )]
    NotConsistent {
        /// The earlier size.
        from: u64,
        /// The later size.
        to: u64,
    },
}

/// A proof that a leaf is in a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionProof {
    /// The leaf's index: the event's position less one.
    pub index: u64,
    /// The size of the tree.
    pub size: u64,
    /// The hashes beside the way up, from the leaf's neighbour on.
    pub hashes: Vec<TreeHash>,
}

impl InclusionProof {
    /// Computes the proof; none if the tree has no such leaf.
    pub fn compute<N: NodeReader>(
        index: u64,
        size: u64,
        nodes: &N,
    ) -> Result<Option<InclusionProof>, N::Error> {
        if index >= size || size > SIZE_LIMIT {
            return Ok(None);
        }
        let proof = reading(nodes, |reader| tlog_tiles::prove_record(size, index, reader))?;
        Ok(Some(InclusionProof { index, size, hashes: ours(proof) }))
    }

    /// Checks that the leaf is in the tree with this root.
    pub fn verify(&self, leaf: TreeHash, root: TreeHash) -> Result<(), ProofError> {
        let InclusionProof { index, size, .. } = *self;
        if index >= size {
            return Err(ProofError::OutOfRange { index, size });
        }
        let hashes = theirs(&self.hashes)?;
        tlog_tiles::check_record(&hashes, size, root.into(), index, leaf.into())
            .map_err(|_| ProofError::NotIncluded { index, size })
    }
}

/// A proof that a tree begins with all of an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsistencyProof {
    /// The earlier size.
    pub from: u64,
    /// The later size.
    pub to: u64,
    /// The hashes, as RFC 6962 orders them; none if the sizes are the same or the earlier one is 0.
    pub hashes: Vec<TreeHash>,
}

impl ConsistencyProof {
    /// Computes the proof; none if the later tree is smaller.
    pub fn compute<N: NodeReader>(
        from: u64,
        to: u64,
        nodes: &N,
    ) -> Result<Option<ConsistencyProof>, N::Error> {
        if from > to || to > SIZE_LIMIT {
            return Ok(None);
        }
        if from == 0 {
            return Ok(Some(ConsistencyProof { from, to, hashes: Vec::new() }));
        }
        let proof = reading(nodes, |reader| tlog_tiles::prove_tree(to, from, reader))?;
        Ok(Some(ConsistencyProof { from, to, hashes: ours(proof) }))
    }

    /// Checks that the tree with the later root begins with the one with the earlier root.
    pub fn verify(&self, from_root: TreeHash, to_root: TreeHash) -> Result<(), ProofError> {
        let ConsistencyProof { from, to, .. } = *self;
        if from > to {
            return Err(ProofError::Shrunk { from, to });
        }
        let hashes = theirs(&self.hashes)?;
        let holds = if from == 0 {
            hashes.is_empty() && from_root == crate::EMPTY_ROOT && (to > 0 || to_root == from_root)
        } else {
            tlog_tiles::check_tree(&hashes, to, to_root.into(), from, from_root.into()).is_ok()
        };
        if holds { Ok(()) } else { Err(ProofError::NotConsistent { from, to }) }
    }
}

fn ours(hashes: Vec<tlog_tiles::Hash>) -> Vec<TreeHash> {
    hashes.into_iter().map(TreeHash::from).collect()
}

fn theirs(hashes: &[TreeHash]) -> Result<Vec<tlog_tiles::Hash>, ProofError> {
    if hashes.len() > PROOF_LIMIT_HASHES {
        return Err(ProofError::TooLong { hashes: hashes.len() });
    }
    Ok(hashes.iter().copied().map(tlog_tiles::Hash::from).collect())
}
