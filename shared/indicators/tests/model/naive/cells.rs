//! Cells: value, target, baseline, expected, pace, status, verdicts.

use super::fraction::Fraction;
use super::{Asked, Event, end_of_day, end_of_year, number, start_of_day, text, written};
use events::Timestamp;
use jiff::civil::date;
use serde_json::{Map, Value, json};

/// Numerator and denominator of a period, in percent as a fraction.
pub(super) struct Point {
    pub(super) period: i16,
    pub(super) value: Value,
    pub(super) percent: Fraction,
    pub(super) because: Vec<String>,
    pub(super) revision: Option<u64>,
}

/// A province's sum of one period.
pub(super) struct Sum {
    pub(super) point: Option<Point>,
    pub(super) reported: usize,
    pub(super) of: usize,
    pub(super) because: Vec<String>,
}

/// A unit's own level or recognition.
pub(super) struct State<'a> {
    pub(super) period: i16,
    pub(super) shown: Value,
    pub(super) event: &'a Event,
    level: Option<i64>,
    attained: bool,
    pub(super) lapsed: bool,
}

/// The districts that have it.
pub(super) struct Count<'a> {
    units: Vec<&'a str>,
    states: Vec<(&'a str, State<'a>)>,
    having: usize,
}

/// The status and what leads to it.
struct Judged {
    status: &'static str,
    expected: Option<String>,
    pace: Option<String>,
}

fn rate(numerator: i64, denominator: i64) -> (Value, Fraction) {
    let percent = Fraction::new(numerator, denominator).times(&Fraction::new(100, 1));
    let shown = percent.shown();
    (json!({"numerator": numerator, "denominator": denominator, "percent": shown}), percent)
}

pub(super) fn percent_of(target: &Event) -> Fraction {
    Fraction::decimal(text(&target.data, "percent"))
}

impl<'a> Asked<'a> {
    pub(super) fn cell(&self, unit: &str, indicator: &Value) -> Value {
        let spoken = self.spoken(unit, indicator);
        let mut cell = json!({
            "unit": unit,
            "indicator": indicator["id"],
            "period": null,
            "value": null,
            "target": spoken.map(|(target, goes_on)| self.target_shown(unit, indicator, target, goes_on)),
            "baseline": null,
            "expected": null,
            "pace": null,
            "status": null,
            "verdicts": self.verdicts(unit, indicator),
            "report": self.report_shown(unit),
            "provisional": null,
            "as_of": written(self.as_of),
            "known_at": written(self.known_at),
            "position": self.cut,
            "because": [],
        });
        let mut because: Vec<String> = spoken.iter().map(|(target, _)| target.id.clone()).collect();
        let judged = if self.is_rate(indicator) {
            self.fill_rate(&mut cell, &mut because, unit, indicator)
        } else {
            let status = if self.is_share(indicator) && self.is_province(unit) {
                self.fill_share(&mut cell, &mut because, indicator)
            } else {
                self.fill_state(&mut cell, &mut because, unit, indicator)
            };
            Judged { status, expected: None, pace: None }
        };
        cell["status"] = judged.status.into();
        cell["expected"] = judged.expected.into();
        cell["pace"] = judged.pace.into();
        if !self.in_force(unit, self.as_of) {
            cell["in_force"] = false.into();
        }
        because.sort();
        because.dedup();
        cell["because"] = because.into();
        cell
    }

    fn target_shown(&self, unit: &str, indicator: &Value, target: &Event, goes_on: bool) -> Value {
        let mut shown = Map::new();
        for field in ["review", "mark", "instrument"] {
            shown.insert(field.into(), target.data[field].clone());
        }
        if self.is_share(indicator) && !self.is_province(unit) {
            match self.measure(indicator)["kind"].as_str() {
                Some("level") => shown.insert("level".into(), lowest_level(indicator).into()),
                _ => shown.insert("attained".into(), true.into()),
            };
        } else {
            for field in ["percent", "level", "attained"] {
                let value = target.data.get(field);
                value.map(|value| shown.insert(field.into(), value.clone()));
            }
        }
        if goes_on {
            shown.insert("restated".into(), false.into());
        }
        Value::Object(shown)
    }

    /// A unit's own rate of one period.
    pub(super) fn point(&self, unit: &str, period: i16, measure: &str) -> Option<Point> {
        let line = self.standing(unit, period, measure)?;
        let [numerator, denominator] =
            ["numerator", "denominator"].map(|field| line.value[field].as_i64().unwrap());
        (denominator > 0).then(|| {
            let (value, percent) = rate(numerator, denominator);
            let because = vec![line.event.id.clone()];
            Point { period, value, percent, because, revision: line.event.data["revision"].as_u64() }
        })
    }

