//! What the check of a bundle gives: what was found, or why nothing could be.

use super::{FORMAT, MARK_NAME};
use crate::verify::Problem;
use events::{PlanId, Position};
use evidence::{CheckpointError, TreeHash, Verified};
use std::io;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use thiserror::Error;

/// What the check of a bundle found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleReport {
    /// The plan whose events it says it holds.
    pub plan: PlanId,
    /// The first and the last position that were selected.
    pub selected: RangeInclusive<u64>,
    /// How many events the tree has that everything was held against.
    pub size: u64,
    /// The checkpoint, and who signed it; none if nobody did. It covers the whole tree, or in a bundle that was
    /// exported without one that does, its first events.
    pub checkpoint: Option<Verified>,
    /// How many events were read.
    pub events: u64,
    /// The root of the tree over the selected events, if the selection starts at position 1 and all are there.
    pub root: Option<TreeHash>,
    /// What is wrong, at most the first 1,000.
    pub problems: Vec<Problem>,
    /// How many more there are.
    pub further_problems: u64,
}

impl BundleReport {
    /// How many events of the tree are signed, from position 1 on.
    pub fn signed(&self) -> u64 {
        self.checkpoint.as_ref().map_or(0, |verified| verified.checkpoint.size())
    }

    /// Whether nothing is wrong.
    pub fn is_ok(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Why a bundle could not be checked at all.
#[derive(Debug, Error)]
pub enum BundleError {
    /// There is no mark.
    #[error(
        "`{}` is no bundle, or one whose export was cut short: it has no `{MARK_NAME}`; name the right directory or \
         export it again",
        .0.display()
    )]
    NoMark(PathBuf),
    /// A newer version wrote it.
    #[error(
        "the bundle has format {found}, this version knows up to {FORMAT}; verify it with the newer version"
    )]
    Newer {
        /// The format found.
        found: u32,
    },
    /// The mark is malformed.
    #[error("`{}` is malformed; get the bundle again", path.display())]
    Mark {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// Nobody signed it, and keys were given that should have.
    #[error(
        "`{}` is unsigned: no checkpoint lies in it that a given key could have signed; get a signed one, or do not          hold it against keys",
        .0.display()
    )]
    Unsigned(PathBuf),
    /// It holds something else than plain files.
    #[error(
        "`{}` is a link or no plain file, and may lead anywhere: a bundle has plain files only, get it again",
        .0.display()
    )]
    NotPlain(PathBuf),
    /// The mark names positions that cannot be.
    #[error("the bundle says it holds positions {from} to {to} of {size}; get it again")]
    Positions {
        /// The first position.
        from: Position,
        /// The last position.
        to: Position,
        /// How many events the checkpoint covers.
        size: u64,
    },
    /// The checkpoint is not to be believed, so nothing else is.
    #[error("`{}`: {source}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// Why.
        source: CheckpointError,
    },
    /// A file that everything hangs on could not be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}
