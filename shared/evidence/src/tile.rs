//! Tiles: 256 neighbouring hashes of every eighth level, and the paths by which they are asked for.

use crate::hash::{HASH_BYTES, TreeHash, node_hash};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// How many levels of the tree one tile spans.
pub const TILE_HEIGHT: u8 = 8;
/// The levels of tiles that a tree of 64 bits has.
pub const TILE_LEVELS: u8 = 64 / TILE_HEIGHT;
/// How many hashes a full tile holds.
pub const FULL_TILE_HASHES: usize = 1 << TILE_HEIGHT;
/// The highest level of tiles that a path may name.
pub(crate) const LEVEL_LIMIT: u8 = 63;
/// The longest path that is looked at: `tile/entries/`, seven groups of digits, and a width.
const PATH_LIMIT_BYTES: usize = 64;
/// The largest index that a path may name, so that everything computed with it stays within 64 bits.
const INDEX_LIMIT: u64 = 1 << 54;

/// What lies under a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Resource {
    /// Hashes, at a level of tiles.
    Hashes {
        /// 0 for leaf hashes; each level above stands eight levels of the tree higher.
        level: u8,
    },
    /// The entries themselves.
    Entries,
}

/// The path of a tile or an entry bundle: `tile/<L>/<N>[.p/<W>]`, `tile/entries/<N>[.p/<W>]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TilePath {
    /// What lies there.
    pub resource: Resource,
    /// Its place within the level.
    pub index: u64,
    width: u16,
}

/// Why a text is no tile's path.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{path}` is no path of a tile: {what}; one looks like `tile/0/x001/x234/067`, `tile/1/003.p/17` or \
     `tile/entries/012`"
)]
pub struct PathError {
    path: String,
    what: &'static str,
}

impl TilePath {
    /// The path of a full tile or bundle.
    pub fn full(resource: Resource, index: u64) -> TilePath {
        TilePath { resource, index, width: 256 }
    }

    /// The path of one with so many hashes or entries; none if there are none or more than 256.
    pub fn of_width(resource: Resource, index: u64, width: usize) -> Option<TilePath> {
        let width = u16::try_from(width).ok().filter(|width| (1..=256).contains(width))?;
        Some(TilePath { resource, index, width })
    }

    /// How many hashes or entries it holds, 1 to 256.
    pub fn width(&self) -> usize {
        usize::from(self.width)
    }

    /// Whether it holds 256.
    pub fn is_full(&self) -> bool {
        self.width() == FULL_TILE_HASHES
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.resource {
            Resource::Hashes { level } => write!(f, "tile/{level}/")?,
            Resource::Entries => f.write_str("tile/entries/")?,
        }
        let mut groups = vec![self.index % 1_000];
        let mut rest = self.index / 1_000;
        while rest > 0 {
            groups.push(rest % 1_000);
            rest /= 1_000;
        }
        for group in groups[1..].iter().rev() {
            write!(f, "x{group:03}/")?;
        }
        write!(f, "{:03}", groups[0])?;
        if self.is_full() { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

impl FromStr for TilePath {
    type Err = PathError;

    /// Reads a path, which has exactly one spelling.
    fn from_str(path: &str) -> Result<TilePath, PathError> {
        let refused = |what| Err(PathError { path: crate::text::excerpt(path), what });
        if path.len() > PATH_LIMIT_BYTES {
            return refused("it is too long");
        }
        let Some(rest) = path.strip_prefix("tile/") else {
            return refused("it does not start with `tile/`");
        };
        let Some((level, rest)) = rest.split_once('/') else { return refused("it names no index") };
        let resource = match level {
            "entries" => Resource::Entries,
            level => match crate::text::decimal(level).and_then(|level| u8::try_from(level).ok()) {
                Some(level) if level <= LEVEL_LIMIT => Resource::Hashes { level },
                _ => return refused("the level is `entries` or a number from 0 to 63"),
            },
        };
        let (index, width) = match rest.split_once(".p/") {
            None => (rest, 256),
            Some((index, width)) => {
                let width = crate::text::decimal(width).and_then(|width| u16::try_from(width).ok());
                match width.filter(|width| (1..256).contains(width)) {
                    Some(width) => (index, width),
                    None => return refused("the width behind `.p/` is a number from 1 to 255"),
                }
            }
        };
        let mut number: u64 = 0;
        let groups: Vec<&str> = index.split('/').collect();
        for (at, group) in groups.iter().enumerate() {
            let digits = if at + 1 < groups.len() { group.strip_prefix('x') } else { Some(*group) };
            let digits =
                digits.filter(|digits| digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit()));
            let group = digits.and_then(|digits| digits.parse::<u64>().ok());
            let next = group.and_then(|group| number.checked_mul(1_000)?.checked_add(group));
            match next.filter(|next| *next <= INDEX_LIMIT) {
                Some(next) => number = next,
                None => {
                    return refused(
                        "the index is written in groups of three digits, `x` before all but the last",
                    );
                }
            }
        }
        let parsed = TilePath { resource, index: number, width };
        if parsed.to_string() == path {
            Ok(parsed)
        } else {
            refused("the index has leading groups of zeroes")
        }
    }
}

/// How many full tiles a level has in a tree of a size: the index of its rightmost, partial one.
///
/// The level is below [`TILE_LEVELS`].
pub fn full_tiles(size: u64, level: u8) -> u64 {
    size >> (level * TILE_HEIGHT) >> TILE_HEIGHT
}

/// How many hashes the rightmost, partial tile of a level has in a tree of a size; 0 if there is none.
pub fn partial_width(size: u64, level: u8) -> usize {
    let hashes = size.checked_shr(u32::from(level) * u32::from(TILE_HEIGHT)).unwrap_or(0);
    (hashes % 256) as usize
}

/// Why bytes are no tile.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "the tile has {bytes} bytes in place of {expected}: it is cut short or of another width, get it again"
)]
pub struct TileError {
    bytes: usize,
    expected: usize,
}

