//! What a rate would need per year to reach its target, and where its last two points lead if they go on.

use crate::cell::Status;
use crate::exact::{Exact, percent_of, shown, shown_percent, whole};
use crate::standing::Point;
use events::{Percent, Period, Review};
use num_traits::Zero;
use serde::Serialize;

/// What stands beside every projection.
const NOTE: &str = "extrapolation";

/// From the latest value of a rate to the target's year.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Outlook {
    /// Percentage points per year from the value's period to the target's year, rounded for showing only; null where
    /// the target is met, is none, or no year is left.
    pub needed_per_year: Option<String>,
    /// The same as an exact fraction of percentage points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needed_exact: Option<String>,
    /// Where the last two points lead; null with fewer points, without a target, or where no year is left.
    pub projection: Option<Projection>,
}

/// The line through the last two points, drawn on to the target's year. No statement of what will be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Projection {
    /// The target's review.
    pub review: Review,
    /// Rounded for showing only, never under 0 nor over 100.
    pub percent: String,
    /// The ratio of 1 as the line gives it, an exact fraction, which may lie outside 0 to 1.
    pub exact: String,
    /// Whether the line leaves 0 to 100 % and the percentage shown was held at that bound.
    pub clamped: bool,
    /// The two periods.
    pub from: [Period; 2],
    /// Always `extrapolation`.
    pub note: &'static str,
    /// What the rate adds per year between the two, in percentage points, rounded for showing only.
    pub per_year: String,
}

/// The outlook of a rate from its points, oldest first, to a target.
pub(crate) fn outlook(points: &[Point], target: Option<(Review, Percent)>) -> Outlook {
    let (Some(latest), Some((review, percent))) = (points.last(), target) else { return Outlook::default() };
    let years_left = i64::from(review.year()) - i64::from(latest.period.year());
    if years_left <= 0 {
        return Outlook::default();
    }
    let distance = percent_of(percent) - latest.ratio();
    let needed = (distance > Exact::zero()).then(|| distance / whole(years_left) * whole(100));
    Outlook {
        needed_per_year: needed.as_ref().map(shown),
        needed_exact: needed.as_ref().map(Exact::to_string),
        projection: projection(points, review, years_left),
    }
}

fn projection(points: &[Point], review: Review, years_left: i64) -> Option<Projection> {
    let [.., before, latest] = points else { return None };
    let between = i64::from(latest.period.year()) - i64::from(before.period.year());
    let per_year = (latest.ratio() - before.ratio()) / whole(between);
    let reached = latest.ratio() + &per_year * whole(years_left);
    let held = reached.clone().max(Exact::zero()).min(whole(1));
    Some(Projection {
        review,
        percent: shown_percent(&held),
        clamped: held != reached,
        exact: reached.to_string(),
        from: [before.period, latest.period],
        note: NOTE,
        per_year: shown_percent(&per_year),
    })
}

impl Outlook {
    /// Whether there is anything to say.
    pub fn is_empty(&self) -> bool {
        self.needed_per_year.is_none() && self.projection.is_none()
    }
}

impl Status {
    /// The word for it in Vietnamese.
    pub fn name_vi(self) -> &'static str {
        match self {
            Status::NoData => "chưa có số liệu",
            Status::NoTarget => "không có mục tiêu",
            Status::Achieved => "đạt",
            Status::Missed => "không đạt",
            Status::Regressing => "thụt lùi",
            Status::Pending => "chưa đạt",
            Status::NoBaseline => "chưa có số gốc",
            Status::OnTrack => "đúng tiến độ",
            Status::AtRisk => "có nguy cơ",
            Status::Behind => "chậm tiến độ",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(given: &[(i16, u64)]) -> Vec<Point> {
        let point = |(year, numerator): &(i16, u64)| Point {
            period: Period(*year),
            numerator: *numerator,
            denominator: 100,
            because: Vec::new(),
            revision: None,
        };
        given.iter().map(point).collect()
    }

    fn to(points: &[Point], year: i16, percent: &str) -> Outlook {
        outlook(points, Some((Review(year), Percent::parse(percent).unwrap())))
    }

    #[test]
    fn what_is_needed_is_spread_evenly_over_the_years_left() {
        // From 45 % in 2024 to 70 % in 2030: 25 points in six years.
        let found = to(&points(&[(2022, 20), (2024, 45)]), 2030, "70");
        assert_eq!(found.needed_per_year.as_deref(), Some("4.17"));
        assert_eq!(found.needed_exact.as_deref(), Some("25/6"));
        // 12.5 points a year for six years lead from 45 to 120 %: shown as 100, and said so.
        let projection = found.projection.unwrap();
        assert_eq!((projection.percent.as_str(), projection.clamped), ("100.00", true));
        assert_eq!((projection.exact.as_str(), projection.per_year.as_str()), ("6/5", "12.50"));
        assert_eq!((projection.from, projection.note), ([Period(2022), Period(2024)], "extrapolation"));
    }

    #[test]
    fn only_the_last_two_points_lead_on_and_falling_ends_at_nothing() {
        let found = to(&points(&[(2021, 1), (2023, 40), (2024, 30)]), 2025, "50");
        assert_eq!(found.projection.as_ref().unwrap().percent, "20.00");
        let found = to(&points(&[(2023, 40), (2024, 30)]), 2030, "50");
        let projection = found.projection.unwrap();
        assert_eq!((projection.percent.as_str(), projection.clamped), ("0.00", true));
        assert_eq!(projection.exact, "-3/10");
    }

    #[test]
    fn nothing_is_said_where_nothing_is_left_to_do() {
        let two = points(&[(2023, 40), (2025, 60)]);
        assert!(to(&two, 2025, "50").is_empty(), "the target's year is the value's");
        assert!(outlook(&two, None).is_empty());
        assert!(to(&[], 2030, "50").is_empty());
        let met = to(&two, 2030, "60");
        assert_eq!((met.needed_per_year, met.projection.is_some()), (None, true));
        let one = to(&two[1..], 2030, "70");
        assert_eq!((one.needed_per_year.as_deref(), one.projection), (Some("2.00"), None));
    }
}
