//! The notary: signs what the log's tree says, keeps the last checkpoint, and gives proofs.

use crate::keys::{Keys, KeysError};
use bus::Bus;
use event_log::{EvidenceError, Log};
use events::{PlanId, Position};
use evidence::{Checkpoint, CheckpointError, NotSignable, ProofFile, SignedCheckpoint, TreeHash};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};
use thiserror::Error;

/// The name of the last checkpoint's file, in the log's directory.
const CHECKPOINT_NAME: &str = "checkpoint";
/// How often a log that grows gets a new checkpoint.
const SIGN_EVERY: Duration = Duration::from_secs(1);

/// Why nothing can be signed or shown.
#[derive(Debug, Error)]
pub enum NotaryError {
    /// The keys cannot be used.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The tree has no answer.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// The keys do not sign.
    #[error(transparent)]
    NotSignable(#[from] NotSignable),
    /// The disk refused.
    #[error("cannot use the checkpoint `{}`", path.display())]
    Files {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The kept checkpoint is none.
    #[error(
        "cannot read the checkpoint `{}`; if the log verifies, remove it, and the next one is signed anew",
        path.display()
    )]
    Kept {
        /// The file.
        path: PathBuf,
        /// Why.
        source: CheckpointError,
    },
    /// The log is not the one that was signed.
    #[error(
        "the log does not agree with its last signed checkpoint `{}`: {what}; put the log back from a copy that \
         agrees (`planwatch log verify` tells)",
        path.display()
    )]
    Disagrees {
        /// The file.
        path: PathBuf,
        /// In what.
        what: String,
    },
}

/// Signs for a log.
pub(crate) struct Notary {
    log: Log,
    keys_directory: PathBuf,
    keys: RwLock<(Option<SystemTime>, Arc<Keys>)>,
    checkpoint_file: PathBuf,
    latest: RwLock<Arc<SignedCheckpoint>>,
}

/// Reads the size that the last checkpoint in a log's directory claims: so much was acknowledged.
pub(crate) fn kept_size(directory: &Path) -> Result<Option<Position>, NotaryError> {
    Ok(kept(directory)?.map(|checkpoint| Position(checkpoint.claimed().size())))
}

