//! Levels, yes/no, and a district's own part of a share.

use super::{View, first_that_applies};
use crate::cell::{Cell, Status, Value, Verdict};
use crate::facts::TargetFact;
use crate::standing::{State, StateValue};
use crate::targets::Spoken;
use events::{Period, TargetValue, Timestamp};
use plan::{Form, Indicator, Unit};

impl View<'_> {
    pub(super) fn fill_state(
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
        first_that_applies(&self.state_rules(unit, indicator, state, spoken).0)
    }

    /// The rules for a level or yes/no that has a value and a target, and the earlier year in which it was met.
    pub(super) fn state_rules(
        &self,
        unit: &Unit,
        indicator: &Indicator,
        state: State,
        spoken: Spoken<'_>,
    ) -> ([(Status, bool); 4], Option<i16>) {
        let form = self.plan.form(indicator);
        let met_in = |year: i16| {
            let at = self.plan.calendar.end_of_year(year);
            self.state_at(unit, indicator, year, at)
                .is_some_and(|state| meets(form, spoken.fact, state.value))
        };
        self.other_rules(
            unit,
            indicator,
            meets(form, spoken.fact, state.value),
            Some(state.period),
            spoken,
            met_in,
        )
    }

    pub(super) fn state_at(
        &self,
        unit: &Unit,
        indicator: &Indicator,
        year: i16,
        lapsed_at: Timestamp,
    ) -> Option<State> {
        self.state(unit, self.plan.measure_of(indicator), year, lapsed_at)
    }

    /// The rules for anything but a rate that has a value and a target, in order, and whether each applies; and
    /// the first earlier year in which it was met, where that is asked. Those after one that applies are not worked out.
    pub(super) fn other_rules(
        &self,
        unit: &Unit,
        indicator: &Indicator,
        met: bool,
        period: Option<Period>,
        spoken: Spoken<'_>,
        met_in: impl Fn(i16) -> bool,
    ) -> ([(Status, bool); 4], Option<i16>) {
        let last_year = spoken.fact.review.year();
        let missed = !met
            && self.is_last_and_ended(spoken)
            && period.is_some_and(|period| period.year() == last_year)
            && self.last_verdict(unit, indicator) == Some(Verdict::NotMet);
        let as_of_year = self.plan.calendar.year_of(self.moment.as_of);
        let first_year = self.plan.calendar.first_period.year();
        let earlier = if met || missed { None } else { (first_year..as_of_year).find(|year| met_in(*year)) };
        let rules = [
            (Status::Achieved, met),
            (Status::Missed, missed),
            (Status::Regressing, earlier.is_some()),
            (Status::Pending, true),
        ];
        (rules, earlier)
    }
}

/// Whether a district's state counts towards a share.
pub(super) fn counts(form: Form, state: StateValue) -> bool {
    match (form, state) {
        (Form::Share { from_level: Some(lowest) }, StateValue::Level(level)) => level >= lowest,
        (_, StateValue::Attained { attained, .. }) => attained,
        (_, StateValue::Level(_)) => false,
    }
}

/// Whether a state meets a target: the province's own by its value, a district's part of a share by counting.
pub(super) fn meets(form: Form, target: &TargetFact, state: StateValue) -> bool {
    match (form, target.value, state) {
        (Form::State, TargetValue::Level(wanted), StateValue::Level(level)) => level >= wanted,
        (Form::State, TargetValue::Attained(wanted), StateValue::Attained { attained, .. }) => {
            attained == wanted
        }
        (Form::Share { .. }, _, state) => counts(form, state),
        (Form::State | Form::Rate { .. }, _, _) => false,
    }
}

pub(crate) fn state_value(state: StateValue) -> Value {
    match state {
        StateValue::Level(level) => Value::Level { level },
        StateValue::Attained { attained, lapsed } => Value::Attained { attained, lapsed },
    }
}
