//! From facts at a moment to cells: values, targets, pace, status and verdicts.

use crate::cell::{Baseline, Cell, Coverage, Degraded, Provisional, Status, TargetInForce, Value, Verdict};
use crate::exact::{Exact, hundredths_of, percent_of, ratio, shown, shown_percent};
use crate::facts::{Facts, TargetFact};
use crate::moment::Moment;
use crate::path::Path;
use crate::standing::{Point, State, StateValue};
use crate::targets::Spoken;
use events::{EventId, Percent, Period, Position, TargetValue, Timestamp, UnitId};
use num_traits::Zero;
use plan::{Form, Indicator, Level, Plan, ReviewYear, Unit};
use std::collections::BTreeMap;

/// The facts as they look at a moment.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    facts: &'a Facts,
    plan: &'a Plan,
    moment: Moment,
    target_cut: Position,
}

/// The points of a rate: those that count, and a newer one that is not complete.
pub(crate) struct RatePoints {
    pub(crate) points: Vec<Point>,
    pub(crate) provisional: Option<Provisional>,
}

/// What a rate's pace rests on.
#[derive(Debug, Clone)]
pub struct RateProgress {
    /// The latest value.
    pub value: Exact,
    /// Its period.
    pub period: Period,
    /// What the path expects for that period; none without a target or a second point.
    pub expected: Option<Exact>,
    /// How far the value has come of it; none where the path does not rise.
    pub pace: Option<Exact>,
    /// Whether the value meets the target that the status speaks of.
    pub meets_target: bool,
}

/// How many of the districts have it.
struct Count {
    count: u32,
    of: u32,
    reported: u32,
    newest: Option<Period>,
    stale: Vec<UnitId>,
    lapsed: Vec<UnitId>,
    because: Vec<EventId>,
}

impl<'a> View<'a> {
    /// Looks at facts at a moment; none before the plan was adopted.
    pub fn new(facts: &'a Facts, moment: Moment) -> Option<View<'a>> {
        let adopted = facts.adopted()?;
        let known = adopted.position <= moment.cut;
        known.then_some(View { facts, plan: &adopted.plan, moment, target_cut: moment.cut })
    }

    /// The same view with the targets as they were known at an earlier cut: what the cell would say had no target changed since.
    pub fn with_targets_known_at(self, cut: Position) -> View<'a> {
        View { target_cut: cut.min(self.moment.cut), ..self }
    }

