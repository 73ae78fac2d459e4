//! The two times of a question, resolved against the facts and the log.

use crate::question::Question;
use events::{Position, Refusal, Timestamp};
use indicators::{Facts, Moment, read_moment};
use plan::Calendar;

/// Known at and as of as they were asked, before the head that answers is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Times {
    known_at: Timestamp,
    /// Not asked for: it is the head's own, should that be later than the clock.
    known_at_defaulted: bool,
    as_of: Timestamp,
    as_of_defaulted: bool,
}

impl Times {
    /// Reads both times; `now` is the clock or the last recorded time, whichever is later.
    pub(crate) fn read(calendar: &Calendar, question: &Question, now: Timestamp) -> Result<Times, Refusal> {
        let now = events::instant::to_millisecond(now);
        let (known_at, as_of) =
            read_moment(calendar, question.as_of.as_deref(), question.known_at.as_deref(), now)
                .map_err(|error| error.refusal())?;
        Ok(Times {
            known_at,
            known_at_defaulted: question.known_at.is_none(),
            as_of,
            as_of_defaulted: question.as_of.is_none(),
        })
    }

    /// The instant whose cut has to be looked up; none where the head is meant.
    pub(crate) fn looked_up(&self) -> Option<Timestamp> {
        (!self.known_at_defaulted).then_some(self.known_at)
    }

    /// The moment in these facts: `cut` is what was looked up, never beyond what is folded.
    pub(crate) fn moment(&self, facts: &Facts, cut: Option<Position>) -> Moment {
        let head = facts.head();
        let cut = cut.unwrap_or(head).min(head);
        let known_at = match facts.head_recorded_at() {
            Some(recorded_at) if self.known_at_defaulted => self.known_at.max(recorded_at),
            _ => self.known_at,
        };
        Moment { cut, known_at, as_of: if self.as_of_defaulted { known_at } else { self.as_of } }
    }
}
