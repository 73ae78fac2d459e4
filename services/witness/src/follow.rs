//! Following a log: looking at its checkpoint, proving that it continues the last one, cosigning it.

use crate::comparison::{Compared, NotCompared, compare};
use crate::decision::Refused;
use crate::findings::{Finding, Kind};
use crate::record::Record;
use crate::source::{FetchError, HttpSource, Source};
use crate::watched_log::WatchedLog;
use crate::witness::Witness;
use evidence::{
    AddCheckpoint, Checkpoint, CheckpointError, ConsistencyProof, SignedCheckpoint, TreeHash, WitnessRefusal,
};
use service::chain;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::watch;

/// The longest rest after failures, unless the interval itself is longer.
const LONGEST_REST: Duration = Duration::from_secs(15 * 60);
/// How often one look begins again because somebody else had a checkpoint cosigned meanwhile.
const OVERTAKEN_LIMIT: u32 = 3;

/// What a look at a log led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Looked {
    /// Its checkpoint, of this size, is cosigned.
    Cosigned(u64),
    /// It shows an older checkpoint than was seen, and still has what was seen.
    Old,
    /// It shows fewer events than it had, and no longer has what was seen.
    Shrank,
    /// It signed two histories.
    Forked,
}

/// Why a look led to nothing.
#[derive(Debug, Error)]
pub(crate) enum NotFollowed {
    /// The checkpoint could not be had.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// What came is no checkpoint, or not signed by the log.
    #[error("what the log shows as its checkpoint is not to be believed")]
    Checkpoint(#[from] CheckpointError),
    /// It is of another log.
    #[error("the address shows a checkpoint of the log `{found}`: set `follow` to the right one")]
    OtherLog { found: String },
    /// Whether it continues the last one cannot be told.
    #[error("whether the log continues what was seen cannot be told from its tiles")]
    NotCompared(#[from] NotCompared),
    /// It was not cosigned.
    #[error("the log's checkpoint was not cosigned")]
    Refused(#[from] Refused),
}

/// Looks at a log once.
pub(crate) fn look(witness: &Witness, log: &WatchedLog, source: &dyn Source) -> Result<Looked, NotFollowed> {
    let shown = SignedCheckpoint::parse(&source.checkpoint()?)?;
    if shown.claimed().origin() != log.origin() {
        return Err(NotFollowed::OtherLog { found: shown.claimed().origin().to_owned() });
    }
    shown.verify(log.keys())?;
    let mut overtaken = 0;
    loop {
        let last = log.last();
        let request = match step(last.as_ref(), &shown, source)? {
            Step::Ask(request) => request,
            Step::Old => return Ok(Looked::Old),
            Step::Found { kind, proof, root } => {
                let seen = last.as_ref().expect("nothing contradicts nothing");
                let found_at_seconds = witness.clock_says();
                log.found(&Finding { kind, seen, shown: &shown, proof, root, found_at_seconds });
                return Ok(if kind == Kind::Fork { Looked::Forked } else { Looked::Shrank });
            }
        };
        match witness.add_checkpoint(&request) {
            Ok(cosigned) => return Ok(Looked::Cosigned(cosigned.claimed().size())),
            Err(refused) if refused.was_overtaken() && overtaken < OVERTAKEN_LIMIT => overtaken += 1,
            // The witness has kept what it shows.
            Err(Refused::Protocol(WitnessRefusal::TwoRoots { .. })) => return Ok(Looked::Forked),
            Err(refused) => return Err(refused.into()),
        }
    }
}

/// What follows from what is remembered and what the log shows.
enum Step {
    Ask(AddCheckpoint),
    Old,
    Found { kind: Kind, proof: Option<AddCheckpoint>, root: Option<TreeHash> },
}

fn step(last: Option<&Record>, shown: &SignedCheckpoint, source: &dyn Source) -> Result<Step, NotFollowed> {
    let ask = |old_size: u64, hashes: Vec<TreeHash>, checkpoint: &SignedCheckpoint| AddCheckpoint {
        old_size,
        hashes,
        checkpoint: checkpoint.clone(),
    };
    let fork = |proof, root| Step::Found { kind: Kind::Fork, proof: Some(proof), root: Some(root) };
    let Some(last) = last else { return Ok(Step::Ask(ask(0, Vec::new(), shown))) };
    let (seen, now) = (last.checkpoint.claimed(), shown.claimed());
    if now.size() < seen.size() {
        // An old copy of the checkpoint, another history, or a log that was cut back: its tiles tell.
        return match compare(now, seen, source) {
            Ok(Compared::Continues(_)) => Ok(Step::Old),
            Ok(Compared::Contradicts { root, hashes }) => {
                Ok(fork(ask(now.size(), hashes, &last.checkpoint), root))
            }
            Err(NotCompared::Fetch(error)) if !error.is_not_found() => Err(error.into()),
            Err(_) => Ok(Step::Found { kind: Kind::Shrank, proof: None, root: None }),
        };
    }
    if now.size() == seen.size() {
        return Ok(Step::Ask(ask(seen.size(), Vec::new(), shown)));
    }
    if let Some(hashes) = given_proof(seen, now, source) {
        return Ok(Step::Ask(ask(seen.size(), hashes, shown)));
    }
    Ok(match compare(seen, now, source)? {
        Compared::Continues(hashes) => Step::Ask(ask(seen.size(), hashes, shown)),
        Compared::Contradicts { root, hashes } => fork(ask(seen.size(), hashes, shown), root),
    })
}

/// The consistency proof that the log gives by itself, if it gives one and it holds. Whatever is wrong with it,
/// the tiles tell.
fn given_proof(seen: &Checkpoint, now: &Checkpoint, source: &dyn Source) -> Option<Vec<TreeHash>> {
    let (from, to) = (seen.size(), now.size());
    let given = AddCheckpoint::parse(&source.consistency(from, to).ok()?).ok()?;
    let proof = ConsistencyProof { from, to, hashes: given.hashes };
    proof.verify(seen.root(), now.root()).is_ok().then_some(proof.hashes)
}

/// Follows a log until the witness stops: looks at it, rests, and rests longer each time that fails.
pub(crate) async fn follow(
    witness: Arc<Witness>,
    origin: String,
    base: String,
    interval: Duration,
    mut closing: watch::Receiver<bool>,
) {
    let source = Arc::new(HttpSource::new(&base));
    let mut failures = 0;
    loop {
        let (looking, log_source, name) = (witness.clone(), source.clone(), origin.clone());
        let looked = tokio::task::spawn_blocking(move || {
            let log = looking.log(&name).expect("what is followed is a log of the witness");
            note(log, look(&looking, log, &log_source.look()))
        });
        let is_well = looked.await.unwrap_or(false);
        failures = if is_well { 0 } else { failures + 1 };
        tokio::select! {
            () = tokio::time::sleep(rest(interval, failures)) => {}
            // A sender that is gone means the same as one that says so.
            _ = closing.wait_for(|closing| *closing) => return,
        }
    }
}

/// The interval, doubled for each failure in a row up to the longest rest.
fn rest(interval: Duration, failures: u32) -> Duration {
    let grown = interval.saturating_mul(1 << failures.min(16));
    grown.min(LONGEST_REST).max(interval)
}

/// Says how a look went, once at each change; true if there was one.
fn note(log: &WatchedLog, looked: Result<Looked, NotFollowed>) -> bool {
    let outcome = match &looked {
        Ok(Looked::Cosigned(_)) => "cosigned",
        Ok(Looked::Old) => "old",
        Ok(Looked::Shrank) => "shrank",
        Ok(Looked::Forked) => "forked",
        Err(_) => "failed",
    };
    let origin = log.origin();
    metrics::counter!("planwatch_witness_looks_total", "log" => origin.to_owned(), "outcome" => outcome)
        .increment(1);
    let is_well = looked.is_ok();
    let (shrank, not_followed) = match looked {
        Ok(Looked::Shrank) => (
            Some(
                "the log shows fewer events than it had, and no longer has the rest: it was cut back, or its \
                 address shows an old copy; both checkpoints lie among its findings"
                    .to_owned(),
            ),
            None,
        ),
        Ok(Looked::Old) => (
            None,
            Some("its address shows an older checkpoint than was seen, and still has what was seen".to_owned()),
        ),
        Ok(Looked::Cosigned(_) | Looked::Forked) => (None, None),
        Err(error) => (log.shrank(), Some(chain(&error))),
    };
    let before = log.not_followed();
    match (&before, &not_followed) {
        (None, Some(why)) => tracing::warn!(log = origin, "Cannot follow `{origin}`: {why}"),
        (Some(_), None) => tracing::info!(log = origin, "`{origin}` can be followed again"),
        (None, None) | (Some(_), Some(_)) => {}
    }
    log.stands(|standing| {
        standing.shrank = shrank;
        standing.not_followed = not_followed;
    });
    is_well
}

#[cfg(test)]
#[path = "follow/tests.rs"]
mod tests;
