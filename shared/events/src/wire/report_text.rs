//! Reads a report in the one form in which this version writes it, without an intermediate tree and without
//! copying. Whatever is written in any other way, valid or not, is left to the general reader.
//!
//! It accepts nothing that the general reader refuses, and reads it as that one does: the tests hold the two
//! against each other.

use super::{BLANK_SEQUENCE, SOURCE_PREFIX};
use crate::event::LineValue;
use crate::ids::{EventId, Period, Position, is_slug};
use jiff::civil::Date;

/// A report as its bytes tell it; texts are borrowed from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportText<'a> {
    /// The place in the log.
    pub position: Position,
    /// The recorded time in milliseconds since 1970.
    pub recorded_ms: i64,
    /// The recorded time as written.
    pub recorded: &'a str,
    /// The id.
    pub id: EventId,
    /// The id as written: lower case, with hyphens.
    pub id_text: &'a str,
    /// The plan.
    pub plan: &'a str,
    /// The effective time in milliseconds since 1970.
    pub effective_ms: i64,
    /// The effective time as written.
    pub effective: &'a str,
    /// Who asked.
    pub actor: &'a str,
    /// The trace context.
    pub traceparent: Option<&'a str>,
    /// Who reported.
    pub unit: &'a str,
    /// The year reported on.
    pub period: Period,
    /// The revision.
    pub revision: u32,
    /// The document's number.
    pub document_number: &'a str,
    /// The document's date.
    pub document_date: Date,
    /// The document's date as written.
    pub document_date_text: &'a str,
    /// Why it was entered as history.
    pub history: Option<&'a str>,
    /// The digest of the request.
    pub request_digest: Option<&'a str>,
}

/// One line of a report as its bytes tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineText<'a> {
    /// What was measured.
    pub measure: &'a str,
    /// The value.
    pub value: LineValue,
    /// Where the figure comes from.
    pub source: Option<&'a str>,
}

/// Reads a report and hands out its lines in order; none where the bytes are written in any other way, or
/// where `line` refuses one. Lines may have been handed out before that turns out.
pub fn read_report<'a>(
    bytes: &'a [u8],
    mut line: impl FnMut(LineText<'a>) -> Option<()>,
) -> Option<ReportText<'a>> {
    // Checked once: from here on texts are only cut.
    let mut rest = Rest { text: std::str::from_utf8(bytes).ok()? };
    rest.skip(b"{\"specversion\":\"1.0\",\"id\":\"")?;
    let id_text = rest.take(36)?;
    let id = uuid_of(id_text.as_bytes())?;
    rest.skip(b"\",\"source\":\"")?;
    rest.skip(SOURCE_START)?;
    let plan = rest.slug()?;
    rest.skip(b",\"type\":\"planwatch.report-submitted.v1\",\"subject\":\"")?;
    rest.text()?;
    rest.skip(b",\"datacontenttype\":\"application/json\",\"time\":\"")?;
    let effective = rest.take(24)?;
    let effective_ms = millisecond_of(effective.as_bytes())?;
    rest.skip(b"\",\"actor\":\"")?;
    let actor = rest.slug()?;
    let traceparent = if rest.skip(b",\"traceparent\":\"").is_some() { Some(rest.text()?) } else { None };
    rest.skip(b",\"recordedtime\":\"")?;
    let recorded = rest.take(24)?;
    let recorded_ms = millisecond_of(recorded.as_bytes())?;
    rest.skip(b"\",\"sequence\":\"")?;
    let position = Position(digits(rest.take(BLANK_SEQUENCE.len())?.as_bytes())?);
    if position == Position::START {
        return None;
    }
    rest.skip(b"\",\"data\":{\"unit\":\"")?;
    let unit = rest.slug()?;
    rest.skip(b",\"period\":\"")?;
    let period = Period(i16::try_from(digits(rest.take(4)?.as_bytes())?).ok().filter(|year| *year >= 1900)?);
    rest.skip(b"\",\"revision\":")?;
    let revision = u32::try_from(rest.number()?).ok()?;
    rest.skip(b",\"document\":{\"number\":\"")?;
    let document_number = rest.text()?;
    rest.skip(b",\"date\":\"")?;
    let document_date_text = rest.take(10)?;
    let document_date = date_of(document_date_text.as_bytes())?;
    rest.skip(b"\"},\"lines\":[")?;
    if rest.skip(b"]").is_none() {
        loop {
            line(rest.line()?)?;
            if rest.skip(b",").is_none() {
                rest.skip(b"]")?;
                break;
            }
        }
    }
    let history = if rest.skip(b",\"history\":\"").is_some() { Some(rest.text()?) } else { None };
    let request_digest =
        if rest.skip(b",\"request_digest\":\"").is_some() { Some(rest.text()?) } else { None };
    rest.skip(b"}}")?;
    if !rest.text.is_empty() {
        return None;
    }
    Some(ReportText {
        position,
        recorded_ms,
        recorded,
        id,
        id_text,
        plan,
        effective_ms,
        effective,
        actor,
        traceparent,
        unit,
        period,
        revision,
        document_number,
        document_date,
        document_date_text,
        history,
        request_digest,
    })
}

