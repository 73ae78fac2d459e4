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
    /// The province that a district belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<UnitId>,
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

    /// Whether a unit is in force at an instant, as far as is known at the moment: it was in the plan or has been
    /// established, and has not been merged, split or dissolved.
    pub fn in_force(&self, unit: &UnitId, at: Timestamp) -> bool {
        let at = at.min(self.moment().as_of);
        let changes = self.facts().unit_changes(unit).iter();
        let mut in_force = !self.facts().is_established(unit);
        for fact in changes.filter(|fact| fact.position <= self.moment().cut && fact.effective <= at) {
            if fact.change.ends_the_unit() {
                return false;
            }
            in_force |= matches!(fact.change, UnitChange::Establish { .. });
        }
        in_force
    }

    /// Whether a unit was in the plan or established by an instant, whatever became of it.
    pub(crate) fn was_there_by(&self, unit: &UnitId, at: Timestamp) -> bool {
        let established = self.facts().unit_changes(unit).first().map(|fact| fact.effective);
        !self.facts().is_established(unit) || established.is_some_and(|effective| effective <= at)
    }

    /// Whether a unit is known at the moment: it was in the plan, or its establishment is recorded by then.
    pub fn knows_unit(&self, unit: &UnitId) -> bool {
        let recorded = self.facts().unit_changes(unit).first().map(|fact| fact.position);
        !self.facts().is_established(unit) || recorded.is_some_and(|position| position <= self.moment().cut)
    }

    /// The province that a district belongs to at an instant, as far as is known at the moment.
    pub fn province_of(&self, unit: &'a Unit, at: Timestamp) -> &'a UnitId {
        let at = at.min(self.moment().as_of);
        let moves = self.facts().unit_changes(&unit.id).iter().filter_map(|fact| match &fact.change {
            UnitChange::Move { parent } if fact.position <= self.moment().cut && fact.effective <= at => {
                Some(((fact.effective, fact.position), parent))
            }
            _ => None,
        });
        let last = moves.max_by_key(|(when, _)| *when).map(|(_, parent)| parent);
        last.or(unit.parent.as_ref()).unwrap_or_else(|| &self.plan().province().id)
    }

    /// Whether a district belongs to a province at any time, as far as is known at the moment.
    pub fn ever_belonged(&self, unit: &'a Unit, province: &UnitId) -> bool {
        let changes = self.facts().unit_changes(&unit.id).iter();
        let mut moves = changes.filter(|fact| fact.position <= self.moment().cut);
        *unit.parent.as_ref().unwrap_or_else(|| &self.plan().province().id) == *province
            || moves.any(|fact| matches!(&fact.change, UnitChange::Move { parent } if parent == province))
    }

    /// The districts of a province in force at an instant, in the order of the plan.
    pub(crate) fn districts_in_force(&self, province: &UnitId, at: Timestamp) -> Vec<&'a Unit> {
        let districts = self.plan().districts();
        districts
            .filter(|unit| self.province_of(unit, at) == province && self.in_force(&unit.id, at))
            .collect()
    }

    /// A unit as it stands at the moment.
    pub fn unit_now(&self, unit: &'a Unit) -> UnitNow {
        let mut now = UnitNow {
            id: unit.id.clone(),
            code: unit.code.clone(),
            name: unit.name.clone(),
            level: unit.level,
            unit_type: unit.unit_type.clone(),
            parent: (unit.level == Level::District)
                .then(|| self.province_of(unit, self.moment().as_of).clone()),
            in_force: self.in_force(&unit.id, self.moment().as_of),
        };
        for fact in self.changes_until(&unit.id, self.moment().as_of) {
            match &fact.change {
                UnitChange::Rename { name } => now.name = Names { vi: name.clone(), en: name.clone() },
                UnitChange::Retype { unit_type } => now.unit_type = unit_type.clone(),
                UnitChange::Recode { code } => now.code = code.clone(),
                // The unit among the plan's units has what it was established with.
                UnitChange::Establish { .. }
                | UnitChange::Merge { .. }
                | UnitChange::Split { .. }
                | UnitChange::Move { .. }
                | UnitChange::Dissolve => {}
            }
        }
        now
    }

    /// Every unit that is known at the moment, as it stands there: in the order of the plan, then of establishment.
    pub fn units_now(&self) -> Vec<UnitNow> {
        let units = self.plan().units.iter().filter(|unit| self.knows_unit(&unit.id));
        units.map(|unit| self.unit_now(unit)).collect()
    }
}
