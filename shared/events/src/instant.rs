//! Instants as they are written into the log: UTC with milliseconds, always 24 characters.

use jiff::Timestamp;

/// How many characters [`written`] gives for the years 0 to 9999.
pub const WRITTEN_CHARS: usize = 24;

/// Drops what is finer than a millisecond, towards the past, so that a written instant reads back the same.
pub fn to_millisecond(instant: Timestamp) -> Timestamp {
    let nanoseconds = instant.as_nanosecond();
    let whole = nanoseconds.div_euclid(1_000_000) * 1_000_000;
    Timestamp::from_nanosecond(whole).unwrap_or(Timestamp::MIN)
}

/// Writes an instant as `2024-11-22T02:10:00.000Z`; finer parts are dropped.
pub fn written(instant: Timestamp) -> String {
    let mut text = Vec::with_capacity(WRITTEN_CHARS);
    write(&mut text, instant);
    String::from_utf8(text).expect("digits and marks are text")
}

/// Appends what [`written`] gives.
pub fn write(text: &mut Vec<u8>, instant: Timestamp) {
    // Towards the past, as [`to_millisecond`] does, without numbers of 128 bits.
    let of_second = i64::from(instant.subsec_nanosecond().div_euclid(1_000_000));
    write_millisecond(text, instant.as_second() * 1_000 + of_second);
}

fn by_the_library(milliseconds: i64) -> String {
    let instant = Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::MAX);
    instant.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// Appends what [`written`] gives for so many milliseconds since 1970, without the library's general formatter
/// for the years 0 to 9999: every event has two of them.
pub fn write_millisecond(text: &mut Vec<u8>, milliseconds: i64) {
    const YEARS: std::ops::Range<i64> = -62_167_219_200_000..253_402_300_800_000;
    if !YEARS.contains(&milliseconds) {
        text.extend_from_slice(by_the_library(milliseconds).as_bytes());
        return;
    }
    let (days, of_day) = (milliseconds.div_euclid(86_400_000), milliseconds.rem_euclid(86_400_000));
    // The civil calendar from the days since 1 March of the year 0, in cycles of 400 years.
    let days = days + 719_468;
    let (cycle, of_cycle) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_cycle = (of_cycle - of_cycle / 1_460 + of_cycle / 36_524 - of_cycle / 146_096) / 365;
    let of_year = of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = cycle * 400 + year_of_cycle + i64::from(month <= 2);
    let mut form = *b"0000-00-00T00:00:00.000Z";
    let mut put = |at: usize, digits: usize, mut number: i64| {
        for place in form[at..at + digits].iter_mut().rev() {
            // The remainder is one digit.
            *place = b'0' + (number % 10) as u8;
            number /= 10;
        }
    };
    put(0, 4, year);
    put(5, 2, month);
    put(8, 2, day);
    put(11, 2, of_day / 3_600_000);
    put(14, 2, of_day / 60_000 % 60);
    put(17, 2, of_day / 1_000 % 60);
    put(20, 3, of_day % 1_000);
    text.extend_from_slice(&form);
}

/// Serde form of an instant of the log (`#[serde(with = "events::instant::serde_written")]`).
pub mod serde_written {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de};

    /// Writes the 24-character form.
    pub fn serialize<S: Serializer>(instant: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::written(*instant))
    }

    /// Reads any RFC 3339 instant.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn milliseconds_are_written_as_the_library_writes_them(
            ms in prop_oneof![-377_705_000_000_000_i64..253_402_200_000_000, 1_600_000_000_000_i64..1_900_000_000_000]
        ) {
            let mut text = Vec::new();
            write_millisecond(&mut text, ms);
            prop_assert_eq!(String::from_utf8(text).unwrap(), by_the_library(ms));
        }
    }

    proptest! {
        #[test]
        fn what_is_finer_than_a_millisecond_is_dropped_towards_the_past(
            ns in prop_oneof![-5_000_000_000_i128..5_000_000_000, -2_000_000_000_000_000_000_i128..4_000_000_000_000_000_000]
        ) {
            let instant = Timestamp::from_nanosecond(ns).unwrap();
            let whole = to_millisecond(instant);
            prop_assert!(whole <= instant && instant.as_nanosecond() - whole.as_nanosecond() < 1_000_000);
            prop_assert_eq!(written(instant), by_the_library(whole.as_millisecond()));
        }
    }

    #[test]
    fn an_instant_is_written_in_24_characters_and_reads_back() {
        let instant: Timestamp = "2024-11-22T09:10:00.123999+07:00".parse().unwrap();
        let text = written(instant);
        assert_eq!(text, "2024-11-22T02:10:00.123Z");
        assert_eq!(text.len(), WRITTEN_CHARS);
        assert_eq!(text.parse::<Timestamp>().unwrap(), to_millisecond(instant));
    }
}
