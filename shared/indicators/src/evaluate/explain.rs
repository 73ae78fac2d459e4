//! Explains a cell: the same points, counts, paths and rules that make it, with what went into each.

use super::shares::share_value;
use super::states::{counts, meets};
use super::{View, percent_value, rate_value, state_value};
use crate::cell::{Status, Value, Verdict};
use crate::exact::{Exact, ratio};
use crate::explanation::{
    Corner, Explanation, Fraction, Part, PathExplained, Percentage, PeriodExplained, RuleExplained,
    StateExplained, TargetExplained, VerdictExplained,
};
use crate::outlook::{Outlook, outlook};
use crate::path::Path;
use crate::standing::{Point, Standing, lapses_at};
use crate::successors::Start;
use crate::targets::Spoken;
use events::{LineValue, Period, Timestamp, UnitId};
use plan::{Form, Indicator, Level, MeasureKind, ReviewYear, Unit};
use std::collections::{BTreeMap, BTreeSet};

/// The rules that were asked, up to the one that decided; and the earlier year in which it was met.
type Asked = (Vec<(Status, bool)>, Option<i16>);

impl View<'_> {
    /// The events and the arithmetic behind one cell. The sentences come with the events
    /// ([`Explanation::with_sources`]).
    pub fn explain(&self, unit: &Unit, indicator: &Indicator) -> Explanation {
        let indicator = self.in_plan(indicator);
        let form = self.plan.form(indicator);
        let cell = self.cell(unit, indicator);
        let spoken = self.spoken_target(unit, indicator);
        let targets = self.targets_explained(unit, indicator, spoken);
        let is_rate = matches!(form, Form::Rate { .. });
        let points = if is_rate { self.rate_points(unit, indicator).points } else { Vec::new() };
        let start = is_rate.then(|| self.rate_start(unit, indicator, &points)).flatten();
        let (states, path, outlook) = if is_rate {
            let target = spoken.and_then(|spoken| Some((spoken.fact.review, percent_value(spoken.fact)?)));
            (
                Vec::new(),
                self.path_explained(unit, indicator, spoken, &points, start.as_ref()),
                Some(outlook(&points, target)),
            )
        } else {
            (
                self.states_explained(unit, indicator, i16::MAX, self.moment.as_of, self.moment.as_of),
                None,
                None,
            )
        };
        let mut explanation = Explanation {
            unit_name: self.unit_now(unit).name,
            indicator_name: indicator.name.clone(),
            paragraph: indicator.paragraph.clone(),
            base: indicator.base.clone(),
            periods: if is_rate {
                self.periods_explained(unit, indicator, &points, start.as_ref())
            } else {
                Vec::new()
            },
            states,
            targets,
            path,
            outlook,
            rules: Vec::new(),
            verdicts: self
                .plan
                .reviews
                .iter()
                .map(|review| self.verdict_explained(unit, indicator, review))
                .collect(),
            cell,
            sources: Vec::new(),
            steps: Vec::new(),
            names: Vec::new(),
            consulted: Vec::new(),
        };
        let (asked, earlier) = self.rules_asked(unit, indicator, spoken, &points, start.as_ref());
        let (on_track, at_risk) = (self.plan.thresholds.on_track, self.plan.thresholds.at_risk);
        explanation.rules = asked
            .into_iter()
            .map(|(status, applies)| RuleExplained {
                status,
                applies,
                asks: explanation.condition(status, is_rate, [on_track, at_risk], earlier),
            })
            .collect();
        explanation.names = self.names_in(&explanation);
        explanation.consulted = self.consulted(unit, indicator, &explanation);
        explanation
    }

    /// What a rate would need, and where it leads; none for other kinds of cell.
    pub fn outlook(&self, unit: &Unit, indicator: &Indicator) -> Option<Outlook> {
        let indicator = self.in_plan(indicator);
        let Form::Rate { .. } = self.plan.form(indicator) else { return None };
        let spoken = self.spoken_target(unit, indicator);
        let target = spoken.and_then(|spoken| Some((spoken.fact.review, percent_value(spoken.fact)?)));
        Some(outlook(&self.rate_points(unit, indicator).points, target))
    }

    fn targets_explained(
        &self,
        unit: &Unit,
        indicator: &Indicator,
        spoken: Option<Spoken<'_>>,
    ) -> Vec<TargetExplained> {
        let own = self.facts.targets(&indicator.id, Some(&unit.id));
        let of_review = |review: &ReviewYear| {
            let fact = self.target_for(unit, indicator, review.review)?;
            Some(TargetExplained {
                review: fact.review,
                value: fact.value,
                mark: fact.mark,
                own: unit.level == Level::District && own.iter().any(|own| own.event == fact.event),
                spoken_of: spoken.is_some_and(|spoken| spoken.fact.event == fact.event),
                instrument: fact.instrument.clone(),
                effective: self.plan.calendar.shown(fact.effective),
                event: fact.event,
                position: fact.position,
            })
        };
        self.plan.reviews.iter().filter_map(of_review).collect()
    }

    fn path_explained(
        &self,
        unit: &Unit,
        indicator: &Indicator,
        spoken: Option<Spoken<'_>>,
        points: &[Point],
        start: Option<&Start>,
    ) -> Option<PathExplained> {
        let progress = self.progress_of(unit, indicator, spoken, points, start)?;
        let expected = progress.expected?;
        let path = self.rate_path(unit, indicator, start?, points)?;
        let year = progress.period.year();
        let corner = |(year, ratio): &(i16, Exact)| Corner { year: *year, expected: Percentage::of(ratio) };
        let corners: Vec<Corner> = path.corners().iter().map(corner).collect();
        let baseline = &path.corners()[0].1;
        Some(PathExplained {
            segment: segment_of(&path, year).map(corner),
            corners,
            year,
            risen: Percentage::of(&(&progress.value - baseline)),
            expected_rise: Percentage::of(&(&expected - baseline)),
            expected: Percentage::of(&expected),
            pace: progress.pace.as_ref().map(Fraction::of),
        })
    }

    /// The periods that value, baseline, verdicts and what is provisional rest on.
    fn periods_explained(
        &self,
        unit: &Unit,
        indicator: &Indicator,
        points: &[Point],
        start: Option<&Start>,
    ) -> Vec<PeriodExplained> {
        let mut uses: BTreeMap<Period, Vec<String>> = BTreeMap::new();
        let entered = self.entered_baseline(unit, indicator);
        let derived = start.filter(|start| !start.derived_from.is_empty());
        if let Some(own) = start.filter(|_| derived.is_none() && entered.is_none()) {
            uses.entry(own.period).or_default().push("baseline".to_owned());
        }
        let predecessors = derived.into_iter().flat_map(|start| {
            let units = start.derived_from.iter().filter_map(|id| self.plan.unit(id));
            units.filter_map(|of| {
                self.period_explained(of, indicator, start.period, vec!["baseline".to_owned()])
            })
        });
        if let Some(latest) = points.last() {
            uses.entry(latest.period).or_default().push("value".to_owned());
        }
        for review in self.plan.reviews.iter().filter(|review| self.has_ended(review.review)) {
            let judged = points.iter().find(|point| point.period.year() == review.review.year());
            if let Some(point) = judged {
                uses.entry(point.period).or_default().push(format!("verdict-{}", review.review));
            }
        }
        if let Some(provisional) = self.rate_points(unit, indicator).provisional {
            uses.entry(provisional.period).or_default().push("provisional".to_owned());
        }
        let reported = uses
            .into_iter()
            .filter_map(|(period, used_for)| self.period_explained(unit, indicator, period, used_for));
        let entered = entered.and_then(|fact| self.baseline_explained(unit, indicator, fact));
        let baseline = predecessors.chain(entered);
        let mut explained: Vec<PeriodExplained> = baseline.chain(reported).collect();
        explained.sort_by_key(|period| period.period);
        explained
    }

    fn period_explained(
        &self,
        unit: &Unit,
        indicator: &Indicator,
        period: Period,
        used_for: Vec<String>,
    ) -> Option<PeriodExplained> {
        let sums =
            self.plan.form(indicator) == Form::Rate { by_districts: true } && unit.level == Level::Province;
        let units = if sums {
            self.districts_in_force(&unit.id, self.plan.calendar.end_of_year(period.year()))
        } else {
            vec![unit]
        };
        let (mut parts, mut missing) = (Vec::new(), Vec::new());
        for of in units {
            let standing = self.standing(&of.id, period, &indicator.measure);
            match standing.and_then(|standing| rate_part(&of.id, standing)) {
                Some(part) => parts.push(part),
                None => missing.push(of.id.clone()),
            }
        }
        let (numerator, denominator) = if sums {
            let sum = self.sum(&unit.id, period, &indicator.measure);
            (sum.numerator, sum.denominator)
        } else {
            match parts.first()?.value {
                Value::Rate { numerator, denominator, .. } => (numerator, denominator),
                Value::Level { .. } | Value::Attained { .. } | Value::Share { .. } => return None,
            }
        };
        (denominator > 0).then(|| PeriodExplained {
            period,
            used_for,
            value: rate_value(numerator, denominator),
            ratio: Percentage::of(&ratio(numerator, denominator)),
            complete: missing.is_empty(),
            parts,
            missing,
        })
    }

    /// Each unit's own state: the districts in force for a province's share, else the unit's.
    fn states_explained(
        &self,
        unit: &Unit,
        indicator: &Indicator,
        year: i16,
        lapsed_at: Timestamp,
        in_force_at: Timestamp,
    ) -> Vec<StateExplained> {
        let form = self.plan.form(indicator);
        let is_share = matches!(form, Form::Share { .. }) && unit.level == Level::Province;
        let units = if is_share { self.districts_in_force(&unit.id, in_force_at) } else { vec![unit] };
        let target = self.spoken_target(unit, indicator);
        let mut states: Vec<StateExplained> = units
            .into_iter()
            .map(|of| {
                let mut explained = StateExplained {
                    unit: of.id.clone(),
                    counts: false,
                    part: None,
                    period: None,
                    stale: false,
                    recognised_year: None,
                    lapses_at: None,
                };
                let Some(state) = self.state_at(of, indicator, year, lapsed_at) else { return explained };
                explained.counts = if is_share {
                    counts(form, state.value)
                } else {
                    target.is_some_and(|target| meets(form, target.fact, state.value))
                };
                explained.period = Some(state.period);
                if let Some(standing) = self.standing(&of.id, state.period, &indicator.measure) {
                    explained.part = Some(part_of(&of.id, standing, state_value(state.value)));
                    self.add_lapse(&mut explained, indicator, standing, state.period);
                }
                explained
            })
            .collect();
        let newest = states.iter().filter_map(|state| state.period).max();
        for state in &mut states {
            state.stale = state.period.is_some() && state.period < newest;
        }
        states
    }

    fn add_lapse(
        &self,
        explained: &mut StateExplained,
        indicator: &Indicator,
        standing: Standing,
        period: Period,
    ) {
        if let (
            LineValue::Attained { attained: true, recognised_year },
            MeasureKind::Attained { months: Some(months) },
        ) = (standing.value, &self.plan.measure_of(indicator).kind)
        {
            let recognised = recognised_year.unwrap_or(period);
            let calendar = &self.plan.calendar;
            explained.recognised_year = Some(recognised);
            explained.lapses_at = Some(calendar.shown(lapses_at(calendar, recognised, *months)));
        }
    }

    fn verdict_explained(&self, unit: &Unit, indicator: &Indicator, review: &ReviewYear) -> VerdictExplained {
        let verdicts = self.verdicts(unit, indicator);
        let year = review.review.year();
        let end = self.plan.calendar.end_of_year(year);
        let ended = self.has_ended(review.review);
        // As the verdict is: by the plan in force at the year's end, but for the units that are counted.
        let then = self.with_plan_at(end);
        let indicator = then.in_plan(indicator);
        then.verdict_explained_then(
            unit,
            indicator,
            review,
            (ended, verdicts.get(&review.review).copied().flatten()),
        )
    }

    fn verdict_explained_then(
        &self,
        unit: &Unit,
        indicator: &Indicator,
        review: &ReviewYear,
        (ended, verdict): (bool, Option<Verdict>),
    ) -> VerdictExplained {
        let year = review.review.year();
        let end = self.plan.calendar.end_of_year(year);
        let target = self.target_for(unit, indicator, review.review);
        let mut explained = VerdictExplained {
            review: review.review,
            ended,
            bound: target.is_some(),
            value: None,
            verdict,
            units_as_of: None,
            states: Vec::new(),
        };
        let Some(target) = target.filter(|_| ended) else { return explained };
        match (self.plan.form(indicator), unit.level) {
            (Form::Rate { .. }, _) => {
                let points = self.rate_points(unit, indicator).points;
                let point = points.into_iter().find(|point| point.period.year() == year);
                explained.value = point.map(|point| rate_value(point.numerator, point.denominator));
            }
            (Form::Share { .. }, Level::Province) => {
                let in_force_at = review.units_as_of.map_or(end, |date| self.plan.calendar.end_of_day(date));
                explained.units_as_of = review.units_as_of.map(|date| date.to_string());
                let count = self.count(&unit.id, indicator, year, end, in_force_at);
                explained.value = (count.reported > 0).then(|| share_value(&count, percent_value(target)));
                explained.states = self.states_explained(unit, indicator, year, end, in_force_at);
            }
            (Form::State, _) | (Form::Share { .. }, Level::District) => {
                let state = self.state_at(unit, indicator, year, end);
                explained.value = state.map(|state| state_value(state.value));
            }
        }
        explained
    }

    /// The rules as the cell's status asks them, with the two before them: a value, a target.
    fn rules_asked(
        &self,
        unit: &Unit,
        indicator: &Indicator,
        spoken: Option<Spoken<'_>>,
        points: &[Point],
        start: Option<&Start>,
    ) -> Asked {
        let form = self.plan.form(indicator);
        let now = self.moment.as_of;
        let mut earlier = None;
        let mut asked = vec![(Status::NoData, false), (Status::NoTarget, false)];
        match (form, unit.level) {
            (Form::Rate { .. }, _) => {
                let progress = self.progress_of(unit, indicator, spoken, points, start);
                asked[0].1 = progress.is_none();
                asked[1].1 = spoken.is_none();
                if let (Some(progress), Some(spoken)) = (progress, spoken) {
                    asked.extend(self.rate_rules(&progress, spoken));
                }
            }
            (Form::Share { .. }, Level::Province) => {
                let count = self.count(&unit.id, indicator, i16::MAX, now, now);
                let percent = spoken.and_then(|spoken| percent_value(spoken.fact));
                asked[0].1 = count.reported == 0;
                asked[1].1 = percent.is_none();
                if let (Some(spoken), Some(percent), false) = (spoken, percent, asked[0].1) {
                    let (rules, year) = self.share_rules(unit, indicator, &count, spoken, percent);
                    asked.extend(rules);
                    earlier = year;
                }
            }
            (Form::State, _) | (Form::Share { .. }, Level::District) => {
                let state = self.state_at(unit, indicator, i16::MAX, now);
                asked[0].1 = state.is_none();
                asked[1].1 = spoken.is_none();
                if let (Some(state), Some(spoken)) = (state, spoken) {
                    let (rules, year) = self.state_rules(unit, indicator, state, spoken);
                    asked.extend(rules);
                    earlier = year;
                }
            }
        }
        let decided = asked.iter().position(|(_, applies)| *applies);
        asked.truncate(decided.map_or(asked.len(), |index| index + 1));
        (asked, earlier)
    }

    fn names_in(&self, explanation: &Explanation) -> Vec<(UnitId, plan::Names)> {
        let parts = explanation
            .periods
            .iter()
            .flat_map(|period| period.parts.iter().map(|part| &part.unit).chain(&period.missing));
        let states = explanation.states.iter().chain(explanation.verdicts.iter().flat_map(|of| &of.states));
        let units: BTreeSet<&UnitId> = parts.chain(states.map(|state| &state.unit)).collect();
        let named = units.into_iter().filter_map(|id| self.plan.unit(id));
        named.map(|unit| (unit.id.clone(), self.unit_now(unit).name)).collect()
    }

    fn consulted(
        &self,
        unit: &Unit,
        indicator: &Indicator,
        explanation: &Explanation,
    ) -> Vec<events::Position> {
        let parts = explanation.periods.iter().flat_map(|period| &period.parts);
        let states = explanation.states.iter().chain(explanation.verdicts.iter().flat_map(|of| &of.states));
        let mut positions: BTreeSet<_> = parts.map(|part| part.position).collect();
        positions.extend(states.filter_map(|state| state.part.as_ref()).map(|part| part.position));
        positions.extend(explanation.targets.iter().map(|target| target.position));
        let successions = self.facts.successions(&unit.id).map(|(_, fact)| fact);
        let in_force = successions
            .filter(|fact| fact.position <= self.moment.cut && fact.effective <= self.moment.as_of);
        positions.extend(in_force.map(|fact| fact.position));
        let amendments = self.facts.amendments().iter();
        let in_force =
            amendments.filter(|fact| fact.position <= self.moment.cut && fact.effective <= self.moment.as_of);
        positions.extend(in_force.map(|fact| fact.position));
        let over_districts =
            unit.level == Level::Province && self.plan.measure_of(indicator).level == Level::District;
        let units = std::iter::once(unit).chain(self.plan.districts().filter(|_| over_districts));
        for of in units {
            let changes = self.facts.unit_changes(&of.id).iter();
            let known = changes.filter(|fact| fact.position <= self.moment.cut);
            positions
                .extend(known.filter(|fact| fact.effective <= self.moment.as_of).map(|fact| fact.position));
        }
        positions.into_iter().collect()
    }
}

