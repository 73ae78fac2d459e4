//! The logs that a witness knows, each taken by one request at a time.

use crate::config::LogConfig;
use crate::decision::{Contradiction, Refused, contradiction, decide};
use crate::findings::{self, Finding, Kept, Kind};
use crate::folder::{LogFolder, SaveError};
use crate::record::{Record, hex_sha256};
use crate::standing::Standing;
use crate::store::Store;
use evidence::{AddCheckpoint, KeyUse, SignedCheckpoint, SigningKey, VerifierKey, WitnessRefusal};
use service::CheckReport;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// What says the time, in seconds since 1970; 0 where the system's clock is before that.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> u64 + Send + Sync>);

/// A witness: its key, and what it remembers of each log.
#[derive(Debug)]
pub struct Witness {
    key: SigningKey,
    logs: Vec<WatchedLog>,
    clock: Clock,
    /// Holds the directory for this process as long as anything may write to it.
    _store: Store,
}

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

impl Clock {
    /// A clock of a test's own.
    pub fn new(now_seconds: impl Fn() -> u64 + Send + Sync + 'static) -> Clock {
        Clock(Arc::new(now_seconds))
    }

    /// The system's clock.
    pub fn system() -> Clock {
        Clock::new(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
    }

    fn now_seconds(&self) -> u64 {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

impl Witness {
    /// Takes up what the directory remembers of each log. A log of which that cannot be used is not cosigned, and
    /// says so; the others are.
    pub fn new(key: SigningKey, store: Store, logs: &[LogConfig], clock: Clock) -> Witness {
        let logs = logs.iter().map(|log| WatchedLog::take_up(&store, log)).collect();
        Witness { key, logs, clock, _store: store }
    }

    /// The public key, by which cosignatures verify.
    pub fn verifier(&self) -> VerifierKey {
        self.key.verifier(KeyUse::Cosigner)
    }

    /// Cosigns a checkpoint that continues the last one of its log, once it is remembered on the disk.
    ///
    /// Waits while another request for the same log is decided, and for the disk.
    pub fn add_checkpoint(&self, request: &AddCheckpoint) -> Result<SignedCheckpoint, Refused> {
        let origin = request.checkpoint.claimed().origin();
        let Some(log) = self.logs.iter().find(|log| log.origin() == origin) else {
            metrics::counter!("planwatch_witness_requests_total", "log" => "unknown", "outcome" => "unknown-log")
                .increment(1);
            // The decision of nobody's keys: whose log it says it is, shortened.
            let refusal = request.judge(&[], None).expect_err("without a key no log is known");
            return Err(refusal.into());
        };
        let decided = log.add(request, &self.key, &self.clock);
        let outcome = decided.as_ref().map_or_else(Refused::word, |_| "cosigned");
        metrics::counter!(
            "planwatch_witness_requests_total", "log" => origin.to_owned(), "outcome" => outcome
        )
        .increment(1);
        decided
    }

    /// The last checkpoint of a log with the witness's cosignature, by the name or hash that its path has; none
    /// if there is no such log.
    pub(crate) fn cosigned(&self, path_name: &str) -> Option<Served> {
        let is_named = |log: &&WatchedLog| log.hash == path_name || log.name.as_deref() == Some(path_name);
        let Memory { last, unusable } = self.logs.iter().find(is_named)?.memory().clone();
        Some(match (unusable, last) {
            (Some(why), _) => Served::Unusable(why),
            (None, None) => Served::Nothing,
            (None, Some(record)) => Served::Cosigned(cosign(&record, &self.key)),
        })
    }

    /// How each log stands.
    pub(crate) fn checks(&self) -> Vec<CheckReport> {
        self.logs.iter().map(|log| log.standing().check(log.origin())).collect()
    }

    pub(crate) fn log(&self, origin: &str) -> Option<&WatchedLog> {
        self.logs.iter().find(|log| log.origin() == origin)
    }

    pub(crate) fn logs(&self) -> &[WatchedLog] {
        &self.logs
    }

    pub(crate) fn now_seconds(&self) -> u64 {
        self.clock.now_seconds()
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

impl WatchedLog {
    fn take_up(store: &Store, config: &LogConfig) -> WatchedLog {
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
    pub(crate) fn findings(&self) -> std::path::PathBuf {
        self.folder.findings()
    }

    pub(crate) fn keys(&self) -> &[VerifierKey] {
        &self.keys
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
    fn add(
        &self,
        request: &AddCheckpoint,
        key: &SigningKey,
        clock: &Clock,
    ) -> Result<SignedCheckpoint, Refused> {
        // A decision that panicked has changed nothing in memory; what it left on the disk continues that.
        let deciding = self.deciding.lock().unwrap_or_else(PoisonError::into_inner);
        let now_seconds = clock.now_seconds();
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

    fn raise(&self, fork: std::path::PathBuf) {
        self.stands(|standing| {
            if !standing.forks.contains(&fork) {
                standing.forks.push(fork);
            }
        });
    }
}

/// A checkpoint as one line of a log.
fn one_line(checkpoint: &SignedCheckpoint) -> String {
    format!("{:?}", checkpoint.to_string())
}

/// An error with its causes, as one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// Whether a refusal says that somebody else's request was faster.
pub(crate) fn was_overtaken(refused: &Refused) -> bool {
    matches!(refused, Refused::Protocol(WitnessRefusal::Stale { .. }))
}
