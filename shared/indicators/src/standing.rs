//! What stands: the line of each measure and period that holds at the moment, and the values made of them.

use crate::evaluate::View;
use crate::facts::Revision;
use events::{EventId, LineValue, MeasureId, Period, Timestamp, UnitId};
use plan::{Calendar, Measure, MeasureKind, Unit};

/// A line that stands, with the revision that said it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    pub(crate) value: LineValue,
    pub(crate) revision: Revision,
}

/// Numerator and denominator of one period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) period: Period,
    pub(crate) numerator: u64,
    /// Never 0: nothing of nothing is no point.
    pub(crate) denominator: u64,
    pub(crate) because: Vec<EventId>,
    /// The revision behind it, where one report is.
    pub(crate) revision: Option<u32>,
}

/// The sum over the districts for one period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) numerator: u64,
    pub(crate) denominator: u64,
    pub(crate) reported: usize,
    pub(crate) of: usize,
    pub(crate) because: Vec<EventId>,
}

impl Sum {
    pub(crate) fn is_complete(&self) -> bool {
        self.of > 0 && self.reported == self.of
    }
}

/// A unit's own level or recognition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) period: Period,
    pub(crate) value: StateValue,
    pub(crate) event: EventId,
    pub(crate) revision: u32,
}

/// What a state says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StateValue {
    Level(u8),
    /// `attained` is false once the recognition has lapsed.
    Attained {
        attained: bool,
        lapsed: bool,
    },
}

/// When a recognition of a year no longer counts: the start of the month so many months after the year's end.
pub(crate) fn lapses_at(calendar: &Calendar, recognised_year: Period, months: u16) -> Timestamp {
    let months = i32::from(months);
    let year = i32::from(recognised_year.year()) + 1 + months / 12;
    let month = months % 12 + 1;
    let date = i16::try_from(year)
        .ok()
        .zip(i8::try_from(month).ok())
        .and_then(|(year, month)| events::Date::new(year, month, 1).ok());
    date.map_or(Timestamp::MAX, |date| calendar.start_of_day(date))
}

impl View<'_> {
    /// The line of a measure that stands: of the revisions that hold, the highest one that names it.
    pub(crate) fn standing(&self, unit: &UnitId, period: Period, measure: &MeasureId) -> Option<Standing> {
        let moment = self.moment();
        let (revision, value) =
            self.facts().last_naming_at(unit, period, measure, moment.cut, moment.as_of)?;
        (!value.is_withdrawn()).then_some(Standing { value, revision })
    }

    /// Every period of a unit's own rate that has a denominator, oldest first.
    pub(crate) fn points(&self, unit: &UnitId, measure: &MeasureId) -> Vec<Point> {
        let periods = self.plan().calendar.periods();
        periods.filter_map(|period| self.point(unit, period, measure)).collect()
    }

    pub(crate) fn point(&self, unit: &UnitId, period: Period, measure: &MeasureId) -> Option<Point> {
        let standing = self.standing(unit, period, measure)?;
        match standing.value {
            LineValue::Rate { numerator, denominator } if denominator > 0 => Some(Point {
                period,
                numerator,
                denominator,
                because: vec![standing.revision.event],
                revision: Some(standing.revision.revision),
            }),
            LineValue::Rate { .. }
            | LineValue::Level { .. }
            | LineValue::Attained { .. }
            | LineValue::Withdrawn { .. } => None,
        }
    }

    /// The sum of a rate over the districts of a province that are in force on the last day of a period.
    pub(crate) fn sum(&self, province: &UnitId, period: Period, measure: &MeasureId) -> Sum {
        let units = self.districts_in_force(province, self.plan().calendar.end_of_year(period.year()));
        let mut sum = Sum { numerator: 0, denominator: 0, reported: 0, of: units.len(), because: Vec::new() };
        for unit in units {
            let Some(standing) = self.standing(&unit.id, period, measure) else { continue };
            if let LineValue::Rate { numerator, denominator } = standing.value {
                sum.numerator += numerator;
                sum.denominator += denominator;
                sum.reported += 1;
                sum.because.push(standing.revision.event);
            }
        }
        sum
    }

    /// A unit's level or recognition by its highest period up to a year, with recognitions lapsed as at an instant.
    pub(crate) fn state(
        &self,
        unit: &Unit,
        measure: &Measure,
        up_to_year: i16,
        lapsed_at: Timestamp,
    ) -> Option<State> {
        let calendar = &self.plan().calendar;
        let mut periods = calendar.periods().rev().filter(|period| period.year() <= up_to_year);
        periods.find_map(|period| {
            let standing = self.standing(&unit.id, period, &measure.id)?;
            let value = match (standing.value, &measure.kind) {
                (LineValue::Level { level }, _) => StateValue::Level(level),
                (LineValue::Attained { attained, recognised_year }, kind) => {
                    let months = match kind {
                        MeasureKind::Attained { months } => *months,
                        MeasureKind::Rate | MeasureKind::Level { .. } => None,
                    };
                    let lapses =
                        months.map(|months| lapses_at(calendar, recognised_year.unwrap_or(period), months));
                    let lapsed = attained && lapses.is_some_and(|instant| lapsed_at >= instant);
                    StateValue::Attained { attained: attained && !lapsed, lapsed }
                }
                (LineValue::Rate { .. } | LineValue::Withdrawn { .. }, _) => return None,
            };
            Some(State {
                period,
                value,
                event: standing.revision.event,
                revision: standing.revision.revision,
            })
        })
    }
}
