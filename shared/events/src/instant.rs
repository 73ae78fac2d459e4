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
    to_millisecond(instant).strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
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

    #[test]
    fn an_instant_is_written_in_24_characters_and_reads_back() {
        let instant: Timestamp = "2024-11-22T09:10:00.123999+07:00".parse().unwrap();
        let text = written(instant);
        assert_eq!(text, "2024-11-22T02:10:00.123Z");
        assert_eq!(text.len(), WRITTEN_CHARS);
        assert_eq!(text.parse::<Timestamp>().unwrap(), to_millisecond(instant));
    }
}
