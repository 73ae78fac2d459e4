//! A series: every period of one cell, with the expected path beside it.

use crate::cell::{Coverage, Value};
use crate::evaluate::{View, rate_value, state_value};
use crate::exact::shown_percent;
use crate::outlook::Outlook;
use events::{EventId, IndicatorId, Period, Position, UnitId};
use plan::{Form, Indicator, Level, Unit};
use serde::Serialize;

/// Every period of one cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Series {
    /// The unit.
    pub unit: UnitId,
    /// The indicator.
    pub indicator: IndicatorId,
    /// One for each period of the plan, oldest first.
    pub points: Vec<SeriesPoint>,
    /// For a rate: what is needed, and where it leads; left out for other kinds of cell.
    #[serde(flatten)]
    pub outlook: Option<Outlook>,
    /// RFC 3339 in the plan's time zone.
    pub as_of: String,
    /// RFC 3339 in the plan's time zone.
    pub known_at: String,
    /// The cut of the log.
    pub position: Position,
}

/// One period of a series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SeriesPoint {
    /// The period.
    pub period: Period,
    /// The value; of a share, as it stood at the period's end; null where none stands.
    pub value: Option<Value>,
    /// What the path expects, in percent, rounded for showing only; null where there is no path.
    pub expected: Option<String>,
    /// The revision that said it, where one report did.
    pub revision: Option<u32>,
    /// For a province's rate: how many districts the value covers. Incomplete ones are provisional.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Coverage>,
    /// True where the coverage is not whole, so that no status rests on the value.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub provisional: bool,
    /// The events that it rests on.
    pub because: Vec<EventId>,
}

impl View<'_> {
    /// Every period of one cell.
    pub fn series(&self, unit: &Unit, indicator: &Indicator) -> Series {
        let indicator = self.in_plan(indicator);
        let calendar = &self.plan().calendar;
        let form = self.plan().form(indicator);
        let mut points: Vec<SeriesPoint> =
            calendar.periods().map(|period| self.series_point(unit, indicator, form, period)).collect();
        if let Form::Rate { .. } = form {
            self.add_expected(unit, indicator, &mut points);
        }
        Series {
            unit: unit.id.clone(),
            indicator: indicator.id.clone(),
            points,
            outlook: self.outlook(unit, indicator),
            as_of: calendar.shown(self.moment().as_of),
            known_at: calendar.shown(self.moment().known_at),
            position: self.moment().cut,
        }
    }

    fn add_expected(&self, unit: &Unit, indicator: &Indicator, points: &mut [SeriesPoint]) {
        let rate_points = self.rate_points(unit, indicator).points;
        if self.spoken_target(unit, indicator).is_none() {
            return;
        }
        let Some(start) = self.rate_start(unit, indicator, &rate_points) else { return };
        let Some(path) = self.rate_path(unit, indicator, &start, &rate_points) else { return };
        for point in points.iter_mut().filter(|point| point.period >= start.period) {
            point.expected = Some(shown_percent(&path.expected(point.period.year())));
        }
    }

    fn series_point(&self, unit: &Unit, indicator: &Indicator, form: Form, period: Period) -> SeriesPoint {
        let mut point = SeriesPoint {
            period,
            value: None,
            expected: None,
            revision: None,
            coverage: None,
            provisional: false,
            because: Vec::new(),
        };
        match (form, unit.level) {
            (Form::Rate { by_districts: true }, Level::Province) => {
                let sum = self.sum(&unit.id, period, &indicator.measure);
                if sum.denominator > 0 {
                    point.value = Some(rate_value(sum.numerator, sum.denominator));
                    point.provisional = !sum.is_complete();
                }
                if sum.reported > 0 {
                    let small = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
                    point.coverage = Some(Coverage { reported: small(sum.reported), of: small(sum.of) });
                }
                point.because = sum.because;
            }
            (Form::Rate { .. }, _) => {
                let points = self.points(&unit.id, &indicator.measure);
                if let Some(found) = points.into_iter().find(|found| found.period == period) {
                    point.value = Some(rate_value(found.numerator, found.denominator));
                    point.revision = found.revision;
                    point.because = found.because;
                }
            }
            (Form::Share { .. }, Level::Province) => {
                if period.year() <= self.plan().calendar.year_of(self.moment().as_of)
                    && let Some((value, because)) = self.share_in(unit, indicator, period.year())
                {
                    point.value = Some(value);
                    point.because = because;
                }
            }
            (Form::State, _) | (Form::Share { .. }, Level::District) => {
                let at = self.plan().calendar.end_of_year(period.year()).min(self.moment().as_of);
                let measure = self.plan().measure_of(indicator);
                let state = self.state(unit, measure, period.year(), at);
                if let Some(state) = state.filter(|state| state.period == period) {
                    point.value = Some(state_value(state.value));
                    point.revision = Some(state.revision);
                    point.because = vec![state.event];
                }
            }
        }
        point
    }
}
