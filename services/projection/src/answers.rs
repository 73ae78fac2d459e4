//! Answers: what the facts say at a moment, in the shape that programs are given. Pure.

use crate::digests::Digests;
use crate::page::page;
use crate::question::Question;
use events::{FieldError, IndicatorId, PlanId, Position, Refusal};
use indicators::{Adopted, Alert, AlertsQuery, Cell, Facts, Moment, ReportState, Series, View};
use plan::{Level, Names, Unit};
use serde::Serialize;

mod diff;
mod explain;
mod lists;

pub use diff::{DiffAnswer, DiffEnd};
pub(crate) use diff::{diff, diff_with_sources};
pub use explain::ExplainAnswer;
pub(crate) use explain::{explain, with_sources};
pub use lists::{FindingsAnswer, ListAnswer};
pub(crate) use lists::{findings, list};

/// The answer to `status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatusAnswer {
    /// RFC 3339 in the plan's time zone.
    pub as_of: String,
    /// RFC 3339 in the plan's time zone.
    pub known_at: String,
    /// The cut of the log.
    pub position: Position,
    /// The digest of the facts up to that position.
    pub digest: String,
    /// Whether the figures are made up.
    pub sample: bool,
    /// The cells asked for, in the order of the plan.
    pub cells: Vec<Cell>,
    /// The `cursor` of the next page; null where the list ends.
    pub next: Option<String>,
}

/// The answer to `series`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SeriesAnswer {
    /// Every period of the cell; none before the plan was known.
    #[serde(flatten)]
    pub series: Series,
    /// Whether the figures are made up.
    pub sample: bool,
}

/// The answer to `alerts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlertsAnswer {
    /// The cut of the log.
    pub position: Position,
    /// RFC 3339 in the plan's time zone.
    pub known_at: String,
    /// Whether the figures behind them are made up.
    pub sample: bool,
    /// The alerts asked for, newest first.
    pub alerts: Vec<Alert>,
    /// The `cursor` of the next page; null where the list ends.
    pub next: Option<String>,
}

/// The answer to `digest`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DigestAnswer {
    /// The cut of the log.
    pub position: Position,
    /// The digest of the facts up to it.
    pub digest: String,
}

/// The answer to `position`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PositionAnswer {
    /// The last position that is folded: what is recorded from now on comes after it.
    pub position: Position,
}

/// The answer to `matrix`: every cell with what its page needs around it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MatrixAnswer {
    /// The plan.
    pub plan: PlanHead,
    /// Whether the figures are made up.
    pub sample: bool,
    /// The cut of the log.
    pub position: Position,
    /// RFC 3339 in the plan's time zone.
    pub as_of: String,
    /// RFC 3339 in the plan's time zone.
    pub known_at: String,
    /// The units in force, in the order of the plan.
    pub units: Vec<UnitHead>,
    /// The indicators, in the order of the plan.
    pub indicators: Vec<IndicatorHead>,
    /// Every cell of those units.
    pub cells: Vec<Cell>,
}

/// The plan, as a heading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanHead {
    /// Its id.
    pub id: PlanId,
    /// Its name.
    pub name: Names,
}

/// A unit, as the heading of its row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnitHead {
    /// Its id.
    pub id: events::UnitId,
    /// Its name at the moment, in Vietnamese.
    pub name: String,
    /// Its name at the moment in both languages.
    pub names: Names,
    /// Its type at the moment.
    #[serde(rename = "type")]
    pub unit_type: String,
    /// Its level.
    pub level: Level,
    /// Its report: the earliest overdue one, else the as-of year's.
    pub report: ReportState,
}

/// An indicator, as the heading of its column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IndicatorHead {
    /// Its id.
    pub id: IndicatorId,
    /// Its name.
    pub name: Names,
}

