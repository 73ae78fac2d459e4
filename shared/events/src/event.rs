//! The events: facts in the past tense, small, never edited.

mod plan_changes;
mod reading;
mod units;

pub use units::{Share, Successor, UnitChange, UnitChanged, UnitName};

pub use plan_changes::{
    BaselineEntered, BaselineValue, DeadlineExtended, KeyChange, KeyTexts, KeyValue, PlanAmended,
};

use crate::ids::{
    ActorId, AlertId, EventId, IndicatorId, MeasureId, Period, PlanId, Position, Review, UnitId,
};
use crate::percent::Percent;
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// One fact, before the log has given it a position.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its id: two events with the same id are the same event.
    pub id: EventId,
    /// The plan whose log holds it.
    pub plan: PlanId,
    /// When it holds officially, to the millisecond: the effective time, whenever the log learns of it.
    pub effective: Timestamp,
    /// Who asked for it.
    pub actor: ActorId,
    /// W3C trace context of the request, if it brought one.
    pub traceparent: Option<String>,
    /// What happened.
    pub data: EventData,
}

/// An event that the log holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Its place in the log.
    pub position: Position,
    /// When the log took it in, to the millisecond; never decreases from one position to the next.
    pub recorded_at: Timestamp,
    /// The event.
    pub event: Event,
}

/// What happened; one variant for each event type.
#[derive(Debug, Clone, PartialEq)]
pub enum EventData {
    /// The plan was adopted into this log.
    PlanAdopted(PlanAdopted),
    /// A unit reported measures of a period, or corrected them.
    ReportSubmitted(ReportSubmitted),
    /// A target was set, changed or withdrawn.
    TargetChanged(TargetChanged),
    /// A unit was established, renamed, retyped, recoded, merged, split, moved or dissolved.
    UnitChanged(UnitChanged),
    /// Where a rate began was entered or taken back.
    BaselineEntered(BaselineEntered),
    /// Keys of the plan were given other values.
    PlanAmended(PlanAmended),
    /// The reports of a period may come later.
    DeadlineExtended(DeadlineExtended),
    /// An alert fired.
    AlertRaised(AlertRaised),
    /// An alert cleared.
    AlertResolved(AlertResolved),
    /// A person took note of an alert.
    AlertAcknowledged(AlertAcknowledged),
}

/// The type of an event, without its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// `plan-adopted`
    PlanAdopted,
    /// `report-submitted`
    ReportSubmitted,
    /// `target-changed`
    TargetChanged,
    /// `unit-changed`
    UnitChanged,
    /// `baseline-entered`
    BaselineEntered,
    /// `plan-amended`
    PlanAmended,
    /// `deadline-extended`
    DeadlineExtended,
    /// `alert-raised`
    AlertRaised,
    /// `alert-resolved`
    AlertResolved,
    /// `alert-acknowledged`
    AlertAcknowledged,
}

impl EventKind {
    /// Every type there is.
    pub const ALL: [EventKind; 10] = [
        EventKind::PlanAdopted,
        EventKind::ReportSubmitted,
        EventKind::TargetChanged,
        EventKind::UnitChanged,
        EventKind::BaselineEntered,
        EventKind::PlanAmended,
        EventKind::DeadlineExtended,
        EventKind::AlertRaised,
        EventKind::AlertResolved,
        EventKind::AlertAcknowledged,
    ];

