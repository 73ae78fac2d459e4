//! Bundles: a log, or a part of one, as plain files that anyone can verify.
//!
//! The layout is that of [C2SP tlog-tiles](https://c2sp.org/tlog-tiles), so every client of such logs reads it:
//!
//! ```text
//! planwatch-bundle.json   format, plan, first and last position; written last, so an export cut short has none
//! checkpoint              the signed note that everything is held against; see below where there is none
//! vkeys                   the public keys, for information: what is believed is given to whoever verifies
//! tile/<L>/<N>[.p/<W>]    hashes: those above the exported events, and the tree's right edge
//! tile/entries/<N>[.p/<W>] the events as recorded, 256 in a file
//! ```
//!
//! A bundle that nobody signed names size and root of its tree in the mark, and says so whenever it is looked at. A
//! checkpoint of an earlier size may lie in it, too: then the events up to there are signed, the later ones are not.
//!
//! A selection is rounded out to whole entry bundles, because a bundle of 256 is what a client can check.

mod export;
mod from_journal;
mod import;
mod report;
mod shape;
mod verify;
mod writing;

pub use export::{ExportError, ExportReport, export};
pub use from_journal::{BundleHead, export_journal};
pub use import::{ImportError, ImportReport, import};
pub use report::{BundleError, BundleReport};
pub use verify::verify_bundle;

use crate::against::KeptLeaves;
use crate::files::Files;
use events::{PlanId, Position};
use evidence::{
    FULL_TILE_HASHES, HASH_BYTES, Resource, TilePath, TreeHash, full_tiles, partial_width, read_tile,
};
use serde::{Deserialize, Serialize};
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// The format that this version writes, and the newest that it reads.
const FORMAT: u32 = 1;
const MARK_NAME: &str = "planwatch-bundle.json";
const CHECKPOINT_NAME: &str = "checkpoint";
const KEYS_NAME: &str = "vkeys";

/// What says that a directory is a bundle, and of what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    format: u32,
    plan: PlanId,
    from: Position,
    to: Position,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unsigned: Option<UnsignedHead>,
}

/// Size and root of a tree that nobody signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UnsignedHead {
    size: u64,
    root: String,
}

/// The leaves in a bundle that was exported earlier, for a log to be held against.
pub struct BundleLeaves<'a> {
    files: &'a dyn Files,
    directory: &'a Path,
    size: u64,
}

impl<'a> BundleLeaves<'a> {
    /// Reads from a bundle whose checkpoint covers `size` events.
    pub fn new(files: &'a dyn Files, directory: &'a Path, size: u64) -> BundleLeaves<'a> {
        BundleLeaves { files, directory, size }
    }
}

impl KeptLeaves for BundleLeaves<'_> {
    fn leaves(&self, tile: u64, width: usize) -> Option<Vec<TreeHash>> {
        let path = path_in(self.size, Resource::Hashes { level: 0 }, tile)?;
        let limit_bytes = FULL_TILE_HASHES * HASH_BYTES;
        let bytes = read_bounded(self.files, &file_of(self.directory, path), limit_bytes).ok()?;
        read_tile(&bytes, path.width()).ok().filter(|leaves| leaves.len() >= width)
    }
}

/// The path of the tile, or bundle, at a level and index in a tree of a size; none if it would be empty.
fn path_in(size: u64, resource: Resource, index: u64) -> Option<TilePath> {
    let level = match resource {
        Resource::Hashes { level } => level,
        Resource::Entries => 0,
    };
    let full = full_tiles(size, level);
    let width = match index.cmp(&full) {
        std::cmp::Ordering::Less => FULL_TILE_HASHES,
        std::cmp::Ordering::Equal => partial_width(size, level),
        std::cmp::Ordering::Greater => 0,
    };
    TilePath::of_width(resource, index, width)
}

/// The tile of a level above an entry.
fn tile_above(index: u64, level: u8) -> u64 {
    full_tiles(index, level)
}

/// The events in the entry bundles of a selection: it, rounded out.
fn events_in(size: u64, from: Position, to: Position) -> RangeInclusive<u64> {
    let first = tile_above(from.0 - 1, 0) * FULL_TILE_HASHES as u64 + 1;
    first..=size.min((tile_above(to.0 - 1, 0) + 1) * FULL_TILE_HASHES as u64)
}

/// Where a tile lies in a bundle.
fn file_of(directory: &Path, path: TilePath) -> PathBuf {
    directory.join(path.to_string())
}

/// Reads a file that is not larger than it can be.
fn read_bounded(files: &dyn Files, path: &Path, limit_bytes: usize) -> io::Result<Vec<u8>> {
    let file = files.open_read(path)?;
    let size = file.size_bytes()?;
    if size > limit_bytes as u64 {
        let what = format!("it has {size} bytes, such a file has at most {limit_bytes}");
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    // One byte more is asked for, so that a file that grows meanwhile is not taken for whole.
    let mut bytes = vec![0; usize::try_from(size).map_err(io::Error::other)? + 1];
    let read = file.read_at(0, &mut bytes)?;
    bytes.truncate(read);
    Ok(bytes)
}
