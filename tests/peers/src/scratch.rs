//! The directory that everything is made in and that is removed again.

use anyhow::Context;
use std::path::Path;
use tempfile::TempDir;

/// The directory; dropping it removes it.
pub(crate) struct Scratch {
    directory: TempDir,
}

impl Scratch {
    /// Makes one where it was asked for, else where temporary files go.
    pub(crate) fn new(parent: Option<&Path>) -> anyhow::Result<Scratch> {
        let parent = parent.map_or_else(std::env::temp_dir, Path::to_owned);
        let directory = tempfile::Builder::new()
            .prefix("planwatch-peers-")
            .tempdir_in(&parent)
            .with_context(|| format!("cannot make a directory in `{}`", parent.display()))?;
        Ok(Scratch { directory })
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }
}
