//! The tree while it grows: what has to be remembered to append a leaf and to give the root.

use crate::hash::{EMPTY_ROOT, TreeHash, node_hash};

/// The right edge of a tree: the roots of its largest whole subtrees, at most one for each level.
///
/// Appending a leaf costs one hash on average, the root one for each level; neither reads anything else.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    /// From the largest on: one for every bit set in the size.
    subtrees: Vec<TreeHash>,
}

/// A node that was completed: the root of the leaves `index << level` until `(index + 1) << level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// How many levels it stands above the leaves.
    pub level: u8,
    /// Its place among the nodes of its level.
    pub index: u64,
    /// Its hash.
    pub hash: TreeHash,
}

impl Frontier {
    /// The frontier of the empty tree.
    pub fn new() -> Frontier {
        Frontier::default()
    }

    /// Takes up a tree of a size again; `subtrees` are the roots of its largest whole subtrees, from the left.
    /// None if there are not as many as the size has bits.
    pub fn resume(size: u64, subtrees: Vec<TreeHash>) -> Option<Frontier> {
        (subtrees.len() == size.count_ones() as usize).then_some(Frontier { size, subtrees })
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of its largest whole subtrees, from the left: one for every bit set in the size.
    pub fn subtrees(&self) -> &[TreeHash] {
        &self.subtrees
    }

    /// Appends a leaf.
    pub fn append(&mut self, leaf: TreeHash) {
        self.append_with(leaf, |_| {});
    }

    /// Appends a leaf and hands out the nodes that it completes, from the leaf itself upwards.
    pub fn append_with(&mut self, leaf: TreeHash, mut completed: impl FnMut(Node)) {
        let mut node = Node { level: 0, index: self.size, hash: leaf };
        completed(node);
        while node.index % 2 == 1 {
            let left = self.subtrees.pop().expect("a right node has a left neighbour in the frontier");
            let hash = node_hash(left, node.hash);
            node = Node { level: node.level + 1, index: node.index / 2, hash };
            completed(node);
        }
        self.subtrees.push(node.hash);
        self.size += 1;
    }

    /// The root.
    pub fn root(&self) -> TreeHash {
        let from_the_right = self.subtrees.iter().rev().copied();
        from_the_right.reduce(|right, left| node_hash(left, right)).unwrap_or(EMPTY_ROOT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::leaf_hash;

    /// The inputs and roots of RFC 6962's own implementation (`merkletree/merkle_tree_test.cc`).
    const LEAVES: [&str; 8] =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    const ROOTS: [&str; 8] = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn the_vectors_of_rfc_6962_hold() {
        let mut frontier = Frontier::new();
        assert_eq!(frontier.root(), EMPTY_ROOT);
        let empty = bytes("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(EMPTY_ROOT.0.as_slice(), empty);
        for (leaf, root) in LEAVES.into_iter().zip(ROOTS) {
            frontier.append(leaf_hash(&bytes(leaf)));
            assert_eq!(frontier.root().0.as_slice(), bytes(root), "after {} leaves", frontier.size());
        }
    }

    #[test]
    fn a_frontier_is_taken_up_again_only_with_as_many_subtrees_as_it_has() {
        let mut frontier = Frontier::new();
        (0..13u8).for_each(|leaf| frontier.append(leaf_hash(&[leaf])));
        let again = Frontier::resume(13, frontier.subtrees.clone()).unwrap();
        assert_eq!(again, frontier);
        assert_eq!(Frontier::resume(12, frontier.subtrees), None);
    }
}
