//! Units that took over others: who went into them, with which part, and the baseline that follows from it.

use crate::evaluate::View;
use crate::exact::{Exact, whole_count};
use crate::standing::Point;
use events::{EventId, MeasureId, Period, Share, Timestamp, UnitId};
use num_traits::Zero;
use plan::{Indicator, Level, Unit};

/// A unit that went over into another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Predecessor<'a> {
    /// Which unit.
    pub unit: &'a UnitId,
    /// Which part of its figures went there; none where it is unknown.
    pub share: Option<Share>,
    /// From when.
    pub effective: Timestamp,
    /// The event that says so.
    pub event: EventId,
}

/// Where the path of a rate begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) period: Period,
    pub(crate) ratio: Exact,
    /// The predecessors it was derived from; none where it is a report of the unit itself.
    pub(crate) derived_from: Vec<UnitId>,
    /// The event that entered it; none where it is reported or derived.
    pub(crate) entered: Option<EventId>,
    pub(crate) because: Vec<EventId>,
}

impl<'a> View<'a> {
    /// The units that have gone over into a unit as far as is known and holds at the moment, oldest effect first.
    pub fn predecessors(&self, unit: &UnitId) -> Vec<Predecessor<'a>> {
        let moment = self.moment();
        let successions = self.facts().successions(unit);
        let mut known: Vec<_> = successions
            .filter(|(_, fact)| fact.position <= moment.cut && fact.effective <= moment.as_of)
            .collect();
        known.sort_by_key(|(_, fact)| (fact.effective, fact.position));
        let predecessor = |(of, fact): (&'a UnitId, &'a crate::UnitChangeFact)| {
            let (_, share) =
                fact.change.successors().into_iter().find(|(successor, _)| *successor == unit)?;
            Some(Predecessor { unit: of, share, effective: fact.effective, event: fact.event })
        };
        known.into_iter().filter_map(predecessor).collect()
    }

    /// Where the path of a unit's rate begins: where it was entered that it does, else at its earliest point, if it has a second one. A successor that
    /// has no point of a period before it took over others begins where its predecessors did, by their shares;
    /// where a share is unknown nothing is derived.
    pub(crate) fn rate_start(&self, unit: &Unit, indicator: &Indicator, points: &[Point]) -> Option<Start> {
        if let Some(entered) = self.entered_start(unit, indicator) {
            return Some(entered);
        }
        let first = points.first()?;
        let own = || {
            (points.len() > 1).then(|| Start {
                period: first.period,
                ratio: first.ratio(),
                derived_from: Vec::new(),
                entered: None,
                because: first.because.clone(),
            })
        };
        if unit.level == Level::Province {
            return own();
        }
        let predecessors = self.predecessors(&unit.id);
        let Some(taken_over) = predecessors.first().map(|predecessor| predecessor.effective) else {
            return own();
        };
        let ends = self.plan().calendar.start_of_year(first.period.year() + 1);
        if ends <= taken_over {
            return own();
        }
        let derived = self.derived_start(&predecessors, &indicator.measure);
        derived.filter(|start| start.period < first.period).or_else(own)
    }

    /// `Σ share·numerator / Σ share·denominator` of the earliest period that every predecessor reported.
    fn derived_start(&self, predecessors: &[Predecessor<'_>], measure: &MeasureId) -> Option<Start> {
        let shares: Vec<Exact> = predecessors
            .iter()
            .map(|predecessor| {
                let share = predecessor.share.filter(|share| share.denominator > 0)?;
                Some(whole_count(share.numerator) / whole_count(share.denominator))
            })
            .collect::<Option<_>>()?;
        let of_all = |period| -> Option<Vec<Point>> {
            predecessors.iter().map(|predecessor| self.point(predecessor.unit, period, measure)).collect()
        };
        let points = self.plan().calendar.periods().find_map(of_all)?;
        let mut numerator = Exact::zero();
        let mut denominator = Exact::zero();
        let mut because = Vec::new();
        for ((point, share), predecessor) in points.iter().zip(&shares).zip(predecessors) {
            numerator += share * whole_count(point.numerator);
            denominator += share * whole_count(point.denominator);
            because.extend(&point.because);
            because.push(predecessor.event);
        }
        (!denominator.is_zero()).then(|| Start {
            period: points[0].period,
            ratio: numerator / denominator,
            derived_from: predecessors.iter().map(|predecessor| predecessor.unit.clone()).collect(),
            entered: None,
            because,
        })
    }
}

/// Whether shares add up to more than the whole.
pub fn shares_exceed_the_whole(shares: impl IntoIterator<Item = Share>) -> bool {
    let shares = shares.into_iter().filter(|share| share.denominator > 0);
    let sum: Exact = shares.map(|share| whole_count(share.numerator) / whole_count(share.denominator)).sum();
    sum > whole_count(1)
}
