//! What changed between two moments, cell by cell, with the events that one of them sees and the other does not.

use crate::cell::{Cell, ReportState};
use crate::evaluate::View;
use crate::facts::Facts;
use crate::moment::Moment;
use crate::units::UnitNow;
use events::{EventId, IndicatorId, Position, Timestamp, UnitId};
use plan::{Indicator, Level, Plan, Unit};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The figures of a cell that are compared; its report is told once for its unit.
const FIGURES: [&str; 10] = [
    "period",
    "value",
    "target",
    "baseline",
    "expected",
    "pace",
    "status",
    "verdicts",
    "provisional",
    "degraded",
];

/// What changed between two moments.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The cells that changed, in the order of the plan.
    pub cells: Vec<CellChange>,
    /// The units whose report is told of in another way.
    pub reports: Vec<ReportChange>,
    /// The units that changed themselves.
    pub units: Vec<UnitDifference>,
    /// The positions of all events named, in order.
    #[serde(skip)]
    pub consulted: Vec<Position>,
}

/// A cell that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CellChange {
    /// The unit.
    pub unit: UnitId,
    /// The indicator.
    pub indicator: IndicatorId,
    /// Which figures changed.
    pub changed: Vec<&'static str>,
    /// Those figures as they were; null where there was no cell.
    pub before: Option<BTreeMap<&'static str, Value>>,
    /// Those figures as they are; null where there is no cell any more.
    pub after: Option<BTreeMap<&'static str, Value>>,
    /// The events between the two that the cell rests on: of its measure, its targets, its units, its baseline, and
    /// every amendment of the plan.
    pub because: Vec<EventId>,
    /// True where no event did it: a year ended, or a recognition lapsed.
    pub by_time: bool,
}

/// A report that came, or whose deadline passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReportChange {
    /// The unit.
    pub unit: UnitId,
    /// What its cells said; null where it was not in force.
    pub before: Option<ReportState>,
    /// What they say.
    pub after: Option<ReportState>,
    /// The reports of those periods between the two, and extensions of their deadlines.
    pub because: Vec<EventId>,
    /// True where no event did it: a deadline passed, or a year began.
    pub by_time: bool,
}

/// A unit that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnitDifference {
    /// The unit.
    pub unit: UnitId,
    /// As it was; null before the plan was known.
    pub before: Option<UnitNow>,
    /// As it is.
    pub after: Option<UnitNow>,
    /// Its changes between the two.
    pub because: Vec<EventId>,
}

/// Two moments of the same facts, the earlier one first; a view is none before the plan was known.
#[derive(Debug, Clone, Copy)]
struct Between<'a> {
    facts: &'a Facts,
    plan: &'a Plan,
    from: Moment,
    to: Moment,
    before: Option<View<'a>>,
    after: Option<View<'a>>,
}

/// Compares the facts at two moments, for one unit or all, for one indicator or all.
pub fn difference(
    facts: &Facts,
    [from, to]: [Moment; 2],
    unit: Option<&Unit>,
    indicator: Option<&Indicator>,
) -> Difference {
    let Some(adopted) = facts.adopted() else { return Difference::default() };
    let plan = &adopted.plan;
    let (before, after) = (View::new(facts, from), View::new(facts, to));
    let between = Between { facts, plan, from, to, before, after };
    let units = plan.units.iter().filter(|of| unit.is_none_or(|asked| asked.id == of.id));
    let mut positions = BTreeSet::new();
    let mut found = Difference::default();
    for of in units {
        let indicators = plan.indicators.iter();
        let asked = indicators.filter(|about| indicator.is_none_or(|asked| asked.id == about.id));
        for about in asked.filter(|about| plan.has_cell(of.level, about)) {
            found.cells.extend(between.cell(of, about, &mut positions));
        }
        found.reports.extend(between.report(of, &mut positions));
        found.units.extend(between.unit(of, &mut positions));
    }
    found.consulted = positions.into_iter().collect();
    found
}

