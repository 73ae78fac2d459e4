//! A scope: which cells and whose reports are looked at, so that one report does not judge the whole plan again.

use events::{EventData, IndicatorId, UnitId};
use indicators::Facts;
use std::collections::BTreeSet;

/// Which cells and whose reports the rules look at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    everything: bool,
    cells: BTreeSet<(UnitId, IndicatorId)>,
    reports_of: BTreeSet<UnitId>,
}

impl Scope {
    /// Nothing at all.
    pub fn nothing() -> Scope {
        Scope::default()
    }

    /// Every cell and every unit's reports: after the clock has moved something.
    pub fn everything() -> Scope {
        Scope { everything: true, ..Scope::default() }
    }

    /// One cell, or without an indicator one unit's reports.
    pub fn of_cell(unit: &UnitId, indicator: Option<&IndicatorId>) -> Scope {
        let mut scope = Scope::nothing();
        scope.touch(unit, indicator);
        scope
    }

    /// What an event changed that is among the facts already; nothing before a plan is adopted.
    ///
    /// A report touches the cells of the indicators that its measures feed: its unit's, the province's and those of
    /// the units that took it over, whose baseline may come from it; and whether the report is overdue. A target
    /// touches its indicator everywhere, because units inherit it. A change of a unit moves sums and counts, and an
    /// amendment what everything is judged by, so they touch everything. A baseline touches its own cell, a deadline
    /// the reports that it is of. What happens to an alert touches its own cell: another rule may wait for it.
    pub fn touched_by(facts: &Facts, data: &EventData) -> Scope {
        let mut scope = Scope::nothing();
        let Some(plan) = facts.adopted().map(|adopted| &adopted.plan) else { return scope };
        match data {
            EventData::PlanAdopted(_) | EventData::UnitChanged(_) | EventData::PlanAmended(_) => {
                scope.everything = true;
            }
            EventData::BaselineEntered(data) => scope.touch(&data.unit, Some(&data.indicator)),
            EventData::DeadlineExtended(data) => match &data.unit {
                Some(unit) => scope.touch(unit, None),
                None => scope.reports_of.extend(plan.units.iter().map(|unit| unit.id.clone())),
            },
            EventData::ReportSubmitted(data) => {
                let changes = facts.unit_changes(&data.unit).iter();
                let successors = changes.flat_map(|fact| fact.change.successors());
                let mut units = vec![&data.unit];
                units.extend(plan.provinces().map(|province| &province.id));
                units.extend(successors.map(|(successor, _)| successor));
                for indicator in data.lines.iter().flat_map(|line| plan.fed_by(&line.measure)) {
                    let cells = units.iter().map(|unit| ((*unit).clone(), indicator.id.clone()));
                    scope.cells.extend(cells);
                }
                scope.reports_of.insert(data.unit.clone());
            }
            EventData::TargetChanged(data) => {
                let units = plan.units.iter();
                scope.cells.extend(units.map(|unit| (unit.id.clone(), data.indicator.clone())));
            }
            EventData::AlertRaised(data) => scope.touch(&data.unit, data.indicator.as_ref()),
            EventData::AlertResolved(data) => scope.touch(&data.unit, data.indicator.as_ref()),
            EventData::AlertAcknowledged(_) => {}
        }
        scope
    }

    fn touch(&mut self, unit: &UnitId, indicator: Option<&IndicatorId>) {
        match indicator {
            Some(indicator) => {
                self.cells.insert((unit.clone(), indicator.clone()));
            }
            None => {
                self.reports_of.insert(unit.clone());
            }
        }
    }

    /// Takes in what another scope holds.
    pub fn merge(&mut self, other: Scope) {
        self.everything |= other.everything;
        self.cells.extend(other.cells);
        self.reports_of.extend(other.reports_of);
    }

    /// Whether there is nothing left out.
    pub fn is_everything(&self) -> bool {
        self.everything
    }

    /// Whether there is nothing to look at.
    pub fn is_empty(&self) -> bool {
        !self.everything && self.cells.is_empty() && self.reports_of.is_empty()
    }

    pub(super) fn has_cell(&self, unit: &UnitId, indicator: &IndicatorId) -> bool {
        self.everything || self.cells.contains(&(unit.clone(), indicator.clone()))
    }

    pub(super) fn has_reports_of(&self, unit: &UnitId) -> bool {
        self.everything || self.reports_of.contains(unit)
    }
}
