//! The schedule: when the clock alone can change what the rules decide.

use events::{Date, Period, Timestamp};
use indicators::View;
use jiff::ToSpan;
use plan::MeasureKind;

/// The next instant after `after` at which something can follow without any event; none once the plan is over.
///
/// These are: the millisecond after a deadline, extended or not (a report at the deadline is late, so only what lies after it
/// is overdue), the start of a year (reviews end, the as-of year moves), the day on which a recognition can
/// lapse, and the effective date of a target, a unit change, an amendment or an extension that lies ahead.
pub fn next_instant(view: &View<'_>, after: Timestamp) -> Option<Timestamp> {
    let calendar = &view.plan().calendar;
    let lasting_months: Vec<u16> = view
        .plan()
        .measures
        .iter()
        .filter_map(|measure| match measure.kind {
            MeasureKind::Attained { months } => months,
            MeasureKind::Rate | MeasureKind::Level { .. } => None,
        })
        .collect();
    let lasting_years = lasting_months.iter().max().map_or(0, |months| *months / 12 + 1);
    let last_year = calendar
        .last_period
        .year()
        .saturating_add(1)
        .saturating_add(i16::try_from(lasting_years).unwrap_or(i16::MAX));

    let this_year = calendar.year_of(after);
    let years = this_year..=this_year.saturating_add(1).min(last_year);
    let of_years = years.flat_map(|year| {
        let period = Period(year);
        let owed = calendar.has_period(period) && period >= calendar.duty_from;
        let deadline = owed.then(|| calendar.due(period).saturating_add(1.millisecond()).ok()).flatten();
        let lapses = lasting_months.iter().filter_map(move |months| {
            let month = i8::try_from(months % 12 + 1).ok()?;
            Date::new(year, month, 1).ok().map(|date| calendar.start_of_day(date))
        });
        let fixed = deadline.into_iter().chain([calendar.start_of_year(year)]);
        fixed.chain(lapses).collect::<Vec<_>>()
    });
    let extended = view.facts().all_deadlines().filter_map(|(_, _, extension)| {
        calendar.start_of_day(extension.due_before).saturating_add(1.millisecond()).ok()
    });
    of_years
        .chain(extended)
        .chain(view.facts().effective_after(after))
        .filter(|instant| *instant > after)
        .min()
}