    /// The sum over the districts in force on the last day of a period.
    pub(super) fn sum(&self, period: i16, measure: &str) -> Sum {
        let units = self.districts_in_force(end_of_year(period));
        let lines: Vec<_> = units.iter().filter_map(|unit| self.standing(unit, period, measure)).collect();
        let total = |field: &str| lines.iter().map(|line| line.value[field].as_i64().unwrap()).sum::<i64>();
        let because: Vec<String> = lines.iter().map(|line| line.event.id.clone()).collect();
        let point = (total("denominator") > 0).then(|| {
            let (value, percent) = rate(total("numerator"), total("denominator"));
            Point { period, value, percent, because: because.clone(), revision: None }
        });
        Sum { point, reported: lines.len(), of: units.len(), because }
    }

    pub(super) fn is_sum(&self, unit: &str, indicator: &Value) -> bool {
        self.is_province(unit) && self.measure(indicator)["level"] == "district"
    }

    /// The points that count: a unit's own, or the province's complete sums.
    pub(super) fn points(&self, unit: &str, indicator: &Value) -> Vec<Point> {
        let measure = text(indicator, "measure");
        if !self.is_sum(unit, indicator) {
            return self.periods().filter_map(|period| self.point(unit, period, measure)).collect();
        }
        let sums = self.periods().map(|period| self.sum(period, measure));
        sums.filter(|sum| sum.reported == sum.of).filter_map(|sum| sum.point).collect()
    }

    /// The newest incomplete period after those that count.
    fn provisional(&self, unit: &str, indicator: &Value, after: Option<i16>) -> Option<Value> {
        let measure = text(indicator, "measure");
        let newer = self.periods().rev().filter(|period| after.is_none_or(|after| *period > after));
        let mut sums = newer.filter(|_| self.is_sum(unit, indicator)).map(|period| self.sum(period, measure));
        let sum = sums.find(|sum| sum.point.is_some() && sum.reported < sum.of)?;
        let point = sum.point.as_ref()?;
        Some(json!({
            "period": point.period.to_string(),
            "value": point.value,
            "coverage": {"reported": sum.reported, "of": sum.of},
        }))
    }

    /// What is expected in a year: on the line between the two corners around it.
    pub(super) fn expected(
        &self,
        unit: &str,
        indicator: &Value,
        baseline: &Point,
        year: i16,
    ) -> Option<Fraction> {
        let mut corners = vec![(baseline.period, baseline.percent.clone())];
        for review in self.reviews().filter(|review| *review > baseline.period) {
            let target = self.target(unit, indicator, review);
            corners.extend(target.map(|target| (review, percent_of(target))));
        }
        if corners.len() < 2 {
            return None;
        }
        let before = corners.iter().rev().find(|(corner, _)| *corner <= year)?;
        let Some(after) = corners.iter().find(|(corner, _)| *corner > year) else {
            return Some(before.1.clone());
        };
        let part = Fraction::new(i64::from(year - before.0), i64::from(after.0 - before.0));
        Some(before.1.plus(&after.1.minus(&before.1).times(&part)))
    }

    fn fill_rate(
        &self,
        cell: &mut Value,
        because: &mut Vec<String>,
        unit: &str,
        indicator: &Value,
    ) -> Judged {
        let points = self.points(unit, indicator);
        let latest_period = points.last().map(|point| point.period);
        cell["provisional"] = self.provisional(unit, indicator, latest_period).into();
        let (Some(first), Some(latest)) = (points.first(), points.last()) else {
            return Judged { status: "no-data", expected: None, pace: None };
        };
        cell["period"] = latest.period.to_string().into();
        cell["value"] = latest.value.clone();
        because.extend(latest.because.iter().cloned());
        if points.len() > 1 {
            cell["baseline"] = json!({"period": first.period.to_string(), "percent": first.percent.shown()});
            because.extend(first.because.iter().cloned());
        }
        let Some((target, _)) = self.spoken(unit, indicator) else {
            return Judged { status: "no-target", expected: None, pace: None };
        };
        let has_path = points.len() > 1;
        let expected = has_path.then(|| self.expected(unit, indicator, first, latest.period)).flatten();
        let rises = expected.as_ref().is_some_and(|expected| !first.percent.is_at_least(expected));
        let pace = expected
            .as_ref()
            .filter(|_| rises)
            .map(|expected| latest.percent.minus(&first.percent).over(&expected.minus(&first.percent)));
        let review = number(text(&target.data, "review"));
        let is_last = self.reviews().last() == Some(review);
        let at_least = |name: &str| {
            let threshold = Fraction::decimal(text(&self.plan["thresholds"], name));
            pace.as_ref().is_some_and(|pace| pace.is_at_least(&threshold))
        };
        let is_negative = pace.as_ref().is_some_and(|pace| !pace.is_at_least(&Fraction::new(0, 1)));
        let status = if latest.percent.is_at_least(&percent_of(target)) {
            "achieved"
        } else if is_last && self.has_ended(review) && latest.period == review {
            "missed"
        } else if is_negative {
            "regressing"
        } else {
            match (&expected, &pace) {
                (None, _) => "no-baseline",
                (Some(expected), None) if latest.percent.is_at_least(expected) => "on-track",
                (Some(_), None) => "regressing",
                (Some(_), Some(_)) if at_least("on_track") => "on-track",
                (Some(_), Some(_)) if at_least("at_risk") => "at-risk",
                (Some(_), Some(_)) => "behind",
            }
        };
        let shown = |fraction: &Fraction| fraction.shown();
        Judged { status, expected: expected.as_ref().map(shown), pace: pace.as_ref().map(shown) }
    }

