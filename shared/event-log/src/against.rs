//! Holding a log's files against signed checkpoints.

use crate::directory;
use crate::index::{Index, SledIndex};
use crate::verify::Problem;
use events::{PlanId, Position};
use evidence::{
    CheckpointError, FULL_TILE_HASHES, Frontier, SignedCheckpoint, TreeHash, VerifierKey, leaf_hash,
    partial_width,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a log's files are held against, besides themselves.
#[derive(Default)]
pub struct Against<'a> {
    /// Checkpoints, each with the name of the file it came from.
    pub checkpoints: Vec<(PathBuf, Vec<u8>)>,
    /// The public keys that are believed.
    pub keys: Vec<VerifierKey>,
    /// Leaves that were kept elsewhere, to find the first position that differs.
    pub leaves: Option<&'a dyn KeptLeaves>,
}

/// Leaf hashes that were kept besides the journal.
pub trait KeptLeaves {
    /// At least the first `width` leaves of a tile of level 0, if they are there.
    fn leaves(&self, tile: u64, width: usize) -> Option<Vec<TreeHash>>;
}

/// The leaves in the index of a stopped log.
pub struct IndexLeaves(SledIndex);

impl IndexLeaves {
    /// Opens the index of a log that nobody else has open; none if there is none or if it is of no use.
    ///
    /// sled may tidy its own files while it opens them; nothing of the log changes.
    pub fn open(directory: &Path, plan: &PlanId) -> Option<IndexLeaves> {
        let index = directory::index(directory);
        let there = crate::index::directory_exists(&index);
        there.then(|| SledIndex::open(&index, plan).ok()).flatten().map(IndexLeaves)
    }
}

impl KeptLeaves for IndexLeaves {
    fn leaves(&self, tile: u64, width: usize) -> Option<Vec<TreeHash>> {
        self.0.tile(0, tile).ok().filter(|leaves| leaves.len() >= width)
    }
}

/// What was found about one checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointVerdict {
    /// The file it came from.
    pub file: PathBuf,
    /// How many events it covers; none if it is not to be believed.
    pub size: Option<u64>,
    /// Whether the log agrees.
    pub agreement: Agreement,
}

/// Whether a log agrees with a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agreement {
    /// The log begins with exactly the events that it covers.
    Agrees,
    /// The log holds other events.
    Differs {
        /// The first position that differs, if it could be found.
        from: Option<Position>,
    },
    /// The log holds fewer whole events than it covers.
    Lacks {
        /// The first position that is missing.
        from: Position,
    },
    /// It is no checkpoint, or nobody known signed it.
    Refused(CheckpointError),
}

/// The tree as the files are walked through.
pub(crate) struct Recomputed {
    frontier: Frontier,
    /// Whether every position so far was there.
    whole: bool,
    wanted: BTreeMap<u64, Option<TreeHash>>,
}

impl Recomputed {
    pub(crate) fn new(checked: &[Checked]) -> Recomputed {
        let sizes = checked.iter().filter_map(|checked| Some(checked.as_ref().ok()?.size()));
        let mut wanted: BTreeMap<u64, Option<TreeHash>> = sizes.map(|size| (size, None)).collect();
        if let Some(root) = wanted.get_mut(&0) {
            *root = Some(evidence::EMPTY_ROOT);
        }
        Recomputed { frontier: Frontier::new(), whole: true, wanted }
    }

    /// Takes in the event at a position.
    pub(crate) fn event(&mut self, position: Position, bytes: &[u8]) {
        self.whole = self.whole && position.0 == self.frontier.size() + 1;
        if self.whole {
            self.frontier.append(leaf_hash(bytes));
            if let Some(root) = self.wanted.get_mut(&self.frontier.size()) {
                *root = Some(self.frontier.root());
            }
        }
    }

    /// The root over everything, if everything is there.
    pub(crate) fn root(&self) -> Option<TreeHash> {
        self.whole.then(|| self.frontier.root())
    }
}

/// A checkpoint whose signatures were checked, or why it is not to be believed.
pub(crate) type Checked = Result<evidence::Checkpoint, CheckpointError>;

