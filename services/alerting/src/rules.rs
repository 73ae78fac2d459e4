//! The rules: which alerts are raised and which resolved, as a pure function of the facts and the clock.
//!
//! What is open already is among the facts, so deciding again after the decisions were recorded decides
//! nothing: no alert fires twice, on a restart as little as on a replay. The rules and their parameters are
//! those of the plan file's `alerts` section:
//!
//! | rule | fires | clears | severity |
//! |---|---|---|---|
//! | `behind` | pace below `alerts.behind.fires_below`, target not met | pace from `clears_from` on, or target met | warning, critical in a review year |
//! | `at-risk` | pace below `alerts.at_risk.fires_below`, target not met, `behind` not open | pace from `clears_from` on, or target met | notice |
//! | `regressing` | status regressing | status another one | critical where the target is to be maintained, else warning |
//! | `missed` | a review's verdict is not-met | the verdict is another one | critical |
//! | `overdue` | a deadline passed without a report | the report is recorded | warning |
//!
//! A cell that rests on events which are set aside fires nothing and resolves nothing.

mod cell;
mod overdue;
mod resolution;
mod schedule;
mod scope;
mod wording;

pub use schedule::next_instant;
pub use scope::Scope;

use events::ids::derived_id;
use events::{
    AlertId, AlertRaised, AlertResolved, EventId, IndicatorId, Period, Resolution, Rule, Severity, Summary,
    UnitId,
};
use indicators::{AlertFact, View};
use plan::Unit;
use serde::Serialize;

/// One thing that follows from the rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Decided {
    /// An alert fires.
    Raise(AlertRaised),
    /// An open alert clears.
    Resolve(AlertResolved),
}

impl Decided {
    /// The episode it is about.
    pub fn alert(&self) -> AlertId {
        match self {
            Decided::Raise(raised) => raised.alert,
            Decided::Resolve(resolved) => resolved.alert,
        }
    }

    /// The unit it is about.
    pub fn unit(&self) -> &UnitId {
        match self {
            Decided::Raise(raised) => &raised.unit,
            Decided::Resolve(resolved) => &resolved.unit,
        }
    }

    /// The indicator it is about; none for an overdue report.
    pub fn indicator(&self) -> Option<&IndicatorId> {
        match self {
            Decided::Raise(raised) => raised.indicator.as_ref(),
            Decided::Resolve(resolved) => resolved.indicator.as_ref(),
        }
    }
}

/// Decides what follows within a scope at the view's moment, in the order in which it is to be recorded.
///
/// The view looks at the head of its facts, with both times now: alerts have one axis, the recorded one. An
/// end comes before the beginning that takes its place, so that no position has both open.
pub fn decide(view: &View<'_>, scope: &Scope) -> Vec<Decided> {
    let mut decided = Vec::new();
    let parked = view.facts().parked();
    for unit in &view.plan().units {
        let set_aside = parked.contains_key(&None) || parked.contains_key(&Some(unit.id.clone()));
        if view.in_force(&unit.id, view.moment().as_of) {
            if scope.has_reports_of(&unit.id) && !set_aside {
                overdue::decide(view, unit, &mut decided);
            }
            let indicators = view.plan().indicators.iter();
            for indicator in indicators.filter(|indicator| view.plan().has_cell(unit.level, indicator)) {
                if scope.has_cell(&unit.id, &indicator.id) {
                    cell::decide(view, unit, indicator, &mut decided);
                }
            }
        } else if !set_aside {
            resolve_ended(view, unit, scope, &mut decided);
        }
    }
    decided
}

/// A unit that is no longer in force has no open alert: merged, split or dissolved.
fn resolve_ended(view: &View<'_>, unit: &Unit, scope: &Scope, decided: &mut Vec<Decided>) {
    let changes = view.facts().unit_changes(&unit.id).iter().rev();
    let because: Vec<EventId> =
        changes.filter(|fact| fact.change.ends_the_unit()).map(|fact| fact.event).take(1).collect();
    let open = view.facts().open_alerts().filter(|alert| alert.unit == unit.id);
    for alert in open.filter(|alert| match &alert.indicator {
        Some(indicator) => scope.has_cell(&unit.id, indicator),
        None => scope.has_reports_of(&unit.id),
    }) {
        let summary = wording::unit_dissolved(&view.unit_now(unit));
        decided.push(resolve(alert, Resolution::UnitDissolved, because.clone(), summary));
    }
}

/// What distinguishes one episode from another.
struct Episode<'a> {
    rule: Rule,
    unit: &'a UnitId,
    indicator: Option<&'a IndicatorId>,
    /// The period that the alert names.
    period: Option<Period>,
}

impl Episode<'_> {
    /// Makes the next episode's alert. Overdue reports and missed reviews count episodes for each period, so
    /// that the ids of several do not depend on the order in which they are recorded.
    fn raise(&self, view: &View<'_>, severity: Severity, because: Vec<EventId>, summary: Summary) -> Decided {
        let counted_by_period = matches!(self.rule, Rule::Overdue | Rule::Missed);
        let episode = if counted_by_period {
            let earlier = view.facts().alerts().filter(|alert| self.is_of(alert));
            u32::try_from(earlier.count()).unwrap_or(u32::MAX).saturating_add(1)
        } else {
            view.facts().episodes(self.rule, self.unit, self.indicator).saturating_add(1)
        };
        let period_word = self.period.filter(|_| counted_by_period).map(|period| period.to_string());
        let alert = derived_id(&[
            "alert",
            view.plan().id.as_str(),
            self.rule.name(),
            self.unit.as_str(),
            self.indicator.map_or("", |indicator| indicator.as_str()),
            period_word.as_deref().unwrap_or(""),
            &episode.to_string(),
        ]);
        Decided::Raise(AlertRaised {
            alert,
            rule: self.rule,
            unit: self.unit.clone(),
            indicator: self.indicator.cloned(),
            period: self.period,
            episode,
            severity,
            because,
            summary,
        })
    }

    fn is_of(&self, alert: &AlertFact) -> bool {
        alert.rule == self.rule
            && alert.unit == *self.unit
            && alert.indicator.as_ref() == self.indicator
            && alert.period == self.period
    }
}

fn resolve(alert: &AlertFact, resolution: Resolution, because: Vec<EventId>, summary: Summary) -> Decided {
    Decided::Resolve(AlertResolved {
        alert: alert.id,
        rule: alert.rule,
        unit: alert.unit.clone(),
        indicator: alert.indicator.clone(),
        resolution,
        because,
        summary,
    })
}

#[cfg(test)]
mod plan_change_tests;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod story;
#[cfg(test)]
mod tests;
