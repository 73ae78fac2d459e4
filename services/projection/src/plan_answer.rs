//! The answer to `plan`: the plan as it stands at a moment, its amendments and the extended deadlines. Pure.

use events::{Date, EventId, KeyChange, Period, Position, UnitId};
use indicators::{Adopted, Facts, Moment, View};
use serde::Serialize;
use serde_json::Value;

/// The answer to `plan`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanAnswer {
    /// RFC 3339 in the plan's time zone.
    pub as_of: String,
    /// RFC 3339 in the plan's time zone.
    pub known_at: String,
    /// The cut of the log.
    pub position: Position,
    /// Whether the figures of this log are made up.
    pub sample: bool,
    /// The plan as it was adopted.
    pub adopted: AdoptedPlan,
    /// SHA-256 of the plan as it stands; of the adopted one where it was not known yet.
    pub digest: String,
    /// The plan as it stands, in canonical form; null before it was known.
    pub plan: Option<Value>,
    /// Every amendment known at the cut, in log order.
    pub amendments: Vec<Amendment>,
    /// Every extended deadline known at the cut, by period and unit.
    pub deadlines: Vec<Deadline>,
}

/// The plan as it was adopted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AdoptedPlan {
    /// The event.
    pub event: EventId,
    /// SHA-256 of its canonical form.
    pub digest: String,
}

/// One amendment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Amendment {
    /// The event.
    pub event: EventId,
    /// Its position.
    pub position: Position,
    /// From when it holds.
    pub effective: Date,
    /// The legal instrument.
    pub instrument: String,
    /// Whether it is in force as of the moment.
    pub in_force: bool,
    /// The keys and their new values.
    pub changes: Vec<KeyChange>,
}

/// One extension of a deadline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Deadline {
    /// The period whose reports are meant.
    pub period: Period,
    /// The unit; null where all are meant.
    pub unit: Option<UnitId>,
    /// The day before which reports are due.
    pub due_before: Date,
    /// The event.
    pub event: EventId,
    /// Its position.
    pub position: Position,
    /// From when it holds.
    pub effective: Date,
    /// The legal instrument.
    pub instrument: String,
    /// Whether it has taken effect as of the moment; a later one may go before it.
    pub in_force: bool,
}

/// Answers `plan`.
pub(crate) fn plan(facts: &Facts, adopted: &Adopted, moment: Moment) -> PlanAnswer {
    let calendar = &adopted.plan.calendar;
    // Units that were established are no part of the plan's text; the list of units tells of them.
    let plan = View::new(facts, moment).map(|view| {
        let mut plan = view.plan().clone();
        plan.units.retain(|unit| !facts.is_established(&unit.id));
        plan
    });
    let amendments = facts.amendments().iter().filter(|fact| fact.position <= moment.cut);
    let deadlines = facts.all_deadlines().filter(|(.., fact)| fact.position <= moment.cut);
    PlanAnswer {
        as_of: calendar.shown(moment.as_of),
        known_at: calendar.shown(moment.known_at),
        position: moment.cut,
        sample: adopted.sample,
        adopted: AdoptedPlan { event: adopted.event, digest: adopted.digest.clone() },
        digest: plan.as_ref().map_or_else(|| adopted.digest.clone(), plan::Plan::digest),
        plan: plan.as_ref().map(plan::Plan::canonical),
        amendments: amendments
            .map(|fact| Amendment {
                event: fact.event,
                position: fact.position,
                effective: calendar.date_of(fact.effective),
                instrument: fact.instrument.clone(),
                in_force: fact.effective <= moment.as_of,
                changes: fact.changes.clone(),
            })
            .collect(),
        deadlines: deadlines
            .map(|(period, unit, fact)| Deadline {
                period,
                unit: unit.cloned(),
                due_before: fact.due_before,
                event: fact.event,
                position: fact.position,
                effective: calendar.date_of(fact.effective),
                instrument: fact.instrument.clone(),
                in_force: fact.effective <= moment.as_of,
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn the_plan_is_told_as_it_stands_with_what_is_known_of_amendments_and_deadlines() {
        let mut facts = fixture::facts();
        let plan_of = fixture::plan();
        fixture::fold(&mut facts, fixture::plan_changes(&plan_of), "2025-07-01T02:00:00Z");
        let adopted = facts.adopted().unwrap();
        let moment = |cut: u64, as_of: &str| Moment {
            cut: Position(cut),
            known_at: fixture::instant("2025-12-01T00:00:00Z"),
            as_of: fixture::instant(as_of),
        };
        let after = plan(&facts, adopted, moment(37, "2025-09-01T00:00:00Z"));
        assert_eq!(after.plan.as_ref().unwrap()["thresholds"]["on_track"], "0.90");
        assert_ne!(after.digest, adopted.digest);
        assert_eq!((after.amendments.len(), after.deadlines.len()), (1, 1));
        assert!(after.amendments[0].in_force && after.deadlines[0].in_force);
        let before = plan(&facts, adopted, moment(37, "2025-07-31T00:00:00Z"));
        assert_eq!(before.plan.unwrap()["thresholds"]["on_track"], "0.95");
        assert_eq!(before.digest, adopted.digest);
        assert!(!before.amendments[0].in_force && !before.deadlines[0].in_force);
        let unknown = plan(&facts, adopted, moment(35, "2025-09-01T00:00:00Z"));
        assert_eq!((unknown.amendments.len(), unknown.deadlines.len()), (0, 0));
        assert_eq!(plan(&facts, adopted, moment(0, "2022-01-01T00:00:00Z")).plan, None);
    }
}
