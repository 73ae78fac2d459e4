//! A cell: one unit and one indicator at a moment, in the shape that programs are given.

use events::{EventId, IndicatorId, Mark, Percent, Period, Position, Review, TargetValue, UnitId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a cell stands against its target and the path that leads there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// No value stands.
    NoData,
    /// No target is in force for this cell.
    NoTarget,
    /// The value meets the target.
    Achieved,
    /// The last target's year has ended and the value of that year does not meet it.
    Missed,
    /// What was met is lost, or a rate fell below where it began.
    Regressing,
    /// A yes/no, level or share that is not met yet.
    Pending,
    /// A rate with a single point.
    NoBaseline,
    /// The pace keeps up with the path.
    OnTrack,
    /// The pace lags.
    AtRisk,
    /// The pace lags far.
    Behind,
}

impl Status {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Status::NoData => "no-data",
            Status::NoTarget => "no-target",
            Status::Achieved => "achieved",
            Status::Missed => "missed",
            Status::Regressing => "regressing",
            Status::Pending => "pending",
            Status::NoBaseline => "no-baseline",
            Status::OnTrack => "on-track",
            Status::AtRisk => "at-risk",
            Status::Behind => "behind",
        }
    }
}

/// What a review that has ended says of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The target was met at the end of the review's year.
    Met,
    /// It was not.
    NotMet,
    /// There is no value to judge.
    NoData,
}

impl Verdict {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Met => "met",
            Verdict::NotMet => "not-met",
            Verdict::NoData => "no-data",
        }
    }
}

/// A value, by the kind of the cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Numerator over denominator.
    Rate {
        /// How many have it.
        numerator: u64,
        /// Of how many.
        denominator: u64,
        /// Rounded to two places, for showing only.
        percent: String,
    },
    /// A level reached.
    Level {
        /// The level.
        level: u8,
    },
    /// Yes or no.
    Attained {
        /// Whether it counts as attained.
        attained: bool,
        /// True where it was attained and the recognition has lapsed.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        lapsed: bool,
    },
    /// Whole districts.
    Share {
        /// How many have it.
        count: u32,
        /// Of how many in force.
        of: u32,
        /// Rounded to two places, for showing only.
        percent: String,
        /// How many more are needed to meet the target; null without a target.
        needed: Option<u32>,
        /// Districts whose latest value is of an older period than the newest one counted.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        stale: Vec<UnitId>,
        /// Districts whose recognition has lapsed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lapsed: Vec<UnitId>,
    },
}

/// The target that the status speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetInForce {
    /// At whose end it is judged.
    pub review: Review,
    /// For rates and shares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<Percent>,
    /// For levels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<u8>,
    /// For yes/no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attained: Option<bool>,
    /// Attain or maintain.
    pub mark: Mark,
    /// The legal instrument.
    pub instrument: String,
    /// False where the target goes on because a later review does not restate it; otherwise left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restated: Option<bool>,
}

impl TargetInForce {
    pub(crate) fn set_value(&mut self, value: TargetValue) {
        match value {
            TargetValue::Percent(percent) => self.percent = Some(percent),
            TargetValue::Level(level) => self.level = Some(level),
            TargetValue::Attained(attained) => self.attained = Some(attained),
            TargetValue::Withdrawn(_) => {}
        }
    }
}

/// Where a rate began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Baseline {
    /// The earliest reported period, that of the predecessors' figures, or the one that was entered.
    pub period: Period,
    /// Rounded to two places, for showing only.
    pub percent: String,
    /// The units that went over into this one and whose figures it was derived from, by their shares; none where
    /// the unit reported it itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub derived_from: Vec<UnitId>,
    /// Whether it was entered by an event, in place of the earliest reported period.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub entered: bool,
    /// The event that entered it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<EventId>,
}

/// Whether a report is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReportProgress {
    /// It is there.
    Received,
    /// It may still come in time, or nobody owes it.
    Awaited,
    /// Its deadline has passed.
    Overdue,
}

/// The report of a unit and period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReportState {
    /// The period.
    pub period: Period,
    /// Whether it is there.
    pub state: ReportProgress,
    /// Before when it is due, RFC 3339 in the plan's time zone; null where there is no duty to report.
    pub due: Option<String>,
    /// When the log recorded the first report of the period.
    pub received_at: Option<String>,
    /// Whether it came at or after the deadline.
    pub late: bool,
    /// Whether it was entered as history, and so is judged by its document's date.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub history: bool,
}

/// How many districts a sum covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// How many have reported.
    pub reported: u32,
    /// Of how many in force on the period's last day.
    pub of: u32,
}

/// A newer, incomplete period of a province's rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Provisional {
    /// The period.
    pub period: Period,
    /// The sum so far.
    pub value: Value,
    /// What it covers.
    pub coverage: Coverage,
}

/// From where on events that this cell needs are set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Degraded {
    /// The first position set aside.
    pub since: Position,
}

/// One unit and one indicator at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// The unit.
    pub unit: UnitId,
    /// The indicator.
    pub indicator: IndicatorId,
    /// The period of the value; of a share, the newest period counted.
    pub period: Option<Period>,
    /// The value.
    pub value: Option<Value>,
    /// The target that the status speaks of.
    pub target: Option<TargetInForce>,
    /// Where a rate with at least two points began, or where an entered baseline says that it began.
    pub baseline: Option<Baseline>,
    /// What the path expects for the value's period, in percent, rounded for showing only.
    pub expected: Option<String>,
    /// How far the value has come of what was expected, rounded for showing only.
    pub pace: Option<String>,
    /// How it stands; null where events are set aside.
    pub status: Option<Status>,
    /// For each review what its end said; null before the end and where no target bound the cell.
    pub verdicts: BTreeMap<Review, Option<Verdict>>,
    /// Whether the report is there.
    pub report: ReportState,
    /// A newer, incomplete period.
    pub provisional: Option<Provisional>,
    /// False where the unit is not in force at the moment: not yet, or not any more. Otherwise left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_force: Option<bool>,
    /// Present where events that this cell needs are set aside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub degraded: Option<Degraded>,
    /// RFC 3339 in the plan's time zone.
    pub as_of: String,
    /// RFC 3339 in the plan's time zone.
    pub known_at: String,
    /// The cut of the log.
    pub position: Position,
    /// The events that value, baseline and target rest on.
    pub because: Vec<EventId>,
}
