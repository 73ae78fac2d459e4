//! The baseline that was entered for a rate, in place of its earliest reported period.

use super::{View, rate_value};
use crate::cell::Baseline;
use crate::exact::{ratio, shown_percent};
use crate::explanation::{Part, Percentage, PeriodExplained};
use crate::facts::BaselineFact;
use crate::successors::Start;
use events::BaselineValue;
use plan::{Indicator, Unit};

impl Start {
    /// As a cell shows it.
    pub(super) fn shown(&self) -> Baseline {
        Baseline {
            period: self.period,
            percent: shown_percent(&self.ratio),
            derived_from: self.derived_from.clone(),
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
        let mut known = facts.filter(|fact| fact.position <= moment.cut && fact.effective <= moment.as_of);
        known.next_back().filter(|fact| matches!(fact.value, BaselineValue::Rate { .. }))
    }

    /// Where the path begins that was entered.
    pub(crate) fn entered_start(&self, unit: &Unit, indicator: &Indicator) -> Option<Start> {
        let fact = self.entered_baseline(unit, indicator)?;
        let BaselineValue::Rate { numerator, denominator } = fact.value else { return None };
        Some(Start {
            period: fact.period,
            ratio: ratio(numerator, denominator.max(1)),
            derived_from: Vec::new(),
            entered: Some(fact.event),
            because: vec![fact.event],
        })
    }

    /// A baseline that was entered: one part, of the unit itself.
    pub(super) fn baseline_explained(
        &self,
        unit: &Unit,
        indicator: &Indicator,
        fact: &BaselineFact,
    ) -> Option<PeriodExplained> {
        let BaselineValue::Rate { numerator, denominator } = fact.value else { return None };
        let facts = self.facts.baselines(&unit.id, &indicator.id);
        let before = facts.partition_point(|other| other.position < fact.position);
        let value = rate_value(numerator, denominator);
        Some(PeriodExplained {
            period: fact.period,
            used_for: vec!["baseline".to_owned()],
            ratio: Percentage::of(&ratio(numerator, denominator)),
            complete: true,
            parts: vec![Part {
                unit: unit.id.clone(),
                value: value.clone(),
                revision: u32::try_from(before + 1).unwrap_or(u32::MAX),
                event: fact.event,
                position: fact.position,
                document_date: fact.document.date.to_string(),
                history: false,
            }],
            value,
            missing: Vec::new(),
        })
    }
}
