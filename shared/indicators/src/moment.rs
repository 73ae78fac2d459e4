//! The two times of a question: known at (a cut of the log) and as of (an effective time inside it).

use events::command::read_date;
use events::{FieldError, Position, Refusal, Timestamp};
use plan::Calendar;
use thiserror::Error;

/// The two times of a question, resolved against a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The cut: nothing recorded after this position is considered.
    pub cut: Position,
    /// The recorded time up to which something counts as known.
    pub known_at: Timestamp,
    /// The effective time up to which something counts as holding.
    pub as_of: Timestamp,
}

impl Moment {
    /// The moment that sees everything up to a cut, with both times the same.
    pub fn at(cut: Position, now: Timestamp) -> Moment {
        Moment { cut, known_at: now, as_of: now }
    }
}

/// Why a moment was not understood.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MomentError {
    /// The text is no date and no instant.
    #[error("`{parameter}` is `{text}`, neither a date of the calendar nor an RFC 3339 instant")]
    Unreadable {
        /// `as_of` or `known_at`.
        parameter: &'static str,
        /// What was given, shortened.
        text: String,
    },
    /// The moment lies in the future.
    #[error("`{parameter}` is `{text}`, which lies after now ({now})")]
    Future {
        /// `as_of` or `known_at`.
        parameter: &'static str,
        /// What was given.
        text: String,
        /// The present, in the plan's time zone.
        now: String,
    },
}

impl MomentError {
    /// The refusal that a caller is given.
    pub fn refusal(&self) -> Refusal {
        let (parameter, code, remedy) = match self {
            MomentError::Unreadable { parameter, .. } => (
                parameter,
                "not-a-date",
                "write YYYY-MM-DD (up to the end of that day) or an instant with its offset",
            ),
            MomentError::Future { parameter, .. } => {
                (parameter, "in-the-future", "ask for a moment up to now")
            }
        };
        Refusal::of_fields(vec![FieldError::new(format!("?{parameter}"), code, self.to_string(), remedy)])
    }
}

/// Reads `known_at` and `as_of` as people write them: known at defaults to now, as of to known at; a date
/// means up to the end of that day in the plan's time zone, today's up to now; what lies after now is refused.
pub fn read_moment(
    calendar: &Calendar,
    as_of: Option<&str>,
    known_at: Option<&str>,
    now: Timestamp,
) -> Result<(Timestamp, Timestamp), MomentError> {
    let known_at =
        known_at.map(|text| read_instant(calendar, "known_at", text, now)).transpose()?.unwrap_or(now);
    let as_of = as_of.map(|text| read_instant(calendar, "as_of", text, now)).transpose()?.unwrap_or(known_at);
    Ok((known_at, as_of))
}

/// Reads one moment as people write it: a date means up to the end of that day, today's up to now.
pub fn read_instant(
    calendar: &Calendar,
    parameter: &'static str,
    text: &str,
    now: Timestamp,
) -> Result<Timestamp, MomentError> {
    let short = || text.chars().take(40).collect::<String>();
    let future = || MomentError::Future { parameter, text: short(), now: calendar.shown(now) };
    if let Some(date) = read_date(text) {
        return if date > calendar.date_of(now) {
            Err(future())
        } else {
            Ok(calendar.end_of_day(date).min(now))
        };
    }
    let looks_like_an_instant = text.len() >= 20 && text.as_bytes()[10].eq_ignore_ascii_case(&b'T');
    match text.parse::<Timestamp>() {
        Ok(instant) if looks_like_an_instant && instant > now => Err(future()),
        Ok(instant) if looks_like_an_instant => Ok(instant),
        _ => Err(MomentError::Unreadable { parameter, text: short() }),
    }
}