    /// A unit's own level or recognition by its highest period up to a year, lapsed or not at an instant.
    pub(super) fn state(
        &self,
        unit: &str,
        indicator: &Value,
        up_to: i16,
        lapsed_at: Timestamp,
    ) -> Option<State<'a>> {
        let measure = self.measure(indicator);
        let periods = self.periods().rev().filter(|period| *period <= up_to);
        let mut standing =
            periods.filter_map(|period| Some((period, self.standing(unit, period, text(measure, "id"))?)));
        let (period, line) = standing.next()?;
        let level = line.value["level"].as_i64();
        let recognised = line.value["recognised_year"].as_str().map_or(period, number);
        let lapses = measure["months"].as_i64().map(|months| {
            let year = recognised + 1 + i16::try_from(months / 12).unwrap();
            start_of_day(date(year, i8::try_from(months % 12 + 1).unwrap(), 1))
        });
        let was_attained = line.value["attained"] == true;
        let lapsed = was_attained && lapses.is_some_and(|lapses| lapsed_at >= lapses);
        let attained = was_attained && !lapsed;
        let shown = match level {
            Some(level) => json!({"level": level}),
            None if lapsed => json!({"attained": false, "lapsed": true}),
            None => json!({"attained": attained}),
        };
        Some(State { period, shown, event: line.event, level, attained, lapsed })
    }

    /// Whether a state is what the target asks for, or counts towards a share.
    fn is_met(&self, indicator: &Value, target: Option<&Event>, state: &State<'_>) -> bool {
        let wanted = match target {
            Some(target) if !self.is_share(indicator) => target.data["level"].as_i64(),
            _ => Some(lowest_level(indicator)),
        };
        state.level.map_or(state.attained, |level| wanted.is_some_and(|wanted| level >= wanted))
    }

    fn fill_state(
        &self,
        cell: &mut Value,
        because: &mut Vec<String>,
        unit: &str,
        indicator: &Value,
    ) -> &'static str {
        let Some(state) = self.state(unit, indicator, i16::MAX, self.as_of) else { return "no-data" };
        cell["period"] = state.period.to_string().into();
        cell["value"] = state.shown.clone();
        because.push(state.event.id.clone());
        let Some((target, _)) = self.spoken(unit, indicator) else { return "no-target" };
        let met_in = |year: i16| {
            let then = self.state(unit, indicator, year, end_of_year(year));
            then.is_some_and(|then| self.is_met(indicator, Some(target), &then))
        };
        let met = self.is_met(indicator, Some(target), &state);
        self.other_status(unit, indicator, target, met, state.period, met_in)
    }

    /// The status of a level, a recognition or a share that has a value and a target.
    fn other_status(
        &self,
        unit: &str,
        indicator: &Value,
        target: &Event,
        met: bool,
        period: i16,
        met_in: impl Fn(i16) -> bool,
    ) -> &'static str {
        let review = number(text(&target.data, "review"));
        let is_last = self.reviews().last() == Some(review);
        let verdict_is_against = || self.verdict(unit, indicator, review) == Some("not-met");
        if met {
            "achieved"
        } else if is_last && period == review && verdict_is_against() {
            "missed"
        } else if (*self.periods().start()..self.year_of_as_of()).any(met_in) {
            "regressing"
        } else {
            "pending"
        }
    }

    /// The districts in force at an instant, each by its latest state up to a year.
    pub(super) fn count(
        &self,
        indicator: &Value,
        up_to: i16,
        lapsed_at: Timestamp,
        in_force_at: Timestamp,
    ) -> Count<'a> {
        let units = self.districts_in_force(in_force_at);
        let states: Vec<_> = units
            .iter()
            .filter_map(|unit| Some((*unit, self.state(unit, indicator, up_to, lapsed_at)?)))
            .collect();
        let having = states.iter().filter(|(_, state)| self.is_met(indicator, None, state)).count();
        Count { units, states, having }
    }

    fn fill_share(&self, cell: &mut Value, because: &mut Vec<String>, indicator: &Value) -> &'static str {
        let count = self.count(indicator, i16::MAX, self.as_of, self.as_of);
        let Some(newest) = count.newest() else { return "no-data" };
        let spoken = self.spoken(self.province(), indicator).map(|(target, _)| target);
        cell["period"] = newest.to_string().into();
        cell["value"] = count.shown(spoken);
        because.extend(count.because());
        let Some(target) = spoken else { return "no-target" };
        let met_in = |year: i16| {
            let end = end_of_year(year);
            let then = self.count(indicator, year, end, end);
            then.newest().is_some() && then.reaches(target)
        };
        self.other_status(self.province(), indicator, target, count.reaches(target), newest, met_in)
    }

    fn verdicts(&self, unit: &str, indicator: &Value) -> Value {
        let verdicts =
            self.reviews().map(|year| (year.to_string(), self.verdict(unit, indicator, year).into()));
        Value::Object(verdicts.collect())
    }

    fn verdict(&self, unit: &str, indicator: &Value, year: i16) -> Option<&'static str> {
        let target = self.target(unit, indicator, year).filter(|_| self.has_ended(year))?;
        let end = end_of_year(year);
        let met = if self.is_rate(indicator) {
            let point = self.points(unit, indicator).into_iter().find(|point| point.period == year);
            point.map(|point| point.percent.is_at_least(&percent_of(target)))
        } else if self.is_share(indicator) && self.is_province(unit) {
            let review = self.list("reviews").find(|review| number(text(review, "review")) == year).unwrap();
            let decided = review["units_as_of"].as_str().map(|day| end_of_day(day.parse().unwrap()));
            let count = self.count(indicator, year, end, decided.unwrap_or(end));
            count.newest().map(|_| count.reaches(target))
        } else {
            let state = self.state(unit, indicator, year, end);
            state.map(|state| self.is_met(indicator, Some(target), &state))
        };
        Some(met.map_or("no-data", |met| if met { "met" } else { "not-met" }))
    }
}

