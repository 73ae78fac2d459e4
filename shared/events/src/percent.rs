//! Percentages of targets: exact hundredths of a percent, never floating point.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use thiserror::Error;

/// A percentage from 0 to 100 with at most two decimal places, kept in hundredths of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent {
    hundredths: u16,
}

/// Why a text is no percentage.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is no percentage: write a decimal from 0 to 100 with at most two places, as in \"12.5\"")]
pub struct PercentError {
    text: String,
}

impl Percent {
    /// One hundred percent.
    pub const WHOLE: Percent = Percent { hundredths: 10_000 };

    /// Reads a decimal such as `50`, `12.5` or `33.33`; no sign, no exponent, no blanks.
    pub fn parse(text: &str) -> Result<Percent, PercentError> {
        let refused = || PercentError { text: text.chars().take(16).collect() };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || whole.len() > 3 || fraction.len() > 2 {
            return Err(refused());
        }
        let whole: u16 = whole.parse().map_err(|_| refused())?;
        let mut hundredths: u16 = fraction.parse().map_err(|_| refused())?;
        if fraction.len() == 1 {
            hundredths *= 10;
        }
        let hundredths = whole.checked_mul(100).and_then(|whole| whole.checked_add(hundredths));
        hundredths
            .filter(|hundredths| *hundredths <= 10_000)
            .map(|hundredths| Percent { hundredths })
            .ok_or_else(refused)
    }

    /// The percentage in hundredths of a percent, 0 to 10,000.
    pub fn hundredths(self) -> u16 {
        self.hundredths
    }
}

impl fmt::Display for Percent {
    /// Writes the shortest decimal: `50`, `12.5`, `33.33`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.hundredths / 100, self.hundredths % 100);
        match rest {
            0 => write!(f, "{whole}"),
            rest if rest % 10 == 0 => write!(f, "{whole}.{}", rest / 10),
            rest => write!(f, "{whole}.{rest:02}"),
        }
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_reads_and_writes_exactly() {
        for (text, hundredths, shown) in [
            ("50", 5000, "50"),
            ("12.5", 1250, "12.5"),
            ("12.50", 1250, "12.5"),
            ("0.07", 7, "0.07"),
            ("100", 10_000, "100"),
            ("100.00", 10_000, "100"),
        ] {
            let percent = Percent::parse(text).unwrap();
            assert_eq!((percent.hundredths(), percent.to_string().as_str()), (hundredths, shown));
        }
        for wrong in
            ["", "-1", "+1", "1e1", "100.01", "101", "999.99", "12.345", ".5", "5.", "5,5", " 5", "1000"]
        {
            assert!(Percent::parse(wrong).is_err(), "{wrong:?} must be refused");
        }
    }
}