const SOURCE_START: &[u8; 7] = b"/plans/";
const _: () = assert!(SOURCE_PREFIX.len() == SOURCE_START.len());

/// What has not been read yet.
struct Rest<'a> {
    text: &'a str,
}

impl<'a> Rest<'a> {
    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    /// Reads what has to be there; of a length known when this is compiled, so that it is one comparison.
    #[inline]
    fn skip<const N: usize>(&mut self, expected: &[u8; N]) -> Option<()> {
        let (found, _) = self.bytes().split_first_chunk::<N>()?;
        if found != expected {
            return None;
        }
        self.text = &self.text[N..];
        Some(())
    }

    /// So many bytes, if a character ends there.
    #[inline]
    fn take(&mut self, count: usize) -> Option<&'a str> {
        let (taken, rest) = self.text.split_at_checked(count)?;
        self.text = rest;
        Some(taken)
    }

    /// A text up to the quote at `end`, which is read too.
    #[inline]
    fn up_to_quote(&mut self, end: usize) -> Option<&'a str> {
        let (text, rest) = self.text.split_at_checked(end)?;
        self.text = rest.get(1..)?;
        Some(text)
    }

    /// A text without escapes up to its closing quote, which is read too.
    fn text(&mut self) -> Option<&'a str> {
        let end = end_of_text(self.bytes())?;
        self.up_to_quote(end)
    }

    /// An identifier up to its closing quote, which is read too.
    fn slug(&mut self) -> Option<&'a str> {
        let end = self.bytes().iter().position(|byte| *byte == b'"')?;
        self.up_to_quote(end).filter(|text| is_slug(text))
    }

    /// A whole number as JSON writes it: no sign, no leading zero, no fraction.
    fn number(&mut self) -> Option<u64> {
        let bytes = self.bytes();
        let mut number = 0_u64;
        let mut length = 0;
        while let Some(digit) = bytes.get(length).map(|byte| byte.wrapping_sub(b'0')) {
            if digit > 9 {
                break;
            }
            number = number.checked_mul(10)?.checked_add(u64::from(digit))?;
            length += 1;
        }
        let leads_with_zero = bytes.first() == Some(&b'0') && length > 1;
        if length == 0 || leads_with_zero || matches!(bytes.get(length), Some(b'.' | b'e' | b'E')) {
            return None;
        }
        self.text = &self.text[length..];
        Some(number)
    }

    fn boolean(&mut self) -> Option<bool> {
        if self.skip(b"true").is_some() {
            return Some(true);
        }
        self.skip(b"false").map(|()| false)
    }

    fn line(&mut self) -> Option<LineText<'a>> {
        self.skip(b"{\"measure\":\"")?;
        let measure = self.slug()?;
        let value = if self.skip(b",\"numerator\":").is_some() {
            let numerator = self.number()?;
            self.skip(b",\"denominator\":")?;
            LineValue::Rate { numerator, denominator: self.number()? }
        } else if self.skip(b",\"level\":").is_some() {
            LineValue::Level { level: u8::try_from(self.number()?).ok()? }
        } else if self.skip(b",\"attained\":").is_some() {
            let attained = self.boolean()?;
            let recognised_year = if self.skip(b",\"recognised_year\":\"").is_some() {
                let year =
                    i16::try_from(digits(self.take(4)?.as_bytes())?).ok().filter(|year| *year >= 1900)?;
                self.skip(b"\"")?;
                Some(Period(year))
            } else {
                None
            };
            LineValue::Attained { attained, recognised_year }
        } else {
            self.skip(b",\"withdrawn\":true")?;
            LineValue::WITHDRAWN
        };
        let source = if self.skip(b",\"source\":\"").is_some() { Some(self.text()?) } else { None };
        self.skip(b"}")?;
        Some(LineText { measure, value, source })
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Where the closing quote of a text without escapes stands; none where an escape or a control character
/// comes before it.
fn end_of_text(bytes: &[u8]) -> Option<usize> {
    let equals = |word: u64, byte: u8| {
        let differing = word ^ (ONES * u64::from(byte));
        differing.wrapping_sub(ONES) & !differing & HIGHS
    };
    let mut start = 0;
    // Eight bytes at once, up to the first eight that hold anything worth looking at.
    while let Some(eight) = bytes.get(start..start + 8) {
        let word = u64::from_le_bytes(eight.try_into().expect("eight bytes are eight bytes"));
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        if equals(word, b'"') | equals(word, b'\\') | control != 0 {
            break;
        }
        start += 8;
    }
    let found = bytes[start..].iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
    (bytes[start + found] == b'"').then_some(start + found)
}

