//! Proofs of random trees: against RFC 6962's definitions, against a second implementation, and altered.

#![expect(clippy::unwrap_used, reason = "a test that unwraps nothing has failed, which is the point")]

use ct_merkle::{RootHash, mem_backed_tree::MemoryBackedTree};
use evidence::*;
use proptest::prelude::*;
use sha2::Sha256;
use std::convert::Infallible;

fn entry(seed: u64, index: u64) -> Vec<u8> {
    let length = (seed.wrapping_mul(index + 1) % 40) as usize;
    [seed.to_be_bytes().as_slice(), &index.to_be_bytes(), &vec![7; length]].concat()
}

/// The tree by its definition: slow, and plainly right.
fn naive_root(leaves: &[TreeHash]) -> TreeHash {
    match leaves {
        [] => EMPTY_ROOT,
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(1 << (leaves.len() - 1).ilog2());
            node_hash(naive_root(left), naive_root(right))
        }
    }
}

fn naive_inclusion(index: usize, leaves: &[TreeHash]) -> Vec<TreeHash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(1 << (leaves.len() - 1).ilog2());
    let (mut path, beside) = if index < left.len() {
        (naive_inclusion(index, left), right)
    } else {
        (naive_inclusion(index - left.len(), right), left)
    };
    path.push(naive_root(beside));
    path
}

fn naive_consistency(from: usize, leaves: &[TreeHash], whole: bool) -> Vec<TreeHash> {
    if from == leaves.len() {
        return if whole { Vec::new() } else { vec![naive_root(leaves)] };
    }
    let (left, right) = leaves.split_at(1 << (leaves.len() - 1).ilog2());
    let (mut path, beside) = if from <= left.len() {
        (naive_consistency(from, left, whole), right)
    } else {
        (naive_consistency(from - left.len(), right, false), left)
    };
    path.push(naive_root(beside));
    path
}

/// A tree kept in tiles: full ones as they were handed out, partial ones at the edge.
#[derive(Default)]
struct Tiles {
    full: std::collections::HashMap<(u8, u64), Vec<TreeHash>>,
    edge: Edge,
}

impl Tiles {
    fn of(leaves: &[TreeHash]) -> Tiles {
        let mut tiles = Tiles::default();
        for leaf in leaves {
            tiles.edge.append(*leaf, |tile| {
                let bytes = write_tile(tile.hashes);
                tiles.full.insert((tile.level, tile.index), read_tile(&bytes, 256).unwrap());
            });
        }
        tiles
    }
}

impl TileReader for &Tiles {
    type Error = Infallible;

    fn tile(&self, level: u8, index: u64, width: usize) -> Result<Vec<TreeHash>, Infallible> {
        let tile = self.full.get(&(level, index)).map_or(self.edge.partial(level), Vec::as_slice);
        assert!(tile.len() >= width, "only whole nodes are asked for");
        Ok(tile.to_vec())
    }
}

fn second_root(root: TreeHash, size: u64) -> RootHash<Sha256> {
    RootHash::new(root.0.into(), size)
}

