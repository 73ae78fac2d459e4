//! The tree's hashes: SHA-256 as RFC 6962 uses it.

use crate::text;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The size of a hash.
pub const HASH_BYTES: usize = 32;

/// A hash of the tree: of a leaf, of a node, or the root. Written in base64.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreeHash(pub [u8; HASH_BYTES]);

/// The root of the empty tree: the hash of nothing.
pub const EMPTY_ROOT: TreeHash = TreeHash(tlog_tiles::EMPTY_HASH.0);

/// Hashes a leaf: SHA-256 of a zero byte and the entry.
pub fn leaf_hash(entry: &[u8]) -> TreeHash {
    tlog_tiles::record_hash(entry).into()
}

/// Hashes two neighbours into the node above them: SHA-256 of a one byte and both.
pub fn node_hash(left: TreeHash, right: TreeHash) -> TreeHash {
    tlog_tiles::node_hash(left.into(), right.into()).into()
}

/// Text that is no hash.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no hash: a hash is 32 bytes in base64, 44 characters")]
pub struct NotAHash(pub String);

impl FromStr for TreeHash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<TreeHash, NotAHash> {
        let bytes = (text.len() == 44).then(|| text::from_base64(text)).flatten();
        let hash = bytes.and_then(|bytes| bytes.try_into().ok());
        hash.map(TreeHash).ok_or_else(|| NotAHash(text::excerpt(text)))
    }
}

impl fmt::Display for TreeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::to_base64(&self.0))
    }
}

impl fmt::Debug for TreeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl From<tlog_tiles::Hash> for TreeHash {
    fn from(hash: tlog_tiles::Hash) -> TreeHash {
        TreeHash(hash.0)
    }
}

impl From<TreeHash> for tlog_tiles::Hash {
    fn from(hash: TreeHash) -> tlog_tiles::Hash {
        tlog_tiles::Hash(hash.0)
    }
}
