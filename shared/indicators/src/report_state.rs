//! Whether a unit's report is there, awaited or overdue.

use crate::cell::{ReportProgress, ReportState};
use crate::evaluate::View;
use crate::facts::{DeadlineFact, Revision};
use events::{Date, Period, Timestamp, UnitId};
use plan::Unit;

impl<'a> View<'a> {
    /// The report of one period of a unit: there if any revision holds at the moment; on time by the moment the
    /// log recorded it, as history by its document's date. Of several revisions the earliest counts: a report that
    /// was on time does not become late by a correction.
    pub fn report_of(&self, unit: &Unit, period: Period) -> ReportState {
        let calendar = &self.plan().calendar;
        let moment = self.moment();
        let due = self.has_duty(&unit.id, period).then(|| self.due(&unit.id, period));
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

    /// The extension of a unit's deadline for a period that holds: of its own and of the one for all units the
    /// later, each by the latest effect.
    pub fn extension(&self, unit: &UnitId, period: Period) -> Option<&'a DeadlineFact> {
        let moment = self.moment();
        let in_force = |facts: &'a [DeadlineFact]| {
            let known = facts.iter().filter(|fact| fact.position <= moment.cut);
            let in_force = known.filter(|fact| fact.effective <= moment.as_of);
            in_force.max_by_key(|fact| (fact.effective, fact.position))
        };
        let (own, of_all) =
            (self.facts().deadlines(period, Some(unit)), self.facts().deadlines(period, None));
        in_force(own).into_iter().chain(in_force(of_all)).max_by_key(|fact| (fact.due_before, fact.position))
    }

    /// The day before which a unit's report for a period is due: the plan's, or an extended one.
    pub fn due_before(&self, unit: &UnitId, period: Period) -> Date {
        let planned = self.plan().calendar.due_before.in_year(period.year());
        self.extension(unit, period).map_or(planned, |extension| extension.due_before.max(planned))
    }

    /// The instant before which it is due.
    pub fn due(&self, unit: &UnitId, period: Period) -> Timestamp {
        self.plan().calendar.start_of_day(self.due_before(unit, period))
    }

    /// Whether a unit owes a report for a period: from the first period of duty on, while it is in force at the
    /// plan's deadline. Who may report later owes no less.
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