/// Reads a tile of a width.
pub fn read_tile(bytes: &[u8], width: usize) -> Result<Vec<TreeHash>, TileError> {
    let (hashes, rest) = bytes.as_chunks::<HASH_BYTES>();
    if hashes.len() != width || !rest.is_empty() {
        return Err(TileError { bytes: bytes.len(), expected: width * HASH_BYTES });
    }
    Ok(hashes.iter().copied().map(TreeHash).collect())
}

/// Writes a tile.
pub fn write_tile(hashes: &[TreeHash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// The root of the whole subtree over a power of two of hashes of a tile.
pub fn tile_root(hashes: &[TreeHash]) -> TreeHash {
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        row = row.as_chunks::<2>().0.iter().map(|[left, right]| node_hash(*left, *right)).collect();
    }
    row.first().copied().unwrap_or(crate::hash::EMPTY_ROOT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::leaf_hash;

    #[test]
    fn paths_have_one_spelling() {
        let hashes =
            |level, index, width| TilePath::of_width(Resource::Hashes { level }, index, width).unwrap();
        let cases = [
            ("tile/0/000", hashes(0, 0, 256)),
            ("tile/0/x001/x234/067", hashes(0, 1_234_067, 256)),
            ("tile/63/999.p/1", hashes(63, 999, 1)),
            ("tile/1/x001/000.p/255", hashes(1, 1_000, 255)),
            ("tile/entries/012", TilePath::full(Resource::Entries, 12)),
            ("tile/entries/x012/345.p/9", TilePath::of_width(Resource::Entries, 12_345, 9).unwrap()),
        ];
        for (text, path) in cases {
            assert_eq!(text.parse::<TilePath>().unwrap(), path);
            assert_eq!(path.to_string(), text);
        }
        let refused = [
            "",
            "tile",
            "tile/",
            "tile/0",
            "tile/0/",
            "/tile/0/000",
            "tile/00/000",
            "tile/64/000",
            "tile/-1/000",
            "tile/256/000",
            "tile/+1/000",
            "tile/data/000",
            "tile/0/0",
            "tile/0/0000",
            "tile/0/x000",
            "tile/0/x000/000",
            "tile/0/001/002",
            "tile/0/x001/x002",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/000.p/",
            "tile/0/000.p",
            "tile/0/000.p/1/2",
            "tile/0/000/",
            "tile/0/../000",
            "tile/0/00é",
            "tile/0/x999/x999/x999/x999/x999/x999/999",
            "tile/8/0/000",
            "checkpoint",
        ];
        for text in refused {
            let error = text.parse::<TilePath>().unwrap_err();
            assert!(error.to_string().contains("no path of a tile"), "{text}: {error}");
        }
        assert!("tile/0/".repeat(100).parse::<TilePath>().is_err());
        assert_eq!(TilePath::of_width(Resource::Entries, 0, 0), None);
        assert_eq!(TilePath::of_width(Resource::Entries, 0, 257), None);
    }

    #[test]
    fn the_partial_tiles_of_seventy_thousand_leaves_are_those_of_the_specification() {
        assert_eq!((0..4).map(|level| partial_width(70_000, level)).collect::<Vec<_>>(), [112, 17, 1, 0]);
        assert_eq!((0..3).map(|level| partial_width(256, level)).collect::<Vec<_>>(), [0, 1, 0]);
        assert_eq!(partial_width(u64::MAX, 8), 0);
    }

    #[test]
    fn tiles_read_back_only_at_their_width() {
        let hashes: Vec<_> = (0..5u8).map(|leaf| leaf_hash(&[leaf])).collect();
        let bytes = write_tile(&hashes);
        assert_eq!(read_tile(&bytes, 5).unwrap(), hashes);
        for (bytes, width) in [(&bytes[..], 4), (&bytes[..], 6), (&bytes[..159], 5)] {
            assert!(read_tile(bytes, width).unwrap_err().to_string().contains("in place of"));
        }
    }
}
