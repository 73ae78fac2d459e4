//! Plain values as bytes, for segments: whole numbers in as few bytes as they need, texts behind their length.

use events::{Date, EventId, Timestamp};

/// What is being written.
#[derive(Debug, Default)]
pub(super) struct Writer {
    pub(super) bytes: Vec<u8>,
}

impl Writer {
    pub(super) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Seven bits a byte, the lowest first; the highest bit says that more follow.
    pub(super) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    /// Small for small numbers of either sign.
    pub(super) fn signed(&mut self, number: i64) {
        self.number((number << 1 ^ number >> 63).cast_unsigned());
    }

    pub(super) fn count(&mut self, count: usize) {
        self.number(count as u64);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.count(text.len());
        self.raw(text.as_bytes());
    }

    pub(super) fn id(&mut self, id: EventId) {
        self.raw(id.as_bytes());
    }

    pub(super) fn ids(&mut self, ids: &[EventId]) {
        self.count(ids.len());
        ids.iter().for_each(|id| self.id(*id));
    }

    /// To the nanosecond.
    pub(super) fn instant(&mut self, instant: Timestamp) {
        self.signed(instant.as_second());
        self.signed(i64::from(instant.subsec_nanosecond()));
    }

    pub(super) fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Writer, T)) {
        self.byte(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }
}

/// What is being read; every question is none where the bytes are not what was written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    pub(super) fn raw(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(count)?;
        self.bytes = rest;
        Some(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.bytes.split_first_chunk()?;
        self.bytes = rest;
        Some(*taken)
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for (index, byte) in self.bytes.iter().enumerate().take(10) {
            let seven = u64::from(byte & 0x7f);
            if index == 9 && seven > 1 {
                return None;
            }
            number |= seven << (7 * index);
            if byte & 0x80 == 0 {
                self.bytes = &self.bytes[index + 1..];
                return Some(number);
            }
        }
        None
    }

    pub(super) fn small<T: TryFrom<u64>>(&mut self) -> Option<T> {
        T::try_from(self.number()?).ok()
    }

    pub(super) fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    /// How many things follow; each takes at least one byte, so that a wrong count takes no memory.
    pub(super) fn count(&mut self) -> Option<usize> {
        self.small().filter(|count| *count <= self.bytes.len())
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        let count = self.count()?;
        std::str::from_utf8(self.raw(count)?).ok()
    }

    pub(super) fn id(&mut self) -> Option<EventId> {
        self.array().map(EventId::from_bytes)
    }

    pub(super) fn ids(&mut self) -> Option<Vec<EventId>> {
        let count = self.count()?;
        (0..count).map(|_| self.id()).collect()
    }

    pub(super) fn instant(&mut self) -> Option<Timestamp> {
        let second = self.signed()?;
        let nanosecond = i32::try_from(self.signed()?).ok()?;
        Timestamp::new(second, nanosecond).ok()
    }

    pub(super) fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        match self.byte()? {
            0 => Some(None),
            1 => read(self).map(Some),
            _ => None,
        }
    }
}

/// A date as a number that rises with it.
pub(super) fn date_number(date: Date) -> i64 {
    (i64::from(date.year()) * 12 + i64::from(date.month()) - 1) * 31 + i64::from(date.day()) - 1
}

/// The date of a number; none if there is no such day.
pub(super) fn date_of_number(number: i64) -> Option<Date> {
    let month = number.div_euclid(31);
    let year = i16::try_from(month.div_euclid(12)).ok()?;
    let part = |number: i64| i8::try_from(number + 1).ok();
    Date::new(year, part(month.rem_euclid(12))?, part(number.rem_euclid(31))?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            number in any::<u64>(), signed in any::<i64>(), text in any::<String>(),
            seconds in -300_000_000_000_i64..253_000_000_000, nanoseconds in 0_i32..1_000_000_000,
            (year, month, day) in (-9999_i16..=9999, 1_i8..=12, 1_i8..=28), id in any::<u128>(),
        ) {
            let instant = Timestamp::new(seconds, nanoseconds).unwrap();
            let date = Date::new(year, month, day).unwrap();
            let mut writer = Writer::default();
            writer.number(number);
            writer.signed(signed);
            writer.text(&text);
            writer.instant(instant);
            writer.signed(date_number(date));
            writer.ids(&[EventId::from_u128(id)]);
            writer.option(Some(number), Writer::number);
            writer.option(None, Writer::number);
            let mut reader = Reader { bytes: &writer.bytes };
            prop_assert_eq!(reader.number(), Some(number));
            prop_assert_eq!(reader.signed(), Some(signed));
            prop_assert_eq!(reader.text(), Some(text.as_str()));
            prop_assert_eq!(reader.instant(), Some(instant));
            prop_assert_eq!(reader.signed().and_then(date_of_number), Some(date));
            prop_assert_eq!(reader.ids(), Some(vec![EventId::from_u128(id)]));
            prop_assert_eq!(reader.option(|reader| reader.number()), Some(Some(number)));
            prop_assert_eq!(reader.option(|reader| reader.number()), Some(None));
            prop_assert!(reader.bytes.is_empty());
        }
    }

    #[test]
    fn what_nobody_wrote_is_refused() {
        let number = |bytes: &[u8]| Reader { bytes }.number();
        assert_eq!(number(&[]), None);
        assert_eq!(number(&[0x80; 10]), None);
        assert_eq!(number(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]), None);
        assert_eq!(Reader { bytes: &[200, 1, 0] }.count(), None, "more than there are bytes");
        assert_eq!(Reader { bytes: &[2, b'a'] }.text(), None);
        assert_eq!(Reader { bytes: &[1, 0xff] }.text(), None);
        assert_eq!(Reader { bytes: &[2, 0] }.option(|reader| reader.byte()), None);
        assert_eq!(date_of_number(date_number(Date::constant(2024, 2, 28)) + 2), None);
    }
}
