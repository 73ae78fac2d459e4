//! The JSON of an event, written without a serialiser where every event has it: the head, and a report's data.
//!
//! Byte for byte what serde writes, several times as fast: names and identifiers need no escaping, and numbers
//! and dates no formatter. Whatever a text may contain is looked at once; one that needs escaping is left to serde.

use super::{BLANK_INSTANT, BLANK_SEQUENCE, NO_UNIT, SOURCE_PREFIX, TYPE_PREFIX};
use crate::event::{Event, LineValue, ReportLine, ReportSubmitted};
use crate::instant;
use jiff::civil::Date;
use std::io::Write;
use uuid::fmt::Hyphenated;

/// Where the blanks of an event are, from its first byte on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Blanks {
    pub(super) recorded_at: usize,
    pub(super) sequence: usize,
}

/// Appends an event up to and including `"data":`.
pub(super) fn head(bytes: &mut Vec<u8>, event: &Event) -> Blanks {
    let start = bytes.len();
    let kind = event.data.kind();
    bytes.extend_from_slice(b"{\"specversion\":\"1.0\",\"id\":\"");
    bytes.extend_from_slice(event.id.hyphenated().encode_lower(&mut [0; Hyphenated::LENGTH]).as_bytes());
    bytes.extend_from_slice(b"\",\"source\":\"");
    bytes.extend_from_slice(SOURCE_PREFIX.as_bytes());
    bytes.extend_from_slice(event.plan.as_str().as_bytes());
    bytes.extend_from_slice(b"\",\"type\":\"");
    bytes.extend_from_slice(TYPE_PREFIX.as_bytes());
    bytes.extend_from_slice(kind.name().as_bytes());
    bytes.extend_from_slice(b".v");
    number(bytes, u64::from(kind.version()));
    bytes.extend_from_slice(b"\",\"subject\":\"");
    bytes.extend_from_slice(event.data.unit().map_or(NO_UNIT, |unit| unit.as_str()).as_bytes());
    bytes.extend_from_slice(b"\",\"datacontenttype\":\"application/json\",\"time\":\"");
    instant::write(bytes, event.effective);
    bytes.extend_from_slice(b"\",\"actor\":\"");
    bytes.extend_from_slice(event.actor.as_str().as_bytes());
    if let Some(traceparent) = &event.traceparent {
        bytes.extend_from_slice(b"\",\"traceparent\":");
        text(bytes, traceparent);
        bytes.extend_from_slice(b",\"recordedtime\":\"");
    } else {
        bytes.extend_from_slice(b"\",\"recordedtime\":\"");
    }
    let recorded_at = bytes.len() - start;
    bytes.extend_from_slice(BLANK_INSTANT.as_bytes());
    bytes.extend_from_slice(b"\",\"sequence\":\"");
    let sequence = bytes.len() - start;
    bytes.extend_from_slice(BLANK_SEQUENCE.as_bytes());
    bytes.extend_from_slice(b"\",\"data\":");
    Blanks { recorded_at, sequence }
}

/// Appends the data of a report.
pub(super) fn report(bytes: &mut Vec<u8>, report: &ReportSubmitted) {
    // Taken apart, so that a new field is not forgotten here.
    let ReportSubmitted { unit, period, revision, document, lines, history, request_digest } = report;
    bytes.extend_from_slice(b"{\"unit\":\"");
    bytes.extend_from_slice(unit.as_str().as_bytes());
    bytes.extend_from_slice(b"\",\"period\":\"");
    year(bytes, period.year());
    bytes.extend_from_slice(b"\",\"revision\":");
    number(bytes, u64::from(*revision));
    bytes.extend_from_slice(b",\"document\":{\"number\":");
    text(bytes, &document.number);
    bytes.extend_from_slice(b",\"date\":\"");
    date(bytes, document.date);
    bytes.extend_from_slice(b"\"},\"lines\":[");
    for (place, line) in lines.iter().enumerate() {
        if place > 0 {
            bytes.push(b',');
        }
        report_line(bytes, line);
    }
    bytes.push(b']');
    optional_text(bytes, b",\"history\":", history.as_deref());
    optional_text(bytes, b",\"request_digest\":", request_digest.as_deref());
    bytes.push(b'}');
}

fn report_line(bytes: &mut Vec<u8>, line: &ReportLine) {
    let ReportLine { measure, value, source } = line;
    bytes.extend_from_slice(b"{\"measure\":\"");
    bytes.extend_from_slice(measure.as_str().as_bytes());
    match value {
        LineValue::Rate { numerator, denominator } => {
            bytes.extend_from_slice(b"\",\"numerator\":");
            number(bytes, *numerator);
            bytes.extend_from_slice(b",\"denominator\":");
            number(bytes, *denominator);
        }
        LineValue::Level { level } => {
            bytes.extend_from_slice(b"\",\"level\":");
            number(bytes, u64::from(*level));
        }
        LineValue::Attained { attained, recognised_year } => {
            bytes.extend_from_slice(b"\",\"attained\":");
            truth(bytes, *attained);
            if let Some(recognised) = recognised_year {
                bytes.extend_from_slice(b",\"recognised_year\":\"");
                year(bytes, recognised.year());
                bytes.push(b'"');
            }
        }
        LineValue::Withdrawn { withdrawn } => {
            bytes.extend_from_slice(b"\",\"withdrawn\":");
            truth(bytes, *withdrawn);
        }
    }
    optional_text(bytes, b",\"source\":", source.as_deref());
    bytes.push(b'}');
}

fn optional_text(bytes: &mut Vec<u8>, name: &[u8], value: Option<&str>) {
    if let Some(value) = value {
        bytes.extend_from_slice(name);
        text(bytes, value);
    }
}

fn text(bytes: &mut Vec<u8>, value: &str) {
    // Without a way out in between, so that many bytes are looked at at once.
    let is_escaped = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
    if value.bytes().fold(false, |any, byte| any | is_escaped(byte)) {
        serde_json::to_writer(bytes, value).expect("text serialises to memory");
    } else {
        bytes.push(b'"');
        bytes.extend_from_slice(value.as_bytes());
        bytes.push(b'"');
    }
}

fn truth(bytes: &mut Vec<u8>, value: bool) {
    bytes.extend_from_slice(if value { b"true" } else { b"false" });
}

fn number(bytes: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    bytes.extend_from_slice(&digits[first..]);
}

fn year(bytes: &mut Vec<u8>, year: i16) {
    match u16::try_from(year) {
        Ok(year @ 0..=9_999) => bytes.extend_from_slice(&four_digits(year)),
        _ => write!(bytes, "{year:04}").expect("memory takes what is written"),
    }
}

fn date(bytes: &mut Vec<u8>, date: Date) {
    match (u16::try_from(date.year()), date.month().unsigned_abs(), date.day().unsigned_abs()) {
        (Ok(year @ 0..=9_999), month, day) => {
            let mut form = *b"0000-00-00";
            form[..4].copy_from_slice(&four_digits(year));
            for (at, value) in [(5, month), (8, day)] {
                form[at] += value / 10;
                form[at + 1] += value % 10;
            }
            bytes.extend_from_slice(&form);
        }
        _ => write!(bytes, "{date}").expect("memory takes what is written"),
    }
}

fn four_digits(value: u16) -> [u8; 4] {
    // Each remainder is one digit.
    [1_000, 100, 10, 1].map(|unit| b'0' + (value / unit % 10) as u8)
}