    /// The facts looked at.
    pub fn facts(&self) -> &'a Facts {
        self.facts
    }

    /// The plan.
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
        let indicators = self.plan.indicators.iter();
        indicators
            .filter(|indicator| self.plan.has_cell(unit.level, indicator))
            .map(|indicator| self.cell(unit, indicator))
            .collect()
    }

    /// One cell.
    pub fn cell(&self, unit: &Unit, indicator: &Indicator) -> Cell {
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
            report: self.report_shown(unit),
            provisional: None,
            degraded: self.degraded(unit, indicator),
            as_of: calendar.shown(self.moment.as_of),
            known_at: calendar.shown(self.moment.known_at),
            position: self.moment.cut,
            because: Vec::new(),
        };
        let status = match (self.plan.form(indicator), unit.level) {
            (Form::Rate { .. }, _) => self.fill_rate(&mut cell, unit, indicator, spoken),
            (Form::Share { .. }, Level::Province) => self.fill_share(&mut cell, indicator, spoken),
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
        let of_districts = self
            .plan
            .districts()
            .filter(|_| sums_over_districts)
            .filter_map(|district| since(Some(&district.id)));
        let all = since(None).into_iter().chain(since(Some(&unit.id))).chain(of_districts);
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

    // ---- rates ----

    /// The points of a rate: a district's own, or the province's complete sums.
    pub(crate) fn rate_points(&self, unit: &Unit, indicator: &Indicator) -> RatePoints {
        let by_districts = self.plan.form(indicator) == Form::Rate { by_districts: true };
        if !(by_districts && unit.level == Level::Province) {
            return RatePoints { points: self.points(&unit.id, &indicator.measure), provisional: None };
        }
        let mut points = Vec::new();
        let mut provisional = None;
        for period in self.plan.calendar.periods() {
            let sum = self.sum(period, &indicator.measure);
            if sum.denominator == 0 {
                continue;
            }
            if sum.is_complete() {
                provisional = None;
                points.push(Point {
                    period,
                    numerator: sum.numerator,
                    denominator: sum.denominator,
                    because: sum.because,
                    revision: None,
                });
            } else {
                provisional = Some(Provisional {
                    period,
                    value: rate_value(sum.numerator, sum.denominator),
                    coverage: Coverage { reported: small(sum.reported), of: small(sum.of) },
                });
            }
        }
        RatePoints { points, provisional }
    }

    /// The path of a rate from its baseline through the targets in force; none without either.
    pub(crate) fn rate_path(&self, unit: &Unit, indicator: &Indicator, points: &[Point]) -> Option<Path> {
        let baseline = points.first()?;
        let targets = self.plan.reviews.iter().filter_map(|review| {
            let fact = self.target_for(unit, indicator, review.review)?;
            percent_value(fact).map(|percent| (review.review.year(), percent_of(percent)))
        });
        Path::new((baseline.period.year(), baseline.ratio()), targets)
    }

    /// The pace of a rate cell and what it rests on; none for other kinds of cell and without a value.
    pub fn rate_progress(&self, unit: &Unit, indicator: &Indicator) -> Option<RateProgress> {
        let Form::Rate { .. } = self.plan.form(indicator) else { return None };
        let spoken = self.spoken_target(unit, indicator);
        self.progress_of(unit, indicator, spoken, &self.rate_points(unit, indicator).points)
    }

    fn progress_of(
        &self,
        unit: &Unit,
        indicator: &Indicator,
        spoken: Option<Spoken<'_>>,
        points: &[Point],
    ) -> Option<RateProgress> {
        let latest = points.last()?;
        let value = latest.ratio();
        let target = spoken.and_then(|spoken| percent_value(spoken.fact));
        let path =
            (points.len() > 1 && target.is_some()).then(|| self.rate_path(unit, indicator, points)).flatten();
        let year = latest.period.year();
        Some(RateProgress {
            expected: path.as_ref().map(|path| path.expected(year)),
            pace: path.as_ref().and_then(|path| path.pace(year, &value)),
            meets_target: target.is_some_and(|percent| value >= percent_of(percent)),
            period: latest.period,
            value,
        })
    }

    fn fill_rate(
        &self,
        cell: &mut Cell,
        unit: &Unit,
        indicator: &Indicator,
        spoken: Option<Spoken<'_>>,
    ) -> Status {
        let RatePoints { points, provisional } = self.rate_points(unit, indicator);
        cell.provisional = provisional;
        let Some(progress) = self.progress_of(unit, indicator, spoken, &points) else {
            return Status::NoData;
        };
        let (first, latest) = (&points[0], &points[points.len() - 1]);
        cell.period = Some(latest.period);
        cell.value = Some(rate_value(latest.numerator, latest.denominator));
        cell.because.extend(&latest.because);
        if points.len() > 1 {
            cell.baseline = Some(Baseline { period: first.period, percent: shown_percent(&first.ratio()) });
            cell.because.extend(&first.because);
        }
        cell.expected = progress.expected.as_ref().map(shown_percent);
        cell.pace = progress.pace.as_ref().map(shown);
        let Some(spoken) = spoken else { return Status::NoTarget };
        self.rate_status(&progress, spoken, points.len())
    }

    fn rate_status(&self, progress: &RateProgress, spoken: Spoken<'_>, points: usize) -> Status {
        if progress.meets_target {
            return Status::Achieved;
        }
        if self.is_last_and_ended(spoken) && progress.period.year() == spoken.fact.review.year() {
            return Status::Missed;
        }
        let thresholds = &self.plan.thresholds;
        match (&progress.expected, &progress.pace) {
            _ if points < 2 => Status::NoBaseline,
            (None, _) => Status::NoBaseline,
            (Some(expected), None) if progress.value >= *expected => Status::OnTrack,
            (Some(_), None) => Status::Regressing,
            (Some(_), Some(pace)) if *pace < Exact::zero() => Status::Regressing,
            (Some(_), Some(pace)) if *pace >= hundredths_of(thresholds.on_track.hundredths()) => {
                Status::OnTrack
            }
            (Some(_), Some(pace)) if *pace >= hundredths_of(thresholds.at_risk.hundredths()) => {
                Status::AtRisk
            }
            (Some(_), Some(_)) => Status::Behind,
        }
    }

    fn is_last_and_ended(&self, spoken: Spoken<'_>) -> bool {
        let review = spoken.fact.review;
        self.plan.reviews.last().is_some_and(|last| last.review == review) && self.has_ended(review)
    }

    // ---- levels, yes/no, and a district's own part of a share ----

    fn fill_state(
        &self,
        cell: &mut Cell,
        unit: &Unit,
        indicator: &Indicator,
        spoken: Option<Spoken<'_>>,
    ) -> Status {
        let Some(state) = self.state_at(unit, indicator, i16::MAX, self.moment.as_of) else {
            return Status::NoData;
        };
        cell.period = Some(state.period);
        cell.value = Some(state_value(state.value));
        cell.because.push(state.event);
        let Some(spoken) = spoken else { return Status::NoTarget };
        let form = self.plan.form(indicator);
        let met_in = |year: i16| {
            let at = self.plan.calendar.end_of_year(year);
            self.state_at(unit, indicator, year, at)
                .is_some_and(|state| meets(form, spoken.fact, state.value))
        };
        self.other_status(meets(form, spoken.fact, state.value), Some(state.period), spoken, met_in)
    }

    fn state_at(&self, unit: &Unit, indicator: &Indicator, year: i16, lapsed_at: Timestamp) -> Option<State> {
        self.state(unit, self.plan.measure_of(indicator), year, lapsed_at)
    }

    /// The status of anything but a rate.
    fn other_status(
        &self,
        met: bool,
        period: Option<Period>,
        spoken: Spoken<'_>,
        met_in: impl Fn(i16) -> bool,
    ) -> Status {
        if met {
            return Status::Achieved;
        }
        let last_year = spoken.fact.review.year();
        if self.is_last_and_ended(spoken)
            && period.is_some_and(|period| period.year() == last_year)
            && !met_in(last_year)
        {
            return Status::Missed;
        }
        let as_of_year = self.plan.calendar.year_of(self.moment.as_of);
        let first_year = self.plan.calendar.first_period.year();
        if (first_year..as_of_year).any(met_in) { Status::Regressing } else { Status::Pending }
    }

    // ---- shares of districts ----

    fn count(&self, indicator: &Indicator, year: i16, lapsed_at: Timestamp, in_force_at: Timestamp) -> Count {
        let form = self.plan.form(indicator);
        let units = self.districts_in_force(in_force_at);
        let states: Vec<(&Unit, State)> = units
            .iter()
            .filter_map(|unit| Some((*unit, self.state_at(unit, indicator, year, lapsed_at)?)))
            .collect();
        let newest = states.iter().map(|(_, state)| state.period).max();
        let ids_where = |wanted: &dyn Fn(&State) -> bool| -> Vec<UnitId> {
            states.iter().filter(|(_, state)| wanted(state)).map(|(unit, _)| unit.id.clone()).collect()
        };
        Count {
            count: small(states.iter().filter(|(_, state)| counts(form, state.value)).count()),
            of: small(units.len()),
            reported: small(states.len()),
            newest,
            stale: ids_where(&|state| Some(state.period) < newest),
            lapsed: ids_where(&|state| matches!(state.value, StateValue::Attained { lapsed: true, .. })),
            because: states.iter().map(|(_, state)| state.event).collect(),
        }
    }

    fn fill_share(&self, cell: &mut Cell, indicator: &Indicator, spoken: Option<Spoken<'_>>) -> Status {
        let now = self.moment.as_of;
        let count = self.count(indicator, i16::MAX, now, now);
        if count.reported == 0 {
            return Status::NoData;
        }
        let percent = spoken.and_then(|spoken| percent_value(spoken.fact));
        cell.period = count.newest;
        cell.value = Some(share_value(&count, percent));
        cell.because.extend(&count.because);
        let (Some(spoken), Some(percent)) = (spoken, percent) else { return Status::NoTarget };
        let met_in = |year: i16| {
            let end = self.plan.calendar.end_of_year(year);
            let then = self.count(indicator, year, end, end);
            then.reported > 0 && reaches(&then, percent)
        };
        self.other_status(reaches(&count, percent), count.newest, spoken, met_in)
    }

    /// A share's value as it stood at the end of a year, or now within the as-of year; for series.
    pub(crate) fn share_in(&self, indicator: &Indicator, year: i16) -> Option<(Value, Vec<EventId>)> {
        let at = self.plan.calendar.end_of_year(year).min(self.moment.as_of);
        let count = self.count(indicator, year, at, at);
        let percent =
            self.spoken_target(self.plan.province(), indicator).and_then(|spoken| percent_value(spoken.fact));
        (count.reported > 0).then(|| (share_value(&count, percent), count.because))
    }

    // ---- verdicts ----

    /// What each review says of a cell: null before its year has ended and where no target bound the cell at its end.
    pub(crate) fn verdicts(
        &self,
        unit: &Unit,
        indicator: &Indicator,
    ) -> BTreeMap<events::Review, Option<Verdict>> {
        let reviews = self.plan.reviews.iter();
        reviews.map(|review| (review.review, self.verdict(unit, indicator, review))).collect()
    }

    fn verdict(&self, unit: &Unit, indicator: &Indicator, review: &ReviewYear) -> Option<Verdict> {
        if !self.has_ended(review.review) {
            return None;
        }
        let target = self.target_for(unit, indicator, review.review)?;
        let year = review.review.year();
        let end = self.plan.calendar.end_of_year(year);
        let form = self.plan.form(indicator);
        let met = match (form, unit.level) {
            (Form::Rate { .. }, _) => {
                let points = self.rate_points(unit, indicator).points;
                let point = points.into_iter().find(|point| point.period.year() == year);
                let percent = percent_value(target)?;
                point.map(|point| point.ratio() >= percent_of(percent))
            }
            (Form::Share { .. }, Level::Province) => {
                let in_force_at = review.units_as_of.map_or(end, |date| self.plan.calendar.end_of_day(date));
                let count = self.count(indicator, year, end, in_force_at);
                let percent = percent_value(target)?;
                (count.reported > 0).then(|| reaches(&count, percent))
            }
            (Form::State, _) | (Form::Share { .. }, Level::District) => {
                self.state_at(unit, indicator, year, end).map(|state| meets(form, target, state.value))
            }
        };
        Some(met.map_or(Verdict::NoData, |met| if met { Verdict::Met } else { Verdict::NotMet }))
    }
}

