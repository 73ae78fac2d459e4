//! Rates: points, path, pace and status.

use super::{View, first_that_applies, percent_value, small};
use crate::cell::{Cell, Coverage, Provisional, Status, Value};
use crate::exact::{Exact, hundredths_of, percent_of, ratio, shown, shown_percent};
use crate::path::Path;
use crate::standing::Point;
use crate::successors::Start;
use crate::targets::Spoken;
use events::Period;
use num_traits::Zero;
use plan::{Form, Indicator, Level, Ratio, Unit};

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
    /// What the path expects for that period; none without a target or a baseline before it.
    pub expected: Option<Exact>,
    /// How far the value has come of it; none where the path does not rise.
    pub pace: Option<Exact>,
    /// Whether the value meets the target that the status speaks of.
    pub meets_target: bool,
}

impl View<'_> {
    /// The points of a rate: a district's own, or the province's complete sums.
    pub(crate) fn rate_points(&self, unit: &Unit, indicator: &Indicator) -> RatePoints {
        let by_districts = self.plan.form(indicator) == Form::Rate { by_districts: true };
        if !(by_districts && unit.level == Level::Province) {
            return RatePoints { points: self.points(&unit.id, &indicator.measure), provisional: None };
        }
        let mut points = Vec::new();
        let mut provisional = None;
        for period in self.plan.calendar.periods() {
            let sum = self.sum(&unit.id, period, &indicator.measure);
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

    /// The path of a rate from its baseline through the targets in force; none without either, and none
    /// without a value that is of a later period than the baseline.
    pub(crate) fn rate_path(
        &self,
        unit: &Unit,
        indicator: &Indicator,
        start: &Start,
        points: &[Point],
    ) -> Option<Path> {
        points.last().filter(|latest| latest.period > start.period)?;
        let targets = self.plan.reviews.iter().filter_map(|review| {
            let fact = self.target_for(unit, indicator, review.review)?;
            percent_value(fact).map(|percent| (review.review.year(), percent_of(percent)))
        });
        Path::new((start.period.year(), start.ratio.clone()), targets)
    }

    /// The pace of a rate cell and what it rests on; none for other kinds of cell and without a value.
    pub fn rate_progress(&self, unit: &Unit, indicator: &Indicator) -> Option<RateProgress> {
        let Form::Rate { .. } = self.plan.form(indicator) else { return None };
        let indicator = self.in_plan(indicator);
        let spoken = self.spoken_target(unit, indicator);
        let points = self.rate_points(unit, indicator).points;
        let start = self.rate_start(unit, indicator, &points);
        self.progress_of(unit, indicator, spoken, &points, start.as_ref())
    }

    pub(super) fn progress_of(
        &self,
        unit: &Unit,
        indicator: &Indicator,
        spoken: Option<Spoken<'_>>,
        points: &[Point],
        start: Option<&Start>,
    ) -> Option<RateProgress> {
        let latest = points.last()?;
        let value = latest.ratio();
        let target = spoken.and_then(|spoken| percent_value(spoken.fact));
        let start = start.filter(|_| target.is_some());
        let path = start.and_then(|start| self.rate_path(unit, indicator, start, points));
        let year = latest.period.year();
        Some(RateProgress {
            expected: path.as_ref().map(|path| path.expected(year)),
            pace: path.as_ref().and_then(|path| path.pace(year, &value)),
            meets_target: target.is_some_and(|percent| value >= percent_of(percent)),
            period: latest.period,
            value,
        })
    }

    pub(super) fn fill_rate(
        &self,
        cell: &mut Cell,
        unit: &Unit,
        indicator: &Indicator,
        spoken: Option<Spoken<'_>>,
    ) -> Status {
        let RatePoints { points, provisional } = self.rate_points(unit, indicator);
        cell.provisional = provisional;
        let start = self.rate_start(unit, indicator, &points);
        cell.baseline = start.as_ref().map(Start::shown);
        let Some(progress) = self.progress_of(unit, indicator, spoken, &points, start.as_ref()) else {
            return Status::NoData;
        };
        let latest = &points[points.len() - 1];
        cell.period = Some(latest.period);
        cell.value = Some(rate_value(latest.numerator, latest.denominator));
        cell.because.extend(&latest.because);
        if let Some(start) = start {
            cell.because.extend(&start.because);
        }
        cell.expected = progress.expected.as_ref().map(shown_percent);
        cell.pace = progress.pace.as_ref().map(shown);
        let Some(spoken) = spoken else { return Status::NoTarget };
        self.rate_status(&progress, spoken)
    }

    fn rate_status(&self, progress: &RateProgress, spoken: Spoken<'_>) -> Status {
        first_that_applies(&self.rate_rules(progress, spoken))
    }

    /// The rules for a rate that has a value and a target, in order, and whether each applies.
    pub(super) fn rate_rules(&self, progress: &RateProgress, spoken: Spoken<'_>) -> [(Status, bool); 7] {
        let thresholds = &self.plan.thresholds;
        let keeps = |least: Ratio| {
            progress.pace.as_ref().is_some_and(|pace| *pace >= hundredths_of(least.hundredths()))
        };
        let of_last_year = progress.period.year() == spoken.fact.review.year();
        let (no_path, falls_back, holds) = match (&progress.expected, &progress.pace) {
            (None, _) => (true, false, false),
            // A path that does not rise.
            (Some(expected), None) => (false, progress.value < *expected, progress.value >= *expected),
            (Some(_), Some(pace)) => (false, *pace < Exact::zero(), keeps(thresholds.on_track)),
        };
        [
            (Status::Achieved, progress.meets_target),
            (Status::Missed, self.is_last_and_ended(spoken) && of_last_year),
            (Status::Regressing, falls_back),
            (Status::NoBaseline, no_path),
            (Status::OnTrack, holds),
            (Status::AtRisk, keeps(thresholds.at_risk)),
            (Status::Behind, true),
        ]
    }

    pub(super) fn is_last_and_ended(&self, spoken: Spoken<'_>) -> bool {
        let review = spoken.fact.review;
        self.plan.reviews.last().is_some_and(|last| last.review == review) && self.has_ended(review)
    }
}

pub(crate) fn rate_value(numerator: u64, denominator: u64) -> Value {
    Value::Rate { numerator, denominator, percent: shown_percent(&ratio(numerator, denominator)) }
}
