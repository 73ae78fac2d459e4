//! The digest line of a report, written by hand: the same bytes as its serde form, many times as fast.
//!
//! The fields stand in alphabetical order and hold nothing that needs an escape, so that this is canonical JSON.

use super::reports::{Line, Row};
use super::vocabulary::Vocabulary;
use events::{Date, LineValue, instant};

/// Everything of a report that its digest line says, before its lines.
pub(super) struct ReportHead<'a> {
    pub(super) document: &'a [u8],
    pub(super) effective: &'a [u8],
    pub(super) event: &'a [u8],
    pub(super) history: bool,
}

/// Everything that stands behind the lines.
pub(super) struct ReportTail<'a> {
    pub(super) position: u64,
    pub(super) recorded: &'a [u8],
    pub(super) revision: u32,
}

pub(super) fn begin_report(text: &mut Vec<u8>, head: &ReportHead<'_>) {
    text.extend_from_slice(b"{\"document\":\"");
    text.extend_from_slice(head.document);
    text.extend_from_slice(b"\",\"effective\":\"");
    text.extend_from_slice(head.effective);
    text.extend_from_slice(b"\",\"event\":\"");
    text.extend_from_slice(head.event);
    text.extend_from_slice(if head.history {
        b"\",\"history\":true,\"lines\":["
    } else {
        b"\",\"history\":false,\"lines\":["
    });
}

pub(super) fn add_line(text: &mut Vec<u8>, is_first: bool, measure: &[u8], value: LineValue) {
    if !is_first {
        text.push(b',');
    }
    let close_measure = |text: &mut Vec<u8>| {
        text.extend_from_slice(b"\"measure\":\"");
        text.extend_from_slice(measure);
    };
    match value {
        LineValue::Rate { numerator, denominator } => {
            text.extend_from_slice(b"{\"denominator\":");
            add_number(text, denominator);
            text.push(b',');
            close_measure(text);
            text.extend_from_slice(b"\",\"numerator\":");
            add_number(text, numerator);
            text.push(b'}');
        }
        LineValue::Level { level } => {
            text.extend_from_slice(b"{\"level\":");
            add_number(text, u64::from(level));
            text.push(b',');
            close_measure(text);
            text.extend_from_slice(b"\"}");
        }
        LineValue::Attained { attained, recognised_year } => {
            text.extend_from_slice(if attained { b"{\"attained\":true," } else { b"{\"attained\":false," });
            close_measure(text);
            if let Some(year) = recognised_year {
                text.extend_from_slice(b"\",\"recognised_year\":\"");
                text.extend_from_slice(year.to_string().as_bytes());
            }
            text.extend_from_slice(b"\"}");
        }
        LineValue::Withdrawn { withdrawn } => {
            text.push(b'{');
            close_measure(text);
            text.extend_from_slice(if withdrawn {
                b"\",\"withdrawn\":true}"
            } else {
                b"\",\"withdrawn\":false}"
            });
        }
    }
}

pub(super) fn end_report(text: &mut Vec<u8>, tail: &ReportTail<'_>) {
    text.extend_from_slice(b"],\"position\":");
    add_number(text, tail.position);
    text.extend_from_slice(b",\"recorded\":\"");
    text.extend_from_slice(tail.recorded);
    text.extend_from_slice(b"\",\"revision\":");
    add_number(text, u64::from(tail.revision));
    text.extend_from_slice(b"}\n");
}

/// Appends the whole line of a report that is kept.
pub(super) fn add_report(
    text: &mut Vec<u8>,
    vocabulary: &Vocabulary,
    revision: u32,
    row: &Row,
    lines: &[Line],
) {
    let mut effective = Vec::with_capacity(instant::WRITTEN_CHARS);
    instant::write_millisecond(&mut effective, row.effective_ms);
    let mut recorded = Vec::with_capacity(instant::WRITTEN_CHARS);
    instant::write_millisecond(&mut recorded, row.recorded_ms);
    let mut event = [0; 36];
    let event: &str = row.event.hyphenated().encode_lower(&mut event);
    let head = ReportHead {
        document: &date(row.document_date),
        effective: &effective,
        event: event.as_bytes(),
        history: row.history,
    };
    begin_report(text, &head);
    for (index, line) in lines.iter().enumerate() {
        let measure = vocabulary.measure_id(line.measure);
        add_line(text, index == 0, measure.as_str().as_bytes(), line.value());
    }
    end_report(text, &ReportTail { position: row.position.0, recorded: &recorded, revision });
}

