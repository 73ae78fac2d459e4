//! What a review says of a cell: the target it judges, the value it judges, and how far the one is from the other.

use super::rates::rate_value;
use super::shares::{Count, share_value};
use super::states::{meets, state_value};
use super::{View, percent_value};
use crate::cell::{TargetInForce, Value, Verdict};
use crate::exact::{Exact, percent_of, shown_percent};
use crate::facts::TargetFact;
use crate::standing::{Point, StateValue};
use crate::targets::Spoken;
use events::{EventId, Percent, Period, Review, TargetValue, Timestamp};
use num_traits::{ToPrimitive, Zero};
use plan::{Form, Indicator, Level, ReviewYear, Unit};
use serde::{Deserialize, Serialize};

/// Why a review gives no verdict on a cell that has a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotJudged {
    /// The review's year has not ended.
    YearNotEnded,
    /// The plan does not restate the target for this review: an earlier one goes on.
    NotRestated,
}

/// How far a value is from its target; nothing is left where it is met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distance {
    /// Percentage points below the target, rounded for showing only; for rates and shares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<String>,
    /// How many more are needed at this denominator: persons, institutions or districts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed: Option<u64>,
    /// Levels below the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub levels: Option<u8>,
}

/// A cell as a review sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// The target that is judged, or that goes on without being judged.
    pub target: TargetInForce,
    /// The event that set it.
    pub target_event: EventId,
    /// The period of the value; of a share, the newest period counted.
    pub period: Option<Period>,
    /// What is judged at the end of the review's year; before that, what stands so far.
    pub value: Option<Value>,
    /// What the review says; null where it does not judge (yet).
    pub verdict: Option<Verdict>,
    /// Why it does not.
    pub not_judged: Option<NotJudged>,
    /// How far it is from the target; null without a value and for yes/no.
    pub distance: Option<Distance>,
    /// The reports that the value rests on.
    pub because: Vec<EventId>,
}

/// The value a review looks at, before the target is held against it.
struct Seen {
    period: Option<Period>,
    value: Value,
    distance: Option<Distance>,
    because: Vec<EventId>,
}

