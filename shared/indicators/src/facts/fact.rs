//! The single facts, each with the event and the position it came from.

use events::{
    ActorId, AlertId, BaselineValue, Date, Document, EventId, IndicatorId, KeyChange, Mark, Period, Position,
    Resolution, Review, Rule, Severity, Summary, TargetValue, Timestamp, UnitChange, UnitId,
};
use plan::Plan;

/// The plan as it was adopted.
#[derive(Debug, Clone, PartialEq)]
pub struct Adopted {
    /// The plan.
    pub plan: Plan,
    /// SHA-256 of its canonical form.
    pub digest: String,
    /// Whether the log holds made-up sample reports.
    pub sample: bool,
    /// The event.
    pub event: EventId,
    /// Its position.
    pub position: Position,
}

/// One setting of a target.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetFact {
    /// At whose end it is judged.
    pub review: Review,
    /// The value, or that a unit's own target is taken back.
    pub value: TargetValue,
    /// Attain or maintain.
    pub mark: Mark,
    /// From when it holds.
    pub effective: Timestamp,
    /// The legal instrument.
    pub instrument: String,
    /// The event.
    pub event: EventId,
    /// Its position.
    pub position: Position,
}

/// One change of a unit.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitChangeFact {
    /// What changed.
    pub change: UnitChange,
    /// From when it holds.
    pub effective: Timestamp,
    /// The legal instrument.
    pub instrument: String,
    /// The event.
    pub event: EventId,
    /// Its position.
    pub position: Position,
}

/// Where a rate began, as it was entered once.
#[derive(Debug, Clone, PartialEq)]
pub struct BaselineFact {
    /// The year that the figures are of.
    pub period: Period,
    /// The figures, or that the baseline is taken back.
    pub value: BaselineValue,
    /// The paper that they come from.
    pub document: Document,
    /// From when it holds: the start of the document's date.
    pub effective: Timestamp,
    /// The event.
    pub event: EventId,
    /// Its position.
    pub position: Position,
}

/// One amendment of the plan.
#[derive(Debug, Clone, PartialEq)]
pub struct AmendmentFact {
    /// The keys and their new values.
    pub changes: Vec<KeyChange>,
    /// From when they hold.
    pub effective: Timestamp,
    /// The legal instrument.
    pub instrument: String,
    /// The event.
    pub event: EventId,
    /// Its position.
    pub position: Position,
}

/// One extension of a deadline.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadlineFact {
    /// The day before which reports are due then.
    pub due_before: Date,
    /// From when it holds.
    pub effective: Timestamp,
    /// The legal instrument.
    pub instrument: String,
    /// The event.
    pub event: EventId,
    /// Its position.
    pub position: Position,
}

/// What a person said about an alert.
#[derive(Debug, Clone, PartialEq)]
pub struct AcknowledgedFact {
    /// Who.
    pub by: ActorId,
    /// What they mean to do.
    pub note: String,
    /// By when someone looks again.
    pub review_by: Option<Date>,
    /// When.
    pub at: Timestamp,
    /// The event.
    pub event: EventId,
    /// Its position.
    pub position: Position,
}

/// How an alert ended.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedFact {
    /// Why.
    pub resolution: Resolution,
    /// What it rests on.
    pub because: Vec<EventId>,
    /// When.
    pub at: Timestamp,
    /// The event.
    pub event: EventId,
    /// Its position.
    pub position: Position,
}

/// One episode of an alert.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertFact {
    /// Its id.
    pub id: AlertId,
    /// The rule that fired.
    pub rule: Rule,
    /// The unit.
    pub unit: UnitId,
    /// The indicator; none for an overdue report.
    pub indicator: Option<IndicatorId>,
    /// The period it speaks of.
    pub period: Option<Period>,
    /// Which episode of this rule and cell it is.
    pub episode: u32,
    /// How grave.
    pub severity: Severity,
    /// What it rests on.
    pub because: Vec<EventId>,
    /// What it says.
    pub summary: Summary,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// The event that raised it.
    pub event: EventId,
    /// Its position.
    pub position: Position,
    /// Every acknowledgement, in order.
    pub acknowledgements: Vec<AcknowledgedFact>,
    /// How it ended, if it did.
    pub resolved: Option<ResolvedFact>,
}

/// A unit whose events are set aside because one of them cannot be folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// The first position set aside.
    pub since: Position,
    /// How many events are set aside.
    pub events: u64,
    /// What was wrong with the first.
    pub why: String,
}
