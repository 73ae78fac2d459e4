//! Rule `overdue`: a deadline passed without a report; one alert for each unit and period.

use super::{Decided, Episode, resolve, wording};
use events::{EventId, Period, Resolution, Rule, Severity};
use indicators::{AlertFact, ReportProgress, View};
use plan::Unit;

/// Decides for a unit in force.
pub(super) fn decide(view: &View<'_>, unit: &Unit, decided: &mut Vec<Decided>) {
    let is_of_unit = |alert: &&AlertFact| alert.rule == Rule::Overdue && alert.unit == unit.id;
    for alert in view.facts().open_alerts().filter(is_of_unit) {
        let Some(period) = alert.period else { continue };
        match view.report_of(unit, period).state {
            ReportProgress::Overdue => {}
            // Even a late report ends it: what was wrong is that none was there.
            ReportProgress::Received => decided.push(resolve(
                alert,
                Resolution::Recovered,
                first_report(view, unit, period),
                wording::report_received(&view.unit_now(unit), period),
            )),
            // It may come later: nothing got better, what was recorded about the deadline was changed.
            ReportProgress::Awaited if view.extension(&unit.id, period).is_some() => {
                let extension = view.extension(&unit.id, period).map(|extension| extension.event);
                let due_before = view.due_before(&unit.id, period);
                let summary = wording::report_due_later(&view.unit_now(unit), period, due_before);
                decided.push(resolve(alert, Resolution::Corrected, extension.into_iter().collect(), summary));
            }
            // There is no duty any more, because what was recorded about the unit was changed.
            ReportProgress::Awaited => decided.push(resolve(
                alert,
                Resolution::Corrected,
                view.facts().unit_changes(&unit.id).last().map(|fact| fact.event).into_iter().collect(),
                wording::report_not_owed(&view.unit_now(unit), period),
            )),
        }
    }
    for period in view.overdue_periods(unit) {
        if view.facts().open_alert(Rule::Overdue, &unit.id, None, Some(period)).is_some() {
            continue;
        }
        let episode = Episode { rule: Rule::Overdue, unit: &unit.id, indicator: None, period: Some(period) };
        // The duty comes from the plan, the day from it or from an extension; that nothing came has no event.
        let adopted = view.facts().adopted().map(|adopted| adopted.event);
        let extension = view.extension(&unit.id, period).map(|extension| extension.event);
        let because = adopted.into_iter().chain(extension).collect();
        let due_before = view.due_before(&unit.id, period);
        let summary = wording::report_overdue(&view.unit_now(unit), period, due_before);
        decided.push(episode.raise(view, Severity::Warning, because, summary));
    }
}

fn first_report(view: &View<'_>, unit: &Unit, period: Period) -> Vec<EventId> {
    view.facts().revisions(&unit.id, period).first().map(|revision| revision.event).into_iter().collect()
}