fn kept(directory: &Path) -> Result<Option<SignedCheckpoint>, NotaryError> {
    let path = directory.join(CHECKPOINT_NAME);
    match std::fs::read(&path) {
        Ok(bytes) => match SignedCheckpoint::parse(&bytes) {
            Ok(checkpoint) => Ok(Some(checkpoint)),
            Err(source) => Err(NotaryError::Kept { path, source }),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(NotaryError::Files { path, source }),
    }
}

impl Notary {
    /// Holds the log against the last checkpoint in its directory, and signs what it is now.
    pub(crate) fn start(log: Log, directory: &Path, keys_directory: PathBuf) -> Result<Notary, NotaryError> {
        let keys = Keys::read(&keys_directory)?;
        let checkpoint_file = directory.join(CHECKPOINT_NAME);
        if let Some(kept) = kept(directory)? {
            agrees(&log, kept.claimed())
                .map_err(|what| NotaryError::Disagrees { path: checkpoint_file.clone(), what })?;
        }
        let head = log.tree_head();
        let first = Checkpoint::new(keys.name(), head.size, head.root).sign(&keys.signing())?;
        let notary = Notary {
            log,
            keys: RwLock::new((changed_at(&keys_directory), Arc::new(keys))),
            keys_directory,
            checkpoint_file,
            latest: RwLock::new(Arc::new(first.clone())),
        };
        notary.keep(&first)?;
        Ok(notary)
    }

    /// The last checkpoint that was published.
    pub(crate) fn latest(&self) -> Arc<SignedCheckpoint> {
        Arc::clone(&self.latest.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The keys as they are now: read again when a key was made or retired.
    pub(crate) fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner).1)
    }

    /// Signs the tree as it was at a size. The same size and keys give the same checkpoint, whenever it is asked.
    pub(crate) fn checkpoint_at(&self, size: u64) -> Result<SignedCheckpoint, NotaryError> {
        let root = self.log.root_at(Position(size))?;
        let keys = self.keys();
        Ok(Checkpoint::new(keys.name(), size, root).sign(&keys.signing())?)
    }

    /// Proves that the events at some positions are in the log's first `size` events.
    pub(crate) fn prove(&self, positions: &[Position], size: u64) -> Result<Vec<ProofFile>, NotaryError> {
        let checkpoint = self.checkpoint_at(size)?;
        let prove = |position: &Position| {
            let proof = self.log.inclusion_proof(*position, size)?;
            Ok(ProofFile::new(proof, checkpoint.clone()).expect("both are of the same size"))
        };
        positions.iter().map(prove).collect()
    }

    /// Signs, keeps and publishes while the log grows, until the log or the task is gone.
    pub(crate) async fn run(self: Arc<Notary>, bus: Bus, plan: PlanId) {
        let mut head = self.log.watch();
        let mut published = None;
        loop {
            head.borrow_and_update();
            let notary = Arc::clone(&self);
            let signed = tokio::task::spawn_blocking(move || notary.sign_again()).await;
            match signed {
                Ok(Ok(checkpoint)) => {
                    if published.as_ref() != Some(&checkpoint)
                        && bus.publish_checkpoint(&plan, checkpoint.to_string().into()).await.is_ok()
                    {
                        published = Some(checkpoint);
                    }
                }
                Ok(Err(error)) => {
                    let why: &dyn std::error::Error = &error;
                    tracing::error!(error = why, "Could not sign a checkpoint");
                }
                Err(_) => tracing::error!("Signing a checkpoint panicked"),
            }
            tokio::time::sleep(SIGN_EVERY).await;
            // A follower that starts later hears the next one: the last one is told again from time to time.
            let wait = if published.is_some() { SIGN_EVERY * 30 } else { SIGN_EVERY };
            match tokio::time::timeout(wait, head.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return,
                Err(_) => published = None,
            }
        }
    }

    /// Signs what the log is now, if it or its keys have changed, and keeps the checkpoint.
    pub(crate) fn sign_again(&self) -> Result<Arc<SignedCheckpoint>, NotaryError> {
        self.read_keys_again()?;
        let keys = self.keys();
        let head = self.log.tree_head();
        let signed = Checkpoint::new(keys.name(), head.size, head.root).sign(&keys.signing())?;
        let latest = self.latest();
        if *latest == signed {
            return Ok(latest);
        }
        self.keep(&signed)?;
        let signed = Arc::new(signed);
        *self.latest.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&signed);
        Ok(signed)
    }

    fn read_keys_again(&self) -> Result<(), NotaryError> {
        let now = changed_at(&self.keys_directory);
        if self.keys.read().unwrap_or_else(PoisonError::into_inner).0 == now {
            return Ok(());
        }
        let keys = Arc::new(Keys::read(&self.keys_directory)?);
        tracing::info!(keys = keys.signing().len(), "The signing keys changed");
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = (now, keys);
        Ok(())
    }

    /// Replaces the kept checkpoint in one step. What it says is durable already.
    fn keep(&self, checkpoint: &SignedCheckpoint) -> Result<(), NotaryError> {
        let path = &self.checkpoint_file;
        let beside = path.with_extension("new");
        let written = || -> io::Result<()> {
            let mut file = std::fs::File::create(&beside)?;
            file.write_all(checkpoint.to_string().as_bytes())?;
            file.sync_data()?;
            std::fs::rename(&beside, path)
        };
        written().map_err(|source| NotaryError::Files { path: path.clone(), source })
    }
}

/// When a key was last made or retired in a directory.
fn changed_at(directory: &Path) -> Option<SystemTime> {
    std::fs::metadata(directory).and_then(|metadata| metadata.modified()).ok()
}

/// Whether a log begins with what a checkpoint claims; in what not, otherwise.
fn agrees(log: &Log, claimed: &Checkpoint) -> Result<(), String> {
    let size = log.tree_size();
    if claimed.size() > size {
        return Err(format!("{} events were signed, the log ends at position {size}", claimed.size()));
    }
    let root: TreeHash = log.root_at(Position(claimed.size())).map_err(|error| error.to_string())?;
    if root != claimed.root() {
        return Err(format!(
            "the root over its first {} events is {root}, signed was {}",
            claimed.size(),
            claimed.root()
        ));
    }
    Ok(())
}
