//! Lists at a moment: units with what changed them, targets in force, baselines.

use crate::cell::Value;
use crate::evaluate::{View, rate_value};
use crate::exact::shown_percent;
use crate::facts::{TargetFact, UnitChangeFact};
use crate::standing::Point;
use crate::units::UnitNow;
use events::{
    BaselineValue, EventId, IndicatorId, Mark, Period, Position, Review, TargetValue, UnitChange, UnitId,
};
use plan::{Form, Indicator, Unit};
use serde::Serialize;

/// A unit at a moment, with the changes that made it so.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UnitListed {
    /// The unit.
    #[serde(flatten)]
    pub unit: UnitNow,
    /// Its changes in effect at the moment, oldest effect first.
    pub changes: Vec<ChangeListed>,
}

/// A change of a unit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChangeListed {
    /// What changed.
    #[serde(flatten)]
    pub change: UnitChange,
    /// From when it holds, RFC 3339 in the plan's time zone.
    pub effective: String,
    /// The legal instrument.
    pub instrument: String,
    /// The event.
    pub event: EventId,
    /// Its position.
    pub position: Position,
}

/// A target in force at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TargetListed {
    /// The indicator.
    pub indicator: IndicatorId,
    /// The unit whose own it is; null for the province's.
    pub unit: Option<UnitId>,
    /// At whose end it is judged.
    pub review: Review,
    /// The value.
    #[serde(flatten)]
    pub value: TargetValue,
    /// Attain or maintain.
    pub mark: Mark,
    /// The legal instrument.
    pub instrument: String,
    /// From when it holds, RFC 3339 in the plan's time zone.
    pub effective: String,
    /// The event.
    pub event: EventId,
    /// Its position.
    pub position: Position,
}

/// The baseline of a rate at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BaselineListed {
    /// The unit.
    pub unit: UnitId,
    /// The indicator.
    pub indicator: IndicatorId,
    /// The period in which it began.
    pub period: Period,
    /// Rounded to two places, for showing only.
    pub percent: String,
    /// Numerator over denominator; none where it is derived from the figures of several units.
    pub value: Option<Value>,
    /// The units from whose figures it is derived, by the shares of a reform.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub derived_from: Vec<UnitId>,
    /// Whether the cell has a later point, so that a path begins here.
    pub in_use: bool,
    /// Whether it was entered by an event, in place of the earliest reported period.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub entered: bool,
    /// The events it rests on.
    pub because: Vec<EventId>,
}

impl View<'_> {
    /// Every unit, or one, with the changes in effect.
    pub fn units_listed(&self, unit: Option<&Unit>) -> Vec<UnitListed> {
        let units = self.plan().units.iter().filter(|of| unit.is_none_or(|asked| asked.id == of.id));
        units
            .map(|of| UnitListed {
                unit: self.unit_now(of),
                changes: self
                    .changes_until(&of.id, self.moment().as_of)
                    .into_iter()
                    .map(|fact| self.change_listed(fact))
                    .collect(),
            })
            .collect()
    }

    fn change_listed(&self, fact: &UnitChangeFact) -> ChangeListed {
        ChangeListed {
            change: fact.change.clone(),
            effective: self.plan().calendar.shown(fact.effective),
            instrument: fact.instrument.clone(),
            event: fact.event,
            position: fact.position,
        }
    }

    /// The targets in force: every one, or those that bind one unit, its own before the province's.
    pub fn targets_listed(&self, unit: Option<&Unit>, indicator: Option<&Indicator>) -> Vec<TargetListed> {
        let plan = self.plan();
        let mut listed = Vec::new();
        let indicators = plan.indicators.iter();
        for about in indicators.filter(|about| indicator.is_none_or(|asked| asked.id == about.id)) {
            for review in &plan.reviews {
                let review = review.review;
                if let Some(of) = unit {
                    if plan.has_cell(of.level, about)
                        && let Some(fact) = self.target_for(of, about, review)
                    {
                        let own = self.facts().targets(&about.id, Some(&of.id));
                        let is_own = own.iter().any(|own| own.event == fact.event);
                        listed.push(self.target_listed(about, is_own.then(|| of.id.clone()), fact));
                    }
                    continue;
                }
                let at = plan.calendar.end_of_year(review.year());
                let owners = std::iter::once(None).chain(plan.districts().map(|of| Some(&of.id)));
                for owner in owners {
                    let fact = self.setting_at(self.facts().targets(&about.id, owner), review, at);
                    let Some(fact) = fact.filter(|fact| !matches!(fact.value, TargetValue::Withdrawn(_)))
                    else {
                        continue;
                    };
                    listed.push(self.target_listed(about, owner.cloned(), fact));
                }
            }
        }
        listed
    }

    fn target_listed(&self, about: &Indicator, owner: Option<UnitId>, fact: &TargetFact) -> TargetListed {
        TargetListed {
            indicator: about.id.clone(),
            unit: owner,
            review: fact.review,
            value: fact.value,
            mark: fact.mark,
            instrument: fact.instrument.clone(),
            effective: self.plan().calendar.shown(fact.effective),
            event: fact.event,
            position: fact.position,
        }
    }

    /// The baselines of rates: where each cell that has a value, or an entered baseline, began.
    pub fn baselines_listed(
        &self,
        unit: Option<&Unit>,
        indicator: Option<&Indicator>,
    ) -> Vec<BaselineListed> {
        let plan = self.plan();
        let mut listed = Vec::new();
        for of in plan.units.iter().filter(|of| unit.is_none_or(|asked| asked.id == of.id)) {
            let asked =
                plan.indicators.iter().filter(|about| indicator.is_none_or(|asked| asked.id == about.id));
            for about in asked.filter(|about| plan.has_cell(of.level, about)) {
                let Form::Rate { .. } = plan.form(about) else { continue };
                let points = self.rate_points(of, about).points;
                let start = self.rate_start(of, about, &points);
                let first = points.first();
                let (Some(period), Some(ratio)) = (
                    start.as_ref().map(|start| start.period).or(first.map(|first| first.period)),
                    start.as_ref().map(|start| start.ratio.clone()).or(first.map(Point::ratio)),
                ) else {
                    continue;
                };
                let entered = self.entered_baseline(of, about);
                let derived_from = start.as_ref().map_or_else(Vec::new, |start| start.derived_from.clone());
                let reported = first.filter(|_| derived_from.is_empty());
                let value = match entered.map(|fact| fact.value) {
                    Some(BaselineValue::Rate { numerator, denominator }) => {
                        Some(rate_value(numerator, denominator))
                    }
                    Some(BaselineValue::Withdrawn { .. }) | None => {
                        reported.map(|first| rate_value(first.numerator, first.denominator))
                    }
                };
                let in_use = start.is_some() && points.last().is_some_and(|latest| latest.period > period);
                let because = match start {
                    Some(start) => start.because,
                    None => first.map_or_else(Vec::new, |first| first.because.clone()),
                };
                listed.push(BaselineListed {
                    unit: of.id.clone(),
                    indicator: about.id.clone(),
                    period,
                    percent: shown_percent(&ratio),
                    value,
                    derived_from,
                    in_use,
                    entered: entered.is_some(),
                    because,
                });
            }
        }
        listed
    }
}
