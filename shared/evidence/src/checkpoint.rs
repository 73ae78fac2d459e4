//! Checkpoints: the log's signed statement of its size and root.

use crate::cosignature::{self, Cosigned, LATEST_COSIGNATURE_SECONDS};
use crate::hash::{EMPTY_ROOT, NotAHash, TreeHash};
use crate::key::{KeyName, KeyUse, SigningKey, VerifierKey};
use crate::note::{NoteError, ReadNote};
use crate::text;
use std::fmt;
use thiserror::Error;

/// The longest origin or extension line.
const LINE_LIMIT_BYTES: usize = 1_024;
/// The most extension lines.
const EXTENSION_LIMIT_LINES: usize = 64;

/// What a checkpoint says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: TreeHash,
    extensions: Vec<String>,
}

/// Why a text is no checkpoint, or one that must not be believed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CheckpointError {
    /// It is no signed note, or nobody known signed it.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// It has too few lines.
    #[error("the note has {lines} lines, a checkpoint has at least three: origin, size, root")]
    TooFewLines {
        /// How many it has.
        lines: usize,
    },
    /// A line is empty, too long, or too many.
    #[error(
        "line {line} of the checkpoint is empty, longer than {LINE_LIMIT_BYTES} bytes, or one of too many"
    )]
    Line {
        /// Which line, counted from 1.
        line: usize,
    },
    /// The size is no number.
    #[error("`{0}` is no size of a log: it is a number without leading zeroes")]
    Size(String),
    /// The root is no hash.
    #[error("line 3 of the checkpoint: {0}")]
    Root(#[from] NotAHash),
    /// An empty log has a root that is not that of nothing.
    #[error("the checkpoint says that the log is empty, but gives a root that only a log with events has")]
    NotEmpty,
    /// It is of another log than the one asked about.
    #[error("the checkpoint is of the log `{found}`, not of `{expected}`")]
    OtherOrigin {
        /// Whose it is.
        found: String,
        /// Whose it should be.
        expected: String,
    },
    /// Known keys signed it, but not as the log.
    #[error(
        "the log `{origin}` did not sign the checkpoint with a given key: give its public key (its name is the \
         log's origin), witnesses alone do not make a checkpoint"
    )]
    NotByTheLog {
        /// Whose checkpoint it says it is.
        origin: String,
    },
}

/// Why a checkpoint cannot be signed or cosigned like this.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotSignable {
    /// A log signs with keys that carry its origin as their name.
    #[error("the key `{key}` cannot sign for the log `{origin}`: make one with that name")]
    OtherName {
        /// The key's name.
        key: KeyName,
        /// The log's origin.
        origin: String,
    },
    /// No key was given.
    #[error("a checkpoint needs at least one key")]
    NoKey,
    /// The time is not possible.
    #[error("a cosignature cannot carry the time {0}: the limit is {LATEST_COSIGNATURE_SECONDS} seconds")]
    Time(u64),
}

impl Checkpoint {
    /// States size and root of a log.
    pub fn new(origin: &KeyName, size: u64, root: TreeHash) -> Checkpoint {
        Checkpoint { origin: origin.as_str().to_owned(), size, root, extensions: Vec::new() }
    }

    /// Whose it is: the log's name.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How many events the log has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of its tree.
    pub fn root(&self) -> TreeHash {
        self.root
    }

    /// Further lines, which mean nothing here and are kept.
    pub fn extensions(&self) -> &[String] {
        &self.extensions
    }

    /// Signs it with one key or, while keys are exchanged, with several.
    pub fn sign(&self, keys: &[&SigningKey]) -> Result<SignedCheckpoint, NotSignable> {
        if keys.is_empty() {
            return Err(NotSignable::NoKey);
        }
        let mut note = ReadNote::unsigned(self.to_string());
        for key in keys {
            if key.name().as_str() != self.origin {
                return Err(NotSignable::OtherName { key: key.name().clone(), origin: self.origin.clone() });
            }
            note.add(&key.verifier(KeyUse::Log), key.sign(note.text.as_bytes()));
        }
        Ok(SignedCheckpoint { checkpoint: self.clone(), note })
    }

