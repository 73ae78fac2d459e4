//! Proof files, `.tlog-proof`: all that is needed to show offline that an entry is in a log.

use crate::checkpoint::{CheckpointError, SignedCheckpoint, Verified};
use crate::hash::{NotAHash, TreeHash, leaf_hash};
use crate::key::VerifierKey;
use crate::note::NOTE_LIMIT_BYTES;
use crate::proof::{InclusionProof, PROOF_LIMIT_HASHES, ProofError};
use crate::text;
use std::fmt;
use thiserror::Error;

const HEADER: &str = "c2sp.org/tlog-proof@v1";
const FAMILY: &str = "c2sp.org/tlog-proof@";
/// The most extra data.
const EXTRA_LIMIT_BYTES: usize = 64 * 1024;
/// The largest file that is looked at.
const FILE_LIMIT_BYTES: usize = NOTE_LIMIT_BYTES + 2 * EXTRA_LIMIT_BYTES;

/// A proof as it is handed to someone: the way up, and the checkpoint at its end.
#[derive(Debug, Clone, PartialEq)]
pub struct ProofFile {
    extra: Option<Vec<u8>>,
    index: u64,
    hashes: Vec<TreeHash>,
    checkpoint: SignedCheckpoint,
}

/// Why a file is no proof, or one that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProofFileError {
    /// It is something else, or of a version that is not known.
    #[error("the first line is `{found}`, that of a proof is `{HEADER}`: {advice}")]
    Header {
        /// The first line.
        found: String,
        /// What to do.
        advice: &'static str,
    },
    /// It is too large.
    #[error("the file has {bytes} bytes, no proof has more than {FILE_LIMIT_BYTES}: this is something else")]
    TooLarge {
        /// How many bytes it has.
        bytes: usize,
    },
    /// It is not text.
    #[error("byte {at} is no text: a proof is text, get it again")]
    NotText {
        /// Where.
        at: usize,
    },
    /// The extra data is malformed or too long.
    #[error("line 2: the extra data is no base64, empty, or more than {EXTRA_LIMIT_BYTES} bytes")]
    Extra,
    /// The index is missing or malformed.
    #[error("line {line} should be `index <number>`, without leading zeroes")]
    Index {
        /// Which line, counted from 1.
        line: usize,
    },
    /// A hash is malformed.
    #[error("line {line}: {source}")]
    Hash {
        /// Which line, counted from 1.
        line: usize,
        /// What is wrong.
        source: NotAHash,
    },
    /// The file ends before the checkpoint.
    #[error("there is no empty line and checkpoint behind the hashes: the file is cut short, get it again")]
    NoCheckpoint,
    /// The checkpoint is none, or nobody known signed it.
    #[error("the proof's checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The hashes do not lead from the entry to the checkpoint's root.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl ProofFile {
    /// Puts a proof and a checkpoint of the same size together; none if they are of different sizes.
    pub fn new(proof: InclusionProof, checkpoint: SignedCheckpoint) -> Option<ProofFile> {
        let belongs = proof.size == checkpoint.claimed().size();
        let InclusionProof { index, hashes, .. } = proof;
        belongs.then_some(ProofFile { extra: None, index, hashes, checkpoint })
    }

    /// Adds data that is not proved and only travels with the proof; none if it is empty or above 64 KiB.
    pub fn with_extra(mut self, extra: Vec<u8>) -> Option<ProofFile> {
        let fits = (1..=EXTRA_LIMIT_BYTES).contains(&extra.len());
        self.extra = Some(extra);
        fits.then_some(self)
    }

    /// Data that travels with the proof. Nobody vouches for it.
    pub fn extra(&self) -> Option<&[u8]> {
        self.extra.as_deref()
    }

    /// The entry's index: its position less one.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The checkpoint that it ends in, not verified.
    pub fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }

    /// Checks that the entry is in the log, and that the log signed the checkpoint which says so.
    pub fn verify(&self, entry: &[u8], keys: &[VerifierKey]) -> Result<Verified, ProofFileError> {
        let verified = self.checkpoint.verify(keys)?;
        let (index, size) = (self.index, verified.checkpoint.size());
        let proof = InclusionProof { index, size, hashes: self.hashes.clone() };
        proof.verify(leaf_hash(entry), verified.checkpoint.root())?;
        Ok(verified)
    }

    /// Reads a proof, which has exactly one spelling.
    pub fn parse(bytes: &[u8]) -> Result<ProofFile, ProofFileError> {
        if bytes.len() > FILE_LIMIT_BYTES {
            return Err(ProofFileError::TooLarge { bytes: bytes.len() });
        }
        let whole = std::str::from_utf8(bytes);
        let whole = whole.map_err(|error| ProofFileError::NotText { at: error.valid_up_to() })?;
        let mut rest = whole;
        let mut line = 0;
        let mut next_line = || {
            let (first, after) = rest.split_once('\n')?;
            rest = after;
            line += 1;
            Some((line, first))
        };
        let header = next_line().map_or(whole, |(_, header)| header);
        if header != HEADER {
            let advice = if header.starts_with(FAMILY) {
                "it is of a version that this program does not know, use a newer one"
            } else {
                "this is something else"
            };
            return Err(ProofFileError::Header { found: text::excerpt(header), advice });
        }
        let mut current = next_line().ok_or(ProofFileError::Index { line: 2 })?;
        let mut extra = None;
        if let Some(encoded) = current.1.strip_prefix("extra ") {
            let decoded =
                text::from_base64(encoded).filter(|extra| (1..=EXTRA_LIMIT_BYTES).contains(&extra.len()));
            extra = Some(decoded.ok_or(ProofFileError::Extra)?);
            current = next_line().ok_or(ProofFileError::Index { line: 3 })?;
        }
        let index = current.1.strip_prefix("index ").and_then(text::decimal);
        let index = index.ok_or(ProofFileError::Index { line: current.0 })?;
        let mut hashes = Vec::new();
        loop {
            let (line, text) = next_line().ok_or(ProofFileError::NoCheckpoint)?;
            if text.is_empty() {
                break;
            }
            hashes.push(text.parse().map_err(|source| ProofFileError::Hash { line, source })?);
            if hashes.len() > PROOF_LIMIT_HASHES {
                return Err(ProofError::TooLong { hashes: hashes.len() }.into());
            }
        }
        let checkpoint = SignedCheckpoint::parse(rest.as_bytes())?;
        Ok(ProofFile { extra, index, hashes, checkpoint })
    }
}

impl fmt::Display for ProofFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", text::to_base64(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.hashes.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}