fn joined(hashes: &[TreeHash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

fn check_tree(size: u64, seed: u64, picks: &[u64]) {
    let entries: Vec<Vec<u8>> = (0..size).map(|index| entry(seed, index)).collect();
    let leaves: Vec<TreeHash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    let mut second = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    entries.iter().for_each(|entry| second.push(entry.clone()));
    let tiles = Tiles::of(&leaves);
    let nodes = TiledNodes::new(&tiles);
    let root = naive_root(&leaves);
    assert_eq!(tiles.edge.root(), root);
    assert_eq!(root_at(size, &nodes), Ok(root));
    assert_eq!(second.root().as_bytes().as_slice(), root.0);
    for pick in picks {
        let index = pick % size;
        let at = usize::try_from(index).unwrap();
        let proof = InclusionProof::compute(index, size, &nodes).unwrap().unwrap();
        assert_eq!(proof.hashes, naive_inclusion(at, &leaves));
        assert_eq!(joined(&proof.hashes), second.prove_inclusion(at).as_bytes());
        proof.verify(leaves[at], root).unwrap();
        let theirs = ct_merkle::InclusionProof::try_from_bytes(joined(&proof.hashes)).unwrap();
        second_root(root, size).verify_inclusion(&entries[at], index, &theirs).unwrap();

        let from = index + 1;
        let from_root = naive_root(&leaves[..=at]);
        assert_eq!(root_at(from, &nodes), Ok(from_root));
        let proof = ConsistencyProof::compute(from, size, &nodes).unwrap().unwrap();
        assert_eq!(proof.hashes, naive_consistency(at + 1, &leaves, true));
        proof.verify(from_root, root).unwrap();
        if from < size {
            assert_eq!(joined(&proof.hashes), second.prove_consistency((size - from) as usize).as_bytes());
            let theirs = ct_merkle::ConsistencyProof::try_from_bytes(joined(&proof.hashes)).unwrap();
            second_root(root, size).verify_consistency(&second_root(from_root, from), &theirs).unwrap();
        }
    }
    assert_eq!(InclusionProof::compute(size, size, &nodes), Ok(None));
    assert_eq!(ConsistencyProof::compute(size + 1, size, &nodes), Ok(None));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn proofs_agree_with_the_definition_and_with_a_second_implementation(
        size in 1u64..=2_000,
        seed: u64,
        picks in prop::collection::vec(any::<u64>(), 1..8),
    ) {
        check_tree(size, seed, &picks);
    }

    #[test]
    fn a_proof_with_anything_altered_is_refused(size in 2u64..=300, seed: u64, pick: u64) {
        let leaves: Vec<TreeHash> = (0..size).map(|index| leaf_hash(&entry(seed, index))).collect();
        let tiles = Tiles::of(&leaves);
        let nodes = TiledNodes::new(&tiles);
        let root = tiles.edge.root();
        let index = pick % size;
        let leaf = leaves[usize::try_from(index).unwrap()];
        let proof = InclusionProof::compute(index, size, &nodes).unwrap().unwrap();
        for bit in 0..proof.hashes.len() * 256 {
            let mut altered = proof.clone();
            altered.hashes[bit / 256].0[bit % 256 / 8] ^= 1 << (bit % 8);
            prop_assert!(altered.verify(leaf, root).is_err());
        }
        for other in (0..size).filter(|other| *other != index) {
            let altered = InclusionProof { index: other, ..proof.clone() };
            prop_assert!(altered.verify(leaf, root).is_err());
        }
        let longer = [proof.hashes.clone(), vec![root]].concat();
        let altered = InclusionProof { hashes: longer, ..proof.clone() };
        prop_assert!(altered.verify(leaf, root).is_err());
        let shorter = proof.hashes[1..].to_vec();
        let altered = InclusionProof { hashes: shorter, ..proof.clone() };
        prop_assert!(altered.verify(leaf, root).is_err());
        prop_assert!(proof.verify(leaf_hash(b"another"), root).is_err());

        let from = (pick % (size - 1)) + 1;
        let from_root = root_at(from, &nodes).unwrap();
        let proof = ConsistencyProof::compute(from, size, &nodes).unwrap().unwrap();
        prop_assert!(proof.verify(from_root, root).is_ok());
        for bit in 0..proof.hashes.len() * 256 {
            let mut altered = proof.clone();
            altered.hashes[bit / 256].0[bit % 256 / 8] ^= 1 << (bit % 8);
            prop_assert!(altered.verify(from_root, root).is_err());
        }
        prop_assert!(proof.verify(leaf_hash(b"another"), root).is_err());
        prop_assert!(proof.verify(from_root, leaf_hash(b"another")).is_err());
        let shrunk = ConsistencyProof { from: size, to: from, hashes: proof.hashes };
        prop_assert_eq!(shrunk.verify(root, from_root), Err(ProofError::Shrunk { from: size, to: from }));
    }
}

#[test]
fn small_trees_agree_exhaustively() {
    for size in 1..=70 {
        check_tree(size, 3, &(0..size).collect::<Vec<_>>());
    }
}

#[test]
fn trees_with_several_levels_of_tiles_agree() {
    for size in [255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 66_000] {
        check_tree(size, 5, &[0, 1, 255, 256, 257, size / 2, size - 1]);
    }
}

#[test]
fn every_log_continues_the_empty_one_and_itself() {
    let tiles = Tiles::of(&[leaf_hash(b"a"), leaf_hash(b"b")]);
    let nodes = TiledNodes::new(&tiles);
    let root = tiles.edge.root();
    let proof = ConsistencyProof::compute(0, 2, &nodes).unwrap().unwrap();
    proof.verify(EMPTY_ROOT, root).unwrap();
    assert!(proof.verify(root, root).is_err());
    assert!(ConsistencyProof { from: 0, to: 2, hashes: vec![root] }.verify(EMPTY_ROOT, root).is_err());
    let proof = ConsistencyProof::compute(2, 2, &nodes).unwrap().unwrap();
    proof.verify(root, root).unwrap();
    assert!(proof.verify(EMPTY_ROOT, root).is_err());
    let empty = ConsistencyProof { from: 0, to: 0, hashes: Vec::new() };
    empty.verify(EMPTY_ROOT, EMPTY_ROOT).unwrap();
    assert!(empty.verify(EMPTY_ROOT, root).is_err());
}

#[test]
fn absurd_sizes_and_lengths_are_refused_without_ado() {
    let hash = leaf_hash(b"a");
    let long = InclusionProof { index: 0, size: u64::MAX, hashes: vec![hash; PROOF_LIMIT_HASHES + 1] };
    assert_eq!(long.verify(hash, hash), Err(ProofError::TooLong { hashes: PROOF_LIMIT_HASHES + 1 }));
    for hashes in [0, 1, 63, 64, 65] {
        let proof = InclusionProof { index: u64::MAX - 1, size: u64::MAX, hashes: vec![hash; hashes] };
        assert!(proof.verify(hash, hash).is_err());
        let proof = ConsistencyProof { from: u64::MAX - 1, to: u64::MAX, hashes: vec![hash; hashes] };
        assert!(proof.verify(hash, hash).is_err());
    }
    let outside = InclusionProof { index: 5, size: 5, hashes: Vec::new() };
    assert_eq!(outside.verify(hash, hash), Err(ProofError::OutOfRange { index: 5, size: 5 }));
}
