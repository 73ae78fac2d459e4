//! From facts at a moment to cells: values, targets, pace, status and verdicts.

use crate::cell::{Cell, Degraded, ReportState, Status, TargetInForce};
use crate::facts::{Facts, ProposedPlans, TargetFact};
use crate::moment::Moment;
use crate::targets::Spoken;
use events::{Percent, Position, TargetValue, UnitId};
use plan::{Form, Indicator, Level, Plan, Unit};

mod amended;
mod assessed;
mod baselines;
mod explain;
mod rates;
mod shares;
mod states;
mod verdicts;

pub use amended::differences;
pub use assessed::{Assessment, Distance, NotJudged};
pub use rates::RateProgress;
pub(crate) use rates::rate_value;
pub(crate) use states::state_value;

/// The facts as they look at a moment.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    facts: &'a Facts,
    plan: &'a Plan,
    moment: Moment,
    target_cut: Position,
    proposed: Option<&'a ProposedPlans>,
}

impl<'a> View<'a> {
    /// Looks at facts at a moment; none before the plan was adopted.
    pub fn new(facts: &'a Facts, moment: Moment) -> Option<View<'a>> {
        let adopted = facts.adopted()?;
        let known = adopted.position <= moment.cut;
        let plan = facts.plan_at(moment.cut, moment.as_of)?;
        known.then_some(View { facts, plan, moment, target_cut: moment.cut, proposed: None })
    }

    /// The same view with the targets and the plan as they were known at an earlier cut: what the cell would say
    /// had no target and no key of the plan changed since.
    #[must_use]
    pub fn with_targets_known_at(self, cut: Position) -> View<'a> {
        let target_cut = cut.min(self.moment.cut);
        let plan = self.facts.plan_at(target_cut, self.moment.as_of).unwrap_or(self.plan);
        View { target_cut, plan, ..self }
    }

    /// The facts looked at.
    pub fn facts(&self) -> &'a Facts {
        self.facts
    }

    /// The plan as it stands at the moment: as adopted, with the amendments that are known and in force.
    pub fn plan(&self) -> &'a Plan {
        self.plan
    }

    /// The moment.
    pub fn moment(&self) -> Moment {
        self.moment
    }

    pub(crate) fn target_cut(&self) -> Position {
        self.target_cut
    }

    /// Every cell of the units in force, in the order of the plan: units, then indicators.
    pub fn cells(&self) -> Vec<Cell> {
        let units = self.plan.units.iter().filter(|unit| self.in_force(&unit.id, self.moment.as_of));
        units.flat_map(|unit| self.cells_of(unit)).collect()
    }

    /// Every cell of one unit.
    pub fn cells_of(&self, unit: &Unit) -> Vec<Cell> {
        let report = self.report_shown(unit);
        let indicators = self.plan.indicators.iter();
        indicators
            .filter(|indicator| self.plan.has_cell(unit.level, indicator))
            .map(|indicator| self.cell_beside(report.clone(), unit, indicator))
            .collect()
    }

    /// One cell.
    pub fn cell(&self, unit: &Unit, indicator: &Indicator) -> Cell {
        self.cell_beside(self.report_shown(unit), unit, self.in_plan(indicator))
    }

    /// One cell, beside what is said of its unit's report.
    fn cell_beside(&self, report: ReportState, unit: &Unit, indicator: &Indicator) -> Cell {
        let calendar = &self.plan.calendar;
        let spoken = self.spoken_target(unit, indicator);
        let mut cell = Cell {
            unit: unit.id.clone(),
            indicator: indicator.id.clone(),
            period: None,
            value: None,
            target: spoken.map(|spoken| self.target_shown(unit, indicator, spoken)),
            baseline: None,
            expected: None,
            pace: None,
            status: None,
            verdicts: self.verdicts(unit, indicator),
            report,
            provisional: None,
            in_force: (!self.in_force(&unit.id, self.moment.as_of)).then_some(false),
            degraded: self.degraded(unit, indicator),
            as_of: calendar.shown(self.moment.as_of),
            known_at: calendar.shown(self.moment.known_at),
            position: self.moment.cut,
            because: Vec::new(),
        };
        let status = match (self.plan.form(indicator), unit.level) {
            (Form::Rate { .. }, _) => self.fill_rate(&mut cell, unit, indicator, spoken),
            (Form::Share { .. }, Level::Province) => self.fill_share(&mut cell, unit, indicator, spoken),
            (Form::State, _) | (Form::Share { .. }, Level::District) => {
                self.fill_state(&mut cell, unit, indicator, spoken)
            }
        };
        if let Some(spoken) = spoken {
            cell.because.push(spoken.fact.event);
        }
        let mut seen = std::collections::BTreeSet::new();
        cell.because.retain(|event| seen.insert(*event));
        if cell.degraded.is_some() {
            cell.verdicts.values_mut().for_each(|verdict| *verdict = None);
        } else {
            cell.status = Some(status);
        }
        cell
    }

    fn degraded(&self, unit: &Unit, indicator: &Indicator) -> Option<Degraded> {
        let parked = self.facts.parked();
        let since = |unit: Option<&UnitId>| parked.get(&unit.cloned()).map(|parked| parked.since);
        let sums_over_districts =
            unit.level == Level::Province && self.plan.measure_of(indicator).level == Level::District;
        // What is set aside may be the establishment of a unit, so that the plan does not have it.
        let is_district = |id: &UnitId| {
            self.plan.unit(id).is_none_or(|district| {
                district.level == Level::District && self.ever_belonged(district, &unit.id)
            })
        };
        let of_districts = parked
            .iter()
            .filter(|(id, _)| sums_over_districts && id.as_ref().is_some_and(is_district))
            .map(|(_, parked)| parked.since);
        // What a unit took over may be where its baseline comes from.
        let predecessors = self.predecessors(&unit.id).into_iter();
        let of_predecessors = predecessors.filter_map(|predecessor| since(Some(predecessor.unit)));
        let own = since(None).into_iter().chain(since(Some(&unit.id)));
        let all = own.chain(of_districts).chain(of_predecessors);
        all.filter(|since| *since <= self.moment.cut).min().map(|since| Degraded { since })
    }

    fn target_shown(&self, unit: &Unit, indicator: &Indicator, spoken: Spoken<'_>) -> TargetInForce {
        let mut target = TargetInForce {
            review: spoken.fact.review,
            percent: None,
            level: None,
            attained: None,
            mark: spoken.fact.mark,
            instrument: spoken.fact.instrument.clone(),
            restated: (!spoken.restated).then_some(false),
        };
        match (self.plan.form(indicator), unit.level) {
            // What binds a district is the level or the recognition itself.
            (Form::Share { from_level: Some(level) }, Level::District) => target.level = Some(level),
            (Form::Share { from_level: None }, Level::District) => target.attained = Some(true),
            (Form::Rate { .. } | Form::State | Form::Share { .. }, _) => target.set_value(spoken.fact.value),
        }
        target
    }
}

fn percent_value(fact: &TargetFact) -> Option<Percent> {
    match fact.value {
        TargetValue::Percent(percent) => Some(percent),
        TargetValue::Level(_) | TargetValue::Attained(_) | TargetValue::Withdrawn(_) => None,
    }
}

/// The rules of a status come in order; the first that applies decides.
fn first_that_applies(rules: &[(Status, bool)]) -> Status {
    let decided = rules.iter().find(|(_, applies)| *applies);
    decided.expect("the last rule of each list always applies").0
}

fn small(count: usize) -> u32 {
    u32::try_from(count).expect("a plan has at most ten thousand units")
}