/// A number of digits only, however many zeros lead it.
fn digits(text: &[u8]) -> Option<u64> {
    text.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

fn date_of(text: &[u8]) -> Option<Date> {
    let [_, _, _, _, b'-', _, _, b'-', _, _] = text else { return None };
    let year = i16::try_from(digits(&text[..4])?).ok()?;
    let month = i8::try_from(digits(&text[5..7])?).ok()?;
    let day = i8::try_from(digits(&text[8..10])?).ok()?;
    Date::new(year, month, day).ok()
}

/// Reads the 24 characters in which the log writes an instant, for the years 1900 to 9998.
pub(crate) fn millisecond_of(text: &[u8]) -> Option<i64> {
    if text.len() != 24 || [text[10], text[13], text[16], text[19], text[23]] != *b"T::.Z" {
        return None;
    }
    if text[4] != b'-' || text[7] != b'-' {
        return None;
    }
    let part = |from: usize, to: usize| digits(&text[from..to]).map(u64::cast_signed);
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    let (hour, minute, second) = (part(11, 13)?, part(14, 16)?, part(17, 19)?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let month_days = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    // A leap second is left to the general reader, and so are the last instants that there are.
    if !(1900..=9998).contains(&year)
        || !(1..=month_days).contains(&day)
        || hour > 23
        || minute > 59
        || second > 59
    {
        return None;
    }
    // Days since 1970 by the civil calendar, with years that begin in March.
    let (shifted_year, shifted_month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let days = shifted_year * 365 + shifted_year / 4 - shifted_year / 100 + shifted_year / 400 + day_of_year
        - 719_468;
    Some(((days * 24 + hour) * 60 + minute) * 60_000 + second * 1000 + part(20, 23)?)
}

const NO_DIGIT: u8 = 0xff;
/// The value of each lower-case hexadecimal digit.
const HEXADECIMAL: [u8; 256] = {
    let mut table = [NO_DIGIT; 256];
    let mut digit = 0;
    while digit < 16 {
        table[b"0123456789abcdef"[digit] as usize] = digit as u8;
        digit += 1;
    }
    table
};

/// Reads an id in the form in which it is written: lower case, with hyphens.
fn uuid_of(text: &[u8]) -> Option<EventId> {
    /// Where the two digits of each byte stand.
    const PLACES: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
    let text: &[u8; 36] = text.try_into().ok()?;
    if [text[8], text[13], text[18], text[23]] != [b'-'; 4] {
        return None;
    }
    let mut id = [0; 16];
    let mut wrong = 0;
    for (byte, place) in id.iter_mut().zip(PLACES) {
        let (high, low) = (HEXADECIMAL[usize::from(text[place])], HEXADECIMAL[usize::from(text[place + 1])]);
        wrong |= high | low;
        *byte = high << 4 | low & 0xf;
    }
    (wrong < 0x10).then(|| EventId::from_bytes(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_instant_is_read_as_the_library_reads_it(ms in -2_300_000_000_000_i64..253_402_300_799_999) {
            let instant = jiff::Timestamp::from_millisecond(ms).unwrap();
            let text = crate::instant::written(instant);
            let read = millisecond_of(text.as_bytes());
            prop_assert_eq!(read, ("1900".."9999").contains(&&text[..4]).then_some(ms), "{}", text);
        }

        #[test]
        fn no_instant_is_read_that_the_library_refuses(
            text in "(19|20|21)[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]\\.[0-9]{3}Z"
        ) {
            if let Some(ms) = millisecond_of(text.as_bytes()) {
                prop_assert_eq!(text.parse::<jiff::Timestamp>().map(|instant| instant.as_millisecond()).ok(), Some(ms));
            }
        }

        #[test]
        fn a_text_ends_at_the_first_quote(text in "\\PC{0,20}[\"\\\\\u{1}é]?[a-z]{0,12}\"?") {
            let plain = text.bytes().position(|byte| byte == b'"' || byte == b'\\' || byte < 0x20);
            let expected = plain.filter(|found| text.as_bytes()[*found] == b'"');
            prop_assert_eq!(end_of_text(text.as_bytes()), expected);
        }
    }
}
