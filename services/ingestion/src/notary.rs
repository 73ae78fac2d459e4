//! The notary: signs what the log's tree says, keeps the last checkpoint, and gives proofs and receipts.

use crate::compared::Compared;
use crate::kept::{Kept, KeptError};
use crate::keys::{Keys, KeysError};
use bus::{Bus, MirrorState};
use event_log::{EvidenceError, Log};
use events::command::Acceptance;
use events::{PlanId, Position};
use evidence::{AddCheckpoint, Checkpoint, NotSignable, ProofFile, SignedCheckpoint, TreeHash};
use service::Check;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};
use thiserror::Error;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

/// How often a log that grows gets a new checkpoint, and how often keys are looked for.
const SIGN_EVERY: Duration = Duration::from_secs(1);
/// How often the last checkpoint is told again: a follower may have missed it.
const TELL_AGAIN_EVERY: Duration = Duration::from_secs(30);

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
    /// The kept checkpoint cannot be used.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// Signing might contradict what the stream knows.
    #[error("nothing new is signed before the log has been compared with the stream; try again in a moment")]
    NotYet,
}

/// Signs for a log that agrees with everything that was signed for it before.
pub(crate) struct Notary {
    log: Log,
    keys_directory: PathBuf,
    keys: RwLock<Arc<Keys>>,
    kept: Kept,
    compared: Compared,
    latest: RwLock<Option<Arc<SignedCheckpoint>>>,
    /// One checkpoint is made and kept at a time.
    signing: Mutex<()>,
}

impl Notary {
    /// Takes up a log that was held against `kept` and agrees with it. Nothing is signed yet.
    pub(crate) fn new(
        log: Log,
        keys_directory: PathBuf,
        keys: Keys,
        kept: Kept,
        compared: Compared,
    ) -> Notary {
        let latest = kept.latest().cloned().map(Arc::new);
        Notary {
            log,
            keys_directory,
            keys: RwLock::new(Arc::new(keys)),
            kept,
            compared,
            latest: RwLock::new(latest),
            signing: Mutex::new(()),
        }
    }

