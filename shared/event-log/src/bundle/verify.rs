//! Verifying a bundle with nothing but public keys.
//!
//! The checkpoint's root covers the rightmost tile of every level; those cover the full tiles below, down to
//! the leaves, and those the events. The walk goes down that way in the order of positions and holds one file
//! of each level at a time.

use super::{CHECKPOINT_NAME, FORMAT, MARK_NAME, Mark, file_of, path_in, read_bounded};
use crate::files::Files;
use crate::verify::Problem;
use bytes::Bytes;
use events::wire;
use events::{PlanId, Position, Timestamp};
use evidence::{
    CheckpointError, ENTRY_LIMIT_BYTES, Edge, FULL_TILE_HASHES, Frontier, HASH_BYTES, NOTE_LIMIT_BYTES,
    Resource, SignedCheckpoint, TILE_HEIGHT, TILE_LEVELS, TilePath, TreeHash, Verified, VerifierKey,
    full_tiles, leaf_hash, read_tile, split_entries, tile_root,
};
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// How many problems are listed; the rest is counted.
const PROBLEMS_LIMIT: usize = 1_000;
const MARK_LIMIT_BYTES: usize = 4_096;
const BUNDLE_LIMIT_BYTES: usize = FULL_TILE_HASHES * (2 + ENTRY_LIMIT_BYTES);

/// What the check of a bundle found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleReport {
    /// The plan whose events it says it holds.
    pub plan: PlanId,
    /// The first and the last position that were selected.
    pub selected: RangeInclusive<u64>,
    /// The checkpoint, and who signed it.
    pub checkpoint: Verified,
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

/// Checks a bundle: the checkpoint's signature, every tile, every event. Names what is wrong and where.
///
/// Changes nothing, and reads every file once; memory is bounded by the largest entry bundle, 16 MiB.
pub fn verify_bundle(
    files: &dyn Files,
    directory: &Path,
    keys: &[VerifierKey],
) -> Result<BundleReport, BundleError> {
    walk_bundle(files, directory, keys, &mut |_, _| {})
}

/// Checks a bundle, and hands out each event that is the right one, in order.
pub(super) fn walk_bundle(
    files: &dyn Files,
    directory: &Path,
    keys: &[VerifierKey],
    visit: &mut dyn FnMut(Position, Bytes),
) -> Result<BundleReport, BundleError> {
    let mark = read_mark(files, directory)?;
    let path = directory.join(CHECKPOINT_NAME);
    let bytes = read_bounded(files, &path, NOTE_LIMIT_BYTES)
        .map_err(|source| BundleError::Read { path: path.clone(), source })?;
    let checkpoint = SignedCheckpoint::parse(&bytes)
        .and_then(|signed| signed.verify(keys))
        .map_err(|source| BundleError::Checkpoint { path, source })?;
    let Mark { from, to, plan, .. } = mark;
    let size = checkpoint.checkpoint.size();
    if from < Position(1) || from > to || to.0 > size {
        return Err(BundleError::Positions { from, to, size });
    }
    let report = BundleReport {
        plan,
        selected: from.0..=to.0,
        checkpoint,
        events: 0,
        root: None,
        problems: Vec::new(),
        further_problems: 0,
    };
    let mut walk = Walk { files, directory, size, report, last: None, frontier: Frontier::new(), visit };
    walk.walk_down();
    let Walk { mut report, frontier, .. } = walk;
    report.root = (from == Position(1) && frontier.size() == to.0).then(|| frontier.root());
    Ok(report)
}

fn read_mark(files: &dyn Files, directory: &Path) -> Result<Mark, BundleError> {
    #[derive(serde::Deserialize)]
    struct Number {
        format: u32,
    }
    let path = directory.join(MARK_NAME);
    let bytes = read_bounded(files, &path, MARK_LIMIT_BYTES).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => BundleError::NoMark(directory.to_owned()),
        _ => BundleError::Read { path: path.clone(), source },
    })?;
    let malformed = |source| BundleError::Mark { path: path.clone(), source };
    // The number alone is read first: a newer format may hold anything else.
    let Number { format } = serde_json::from_slice(&bytes).map_err(malformed)?;
    if format > FORMAT {
        return Err(BundleError::Newer { found: format });
    }
    serde_json::from_slice(&bytes).map_err(malformed)
}

