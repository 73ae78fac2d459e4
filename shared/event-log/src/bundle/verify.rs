//! Verifying a bundle with nothing but public keys.
//!
//! The checkpoint's root covers the rightmost tile of every level; those cover the full tiles below, down to
//! the leaves, and those the events. The walk goes down that way in the order of positions and holds one file
//! of each level at a time.

use super::report::{BundleError, BundleReport};
use super::shape::{NotPlain, Shape};
use super::{
    CHECKPOINT_NAME, FORMAT, KEYS_NAME, MARK_NAME, Mark, UnsignedHead, file_of, path_in, read_bounded,
};
use crate::files::Files;
use crate::verify::Problem;
use bytes::Bytes;
use events::wire;
use events::{PlanId, Position, Timestamp};
use evidence::{
    EMPTY_ROOT, ENTRY_LIMIT_BYTES, Edge, FULL_TILE_HASHES, Frontier, HASH_BYTES, NOTE_LIMIT_BYTES, Resource,
    SignedCheckpoint, TILE_HEIGHT, TILE_LEVELS, TilePath, TreeHash, Verified, VerifierKey, full_tiles,
    leaf_hash, read_tile, split_entries, tile_root,
};
use std::io;
use std::path::{Path, PathBuf};

/// How many problems are listed; the rest is counted.
const PROBLEMS_LIMIT: usize = 1_000;
const MARK_LIMIT_BYTES: usize = 4_096;
const BUNDLE_LIMIT_BYTES: usize = FULL_TILE_HASHES * (2 + ENTRY_LIMIT_BYTES);

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
    let shape = Shape::list(files, directory).map_err(|refused| match refused {
        NotPlain::File(path) => BundleError::NotPlain(path),
        NotPlain::Unread(error) if error.kind() == io::ErrorKind::NotFound => {
            BundleError::NoMark(directory.to_owned())
        }
        NotPlain::Unread(source) => BundleError::Read { path: directory.to_owned(), source },
    })?;
    let ReadMark { from, to, plan, unsigned } = read_mark(files, directory)?;
    let Believed { size, root, checkpoint } = read_head(files, directory, &shape, unsigned, keys)?;
    if from < Position(1) || from > to || to.0 > size {
        return Err(BundleError::Positions { from, to, size });
    }
    let report = BundleReport {
        plan,
        selected: from.0..=to.0,
        size,
        checkpoint,
        events: 0,
        root: None,
        problems: Vec::new(),
        further_problems: 0,
    };
    let older_root = (report.checkpoint.is_some() && report.signed() == 0).then_some(EMPTY_ROOT);
    let (last, frontier) = (None, Frontier::new());
    let mut walk = Walk { files, directory, size, root, report, last, frontier, older_root, visit };
    for stray in shape.strays(size, &(from.0..=to.0), walk.report.checkpoint.is_some()) {
        let what = "the file does not belong to this bundle: it was put there by someone else, or the mark was altered";
        walk.problem(0, directory.join(stray), what.to_owned());
    }
    walk.look_at_keys();
    walk.walk_down();
    walk.judge_older_checkpoint();
    let Walk { mut report, frontier, .. } = walk;
    report.root = (from == Position(1) && frontier.size() == to.0).then(|| frontier.root());
    Ok(report)
}

/// The tree that a bundle is held against.
struct Believed {
    size: u64,
    root: TreeHash,
    checkpoint: Option<Verified>,
}

