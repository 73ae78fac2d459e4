//! The two ends of an interval that is asked about: moments by date or by position, the earlier one first.

use crate::question::Question;
use event_log::{Log, ReadError};
use events::{FieldError, Position, Refusal, Timestamp};
use indicators::{Moment, read_instant};
use plan::Calendar;

/// One end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// What was known at an instant.
    Known(Timestamp),
    /// What the log held up to a position.
    At(Position),
}

/// An interval as it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Interval {
    from: End,
    /// None for the head, at the present.
    to: Option<End>,
    as_of: Option<Timestamp>,
    now: Timestamp,
}

impl Interval {
    /// Reads both ends; everything wrong is named.
    pub(crate) fn read(
        calendar: &Calendar,
        question: &Question,
        now: Timestamp,
    ) -> Result<Interval, Refusal> {
        let now = events::instant::to_millisecond(now);
        let end = |name: &'static str, date: Option<&str>, position: Option<Position>| match (date, position)
        {
            (Some(_), Some(_)) => Err(field(
                &format!("{name}_position"),
                "doubled-parameter",
                format!("`{name}` and `{name}_position` both say where the interval ends"),
                "keep one of the two",
            )),
            (Some(date), None) => read_instant(calendar, name, date, now)
                .map(|at| Some(End::Known(at)))
                .map_err(|error| error.refusal()),
            (None, position) => Ok(position.map(End::At)),
        };
        let from = end("from", question.from.as_deref(), question.from_position).and_then(|from| {
            from.ok_or_else(|| {
                field(
                    "from",
                    "missing",
                    "`from` is missing: it says where the interval begins",
                    "add `from` or `from_position`",
                )
            })
        });
        let to = end("to", question.to.as_deref(), question.to_position);
        let as_of = question.as_of.as_deref();
        let as_of =
            as_of.map(|text| read_instant(calendar, "as_of", text, now).map_err(|error| error.refusal()));
        match (from, to, as_of.transpose()) {
            (Ok(from), Ok(to), Ok(as_of)) => Ok(Interval { from, to, as_of, now }),
            (from, to, as_of) => {
                let refusals = [from.err(), to.err(), as_of.err()];
                Err(Refusal::of_fields(
                    refusals.into_iter().flatten().flat_map(|refusal| refusal.errors).collect(),
                ))
            }
        }
    }

    /// Finds both ends in the log, up to what is folded; the earlier one has to come first.
    pub(crate) fn moments(
        &self,
        log: &Log,
        head: Position,
    ) -> Result<Result<[Moment; 2], Refusal>, ReadError> {
        let from = self.moment(self.from, log, head)?;
        let to = match self.to {
            Some(end) => self.moment(end, log, head)?,
            None => {
                let now = log.last_recorded_at().map_or(self.now, |recorded_at| recorded_at.max(self.now));
                Moment { cut: head, known_at: now, as_of: self.as_of.unwrap_or(now) }
            }
        };
        let name = |end: End| match end {
            End::Known(_) => "from",
            End::At(_) => "from_position",
        };
        if from.cut > to.cut || from.known_at > to.known_at {
            return Ok(Err(field(
                name(self.from),
                "reversed-interval",
                format!("`{}` lies after the end of the interval", name(self.from)),
                "let the interval begin before it ends",
            )));
        }
        Ok(Ok([from, to]))
    }

    fn moment(&self, end: End, log: &Log, head: Position) -> Result<Moment, ReadError> {
        let (cut, known_at) = match end {
            End::Known(known_at) => (log.position_at(known_at)?.min(head), known_at),
            End::At(position) => {
                let cut = position.min(head);
                let recorded_at = log.event_at(cut)?.map(|stored| stored.recorded_at);
                (cut, recorded_at.unwrap_or(Timestamp::UNIX_EPOCH))
            }
        };
        Ok(Moment { cut, known_at, as_of: self.as_of.unwrap_or(known_at) })
    }
}

fn field(name: &str, code: &str, reason: impl Into<String>, remedy: &str) -> Refusal {
    Refusal::of_fields(vec![FieldError::new(format!("?{name}"), code, reason, remedy)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use serde_json::{Value, json};

    const KNOWN: [&str; 5] = ["from", "to", "from_position", "to_position", "as_of"];

    fn read(question: Value) -> Result<Interval, Vec<(String, String)>> {
        let question = Question::read(question.to_string().as_bytes(), &KNOWN).unwrap();
        let now = fixture::instant("2025-12-15T00:00:00Z");
        Interval::read(&fixture::plan().calendar, &question, now)
            .map_err(|refusal| refusal.errors.into_iter().map(|error| (error.pointer, error.code)).collect())
    }

    #[test]
    fn an_end_is_a_date_or_a_position_and_the_present_where_none_is_named() {
        let interval = read(json!({"from": "2024-12-31", "to_position": 7})).unwrap();
        assert_eq!(interval.from, End::Known(fixture::instant("2024-12-31T16:59:59.999Z")));
        assert_eq!(interval.to, Some(End::At(Position(7))));
        assert_eq!(read(json!({"from_position": "3"})).unwrap().to, None);
    }

    #[test]
    fn every_wrong_end_is_named() {
        for (question, expected) in [
            (json!({}), vec![("?from", "missing")]),
            (
                json!({"from": "soon", "to": "2026-01-01"}),
                vec![("?from", "not-a-date"), ("?to", "in-the-future")],
            ),
            (
                json!({"from": "2024-01-01", "from_position": 3}),
                vec![("?from_position", "doubled-parameter")],
            ),
            (
                json!({"to": "2024-01-01", "to_position": 3}),
                vec![("?from", "missing"), ("?to_position", "doubled-parameter")],
            ),
            (json!({"from": "2024-01-01", "as_of": "2024-02-30"}), vec![("?as_of", "not-a-date")]),
        ] {
            let found = read(question.clone()).unwrap_err();
            let expected: Vec<_> = expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
            assert_eq!(found, expected, "{question}");
        }
    }
}
