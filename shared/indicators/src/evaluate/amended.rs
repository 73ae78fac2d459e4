//! The plan in force at the moment of a view, and what a proposed amendment would change.

use super::View;
use crate::cell::{Cell, Verdict};
use crate::facts::ProposedPlans;
use events::command::CellDifference;
use events::{Review, Timestamp};
use plan::{Indicator, Plan};

impl<'a> View<'a> {
    /// The same view with plans that are only proposed.
    #[must_use]
    pub fn with_plans(self, proposed: &'a ProposedPlans) -> View<'a> {
        View { plan: proposed.plan_at(self.moment.as_of), proposed: Some(proposed), ..self }
    }

    /// The plan that was in force at an instant no later than as of, as far as is known at the cut.
    pub fn plan_at(&self, at: Timestamp) -> &'a Plan {
        let at = at.min(self.moment.as_of);
        match self.proposed {
            Some(proposed) => proposed.plan_at(at),
            None => self.facts.plan_at(self.target_cut, at).unwrap_or(self.plan),
        }
    }

    /// The same view with the plan that was in force at an instant.
    pub(crate) fn with_plan_at(self, at: Timestamp) -> View<'a> {
        View { plan: self.plan_at(at), ..self }
    }

    /// An indicator as the plan in force has it, whichever plan it was taken from.
    pub(crate) fn in_plan<'b>(&self, indicator: &'b Indicator) -> &'b Indicator
    where
        'a: 'b,
    {
        self.plan.indicator(&indicator.id).unwrap_or(indicator)
    }
}

/// Where two answers about the same cells differ in status or verdict.
pub fn differences(before: &[Cell], after: &[Cell]) -> Vec<CellDifference> {
    let mut differences = Vec::new();
    for (before, after) in before.iter().zip(after) {
        let difference = |what: String, from: Option<&str>, to: Option<&str>| CellDifference {
            unit: before.unit.clone(),
            indicator: before.indicator.clone(),
            what,
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
        };
        if before.status != after.status {
            let name = |cell: &Cell| cell.status.map(crate::Status::name);
            differences.push(difference("status".to_owned(), name(before), name(after)));
        }
        for (review, verdict) in &after.verdicts {
            let name = |cell: &Cell| verdict_of(cell, *review).map(Verdict::name);
            if verdict_of(before, *review) != *verdict {
                differences.push(difference(format!("verdict {review}"), name(before), name(after)));
            }
        }
    }
    differences
}

fn verdict_of(cell: &Cell, review: Review) -> Option<Verdict> {
    cell.verdicts.get(&review).copied().flatten()
}
