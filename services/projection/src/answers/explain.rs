//! The answer to `explain`: the events and the arithmetic behind one cell.

use super::Question;
use event_log::{Log, ReadError};
use events::{Position, Refusal, RefusalKind};
use indicators::{Adopted, Explanation, Facts, Moment, Source, View};
use plan::Plan;
use serde::Serialize;

/// The answer to `explain`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExplainAnswer {
    /// The explanation.
    #[serde(flatten)]
    pub explanation: Explanation,
    /// Whether the figures are made up.
    pub sample: bool,
}

/// Answers `explain`, but for what the log tells of the events. Before the plan was known there is nothing to explain.
pub(crate) fn explain(
    facts: &Facts,
    adopted: &Adopted,
    question: &Question,
    moment: Moment,
) -> Result<ExplainAnswer, Refusal> {
    let (unit, indicator) = question.cell_of(&adopted.plan)?;
    let Some(view) = View::new(facts, moment) else {
        let why = "the plan was not known at that moment: there is nothing to explain";
        return Err(Refusal::new(RefusalKind::NotFound, why));
    };
    Ok(ExplainAnswer { explanation: view.explain(unit, indicator), sample: adopted.sample })
}

/// Adds what the log tells of the events that the explanation rests on.
pub(crate) fn with_sources(
    answer: ExplainAnswer,
    log: &Log,
    plan: &Plan,
) -> Result<ExplainAnswer, ReadError> {
    let sources = sources(answer.explanation.consulted(), log, plan)?;
    Ok(ExplainAnswer { explanation: answer.explanation.with_sources(sources), ..answer })
}

/// What the log tells of the events at some positions; one that this version cannot read is left out.
pub(crate) fn sources(positions: &[Position], log: &Log, plan: &Plan) -> Result<Vec<Source>, ReadError> {
    let mut sources = Vec::with_capacity(positions.len());
    for position in positions {
        let stored = log.event_at(*position)?;
        if let Some(recorded) = stored.and_then(|stored| events::wire::read(&stored.bytes).ok()) {
            sources.push(Source::of(&recorded, &plan.calendar));
        }
    }
    Ok(sources)
}
