//! What may happen to a unit: how it comes into force, changes, and goes over into others.

use crate::ids::UnitId;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A unit's name in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitName {
    /// Vietnamese.
    pub vi: String,
    /// English.
    pub en: String,
}

/// Which part of a unit's figures goes to a successor: a ratio that the instrument gives, never an estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// So many parts.
    pub numerator: u64,
    /// Of so many.
    pub denominator: u64,
}

/// A unit that takes over a part of another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Successor {
    /// Which unit.
    pub unit: UnitId,
    /// Its part; left out where no law says it: it is then unknown, and nothing is derived from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
}

/// What changed about a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum UnitChange {
    /// It comes into force: a district that the plan did not have.
    Establish {
        /// Its name.
        name: UnitName,
        /// Its type, such as `ward`.
        #[serde(rename = "type")]
        unit_type: String,
        /// Its official code.
        code: String,
        /// The province it belongs to; left out it is the plan's one province.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<UnitId>,
    },
    /// It has another name.
    Rename {
        /// The new name in Vietnamese.
        name: String,
    },
    /// It is of another type, such as `city`; the unit stays the same.
    Retype {
        /// The new type.
        #[serde(rename = "type")]
        unit_type: String,
    },
    /// It has another official code.
    Recode {
        /// The new code.
        code: String,
    },
    /// It goes over into another unit and is no longer in force; one such event for each unit that does.
    Merge {
        /// Who takes it over.
        into: UnitId,
        /// Which part of its figures goes there; unknown where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        share: Option<Share>,
    },
    /// It goes over into several units and is no longer in force.
    Split {
        /// Who takes it over.
        into: Vec<Successor>,
    },
    /// It belongs to another province.
    Move {
        /// Which one.
        parent: UnitId,
    },
    /// It is no longer in force, and nobody takes it over.
    Dissolve,
}

impl UnitChange {
    /// Whether the unit is no longer in force from then on.
    pub fn ends_the_unit(&self) -> bool {
        match self {
            UnitChange::Merge { .. } | UnitChange::Split { .. } | UnitChange::Dissolve => true,
            UnitChange::Establish { .. }
            | UnitChange::Rename { .. }
            | UnitChange::Retype { .. }
            | UnitChange::Recode { .. }
            | UnitChange::Move { .. } => false,
        }
    }

    /// Whether it changes which units a province has in force, and with that what sums and shares count over.
    pub fn moves_counts(&self) -> bool {
        self.ends_the_unit() || matches!(self, UnitChange::Establish { .. } | UnitChange::Move { .. })
    }

    /// Who takes the unit over, each with its part where that is known.
    pub fn successors(&self) -> Vec<(&UnitId, Option<Share>)> {
        match self {
            UnitChange::Merge { into, share } => vec![(into, *share)],
            UnitChange::Split { into } => {
                into.iter().map(|successor| (&successor.unit, successor.share)).collect()
            }
            UnitChange::Establish { .. }
            | UnitChange::Rename { .. }
            | UnitChange::Retype { .. }
            | UnitChange::Recode { .. }
            | UnitChange::Move { .. }
            | UnitChange::Dissolve => Vec::new(),
        }
    }
}

/// A unit was established, renamed, retyped, recoded, merged, split, moved or dissolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnitChanged {
    /// Which unit.
    pub unit: UnitId,
    /// What changed.
    #[serde(flatten)]
    pub change: UnitChange,
    /// 1 for the first change of this unit, then one more each time.
    pub revision: u32,
    /// From when it holds (start of that day in the plan's time zone).
    pub effective: Date,
    /// The legal instrument.
    pub instrument: String,
    /// Why, in the words of the one who asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// SHA-256 of the request, where an idempotency key binds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_digest: Option<String>,
}
