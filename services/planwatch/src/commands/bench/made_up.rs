//! Made-up reports that a plan admits: valid units, measures and dates, figures that go up and down.

use super::Size;
use anyhow::{Context, bail};
use events::{Date, LineValue, MeasureId, Period, ReportLine, Timestamp, UnitId};
use plan::{Level, MeasureKind, Plan};
use serde_json::{Value, json};

pub(super) const DENOMINATOR: u64 = 200_000;
/// Long enough that a report of every rate is about 2 KB as an event.
pub(super) const SOURCE: &str = "Báo cáo tổng hợp của Ủy ban nhân dân huyện, sổ theo dõi số liệu học tập suốt đời, phụ lục 2 kèm theo (made up)";

/// What made-up reports are made from.
#[derive(Debug, Clone)]
pub(super) struct MadeUp {
    districts: Vec<UnitId>,
    rates: Vec<MeasureId>,
    period: Period,
    date: Date,
    /// Keeps the document numbers of two runs apart.
    run: String,
    size: Size,
}

impl MadeUp {
    /// Prepares reports for a plan, dated today.
    pub(super) fn new(plan: &Plan, now: Timestamp, run: &str, size: Size) -> anyhow::Result<MadeUp> {
        let rates: Vec<MeasureId> = plan
            .measures
            .iter()
            .filter(|measure| measure.level == Level::District && measure.kind == MeasureKind::Rate)
            .map(|measure| measure.id.clone())
            .collect();
        let districts: Vec<UnitId> = plan.districts().map(|unit| unit.id.clone()).collect();
        if rates.is_empty() || districts.is_empty() {
            bail!(
                "the plan `{}` has no rate that districts report, so there is nothing to load it with",
                plan.id
            );
        }
        let year = plan.calendar.year_of(now);
        let period = Period(year.min(plan.calendar.last_period.year()));
        let shown = plan.calendar.shown(now);
        let date = shown.get(..10).and_then(|day| day.parse().ok()).context("today has no date")?;
        Ok(MadeUp { districts, rates, period, date, run: run.to_owned(), size })
    }

    /// The unit of a report and a measure that it surely reports.
    pub(super) fn unit_and_measure(&self, index: u64) -> (&UnitId, &MeasureId) {
        (pick(&self.districts, index), self.measures(index)[0])
    }

    fn measures(&self, index: u64) -> Vec<&MeasureId> {
        match self.size {
            Size::Small => vec![pick(&self.rates, index / self.districts.len() as u64)],
            Size::Real => self.rates.iter().collect(),
        }
    }

    /// The lines of a report: every other round low, every other round high, so that alerts come and go.
    pub(super) fn lines(&self, index: u64) -> Vec<ReportLine> {
        let round = index / (self.districts.len() as u64 * self.rates.len() as u64);
        let numerator = if round.is_multiple_of(2) { 20_000 } else { 190_000 } + index % 1_000;
        let source = match self.size {
            Size::Small => None,
            Size::Real => Some(SOURCE.to_owned()),
        };
        let value = LineValue::Rate { numerator, denominator: DENOMINATOR };
        let line =
            |measure: &MeasureId| ReportLine { measure: measure.clone(), value, source: source.clone() };
        self.measures(index).into_iter().map(line).collect()
    }

    /// A report as it is submitted.
    pub(super) fn report(&self, index: u64) -> Value {
        let (unit, _) = self.unit_and_measure(index);
        json!({
            "unit": unit, "period": self.period,
            "document": {"number": format!("BENCH/{}/{index}", self.run), "date": self.date},
            "lines": self.lines(index),
        })
    }

    /// The period that the reports are of.
    pub(super) fn period(&self) -> Period {
        self.period
    }

    /// The date of their documents.
    pub(super) fn date(&self) -> Date {
        self.date
    }
}

fn pick<T>(list: &[T], index: u64) -> &T {
    let index = usize::try_from(index % list.len() as u64).expect("it is below the length of a list");
    &list[index]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adopt::{BINH_DUONG, BINH_DUONG_NAME, read_plan};
    use events::command::SubmitReport;

    #[test]
    fn made_up_reports_can_be_read() {
        let plan = read_plan(BINH_DUONG_NAME, BINH_DUONG).unwrap();
        let now = "2024-11-20T02:00:00Z".parse().unwrap();
        for size in [Size::Small, Size::Real] {
            let made_up = MadeUp::new(&plan, now, "x", size).unwrap();
            for index in [0, 1, 8, 9, 63, 64, 1_000_000] {
                let report = SubmitReport::read(&made_up.report(index)).unwrap();
                let (unit, measure) = made_up.unit_and_measure(index);
                assert_eq!(report.unit, *unit);
                assert!(report.lines.iter().any(|line| line.measure == *measure));
            }
        }
    }
}
