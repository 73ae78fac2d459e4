//! Where a rate began: its earliest reported period, or the baseline that was entered in its place.

use super::View;
use crate::cell::Baseline;
use crate::exact::{Exact, ratio, shown_percent};
use crate::facts::BaselineFact;
use crate::standing::Point;
use events::{BaselineValue, EventId, Period};
use plan::{Indicator, Unit};

/// Where a rate began.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    pub(crate) period: Period,
    pub(crate) numerator: u64,
    /// Never 0.
    pub(crate) denominator: u64,
    pub(crate) because: Vec<EventId>,
    /// The event that entered it; none for a reported period.
    pub(crate) entered: Option<EventId>,
}

impl Start {
    pub(crate) fn ratio(&self) -> Exact {
        ratio(self.numerator, self.denominator)
    }

    pub(super) fn shown(&self) -> Baseline {
        Baseline {
            period: self.period,
            percent: shown_percent(&self.ratio()),
            entered: self.entered.is_some(),
            event: self.entered,
        }
    }
}

impl<'a> View<'a> {
    /// The entered baseline that holds: of those known and in force the one recorded last, unless it takes
    /// the baseline back.
    pub(crate) fn entered_baseline(&self, unit: &Unit, indicator: &Indicator) -> Option<&'a BaselineFact> {
        let moment = self.moment;
        let facts = self.facts.baselines(&unit.id, &indicator.id).iter();
        let known = facts.filter(|fact| fact.position <= moment.cut && fact.effective <= moment.as_of);
        known.last().filter(|fact| matches!(fact.value, BaselineValue::Rate { .. }))
    }

    /// Where a rate began: as was entered, else at its earliest point.
    pub(crate) fn rate_start(&self, unit: &Unit, indicator: &Indicator, points: &[Point]) -> Option<Start> {
        if let Some(fact) = self.entered_baseline(unit, indicator)
            && let BaselineValue::Rate { numerator, denominator } = fact.value
        {
            return Some(Start {
                period: fact.period,
                numerator,
                denominator: denominator.max(1),
                because: vec![fact.event],
                entered: Some(fact.event),
            });
        }
        points.first().map(|point| Start {
            period: point.period,
            numerator: point.numerator,
            denominator: point.denominator,
            because: point.because.clone(),
            entered: None,
        })
    }
}
