//! Fractions of whole numbers of any size.

use num_bigint::BigInt;
use std::cmp::Ordering;

/// A fraction; the denominator is over 0.
#[derive(Clone)]
pub(super) struct Fraction {
    numerator: BigInt,
    denominator: BigInt,
}

impl Fraction {
    pub(super) fn new(numerator: i64, denominator: i64) -> Fraction {
        Fraction { numerator: numerator.into(), denominator: denominator.into() }
    }

    /// Reads a decimal such as `12.5`.
    pub(super) fn decimal(text: &str) -> Fraction {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let numerator: i64 = format!("{whole}{fraction}").parse().unwrap();
        Fraction::new(numerator, 10_i64.pow(fraction.len() as u32))
    }

    pub(super) fn plus(&self, other: &Fraction) -> Fraction {
        Fraction {
            numerator: &self.numerator * &other.denominator + &other.numerator * &self.denominator,
            denominator: &self.denominator * &other.denominator,
        }
    }

    pub(super) fn minus(&self, other: &Fraction) -> Fraction {
        self.plus(&other.times(&Fraction::new(-1, 1)))
    }

    pub(super) fn times(&self, other: &Fraction) -> Fraction {
        Fraction {
            numerator: &self.numerator * &other.numerator,
            denominator: &self.denominator * &other.denominator,
        }
    }

    /// The quotient by a fraction over 0.
    pub(super) fn over(&self, other: &Fraction) -> Fraction {
        self.times(&Fraction { numerator: other.denominator.clone(), denominator: other.numerator.clone() })
    }

    pub(super) fn is_at_least(&self, other: &Fraction) -> bool {
        let left = &self.numerator * &other.denominator;
        left.cmp(&(&other.numerator * &self.denominator)) != Ordering::Less
    }

    /// In lowest terms, such as `-7/3`, or `4` where it is whole.
    pub(super) fn exact(&self) -> String {
        let zero = BigInt::from(0);
        let size = if self.numerator < zero { -&self.numerator } else { self.numerator.clone() };
        let (mut common, mut rest) = (size, self.denominator.clone());
        while rest != zero {
            (common, rest) = (rest.clone(), common % rest);
        }
        let (numerator, denominator) = (&self.numerator / &common, &self.denominator / &common);
        if denominator == BigInt::from(1) {
            numerator.to_string()
        } else {
            format!("{numerator}/{denominator}")
        }
    }

    /// With two decimal places, half away from zero; what rounds to zero has no sign.
    pub(super) fn shown(&self) -> String {
        let zero = BigInt::from(0);
        let is_negative = self.numerator < zero;
        let size = if is_negative { -&self.numerator } else { self.numerator.clone() };
        let doubled = size * 200 + &self.denominator;
        let hundredths: BigInt = doubled / (&self.denominator * 2);
        let sign = if is_negative && hundredths != zero { "-" } else { "" };
        let digits = format!("{hundredths:0>3}");
        let (whole, places) = digits.split_at(digits.len() - 2);
        format!("{sign}{whole}.{places}")
    }
}
