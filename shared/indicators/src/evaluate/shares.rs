//! Shares of districts: how many of them have it.

use super::states::counts;
use super::{View, first_that_applies, percent_value, small};
use crate::cell::{Cell, Status, Value};
use crate::exact::{ratio, shown_percent};
use crate::standing::{State, StateValue};
use crate::targets::Spoken;
use events::{EventId, Percent, Period, Timestamp, UnitId};
use plan::{Indicator, Unit};

/// How many of the districts have it.
pub(super) struct Count {
    pub(super) count: u32,
    pub(super) of: u32,
    pub(super) reported: u32,
    pub(super) newest: Option<Period>,
    pub(super) stale: Vec<UnitId>,
    pub(super) lapsed: Vec<UnitId>,
    pub(super) because: Vec<EventId>,
}

impl View<'_> {
    pub(super) fn count(
        &self,
        province: &UnitId,
        indicator: &Indicator,
        year: i16,
        lapsed_at: Timestamp,
        in_force_at: Timestamp,
    ) -> Count {
        let form = self.plan.form(indicator);
        let units = self.districts_in_force(province, in_force_at);
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

    pub(super) fn fill_share(
        &self,
        cell: &mut Cell,
        province: &Unit,
        indicator: &Indicator,
        spoken: Option<Spoken<'_>>,
    ) -> Status {
        let now = self.moment.as_of;
        let count = self.count(&province.id, indicator, i16::MAX, now, now);
        if count.reported == 0 {
            return Status::NoData;
        }
        let percent = spoken.and_then(|spoken| percent_value(spoken.fact));
        cell.period = count.newest;
        cell.value = Some(share_value(&count, percent));
        cell.because.extend(&count.because);
        let (Some(spoken), Some(percent)) = (spoken, percent) else { return Status::NoTarget };
        first_that_applies(&self.share_rules(province, indicator, &count, spoken, percent).0)
    }

    /// The rules for a share that has a value and a target, and the earlier year in which it was met.
    pub(super) fn share_rules(
        &self,
        province: &Unit,
        indicator: &Indicator,
        count: &Count,
        spoken: Spoken<'_>,
        percent: Percent,
    ) -> ([(Status, bool); 4], Option<i16>) {
        let met_in = |year: i16| {
            let end = self.plan.calendar.end_of_year(year);
            let then = self.count(&province.id, indicator, year, end, end);
            then.reported > 0 && reaches(&then, percent)
        };
        self.other_rules(province, indicator, reaches(count, percent), count.newest, spoken, met_in)
    }

    /// A share's value as it stood at the end of a year, or now within the as-of year; for series.
    pub(crate) fn share_in(
        &self,
        province: &Unit,
        indicator: &Indicator,
        year: i16,
    ) -> Option<(Value, Vec<EventId>)> {
        let at = self.plan.calendar.end_of_year(year).min(self.moment.as_of);
        let count = self.count(&province.id, indicator, year, at, at);
        let percent = self.spoken_target(province, indicator).and_then(|spoken| percent_value(spoken.fact));
        (count.reported > 0).then(|| (share_value(&count, percent), count.because))
    }
}

/// Whether enough districts have it, compared in whole numbers: `100·k ≥ p·N`.
pub(super) fn reaches(count: &Count, percent: Percent) -> bool {
    u64::from(count.count) * 10_000 >= u64::from(percent.hundredths()) * u64::from(count.of)
}

pub(super) fn share_value(count: &Count, percent: Option<Percent>) -> Value {
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
