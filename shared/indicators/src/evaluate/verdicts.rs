//! Verdicts: what each review that has ended says of a cell.

use super::shares::reaches;
use super::states::meets;
use super::{View, percent_value};
use crate::cell::Verdict;
use crate::exact::percent_of;
use plan::{Form, Indicator, Level, ReviewYear, Unit};
use std::collections::BTreeMap;

impl View<'_> {
    /// What each review says of a cell: null before its year has ended, where no target bound the cell at its end,
    /// and for a unit that was established only later.
    pub(crate) fn verdicts(
        &self,
        unit: &Unit,
        indicator: &Indicator,
    ) -> BTreeMap<events::Review, Option<Verdict>> {
        let reviews = self.plan.reviews.iter();
        reviews.map(|review| (review.review, self.verdict(unit, indicator, review))).collect()
    }

    /// What the last review says of a cell.
    pub(super) fn last_verdict(&self, unit: &Unit, indicator: &Indicator) -> Option<Verdict> {
        self.plan.reviews.last().and_then(|review| self.verdict(unit, indicator, review))
    }

    fn verdict(&self, unit: &Unit, indicator: &Indicator, review: &ReviewYear) -> Option<Verdict> {
        if !self.has_ended(review.review) {
            return None;
        }
        let year = review.review.year();
        let end = self.plan.calendar.end_of_year(year);
        // On whose units a share is counted is a decision about this review, whenever it was taken; everything
        // else is judged by the plan that was in force at the year's end.
        let then = self.with_plan_at(end);
        let indicator = then.in_plan(indicator);
        then.judged(unit, indicator, review)
    }

    fn judged(&self, unit: &Unit, indicator: &Indicator, review: &ReviewYear) -> Option<Verdict> {
        let target = self.target_for(unit, indicator, review.review)?;
        let year = review.review.year();
        let end = self.plan.calendar.end_of_year(year);
        if !self.was_there_by(&unit.id, end) {
            return None;
        }
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
                let count = self.count(&unit.id, indicator, year, end, in_force_at);
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