    /// The last checkpoint that was kept.
    pub(crate) fn latest(&self) -> Option<Arc<SignedCheckpoint>> {
        self.latest.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The keys as they are now.
    pub(crate) fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Proves that the event at a position is in the log's first `size` events; in those of the last
    /// checkpoint where no size is given, or up to the head where that does not cover the position yet.
    pub(crate) fn prove(&self, position: Position, size: Option<u64>) -> Result<ProofFile, NotaryError> {
        let size = size.unwrap_or_else(|| match self.latest_size() {
            covering if covering >= position.0 => covering,
            _ => self.log.tree_size(),
        });
        let proof = self.log.inclusion_proof(position, size)?;
        let checkpoint = self.checkpoint_at(size)?;
        Ok(ProofFile::new(proof, checkpoint).expect("both are of the same size"))
    }

    /// Proves that the log's first `to` events begin with its first `from` events, in the form in which a
    /// witness is asked; up to the last checkpoint where no `to` is given.
    pub(crate) fn consistency(&self, from: u64, to: Option<u64>) -> Result<AddCheckpoint, NotaryError> {
        let to = to.unwrap_or_else(|| self.latest_size());
        let hashes = self.log.consistency_proof(from, to)?.hashes;
        Ok(AddCheckpoint { old_size: from, hashes, checkpoint: self.checkpoint_at(to)? })
    }

    fn latest_size(&self) -> u64 {
        self.latest().map_or(0, |latest| latest.claimed().size())
    }

    /// Gives each acceptance of one request its receipt: the proof of its event at the tree size of the
    /// request's last position. What keeps it from doing so is said in the trace: the events are recorded.
    pub(crate) fn give_receipts(&self, acceptances: &mut [Acceptance]) {
        let Some(last) = acceptances.iter().map(|acceptance| acceptance.position).max() else { return };
        let positions: Vec<Position> = acceptances.iter().map(|acceptance| acceptance.position).collect();
        let begun = Instant::now();
        match self.receipts(&positions, last) {
            Ok(receipts) => {
                for (acceptance, receipt) in acceptances.iter_mut().zip(receipts) {
                    acceptance.receipt = Some(receipt);
                }
                metrics::histogram!("planwatch_receipt_seconds").record(begun.elapsed().as_secs_f64());
            }
            Err(error) => {
                metrics::counter!("planwatch_receipts_missing_total").increment(acceptances.len() as u64);
                let why: &dyn std::error::Error = &error;
                tracing::warn!(position = %last, error = why, "An answer goes without its receipt");
            }
        }
    }

    fn receipts(&self, positions: &[Position], last: Position) -> Result<Vec<String>, NotaryError> {
        let (root, proofs) = self.log.inclusion_proofs(positions, last.0)?;
        let checkpoint = self.sign(last.0, root)?;
        let receipt =
            |proof| ProofFile::new(proof, checkpoint.clone()).expect("both are of the same size").to_string();
        Ok(proofs.into_iter().map(receipt).collect())
    }

    /// Signs the tree as it was at a size. The same size and keys give the same checkpoint, whenever it is asked.
    fn checkpoint_at(&self, size: u64) -> Result<SignedCheckpoint, NotaryError> {
        if let Some(latest) = self.latest().filter(|latest| latest.claimed().size() == size) {
            return Ok((*latest).clone());
        }
        let root = self.log.root_at(Position(size))?;
        self.sign(size, root)
    }

    fn sign(&self, size: u64, root: TreeHash) -> Result<SignedCheckpoint, NotaryError> {
        if size > self.kept.size().0 && !self.compared.has_agreed() {
            return Err(NotaryError::NotYet);
        }
        let keys = self.keys();
        Ok(Checkpoint::new(keys.name(), size, root).sign(&keys.signing())?)
    }

    /// Signs, keeps and publishes while the log grows, until the task is aborted: from when the mirror has found
    /// log and stream to agree.
    pub(crate) async fn run(
        self: Arc<Notary>,
        bus: Bus,
        plan: PlanId,
        mut mirror: watch::Receiver<MirrorState>,
        check: Check,
    ) {
        check.down("nothing is signed before the log has been compared with the stream");
        if mirror.wait_for(|state| self.compared.saw(state)).await.is_err() {
            return;
        }
        let mut tick = tokio::time::interval(SIGN_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut published: Option<(Arc<SignedCheckpoint>, Instant)> = None;
        loop {
            tick.tick().await;
            let notary = Arc::clone(&self);
            let signed = tokio::task::spawn_blocking(move || notary.sign_again()).await;
            let checkpoint = match signed {
                Ok(Ok(checkpoint)) => checkpoint,
                Ok(Err(error)) => {
                    check.degraded(format!("no checkpoint could be signed: {}", service::chain(&error)));
                    continue;
                }
                Err(_) => {
                    check.degraded("no checkpoint could be signed: it panicked");
                    continue;
                }
            };
            check.ok();
            let is_told = published
                .as_ref()
                .is_some_and(|(last, at)| *last == checkpoint && at.elapsed() < TELL_AGAIN_EVERY);
            if !is_told && bus.publish_checkpoint(&plan, checkpoint.to_string().into()).await.is_ok() {
                published = Some((checkpoint, Instant::now()));
            }
        }
    }

    /// Signs what the log is now, if it or its keys have changed, and keeps the checkpoint before anyone is
    /// told of it.
    pub(crate) fn sign_again(&self) -> Result<Arc<SignedCheckpoint>, NotaryError> {
        let _one_at_a_time = self.signing.lock().unwrap_or_else(PoisonError::into_inner);
        self.read_keys_again()?;
        let head = self.log.tree_head();
        let signed = self.sign(head.size, head.root)?;
        if let Some(latest) = self.latest().filter(|latest| **latest == signed) {
            return Ok(latest);
        }
        self.kept.keep(&signed)?;
        metrics::counter!("planwatch_log_checkpoints_total").increment(1);
        metrics::gauge!("planwatch_log_checkpoint_position").set(head.size as f64);
        let signed = Arc::new(signed);
        *self.latest.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&signed));
        Ok(signed)
    }