/// Whether a district's state counts towards a share.
fn counts(form: Form, state: StateValue) -> bool {
    match (form, state) {
        (Form::Share { from_level: Some(lowest) }, StateValue::Level(level)) => level >= lowest,
        (_, StateValue::Attained { attained, .. }) => attained,
        (_, StateValue::Level(_)) => false,
    }
}

/// Whether a state meets a target: the province's own by its value, a district's part of a share by counting.
fn meets(form: Form, target: &TargetFact, state: StateValue) -> bool {
    match (form, target.value, state) {
        (Form::State, TargetValue::Level(wanted), StateValue::Level(level)) => level >= wanted,
        (Form::State, TargetValue::Attained(wanted), StateValue::Attained { attained, .. }) => {
            attained == wanted
        }
        (Form::Share { .. }, _, state) => counts(form, state),
        (Form::State | Form::Rate { .. }, _, _) => false,
    }
}

/// Whether enough districts have it, compared in whole numbers: `100·k ≥ p·N`.
fn reaches(count: &Count, percent: Percent) -> bool {
    u64::from(count.count) * 10_000 >= u64::from(percent.hundredths()) * u64::from(count.of)
}

fn share_value(count: &Count, percent: Option<Percent>) -> Value {
    let needed = percent.map(|percent| {
        let wanted = (u64::from(percent.hundredths()) * u64::from(count.of)).div_ceil(10_000);
        u32::try_from(wanted).unwrap_or(u32::MAX).saturating_sub(count.count)
    });
    Value::Share {
        count: count.count,
        of: count.of,
        percent: shown_percent(&ratio(u64::from(count.count), u64::from(count.of.max(1)))),
        needed,
        stale: count.stale.clone(),
        lapsed: count.lapsed.clone(),
    }
}

pub(crate) fn rate_value(numerator: u64, denominator: u64) -> Value {
    Value::Rate { numerator, denominator, percent: shown_percent(&ratio(numerator, denominator)) }
}

pub(crate) fn state_value(state: StateValue) -> Value {
    match state {
        StateValue::Level(level) => Value::Level { level },
        StateValue::Attained { attained, lapsed } => Value::Attained { attained, lapsed },
    }
}

fn percent_value(fact: &TargetFact) -> Option<Percent> {
    match fact.value {
        TargetValue::Percent(percent) => Some(percent),
        TargetValue::Level(_) | TargetValue::Attained(_) | TargetValue::Withdrawn(_) => None,
    }
}

fn small(count: usize) -> u32 {
    u32::try_from(count).expect("a plan has at most ten thousand units")
}
