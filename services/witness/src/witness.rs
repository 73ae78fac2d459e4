//! The witness: its key, and the logs that it knows.

use crate::clock::Clock;
use crate::config::LogConfig;
use crate::decision::Refused;
use crate::store::Store;
use crate::watched_log::{Served, WatchedLog};
use evidence::{AddCheckpoint, KeyUse, SignedCheckpoint, SigningKey, VerifierKey};
use service::CheckReport;

/// A witness: its key, and what it remembers of each log.
#[derive(Debug)]
pub struct Witness {
    key: SigningKey,
    logs: Vec<WatchedLog>,
    clock: Clock,
    /// Holds the directory for this process as long as anything may write to it.
    _store: Store,
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
        let log = self.logs.iter().find(|log| log.is_named(path_name))?;
        Some(log.served(&self.key))
    }

    /// How each log stands.
    pub(crate) fn checks(&self) -> Vec<CheckReport> {
        self.logs.iter().map(|log| log.check()).collect()
    }

    pub(crate) fn log(&self, origin: &str) -> Option<&WatchedLog> {
        self.logs.iter().find(|log| log.origin() == origin)
    }

    pub(crate) fn logs(&self) -> &[WatchedLog] {
        &self.logs
    }

    pub(crate) fn clock_says(&self) -> u64 {
        self.clock.says()
    }
}
