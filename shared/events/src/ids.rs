//! Identifiers: one type for each kind, so that two of them cannot be swapped.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::sync::Arc;
use thiserror::Error;
use uuid::Uuid;

/// The longest slug that is accepted, in bytes.
pub const SLUG_LIMIT_BYTES: usize = 64;

/// Why a text is no identifier.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{text}` is no identifier: use 1 to 64 lower-case letters, digits and single hyphens, as in `di-an`"
)]
pub struct SlugError {
    text: String,
}

pub(crate) fn is_slug(text: &str) -> bool {
    if text.is_empty() || text.len() > SLUG_LIMIT_BYTES {
        return false;
    }
    // A hyphen stands between two others that are none.
    let mut after_hyphen = true;
    for byte in text.bytes() {
        let is_hyphen = byte == b'-';
        if is_hyphen && after_hyphen || !(is_hyphen || byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
            return false;
        }
        after_hyphen = is_hyphen;
    }
    !after_hyphen
}

macro_rules! slug {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Reads an identifier: lower-case letters, digits and single hyphens, at most 64 bytes.
            pub fn parse(text: &str) -> Result<Self, SlugError> {
                if is_slug(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(SlugError { text: text.chars().take(SLUG_LIMIT_BYTES).collect() })
                }
            }

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = SlugError;
            fn from_str(text: &str) -> Result<Self, SlugError> {
                Self::parse(text)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Self::parse(&text).map_err(de::Error::custom)
            }
        }
    };
}

slug! {
    /// A plan, such as `binh-duong`: names the log, the stream and the directories that belong to it.
    PlanId
}
slug! {
    /// A reporting unit, such as `di-an`. Stable for ever: codes, names and types change over time, this does not.
    UnitId
}
slug! {
    /// What has a target, such as `life-skills`.
    IndicatorId
}
slug! {
    /// What units report, such as `lower-secondary-level`; one measure can feed several indicators.
    MeasureId
}
slug! {
    /// Who asked, as an opaque id that names no person.
    ActorId
}

/// The id of an event: UUIDv7 where it is fresh, UUIDv5 where it must come out the same when derived again.
pub type EventId = Uuid;

/// The id of an alert episode: UUIDv5 of rule, unit, indicator and episode.
pub type AlertId = Uuid;

/// The namespace of every UUIDv5 that planwatch derives.
pub const NAMESPACE: Uuid = Uuid::from_u128(0x6f1d_0e5b_5b53_5c5e_9d0b_7e3a_1144_2022);

/// Derives the id that the same words always give: UUIDv5 of the words, separated so that they cannot run together.
pub fn derived_id(words: &[&str]) -> Uuid {
    let mut name = Vec::new();
    for word in words {
        name.extend_from_slice(&(word.len() as u64).to_be_bytes());
        name.extend_from_slice(word.as_bytes());
    }
    Uuid::new_v5(&NAMESPACE, &name)
}

/// The trace context of an event that no traced request brought about: W3C `traceparent`, made of the event's id,
/// not sampled.
pub fn derived_trace(event: &EventId) -> String {
    let span = event.as_u128() & u128::from(u64::MAX) | 1;
    format!("00-{:032x}-{span:016x}-00", event.as_u128())
}

/// A place in the log: contiguous from 1; 0 means nothing has been recorded or read yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub u64);

impl Position {
    /// Before the first event.
    pub const START: Position = Position(0);

    /// The position after this one.
    pub fn next(self) -> Position {
        Position(self.0 + 1)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a text is no year.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is no year: write four digits, as in \"2024\"")]
pub struct YearError {
    text: String,
}

fn parse_year(text: &str) -> Result<i16, YearError> {
    let four_digits = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<i16>() {
        Ok(year) if four_digits && year >= 1900 => Ok(year),
        _ => Err(YearError { text: text.chars().take(16).collect() }),
    }
}

macro_rules! year {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i16);

        impl $name {
            /// Reads a year of four digits, from 1900 on.
            pub fn parse(text: &str) -> Result<Self, YearError> {
                parse_year(text).map(Self)
            }

            /// The calendar year.
            pub fn year(self) -> i16 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:04}", self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = YearError;
            fn from_str(text: &str) -> Result<Self, YearError> {
                Self::parse(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Self::parse(&text).map_err(de::Error::custom)
            }
        }
    };
}

year! {
    /// A reporting period: a calendar year, written as text (`"2024"`).
    Period
}
year! {
    /// A review: the year at whose end a target is judged, 2025 (interim) or 2030 (final) in the first plan.
    Review
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_lower_case_with_single_hyphens() {
        assert!(UnitId::parse("thu-dau-mot").is_ok());
        for wrong in ["", "-a", "a-", "a--b", "Di-An", "dĩ-an", "a.b", "a b", &"a".repeat(65)] {
            assert!(UnitId::parse(wrong).is_err(), "{wrong:?} must be refused");
        }
    }

    #[test]
    fn a_year_has_four_digits() {
        assert_eq!(Period::parse("2024").map(Period::year), Ok(2024));
        for wrong in ["24", "02024", "20x4", "-204", "", "1899", "９０２１"] {
            assert!(Period::parse(wrong).is_err(), "{wrong:?} must be refused");
        }
    }

    #[test]
    fn derived_ids_do_not_run_words_together() {
        assert_eq!(derived_id(&["a", "b"]), derived_id(&["a", "b"]));
        assert_ne!(derived_id(&["ab", "c"]), derived_id(&["a", "bc"]));
    }
}
