//! Whether a unit's report is there, awaited or overdue.

use crate::cell::{ReportProgress, ReportState};
use crate::evaluate::View;
use crate::facts::Revision;
use events::{Period, UnitId};
use plan::Unit;

impl View<'_> {
    /// The report of one period of a unit: there if any revision holds at the moment; on time by the moment the
    /// log recorded it, as history by its document's date. Of several revisions the earliest counts: a report that
    /// was on time does not become late by a correction.
    pub fn report_of(&self, unit: &Unit, period: Period) -> ReportState {
        let calendar = &self.plan().calendar;
        let moment = self.moment();
        let due = self.has_duty(&unit.id, period).then(|| calendar.due(period));
        let judged_by =
            |revision: &Revision| if revision.history { revision.effective } else { revision.recorded_at };
        let first = self.facts().first_revision_at(&unit.id, period, moment.cut, moment.as_of);
        let shown_due = due.map(|due| calendar.shown(due));
        match first {
            Some(revision) => ReportState {
                period,
                state: ReportProgress::Received,
                due: shown_due,
                received_at: Some(calendar.shown(revision.recorded_at)),
                late: due.is_some_and(|due| judged_by(&revision) >= due),
                history: revision.history,
            },
            None => {
                let passed = due.is_some_and(|due| due < moment.as_of && due < moment.known_at);
                let state = if passed { ReportProgress::Overdue } else { ReportProgress::Awaited };
                ReportState { period, state, due: shown_due, received_at: None, late: false, history: false }
            }
        }
    }

    /// Whether a unit owes a report for a period: from the first period of duty on, while it is in force at the deadline.
    fn has_duty(&self, unit: &UnitId, period: Period) -> bool {
        let calendar = &self.plan().calendar;
        period >= calendar.duty_from && self.in_force(unit, calendar.due(period))
    }

    /// The periods whose deadline has passed without a report of the unit.
    pub fn overdue_periods(&self, unit: &Unit) -> Vec<Period> {
        let periods = self.plan().calendar.periods();
        periods.filter(|period| self.report_of(unit, *period).state == ReportProgress::Overdue).collect()
    }

    /// What a cell says of its unit's report: the earliest overdue period, else the as-of year's.
    pub(crate) fn report_shown(&self, unit: &Unit) -> ReportState {
        let calendar = &self.plan().calendar;
        let year = calendar.year_of(self.moment().as_of);
        let current = Period(year.clamp(calendar.first_period.year(), calendar.last_period.year()));
        let period = self.overdue_periods(unit).first().copied().unwrap_or(current);
        self.report_of(unit, period)
    }
}