    /// The name as it stands in subjects and in the CloudEvents type.
    pub fn name(self) -> &'static str {
        match self {
            EventKind::PlanAdopted => "plan-adopted",
            EventKind::ReportSubmitted => "report-submitted",
            EventKind::TargetChanged => "target-changed",
            EventKind::UnitChanged => "unit-changed",
            EventKind::BaselineEntered => "baseline-entered",
            EventKind::PlanAmended => "plan-amended",
            EventKind::DeadlineExtended => "deadline-extended",
            EventKind::AlertRaised => "alert-raised",
            EventKind::AlertResolved => "alert-resolved",
            EventKind::AlertAcknowledged => "alert-acknowledged",
        }
    }

    /// The version in which this type is written today.
    pub fn version(self) -> u32 {
        match self {
            EventKind::PlanAdopted
            | EventKind::ReportSubmitted
            | EventKind::TargetChanged
            | EventKind::UnitChanged
            | EventKind::BaselineEntered
            | EventKind::PlanAmended
            | EventKind::DeadlineExtended
            | EventKind::AlertRaised
            | EventKind::AlertResolved
            | EventKind::AlertAcknowledged => 1,
        }
    }

    /// Finds a type by its name.
    pub fn of_name(name: &str) -> Option<EventKind> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl EventData {
    /// The type of this event.
    pub fn kind(&self) -> EventKind {
        match self {
            EventData::PlanAdopted(_) => EventKind::PlanAdopted,
            EventData::ReportSubmitted(_) => EventKind::ReportSubmitted,
            EventData::TargetChanged(_) => EventKind::TargetChanged,
            EventData::UnitChanged(_) => EventKind::UnitChanged,
            EventData::BaselineEntered(_) => EventKind::BaselineEntered,
            EventData::PlanAmended(_) => EventKind::PlanAmended,
            EventData::DeadlineExtended(_) => EventKind::DeadlineExtended,
            EventData::AlertRaised(_) => EventKind::AlertRaised,
            EventData::AlertResolved(_) => EventKind::AlertResolved,
            EventData::AlertAcknowledged(_) => EventKind::AlertAcknowledged,
        }
    }

    /// The unit that the event is about; none for the plan itself and for the province's own targets.
    pub fn unit(&self) -> Option<&UnitId> {
        match self {
            EventData::PlanAdopted(_) | EventData::PlanAmended(_) => None,
            EventData::ReportSubmitted(data) => Some(&data.unit),
            EventData::TargetChanged(data) => data.unit.as_ref(),
            EventData::UnitChanged(data) => Some(&data.unit),
            EventData::BaselineEntered(data) => Some(&data.unit),
            EventData::DeadlineExtended(data) => data.unit.as_ref(),
            EventData::AlertRaised(data) => Some(&data.unit),
            EventData::AlertResolved(data) => Some(&data.unit),
            EventData::AlertAcknowledged(data) => Some(&data.unit),
        }
    }
}

/// The plan was adopted into this log; always at position 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanAdopted {
    /// The plan in canonical form; the log, not a file, governs from here on.
    pub plan: Value,
    /// Lower-case hexadecimal SHA-256 of the canonical form.
    pub digest: String,
    /// Whether the log holds made-up sample reports. Shown wherever figures are shown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sample: bool,
}

/// A paper that a report came with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Its number, such as `215/BC-UBND`.
    pub number: String,
    /// The date printed on it.
    pub date: Date,
}

/// A unit reported measures of a period, or corrected them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportSubmitted {
    /// Who reported.
    pub unit: UnitId,
    /// The year reported on.
    pub period: Period,
    /// 1 for the first report of this unit and period, then one more each time.
    pub revision: u32,
    /// The paper behind it.
    pub document: Document,
    /// What was reported; measures that are not named keep what earlier revisions said.
    pub lines: Vec<ReportLine>,
    /// Why a document older than the bound was entered; its presence marks the report as history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<String>,
    /// SHA-256 of the request, where an idempotency key binds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_digest: Option<String>,
}

/// One measure of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReportLine {
    /// What was measured.
    pub measure: MeasureId,
    /// The value, or that the line is taken back.
    #[serde(flatten)]
    pub value: LineValue,
    /// Where the figure comes from, in the reporter's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// The value of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum LineValue {
    /// Two whole numbers, numerator at most denominator; 0 of 0 says that none exist.
    Rate {
        /// How many have it, in persons, institutions or centres.
        numerator: u64,
        /// Of how many.
        denominator: u64,
    },
    /// A level reached, from 0.
    Level {
        /// The level.
        level: u8,
    },
    /// Yes or no.
    Attained {
        /// Whether it is attained.
        attained: bool,
        /// The year of the recognition, where it is not the period.
        #[serde(skip_serializing_if = "Option::is_none")]
        recognised_year: Option<Period>,
    },
    /// The line is taken back; what earlier revisions said does not come back.
    Withdrawn {
        /// Always true.
        withdrawn: bool,
    },
}

impl LineValue {
    /// A line that is taken back.
    pub const WITHDRAWN: LineValue = LineValue::Withdrawn { withdrawn: true };