/// The corners between which a year lies; beyond the last one, the last segment.
fn segment_of(path: &Path, year: i16) -> [&(i16, Exact); 2] {
    let pairs = path.corners().windows(2).filter_map(|pair| match pair {
        [from, to] => Some([from, to]),
        _ => None,
    });
    let mut last = None;
    for pair in pairs {
        last = Some(pair);
        if year <= pair[1].0 {
            break;
        }
    }
    last.expect("a path has at least two corners")
}

fn rate_part(unit: &UnitId, standing: Standing) -> Option<Part> {
    match standing.value {
        LineValue::Rate { numerator, denominator: 0 } => {
            let value = Value::Rate { numerator, denominator: 0, percent: String::new() };
            Some(part_of(unit, standing, value))
        }
        LineValue::Rate { numerator, denominator } => {
            Some(part_of(unit, standing, rate_value(numerator, denominator)))
        }
        LineValue::Level { .. } | LineValue::Attained { .. } | LineValue::Withdrawn { .. } => None,
    }
}

fn part_of(unit: &UnitId, standing: Standing, value: Value) -> Part {
    Part {
        unit: unit.clone(),
        value,
        revision: standing.revision.revision,
        event: standing.revision.event,
        position: standing.revision.position,
        document_date: standing.revision.document_date.to_string(),
        history: standing.revision.history,
    }
}