fn date(date: Date) -> Vec<u8> {
    if !(0..=9999).contains(&date.year()) {
        return date.to_string().into_bytes();
    }
    let mut form = b"0000-00-00".to_vec();
    let mut put = |at: usize, digits: usize, mut number: u16| {
        for place in form[at..at + digits].iter_mut().rev() {
            // The remainder is one digit.
            *place = b'0' + (number % 10) as u8;
            number /= 10;
        }
    };
    put(0, 4, date.year().unsigned_abs());
    put(5, 2, u16::from(date.month().unsigned_abs()));
    put(8, 2, u16::from(date.day().unsigned_abs()));
    form
}

fn add_number(text: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        // The remainder is one digit.
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    text.extend_from_slice(&digits[start..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{EventId, MeasureId, Period, Position, Timestamp};
    use proptest::prelude::*;
    use serde::Serialize;

    // The form that the digest is defined by; its fields stand in alphabetical order.
    #[derive(Serialize)]
    struct RevisionLine<'a> {
        document: Date,
        effective: String,
        event: EventId,
        history: bool,
        lines: Vec<MeasureLine<'a>>,
        position: Position,
        recorded: String,
        revision: u32,
    }

    #[derive(Serialize, Default)]
    struct MeasureLine<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        attained: Option<bool>,
        #[serde(skip_serializing_if = "Option::is_none")]
        denominator: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        level: Option<u8>,
        measure: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        numerator: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        recognised_year: Option<Period>,
        #[serde(skip_serializing_if = "Option::is_none")]
        withdrawn: Option<bool>,
    }

    impl<'a> MeasureLine<'a> {
        fn of(measure: &'a MeasureId, value: LineValue) -> MeasureLine<'a> {
            let line = MeasureLine { measure: measure.as_str(), ..MeasureLine::default() };
            match value {
                LineValue::Rate { numerator, denominator } => {
                    MeasureLine { numerator: Some(numerator), denominator: Some(denominator), ..line }
                }
                LineValue::Level { level } => MeasureLine { level: Some(level), ..line },
                LineValue::Attained { attained, recognised_year } => {
                    MeasureLine { attained: Some(attained), recognised_year, ..line }
                }
                LineValue::Withdrawn { withdrawn } => MeasureLine { withdrawn: Some(withdrawn), ..line },
            }
        }
    }

    fn plan() -> plan::Plan {
        let text = include_str!("../../../../deploy/plans/binh-duong.toml");
        plan::file::read("binh-duong.toml", text).unwrap()
    }

    fn values() -> impl Strategy<Value = LineValue> {
        prop_oneof![
            (any::<u64>(), any::<u64>())
                .prop_map(|(numerator, denominator)| LineValue::Rate { numerator, denominator }),
            any::<u8>().prop_map(|level| LineValue::Level { level }),
            (any::<bool>(), proptest::option::of((1900..=9999_i16).prop_map(Period)))
                .prop_map(|(attained, recognised_year)| LineValue::Attained { attained, recognised_year }),
            Just(LineValue::WITHDRAWN),
        ]
    }

    proptest! {
        #[test]
        fn the_line_of_a_report_is_its_serde_form(
            (position, revision, id, history) in (any::<u64>(), any::<u32>(), any::<u128>(), any::<bool>()),
            effective_ms in -377_705_000_000_000_i64..253_402_200_000_000,
            recorded_ms in 0_i64..253_402_200_000_000,
            (year, month, day) in (-9999_i16..=9999, 1_i8..=12, 1_i8..=28),
            values in proptest::collection::vec((0_usize..8, values()), 0..5),
        ) {
            let plan = plan();
            let vocabulary = Vocabulary::of(&plan).unwrap();
            let named: Vec<_> = values.iter().map(|(of, value)| (&plan.measures[*of].id, *value)).collect();
            let row = Row {
                position: Position(position),
                recorded_ms,
                effective_ms,
                event: EventId::from_u128(id),
                document_date: Date::new(year, month, day).unwrap(),
                history,
            };
            let kept: Vec<Line> = named
                .iter()
                .map(|(measure, value)| Line::new(vocabulary.measure(measure.as_str()).unwrap(), *value))
                .collect();
            prop_assert!(kept.iter().all(|line| line.checked() == Some(*line)));
            let written = |ms| instant::written(Timestamp::from_millisecond(ms).unwrap());
            let serde = RevisionLine {
                document: row.document_date,
                effective: written(effective_ms),
                event: row.event,
                history,
                lines: named.iter().map(|(measure, value)| MeasureLine::of(measure, *value)).collect(),
                position: row.position,
                recorded: written(recorded_ms),
                revision,
            };
            let mut text = Vec::new();
            add_report(&mut text, &vocabulary, revision, &row, &kept);
            let mut expected = serde_json::to_string(&serde).unwrap();
            expected.push('\n');
            prop_assert_eq!(String::from_utf8(text).unwrap(), expected);
        }
    }
}
