//! One log of a witness: what is remembered of it, taken by one request at a time.

use crate::clock::Clock;
use crate::config::LogConfig;
use crate::decision::{Contradiction, Refused, contradiction, decide};
use crate::findings::{self, Finding, Kept, Kind};
use crate::folder::{LogFolder, SaveError};
use crate::record::{Record, hex_sha256};
use crate::standing::Standing;
use crate::store::Store;
use evidence::{AddCheckpoint, SignedCheckpoint, SigningKey, VerifierKey};
use service::CheckReport;
use service::chain;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One log.
#[derive(Debug)]
pub(crate) struct WatchedLog {
    name: Option<String>,
    hash: String,
    keys: Vec<VerifierKey>,
    folder: LogFolder,
    /// Held from a decision until it is remembered on the disk.
    deciding: Mutex<()>,
    /// Held for a moment only, so that readers never wait for the disk.
    memory: Mutex<Memory>,
    standing: Mutex<Standing>,
    /// Held while a finding is kept: the same one may come from several sides at once.
    keeping: Mutex<()>,
}

/// What is remembered, and why that cannot be used.
#[derive(Debug, Clone)]
struct Memory {
    last: Option<Record>,
    unusable: Option<String>,
}

/// What can be served of a log.
#[derive(Debug)]
pub(crate) enum Served {
    /// Its last checkpoint, cosigned.
    Cosigned(SignedCheckpoint),
    /// Nothing of it is cosigned yet.
    Nothing,
    /// What is remembered of it cannot be used.
    Unusable(String),
}

impl WatchedLog {
    /// Takes up what the directory remembers of a log.
    pub(crate) fn take_up(store: &Store, config: &LogConfig) -> WatchedLog {
        let folder = store.log(config.origin());
        let (last, unusable) = match folder.load() {
            Ok(last) => (last, None),
            Err(error) => {
                let why = chain(&error);
                tracing::error!(log = config.origin(), "Nothing of `{}` is cosigned: {why}", config.origin());
                (None, Some(why))
            }
        };
        let forks = findings::of_kind(&folder.findings(), Kind::Fork).unwrap_or_default();
        let standing = Standing { unusable: unusable.clone(), forks, ..Standing::default() };
        standing.count(config.origin());
        let log = WatchedLog {
            name: config.name.as_ref().map(|name| name.as_str().to_owned()),
            hash: hex_sha256(config.origin().as_bytes()),
            keys: config.keys(),
            folder,
            deciding: Mutex::new(()),
            memory: Mutex::new(Memory { last, unusable }),
            standing: Mutex::new(standing),
            keeping: Mutex::new(()),
        };
        if let Some(last) = log.last() {
            log.count(&last);
        }
        log
    }

    pub(crate) fn origin(&self) -> &str {
        self.folder.origin()
    }

    pub(crate) fn hash(&self) -> &str {
        &self.hash
    }

    #[cfg(test)]
    pub(crate) fn findings(&self) -> PathBuf {
        self.folder.findings()
    }

    pub(crate) fn keys(&self) -> &[VerifierKey] {
        &self.keys
    }