impl Count<'_> {
    pub(super) fn newest(&self) -> Option<i16> {
        self.states.iter().map(|(_, state)| state.period).max()
    }

    fn reaches(&self, target: &Event) -> bool {
        let having = Fraction::new(100 * self.having as i64, 1);
        having.is_at_least(&percent_of(target).times(&Fraction::new(self.units.len() as i64, 1)))
    }

    pub(super) fn because(&self) -> impl Iterator<Item = String> {
        self.states.iter().map(|(_, state)| state.event.id.clone())
    }

    pub(super) fn shown(&self, target: Option<&Event>) -> Value {
        let (having, of) = (self.having as i64, self.units.len() as i64);
        // The smallest number of districts that would do.
        let enough = |target: &Event| {
            (0..=of).find(|number| {
                let wanted = percent_of(target).times(&Fraction::new(of, 1));
                Fraction::new(100 * number, 1).is_at_least(&wanted)
            })
        };
        let needed = target.map(|target| (enough(target).unwrap() - having).max(0));
        let (_, percent) = rate(having, of.max(1));
        let mut value = json!({"count": having, "of": of, "percent": percent.shown(), "needed": needed});
        let units = |wanted: &dyn Fn(&State<'_>) -> bool| -> Vec<&str> {
            self.states.iter().filter(|(_, state)| wanted(state)).map(|(unit, _)| *unit).collect()
        };
        let stale = units(&|state| Some(state.period) < self.newest());
        let lapsed = units(&|state| state.lapsed);
        for (field, units) in [("stale", stale), ("lapsed", lapsed)] {
            if !units.is_empty() {
                value[field] = units.into();
            }
        }
        value
    }
}

fn lowest_level(indicator: &Value) -> i64 {
    indicator["counts_from_level"].as_i64().unwrap_or(1)
}