    /// Those that sign go on signing where the new ones cannot be read: that is told, and tried again.
    fn read_keys_again(&self) -> Result<(), NotaryError> {
        let found = Keys::read(&self.keys_directory)?;
        if !found.is_same(&self.keys()) {
            tracing::info!(keys = found.signing().len(), "The signing keys changed");
            *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(found);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{TestLog, key, name};
    use evidence::{KeyUse, SEED_BYTES, VerifierKey, leaf_hash};
    use std::path::Path;

    fn agreed() -> Compared {
        let compared = Compared::default();
        assert!(compared.saw(&MirrorState::Following { mirrored: Position(1) }));
        compared
    }

    fn notary(log: &Log, folder: &Path, compared: Compared) -> Notary {
        let (log_directory, keys) = (folder.join("log"), folder.join("keys"));
        if !keys.exists() {
            Keys::make(&keys, &name(), &[1; SEED_BYTES]).unwrap();
        }
        let kept = Kept::read(&log_directory, Some(&keys)).unwrap();
        assert_eq!(kept.contradiction(log).unwrap(), None);
        Notary::new(log.clone(), keys.clone(), Keys::read(&keys).unwrap(), kept, compared)
    }

    fn public(seed: u8) -> [VerifierKey; 1] {
        [key(seed).verifier(KeyUse::Log)]
    }

    #[test]
    fn nothing_new_is_signed_before_log_and_stream_agree() {
        let folder = tempfile::tempdir().unwrap();
        let mut test = TestLog::open(&folder.path().join("log"), 3);
        let compared = Compared::default();
        let unsigned = notary(&test.log, folder.path(), compared.clone());
        assert!(matches!(unsigned.sign_again(), Err(NotaryError::NotYet)));
        assert!(matches!(unsigned.prove(Position(1), Some(2)), Err(NotaryError::NotYet)));
        assert_eq!(unsigned.latest(), None);
        compared.saw(&MirrorState::Following { mirrored: Position(3) });
        let first = unsigned.sign_again().unwrap();
        assert_eq!(first.verify(&public(1)).unwrap().checkpoint.size(), 3);

        // Started again: what was signed before may be signed again at once, and nothing more.
        test.append(2);
        let again = notary(&test.log, folder.path(), Compared::default());
        assert_eq!(again.latest().as_deref(), Some(&*first));
        again.prove(Position(2), Some(3)).unwrap();
        assert!(matches!(again.prove(Position(2), Some(4)), Err(NotaryError::NotYet)));
        assert!(matches!(again.sign_again(), Err(NotaryError::NotYet)));
    }

    #[test]
    fn a_receipt_is_the_same_whenever_it_is_asked_for_and_continues_the_earlier_checkpoints() {
        let folder = tempfile::tempdir().unwrap();
        let mut test = TestLog::open(&folder.path().join("log"), 5);
        let notary = notary(&test.log, folder.path(), agreed());
        let early = notary.sign_again().unwrap().claimed().clone();
        let receipts = notary.receipts(&[Position(4), Position(5)], Position(5)).unwrap();
        test.append(300);
        notary.sign_again().unwrap();
        assert_eq!(notary.receipts(&[Position(4), Position(5)], Position(5)).unwrap(), receipts);
        for (position, receipt) in [4, 5].into_iter().zip(&receipts) {
            let entry = test.log.event_at(Position(position)).unwrap().unwrap().bytes;
            let proof = ProofFile::parse(receipt.as_bytes()).unwrap();
            assert_eq!(proof.verify(&entry, &public(1)).unwrap().checkpoint.size(), 5);
            assert_eq!(notary.prove(Position(position), Some(5)).unwrap(), proof);
            assert_ne!(leaf_hash(&entry), early.root());
        }
        let continued = notary.consistency(5, None).unwrap();
        assert_eq!(continued.judge(&public(1), Some(&early)).unwrap().checkpoint.size(), 305);
        // Without a size: the last checkpoint, or the head where that does not cover the position yet.
        test.append(1);
        assert_eq!(notary.prove(Position(305), None).unwrap().checkpoint().claimed().size(), 305);
        assert_eq!(notary.prove(Position(306), None).unwrap().checkpoint().claimed().size(), 306);
    }

    #[test]
    fn keys_are_exchanged_while_it_signs_and_those_that_cannot_be_read_change_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let test = TestLog::open(&folder.path().join("log"), 3);
        let notary = notary(&test.log, folder.path(), agreed());
        let keys = folder.path().join("keys");
        let first = notary.sign_again().unwrap();
        assert_eq!(notary.sign_again().unwrap(), first, "nothing changed, nothing is signed");
        let second = Keys::make(&keys, &name(), &[2; SEED_BYTES]).unwrap();
        let both = notary.sign_again().unwrap();
        assert_eq!(both.claimed(), first.claimed());
        for seed in [1, 2] {
            both.verify(&public(seed)).unwrap();
        }
        let hidden = folder.path().join("hidden");
        std::fs::rename(&keys, &hidden).unwrap();
        assert!(matches!(notary.sign_again(), Err(NotaryError::Keys(KeysError::Missing(_)))));
        notary.receipts(&[Position(1)], Position(1)).unwrap();
        std::fs::rename(&hidden, &keys).unwrap();
        Keys::retire(&keys, public(1)[0].id()).unwrap();
        let new = notary.sign_again().unwrap();
        new.verify(&public(2)).unwrap();
        let told = new.verify(&public(1)).unwrap_err().to_string();
        assert!(told.contains(&format!("{:08x}", second.id())), "{told}");
    }
}
