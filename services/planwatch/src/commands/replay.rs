//! `planwatch replay`: the state rebuilt from the log and nothing else.

use super::log::{each_event, evidence};
use crate::exit::{Exit, Failure, Outcome};
use crate::log_place::LogArguments;
use crate::moment::{Moment, MomentKind};
use crate::output;
use crate::progress::Progress;
use anyhow::Context;
use clap::Args;
use events::{Date, Position, Timestamp};
use indicators::Facts;
use serde_json::json;
use std::time::Instant;

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
    /// Ends when that day ends in the time zone of the plan, which the log's first event names.
    Day(Date),
}

fn bound(arguments: &Arguments) -> Bound {
    match (arguments.to.as_ref().map(Moment::kind), arguments.to_position) {
        (None, None) => Bound::Head,
        (None, Some(position)) => Bound::Position(Position(position)),
        (Some(MomentKind::Day(day)), _) => Bound::Day(day),
        (Some(MomentKind::Instant(instant)), _) => Bound::Instant(instant),
    }
}

/// Folds the log from nothing and prints what came out.
pub fn run(arguments: &Arguments) -> Outcome {
    let bound = bound(arguments);
    let place = arguments.log.open()?;
    let begun = Instant::now();
    let mut facts = Facts::new();
    let mut progress = Progress::new("events replayed");
    each_event(&place, |event| {
        if reaches_beyond(bound, &facts, event)? {
            return Ok(false);
        }
        facts.apply_bytes(event).context("the log cannot be folded")?;
        progress.done(facts.head().0);
        Ok(bound != Bound::Position(facts.head()))
    })?;
    drop(progress);
    // By walking the facts, not from what grew with the fold: the two have to agree.
    let digest = facts.digest_at(facts.head());
    let elapsed = begun.elapsed();
    if let Bound::Position(position) = bound
        && facts.head() < position
    {
        return Err(Failure::refused(anyhow::anyhow!("the log ends at position {}", facts.head())));
    }
    let known_at = known_at(&facts);
    let checkpoint = evidence::covering(&place, facts.head()).unwrap_or_else(|failure| {
        // What was replayed stands by itself.
        output::say(format_args!("the checkpoint that covers it is not to be had: {:#}", failure.error));
        None
    });
    if arguments.json {
        output::json(&json!({
            "position": facts.head(), "known_at": known_at, "digest": digest, "events": facts.head(),
            "seconds": elapsed.as_secs_f64(), "checkpoint": checkpoint.as_ref().map(evidence::described),
        }));
    } else {
        output::line(format_args!(
            "position {}, known at {}\ndigest   {digest}\n{} events in {} ms",
            facts.head(),
            known_at.unwrap_or_else(|| "-".to_owned()),
            facts.head(),
            elapsed.as_millis()
        ));
        match checkpoint {
            None => output::say("no signed checkpoint covers this position"),
            Some(signed) => output::line(format_args!(
                "covered by the checkpoint of {} events, root {}, signed by {}",
                signed.claimed().size(),
                signed.claimed().root(),
                evidence::signers(&signed).join(", ")
            )),
        }
    }
    Ok(Exit::Done)
}

/// When the last event was recorded, as `/status` writes it: in the plan's time zone.
fn known_at(facts: &Facts) -> Option<String> {
    Some(facts.adopted()?.plan.calendar.shown(facts.head_recorded_at()?))
}

fn reaches_beyond(bound: Bound, facts: &Facts, event: &[u8]) -> Result<bool, Failure> {
    let instant = match bound {
        Bound::Head => return Ok(false),
        Bound::Position(position) => return Ok(facts.head() >= position),
        Bound::Instant(instant) => instant,
        Bound::Day(day) => match facts.adopted() {
            Some(adopted) => adopted.plan.calendar.end_of_day(day),
            // Before the first event nothing says where the day ends; the event itself does.
            None => first_plan_day_end(event, day)?,
        },
    };
    let envelope = events::wire::read_envelope(event).context("the log holds something that is no event")?;
    Ok(envelope.recorded_at > instant)
}

fn first_plan_day_end(event: &[u8], day: Date) -> Result<Timestamp, Failure> {
    let mut facts = Facts::new();
    facts.apply_bytes(event).context("the log cannot be folded")?;
    let adopted = facts.adopted().context("the log does not begin with a plan")?;
    Ok(adopted.plan.calendar.end_of_day(day))
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

    fn bound_of(line: &[&str]) -> Bound {
        bound(&Line::parse_from([&["replay"], line].concat()).arguments)
    }

    #[test]
    fn a_bound_is_a_day_an_instant_or_a_position() {
        assert_eq!(bound_of(&[]), Bound::Head);
        assert_eq!(bound_of(&["--to-position", "7"]), Bound::Position(Position(7)));
        assert_eq!(bound_of(&["--to", "2024-02-29"]), Bound::Day("2024-02-29".parse().unwrap()));
        let instant = "2024-02-29T12:00:00+07:00";
        assert_eq!(bound_of(&["--to", instant]), Bound::Instant(instant.parse().unwrap()));
    }
}
