//! The reporting calendar: periods, deadlines and the plan's time zone.

use events::{Date, Period, Timestamp};
use jiff::{ToSpan, civil, tz::TimeZone};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Periods, deadlines and the time zone of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// The IANA time zone in which days begin and end.
    pub time_zone: Zone,
    /// The first year that may be reported on.
    pub first_period: Period,
    /// The last year that may be reported on.
    pub last_period: Period,
    /// The first year for which reporting is a duty.
    pub duty_from: Period,
    /// The month and day, in the period's own year, before which a report is due.
    pub due_before: MonthDay,
    /// The paragraph that sets the deadline.
    pub paragraph: String,
    /// How many days old a document may be before it has to be entered as history.
    pub history_after_days: u16,
}

/// An IANA time zone by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Finds a zone such as `Asia/Ho_Chi_Minh`.
    pub fn parse(name: &str) -> Option<Zone> {
        let zone = TimeZone::get(name).ok()?;
        zone.iana_name().map(|_| Zone(zone.clone()))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.0.iana_name().expect("a zone is made from a name")
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Zone::parse(&name).ok_or_else(|| {
            de::Error::custom(format!("`{name}` is no time zone: use an IANA name such as Asia/Ho_Chi_Minh"))
        })
    }
}

/// A day of the year, written `12-01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MonthDay {
    month: i8,
    day: i8,
}

impl MonthDay {
    /// Reads `MM-DD`; 29 February is refused because not every year has it.
    pub fn parse(text: &str) -> Option<MonthDay> {
        let (month, day) = text.split_once('-')?;
        if month.len() != 2 || day.len() != 2 {
            return None;
        }
        let (month, day) = (month.parse().ok()?, day.parse().ok()?);
        Date::new(2023, month, day).ok().map(|_| MonthDay { month, day })
    }

    /// The day in a year.
    pub fn in_year(self, year: i16) -> Date {
        Date::new(year, self.month, self.day).expect("the day exists in every year")
    }
}

impl Serialize for MonthDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:02}-{:02}", self.month, self.day))
    }
}

impl<'de> Deserialize<'de> for MonthDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        MonthDay::parse(&text).ok_or_else(|| {
            de::Error::custom(format!("`{text}` is no day of every year: write MM-DD, as in \"12-01\""))
        })
    }
}

impl Calendar {
    /// The instant at which a day begins in the plan's time zone.
    pub fn start_of_day(&self, date: Date) -> Timestamp {
        let midnight = date.to_datetime(civil::Time::midnight());
        self.time_zone.0.to_timestamp(midnight).unwrap_or(Timestamp::MIN)
    }

    /// The last millisecond of a day in the plan's time zone: "as of" a date means up to here.
    /// The last day that the calendar knows has no next midnight and ends with time itself.
    pub fn end_of_day(&self, date: Date) -> Timestamp {
        match date.tomorrow() {
            Ok(next) => self.start_of_day(next).checked_sub(1.millisecond()).unwrap_or(Timestamp::MIN),
            Err(_) => Timestamp::MAX,
        }
    }

    /// The instant before which the report of a period is due; a report at that very instant is late.
    pub fn due(&self, period: Period) -> Timestamp {
        self.start_of_day(self.due_before.in_year(period.year()))
    }

    /// The instant at which a year begins.
    pub fn start_of_year(&self, year: i16) -> Timestamp {
        self.start_of_day(civil::date(year, 1, 1))
    }

    /// The last millisecond of a year.
    pub fn end_of_year(&self, year: i16) -> Timestamp {
        self.end_of_day(civil::date(year, 12, 31))
    }

    /// The day on which an instant falls.
    pub fn date_of(&self, instant: Timestamp) -> Date {
        self.time_zone.0.to_datetime(instant).date()
    }

    /// The year in which an instant falls.
    pub fn year_of(&self, instant: Timestamp) -> i16 {
        self.date_of(instant).year()
    }

    /// Every period, in order.
    pub fn periods(&self) -> impl DoubleEndedIterator<Item = Period> + use<> {
        (self.first_period.year()..=self.last_period.year()).map(Period)
    }

    /// Whether the plan has this period.
    pub fn has_period(&self, period: Period) -> bool {
        self.first_period <= period && period <= self.last_period
    }

    /// Writes an instant for people and programs: RFC 3339 in the plan's time zone.
    pub fn shown(&self, instant: Timestamp) -> String {
        instant.to_zoned_datetime(self.time_zone.0.clone()).strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar() -> Calendar {
        Calendar {
            time_zone: Zone::parse("Asia/Ho_Chi_Minh").unwrap(),
            first_period: Period(2021),
            last_period: Period(2030),
            duty_from: Period(2022),
            due_before: MonthDay::parse("12-01").unwrap(),
            paragraph: "V.14".into(),
            history_after_days: 31,
        }
    }

    #[test]
    fn days_begin_seven_hours_before_utc() {
        let calendar = calendar();
        assert_eq!(calendar.due(Period(2024)).to_string(), "2024-11-30T17:00:00Z");
        assert_eq!(calendar.shown(calendar.due(Period(2024))), "2024-12-01T00:00:00+07:00");
        assert_eq!(
            calendar.shown(calendar.end_of_day(civil::date(2025, 12, 31))),
            "2025-12-31T23:59:59.999+07:00"
        );
        assert_eq!(calendar.year_of("2025-12-31T17:00:00Z".parse().unwrap()), 2026);
    }

    #[test]
    fn a_day_of_the_year_exists_in_every_year() {
        assert!(MonthDay::parse("02-29").is_none());
        assert!(MonthDay::parse("13-01").is_none());
        assert!(MonthDay::parse("1-01").is_none());
        assert!(MonthDay::parse("12-31").is_some());
    }
}
