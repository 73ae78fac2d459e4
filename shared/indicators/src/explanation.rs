//! An explanation: the events and the arithmetic behind one cell, for programs and for people with paper.

use crate::cell::{Cell, Status, Value, Verdict};
use crate::exact::{Exact, shown, shown_percent};
use crate::outlook::Outlook;
use crate::source::Source;
use events::{EventId, IndicatorId, Mark, Period, Position, Review, TargetValue, UnitId};
use plan::Names;
use serde::Serialize;

mod conditions;
mod told;

/// A percentage: the exact ratio of 1 that counts, and what is shown of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Percentage {
    /// An exact fraction of 1, such as `2/5`.
    pub exact: String,
    /// Rounded half away from zero to two places, for showing only.
    pub percent: String,
}

impl Percentage {
    pub(crate) fn of(ratio_of_one: &Exact) -> Percentage {
        Percentage { exact: ratio_of_one.to_string(), percent: shown_percent(ratio_of_one) }
    }
}

/// A plain number: the exact fraction that counts, and what is shown of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fraction {
    /// An exact fraction.
    pub exact: String,
    /// Rounded half away from zero to two places, for showing only.
    pub rounded: String,
}

impl Fraction {
    pub(crate) fn of(number: &Exact) -> Fraction {
        Fraction { exact: number.to_string(), rounded: shown(number) }
    }
}

/// A unit's line that a figure rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// The unit.
    pub unit: UnitId,
    /// What it reported.
    pub value: Value,
    /// The revision of its report.
    pub revision: u32,
    /// The event.
    pub event: EventId,
    /// Its position.
    pub position: Position,
    /// The date on the document.
    pub document_date: String,
    /// Whether it was entered as history.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub history: bool,
}

/// One period of a rate that something rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PeriodExplained {
    /// The period.
    pub period: Period,
    /// What rests on it: `value`, `baseline`, `provisional`, `verdict-2025`.
    pub used_for: Vec<String>,
    /// Numerator over denominator.
    pub value: Value,
    /// The same as an exact ratio.
    pub ratio: Percentage,
    /// Whether every unit that had to report it did; an incomplete sum carries no status.
    pub complete: bool,
    /// Each unit's own numerator and denominator.
    pub parts: Vec<Part>,
    /// The units in force on the period's last day without a line that stands.
    pub missing: Vec<UnitId>,
}

/// A unit's level or recognition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StateExplained {
    /// The unit.
    pub unit: UnitId,
    /// Whether it counts as met.
    pub counts: bool,
    /// What it last reported; null where it never did.
    pub part: Option<Part>,
    /// The period of that.
    pub period: Option<Period>,
    /// True where the period is older than the newest one counted.
    pub stale: bool,
    /// The year of the recognition, where it lapses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recognised_year: Option<Period>,
    /// From when a recognition no longer counts, RFC 3339 in the plan's time zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lapses_at: Option<String>,
}

/// A target in force for the cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TargetExplained {
    /// At whose end it is judged.
    pub review: Review,
    /// The value.
    #[serde(flatten)]
    pub value: TargetValue,
    /// Attain or maintain.
    pub mark: Mark,
    /// Whether it is the unit's own; otherwise the province's.
    pub own: bool,
    /// Whether the status speaks of it.
    pub spoken_of: bool,
    /// The legal instrument.
    pub instrument: String,
    /// From when it holds, RFC 3339 in the plan's time zone.
    pub effective: String,
    /// The event.
    pub event: EventId,
    /// Its position.
    pub position: Position,
}

/// A corner of the path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Corner {
    /// At the end of this year.
    pub year: i16,
    /// What is expected there.
    #[serde(flatten)]
    pub expected: Percentage,
}

/// The path and what it expects of the value's year.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PathExplained {
    /// The baseline, then the targets after it.
    pub corners: Vec<Corner>,
    /// The value's year.
    pub year: i16,
    /// The corners between which the year lies.
    pub segment: [Corner; 2],
    /// E(t).
    pub expected: Percentage,
    /// V − B.
    pub risen: Percentage,
    /// E(t) − B.
    pub expected_rise: Percentage,
    /// (V − B) / (E(t) − B); null where the path does not rise.
    pub pace: Option<Fraction>,
}

/// A rule of the status, in the order in which they are asked; the first that applies decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleExplained {
    /// What the status is if it applies.
    pub status: Status,
    /// Whether it applies.
    pub applies: bool,
    /// What it asks, with the figures put in.
    pub asks: Names,
}

/// What a review that has ended says, and what of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerdictExplained {
    /// The review.
    pub review: Review,
    /// Whether its year has ended at the as-of moment.
    pub ended: bool,
    /// Whether a target bound the cell at its end.
    pub bound: bool,
    /// What was judged.
    pub value: Option<Value>,
    /// The verdict; null before the end and where no target bound the cell.
    pub verdict: Option<Verdict>,
    /// For a share: the day on whose units it was counted, where that is a recorded decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub units_as_of: Option<String>,
    /// For a share: each unit that was counted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<StateExplained>,
}

/// The events and the arithmetic behind one cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The unit's name at the moment.
    pub unit_name: Names,
    /// The indicator's name.
    pub indicator_name: Names,
    /// The paragraph of the plan.
    pub paragraph: String,
    /// Over what it is counted.
    pub base: Names,
    /// The cell: the same that `status` answers.
    pub cell: Cell,
    /// For a rate: the periods that value, baseline and verdicts rest on, oldest first.
    pub periods: Vec<PeriodExplained>,
    /// For a share, a level or yes/no: each unit's own.
    pub states: Vec<StateExplained>,
    /// The target of each review that binds the cell.
    pub targets: Vec<TargetExplained>,
    /// For a rate with at least two points and a target: the path and the pace.
    pub path: Option<PathExplained>,
    /// For a rate: what is needed, and where it leads.
    pub outlook: Option<Outlook>,
    /// The rules that were asked, up to the one that decided.
    pub rules: Vec<RuleExplained>,
    /// What each review says.
    pub verdicts: Vec<VerdictExplained>,
    /// The events, in log order.
    pub sources: Vec<Source>,
    /// The same in sentences, one step each.
    pub steps: Vec<Names>,
    /// The names of the units that the sentences speak of.
    #[serde(skip)]
    pub(crate) names: Vec<(UnitId, Names)>,
    /// The positions of the events it rests on.
    #[serde(skip)]
    pub(crate) consulted: Vec<Position>,
}

impl Explanation {
    /// The positions of the events that it rests on, in order.
    pub fn consulted(&self) -> &[Position] {
        &self.consulted
    }

    /// Takes in the events it rests on, in log order, and writes the sentences.
    pub fn with_sources(mut self, sources: Vec<Source>) -> Explanation {
        self.sources = sources;
        self.steps = self.told();
        self
    }

    /// The indicator.
    pub fn indicator(&self) -> &IndicatorId {
        &self.cell.indicator
    }
}
