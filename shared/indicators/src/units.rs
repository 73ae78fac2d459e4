//! Units over time: which are in force, and what they are called, at an instant.

use crate::evaluate::View;
use crate::facts::UnitChangeFact;
use events::{Timestamp, UnitChange, UnitId};
use plan::{Level, Names, Unit};
use serde::Serialize;

/// A unit as it stands at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnitNow {
    /// Its id.
    pub id: UnitId,
    /// Its official code.
    pub code: String,
    /// Its name; after a renaming both languages show the new one.
    pub name: Names,
    /// Its level.
    pub level: Level,
    /// Its type.
    #[serde(rename = "type")]
    pub unit_type: String,
    /// Whether it is in force.
    pub in_force: bool,
}

impl<'a> View<'a> {
    /// The changes of a unit that are known at the cut and hold at an instant no later than as of, oldest effect first.
    pub(crate) fn changes_until(&self, unit: &UnitId, at: Timestamp) -> Vec<&'a UnitChangeFact> {
        let at = at.min(self.moment().as_of);
        let mut changes: Vec<_> = self
            .facts()
            .unit_changes(unit)
            .iter()
            .filter(|fact| fact.position <= self.moment().cut && fact.effective <= at)
            .collect();
        changes.sort_by_key(|fact| (fact.effective, fact.position));
        changes
    }

    /// Whether a unit is in force at an instant, as far as is known at the moment.
    pub fn in_force(&self, unit: &UnitId, at: Timestamp) -> bool {
        !self.changes_until(unit, at).iter().any(|fact| matches!(fact.change, UnitChange::Dissolve))
    }

    /// The districts in force at an instant, in the order of the plan.
    pub(crate) fn districts_in_force(&self, at: Timestamp) -> Vec<&'a Unit> {
        self.plan().districts().filter(|unit| self.in_force(&unit.id, at)).collect()
    }

    /// A unit as it stands at the moment.
    pub fn unit_now(&self, unit: &Unit) -> UnitNow {
        let mut now = UnitNow {
            id: unit.id.clone(),
            code: unit.code.clone(),
            name: unit.name.clone(),
            level: unit.level,
            unit_type: unit.unit_type.clone(),
            in_force: true,
        };
        for fact in self.changes_until(&unit.id, self.moment().as_of) {
            match &fact.change {
                UnitChange::Rename { name } => now.name = Names { vi: name.clone(), en: name.clone() },
                UnitChange::Retype { unit_type } => now.unit_type = unit_type.clone(),
                UnitChange::Recode { code } => now.code = code.clone(),
                UnitChange::Dissolve => now.in_force = false,
            }
        }
        now
    }

    /// Every unit as it stands at the moment, in the order of the plan.
    pub fn units_now(&self) -> Vec<UnitNow> {
        self.plan().units.iter().map(|unit| self.unit_now(unit)).collect()
    }
}