    fn parse(note_text: &str) -> Result<Checkpoint, CheckpointError> {
        let lines: Vec<&str> = note_text.strip_suffix('\n').unwrap_or(note_text).split('\n').collect();
        let too_long = |line: &&str| line.is_empty() || line.len() > LINE_LIMIT_BYTES;
        if let Some(at) = lines.iter().position(too_long) {
            return Err(CheckpointError::Line { line: at + 1 });
        }
        let [origin, size, root, extensions @ ..] = lines.as_slice() else {
            return Err(CheckpointError::TooFewLines { lines: lines.len() });
        };
        if extensions.len() > EXTENSION_LIMIT_LINES {
            return Err(CheckpointError::Line { line: 3 + EXTENSION_LIMIT_LINES + 1 });
        }
        let size = text::decimal(size).ok_or_else(|| CheckpointError::Size(text::excerpt(size)))?;
        let root: TreeHash = root.parse()?;
        if size == 0 && root != EMPTY_ROOT {
            return Err(CheckpointError::NotEmpty);
        }
        let extensions = extensions.iter().map(|line| (*line).to_owned()).collect();
        Ok(Checkpoint { origin: (*origin).to_owned(), size, root, extensions })
    }
}

impl fmt::Display for Checkpoint {
    /// The text that is signed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, self.root)?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// A checkpoint with its signatures. Nothing it says is to be believed before [`SignedCheckpoint::verify`].
#[derive(Debug, Clone, PartialEq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: ReadNote,
}

/// A checkpoint that was verified, and who signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The log's keys that signed it.
    pub by: Vec<VerifierKey>,
    /// The witnesses that cosigned it.
    pub cosigned: Vec<Cosigned>,
}

impl SignedCheckpoint {
    /// Reads a checkpoint, without looking at its signatures.
    pub fn parse(bytes: &[u8]) -> Result<SignedCheckpoint, CheckpointError> {
        let note = ReadNote::parse(bytes)?;
        Ok(SignedCheckpoint { checkpoint: Checkpoint::parse(&note.text)?, note })
    }

    /// What it claims.
    pub fn claimed(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Checks the signatures of the given keys: the log has to have signed, every signature by a given key has
    /// to fit, those of others are passed over.
    pub fn verify(&self, keys: &[VerifierKey]) -> Result<Verified, CheckpointError> {
        let (mut by, mut cosigned) = (Vec::new(), Vec::new());
        for (key, signature) in self.note.verify(keys)? {
            match key.key_use() {
                KeyUse::Log if key.name().as_str() == self.checkpoint.origin => by.push(key),
                KeyUse::Log => {}
                KeyUse::Cosigner => {
                    let (at_seconds, _) = cosignature::split(&signature).expect("it was verified just now");
                    cosigned.push(Cosigned { by: key.name().clone(), at_seconds });
                }
            }
        }
        if by.is_empty() {
            return Err(CheckpointError::NotByTheLog { origin: text::excerpt(&self.checkpoint.origin) });
        }
        Ok(Verified { checkpoint: self.checkpoint.clone(), by, cosigned })
    }

    /// Adds a witness's cosignature. The witness has checked that this checkpoint continues the last one it saw.
    pub fn cosign(&mut self, key: &SigningKey, at_seconds: u64) -> Result<(), NotSignable> {
        if at_seconds > LATEST_COSIGNATURE_SECONDS {
            return Err(NotSignable::Time(at_seconds));
        }
        let signature = key.sign(&cosignature::message(at_seconds, self.note.text.as_bytes()));
        self.note.add(&key.verifier(KeyUse::Cosigner), cosignature::join(at_seconds, &signature));
        Ok(())
    }

    /// The keys that the signature lines name, by name and identifier. Whether they signed is not said by this.
    pub fn named_keys(&self) -> impl Iterator<Item = (&str, u32)> {
        self.note.named_keys()
    }

    /// The signature lines of a key: what a witness answers with.
    pub fn lines_of(&self, name: &KeyName) -> String {
        self.note.lines_of(name)
    }

    /// Adds signature lines that a witness answered with, unverified like all the others.
    pub fn add_lines(&mut self, lines: &str) -> Result<(), CheckpointError> {
        Ok(self.note.add_lines(lines)?)
    }
}

impl fmt::Display for SignedCheckpoint {
    /// The signed note, byte for byte as it was read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.note.to_text())
    }
}
