//! The plan as it stood: as adopted, with the amendments that were known and in force; baselines and deadlines.

use super::{AmendmentFact, BaselineFact, DeadlineFact, Facts};
use events::{IndicatorId, KeyChange, Period, Position, Timestamp, UnitId};
use plan::Plan;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// The most amendments of one plan; a log that holds more sets the rest aside.
///
/// Each pair of times can ask for another plan; they are made when they are asked for and kept.
pub const AMENDMENTS_LIMIT: usize = 100;

/// Every amendment, in log order, and the plans that were asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Amendments {
    facts: Vec<AmendmentFact>,
    /// By how many amendments were known, then by how many of them were in force.
    plans: Vec<Vec<OnceLock<Box<Plan>>>>,
}

/// Which amendments of those known are in force, in the order in which they take effect.
fn in_force(known: &[AmendmentFact], at: Timestamp) -> Vec<usize> {
    let mut order: Vec<usize> = (0..known.len()).filter(|index| known[*index].effective <= at).collect();
    order.sort_by_key(|index| (known[*index].effective, known[*index].position));
    order
}

impl Amendments {
    pub(super) fn all(&self) -> &[AmendmentFact] {
        &self.facts
    }

    /// Takes in the next amendment, if every plan that can come of it can be made.
    pub(super) fn push(&mut self, adopted: &Plan, fact: AmendmentFact) -> Result<(), String> {
        if self.facts.len() >= AMENDMENTS_LIMIT {
            return Err(format!("a plan has at most {AMENDMENTS_LIMIT} amendments"));
        }
        // A key is there or not, and a value is of its kind or not, whatever was amended before.
        adopted.with_changes(&fact.changes).map_err(|errors| {
            let what: Vec<String> = errors.into_iter().map(|error| error.what).collect();
            what.join("; ")
        })?;
        self.facts.push(fact);
        self.plans.push(self.facts.iter().map(|_| OnceLock::new()).collect());
        Ok(())
    }

    /// Forgets the plans that were made: the adopted one has another unit now.
    pub(super) fn forget_plans(&mut self) {
        for lock in self.plans.iter_mut().flatten() {
            *lock = OnceLock::new();
        }
    }

    /// The plan with the amendments recorded up to a cut and in force at an instant.
    pub(super) fn plan_at<'a>(&'a self, adopted: &'a Plan, cut: Position, at: Timestamp) -> &'a Plan {
        if self.facts.is_empty() {
            return adopted;
        }
        let known = self.facts.partition_point(|fact| fact.position <= cut);
        let order = in_force(&self.facts[..known], at);
        // What was recorded after the last one that is in force makes no other plan.
        let Some(last) = order.iter().max() else { return adopted };
        self.plans[*last][order.len() - 1].get_or_init(|| {
            let changes = order.iter().map(|index| self.facts[*index].changes.as_slice());
            Box::new(applied(adopted, changes))
        })
    }
}

/// A plan with changes that can be made, one amendment after the other.
fn applied<'a>(adopted: &Plan, changes: impl Iterator<Item = &'a [KeyChange]>) -> Plan {
    let changes: Vec<KeyChange> = changes.flatten().cloned().collect();
    adopted.with_changes(&changes).expect("an amendment among the facts can be made")
}

/// The plans that would be, had one more amendment been recorded: what its preview is made of.
#[derive(Debug, Clone)]
pub struct ProposedPlans {
    adopted: Plan,
    /// From when each holds; in the order of time.
    amended: Vec<(Timestamp, Plan)>,
}

