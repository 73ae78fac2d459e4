//! Exact ratios: what percentages, paths and paces are computed in.

use events::Percent;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, Zero};

/// An exact ratio of whole numbers of any size.
pub type Exact = BigRational;

/// Numerator over denominator; the denominator must not be 0.
pub(crate) fn ratio(numerator: u64, denominator: u64) -> Exact {
    Exact::new(BigInt::from(numerator), BigInt::from(denominator))
}

/// A target's percentage as a ratio of 1.
pub fn percent_of(percent: Percent) -> Exact {
    Exact::new(BigInt::from(percent.hundredths()), BigInt::from(10_000))
}

/// A number given in hundredths, such as a threshold.
pub fn hundredths_of(hundredths: u16) -> Exact {
    Exact::new(BigInt::from(hundredths), BigInt::from(100))
}

pub(crate) fn whole(number: i64) -> Exact {
    Exact::from_integer(BigInt::from(number))
}

pub(crate) fn whole_count(count: u64) -> Exact {
    Exact::from_integer(BigInt::from(count))
}

/// Writes a number with two decimal places, rounded half away from zero; what rounds to zero has no sign.
pub fn shown(number: &Exact) -> String {
    let scaled = number.abs() * whole(100) + Exact::new(BigInt::from(1), BigInt::from(2));
    let hundredths = scaled.floor().to_integer();
    let sign = if number.is_negative() && !hundredths.is_zero() { "-" } else { "" };
    let digits = format!("{hundredths:0>3}");
    let (whole_part, fraction) = digits.split_at(digits.len() - 2);
    format!("{sign}{whole_part}.{fraction}")
}

/// Writes a ratio of 1 as a percentage with two decimal places.
pub(crate) fn shown_percent(ratio_of_one: &Exact) -> String {
    shown(&(ratio_of_one * whole(100)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_half_away_from_zero() {
        for (numerator, denominator, expected) in [
            (118_400_i64, 214_000, "0.55"),
            (1, 200, "0.01"),
            (-1, 200, "-0.01"),
            (-1, 201, "0.00"),
            (0, 5, "0.00"),
            (12_345, 1_000, "12.35"),
            (-12_345, 1_000, "-12.35"),
            (99_995, 1_000, "100.00"),
            (1_000_000, 1, "1000000.00"),
        ] {
            let number = Exact::new(BigInt::from(numerator), BigInt::from(denominator));
            assert_eq!(shown(&number), expected, "{numerator}/{denominator}");
        }
        assert_eq!(shown_percent(&ratio(118_400, 214_000)), "55.33");
        assert_eq!(shown_percent(&ratio(1, 3)), "33.33");
        assert_eq!(shown_percent(&ratio(2, 3)), "66.67");
    }
}