impl<'a> Between<'a> {
    fn in_force(view: Option<View<'a>>, unit: &Unit) -> Option<View<'a>> {
        view.filter(|view| view.in_force(&unit.id, view.moment().as_of))
    }

    /// Whether an event is seen at the later moment and not at the earlier one.
    fn is_between(&self, position: Position, effective: Timestamp) -> bool {
        let seen = |moment: Moment| position <= moment.cut && effective <= moment.as_of;
        seen(self.to) && !seen(self.from)
    }

    fn cell(&self, unit: &Unit, about: &Indicator, positions: &mut BTreeSet<Position>) -> Option<CellChange> {
        let cell = |view| Self::in_force(view, unit).map(|view: View<'_>| view.cell(unit, about));
        let (before, after) = (cell(self.before), cell(self.after));
        let changed: Vec<&'static str> = match (&before, &after) {
            (None, None) => return None,
            (Some(before), Some(after)) if is_same(before, after) => return None,
            (Some(before), Some(after)) => {
                FIGURES.into_iter().filter(|name| figure(before, name) != figure(after, name)).collect()
            }
            (Some(_), None) | (None, Some(_)) => FIGURES.to_vec(),
        };
        let figures = |cell: &Cell| changed.iter().map(|name| (*name, figure(cell, name))).collect();
        let events = self.events_of_cell(unit, about);
        positions.extend(events.keys());
        Some(CellChange {
            unit: unit.id.clone(),
            indicator: about.id.clone(),
            before: before.as_ref().map(figures),
            after: after.as_ref().map(figures),
            // Events that are set aside are among no facts: the position in `degraded` leads to them.
            by_time: events.is_empty() && !changed.contains(&"degraded"),
            changed,
            because: events.into_values().collect(),
        })
    }

    /// The events between the two that bear on a cell: lines of its measure, its targets, changes of its units, its
    /// baseline, and amendments of the plan, which may bear on any cell.
    fn events_of_cell(&self, unit: &Unit, about: &Indicator) -> BTreeMap<Position, EventId> {
        let mut found = BTreeMap::new();
        let over_districts =
            unit.level == Level::Province && self.plan.measure_of(about).level == Level::District;
        let units = std::iter::once(unit).chain(self.plan.districts().filter(|_| over_districts));
        for of in units {
            for period in self.plan.calendar.periods() {
                for revision in self.facts.revisions_naming(&of.id, period, &about.measure) {
                    if self.is_between(revision.position, revision.effective) {
                        found.insert(revision.position, revision.event);
                    }
                }
            }
            found.extend(self.unit_changes(of));
        }
        for owner in [None, Some(&unit.id)] {
            let targets = self.facts.targets(&about.id, owner).iter();
            let between = targets.filter(|fact| self.is_between(fact.position, fact.effective));
            found.extend(between.map(|fact| (fact.position, fact.event)));
        }
        let baselines = self.facts.baselines(&unit.id, &about.id).iter();
        let between = baselines.filter(|fact| self.is_between(fact.position, fact.effective));
        found.extend(between.map(|fact| (fact.position, fact.event)));
        let amendments = self.facts.amendments().iter();
        let between = amendments.filter(|fact| self.is_between(fact.position, fact.effective));
        found.extend(between.map(|fact| (fact.position, fact.event)));
        if self.before.is_none()
            && let Some(adopted) = self.facts.adopted()
        {
            found.insert(adopted.position, adopted.event);
        }
        found
    }

    fn unit_changes(&self, unit: &Unit) -> BTreeMap<Position, EventId> {
        let changes = self.facts.unit_changes(&unit.id).iter();
        let between = changes.filter(|fact| self.is_between(fact.position, fact.effective));
        between.map(|fact| (fact.position, fact.event)).collect()
    }

    fn report(&self, unit: &Unit, positions: &mut BTreeSet<Position>) -> Option<ReportChange> {
        let report = |view| Self::in_force(view, unit).map(|view: View<'_>| view.report_shown(unit));
        let (before, after) = (report(self.before), report(self.after));
        if before == after {
            return None;
        }
        let periods: BTreeSet<_> =
            [&before, &after].into_iter().flatten().map(|report| report.period).collect();
        let revisions = periods.iter().flat_map(|period| self.facts.revisions(&unit.id, *period).iter());
        let mut events: BTreeMap<Position, EventId> = revisions
            .filter(|revision| self.is_between(revision.position, revision.effective))
            .map(|revision| (revision.position, revision.event))
            .collect();
        events.extend(self.unit_changes(unit));
        let extended = periods.iter().flat_map(|period| {
            let of_all = self.facts.deadlines(*period, None).iter();
            of_all.chain(self.facts.deadlines(*period, Some(&unit.id)))
        });
        let between = extended.filter(|fact| self.is_between(fact.position, fact.effective));
        events.extend(between.map(|fact| (fact.position, fact.event)));
        positions.extend(events.keys());
        let by_time = events.is_empty();
        Some(ReportChange {
            unit: unit.id.clone(),
            before,
            after,
            because: events.into_values().collect(),
            by_time,
        })
    }

    fn unit(&self, unit: &Unit, positions: &mut BTreeSet<Position>) -> Option<UnitDifference> {
        let now = |view: Option<View<'_>>| view.map(|view| view.unit_now(unit));
        let (before, after) = (now(self.before), now(self.after));
        if before == after {
            return None;
        }
        let events = self.unit_changes(unit);
        positions.extend(events.keys());
        Some(UnitDifference { unit: unit.id.clone(), before, after, because: events.into_values().collect() })
    }
}

/// Whether all compared figures are the same, without writing them down.
fn is_same(before: &Cell, after: &Cell) -> bool {
    before.period == after.period
        && before.value == after.value
        && before.target == after.target
        && before.baseline == after.baseline
        && before.expected == after.expected
        && before.pace == after.pace
        && before.status == after.status
        && before.verdicts == after.verdicts
        && before.provisional == after.provisional
        && before.degraded == after.degraded
}

fn figure(cell: &Cell, name: &str) -> Value {
    let written = match name {
        "period" => serde_json::to_value(cell.period),
        "value" => serde_json::to_value(&cell.value),
        "target" => serde_json::to_value(&cell.target),
        "baseline" => serde_json::to_value(&cell.baseline),
        "expected" => serde_json::to_value(&cell.expected),
        "pace" => serde_json::to_value(&cell.pace),
        "status" => serde_json::to_value(cell.status),
        "verdicts" => serde_json::to_value(&cell.verdicts),
        "provisional" => serde_json::to_value(&cell.provisional),
        _ => serde_json::to_value(cell.degraded),
    };
    written.expect("figures are plain data")
}