    /// Whether this line takes a value back.
    pub fn is_withdrawn(self) -> bool {
        matches!(self, LineValue::Withdrawn { .. })
    }
}

/// How a target is meant (plan, II.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// To be reached ("phấn đấu").
    Attain,
    /// A held level ("duy trì"): losing it is an alert at once.
    Maintain,
}

/// A target's value, by the kind of its indicator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetValue {
    /// At least this share, for rates and shares.
    Percent(Percent),
    /// At least this level.
    Level(u8),
    /// Yes.
    Attained(bool),
    /// A unit's own target is taken back; the province's holds again.
    Withdrawn(bool),
}

/// A target was set, changed or withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TargetChanged {
    /// What the target is for.
    pub indicator: IndicatorId,
    /// The unit whose own target it is; none for the province's, which units without one of their own inherit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitId>,
    /// At whose end it is judged.
    pub review: Review,
    /// The value.
    #[serde(flatten)]
    pub value: TargetValue,
    /// Attain or maintain.
    pub mark: Mark,
    /// 1 for the first target of this indicator, unit and review, then one more each time.
    pub revision: u32,
    /// From when it holds (start of that day in the plan's time zone).
    pub effective: Date,
    /// The legal instrument, such as `1144/KH-UBND`.
    pub instrument: String,
    /// Why, in the words of the one who asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// SHA-256 of the request, where an idempotency key binds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_digest: Option<String>,
}

/// The rule behind an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// The pace is under the lower threshold.
    Behind,
    /// The pace is under the upper threshold.
    AtRisk,
    /// What was met, or rising, is lost.
    Regressing,
    /// A review's verdict is not-met.
    Missed,
    /// A deadline passed without a report.
    Overdue,
    /// A finding on the quality of the data.
    DataQuality,
}

impl Rule {
    /// The word for it in events, queries and pages.
    pub fn name(self) -> &'static str {
        match self {
            Rule::Behind => "behind",
            Rule::AtRisk => "at-risk",
            Rule::Regressing => "regressing",
            Rule::Missed => "missed",
            Rule::Overdue => "overdue",
            Rule::DataQuality => "data-quality",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How grave an alert is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Notice,
    /// Someone should look.
    Warning,
    /// Someone must act.
    Critical,
}

/// Why an alert ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resolution {
    /// A newer report shows it, or the missing report came.
    Recovered,
    /// The target moved; nothing got better.
    TargetChanged,
    /// Figures already reported were changed or taken back.
    Corrected,
    /// Another alert on the same cell says it now.
    Superseded,
    /// The unit is no longer in force.
    UnitDissolved,
}

/// One sentence for people, in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Vietnamese.
    pub vi: String,
    /// English.
    pub en: String,
}

/// An alert fired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertRaised {
    /// The episode's id.
    pub alert: AlertId,
    /// The rule that fired.
    pub rule: Rule,
    /// The unit it is about.
    pub unit: UnitId,
    /// The indicator it is about; none for an overdue report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub indicator: Option<IndicatorId>,
    /// The period of the value that fired it, the overdue period, or the year of the missed review.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// 1 for the first episode of this rule and cell, then one more each time.
    pub episode: u32,
    /// How grave it is.
    pub severity: Severity,
    /// The events that it rests on.
    pub because: Vec<EventId>,
    /// What it says to people.
    pub summary: Summary,
}

/// An alert cleared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertResolved {
    /// The episode's id.
    pub alert: AlertId,
    /// The rule that had fired.
    pub rule: Rule,
    /// The unit it was about.
    pub unit: UnitId,
    /// The indicator it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub indicator: Option<IndicatorId>,
    /// Why it ended.
    pub resolution: Resolution,
    /// The events that the end rests on.
    pub because: Vec<EventId>,
    /// What the end says to people.
    pub summary: Summary,
}

/// A person took note of an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertAcknowledged {
    /// The episode's id.
    pub alert: AlertId,
    /// The unit it is about.
    pub unit: UnitId,
    /// What the person means to do.
    pub note: String,
    /// By when someone looks again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_by: Option<Date>,
    /// SHA-256 of the request, where an idempotency key binds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_digest: Option<String>,
}
