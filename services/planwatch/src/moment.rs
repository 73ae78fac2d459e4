//! Days and instants on the command line: what is no date is wrong usage and never sent.

use events::{Date, Timestamp};

/// A day, or an instant with its time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    text: String,
    kind: MomentKind,
}

/// Which of the two it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MomentKind {
    /// A day, which ends where the plan's time zone says.
    Day(Date),
    /// An instant.
    Instant(Timestamp),
}

impl Moment {
    /// Reads `YYYY-MM-DD`, or RFC 3339 with a time zone.
    pub fn parse(text: &str) -> Result<Moment, String> {
        let day = || events::command::read_date(text).map(MomentKind::Day);
        let instant = || text.contains('T').then(|| text.parse().ok().map(MomentKind::Instant)).flatten();
        let kind = day()
            .or_else(instant)
            .ok_or_else(|| format!("`{text}` is no date: write YYYY-MM-DD, or RFC 3339 with a time zone"))?;
        Ok(Moment { text: text.to_owned(), kind })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Which of the two it is.
    pub fn kind(&self) -> MomentKind {
        self.kind
    }
}

/// Reads a day, `YYYY-MM-DD`.
pub fn day(text: &str) -> Result<Date, String> {
    events::command::read_date(text)
        .ok_or_else(|| format!("`{text}` is no day of the calendar: write YYYY-MM-DD"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_day_or_an_instant() {
        let kind = |text| Moment::parse(text).unwrap().kind();
        assert_eq!(kind("2024-02-29"), MomentKind::Day("2024-02-29".parse().unwrap()));
        let instant = "2024-02-29T12:00:00+07:00";
        assert_eq!(kind(instant), MomentKind::Instant(instant.parse().unwrap()));
        assert_eq!(Moment::parse(instant).unwrap().text(), instant);
        for wrong in
            ["2023-02-29", "yesterday", "2024-02-29T12:00:00", "20240229", "", "2024-02-29 12:00:00Z"]
        {
            assert!(Moment::parse(wrong).is_err(), "{wrong}");
        }
        assert!(day("2024-02-29").is_ok() && day("2024-2-29").is_err() && day("soon").is_err());
    }
}