fn read_head(
    files: &dyn Files,
    directory: &Path,
    shape: &Shape,
    unsigned: Option<(u64, TreeHash)>,
    keys: &[VerifierKey],
) -> Result<Believed, BundleError> {
    let path = directory.join(CHECKPOINT_NAME);
    if let Some((size, root)) = unsigned
        && !shape.has(CHECKPOINT_NAME)
    {
        let believed = Believed { size, root, checkpoint: None };
        return if keys.is_empty() { Ok(believed) } else { Err(BundleError::Unsigned(directory.to_owned())) };
    }
    let bytes = read_bounded(files, &path, NOTE_LIMIT_BYTES)
        .map_err(|source| BundleError::Read { path: path.clone(), source })?;
    let verified = SignedCheckpoint::parse(&bytes)
        .and_then(|signed| signed.verify(keys))
        .map_err(|source| BundleError::Checkpoint { path, source })?;
    let (size, root) = unsigned.unwrap_or_else(|| (verified.checkpoint.size(), verified.checkpoint.root()));
    Ok(Believed { size, root, checkpoint: Some(verified) })
}

/// What a mark says, with the root that it names read.
struct ReadMark {
    from: Position,
    to: Position,
    plan: PlanId,
    unsigned: Option<(u64, TreeHash)>,
}

fn read_mark(files: &dyn Files, directory: &Path) -> Result<ReadMark, BundleError> {
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
    let Number { format } = serde_json::from_slice(&bytes).map_err(&malformed)?;
    if format > FORMAT {
        return Err(BundleError::Newer { found: format });
    }
    let Mark { from, to, plan, unsigned, .. } = serde_json::from_slice(&bytes).map_err(&malformed)?;
    let read_root = |head: UnsignedHead| {
        let root = head.root.parse().map_err(|error| malformed(serde::de::Error::custom(error)))?;
        Ok::<_, BundleError>((head.size, root))
    };
    Ok(ReadMark { from, to, plan, unsigned: unsigned.map(read_root).transpose()? })
}

struct Walk<'a> {
    files: &'a dyn Files,
    directory: &'a Path,
    size: u64,
    root: TreeHash,
    report: BundleReport,
    last: Option<Timestamp>,
    frontier: Frontier,
    /// The root over so many events as the checkpoint covers, once they went by.
    older_root: Option<TreeHash>,
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
        let fits = |edge: &[Vec<TreeHash>]| {
            Edge::resume(self.size, edge.to_vec()).is_some_and(|edge| edge.root() == self.root)
        };
        if whole && !fits(&edge) {
            let (said_by, whose) = match self.report.signed() == self.size {
                true => (CHECKPOINT_NAME, "the checkpoint's"),
                false => (MARK_NAME, "the mark's"),
            };
            let what = format!(
                "the rightmost tiles do not lead to {whose} root: one of them was altered, or they are of another log"
            );
            self.problem(self.size, self.directory.join(said_by), what);
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

    /// The public keys in a bundle are for information, but they are keys.
    fn look_at_keys(&mut self) {
        let path = self.directory.join(KEYS_NAME);
        let text = read_bounded(self.files, &path, NOTE_LIMIT_BYTES).map_err(|error| error.to_string());
        let text = text.and_then(|bytes| String::from_utf8(bytes).map_err(|error| error.to_string()));
        if let Err(what) =
            text.and_then(|text| VerifierKey::parse_lines(&text).map_err(|error| error.to_string()))
        {
            self.problem(0, path, format!("the list of public keys cannot be read: {what}"));
        }
    }

    /// Holds the events against a checkpoint that covers only the first of them.
    fn judge_older_checkpoint(&mut self) {
        let Some(claimed) = self.report.checkpoint.as_ref().map(|verified| &verified.checkpoint) else {
            return;
        };
        let (size, root) = (claimed.size(), claimed.root());
        let what = match &self.older_root {
            _ if size == self.size && root == self.root => return,
            Some(found) if *found == root => return,
            Some(_) => format!(
                "the checkpoint of {size} events does not agree with the events: they were altered, or it \
                                is of another log"
            ),
            None => format!(
                "the checkpoint of {size} events cannot be held against these events: not all that it covers \
                             are here"
            ),
        };
        self.problem(size, self.directory.join(CHECKPOINT_NAME), what);
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
                if self.frontier.size() == self.report.signed() {
                    self.older_root = Some(self.frontier.root());
                }
            }
            (self.visit)(Position(position), bytes);
        }
    }
}
