//! The path: what would be expected in a year if the way from the baseline to the targets were even.

use crate::exact::{Exact, whole};
use crate::standing::Point;

/// Straight segments from the baseline through the targets that lie after it.
#[derive(Debug, Clone)]
pub(crate) struct Path {
    /// Year and expected ratio, in the order of the years; the first is the baseline.
    corners: Vec<(i16, Exact)>,
}

impl Path {
    /// The path from a baseline through targets (year, ratio of 1); those not after the baseline are left out.
    /// None if no target lies after it.
    pub(crate) fn new(baseline: (i16, Exact), targets: impl Iterator<Item = (i16, Exact)>) -> Option<Path> {
        let start = baseline.0;
        let mut corners = vec![baseline];
        corners.extend(targets.filter(|(year, _)| *year > start));
        (corners.len() > 1).then_some(Path { corners })
    }

    /// Year and expected ratio of each corner; the first is the baseline.
    pub(crate) fn corners(&self) -> &[(i16, Exact)] {
        &self.corners
    }

    /// What is expected in a year: on the segment, before the baseline the baseline, after the last target that target.
    pub(crate) fn expected(&self, year: i16) -> Exact {
        let (first_year, first) = self.corners.first().expect("a path begins at its baseline");
        if year <= *first_year {
            return first.clone();
        }
        for pair in self.corners.windows(2) {
            let [(from_year, from), (to_year, to)] = pair else { continue };
            if year <= *to_year {
                let passed = whole(i64::from(year - from_year));
                let length = whole(i64::from(to_year - from_year));
                return from + (to - from) * passed / length;
            }
        }
        self.corners.last().expect("a path has corners").1.clone()
    }

    /// How far the value has come of what was expected by its year; none where the path does not rise above the baseline.
    pub(crate) fn pace(&self, year: i16, value: &Exact) -> Option<Exact> {
        let baseline = &self.corners.first().expect("a path begins at its baseline").1;
        let expected_rise = self.expected(year) - baseline;
        (expected_rise > whole(0)).then(|| (value - baseline) / expected_rise)
    }
}

impl Point {
    pub(crate) fn ratio(&self) -> Exact {
        crate::exact::ratio(self.numerator, self.denominator)
    }
}
