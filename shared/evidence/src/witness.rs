//! What a log asks of a witness, and what the witness decides.

use crate::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint, Verified};
use crate::hash::{EMPTY_ROOT, NotAHash, TreeHash};
use crate::key::VerifierKey;
use crate::note::NOTE_LIMIT_BYTES;
use crate::proof::{ConsistencyProof, ProofError};
use crate::text;
use std::fmt;
use thiserror::Error;

/// The most hashes that a request may carry.
const REQUEST_LIMIT_HASHES: usize = 63;
/// A log's request to cosign a checkpoint: the body of `add-checkpoint`.
#[derive(Debug, Clone, PartialEq)]
pub struct AddCheckpoint {
    /// The size of the last checkpoint that the witness cosigned, as the log believes; 0 for none.
    pub old_size: u64,
    /// The consistency proof from there.
    pub hashes: Vec<TreeHash>,
    /// The checkpoint.
    pub checkpoint: SignedCheckpoint,
}

/// Why bytes are no request to a witness.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RequestError {
    /// It is too large.
    #[error("the request has {bytes} bytes, none has more than {}", AddCheckpoint::LIMIT_BYTES)]
    TooLarge {
        /// How many bytes it has.
        bytes: usize,
    },
    /// It is not text.
    #[error("byte {at} of the request is no text")]
    NotText {
        /// Where.
        at: usize,
    },
    /// The first line is not the old size.
    #[error("line 1 should be `old <size>`, without leading zeroes")]
    Old,
    /// A hash is malformed.
    #[error("line {line}: {source}")]
    Hash {
        /// Which line, counted from 1.
        line: usize,
        /// What is wrong.
        source: NotAHash,
    },
    /// There are too many hashes.
    #[error("the proof has more than {REQUEST_LIMIT_HASHES} hashes, no tree needs so many")]
    TooLong,
    /// The request ends before the checkpoint.
    #[error("there is no empty line and checkpoint behind the hashes: the request is cut short")]
    NoCheckpoint,
    /// The checkpoint is none.
    #[error("the request's checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
}

/// Why a witness does not cosign. Each has the status that the protocol gives it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WitnessRefusal {
    /// No key is known for the log.
    #[error("the log `{origin}` is not one that this witness follows")]
    UnknownLog {
        /// Whose checkpoint it says it is.
        origin: String,
    },
    /// The log did not sign the checkpoint.
    #[error("the log did not sign the checkpoint: {0}")]
    NotSigned(#[source] CheckpointError),
    /// The checkpoint is smaller than what it should continue.
    #[error("a checkpoint of {size} events cannot continue one of {old_size}")]
    Smaller {
        /// The size that the request starts from.
        old_size: u64,
        /// The checkpoint's size.
        size: u64,
    },
    /// The request starts from another checkpoint than the last one cosigned; ask again from there.
    #[error("the last checkpoint that was cosigned covers {latest} events, not {old_size}; prove from there")]
    Stale {
        /// The size that the request starts from.
        old_size: u64,
        /// The size of the last checkpoint that was cosigned.
        latest: u64,
    },
    /// The log signed another root for the same size.
    #[error(
        "the log signed two roots for {size} events: history was rewritten, keep both checkpoints and say so"
    )]
    TwoRoots {
        /// The size.
        size: u64,
    },
    /// The proof does not hold.
    #[error(transparent)]
    NotConsistent(#[from] ProofError),
}

impl WitnessRefusal {
    /// The HTTP status to answer with.
    pub fn status(&self) -> u16 {
        match self {
            WitnessRefusal::UnknownLog { .. } => 404,
            WitnessRefusal::NotSigned(_) => 403,
            WitnessRefusal::Smaller { .. } => 400,
            WitnessRefusal::Stale { .. } | WitnessRefusal::TwoRoots { .. } => 409,
            WitnessRefusal::NotConsistent(_) => 422,
        }
    }
}

impl AddCheckpoint {
    /// The largest request that is looked at.
    pub const LIMIT_BYTES: usize = NOTE_LIMIT_BYTES + 8 * 1024;

    /// Reads a request.
    pub fn parse(bytes: &[u8]) -> Result<AddCheckpoint, RequestError> {
        if bytes.len() > Self::LIMIT_BYTES {
            return Err(RequestError::TooLarge { bytes: bytes.len() });
        }
        let whole = std::str::from_utf8(bytes);
        let whole = whole.map_err(|error| RequestError::NotText { at: error.valid_up_to() })?;
        let (old, mut rest) = whole.split_once('\n').ok_or(RequestError::Old)?;
        let old_size = old.strip_prefix("old ").and_then(text::decimal).ok_or(RequestError::Old)?;
        let mut hashes = Vec::new();
        loop {
            let (line, after) = rest.split_once('\n').ok_or(RequestError::NoCheckpoint)?;
            rest = after;
            if line.is_empty() {
                break;
            }
            if hashes.len() == REQUEST_LIMIT_HASHES {
                return Err(RequestError::TooLong);
            }
            let number = hashes.len() + 2;
            hashes.push(line.parse().map_err(|source| RequestError::Hash { line: number, source })?);
        }
        let checkpoint = SignedCheckpoint::parse(rest.as_bytes())?;
        Ok(AddCheckpoint { old_size, hashes, checkpoint })
    }

    /// Decides whether a witness may cosign: the log signed the checkpoint with one of the keys that are
    /// believed (each carries its log's origin as its name), and it continues the last one cosigned for it.
    ///
    /// The caller holds that log's record from before this call until the new checkpoint is durable, and
    /// answers with its cosignature only then.
    pub fn judge(&self, keys: &[VerifierKey], last: Option<&Checkpoint>) -> Result<Verified, WitnessRefusal> {
        let claimed = self.checkpoint.claimed();
        if !keys.iter().any(|key| key.name().as_str() == claimed.origin()) {
            return Err(WitnessRefusal::UnknownLog { origin: text::excerpt(claimed.origin()) });
        }
        let verified = self.checkpoint.verify(keys).map_err(WitnessRefusal::NotSigned)?;
        let (size, old_size) = (claimed.size(), self.old_size);
        if old_size > size {
            return Err(WitnessRefusal::Smaller { old_size, size });
        }
        let (latest, root) = last.map_or((0, EMPTY_ROOT), |last| (last.size(), last.root()));
        if latest != old_size {
            return Err(WitnessRefusal::Stale { old_size, latest });
        }
        if size == latest && claimed.root() != root {
            return Err(WitnessRefusal::TwoRoots { size });
        }
        let proof = ConsistencyProof { from: old_size, to: size, hashes: self.hashes.clone() };
        proof.verify(root, claimed.root())?;
        Ok(verified)
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old_size)?;
        self.hashes.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}