/// Answers `status`. A unit that is named is answered even where it is no longer in force.
pub(crate) fn status(
    facts: &Facts,
    adopted: &Adopted,
    digests: &Digests,
    question: &Question,
    moment: Moment,
) -> Result<StatusAnswer, Refusal> {
    let plan = &adopted.plan;
    let (unit, indicator) = match (question.unit_of(plan), question.indicator_of(plan)) {
        (Ok(unit), Ok(indicator)) => (unit, indicator),
        (unit, indicator) => return Err(refused([unit.err(), indicator.err()])),
    };
    let mut cells = Vec::new();
    if let Some(view) = View::new(facts, moment) {
        unit.map_or(Ok(()), |unit| Question::known_then(&view, unit))?;
        let in_force = |of: &&Unit| unit.is_some() || view.in_force(&of.id, moment.as_of);
        let units =
            plan.units.iter().filter(|of| unit.is_none_or(|asked| asked.id == of.id)).filter(in_force);
        for of in units {
            match indicator {
                None => cells.extend(view.cells_of(of)),
                Some(indicator) if plan.has_cell(of.level, indicator) => cells.push(view.cell(of, indicator)),
                Some(_) => {}
            }
        }
    }
    let (cells, next) = page(cells, moment, question.cursor, question.limit);
    Ok(StatusAnswer {
        as_of: plan.calendar.shown(moment.as_of),
        known_at: plan.calendar.shown(moment.known_at),
        position: moment.cut,
        digest: digests.at(facts, moment.cut),
        sample: adopted.sample,
        cells,
        next,
    })
}

/// Answers `series`. Before the plan was known it has no points.
pub(crate) fn series(
    facts: &Facts,
    adopted: &Adopted,
    question: &Question,
    moment: Moment,
) -> Result<SeriesAnswer, Refusal> {
    let plan = &adopted.plan;
    let (unit, indicator) = question.cell_of(plan)?;
    let series = match View::new(facts, moment) {
        Some(view) => {
            Question::known_then(&view, unit)?;
            view.series(unit, indicator)
        }
        None => Series {
            unit: unit.id.clone(),
            indicator: indicator.id.clone(),
            points: Vec::new(),
            outlook: None,
            as_of: plan.calendar.shown(moment.as_of),
            known_at: plan.calendar.shown(moment.known_at),
            position: moment.cut,
        },
    };
    Ok(SeriesAnswer { series, sample: adopted.sample })
}

/// Answers `alerts`.
pub(crate) fn alerts(
    facts: &Facts,
    adopted: &Adopted,
    question: &Question,
    moment: Moment,
) -> Result<AlertsAnswer, Refusal> {
    let plan = &adopted.plan;
    let unit = question.unit_of(plan).map_err(|error| refused([Some(error)]))?;
    let query = AlertsQuery { state: question.state, unit: unit.map(|unit| unit.id.clone()) };
    let alerts = facts.alerts_at(&plan.calendar, moment.cut, &query);
    let (alerts, next) = page(alerts, moment, question.cursor, question.limit);
    Ok(AlertsAnswer {
        position: moment.cut,
        known_at: plan.calendar.shown(moment.known_at),
        sample: adopted.sample,
        alerts,
        next,
    })
}

/// Answers `digest`: of the position asked for, which is folded, or of the head.
pub(crate) fn digest(facts: &Facts, digests: &Digests, question: &Question) -> DigestAnswer {
    let position = question.position.unwrap_or(facts.head()).min(facts.head());
    DigestAnswer { position, digest: digests.at(facts, position) }
}

/// Answers `matrix`.
pub(crate) fn matrix(facts: &Facts, adopted: &Adopted, moment: Moment) -> MatrixAnswer {
    let plan = &adopted.plan;
    let mut units = Vec::new();
    let mut cells = Vec::new();
    if let Some(view) = View::new(facts, moment) {
        for of in plan.units.iter().filter(|of| view.in_force(&of.id, moment.as_of)) {
            let row = view.cells_of(of);
            // Every cell of a unit tells of the unit's report; one without cells has no row.
            let Some(first) = row.first() else { continue };
            let now = view.unit_now(of);
            units.push(UnitHead {
                id: now.id,
                name: now.name.vi.clone(),
                names: now.name,
                unit_type: now.unit_type,
                level: now.level,
                report: first.report.clone(),
            });
            cells.extend(row);
        }
    }
    let heads = plan.indicators.iter();
    MatrixAnswer {
        plan: PlanHead { id: plan.id.clone(), name: plan.name.clone() },
        sample: adopted.sample,
        position: moment.cut,
        as_of: plan.calendar.shown(moment.as_of),
        known_at: plan.calendar.shown(moment.known_at),
        units,
        indicators: heads.map(|of| IndicatorHead { id: of.id.clone(), name: of.name.clone() }).collect(),
        cells,
    }
}

fn refused<const N: usize>(errors: [Option<FieldError>; N]) -> Refusal {
    Refusal::of_fields(errors.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests;
