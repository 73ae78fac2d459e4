//! Logs to be witnessed: the real thing in memory, exported as bundles; and one of leaves only, to be pushed.

use event_log::files::{MemoryFiles, RealFiles};
use event_log::{IndexKind, Log, Opened, Options, export, open};
use events::{Position, Timestamp};
use evidence::{
    AddCheckpoint, Checkpoint, ConsistencyProof, Frontier, KeyName, KeyUse, NodeReader, SignedCheckpoint,
    SigningKey, TreeHash, VerifierKey, leaf_hash, tile_root,
};
use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use tests::support::{numbered_event, numbered_plan};

/// The name of the log.
pub(crate) const ORIGIN: &str = "planwatch/binh-duong";
const BEGINNING_MS: i64 = 1_767_225_600_000;

pub(crate) fn log_key() -> SigningKey {
    SigningKey::from_seed(KeyName::parse(ORIGIN).unwrap(), &[1; 32])
}

pub(crate) fn log_vkey() -> VerifierKey {
    log_key().verifier(KeyUse::Log)
}

/// A log in memory of so many events; from a position on, if one is given, it is another history.
pub(crate) fn log_of(size: u64, fork_at: Option<u64>) -> Log {
    let options =
        Options { files: Arc::new(MemoryFiles::new()), index: IndexKind::Memory, ..Options::default() };
    let Opened { log, mut writer, .. } = open(Path::new("/log"), &numbered_plan(), options).unwrap();
    let number = |position: u64| match fork_at {
        Some(at) if position >= at => position + 1_000_000,
        _ => position,
    };
    let events: Vec<u64> = (1..=size).collect();
    for positions in events.chunks(100) {
        let request = positions.iter().map(|position| numbered_event(number(*position), 10)).collect();
        let now = Timestamp::from_millisecond(BEGINNING_MS + i64::try_from(positions[0]).unwrap()).unwrap();
        writer.append(vec![request], now).unwrap();
    }
    log
}

/// Exports the log as it was when it had so many events.
pub(crate) fn export_to(log: &Log, size: u64, folder: &Path) {
    let root = log.root_at(Position(size)).unwrap();
    let checkpoint = Checkpoint::new(log_key().name(), size, root).sign(&[&log_key()]).unwrap();
    export(log, Position(1)..=Position(size), &checkpoint, &[log_vkey()], &RealFiles, folder).unwrap();
}

/// A log of leaves only.
pub(crate) struct Leaves {
    leaves: Vec<TreeHash>,
}

impl Leaves {
    /// So many; from one on, if one is given, it is another history.
    pub(crate) fn of(size: u64, fork_at: Option<u64>) -> Leaves {
        let entry = |index: u64| {
            let history = if fork_at.is_some_and(|at| index >= at) { "another" } else { "one" };
            leaf_hash(format!("{history} {index}").as_bytes())
        };
        Leaves { leaves: (0..size).map(entry).collect() }
    }

    /// The root of the first leaves.
    pub(crate) fn root(&self, size: u64) -> TreeHash {
        let mut frontier = Frontier::new();
        self.leaves[..usize::try_from(size).unwrap()].iter().for_each(|leaf| frontier.append(*leaf));
        frontier.root()
    }

    pub(crate) fn checkpoint(&self, size: u64) -> SignedCheckpoint {
        Checkpoint::new(log_key().name(), size, self.root(size)).sign(&[&log_key()]).unwrap()
    }

    /// A request to a witness.
    pub(crate) fn request(&self, old_size: u64, size: u64) -> AddCheckpoint {
        let proof = ConsistencyProof::compute(old_size, size, self).unwrap().unwrap();
        AddCheckpoint { old_size, hashes: proof.hashes, checkpoint: self.checkpoint(size) }
    }
}

impl NodeReader for Leaves {
    type Error = Infallible;

    fn node(&self, level: u8, index: u64) -> Result<TreeHash, Infallible> {
        let first = usize::try_from(index << level).unwrap();
        Ok(tile_root(&self.leaves[first..first + (1 << level)]))
    }
}