impl View<'_> {
    /// What a review says of a cell; none where no target binds it, of this review or of an earlier one.
    pub fn assess(&self, unit: &Unit, indicator: &Indicator, review: &ReviewYear) -> Option<Assessment> {
        // As a verdict does: by the plan in force at the year's end, but for the units that are counted.
        let then = self.with_plan_at(self.plan.calendar.end_of_year(review.review.year()));
        let judged = then.in_plan(indicator);
        let (fact, restated) = then.assessed_target(unit, judged, review.review)?;
        let seen = then.seen(unit, judged, review, fact);
        let not_judged = match (restated, self.has_ended(review.review)) {
            (false, _) => Some(NotJudged::NotRestated),
            (true, false) => Some(NotJudged::YearNotEnded),
            (true, true) => None,
        };
        let verdict = self.verdicts(unit, indicator).remove(&review.review).flatten();
        let (period, value, distance, because) = match seen {
            Some(seen) => (seen.period, Some(seen.value), seen.distance, seen.because),
            None => (None, None, None, Vec::new()),
        };
        let target = then.target_shown(unit, judged, Spoken { fact, restated });
        Some(Assessment {
            target,
            target_event: fact.event,
            period,
            value,
            verdict: verdict.filter(|_| not_judged.is_none()),
            not_judged,
            distance,
            because,
        })
    }

    /// The target of a review, else the one of the latest earlier review that goes on.
    fn assessed_target(
        &self,
        unit: &Unit,
        indicator: &Indicator,
        review: Review,
    ) -> Option<(&TargetFact, bool)> {
        if let Some(fact) = self.target_for(unit, indicator, review) {
            return Some((fact, true));
        }
        let earlier = self.plan.reviews.iter().rev().filter(|earlier| earlier.review < review);
        let fact = earlier.filter_map(|earlier| self.target_for(unit, indicator, earlier.review)).next()?;
        Some((fact, false))
    }

    fn seen(
        &self,
        unit: &Unit,
        indicator: &Indicator,
        review: &ReviewYear,
        target: &TargetFact,
    ) -> Option<Seen> {
        let year = review.review.year();
        let end = self.plan.calendar.end_of_year(year);
        let form = self.plan.form(indicator);
        match (form, unit.level) {
            (Form::Rate { .. }, _) => {
                let points = self.rate_points(unit, indicator).points;
                let ended = self.has_ended(review.review);
                let wanted = |point: &Point| {
                    let of = point.period.year();
                    if ended { of == year } else { of <= year }
                };
                let point = points.into_iter().rev().find(wanted)?;
                Some(Seen {
                    period: Some(point.period),
                    distance: percent_value(target).map(|percent| rate_distance(&point, percent)),
                    value: rate_value(point.numerator, point.denominator),
                    because: point.because,
                })
            }
            (Form::Share { .. }, Level::Province) => {
                let in_force_at = review.units_as_of.map_or(end, |date| self.plan.calendar.end_of_day(date));
                let count =
                    self.count(&unit.id, indicator, year, self.no_later(end), self.no_later(in_force_at));
                if count.reported == 0 {
                    return None;
                }
                let percent = percent_value(target);
                Some(Seen {
                    period: count.newest,
                    value: share_value(&count, percent),
                    distance: percent.map(|percent| share_distance(&count, percent)),
                    because: count.because,
                })
            }
            (Form::State, _) | (Form::Share { .. }, Level::District) => {
                let state = self.state_at(unit, indicator, year, self.no_later(end))?;
                let distance = match (state.value, self.level_wanted(unit, form, target)) {
                    (StateValue::Level(level), Some(wanted)) => Some(Distance {
                        points: None,
                        needed: None,
                        levels: Some(if meets(form, target, state.value) {
                            0
                        } else {
                            wanted.saturating_sub(level)
                        }),
                    }),
                    (StateValue::Level(_) | StateValue::Attained { .. }, _) => None,
                };
                Some(Seen {
                    period: Some(state.period),
                    value: state_value(state.value),
                    distance,
                    because: vec![state.event],
                })
            }
        }
    }

    fn level_wanted(&self, unit: &Unit, form: Form, target: &TargetFact) -> Option<u8> {
        match (form, unit.level, target.value) {
            (Form::Share { from_level }, Level::District, _) => from_level,
            (_, _, TargetValue::Level(level)) => Some(level),
            (
                Form::Rate { .. } | Form::State | Form::Share { .. },
                _,
                TargetValue::Percent(_) | TargetValue::Attained(_) | TargetValue::Withdrawn(_),
            ) => None,
        }
    }

    fn no_later(&self, instant: Timestamp) -> Timestamp {
        instant.min(self.moment.as_of)
    }
}

fn rate_distance(point: &Point, percent: Percent) -> Distance {
    let lacking = (percent_of(percent) - point.ratio()).max(Exact::zero());
    let needed = (percent_of(percent) * Exact::from_integer(point.denominator.into())).ceil();
    let needed = needed.to_integer().to_u64().unwrap_or(u64::MAX);
    Distance {
        points: Some(shown_percent(&lacking)),
        needed: Some(needed.saturating_sub(point.numerator)),
        levels: None,
    }
}

fn share_distance(count: &Count, percent: Percent) -> Distance {
    let of = u64::from(count.of);
    let share = Exact::new(u64::from(count.count).into(), of.max(1).into());
    let needed = (u64::from(percent.hundredths()) * of).div_ceil(10_000);
    Distance {
        points: Some(shown_percent(&(percent_of(percent) - share).max(Exact::zero()))),
        needed: Some(needed.saturating_sub(u64::from(count.count))),
        levels: None,
    }
}
