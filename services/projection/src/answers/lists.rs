//! The answers to `findings`, `units`, `targets` and `baselines`: lists at a moment.

use super::{Question, refused};
use crate::page::page;
use events::{Position, Refusal};
use indicators::{Adopted, FINDING_RULES, Facts, Moment, RuleBounds, View};
use plan::{Indicator, Unit};
use serde::Serialize;

/// A list at a moment; what is in it is up to the endpoint.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ListAnswer<T> {
    /// RFC 3339 in the plan's time zone.
    pub as_of: String,
    /// RFC 3339 in the plan's time zone.
    pub known_at: String,
    /// The cut of the log.
    pub position: Position,
    /// Whether the figures are made up.
    pub sample: bool,
    /// What was asked for.
    pub items: Vec<T>,
    /// The `cursor` of the next page; null where the list ends.
    pub next: Option<String>,
}

/// The answer to `findings`: beside the list what the rules hold figures to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FindingsAnswer {
    /// The findings.
    #[serde(flatten)]
    pub list: ListAnswer<indicators::Finding>,
    /// Every rule with its bounds and the reason for them.
    pub rules: [RuleBounds; FINDING_RULES.len()],
}

/// Answers with a list; before the plan was known it is empty.
pub(crate) fn list<T>(
    facts: &Facts,
    adopted: &Adopted,
    question: &Question,
    moment: Moment,
    listed: impl FnOnce(View<'_>, Option<&Unit>, Option<&Indicator>) -> Vec<T>,
) -> Result<ListAnswer<T>, Refusal> {
    let plan = &adopted.plan;
    let (unit, indicator) = match (question.unit_of(plan), question.indicator_of(plan)) {
        (Ok(unit), Ok(indicator)) => (unit, indicator),
        (unit, indicator) => return Err(refused([unit.err(), indicator.err()])),
    };
    let items = View::new(facts, moment).map_or_else(Vec::new, |view| listed(view, unit, indicator));
    let (items, next) = page(items, moment, question.cursor, question.limit);
    Ok(ListAnswer {
        as_of: plan.calendar.shown(moment.as_of),
        known_at: plan.calendar.shown(moment.known_at),
        position: moment.cut,
        sample: adopted.sample,
        items,
        next,
    })
}

/// Answers `findings`.
pub(crate) fn findings(
    facts: &Facts,
    adopted: &Adopted,
    question: &Question,
    moment: Moment,
) -> Result<FindingsAnswer, Refusal> {
    let list =
        list(facts, adopted, question, moment, |view, unit, indicator| view.findings(unit, indicator))?;
    Ok(FindingsAnswer { list, rules: FINDING_RULES })
}
