//! Series: every period of one cell.

use super::cells::percent_of;
use super::fraction::Fraction;
use super::{Asked, end_of_year, number, text, written};
use serde_json::{Value, json};

impl Asked<'_> {
    pub(super) fn series(&self, unit: &str, indicator: &Value) -> Value {
        let points: Vec<Value> =
            self.periods().map(|period| self.series_point(unit, indicator, period)).collect();
        let mut series = json!({
            "unit": unit,
            "indicator": indicator["id"],
            "points": points,
            "as_of": written(self.as_of),
            "known_at": written(self.known_at),
            "position": self.cut,
        });
        if self.is_rate(indicator) {
            self.add_outlook(&mut series, unit, indicator);
        }
        series
    }

    /// What a rate needs per year until the target's, and where its last two points lead.
    fn add_outlook(&self, series: &mut Value, unit: &str, indicator: &Value) {
        (series["needed_per_year"], series["projection"]) = (Value::Null, Value::Null);
        let points = self.points(unit, indicator);
        let (Some(latest), Some((target, _))) = (points.last(), self.spoken(unit, indicator)) else { return };
        let review = number(text(&target.data, "review"));
        let years = i64::from(review - latest.period);
        if years <= 0 {
            return;
        }
        let (years, zero, hundred) = (Fraction::new(years, 1), Fraction::new(0, 1), Fraction::new(100, 1));
        let wanted = percent_of(target);
        if !latest.percent.is_at_least(&wanted) {
            let needed = wanted.minus(&latest.percent).over(&years);
            series["needed_per_year"] = needed.shown().into();
            series["needed_exact"] = needed.exact().into();
        }
        let Some(before) = points.len().checked_sub(2).map(|index| &points[index]) else { return };
        let between = Fraction::new(i64::from(latest.period - before.period), 1);
        let per_year = latest.percent.minus(&before.percent).over(&between);
        let reached = latest.percent.plus(&per_year.times(&years));
        let (over, under) = (!hundred.is_at_least(&reached), !reached.is_at_least(&zero));
        let held = if over {
            &hundred
        } else if under {
            &zero
        } else {
            &reached
        };
        series["projection"] = json!({
            "review": review.to_string(),
            "percent": held.shown(),
            "exact": reached.over(&hundred).exact(),
            "clamped": over || under,
            "from": [before.period.to_string(), latest.period.to_string()],
            "note": "extrapolation",
            "per_year": per_year.shown(),
        });
    }

    fn series_point(&self, unit: &str, indicator: &Value, period: i16) -> Value {
        let mut point = json!({
            "period": period.to_string(),
            "value": null,
            "expected": null,
            "revision": null,
            "because": [],
        });
        let measure = text(indicator, "measure");
        if self.is_rate(indicator) {
            if self.is_sum(unit, indicator) {
                let sum = self.sum(period, measure);
                if sum.reported > 0 {
                    point["coverage"] = json!({"reported": sum.reported, "of": sum.of});
                }
                if let Some(summed) = &sum.point {
                    point["value"] = summed.value.clone();
                    if sum.reported < sum.of {
                        point["provisional"] = true.into();
                    }
                }
                point["because"] = sum.because.into();
            } else if let Some(own) = self.point(unit, period, measure) {
                point["value"] = own.value;
                point["revision"] = own.revision.into();
                point["because"] = own.because.into();
            }
            point["expected"] = self.series_expected(unit, indicator, period).into();
            return point;
        }
        let at = end_of_year(period).min(self.as_of);
        if self.is_share(indicator) && self.is_province(unit) {
            let count = self.count(indicator, period, at, at);
            if period <= self.year_of_as_of() && count.newest().is_some() {
                let target = self.spoken(unit, indicator).map(|(target, _)| target);
                point["value"] = count.shown(target);
                point["because"] = count.because().collect::<Vec<_>>().into();
            }
        } else if let Some(state) = self.state(unit, indicator, period, at)
            && state.period == period
        {
            point["value"] = state.shown;
            point["revision"] = state.event.data["revision"].clone();
            point["because"] = vec![state.event.id.clone()].into();
        }
        point
    }

    /// The path beside a rate: from its baseline on, with a target and at least two points.
    fn series_expected(&self, unit: &str, indicator: &Value, period: i16) -> Option<String> {
        let points = self.points(unit, indicator);
        let baseline = points.first().filter(|baseline| points.len() > 1 && period >= baseline.period)?;
        self.spoken(unit, indicator)?;
        self.expected(unit, indicator, baseline, period).map(|expected| expected.shown())
    }
}
