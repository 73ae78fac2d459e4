//! Why an alert clears: the target or the plan's keys moved, figures came, or units changed.

use super::cell::Judged;
use events::Position;
use indicators::{AlertFact, UnitChangeFact, View};
use plan::Level;

/// What made an alert clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// With the targets and the plan of the day on which it was raised it would still be open, or no figure has
    /// moved since.
    Target,
    /// Figures that were reported, corrected or taken back since.
    Figures {
        /// Whether the value is of a newer period than the one that fired it.
        newer: bool,
    },
    /// A unit's own change moved a sum or a count.
    Units,
}

/// Finds out why an open alert of a cell clears.
pub(super) fn cause(view: &View<'_>, judged: &Judged<'_>, alert: &AlertFact) -> Cause {
    let open_with_targets_at = |cut: Position| {
        let then = view.with_targets_known_at(cut);
        Judged::new(&then, judged.unit, judged.indicator).keeps_open(&then, alert.rule, alert.period)
    };
    let before_ahead = before_those_ahead(view, judged, alert);
    if open_with_targets_at(alert.position) || before_ahead.is_some_and(open_with_targets_at) {
        return Cause::Target;
    }
    if figures_since(view, judged, alert.position) {
        return Cause::Figures { newer: judged.cell.period > alert.period };
    }
    if units_changed_since(view, judged, alert) {
        return Cause::Units;
    }
    // Nothing was reported since: the clock has moved on to the next review's target, or to one recorded ahead.
    Cause::Target
}

/// Targets and amendments that were known when the alert was raised but took effect only later: the cut before
/// the first of them.
fn before_those_ahead(view: &View<'_>, judged: &Judged<'_>, alert: &AlertFact) -> Option<Position> {
    let facts = view.facts();
    let indicator = &judged.indicator.id;
    let settings =
        facts.targets(indicator, None).iter().chain(facts.targets(indicator, Some(&judged.unit.id)));
    let targets = settings.map(|target| (target.position, target.effective));
    let amendments = facts.amendments().iter().map(|amendment| (amendment.position, amendment.effective));
    let ahead = targets.chain(amendments).filter(|(position, effective)| {
        *position <= alert.position && *effective > alert.raised_at && *effective <= view.moment().as_of
    });
    ahead.map(|(position, _)| position).min().map(|first| Position(first.0 - 1))
}

/// Whether a line of the cell's measure was recorded after a position: by the unit, by one that went over into it,
/// or, for the province, by a district; or the cell's baseline.
fn figures_since(view: &View<'_>, judged: &Judged<'_>, position: Position) -> bool {
    let plan = view.plan();
    let baselines = view.facts().baselines(&judged.unit.id, &judged.indicator.id);
    if baselines.last().is_some_and(|baseline| baseline.position > position) {
        return true;
    }
    let of_districts = plan.measure_of(judged.indicator).level == Level::District;
    let predecessors: Vec<_> =
        view.predecessors(&judged.unit.id).into_iter().map(|predecessor| predecessor.unit).collect();
    let reporters = plan.units.iter().filter(|unit| match (judged.unit.level, of_districts) {
        (Level::Province, true) => unit.level == Level::District && view.ever_belonged(unit, &judged.unit.id),
        (Level::Province, false) | (Level::District, _) => {
            unit.id == judged.unit.id || predecessors.contains(&&unit.id)
        }
    });
    reporters.into_iter().any(|unit| {
        plan.calendar.periods().any(|period| {
            let last = view.facts().last_naming(&unit.id, period, &judged.indicator.measure);
            last.is_some_and(|(revision, _)| revision.position > position)
        })
    })
}

/// Whether units have changed since the alert was raised, by record or by effect: for the province a district that
/// has come into force or ended, for a district a unit that has gone over into it.
fn units_changed_since(view: &View<'_>, judged: &Judged<'_>, alert: &AlertFact) -> bool {
    let since = |fact: &UnitChangeFact| {
        (fact.position > alert.position || fact.effective > alert.raised_at)
            && fact.effective <= view.moment().as_of
    };
    let facts = view.facts();
    match judged.unit.level {
        Level::Province => view.plan().districts().any(|unit| {
            view.ever_belonged(unit, &judged.unit.id)
                && facts.unit_changes(&unit.id).iter().any(|fact| fact.change.moves_counts() && since(fact))
        }),
        Level::District => facts.successions(&judged.unit.id).any(|(_, fact)| since(fact)),
    }
}
