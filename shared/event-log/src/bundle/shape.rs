//! Which files a bundle has: those that it must have, and no others.

use super::{CHECKPOINT_NAME, KEYS_NAME, MARK_NAME, path_in, tile_above};
use crate::files::{FileKind, Files};
use evidence::{Resource, TILE_LEVELS, TilePath, full_tiles};
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// What lies in a bundle's directory.
pub(super) struct Shape {
    names: Vec<PathBuf>,
}

/// Why a directory was not looked into.
pub(super) enum NotPlain {
    /// It holds a link, a device, a pipe or a socket.
    File(PathBuf),
    /// It could not be listed.
    Unread(io::Error),
}

impl Shape {
    /// Lists a bundle; what is not a plain file may lead anywhere, so nothing is read then.
    pub(super) fn list(files: &dyn Files, directory: &Path) -> Result<Shape, NotPlain> {
        let found = files.list_below(directory).map_err(NotPlain::Unread)?;
        match found.iter().find(|(_, kind)| *kind != FileKind::File) {
            Some((path, _)) => Err(NotPlain::File(directory.join(path))),
            None => Ok(Shape { names: found.into_iter().map(|(path, _)| path).collect() }),
        }
    }

    /// The files that do not belong to a bundle of a selection from a tree of a size.
    pub(super) fn strays(
        &self,
        size: u64,
        selected: &RangeInclusive<u64>,
        has_checkpoint: bool,
    ) -> impl Iterator<Item = &Path> {
        let (first, last) = (selected.start() - 1, selected.end() - 1);
        self.names.iter().map(PathBuf::as_path).filter(move |name| {
            let belongs = match name.to_str() {
                Some(MARK_NAME | KEYS_NAME) => true,
                Some(CHECKPOINT_NAME) => has_checkpoint,
                Some(name) => name.parse().is_ok_and(|path| is_tile_of(path, size, first, last)),
                None => false,
            };
            !belongs
        })
    }

    /// Whether a file is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|found| found == Path::new(name))
    }
}

/// Whether a tile belongs to a bundle of the entries from one index to another: their bundles, the tiles above
/// them, and the rightmost tile of every level.
pub(super) fn is_tile_of(path: TilePath, size: u64, first: u64, last: u64) -> bool {
    let (level, may_be_rightmost) = match path.resource {
        Resource::Hashes { level } => (level, true),
        Resource::Entries => (0, false),
    };
    if level >= TILE_LEVELS {
        return false;
    }
    let is_above = (tile_above(first, level)..=tile_above(last, level)).contains(&path.index);
    let is_rightmost = may_be_rightmost && path.index == full_tiles(size, level);
    (is_above || is_rightmost) && path_in(size, path.resource, path.index) == Some(path)
}
