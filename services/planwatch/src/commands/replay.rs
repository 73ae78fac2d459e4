//! `planwatch replay`: the state rebuilt from the log and nothing else.

use super::log::evidence as kept_evidence;
use crate::exit::{Exit, Failure, Outcome};
use crate::log_place::{LogArguments, LogPlace};
use crate::moment::{Moment, MomentKind};
use crate::output;
use crate::progress::Progress;
use anyhow::Context;
use clap::Args;
use events::{Position, Timestamp};
use evidence::{Frontier, TreeHash, leaf_hash};
use indicators::{ApplyError, Batch, Facts, Preparer};
use serde_json::json;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// How far, and from where.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Only what was known at this date (YYYY-MM-DD: to the end of that day; or RFC 3339)
    #[arg(long, value_name = "DATE", value_parser = Moment::parse, conflicts_with = "to_position")]
    to: Option<Moment>,
    /// Only up to this position
    #[arg(long, value_name = "N")]
    to_position: Option<u64>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    log: LogArguments,
}

/// A bound of what is folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    Head,
    Position(Position),
    Instant(Timestamp),
}

/// A day ends in the time zone of the plan, which the log's first event names.
fn bound(arguments: &Arguments, place: &LogPlace) -> Result<Bound, Failure> {
    Ok(match (arguments.to.as_ref().map(Moment::kind), arguments.to_position) {
        (None, None) => Bound::Head,
        (None, Some(position)) => Bound::Position(Position(position)),
        (Some(MomentKind::Instant(instant)), _) => Bound::Instant(instant),
        (Some(MomentKind::Day(day)), _) => {
            let first = place.read_at_most(Position(1), 1)?.pop().context("the log is empty")?;
            let mut facts = Facts::new();
            facts.apply_bytes(&first).context("the log cannot be folded")?;
            let adopted = facts.adopted().context("the log does not begin with a plan")?;
            Bound::Instant(adopted.plan.calendar.end_of_day(day))
        }
    })
}

/// What a replay gives.
#[derive(Debug)]
pub(super) struct Replayed {
    pub(super) facts: Facts,
    /// The root of the Merkle tree over the bytes that were folded.
    pub(super) root: TreeHash,
    pub(super) took: Duration,
}

/// Folds a log from nothing, decoding ahead of the fold; the bytes that are folded are hashed into a tree,
/// which has to have the root that the log has, where that can be asked.
pub(super) fn replay(
    place: &LogPlace,
    to: Position,
    beyond: impl Fn(Timestamp) -> bool,
    progress: &mut Progress,
) -> Result<Replayed, Failure> {
    let begun = Instant::now();
    let preparer = Preparer::new();
    let (mut facts, mut tree) = (Facts::new(), Frontier::new());
    let mut applied = Ok(());
    let work = |run: &[&[u8]]| -> (Batch, Vec<TreeHash>) {
        (preparer.prepare(run.iter().copied()), run.iter().map(|bytes| leaf_hash(bytes)).collect())
    };
    place.read_through(to, work, |(batch, leaves)| {
        let held = leaves.len() as u64;
        let before = facts.head().0;
        applied = facts.apply_batch_until(batch, |_, recorded_at| beyond(recorded_at));
        let folded = facts.head().0 - before;
        leaves.into_iter().zip(0..folded).for_each(|(leaf, _)| tree.append(leaf));
        progress.done(facts.head().0);
        if applied.is_ok() && folded == held { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    applied.map_err(|error: ApplyError| {
        Failure::from(anyhow::Error::from(error).context("the log cannot be folded"))
    })?;
    let (root, head) = (tree.root(), facts.head());
    if head > Position::START && place.root_at(head)?.is_some_and(|known| known != root) {
        return Err(Failure::refused(anyhow::anyhow!(
            "the events up to position {head} are not those that the log's tree covers: run `planwatch log verify`"
        )));
    }
    Ok(Replayed { facts, root, took: begun.elapsed() })
}

/// Folds the log from nothing and prints what came out.
pub fn run(arguments: &Arguments) -> Outcome {
    let place = arguments.log.open()?;
    let bound = bound(arguments, &place)?;
    let to = if let Bound::Position(position) = bound { position } else { Position(u64::MAX) };
    let beyond = |recorded_at| matches!(bound, Bound::Instant(instant) if recorded_at > instant);
    let mut progress = Progress::new("events replayed");
    let Replayed { facts, root, took } = replay(&place, to, beyond, &mut progress)?;
    drop(progress);
    // By walking the facts, not from what grew with the fold: the two have to agree.
    let digest = facts.walked_digest_at(facts.head());
    if digest != facts.digest() {
        return Err(Failure::refused(anyhow::anyhow!(
            "the digest of the facts is {digest}, the one that grew with the fold {}: this is a fault of planwatch",
            facts.digest()
        )));
    }
    if let Bound::Position(position) = bound
        && facts.head() < position
    {
        return Err(Failure::refused(anyhow::anyhow!("the log ends at position {}", facts.head())));
    }
    let known_at = known_at(&facts);
    let checkpoint = kept_evidence::covering(&place, facts.head()).unwrap_or_else(|failure| {
        // What was replayed stands by itself.
        output::say(format_args!("the checkpoint that covers it is not to be had: {:#}", failure.error));
        None
    });
    if let Some(signed) = &checkpoint {
        kept_evidence::agrees(signed, facts.head(), root)?;
    }
    if arguments.json {
        output::json(&json!({
            "position": facts.head(), "known_at": known_at, "digest": digest, "root": root.to_string(),
            "events": facts.head(), "seconds": took.as_secs_f64(),
            "checkpoint": checkpoint.as_ref().map(kept_evidence::described),
        }));
    } else {
        output::line(format_args!(
            "position {}, known at {}\ndigest   {digest}\nroot     {root}\n{} events in {} ms",
            facts.head(),
            known_at.unwrap_or_else(|| "-".to_owned()),
            facts.head(),
            took.as_millis()
        ));
        match checkpoint {
            None => output::say("no signed checkpoint covers this position"),
            Some(signed) => output::line(format_args!(
                "covered by the checkpoint of {} events, root {}, signed by {}",
                signed.claimed().size(),
                signed.claimed().root(),
                kept_evidence::signers(&signed).join(", ")
            )),
        }
    }
    Ok(Exit::Done)
}

/// When the last event was recorded, as `/status` writes it: in the plan's time zone.
fn known_at(facts: &Facts) -> Option<String> {
    Some(facts.adopted()?.plan.calendar.shown(facts.head_recorded_at()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    #[test]
    fn a_replay_goes_to_a_date_or_to_a_position() {
        let arguments =
            |line: &[&str]| Line::try_parse_from([&["replay"], line].concat()).map(|line| line.arguments);
        assert_eq!(arguments(&["--to-position", "7"]).unwrap().to_position, Some(7));
        assert!(arguments(&["--to", "2024-02-29"]).unwrap().to.is_some());
        assert!(arguments(&["--to", "2024-02-29", "--to-position", "7"]).is_err());
    }
}