impl ProposedPlans {
    /// The plans with one more amendment that takes effect at an instant, after every other of that instant.
    /// Each of those from it on is held against the rules of plans.
    pub fn new(
        adopted: &Plan,
        recorded: &[AmendmentFact],
        changes: &[KeyChange],
        effective: Timestamp,
    ) -> Result<ProposedPlans, ProposalError> {
        let before = in_force(recorded, effective);
        let mut after: Vec<usize> = (0..recorded.len()).filter(|index| !before.contains(index)).collect();
        after.sort_by_key(|index| (recorded[*index].effective, recorded[*index].position));
        let mut amended: Vec<(Timestamp, Plan)> = Vec::new();
        let latest = |amended: &[(Timestamp, Plan)]| amended.last().map_or(adopted, |(_, plan)| plan).clone();
        for index in before {
            let plan = applied(&latest(&amended), std::iter::once(recorded[index].changes.as_slice()));
            amended.push((recorded[index].effective, plan));
        }
        let plan = latest(&amended).amended(changes).map_err(ProposalError::Itself)?;
        amended.push((effective, plan));
        for index in after {
            let later = &recorded[index];
            let plan = latest(&amended).amended(&later.changes).map_err(|errors| ProposalError::Later {
                effective: later.effective,
                instrument: later.instrument.clone(),
                what: errors.into_iter().map(|error| error.what).collect::<Vec<_>>().join("; "),
            })?;
            amended.push((later.effective, plan));
        }
        Ok(ProposedPlans { adopted: adopted.clone(), amended })
    }

    /// The plan that would be in force at an instant.
    pub fn plan_at(&self, at: Timestamp) -> &Plan {
        let in_force = self.amended.iter().rev().find(|(effective, _)| *effective <= at);
        in_force.map_or(&self.adopted, |(_, plan)| plan)
    }
}

/// Why an amendment cannot be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProposalError {
    /// Its own changes are wrong.
    Itself(Vec<plan::AmendmentError>),
    /// With it, one that takes effect later would make a wrong plan.
    Later {
        /// When that one takes effect.
        effective: Timestamp,
        /// The instrument of that one.
        instrument: String,
        /// What would be wrong.
        what: String,
    },
}

impl Facts {
    /// Every baseline of a unit's rate that was entered or taken back, in log order.
    pub fn baselines(&self, unit: &UnitId, indicator: &IndicatorId) -> &[BaselineFact] {
        self.baselines.get(&(unit.clone(), indicator.clone())).map_or(&[], Vec::as_slice)
    }

    /// Every amendment of the plan, in log order.
    pub fn amendments(&self) -> &[AmendmentFact] {
        self.amendments.all()
    }

    /// Every extension of the deadline of a period, for one unit by itself or for all, in log order.
    pub fn deadlines(&self, period: Period, unit: Option<&UnitId>) -> &[DeadlineFact] {
        if self.deadlines.is_empty() {
            return &[];
        }
        self.deadlines.get(&(period, unit.cloned())).map_or(&[], Vec::as_slice)
    }

    /// Every extended deadline, by period and unit.
    pub fn all_deadlines(&self) -> impl Iterator<Item = (Period, Option<&UnitId>, &DeadlineFact)> {
        self.deadlines
            .iter()
            .flat_map(|((period, unit), facts)| facts.iter().map(move |fact| (*period, unit.as_ref(), fact)))
    }

    /// The plan with the amendments recorded up to a cut and in force at an instant; none before the adoption.
    pub fn plan_at(&self, cut: Position, at: Timestamp) -> Option<&Plan> {
        let adopted = self.adopted.as_deref()?;
        Some(self.amendments.plan_at(&adopted.plan, cut, at))
    }

    /// The first effective time that lies after an instant, of all that can take effect ahead.
    pub fn effective_after(&self, instant: Timestamp) -> Option<Timestamp> {
        let targets = self.targets.values().flat_map(BTreeMap::values).flatten().map(|fact| fact.effective);
        let changes = self.unit_changes.values().flatten().map(|fact| fact.effective);
        let amendments = self.amendments().iter().map(|fact| fact.effective);
        let deadlines = self.deadlines.values().flatten().map(|fact| fact.effective);
        let all = targets.chain(changes).chain(amendments).chain(deadlines);
        all.filter(|effective| *effective > instant).min()
    }
}