    /// Whether a path names it so.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.hash == name || self.name.as_deref() == Some(name)
    }

    /// How it stands.
    pub(crate) fn check(&self) -> CheckReport {
        self.standing().check(self.origin())
    }

    /// What can be served of it, with a cosignature by the key.
    pub(crate) fn served(&self, key: &SigningKey) -> Served {
        let Memory { last, unusable } = self.memory().clone();
        match (unusable, last) {
            (Some(why), _) => Served::Unusable(why),
            (None, None) => Served::Nothing,
            (None, Some(record)) => Served::Cosigned(cosign(&record, key)),
        }
    }

    /// What is remembered of it.
    pub(crate) fn last(&self) -> Option<Record> {
        self.memory().last.clone()
    }

    /// What is remembered is replaced whole, so a thread that panicked meanwhile left nothing half-written.
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why it was not followed the last time.
    pub(crate) fn not_followed(&self) -> Option<String> {
        self.standing().not_followed.clone()
    }

    /// What it showed less of than it had, the last time it was seen.
    pub(crate) fn shrank(&self) -> Option<String> {
        self.standing().shrank.clone()
    }

    /// Changes how it stands, and counts it.
    pub(crate) fn stands(&self, change: impl FnOnce(&mut Standing)) {
        let mut standing = self.standing();
        change(&mut standing);
        standing.count(self.origin());
    }

    /// Decides, remembers, and signs, in this order; nobody else decides about the log meanwhile.
    pub(crate) fn add(
        &self,
        request: &AddCheckpoint,
        key: &SigningKey,
        clock: &Clock,
    ) -> Result<SignedCheckpoint, Refused> {
        // A decision that panicked has changed nothing in memory; what it left on the disk continues that.
        let deciding = self.deciding.lock().unwrap_or_else(PoisonError::into_inner);
        let now_seconds = clock.now_seconds()?;
        let Memory { last, unusable } = self.memory().clone();
        if let Some(why) = unusable {
            return Err(Refused::Unusable { origin: self.origin().to_owned(), why });
        }
        let record = match decide(&self.keys, last.as_ref(), request, now_seconds) {
            Ok(record) => record,
            Err(refused) => {
                drop(deciding);
                self.look_into(last.as_ref(), request, &refused, now_seconds);
                return Err(refused);
            }
        };
        if last.as_ref() != Some(&record) {
            if let Err(source) = self.folder.save(&record) {
                return Err(self.not_saved(source));
            }
            self.count(&record);
            self.memory().last = Some(record.clone());
        }
        Ok(cosign(&record, key))
    }

    fn not_saved(&self, source: SaveError) -> Refused {
        let why = chain(&source);
        tracing::error!(log = self.origin(), "{why}");
        if let SaveError::Uncertain(_) = source {
            self.memory().unusable = Some(why.clone());
            self.stands(|standing| standing.unusable = Some(why));
        }
        Refused::NotSaved { origin: self.origin().to_owned(), source }
    }

    fn count(&self, record: &Record) {
        let size = record.checkpoint.claimed().size();
        metrics::gauge!("planwatch_witness_size", "log" => self.origin().to_owned()).set(size as f64);
        metrics::gauge!("planwatch_witness_cosigned_at_seconds", "log" => self.origin().to_owned())
            .set(record.cosigned_at_seconds as f64);
    }

    fn look_into(&self, last: Option<&Record>, request: &AddCheckpoint, refused: &Refused, now_seconds: u64) {
        let Some((seen, contradiction)) = last.zip(contradiction(last, request, refused)) else { return };
        let (kind, proof) = match contradiction {
            Contradiction::TwoRoots => (Kind::Fork, None),
            Contradiction::Unproven => (Kind::Unproven, Some(request.clone())),
        };
        let shown = &request.checkpoint;
        self.found(&Finding { kind, seen, shown, proof, root: None, found_at_seconds: now_seconds });
    }

    /// Keeps a finding and raises the alarm that belongs to it.
    pub(crate) fn found(&self, finding: &Finding<'_>) {
        let _keeping = self.keeping.lock().unwrap_or_else(PoisonError::into_inner);
        let origin = self.origin();
        let (seen, shown) = (finding.seen.checkpoint.claimed(), finding.shown.claimed());
        let place = match findings::keep(&self.folder.findings(), finding) {
            Ok(Kept::New(path)) => Some(path),
            Ok(Kept::Known(path)) => {
                // It was said when it was found.
                if finding.kind == Kind::Fork {
                    self.raise(path);
                }
                return;
            }
            // Anybody can send those; they are counted.
            Ok(Kept::TooMany) if finding.kind == Kind::Unproven => return,
            Ok(Kept::TooMany) => None,
            Err(error) => {
                tracing::error!(log = origin, "Cannot keep what was found about `{origin}`: {error}");
                None
            }
        };
        let kept = place.as_ref().map_or_else(
            || {
                format!(
                    "not kept: seen {}, shown {}",
                    one_line(&finding.seen.checkpoint),
                    one_line(finding.shown)
                )
            },
            |path| format!("kept in `{}`", path.display()),
        );
        let sizes = format!("seen {} events, shown {}", seen.size(), shown.size());
        match finding.kind {
            Kind::Fork => {
                tracing::error!(log = origin, "The log `{origin}` signed two histories: {sizes}; {kept}");
                self.raise(place.unwrap_or_else(|| self.folder.findings()));
            }
            Kind::Shrank => tracing::error!(log = origin, "The log `{origin}` shrank: {sizes}; {kept}"),
            Kind::Unproven => tracing::warn!(
                log = origin,
                "A checkpoint of `{origin}` came with a proof that does not hold: {sizes}; {kept}"
            ),
        }
    }

    fn raise(&self, fork: PathBuf) {
        self.stands(|standing| {
            if !standing.forks.contains(&fork) {
                standing.forks.push(fork);
            }
        });
    }
}

/// The checkpoint with its cosignature. Ed25519 gives the same one for the same record each time.
fn cosign(record: &Record, key: &SigningKey) -> SignedCheckpoint {
    let mut checkpoint = record.checkpoint.clone();
    checkpoint
        .cosign(key, record.cosigned_at_seconds)
        .expect("no clock says more than what a cosignature can carry, and no record holds it");
    checkpoint
}

/// A checkpoint as one line of a log.
fn one_line(checkpoint: &SignedCheckpoint) -> String {
    format!("{:?}", checkpoint.to_string())
}
