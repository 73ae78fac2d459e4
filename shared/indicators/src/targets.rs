//! Which target is in force for a cell at an instant, and which one a status speaks of.

use crate::evaluate::View;
use crate::facts::TargetFact;
use events::{Percent, Review, TargetValue, Timestamp};
use plan::{Form, Indicator, Level, Unit};

/// The target that a status speaks of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spoken<'a> {
    pub(crate) fact: &'a TargetFact,
    /// False where the target's year has ended and a later review does not restate it.
    pub(crate) restated: bool,
}

impl<'a> View<'a> {
    /// The setting in force at an instant: the latest effective one, of the same date the later position.
    pub(crate) fn setting_at(
        &self,
        facts: &'a [TargetFact],
        review: Review,
        at: Timestamp,
    ) -> Option<&'a TargetFact> {
        let at = at.min(self.moment().as_of);
        facts
            .iter()
            .filter(|fact| fact.review == review)
            .filter(|fact| fact.position <= self.target_cut() && fact.effective <= at)
            .max_by_key(|fact| (fact.effective, fact.position))
    }

    /// The target of a cell for a review in force at an instant: a district's own rate target goes before the province's.
    pub(crate) fn target_at(
        &self,
        unit: &Unit,
        indicator: &Indicator,
        review: Review,
        at: Timestamp,
    ) -> Option<&'a TargetFact> {
        let form = self.plan().form(indicator);
        let province = || {
            let facts = self.facts().targets(&indicator.id, None);
            self.setting_at(facts, review, at).filter(|fact| !matches!(fact.value, TargetValue::Withdrawn(_)))
        };
        match (unit.level, form) {
            (Level::Province, Form::Rate { .. } | Form::State | Form::Share { .. }) => province(),
            (Level::District, Form::Rate { .. }) => {
                let own = self.setting_at(self.facts().targets(&indicator.id, Some(&unit.id)), review, at);
                own.filter(|fact| !matches!(fact.value, TargetValue::Withdrawn(_)))
                    .or_else(|| if indicator.binds_districts { province() } else { None })
            }
            // A share binds a single district only where every district has to have it.
            (Level::District, Form::Share { .. }) => {
                province().filter(|fact| fact.value == TargetValue::Percent(Percent::WHOLE))
            }
            (Level::District, Form::State) => None,
        }
    }

    /// Whether a review's year has ended at the as-of instant: from 1 January of the next year on.
    pub(crate) fn has_ended(&self, review: Review) -> bool {
        self.moment().as_of >= self.plan().calendar.start_of_year(review.year() + 1)
    }

    /// The target for a review: after the review's year, the one in force at its end stands.
    pub(crate) fn target_for(
        &self,
        unit: &Unit,
        indicator: &Indicator,
        review: Review,
    ) -> Option<&'a TargetFact> {
        let at = self.plan().calendar.end_of_year(review.year());
        self.target_at(unit, indicator, review, at)
    }

    /// The target that the status speaks of: the next one whose year has not ended, else the last one.
    ///
    /// A district's cell of a share follows the province's: the target the status speaks of is chosen there,
    /// and binds the district only if it is 100 %.
    pub(crate) fn spoken_target(&self, unit: &Unit, indicator: &Indicator) -> Option<Spoken<'a>> {
        let share_of_district =
            unit.level == Level::District && matches!(self.plan().form(indicator), Form::Share { .. });
        // Every province has the plan's targets: any of them chooses as the district's own does.
        let chooser = if share_of_district { self.plan().province() } else { unit };
        let reviews = &self.plan().reviews;
        let target = |review: Review| self.target_for(chooser, indicator, review);
        let next = reviews
            .iter()
            .filter(|review| !self.has_ended(review.review))
            .find_map(|review| target(review.review))
            .map(|fact| Spoken { fact, restated: true });
        let spoken = next.or_else(|| {
            let ended = reviews.iter().rev().filter(|review| self.has_ended(review.review));
            let fact = ended.filter_map(|review| target(review.review)).next()?;
            let is_last = reviews.last().is_some_and(|last| last.review == fact.review);
            Some(Spoken { fact, restated: is_last })
        })?;
        let binds = !share_of_district || spoken.fact.value == TargetValue::Percent(Percent::WHOLE);
        binds.then_some(spoken)
    }
}
