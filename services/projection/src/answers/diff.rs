//! The answer to `diff`: what changed between two moments, cell by cell.

use super::explain::sources;
use super::{Question, refused};
use event_log::{Log, ReadError};
use events::{Position, Refusal};
use indicators::{Adopted, Difference, Facts, Moment, Source, difference};
use plan::Plan;
use serde::Serialize;

/// One end of the interval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DiffEnd {
    /// RFC 3339 in the plan's time zone.
    pub as_of: String,
    /// RFC 3339 in the plan's time zone.
    pub known_at: String,
    /// The cut of the log.
    pub position: Position,
}

/// The answer to `diff`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DiffAnswer {
    /// The earlier moment.
    pub from: DiffEnd,
    /// The later one.
    pub to: DiffEnd,
    /// Whether the figures are made up.
    pub sample: bool,
    /// What changed.
    #[serde(flatten)]
    pub difference: Difference,
    /// The events that are named, in log order.
    pub sources: Vec<Source>,
}

/// Answers `diff`, but for what the log tells of the events.
pub(crate) fn diff(
    facts: &Facts,
    adopted: &Adopted,
    question: &Question,
    moments: [Moment; 2],
) -> Result<DiffAnswer, Refusal> {
    let plan = &adopted.plan;
    let (unit, indicator) = match (question.unit_of(plan), question.indicator_of(plan)) {
        (Ok(unit), Ok(indicator)) => (unit, indicator),
        (unit, indicator) => return Err(refused([unit.err(), indicator.err()])),
    };
    let [from, to] = moments.map(|moment| DiffEnd {
        as_of: plan.calendar.shown(moment.as_of),
        known_at: plan.calendar.shown(moment.known_at),
        position: moment.cut,
    });
    let difference = difference(facts, moments, unit, indicator);
    Ok(DiffAnswer { from, to, sample: adopted.sample, difference, sources: Vec::new() })
}

/// Adds what the log tells of the events that are named.
pub(crate) fn diff_with_sources(answer: DiffAnswer, log: &Log, plan: &Plan) -> Result<DiffAnswer, ReadError> {
    let sources = sources(&answer.difference.consulted, log, plan)?;
    Ok(DiffAnswer { sources, ..answer })
}