struct Walk<'a> {
    files: &'a dyn Files,
    directory: &'a Path,
    size: u64,
    report: BundleReport,
    last: Option<Timestamp>,
    frontier: Frontier,
    visit: &'a mut dyn FnMut(Position, Bytes),
}

impl Walk<'_> {
    fn problem(&mut self, position: u64, file: PathBuf, what: String) {
        if self.report.problems.len() < PROBLEMS_LIMIT {
            self.report.problems.push(Problem { position: Position(position), file, what });
        } else {
            self.report.further_problems += 1;
        }
    }

    /// Starts with the rightmost tiles, whose root is the checkpoint's.
    fn walk_down(&mut self) {
        let (mut edge, mut whole) = (Vec::new(), true);
        for level in 0..TILE_LEVELS {
            let tile = path_in(self.size, Resource::Hashes { level }, full_tiles(self.size, level));
            let hashes = match tile.filter(|tile| !tile.is_full()) {
                Some(tile) => self.hashes(tile),
                None => Some(Vec::new()),
            };
            whole = whole && hashes.is_some();
            edge.push(hashes.unwrap_or_default());
        }
        let root = self.report.checkpoint.checkpoint.root();
        let fits = |edge: &[Vec<TreeHash>]| {
            Edge::resume(self.size, edge.to_vec()).is_some_and(|edge| edge.root() == root)
        };
        if whole && !fits(&edge) {
            let what = "the rightmost tiles do not lead to the checkpoint's root: one of them was altered, or they \
                        are of another log";
            self.problem(self.size, self.directory.join(CHECKPOINT_NAME), what.to_owned());
        }
        for level in (1..TILE_LEVELS).rev() {
            let first = full_tiles(self.size, level) * FULL_TILE_HASHES as u64;
            for (index, hash) in (first..).zip(&edge[usize::from(level)]) {
                self.descend(level - 1, index, *hash);
            }
        }
        let rightmost = full_tiles(self.size, 0);
        if let Some(entries) = path_in(self.size, Resource::Entries, rightmost).filter(|path| !path.is_full())
            && self.is_selected(0, rightmost)
        {
            let leaves = std::mem::take(&mut edge[0]);
            self.entries(entries, (!leaves.is_empty()).then_some(leaves), None);
        }
    }

    /// Whether any selected event lies under a tile.
    fn is_selected(&self, level: u8, index: u64) -> bool {
        let shift = (level + 1) * TILE_HEIGHT;
        let (from, to) = (self.report.selected.start() - 1, self.report.selected.end() - 1);
        (from >> shift..=to >> shift).contains(&index)
    }

    /// Checks a full tile against the hash above it, and what lies under it.
    fn descend(&mut self, level: u8, index: u64, expected: TreeHash) {
        if !self.is_selected(level, index) {
            return;
        }
        let path = TilePath::full(Resource::Hashes { level }, index);
        let hashes = self.hashes(path);
        if level == 0 {
            self.entries(TilePath::full(Resource::Entries, index), hashes, Some(expected));
            return;
        }
        let Some(hashes) = hashes else { return };
        if tile_root(&hashes) != expected {
            self.does_not_fit(path);
        }
        for (below, hash) in (index * FULL_TILE_HASHES as u64..).zip(hashes) {
            self.descend(level - 1, below, hash);
        }
    }

    fn does_not_fit(&mut self, path: TilePath) {
        let what = "the tile does not fit the tile above it: one of the two was altered";
        self.problem(self.first_position(path), file_of(self.directory, path), what.to_owned());
    }

    fn first_position(&self, path: TilePath) -> u64 {
        let level = match path.resource {
            Resource::Hashes { level } => level,
            Resource::Entries => 0,
        };
        let first = path.index << (level * TILE_HEIGHT) << TILE_HEIGHT;
        first.saturating_add(1).clamp(*self.report.selected.start(), *self.report.selected.end())
    }

    fn read(&mut self, path: TilePath, limit_bytes: usize) -> Option<Vec<u8>> {
        let file = file_of(self.directory, path);
        match read_bounded(self.files, &file, limit_bytes) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                let what = match error.kind() {
                    io::ErrorKind::NotFound => "the file is missing".to_owned(),
                    _ => format!("the file cannot be read: {error}"),
                };
                self.problem(self.first_position(path), file, what);
                None
            }
        }
    }

    fn hashes(&mut self, path: TilePath) -> Option<Vec<TreeHash>> {
        let bytes = self.read(path, FULL_TILE_HASHES * HASH_BYTES)?;
        match read_tile(&bytes, path.width()) {
            Ok(hashes) => Some(hashes),
            Err(error) => {
                self.problem(self.first_position(path), file_of(self.directory, path), error.to_string());
                None
            }
        }
    }

    /// Checks an entry bundle against its leaves. `expected` is the hash above a full tile; a partial tile was
    /// held against the checkpoint before.
    fn entries(&mut self, path: TilePath, leaves: Option<Vec<TreeHash>>, expected: Option<TreeHash>) {
        let tile = path_in(self.size, Resource::Hashes { level: 0 }, path.index).expect("it has entries");
        let tile_fits = match (&leaves, expected) {
            (Some(leaves), Some(expected)) => tile_root(leaves) == expected,
            _ => true,
        };
        let bytes = self.read(path, BUNDLE_LIMIT_BYTES).map(Bytes::from);
        let split = bytes.as_ref().map(|bytes| split_entries(bytes, path.width()));
        let (Some(bytes), Some(Ok(entries))) = (&bytes, &split) else {
            if !tile_fits {
                self.does_not_fit(tile);
            }
            if let Some(Err(error)) = split {
                self.problem(self.first_position(path), file_of(self.directory, path), error.to_string());
            }
            return;
        };
        let found: Vec<TreeHash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
        let entries_fit = expected.is_some_and(|expected| tile_root(&found) == expected);
        if !tile_fits && !entries_fit {
            self.does_not_fit(tile);
        }
        if leaves.is_none() && !entries_fit {
            // The tile is missing, which is said already; without it nothing tells which event is wrong.
            if expected.is_some() {
                let what =
                    "the events are not those in the tree; which of them cannot be told without the tile";
                self.problem(self.first_position(path), file_of(self.directory, path), what.to_owned());
            }
            return;
        }
        let first = path.index * FULL_TILE_HASHES as u64;
        for (at, entry) in entries.iter().enumerate() {
            let position = first + at as u64 + 1;
            let is_right = leaves.as_ref().is_none_or(|leaves| leaves[at] == found[at]);
            if !is_right && entries_fit {
                let what = format!("the hash of position {position} was altered; the event itself is right");
                self.problem(position, file_of(self.directory, tile), what);
            } else if !is_right {
                self.wrong_event(path, position, entry);
                continue;
            }
            self.event(path, position, bytes.slice_ref(entry));
        }
    }

    fn wrong_event(&mut self, path: TilePath, position: u64, entry: &[u8]) {
        let says = match wire::read_envelope(entry) {
            Ok(envelope) if envelope.position.0 != position => {
                format!("it says that it is position {}", envelope.position)
            }
            Ok(envelope) => format!("it is event {}, and was altered", envelope.id),
            Err(error) => error.to_string(),
        };
        let what = format!("the event at position {position} is not the one in the tree: {says}");
        self.problem(position, file_of(self.directory, path), what);
    }

    /// Takes in an event that is the one in the tree.
    fn event(&mut self, path: TilePath, position: u64, bytes: Bytes) {
        self.report.events += 1;
        let wrong = |walk: &mut Self, what: String| {
            walk.problem(position, file_of(walk.directory, path), what);
        };
        match wire::read_envelope(&bytes) {
            // A newer version recorded it; it is the event in the tree all the same.
            Err(wire::ReadError::UnknownType { .. }) => {}
            Err(error) => wrong(self, format!("what the log recorded is no event: {error}")),
            Ok(envelope) => {
                if envelope.position.0 != position {
                    wrong(self, format!("the event says that it is position {}", envelope.position));
                }
                if envelope.plan != self.report.plan {
                    wrong(self, format!("the event is of plan `{}`", envelope.plan));
                }
                if self.last.is_some_and(|last| envelope.recorded_at < last) {
                    wrong(self, "the recorded time is before that of the event before".to_owned());
                }
                self.last = Some(envelope.recorded_at);
            }
        }
        if self.report.selected.contains(&position) {
            if self.frontier.size() + 1 == position {
                self.frontier.append(leaf_hash(&bytes));
            }
            (self.visit)(Position(position), bytes);
        }
    }
}
