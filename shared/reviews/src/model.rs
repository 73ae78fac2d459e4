//! The model of a review: everything that a document says, in both languages, as plain data.

use events::{
    Date, EventId, IndicatorId, MeasureId, Period, PlanId, Position, Severity, TargetValue, UnitId,
};
use indicators::{Distance, NotJudged, ReportProgress, TargetInForce, Value, Verdict};
use plan::{Level, Names};
use serde::{Deserialize, Serialize};

/// A review at a cut of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// The version of how reviews are written: another one writes other bytes of the same facts.
    pub form: u32,
    /// The plan.
    pub plan: PlanHead,
    /// Which review.
    pub review: ReviewHead,
    /// Whether the figures are made up.
    pub sample: bool,
    /// RFC 3339 in the plan's time zone.
    pub as_of: String,
    /// RFC 3339 in the plan's time zone.
    pub known_at: String,
    /// The cut of the log.
    pub position: Position,
    /// The digest of the facts up to there.
    pub digest: String,
    /// The signed checkpoint of the log up to there, a signed note; null where the log signs nothing.
    pub checkpoint: Option<String>,
    /// What came of the province's targets.
    pub totals: Totals,
    /// What came of the districts' targets.
    pub district_totals: Totals,
    /// The units that were in force in the review's period, as they stand at the as-of time.
    pub units: Vec<UnitHead>,
    /// Every target, in the order of the plan.
    pub targets: Vec<TargetEntry>,
    /// Completeness and timeliness of the reports by period.
    pub reporting: Vec<PeriodReporting>,
    /// The report of each unit and period.
    pub reports: Vec<UnitReport>,
    /// The changes of targets since the plan was adopted.
    pub target_changes: Vec<TargetChange>,
    /// The changes of units since the plan was adopted.
    pub unit_changes: Vec<UnitChangeEntry>,
    /// What looks wrong in the figures up to the review's year.
    pub findings: Vec<FindingEntry>,
    /// The events that all this rests on, in the order of the log.
    pub events: Vec<EventEntry>,
}

/// The plan, as a heading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanHead {
    /// Its id.
    pub id: PlanId,
    /// Its name.
    pub name: Names,
    /// The instrument that adopted it.
    pub instrument: String,
    /// Who adopted it.
    pub issuer: Names,
}

/// Which review it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewHead {
    /// Its year.
    pub year: events::Review,
    /// Its name.
    pub name: Names,
    /// The paragraph of the plan.
    pub paragraph: String,
    /// Whether the year has ended at the as-of time; before that nothing is judged.
    pub ended: bool,
    /// Whose districts a share is counted over: those of this day by decision, else those of the year's end.
    pub units_as_of: Option<Date>,
    /// The first day of the review's period: the day of the plan.
    pub from: Date,
    /// Its last day.
    pub to: Date,
}

/// How many targets came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// How many there are.
    pub targets: u64,
    /// Met.
    pub met: u64,
    /// Not met.
    pub not_met: u64,
    /// There is no value to judge.
    pub no_data: u64,
    /// Not judged: the year has not ended, or the plan does not restate the target.
    pub not_judged: u64,
}

/// A unit as it stands at the as-of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitHead {
    /// Its id.
    pub id: UnitId,
    /// Its name.
    pub name: Names,
    /// Its official code.
    pub code: String,
    /// Its type.
    #[serde(rename = "type")]
    pub unit_type: String,
    /// Its level.
    pub level: Level,
    /// Whether it is in force.
    pub in_force: bool,
}

/// A target of the plan: the province's figure and each district's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetEntry {
    /// The indicator.
    pub indicator: IndicatorId,
    /// Its name.
    pub name: Names,
    /// Over what it is counted.
    pub base: Names,
    /// The paragraph of the plan.
    pub paragraph: String,
    /// The province's; null where only districts have a target.
    pub province: Option<CellEntry>,
    /// The districts that a target of their own or the province's binds.
    pub districts: Vec<CellEntry>,
    /// Which districts met it.
    pub met: Vec<UnitId>,
    /// Which did not.
    pub not_met: Vec<UnitId>,
    /// Which have no value to judge.
    pub no_data: Vec<UnitId>,
}

/// One unit's target with what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellEntry {
    /// The unit.
    pub unit: UnitId,
    /// The target; `restated` is false where the plan does not restate it for this review.
    pub target: TargetInForce,
    /// The period of the value.
    pub period: Option<Period>,
    /// What is judged at the end of the year; before, what stands so far.
    pub value: Option<Value>,
    /// What the review says; null where it does not judge.
    pub verdict: Option<Verdict>,
    /// Why it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_judged: Option<NotJudged>,
    /// How far it is from the target.
    pub distance: Option<Distance>,
}

/// How complete and timely the reports of a period are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeriodReporting {
    /// The period.
    pub period: Period,
    /// How many units owe a report.
    pub owed: u64,
    /// How many of them reported.
    pub received: u64,
    /// How many of those in time.
    pub on_time: u64,
    /// How many of those late.
    pub late: u64,
    /// How many owe it still after the deadline.
    pub overdue: u64,
    /// How many may still report in time.
    pub awaited: u64,
}

/// The report of a unit and period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitReport {
    /// The unit.
    pub unit: UnitId,
    /// The period.
    pub period: Period,
    /// Whether it is there.
    pub state: ReportProgress,
    /// Whether it came late.
    pub late: bool,
    /// Whether it was entered as history, and so is judged by its document's date.
    pub history: bool,
    /// Before when it was due; null where there was no duty.
    pub due: Option<String>,
    /// When the log took the first one in.
    pub received_at: Option<String>,
    /// How many revisions hold.
    pub revisions: u64,
    /// How many of the unit's measures stand.
    pub measures: u64,
    /// Of how many.
    pub of: u64,
}

/// A change of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetChange {
    /// The indicator.
    pub indicator: IndicatorId,
    /// The district whose own target it is; null for the province's.
    pub unit: Option<UnitId>,
    /// The review whose target it is.
    pub review: events::Review,
    /// What was set before it; null where nothing was.
    pub before: Option<TargetValue>,
    /// What it sets.
    pub value: TargetValue,
    /// From when it holds.
    pub effective: Date,
    /// The legal instrument.
    pub instrument: String,
    /// The event.
    pub event: EventId,
    /// Its position.
    pub position: Position,
}

/// A change of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitChangeEntry {
    /// The unit.
    pub unit: UnitId,
    /// What changed, as the event has it.
    #[serde(flatten)]
    pub change: serde_json::Map<String, serde_json::Value>,
    /// From when it holds.
    pub effective: Date,
    /// The legal instrument.
    pub instrument: String,
    /// The event.
    pub event: EventId,
    /// Its position.
    pub position: Position,
}

/// What looks wrong in a figure. A finding refuses nothing and changes no verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingEntry {
    /// The rule that found it.
    pub rule: String,
    /// The unit whose figure it is.
    pub unit: UnitId,
    /// The measure.
    pub measure: MeasureId,
    /// The period of the figure.
    pub period: Period,
    /// How grave.
    pub severity: Severity,
    /// What it says.
    pub sentence: Names,
    /// The events it rests on.
    pub because: Vec<EventId>,
}

/// An event that the review rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventEntry {
    /// Its position.
    pub position: Position,
    /// Its type, without the version.
    #[serde(rename = "type")]
    pub kind: String,
    /// The unit it is about; null for the plan and the province's targets.
    pub unit: Option<UnitId>,
    /// Its id.
    pub id: EventId,
    /// When the log took it in, RFC 3339 in the plan's time zone.
    pub recorded_at: String,
}
