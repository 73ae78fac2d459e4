//! The alerts as they looked at a cut of the log, in the shape that programs are given.

use crate::facts::{AlertFact, Facts};
use events::{
    ActorId, AlertId, Date, EventId, IndicatorId, Period, Position, Resolution, Rule, Severity, Summary,
    UnitId,
};
use plan::Calendar;
use serde::{Deserialize, Serialize};

/// Where an alert is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlertState {
    /// Seen, not yet long enough to fire.
    Pending,
    /// Open.
    Firing,
    /// Over.
    Resolved,
}

/// What a person said about an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Acknowledgement {
    /// Who.
    pub by: ActorId,
    /// When, RFC 3339 in the plan's time zone.
    pub at: String,
    /// What they mean to do.
    pub note: String,
    /// By when someone looks again.
    pub review_by: Option<Date>,
    /// The event that holds it.
    pub event: EventId,
}

/// One episode of an alert at a cut of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Alert {
    /// Its id.
    pub id: AlertId,
    /// The unit.
    pub unit: UnitId,
    /// The indicator; null for an overdue report.
    pub indicator: Option<IndicatorId>,
    /// The rule.
    pub rule: Rule,
    /// The period it speaks of.
    pub period: Option<Period>,
    /// Which episode of this rule and cell it is.
    pub episode: u32,
    /// How grave.
    pub severity: Severity,
    /// Where it is in its life.
    pub state: AlertState,
    /// The latest acknowledgement.
    pub acknowledged: Option<Acknowledgement>,
    /// Always null until silences exist.
    pub silenced: Option<()>,
    /// When it was raised, RFC 3339 in the plan's time zone.
    pub raised_at: String,
    /// When it ended.
    pub resolved_at: Option<String>,
    /// Why it ended.
    pub resolution: Option<Resolution>,
    /// What it rests on; once resolved, also what the end rests on.
    pub because: Vec<EventId>,
    /// What it says.
    pub summary: Summary,
    /// The position of the event that raised it.
    pub position: Position,
}

/// Which alerts are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertsQuery {
    /// Only those in this state.
    pub state: Option<AlertState>,
    /// Only those of this unit.
    pub unit: Option<UnitId>,
}

impl Facts {
    /// The alerts as they looked at a cut, newest first.
    pub fn alerts_at(&self, calendar: &Calendar, cut: Position, query: &AlertsQuery) -> Vec<Alert> {
        let raised = self.alerts().filter(|alert| alert.position <= cut);
        let mut alerts: Vec<Alert> = raised
            .filter(|alert| query.unit.as_ref().is_none_or(|unit| alert.unit == *unit))
            .map(|alert| alert_at(alert, calendar, cut))
            .filter(|alert| query.state.is_none_or(|state| alert.state == state))
            .collect();
        alerts.sort_by_key(|alert| std::cmp::Reverse(alert.position));
        alerts
    }
}

fn alert_at(fact: &AlertFact, calendar: &Calendar, cut: Position) -> Alert {
    let resolved = fact.resolved.as_ref().filter(|resolved| resolved.position <= cut);
    let acknowledged = fact.acknowledgements.iter().rev().find(|ack| ack.position <= cut);
    let mut because = fact.because.clone();
    let ends = resolved.iter().flat_map(|resolved| &resolved.because);
    because.extend(ends.filter(|event| !fact.because.contains(event)));
    Alert {
        id: fact.id,
        unit: fact.unit.clone(),
        indicator: fact.indicator.clone(),
        rule: fact.rule,
        period: fact.period,
        episode: fact.episode,
        severity: fact.severity,
        state: if resolved.is_some() { AlertState::Resolved } else { AlertState::Firing },
        acknowledged: acknowledged.map(|ack| Acknowledgement {
            by: ack.by.clone(),
            at: calendar.shown(ack.at),
            note: ack.note.clone(),
            review_by: ack.review_by,
            event: ack.event,
        }),
        silenced: None,
        raised_at: calendar.shown(fact.raised_at),
        resolved_at: resolved.map(|resolved| calendar.shown(resolved.at)),
        resolution: resolved.map(|resolved| resolved.resolution),
        because,
        summary: fact.summary.clone(),
        position: fact.position,
    }
}