pub(crate) fn check_signatures(against: &Against<'_>) -> Vec<Checked> {
    let check = |(_, bytes): &(PathBuf, Vec<u8>)| {
        Ok(SignedCheckpoint::parse(bytes)?.verify(&against.keys)?.checkpoint)
    };
    against.checkpoints.iter().map(check).collect()
}

/// Judges the checkpoints once the files were walked through. `walk_again` hands the events out once more, in
/// order, until it is told to stop; it is only called where a checkpoint differs.
pub(crate) fn judge(
    against: &Against<'_>,
    checked: Vec<Checked>,
    recomputed: &Recomputed,
    mut walk_again: impl FnMut(&mut dyn FnMut(Position, &[u8]) -> bool),
) -> (Vec<CheckpointVerdict>, Vec<Problem>) {
    let (mut verdicts, mut problems) = (Vec::new(), Vec::new());
    for ((file, _), checked) in against.checkpoints.iter().zip(checked) {
        let mut problem = |position: Position, what: String| {
            problems.push(Problem { position, file: file.clone(), what });
        };
        let (size, agreement) = match checked {
            Err(error) => {
                problem(Position::START, error.to_string());
                (None, Agreement::Refused(error))
            }
            Ok(checkpoint) => {
                let (size, root) = (checkpoint.size(), checkpoint.root());
                let agreement = match recomputed.wanted.get(&size).copied().flatten() {
                    Some(found) if found == root => Agreement::Agrees,
                    Some(_) => {
                        let kept = against.leaves.map(|leaves| kept_leaves(leaves, size, root));
                        let (from, what) = match kept {
                            Some(Some(leaves)) => {
                                let from = differing(leaves, size, &mut walk_again);
                                (from, "the first position that differs from the leaves kept in the index")
                            }
                            Some(None) => (None, "the kept leaves do not agree with it either"),
                            None => (None, "no leaves were given to find the position with"),
                        };
                        let place = from.map_or(Position(size), |from| from);
                        problem(
                            place,
                            format!(
                                "the checkpoint of {size} events by `{}` does not agree with the journal: history \
                                 was rewritten at or before position {size} ({what})",
                                checkpoint.origin()
                            ),
                        );
                        Agreement::Differs { from }
                    }
                    None => {
                        let from = Position(recomputed.frontier.size() + 1);
                        let what = format!(
                            "the checkpoint covers {size} events, the journal holds {} in a row: position {from} is \
                             missing or damaged",
                            recomputed.frontier.size()
                        );
                        problem(from, what);
                        Agreement::Lacks { from }
                    }
                };
                (Some(size), agreement)
            }
        };
        verdicts.push(CheckpointVerdict { file: file.clone(), size, agreement });
    }
    (verdicts, problems)
}

/// The kept leaves, if they are those that the checkpoint covers.
fn kept_leaves(leaves: &dyn KeptLeaves, size: u64, root: TreeHash) -> Option<&dyn KeptLeaves> {
    let mut frontier = Frontier::new();
    for tile in 0..=size / FULL_TILE_HASHES as u64 {
        let width = width_of(tile, size);
        if width > 0 {
            leaves.leaves(tile, width)?[..width].iter().for_each(|leaf| frontier.append(*leaf));
        }
    }
    (frontier.root() == root).then_some(leaves)
}

fn width_of(tile: u64, size: u64) -> usize {
    let is_last = tile == size / FULL_TILE_HASHES as u64;
    if is_last { partial_width(size, 0) } else { FULL_TILE_HASHES }
}

/// The first event whose leaf is not the kept one.
fn differing(
    leaves: &dyn KeptLeaves,
    size: u64,
    walk: &mut impl FnMut(&mut dyn FnMut(Position, &[u8]) -> bool),
) -> Option<Position> {
    let (mut found, mut tile) = (None, (u64::MAX, Vec::new()));
    walk(&mut |position, bytes| {
        let index = position.0 - 1;
        if index >= size {
            return false;
        }
        let at = index / FULL_TILE_HASHES as u64;
        if tile.0 != at {
            tile = (at, leaves.leaves(at, width_of(at, size)).unwrap_or_default());
        }
        let within = usize::try_from(index % FULL_TILE_HASHES as u64).expect("it is below 256");
        if tile.1.get(within) == Some(&leaf_hash(bytes)) {
            return true;
        }
        found = Some(position);
        false
    });
    found
}
